"""`device send`: the reference sender, fed from a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from ...errors import AccessDeniedError, BusyError, InputError, IntegrityError, UnreachableError
from ..app import App
from ..command import verb
from ..words import CATEGORY
from .measured import measured

if TYPE_CHECKING:
    from ...device.sender import Device, Measurement, Transport

SCHEMES = ("http", "https", "mqtt", "mqtts")


@verb(
    "send",
    epilog="Examples: dtledger device send pump.state readings.csv --to https://gateway.example:8701 · "
    "dtledger device send pump.state - --to mqtts://broker.example:8883/dtledger --user pump --password-file FILE",
)
@click.argument("state", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("file", metavar="FILE|-", required=False)
@click.option("--to", "url", required=True, metavar="URL", help="A gateway (https://…), or a broker (mqtts://…/TOPIC).")
@click.option("--category", type=CATEGORY, help="What the file's values are, if the device measures several things.")
@click.option("--quality", metavar="WORD", default="", help="And which of them: systolic.")
@click.option(
    "--batch", type=click.IntRange(1, 4096), default=12, show_default=True, help="Readings under a signature."
)
@click.option("--tz", metavar="ZONE", help="The zone of the clock that wrote the times: Europe/Vienna.")
@click.option("--utc-offset", metavar="OFFSET", help="Instead: that clock's fixed offset: +01:00.")
@click.option("--unit", metavar="UNIT", help="The values' unit, where the file does not say it.")
@click.option("--user", metavar="NAME", help="The device's name at the broker.")
@click.option("--password-file", type=click.Path(path_type=Path), help="The file of its password there.")
@click.option("--skip-unreadable", is_flag=True, help="Send the other rows if some cannot be read.")
def send(
    app: App,
    state: Path,
    file: str | None,
    url: str,
    category: str | None,
    quality: str,
    batch: int,
    user: str | None,
    password_file: Path | None,
    skip_unreadable: bool,
    **reading: Any,
) -> None:
    """As a device, sign what a file holds and send it, batch by batch, each until it is acknowledged.

    What was sent before is left out, so the file may be sent again; a batch that was under way is sent first, the very
    same bytes. Without FILE that is all. It needs no key and no profile: STATE has all that the device has.
    """
    from ..._backend.loopback import is_loopback
    from ...device.sender import transport_to
    from ...keys import Passwords

    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise InputError(f"--to is the URL of a gateway or a broker ({', '.join(SCHEMES)}).")
    if parts.scheme in ("http", "mqtt") and not is_loopback(parts.hostname):
        app.warn(f"everybody on the way can read what is sent to {url}.")
    device = _open(state)
    app.stack.callback(device.close)
    told = {"taken": 0, "known": 0, "set_aside": 0, "batches": 0}
    rows: list[Measurement] = []
    if file is not None:
        source: Any = sys.stdin.buffer if file == "-" else Path(file).expanduser()
        rows, told["known"] = measured(app, device, source, category, quality, reading, skip=skip_unreadable)
    transport = transport_to(url, user, Passwords(password_file).of("broker") if password_file else None)
    if device.pending:
        _exchange(device, transport, told)
        rows = [row for row in rows if row[1] > device.last[row[0]]]
    for start in range(0, len(rows), batch):
        device.sign(rows[start : start + batch])
        told["taken"] += len(rows[start : start + batch]) - _exchange(device, transport, told)
    aside = f", {told['set_aside']} set aside as no value that a body has" if told["set_aside"] else ""
    known = f"; {told['known']:,} were sent before or lie before the enrolment" if told["known"] else ""
    app.show(f"Taken: {told['taken']:,} readings in {told['batches']:,} batches{aside}{known}")
    app.data("device-sent", device=device.name, number=device.number, **told)


def _open(state: Path) -> Device:
    from ...device.sender import Device

    try:
        return Device(state)
    except BlockingIOError as error:
        raise InputError(f"Another process sends from {state}.", hint="One at a time: wait for it.") from error
    except OSError as error:
        raise InputError(f"{state} cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError) as error:
        raise InputError(f"{state} is no state of a device.", hint="`dtledger device enrol` makes one.") from error


def _exchange(device: Device, transport: Transport, told: dict[str, int]) -> int:
    """Send what is under way until it is taken; how many of its readings were set aside.

    Raises:
        UnreachableError: there is no answer, or no room now; it stays under way.
        AccessDeniedError: the gateway refuses it.
        IntegrityError: what answered is not the gateway.
    """
    from ...device.batch import Code
    from ...device.sender import NEVER

    number = device.number + 1
    try:
        code, aside = device.exchange(transport)
    except OSError as error:
        raise UnreachableError(
            f"Batch {number} is not acknowledged ({error}).", hint="It is kept: the same command goes on with it."
        ) from error
    except ValueError as error:
        raise IntegrityError(f"batch {number} was not answered by the gateway that enrolled the device") from error
    said = Code(code)
    if said is Code.LATER:
        raise BusyError(f"The gateway has no room for batch {number}.", hint="It is kept: send it again later.")
    if said.refuses:
        hint = "It is dropped: another may have its number." if code >= NEVER else "It is kept until that is mended."
        raise AccessDeniedError(f"The gateway refuses batch {number}: {said.text} ({said.name}).", hint=hint)
    told["batches"] += 1
    told["set_aside"] += aside
    return aside
