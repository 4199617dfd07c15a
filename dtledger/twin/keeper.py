"""The keeper of a glucose twin: each reading passes the gate, is learned or set aside, and is marked.

A gateway's own path, and that of `scripts/evaluate detect`, one reading after another:

    keeper = Keeper(prior.shipped(), gate.shipped())
    kept = keeper.take(memory, minutes, reading, sides, announced, second)
    memory = kept.memory            # goes into the `twin-state` snapshot (snapshot.keeper_model), and on from there
    kept.quality                    # GOOD, SUSPECT or UNVERIFIED, of this reading and of the twin
    kept.reasons[i]                 # why, of twin i: short words and numbers
    kept.low                        # an alarm, whatever the quality
    kept.remarked                   # minutes of earlier readings that were good and are suspect now
    twin.forecast(prior, memory.twin)

A reading is GOOD until the gate's score is over its level. Then:

* **SUSPECT**: from the onset that the gate names, readings are set aside, those already learned as well: the twin goes
  back, and coasts with a growing interval. Readings are good again when `AGREEING` in a row, the twin untaught
  meanwhile, lie near the forecast frozen at the onset, by a fixed measure that does not grow with the interval, and no
  independent source contradicts them;
* **UNVERIFIED**: after `LONGEST` minutes the twin follows the sensor again, everything marked. What it has learned of
  the person stands still. An independent source (`second`, a fingerstick) that agrees makes it good again; nothing else
  does. One that contradicts it makes any reading suspect.

All arrays have the twins along their last axis. A memory is never changed; nothing is drawn and no clock is read, so
the same readings always give the same verdicts, and a keeper goes on from a memory's bytes as if it had never stopped.

>>> from .prior import NEWBORN
>>> keeper = Keeper(NEWBORN, gate.Thresholds())
>>> memory, qualities = keeper.start(1), []
>>> for minute, glucose in enumerate([150.0] * 9 + [6.7, 149, 150, 151, 150]):
...     kept = keeper.take(memory, np.array([minute * 15.0]), np.array([glucose]))
...     memory = kept.memory
...     qualities.append(QUALITIES[kept.quality[0]])
...     if glucose < 20:
...         print(kept.reasons[0], bool(kept.low[0]))
('out of bounds: 6.7 mg/dL',) True
>>> qualities[8:]
['good', 'suspect', 'suspect', 'suspect', 'suspect', 'good']
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from . import batch, gate, rewind, twin
from .factors import Array
from .past import LONG_AGO
from .prior import Prior
from .rewind import AT, TAKEN, VALUE
from .twin import Announced, Step

__all__ = ["FORM", "GOOD", "LOW", "QUALITIES", "SUSPECT", "UNVERIFIED", "Keeper", "Kept", "Memory", "beside"]

GOOD, SUSPECT, UNVERIFIED = range(3)
QUALITIES = ("good", "suspect", "unverified")
"""What the numbers mean. A good reading's `Reading.quality` has no word, the others' that word."""
FORM = 2
"""Of a `Memory`: another where its numbers come to mean something else."""
LOW = 70.0
"""mg/dL below which a reading alarms."""
AGREEING, SPAN = 4, 12.0
"""Readings in a row that must agree, and the minutes over which: else who forges four in a second ends a quarantine."""
LONGEST = 120.0
"""Minutes from the onset for which a twin coasts."""
NEAR = 15.0
"""mg/dL that a reading may lie from a forecast frozen at the onset."""
SAME = (20.0, 0.2)
"""mg/dL and share of a second source by which a reading that agrees with it differs at most (as sensors are judged)."""
FAR = (60.0, 0.5)
"""The same by which one differs at least that is contradicted: of 1,616 fingersticks of ShanghaiT1DM and T2DM 0.8 %."""

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Memory:
    """The twin's, the gate's, the last hours' readings; and by twin: `standing` (GOOD, SUSPECT, UNVERIFIED), the minute
    `onset` since when it is not good, how many readings in a row have `agreed` with the frozen forecast, and the minute
    `agreeing` of the first of them."""

    twin: twin.Memory
    gate: gate.Memory
    trail: rewind.Trail
    standing: Array
    onset: Array
    agreed: Array
    agreeing: Array

    @property
    def at(self) -> Array:
        return self.twin.at


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of one reading of each twin.

    `quality` (twins) is GOOD, SUSPECT or UNVERIFIED; `reasons` a tuple of short sentences for each twin, empty where it
    is good; `low` (twins) where the reading alarms; `remarked` (64, twins) the minutes of earlier readings that were
    good when they came and are suspect now, NaN elsewhere; `step` how the reading lay (nothing was seen where it was
    set aside); `judged` the gate's scores."""

    memory: Memory
    quality: npt.NDArray[np.intp]
    reasons: tuple[tuple[str, ...], ...]
    low: Flags
    remarked: Array
    step: Step
    judged: gate.Judged


