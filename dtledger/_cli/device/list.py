"""`device list`: the devices of one's twins, and what was refused of them."""

from __future__ import annotations

from typing import Any

import click

from ..app import App, rfc3339
from ..command import verb
from ..words import URL

_TIMES = ("since", "enrolled_at", "suspended_at", "newest_at", "at", "first_at", "last_at")


@verb("list", epilog="Example: dtledger device list https://gateway.example:8701")
@click.argument("url", metavar="GATEWAY", type=URL)
@click.option("--refusals", is_flag=True, help="Show the newest refusals one by one.")
def list_(app: App, url: str, refusals: bool) -> None:
    """List the devices of your twins at a gateway: how far each came, and how often it was refused for what reason.

    With the gateway's own key: all devices, and what was refused of none that it knows.
    """
    from ..._backend.http_gateway import HttpGateway
    from ...device.batch import Code

    gateway = HttpGateway(url)
    app.stack.callback(gateway.close)
    context = app.client.context
    found = gateway.devices(context.deployment, context.key, context.clock())
    for each in found.get("devices") or []:
        what = ", ".join(f"{name} {quality}".strip() + f" in {unit}" for name, unit, _, quality in each["channels"])
        ended = f", suspended {app.time(each['suspended_at'])}" if each["suspended_at"] else ""
        newest = f", newest reading {app.time(each['newest_at'])}" if each["newest_at"] is not None else ""
        app.show(f"{each['device']}  twin {each['twin']}: {what}; {each['number']} batches{newest}{ended}")
        _show_refused(app, each, refusals, Code)
    if found.get("more"):
        app.say(f"and {found['more']} that are older")
    if unknown := found.get("unknown"):
        app.show("of no device that is enrolled here:")
        _show_refused(app, unknown, refusals, Code)
    if not found.get("devices"):
        app.say("No device is enrolled here for twins of this key.")
    app.data("devices", url=gateway.url, **{name: _plain(each) for name, each in found.items()})


def _show_refused(app: App, told: dict[str, Any], one_by_one: bool, codes: Any) -> None:
    for each in told["refused"]:
        last = app.time(each["last_at"])
        app.show(f"    refused {each['count']:,} times, last {last}: {each['reason']}, {codes[each['reason']].text}")
    for each in told["newest"] if one_by_one else []:
        of = f"{each['readings']} readings of batch" if each["readings"] else "batch"
        app.show(f"    {app.time(each['at'])}  {each['reason']}  {of} {each['batch']}")


def _plain(value: Any) -> Any:
    """With times as JSON has them."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {
            name: rfc3339(each) if name in _TIMES and isinstance(each, int) else _plain(each)
            for name, each in value.items()
        }
    return value
