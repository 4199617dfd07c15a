"""`gateway token`: a new sender of readings."""

from __future__ import annotations

import click

from ..app import App
from ..command import verb


@verb("token", epilog="Example: dtledger gateway token ward-3-hub >ward-3-hub.token 2>>senders")
@click.argument("name")
def token(app: App, name: str) -> None:
    """Make a token for a device or hub that shall send readings.

    The token goes to stdout, once; the line for the gateway's file of senders, which holds only its hash, to stderr.
    """
    from ...gateway.senders import new_token

    secret, line = new_token(name)
    app.show(secret)
    app.say(line)
    app.data("gateway-token", name=name, token=secret, line=line)
