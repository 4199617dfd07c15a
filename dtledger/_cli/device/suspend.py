"""`device suspend`: take nothing more of a device."""

from __future__ import annotations

import click

from ...errors import InputError
from ..app import App
from ..command import verb
from ..words import URL


@verb("suspend", epilog="Example: dtledger device suspend 9f86d081884c7d659a2feaa0c55ad015 --gateway URL --twin 7")
@click.argument("device")
@click.option("--gateway", "url", type=URL, required=True, help="The gateway that it sends to.")
@click.option("--twin", type=click.IntRange(0), metavar="NUMBER", help="Which twin, if you have several.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def suspend(app: App, device: str, url: str, twin: int | None, yes: bool) -> None:
    """As a twin's owner, end a device: what it signs is refused from then on. It is enrolled anew, not taken back.

    A gateway that went on taking it would break your word; then revoke the gateway's grant to WRITE.
    """
    from ..._backend.http_gateway import HttpGateway
    from ...device.enrolment import NAME_BYTES

    try:
        name = bytes.fromhex(device)
    except ValueError:
        name = b""
    if len(name) != NAME_BYTES:
        raise InputError("A device's name is 32 hexadecimal digits.", hint="`dtledger device list URL` shows it.")
    number = app.twin(twin)
    app.say(f"Nothing more of device {device} will be taken for twin {number}.")
    app.confirm("Sign that?", yes=yes)
    gateway = HttpGateway(url)
    app.stack.callback(gateway.close)
    gateway.suspend_device(app.client.devices.suspend(number, gateway.address(), name))
    app.show(f"Suspended: device {device}")
    app.data("device-suspended", device=device, twin=number, gateway=url)
