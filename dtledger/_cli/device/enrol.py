"""`device enrol`: bind a device's key to a twin."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import click

from ...errors import InputError
from .. import times
from ..app import App, rfc3339
from ..command import verb
from ..words import URL, listed


class Measures(click.ParamType[tuple[str, str, int, str]]):
    """CATEGORY[:UNIT[:DECIMALS[:QUALITY]]], as a channel's four fields."""

    name = "measures"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str, int, str]:
        if isinstance(value, tuple):
            return value
        from ...device.enrolment import Channel
        from ...vocabulary import category, unit

        name, spelling, decimals, quality, *more = [*str(value).split(":"), "", "", ""][: max(4, value.count(":") + 1)]
        try:
            if more or (decimals and not decimals.isdecimal()):
                raise ValueError("it is CATEGORY[:UNIT[:DECIMALS[:QUALITY]]]")
            code = unit(spelling or category(name).unit)
            channel = Channel(name, code.code, int(decimals) if decimals else code.decimals, quality)
        except ValueError as error:
            self.fail(f"{value!r}: {error}", param, ctx)
        return channel.category, channel.unit, channel.decimals, channel.quality


@verb(
    "enrol",
    epilog="Examples: dtledger device enrol cgm.state --gateway https://gateway.example:8701 --measures glucose · "
    "dtledger device enrol cuff.state --gateway URL --measures blood-pressure:mm[Hg]:0:systolic --measures "
    "blood-pressure:mm[Hg]:0:diastolic · dtledger device enrol --public-key HEX --gateway URL --measures spo2",
)
@click.argument("state", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--gateway", "url", type=URL, required=True, help="The gateway that it will send to.")
@click.option("--twin", type=click.IntRange(0), metavar="NUMBER", help="Which twin, if you have several.")
@click.option(
    "--measures",
    type=Measures(),
    multiple=True,
    required=True,
    metavar="WHAT",
    help="CATEGORY[:UNIT[:DECIMALS[:QUALITY]]]; may be repeated. Its place is its channel.",
)
@click.option("--since", metavar="TIME", help="Nothing measured before is the twin's: 14d, a day. [now]")
@click.option("--public-key", metavar="HEX", help="The key of a device that drew its own; nothing is written here.")
@click.option(
    "--again", is_flag=True, help="Begin a new chain with the key that is in STATE; what it had not sent is lost."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would be signed; sign nothing.")
def enrol(
    app: App,
    state: Path | None,
    url: str,
    twin: int | None,
    measures: tuple[tuple[str, str, int, str], ...],
    since: str | None,
    public_key: str | None,
    again: bool,
    yes: bool,
    dry_run: bool,
) -> None:
    """As a twin's owner, let a device send for it: sign so, and hand that to a gateway.

    STATE is the device's own file, with its private key: put it on the device and keep no copy, for two that send from
    one state contradict each other. A gateway needs your grant to WRITE as well. Nothing of a device is on the ledger.
    """
    from ..._backend.http_gateway import HttpGateway
    from ...device.enrolment import Channel
    from ...device.sender import Device

    if (state is None) == (public_key is None):
        raise click.UsageError("Name the device's STATE file, or its --public-key.")
    if state is not None and state.exists() is not again:
        raise InputError(
            f"{state} is there already." if state.exists() else f"There is no {state}.",
            hint="Another file is another device; --again begins a new chain with the key that is in one.",
        )
    number, now = app.twin(twin), app.client.context.clock()
    begin = times.beginning(since, now, app.zone) if since else now
    what = listed(f"{name} in {unit}" for name, unit, _, _ in measures)
    app.say(f"A device may send {what} for twin {number}, measured from {app.time(begin)} on, to {url}.")
    if dry_run:
        app.data("device", twin=number, gateway=url, since=rfc3339(begin), channels=measures, dry_run=True)
        return
    app.confirm("Sign that?", yes=yes)
    gateway = HttpGateway(url)
    app.stack.callback(gateway.close)
    seed = b"" if state is None else Device.seed_in(state) if again else secrets.token_bytes(32)
    public = _public(public_key) if public_key else Device.public_of(seed)
    channels = [Channel(*each) for each in measures]
    said, block = app.client.devices.enrol(number, gateway.address(), public, channels, begin)
    answers_by = str(gateway.enrol_device(block).get("answers_by"))
    if state is not None:
        fields = [list(each) for each in measures]
        Device.make(state, seed, bytes.fromhex(answers_by), said.digest, number, begin, fields)
    app.show(f"Enrolled: device {said.device.hex()}")
    if state is None:
        app.show(f"its chain begins with {said.digest.hex()}; answers are checked by {answers_by}")
    app.data(
        "device",
        device=said.device.hex(),
        twin=number,
        gateway=url,
        since=rfc3339(begin),
        channels=measures,
        enrolment=said.digest.hex(),
        answers_by=answers_by,
        state=state,
        dry_run=False,
    )


def _public(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise InputError("A public key is 64 hexadecimal digits.") from None
