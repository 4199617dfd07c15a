"""What a twin expects: the forecast that its gateway's newest state makes, for whom consent to `forecast` permits it.

The state is decrypted and checked as readings are, through the same door; readings themselves are not needed, and what
a state tells of them is its newest value. The same state gives everybody the same forecast, bit for bit. It goes from
the newest reading on, however old that is: `age` and `stale` stand beside it.

No interval goes beyond what a sensor can show; and where even the mean lies there, as readings that nobody believes can
bring about, the twin cannot say what comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from statistics import NormalDist
from typing import TYPE_CHECKING

from ..custody import AccessReceipt
from ..errors import CannotCheckError, DtledgerError, InputError, IntegrityError
from ..readings import VERDICTS
from ..twin import require_extra
from ..types import Address, Period
from ..vocabulary import Purpose, Unit, category, unit
from .collecting import unit_for
from .state_reading import OpenedState, StateReader

if TYPE_CHECKING:
    from ..twin.prior import Prior
    from ..twin.snapshot import Model, StateSnapshot
    from ..twin.twin import Forecast

CATEGORY = "forecast"
"""What consent must cover."""

HORIZONS = (15, 30, 60)
"""Minutes."""

PERCENTS = (50, 80, 95)
"""Of the intervals."""

_UNIT = "mg/dL"
"""Of the twin's own numbers."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Where glucose will lie as often as `percent` says."""

    percent: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is expected `minutes` after the newest reading; `intervals` of PERCENTS, the narrowest first."""

    minutes: int
    at: datetime
    mean: float
    intervals: tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class TwinForecast:
    """What a twin's glucose is expected to be at `at`, in `unit`: `mean`, and `intervals` of PERCENTS. `ahead` has all
    HORIZONS of the same state for which the twin can say it.

    `made_at` is the time of the newest reading that the state knows, `age` the seconds since, and `stale` whether that
    is too long. `unverified`: its newest readings are quarantined, or nobody vouches for them; `flags` say why. `model`
    and `version` made it; `snapshot` is the digest of the manifest that the state came in, and `writer` its gateway.
    """

    twin: int
    horizon: int
    ahead: tuple[Ahead, ...]
    unit: str
    made_at: datetime
    age: int
    flags: tuple[str, ...]
    model: str
    version: int
    snapshot: str
    writer: Address
    receipts: tuple[AccessReceipt, ...] = ()
    faults: Mapping[Address, DtledgerError] = field(default_factory=dict)
    asked: int = 0
    answered: int = 0

    @property
    def _here(self) -> Ahead:
        return next(each for each in self.ahead if each.minutes == self.horizon)

    @property
    def at(self) -> datetime:
        return self._here.at

    @property
    def mean(self) -> float:
        return self._here.mean

    @property
    def intervals(self) -> tuple[Interval, ...]:
        return self._here.intervals

    @property
    def stale(self) -> bool:
        return category(CATEGORY).is_stale(self.age)

    @property
    def unverified(self) -> bool:
        return not VERDICTS.isdisjoint(self.flags)


class Forecasts:
    """Makes forecasts of twins as this key may."""

    def __init__(self, reader: StateReader) -> None:
        self._reader = reader

    def forecast(self, twin: int, horizon: int, purpose: Purpose, now: int, to_unit: str | None = None) -> TwinForecast:
        """The forecast of the newest state that may be opened, `horizon` minutes after its newest reading.

        Args:
            now: unix seconds, which the age is counted to.
            to_unit: a UCUM code of glucose; by default the category's own.

        Raises:
            InputError: the horizon is none of HORIZONS, the unit none of glucose, or NumPy is not installed.
            AccessDeniedError: consent does not cover `forecast`, as `Reader.read` says it.
            CannotCheckError: no state is anchored, or the twin cannot say what comes in that time.
            IntegrityError: the state is not its writer's true word, or one of another model.
            UnreachableError: ledger, store or too many custodians do not answer.
        """
        if horizon not in HORIZONS:
            raise InputError(f"There is no forecast of {horizon} minutes.", hint=f"There are {HORIZONS}.")
        target = unit_for("glucose", to_unit or category("glucose").unit)
        require_extra()
        newest = self._reader.newest(twin, CATEGORY, purpose)
        if newest is None:
            raise CannotCheckError(
                f"No state of twin {twin} is anchored, so there is nothing to forecast from.",
                hint=f"Its gateway writes one with each batch, if it may write {CATEGORY} to the twin.",
            )
        made = self._made(newest, twin, horizon, now, target)
        if not any(each.minutes == horizon for each in made.ahead):
            raise CannotCheckError(
                f"Twin {twin} cannot say what its glucose will be in {horizon} minutes: it would be what no body has.",
                hint=f"Look at its readings, and at the sensor ({', '.join(made.flags) or 'nothing is doubted'}).",
            )
        return made

    def every(self, twin: int, purpose: Purpose, now: int) -> Iterator[TwinForecast]:
        """The forecast of every state that may be opened, as it was when that was new; of the last horizon. Raises as
        `forecast`."""
        require_extra()
        target = unit_for("glucose", category("glucose").unit)
        for each in self._reader.every(twin, CATEGORY, purpose):
            yield self._made(each, twin, HORIZONS[-1], now, target)

    def states(self, twin: int, purpose: Purpose, within: Period, to_unit: str | None = None) -> Iterator[Ahead]:
        """What each state of a period holds for a reading at its own time, `minutes` 0, by time: the filter's mean, and
        intervals of a normal distribution. Arguments and errors as of `forecast`."""
        require_extra()
        target, found = unit_for("glucose", to_unit or category("glucose").unit), []
        _, model = _shipped()
        for each in self._reader.every(twin, CATEGORY, purpose, within):
            found.append(_now(_state(each, model), target))
        yield from sorted(found, key=lambda each: each.at)

    def _made(self, newest: OpenedState, twin: int, horizon: int, now: int, target: Unit) -> TwinForecast:
        from ..twin.twin import forecast

        prior, model = _shipped()
        state = _state(newest, model)
        assert state.at is not None
        opened = newest.opened
        return TwinForecast(
            twin=twin,
            horizon=horizon,
            ahead=_ahead(forecast(prior, state.memory), state.at, target),
            unit=target.code,
            made_at=datetime.fromtimestamp(state.at, UTC),
            age=max(0, now - state.at),
            flags=state.flags,
            model=model.name,
            version=model.version,
            snapshot=newest.found.digest.hex(),
            writer=newest.found.writer,
            receipts=tuple(opened.receipts),
            faults=dict(opened.faults),
            asked=opened.asked,
            answered=opened.answered,
        )


def _ahead(made: Forecast, at: int, target: Unit) -> tuple[Ahead, ...]:
    """By horizon, from unix seconds on; without those whose mean no sensor could show."""
    from ..twin.glucose import BOUNDS

    own = unit(_UNIT)
    found = []
    for place, minutes in enumerate(HORIZONS):
        if not BOUNDS[0] <= made.mean[place, 0] <= BOUNDS[1]:  # nor is what is no number
            continue
        ends = [own.convert(float(each), target) for each in made.quantiles[place, :, 0]]
        intervals = [Interval(percent, ends[2 - far], ends[3 + far]) for far, percent in enumerate(PERCENTS)]
        mean = own.convert(float(made.mean[place, 0]), target)
        found.append(Ahead(minutes, datetime.fromtimestamp(at + 60 * minutes, UTC), mean, tuple(intervals)))
    return tuple(found)


def _now(state: StateSnapshot, target: Unit) -> Ahead:
    from ..twin.glucose import BOUNDS
    from ..twin.twin import expect

    def shown(value: float) -> float:
        return own.convert(min(max(value, BOUNDS[0]), BOUNDS[1]), target)

    prior, _ = _shipped()
    coming, own = expect(prior, state.memory, state.memory.at), unit(_UNIT)
    mean, deviation = float(coming.mean[0]), float(coming.deviation[0])
    intervals = []
    for percent in PERCENTS:
        reach = NormalDist().inv_cdf(0.5 + percent / 200) * deviation
        intervals.append(Interval(percent, shown(mean - reach), shown(mean + reach)))
    assert state.at is not None
    return Ahead(0, datetime.fromtimestamp(state.at, UTC), shown(mean), tuple(intervals))


@cache
def _shipped() -> tuple[Prior, Model]:
    from ..twin.prior import shipped
    from ..twin.snapshot import glucose_model

    prior = shipped()
    return prior, glucose_model(prior)


def _state(newest: OpenedState, model: Model) -> StateSnapshot:
    """What the snapshot holds.

    Raises:
        IntegrityError: it is no state, one of another model, or of another time than its own.
    """
    from ..twin.snapshot import decode_state

    found = newest.found
    try:
        state = decode_state(newest.plaintext, model)
        period = found.manifest.period
        if state.at is None or not period.start <= state.at // 60 <= period.end:
            raise IntegrityError("a snapshot holds a state of another time")
    except IntegrityError as error:
        error.block, error.party = found.digest.hex(), found.writer
        raise
    return state
