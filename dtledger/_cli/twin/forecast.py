"""`twin forecast`: what a twin's glucose is expected to be, and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..app import App, rfc3339
from ..command import verb
from .door import TWIN, WHY, age_words, usual_unit

if TYPE_CHECKING:
    from ...client import TwinForecast

_SHOWN = 15, 30, 60


@verb("forecast", epilog="Example: dtledger twin forecast 7 --purpose TREAT --horizon 30 --unit mg/dL")
@TWIN
@WHY
@click.option(
    "--horizon",
    type=click.Choice([str(each) for each in _SHOWN]),
    help="Minutes after the newest reading; all of them if left out.",
)
@click.option("--unit", metavar="UNIT", help="Convert values into this unit: `dtledger help units`.")
def forecast(app: App, twin: int | None, purpose: str, horizon: str | None, unit: str | None) -> None:
    """Say what a twin's glucose is expected to be in 15, 30 and 60 minutes.

    It is made here, from the newest state that the twin's gateway anchored; consent to `forecast` is enough, and no
    reading is fetched. It begins at the newest reading, however old: its age stands below, and STALE where that is too
    much. `unverified` says that the sensor's newest readings are not to be relied on.
    """
    number = app.twin(twin)
    wanted = int(horizon) if horizon else _SHOWN[0]
    found = app.client.forecast(number, wanted, purpose, unit=unit or usual_unit(app, "glucose"))
    shown = [each for each in found.ahead if horizon is None or each.minutes == wanted]
    decimals = _decimals(found.unit)
    for each in shown:
        ends = "  ".join(f"{one.percent} % {one.low:.{decimals}f}–{one.high:.{decimals}f}" for one in each.intervals)
        at = app.time(int(each.at.timestamp()))
        app.show(f"{at}  {each.mean:>7.{decimals}f} {found.unit}  in {each.minutes} min  {ends}")
    if horizon is None and len(shown) < len(_SHOWN):
        beyond = ", ".join(str(each) for each in _SHOWN if each not in {one.minutes for one in shown})
        app.say(f"It cannot say what comes in {beyond} min: it would be what no body has.")
    _remarks(app, found)
    told = plain_forecast(app, found)
    told["forecasts"] = [_plain(each) for each in shown]
    custodians = {"asked": found.asked, "answered": found.answered}
    app.data("forecast", twin=number, purpose=purpose.upper(), **told, custodians=custodians)


def plain_forecast(app: App, found: TwinForecast) -> dict[str, Any]:
    """A forecast of all horizons for JSON."""
    return {
        "made_at": rfc3339(int(found.made_at.timestamp())),
        "age": found.age,
        "stale": found.stale,
        "unverified": found.unverified,
        "flags": found.flags,
        "model": {"name": found.model, "version": found.version},
        "snapshot": f"0x{found.snapshot}",
        "writer": app.people.plain(found.writer),
        "unit": found.unit,
        "forecasts": [_plain(each) for each in found.ahead],
    }


def _remarks(app: App, found: TwinForecast) -> None:
    """How old, by what, and whether it is to be relied on: on stderr."""
    made = app.time(int(found.made_at.timestamp()))
    age = age_words(found.age, stale=found.stale)
    app.say(f"From the state at {made}, {age}, by {found.model} {found.version}.")
    if found.unverified:
        warning = click.style("unverified:", fg="yellow", bold=True)
        app.say(f"{warning} the newest readings are not to be relied on ({', '.join(found.flags)}).")
    app.say(f"{found.answered} of {found.asked} custodians answered.")
    for party, fault in found.faults.items():
        app.warn(f"{app.people.name(party)}: {fault}")


def _plain(each: Any) -> dict[str, Any]:
    return {
        "minutes": each.minutes,
        "at": rfc3339(int(each.at.timestamp())),
        "mean": each.mean,
        "intervals": [{"percent": one.percent, "low": one.low, "high": one.high} for one in each.intervals],
    }


def _decimals(code: str) -> int:
    from ...vocabulary import unit

    return unit(code).decimals
