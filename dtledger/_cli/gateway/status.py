"""`gateway status`: how a gateway stands."""

from __future__ import annotations

from typing import Any

import click

from ...errors import UnreachableError
from .. import times
from ..app import App, rfc3339
from ..command import verb
from ..words import URL

HERE = "http://127.0.0.1:8701"
"""Where a gateway listens that was told nothing else."""


@verb(
    "status", epilog="Examples: dtledger gateway status · dtledger gateway status https://gateway.hospital.example:8701"
)
@click.argument("url", type=URL, default=HERE)
def status(app: App, url: str) -> None:
    """Say how many readings wait, how old the newest of each twin is, and what ends soon.

    Exit code 6 if the gateway does not answer, or its ledger or queue does not.
    """
    from ..._backend.http_gateway import HttpGateway

    gateway = HttpGateway(url)
    app.stack.callback(gateway.close)
    found = gateway.status()
    _show(app, found)
    ending = [{**each, "ends_at": rfc3339(int(each["ends_at"]))} for each in found.get("grants_ending") or []]
    rest = {name: value for name, value in found.items() if name != "schema"}
    app.data("gateway-status", url=gateway.url, **{**rest, "grants_ending": ending})
    if found.get("ledger") != "ok" or found.get("queue") != "ok":
        raise UnreachableError(
            f"The gateway's ledger: {found.get('ledger')}, its queue: {found.get('queue')}.",
            hint="What it has taken stays on its disk. On its machine `dtledger doctor` says what to mend.",
        )


def _show_twins(app: App, found: dict[str, Any]) -> None:
    if found.get("stale_twins"):
        stale = click.style("STALE", fg="yellow", bold=True)
        app.show(f"{found['stale_twins']} twins' data are {stale}: older than their kind may be")
    if found.get("filter") == "not installed":
        app.show("no filter: NumPy is not installed, so nothing is judged and nothing is forecast")
    for each in found.get("alarms") or []:
        doubt = ", unverified" if each["unverified"] else ""
        app.show(f"twin {each['twin']} alarmed {times.span(max(each['age_seconds'], 0))} ago{doubt}")
    if found.get("doubtful"):
        app.show(f"{found['doubtful']} readings were not believed since it began: they are anchored, and marked")
    for reason, count in (found.get("states_refused") or {}).items():
        app.show(f"{count} twins have no forecast: the grant to write does not cover that ({reason})")


def _show_relay(app: App, relay: dict[str, Any]) -> None:
    if relay["waiting"] or relay["in_flight"]:
        oldest = f", the oldest for {times.span(relay['oldest_seconds'])}" if relay["oldest_seconds"] else ""
        app.show(
            f"{relay['waiting']} calls of others wait, {relay['in_flight']} are in "
            f"{relay['transactions_in_flight']} transactions{oldest}"
        )
    if relay["landed"] or relay["refused"]:
        refused = ", ".join(f"{count:,} {why}" for why, count in relay["refused"].items())
        app.show(f"{relay['landed']:,} calls of others landed since it began; refused: {refused or 'none'}")
    if relay["fee_bumps"] or relay["lost"]:
        app.show(
            f"{relay['fee_bumps']} transactions were sent again with a higher fee, {relay['lost']} were lost and their "
            "calls sent in others"
        )
    if relay["error"]:
        app.show(f"relaying failed ({relay['error']}), {relay['failures']} times one after another")


def _show(app: App, found: dict[str, Any]) -> None:
    app.show(f"gateway {found.get('gateway')}, dtledger {found.get('version')}")
    oldest = found.get("oldest_seconds")
    waits = f", the oldest for {times.span(oldest)}" if oldest else ""
    app.show(
        f"{found.get('unanchored')} readings wait to be anchored{waits}; {found.get('anchored')} were since it began"
    )
    if found.get("queue_in") == "PostgreSQL":
        app.show(f"its queue is in PostgreSQL: {found.get('queue')}")
    if found.get("waiting"):
        app.show(f"{found['waiting']} hours could not be written when they were tried last")
    if found.get("error"):
        app.show(f"the last batch failed ({found['error']}), {found.get('failures')} times one after another")
    if found.get("damaged"):
        app.show(f"{found['damaged']} rows of its queue are damaged")
    if found.get("refused"):
        refused = ", ".join(f"{count:,} {reason}" for reason, count in found["refused"].items())
        app.show(f"refused of devices: {refused} (`dtledger device list` says of which)")
    if found.get("relay"):
        _show_relay(app, found["relay"])
    if found.get("mqtt") == "away":
        app.show("the MQTT broker is away")
    if found.get("mqtt") == "refused":
        app.show("the MQTT broker does not let the gateway hear its devices: look at its access list")
    if found.get("sealed_to_owners"):
        app.show(f"{found['sealed_to_owners']} blocks went sealed to owners, who may adopt them")
    head, age = found.get("head_age_seconds"), found.get("oldest_twin_seconds")
    app.show(f"ledger's head: {times.span(head)} old" if head is not None else f"ledger: {found.get('ledger')}")
    if age is not None:
        app.show(f"the twin that is longest without a new snapshot: {times.span(age)}")
    _show_twins(app, found)
    free = found.get("disk_free_bytes")
    if free is not None:
        app.show(f"disk: {free / 2**30:.1f} GiB free")
    for each in found.get("grants_ending") or []:
        app.show(f"the grant to write to twin {each['twin']} (slot {each['number']}) ends {app.time(each['ends_at'])}")