@dataclass(frozen=True, slots=True)
class Keeper:
    """`prior` is what other people's glucose taught, `thresholds` what their clean readings taught."""

    prior: Prior
    thresholds: gate.Thresholds

    def start(self, twins: int) -> Memory:
        """Nothing is known of anybody."""
        return Memory(
            twin.start(self.prior, twins),
            gate.start(twins),
            rewind.start(self.prior, twins),
            np.full(twins, float(GOOD)),
            np.full(twins, LONG_AGO),
            np.zeros(twins),
            np.full(twins, LONG_AGO),
        )

    def take(
        self,
        memory: Memory,
        minutes: Array,
        reading: Array,
        sides: Array | None = None,
        announced: Announced | None = None,
        second: Array | None = None,
    ) -> Kept:
        """Judge a reading, learn it or set it aside.

        Args:
            minutes: (twins) of a local clock.
            reading: (twins) in mg/dL; NaN is none. One that is infinite is out of bounds.
            sides: (twins) −1 where the true value is at most the reading (a sensor's "Low"), 1 where at least.
            announced: what was eaten and injected since the reading before.
            second: (twins) in mg/dL, what an independent source said at this minute; NaN is nothing.

        Raises:
            ValueError: the clock runs back, or a minute is no number.
        """
        sides = np.zeros(len(minutes)) if sides is None else sides
        coming = twin.expect(self.prior, memory.twin, minutes)
        judged = gate.judge(self.thresholds, memory.gate, coming, reading, sides)
        wild, good = np.isinf(judged.scores[0]), memory.standing == GOOD
        if second is None and (good & ~wild & (judged.score <= self.thresholds.level)).all():
            return self._believed(memory, coming, judged, minutes, reading, sides, announced)
        there = ~np.isnan(reading)
        shown = np.where(there & ~wild, reading, coming.mean)
        agrees, differs = beside(shown, second)
        agrees &= ~wild
        suspect = memory.standing == SUSPECT

        found = good & there & ~agrees & (judged.score > self.thresholds.level)
        caught = found | (good & differs)
        if good.all() and not (caught | wild).any():
            return self._believed(memory, coming, judged, minutes, reading, sides, announced)
        near = (np.abs(reading - coming.mean) <= NEAR) & ~differs  # since the onset the twin has learned nothing
        agreed = np.where(suspect & there, np.where(near, memory.agreed + 1, 0), 0.0)
        agreed = np.where(suspect & ~there, memory.agreed, agreed)
        agreeing = np.where(agreed == 0, LONG_AGO, np.where(memory.agreed == 0, minutes, memory.agreeing))
        long = (agreed >= AGREEING) & (minutes - agreeing >= SPAN)
        freed = (suspect & there & long) | (~good & agrees)
        tired = suspect & ~freed & (minutes - memory.onset >= LONGEST)
        standing = np.where(caught, float(SUSPECT), memory.standing)
        standing = np.where(tired, float(UNVERIFIED), np.where(freed, float(GOOD), standing))

        taken = there & ~wild & (standing != SUSPECT)
        usable = np.where(taken, reading, np.nan)
        step = coming.take(usable, sides, announced)
        after = _unlearned(step.memory, memory.twin, standing == UNVERIFIED)
        trail = rewind.turn(memory.trail, memory.twin, good)
        trail = rewind.note(trail, minutes, np.where(wild, np.nan, reading), sides, announced, taken)
        findings = gate.find(judged, caught | np.isinf(judged.score))
        onset = np.where(found, np.minimum(findings.onset, minutes), minutes)
        onset = np.where(caught, onset, np.where(standing == GOOD, LONG_AGO, memory.onset))
        after, trail, remarked = self._retaken(memory, after, trail, onset, caught, freed)
        trail = rewind.begin(trail, after, freed)
        quality = np.asarray(np.where(wild & (standing == GOOD), SUSPECT, standing), dtype=np.intp)
        kept = Memory(
            after,
            gate.clear(judged.memory, freed),
            trail,
            standing,
            onset,
            np.where(standing == SUSPECT, agreed, 0.0),
            agreeing,
        )
        reasons: list[tuple[str, ...]] = [()] * len(minutes)
        for i in np.flatnonzero(quality).tolist():
            what = gate.reasons(judged, findings, i) if caught[i] or np.isinf(judged.score[i]) else []
            reasons[i] = _reasons(i, quality[i], bool(differs[i]), what, minutes, kept, shown, second)
        return Kept(kept, quality, tuple(reasons), there & (reading < LOW), remarked, step, judged)

    def _believed(
        self,
        memory: Memory,
        coming: twin.Coming,
        judged: gate.Judged,
        minutes: Array,
        reading: Array,
        sides: Array,
        announced: Announced | None,
    ) -> Kept:
        """What `take` finds where all are good and stay so: as a rule, where the twins are few."""
        there, nothing, never = ~np.isnan(reading), np.zeros(len(minutes)), np.full(len(minutes), LONG_AGO)
        step = coming.take(reading, sides, announced)
        trail = rewind.turn(memory.trail, memory.twin, np.ones(len(minutes), dtype=bool))
        trail = rewind.note(trail, minutes, reading, sides, announced, there)
        kept = Memory(step.memory, judged.memory, trail, nothing, never, nothing, never)
        remarked, quality = np.full(trail.rows.shape[1:], np.nan), np.zeros(len(minutes), dtype=np.intp)
        return Kept(kept, quality, ((),) * len(minutes), np.asarray(reading < LOW), remarked, step, judged)

    def _retaken(
        self, before: Memory, after: twin.Memory, trail: rewind.Trail, onset: Array, caught: Flags, freed: Flags
    ) -> tuple[twin.Memory, rewind.Trail, Array]:
        """The twin without what it should not have learned, and with what it should have."""
        rows = trail.rows
        if not (caught | freed).any():
            return after, trail, np.full(rows.shape[1:], np.nan)
        since = rows[AT] >= onset
        wrong = caught & since & (rows[TAKEN] > 0)
        right = freed & (rows[AT] >= before.onset) & ~np.isnan(rows[VALUE])
        remarked = np.where(wrong & (np.arange(rewind.KEPT) < rewind.KEPT - 1)[:, None], rows[AT], np.nan)
        (twins,) = np.nonzero((wrong | right).any(axis=0) & (trail.older_rows <= rewind.KEPT))
        if not len(twins):
            return after, trail, remarked
        changed = rows.copy()
        changed[TAKEN] = np.where(wrong, 0.0, np.where(right, 1.0, rows[TAKEN]))
        trail = replace(trail, rows=changed)
        some = rewind.again(_of_prior(self.prior, twins), batch.of(trail, twins))
        return batch.put(after, twins, some), trail, remarked


