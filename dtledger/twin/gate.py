"""Whether a glucose reading can be what it says, beside what the twin expects.

Each detector looks at another way to be false: bounds and rates; the signatures of a bias, a ramp and a wrong scale in
the innovations, and of noise (`signatures`); values that are stuck or have been there before (`replays`). What they
find differs in kind, so each one's score is brought to one measure: how rare it is among other people's clean readings,
the minus logarithm of the share of two hours in which it is greater, its share of the false alarms counted in. The
greatest of them is the reading's score, and `Thresholds.levels` say which score other people's clean two hours exceed
once in a hundred and once in twenty.

A gate looks at a reading before the twin takes it, and changes nothing in the twin.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from . import batch, personal, replays, signatures
from .factors import Array
from .features import SCALES
from .features import personal as own
from .glucose import BOUNDS
from .past import LONG_AGO
from .twin import BASIS, ROUGH, SIZE, Coming, G

__all__ = [
    "BOUNDS",
    "DETECTORS",
    "RATE",
    "Findings",
    "Judged",
    "Memory",
    "Thresholds",
    "clear",
    "find",
    "judge",
    "read",
    "reasons",
    "shipped",
    "sight",
    "start",
]

ENDS = (70.0, 250.0)
"""mg/dL: no sensor's "Low" is above the one, nor its "High" below the other; elsewhere such a word is always true, and
who says it could show what they like."""
RATE = 10.0
"""mg/dL a minute, several times what a body does."""
DAY = 1440.0
"""Minutes for which a twin gets to know somebody: what is rare among others may be usual here. Until then only what
cannot be is doubted."""
QUARTER = (12.0, 18.0)
"""Minutes after a reading at which the forecast of a quarter of an hour tells the next one's mean."""
DETECTORS = ("bounds", "rate", *signatures.SIZES, "noise", *replays.REPLAYS)
STUCK = DETECTORS.index("stuck")
HARD = 2
"""So many, the first of them, stand by themselves: what they find is impossible, not rare."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What other people's clean readings taught. By detector after the hard ones: `tails`, the score that a
    twentieth of all two hours exceed, and by how much more a share e times smaller does; `shares` of the false alarms.
    `levels` by nominal share of two hours with a false alarm; `level`, at which readings are set aside."""

    name: str = "never"
    tails: tuple[tuple[float, float], ...] = ((0.0, 1.0),) * (len(DETECTORS) - HARD)
    shares: tuple[float, ...] = (1.0,) * (len(DETECTORS) - HARD)
    levels: tuple[tuple[float, float], ...] = ()
    level: float = 1e9

    def write(self) -> str:
        """As JSON; every digit counts."""
        return json.dumps(asdict(self), indent=1) + "\n"

    def score(self, raw: Array) -> Array:
        """Raw scores (DETECTORS, ·) in one measure."""
        begin, scale, shares = _measure(self.tails, self.shares)
        return np.concatenate([raw[:HARD], (raw[HARD:] - begin) / scale + math.log(20) + np.log(shares)])

    def at(self, nominal: float) -> Thresholds:
        """With readings set aside at that share of false alarms.

        Raises:
            KeyError: no level was found for it.
        """
        return replace(self, level=dict(self.levels)[nominal])


@cache
def _measure(tails: tuple[tuple[float, float], ...], shares: tuple[float, ...]) -> tuple[Array, Array, Array]:
    """Columns: where each tail begins, its scale, the share."""
    begin, scale = np.array(tails).T[:, :, None]
    return begin, scale, np.array(shares)[:, None]


def read(text: str) -> Thresholds:
    """What `Thresholds.write` wrote.

    Raises:
        ValueError: it is not of that form.
    """
    try:
        parts: Mapping[str, object] = json.loads(text)
        pairs = {key: tuple(tuple(each) for each in parts[key]) for key in ("tails", "levels")}  # type: ignore[attr-defined]
        found = Thresholds(**{**parts, **pairs, "shares": tuple(parts["shares"])})  # type: ignore[arg-type]
    except (KeyError, TypeError) as error:
        raise ValueError("not thresholds") from error
    if {len(found.tails), len(found.shares)} != {len(DETECTORS) - HARD}:
        raise ValueError("thresholds of other detectors")
    return found


