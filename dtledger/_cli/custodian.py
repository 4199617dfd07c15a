"""`custodian`: one that runs as a service, for its operator."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import InputError
from .app import App, rfc3339
from .command import noun
from .words import table

if TYPE_CHECKING:
    from ..custody import AccessReceipt
    from ..service.settings import ServiceSettings

custodian_command = noun("custodian", "A custodian as a service: its key, its endpoints, its receipts.")

config_option = click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The custodian's configuration (TOML). DTLEDGER_CUSTODIAN_… in the environment is over it.",
)


@custodian_command.command("init", epilog="Example: dtledger custodian init --config custodian.toml")
@config_option
@click.pass_obj
def init(app: App, config: Path | None) -> None:
    """Make the custodian's folder and its key; what is there is left as it is.

    The key's password is in the file that `password_file` names. Then governance enrols its address as CUSTODIAN,
    and its account needs some of the chain's currency for heartbeats.
    """
    from ..service.custodian.state import create_key

    key = create_key(_settings(config))
    app.show(f"The custodian is {key.address}.")
    app.say("Next: have it enrolled as CUSTODIAN, fund it, then `dtledger custodian serve`.")
    app.data("custodian", address=key.address)


@custodian_command.command("serve", epilog="Example: dtledger custodian serve --config custodian.toml")
@config_option
@click.pass_obj
def serve_(app: App, config: Path | None) -> None:
    """Serve until SIGTERM: requests that were accepted are answered, then it exits with 0.

    GET /healthz, /readyz, /metrics (Prometheus) and /docs (the interface) are for operators: let a firewall or proxy
    keep them from others.
    """
    from ..client.core import system_clock
    from ..service import require_extra

    require_extra()
    from ..service.custodian.serving import custodian_service
    from ..service.logs import log_to_stderr
    from ..service.server import serve

    settings = _settings(config)
    log_to_stderr()
    with custodian_service(settings, system_clock) as service:
        serve(service, settings, lambda url: _ready(app, url))


@custodian_command.command("status", epilog="Example: dtledger custodian status --config custodian.toml")
@config_option
@click.pass_obj
def status(app: App, config: Path | None) -> None:
    """Ask the running service whether it is ready, and what is wrong if it is not."""
    from .._backend.http_link import probe_service
    from .._backend.postgresql import Server

    settings = _settings(config)
    answer = probe_service(settings.own_url, settings["tls_certificate"])
    if settings["index"] is not None:
        app.say(f"Its index is in {Server(settings['index'], '')}.")
    for name, check in answer["checks"].items():
        mark, colour = ("ok", "green") if check["ok"] else ("failed", "red")
        app.show(f"{click.style(f'{mark:<8}', fg=colour)} {name:<10} {check['text']}")
    app.data("custodian-status", **answer)
    if not answer["ready"]:
        click.get_current_context().exit(6)


@custodian_command.command("receipts", epilog="Example: dtledger custodian receipts --config custodian.toml --last 20")
@config_option
@click.option(
    "--last", metavar="N", type=click.IntRange(1), default=50, show_default=True, help="How many, the newest."
)
@click.pass_obj
@click.option("--of", "asker", metavar="WHO", help="With --out: whose reads; a contact or an address.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write every signed receipt of WHO's reads to a new file, for an auditor: they name twins.",
)
def receipts(app: App, config: Path | None, last: int, asker: str | None, out: Path | None) -> None:
    """List the newest receipts of this custodian's log: numbers, times, reasons. No names, no addresses, no twins.

    With --of and --out, all that this custodian has of one member's reads goes into a file instead, for whoever has a
    right to compare it (`dtledger audit model --receipts FILE`).
    """
    if (asker is None) is not (out is None):
        raise click.UsageError("--of and --out go together.")
    from ..custodian import ReceiptDatabase
    from ..service.custodian.settings import deployment_of, home_of
    from ..service.custodian.state import receipts_path

    settings = _settings(config)
    path = receipts_path(home_of(settings), deployment_of(settings))
    rows: list[AccessReceipt] = []
    if path.exists():
        with closing(ReceiptDatabase(path)) as log:
            rows = [entry.receipt for entry in (log.latest(last) if out is None else log.entries)]
    if asker is not None and out is not None:
        who = app.resolve(asker).address
        _hand_over(app, [each for each in rows if each.requester == who], out)
        return
    for line in table(["number", "at", "block", "asked", "opened", "refused"], [_row(app, each) for each in rows]):
        app.show(line)
    app.data("custodian-receipts", receipts=[_plain(each) for each in rows])


@custodian_command.command("proofs", epilog="Example: dtledger custodian proofs --config custodian.toml --out proofs")
@config_option
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Into this new file, for an auditor.")  # fmt: skip
@click.pass_obj
def proofs(app: App, config: Path | None, out: Path) -> None:
    """Hand over the proofs that this custodian took of its node whenever a consent was written.

    With them (`dtledger audit twin --proofs FILE`) a node that keeps no old states will do to show what was permitted
    to whom in those blocks. They hold what is on the ledger, and nobody needs to believe them.
    """
    from .._backend.proof_file import ProofFile
    from ..service.custodian.settings import deployment_of
    from ..service.custodian.state import proofs_place

    settings = _settings(config)
    place = proofs_place(settings, deployment_of(settings))
    with closing(ProofFile(None if isinstance(place, Path) and not place.exists() else place)) as file:
        blocks, nodes = file.blocks(), file.nodes()
    _write_new(out, {"proofs": nodes})
    app.show(f"Written: {out}, proofs of {len(blocks):,} blocks")
    app.data("custodian-proofs-written", file=out, blocks=sorted(blocks))


def _hand_over(app: App, receipts: list[AccessReceipt], out: Path) -> None:
    _write_new(out, {"receipts": [each.encode() for each in receipts]})
    app.show(f"Written: {out}, {len(receipts):,} receipts")
    app.data("custodian-receipts-written", file=out, count=len(receipts))


def _write_new(out: Path, value: dict[str, list[bytes]]) -> None:
    """Write a file that nobody else may read."""
    from .._backend.files import write_atomically
    from ..encoding import encode

    if out.exists():
        raise InputError(f"There is a file {out}.", hint="Name another with --out.")
    write_atomically(out, encode(value), mode=0o600)


def _settings(config: Path | None) -> ServiceSettings:
    from ..service.custodian.settings import load_settings

    return load_settings(config)


def _ready(app: App, url: str) -> None:
    app.show(f"The custodian serves at {url}.")
    app.data("custodian-serve", url=url)


def _reasons(receipt: AccessReceipt) -> dict[str, int]:
    return dict(Counter(reason.name for _, reason in receipt.refused))


def _row(app: App, receipt: AccessReceipt) -> list[Any]:
    refused = ", ".join(f"{count} {reason}" for reason, count in _reasons(receipt).items())
    return [receipt.number, app.time(receipt.at), receipt.block, receipt.count, receipt.permitted, refused]


def _plain(receipt: AccessReceipt) -> dict[str, Any]:
    return {
        "number": receipt.number,
        "at": rfc3339(receipt.at),
        "block": receipt.block,
        "asked": receipt.count,
        "opened": receipt.permitted,
        "refused": _reasons(receipt),
    }
