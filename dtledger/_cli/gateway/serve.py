"""`gateway serve`: run a gateway until it is told to stop."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import click

from ...errors import InputError
from ..app import App
from ..command import verb

_NO_SENDER = (
    "it knows no sender, so it takes readings of devices that sign alone. `dtledger gateway token NAME` makes a line "
    "for the file that the setting `senders` names."
)


_NO_FILTER = (
    "NumPy is not installed, so readings are anchored as they come: no filter, no gate, no forecasts. Run `pip install "
    '"dtledger[filter]"`.'
)


@verb("serve", epilog="Examples: dtledger gateway serve --key gateway · dtledger gateway serve --config gateway.toml")
@click.option("--config", metavar="FILE", help="What it is told: bind, TLS, senders, limits.")
def serve_(app: App, config: str | None) -> None:
    """Take readings over HTTP, anchor them, and carry signed calls and blocks for others.

    The key is one enrolled as a GATEWAY; ledger, store and password file are the profile's. What it has answered 202
    to is on its disk, encrypted, until it is anchored and read back; SIGTERM stops it after what is under way, and
    kill -9 loses nothing. Each setting may also stand in the environment, as DTLEDGER_GATEWAY_BIND does.
    """
    from ...service import require_extra

    require_extra()
    from ...gateway.senders import Senders
    from ...gateway.service import ENTRIES, Gateway, make_service
    from ...service.logs import log_to_stderr
    from ...service.server import serve
    from ...service.settings import ServiceSettings

    if app.settings.store.startswith("gateway:"):
        raise InputError(
            "A gateway needs a store of its own: its profile names a gateway, perhaps itself.",
            hint="Name its kubo: `dtledger config set store /ip4/127.0.0.1/tcp/5001`, with its --profile.",
        )
    settings = ServiceSettings.load("gateway", ENTRIES, Path(config).expanduser() if config else None)
    senders = Senders.read(Path(settings["senders"])) if settings["senders"] else Senders([])
    if not senders:
        app.warn(_NO_SENDER)
    if find_spec("numpy") is None:
        app.warn(_NO_FILTER)
    folder = Path(settings["state"]) if settings["state"] else app.home.root / "gateway"
    app.home.prepare(folder)
    payers = [app.unlocked(each) for each in settings["relay_payers"] or ()]
    gateway = Gateway(app.client, settings, folder, senders, payers)
    app.stack.callback(gateway.close)

    def ready(url: str) -> None:
        app.say(f"The gateway {app.client.address} takes readings at {url}.")
        if gateway.server is not None:
            app.say(f"Its queue is in {gateway.server}.")
        app.data("gateway", url=url, gateway=app.client.address, state=folder)

    log_to_stderr()
    serve(make_service(gateway), settings, ready)