def _of_prior(prior: Prior, twins: batch.Twins) -> Prior:
    """The priors of some of the twins, where each has its own."""
    if prior.weights.ndim == 2:
        return prior
    arrays = {name: getattr(prior, name)[..., twins] for name in ("weights", "spread", "quantiles", "usual")}
    return replace(prior, **arrays, deviation=np.asarray(prior.deviation)[..., twins])


def beside(reading: Array, second: Array | None) -> tuple[Flags, Flags]:
    """Where a second source agrees with a reading, and where it contradicts it; between the two it says nothing, for a
    true sensor may read 50 mg/dL beside the blood all its life."""
    if second is None:
        return np.zeros(len(reading), dtype=bool), np.zeros(len(reading), dtype=bool)
    said = ~np.isnan(second)
    apart = np.abs(reading - second)
    (same, share), (far, most) = SAME, FAR
    return said & (apart <= np.maximum(same, share * second)), said & (apart > np.maximum(far, most * second))


def _unlearned(after: twin.Memory, before: twin.Memory, unverified: Flags) -> twin.Memory:
    """A twin that follows its sensor, and learns nothing lasting from it while nobody vouches for it."""
    if not unverified.any():
        return after
    (twins,) = np.nonzero(unverified)
    return replace(
        after,
        day=batch.put(after.day, twins, batch.of(before.day, twins)),
        personal=batch.put(after.personal, twins, batch.of(before.personal, twins)),
        size=np.where(unverified, before.size, after.size),
    )


def _reasons(
    i: int,
    quality: int,
    differs: bool,
    what: list[str],
    minutes: Array,
    kept: Memory,
    shown: Array,
    second: Array | None,
) -> tuple[str, ...]:
    """Why a reading of twin `i` is not good: `what` was found now, else how it stands."""
    found = []
    if differs and second is not None:
        found.append(f"second source: {second[i]:.0f} against {shown[i]:.0f} mg/dL")
    found += what
    if not found and quality == SUSPECT:
        found.append(f"set aside for {minutes[i] - kept.onset[i]:.0f} min: {kept.agreed[i]:.0f} of {AGREEING} agree")
    if quality == UNVERIFIED:
        found.append(f"followed without proof for {minutes[i] - kept.onset[i]:.0f} min")
    return tuple(found)