def shipped() -> Thresholds:
    """The package's."""
    return read((resources.files("dtledger") / "data" / "glucose-gate.json").read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class Memory:
    """The first reading's minute, the newest's, and its value, (twins) each; what the detectors keep up."""

    born: Array
    at: Array
    value: Array
    signatures: signatures.Memory
    replays: replays.Memory


@dataclass(frozen=True, slots=True)
class Judged:
    """`raw` (DETECTORS, twins) as each detector found it, `scores` the same in one measure and the greatest of them,
    `score`; `detector` whose that is. `z` (twins) is the innovation in its deviations; the reading as it came, at its
    minute, `elapsed` minutes after the one before, at a `rate` in mg/dL a minute."""

    memory: Memory
    raw: Array
    scores: Array
    score: Array
    detector: npt.NDArray[np.intp]
    z: Array
    minutes: Array
    elapsed: Array
    reading: Array
    rate: Array


@dataclass(frozen=True, slots=True)
class Findings:
    """The minute `onset` (twins) since when a twin's detector says that readings are false, and by how much, `amount`
    (twins), in its own unit; NaN where nobody asked."""

    onset: Array
    amount: Array


def start(twins: int) -> Memory:
    """Before the first reading."""
    never = np.full(twins, LONG_AGO)
    return Memory(never, never, np.full(twins, np.nan), signatures.start(twins), replays.start(twins))


def clear(memory: Memory, wanted: npt.NDArray[np.bool_]) -> Memory:
    """Without what was suspected, where wanted; the history stays."""
    (twins,) = np.nonzero(wanted)
    if not len(twins):
        return memory
    fresh = replays.start(len(twins))
    history = replace(batch.of(memory.replays, twins), same=fresh.same, joined=fresh.joined, stuck=fresh.stuck)
    return replace(
        memory,
        signatures=batch.put(memory.signatures, twins, signatures.start(len(twins))),
        replays=batch.put(memory.replays, twins, history),
    )


def sight(coming: Coming) -> tuple[Array, Array]:
    """Mean and deviation of the next reading, in mg/dL, as all that the twin knows has it: a quarter of an hour after a
    reading the forecast's, else the filter's."""
    memory = coming.memory
    newest = memory.origins[:, -1]
    elapsed = coming.minutes - memory.origin_times[-1]
    quarter = (elapsed >= QUARTER[0]) & (elapsed <= QUARTER[1]) & (newest[SIZE][0] > 0)
    if not quarter.any():  # as a rule, of a sensor that speaks more often
        return coming.mean, coming.deviation
    rough, basis = newest[ROUGH], newest[BASIS]
    foretold = newest[G] + rough + personal.correction(memory.personal, own(rough, basis)) * SCALES
    size = newest[SIZE][0] * memory.personal.scale[0] * SCALES[0]
    return np.where(quarter, foretold[0], coming.mean), np.where(quarter, size * SPREAD, coming.deviation)


SPREAD = 1.4
"""A deviation beside the size that is foretold of an error."""


def judge(thresholds: Thresholds, memory: Memory, coming: Coming, reading: Array, sides: Array) -> Judged:
    """A reading (twins, NaN is none) beside what the twin expects; `sides` as `Coming.take` has them."""
    minutes = coming.minutes
    known = memory.at != LONG_AGO
    elapsed = np.where(known, minutes - memory.at, 0.0)
    wild = (reading < BOUNDS[0]) | (reading > BOUNDS[1])
    if sides.any():
        wild |= ((sides < 0) & (reading > ENDS[0])) | ((sides > 0) & (reading < ENDS[1]))
    there = ~(wild | np.isnan(reading))
    beside = there & known
    usual = bool(beside.all())  # as a rule: then there is nothing to choose between
    usable = reading if usual else np.where(beside, reading, np.nan)
    rate = (reading - memory.value) / np.maximum(elapsed, 1.0)
    rate = rate if usual else np.where(beside, rate, 0.0)

    mean, deviation = sight(coming)
    z = (usable - mean) / deviation
    suspected = signatures.take(
        memory.signatures,
        coming.prior.parameters,
        minutes,
        elapsed,
        usable,
        sides,
        z if usual else np.where(beside, z, 0.0),
        deviation,
        coming.expected.cross[:3, 0] / np.square(coming.expected.factor[0, 0]),
    )
    z = signatures.surprise(z, sides)
    density = signatures.log_density(z) - np.log(deviation) + signatures.CONSTANT
    if usual:
        born, at, value = memory.born, minutes, reading
    else:
        density, z = np.where(np.isnan(z), 0.0, density), np.where(np.isnan(z), 0.0, z)
        born, at = np.where(there & ~known, minutes, memory.born), np.where(there, minutes, memory.at)
        value = np.where(there, reading, memory.value)
    shown = reading if usual else np.where(there, reading, np.nan)
    repeated = replays.take(memory.replays, minutes, shown, sides, density)
    after = Memory(born, at, value, suspected, repeated)

    hard = np.where(np.array([wild, np.abs(rate) > RATE]), np.inf, 0.0)
    raw = np.concatenate([hard, signatures.greatest(suspected), replays.greatest(repeated)])
    scores = thresholds.score(raw)
    young = minutes - born < DAY
    if not usual or young.any():
        scores[HARD:, young | ~beside] = 0.0
    return Judged(after, raw, scores, scores.max(axis=0), scores.argmax(axis=0), z, minutes, elapsed, reading, rate)


def find(judged: Judged, wanted: npt.NDArray[np.bool_]) -> Findings:
    """What the detectors say of some of the twins; few are ever asked for."""
    onset, amount = np.full((2, len(wanted)), np.nan)
    (twins,) = np.nonzero(wanted)
    if not len(twins):
        return Findings(onset, amount)
    detector, every = judged.detector[twins], np.arange(len(twins))
    repeated = batch.of(judged.memory.replays, twins)
    _, onsets, sizes = signatures.named(batch.of(judged.memory.signatures, twins))
    _, lags = replays.named(repeated)
    hard = [np.nan_to_num(judged.reading[twins]), judged.rate[twins]]
    much = np.concatenate([hard, sizes, lags])[detector, every]
    here = np.broadcast_to(judged.minutes[twins], lags.shape)
    since = np.concatenate([here[:HARD], onsets, repeated.stuck_since[None], here[1:]])[detector, every]
    again = np.flatnonzero(detector > STUCK)
    joined = detector[again] >= DETECTORS.index("joined replay")
    since[again] -= judged.elapsed[twins[again]] * replays.lasted(repeated, again, much[again], joined)
    onset[twins], amount[twins] = since, much
    return Findings(onset, amount)


def reasons(judged: Judged, findings: Findings, i: int) -> list[str]:
    """What was found of twin `i`, in a clinician's words."""
    if not judged.score[i] > 0:
        return []
    amount, since = findings.amount[i], judged.memory.at[i] - findings.onset[i]
    within = BOUNDS[0] <= amount <= BOUNDS[1]
    told = {
        "bounds": f"no sensor's range ends at {amount:.1f} mg/dL" if within else f"out of bounds: {amount:.1f} mg/dL",
        "rate": f"rate: {amount:+.1f} mg/dL a minute",
        "bias": f"bias: about {amount:+.0f} mg/dL for {since:.0f} min",
        "ramp": f"ramp: about {amount:+.1f} mg/dL a minute for {since:.0f} min",
        "scale": f"scale: about x {1 / (1 - min(amount, 0.9)):.2f} for {since:.0f} min",
        "noise": f"noise: changes {amount:g} times as large as expected for {since:.0f} min",
        "stuck": f"stuck: at {amount:.1f} mg/dL for {since:.0f} min",
        "replay": f"replay: the values of {amount:.0f} readings before, for {since:.0f} min",
        "daily replay": f"replay: the values of another day at this hour, for {since:.0f} min",
        "daily joined replay": f"joined replay: the changes of another day at this hour, for {since:.0f} min",
        "joined replay": f"joined replay: the changes of {amount:.0f} readings before, for {since:.0f} min",
    }
    return [told[DETECTORS[judged.detector[i]]]]
