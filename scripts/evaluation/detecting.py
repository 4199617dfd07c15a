"""What is found and what is falsely found: by window, person, day, and kind of time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dtledger.twin.factors import Array
from dtledger.twin.gate import DETECTORS, Thresholds
from dtledger.twin.keeper import QUALITIES, Keeper, beside
from dtledger.twin.prior import Prior

from . import plain
from .attacks import ATTACKS, shown
from .calibrating import NOMINAL, calibrate, quantile
from .fitting import Grams, fit
from .forecasting import together
from .people import FLOOR, Person
from .recording import record
from .windows import OPEN, Flags, Places, Windows, attacked, lead, lived, mimicked

OTHERS = 0.5
"""How much a window of the further sets' people counts."""
RIDGE = 5.0
FAST = 2.0
"""mg/dL a minute."""
LOW = 70.0
MEAL = 60.0
"""g."""
MIMICS = (0.25, 0.5, 1.0)
"""By how many deviations somebody who knows the model moves each innovation."""
RESAMPLED = 2000


@dataclass(frozen=True, slots=True)
class Trained:
    """What other people taught for one test person: the `prior`, the gate's `thresholds`, the plain NIS' `levels`."""

    prior: Prior
    thresholds: Thresholds
    levels: dict[float, float]


def train(main: Sequence[Person], others: Sequence[Person], test: Sequence[Person], announced: bool) -> list[Trained]:
    """For each test person, who is left out where it is among the training people; without test people, of all. The
    windows that teach thresholds are judged under priors that have not seen their person either."""
    everybody = {person.name: person for person in (*main, *others)}
    grams = Grams(record(list(everybody.values()), announced))
    found: dict[str, Trained] = {}
    wanted = [person.name if person.name in everybody else "" for person in test] or [""]
    for left_out in wanted:
        if left_out not in found:
            first, further = (_but(group, left_out) for group in (main, others))
            found[left_out] = _trained(grams, everybody, first, further, left_out, announced)
    return [found[left_out] for left_out in wanted]


def _trained(
    grams: Grams, everybody: dict[str, Person], main: list[str], others: list[str], left_out: str, announced: bool
) -> Trained:
    prior = fit(grams, main, others, f"without {left_out}" if left_out else "all")
    names = [*main, *others]
    without = [replace(prior, weights=grams.weights(_less(main, name), _less(others, name), RIDGE)) for name in names]
    windows = lead(Keeper(together(without), OPEN), [everybody[name] for name in names], announced, keep=False)
    counted = np.where(windows.person < len(main), 1.0, OTHERS)
    levels = {each: quantile(windows.nis, counted, each) for each in NOMINAL}
    return Trained(prior, calibrate(prior.name, windows.scores, counted), levels)


def _but(people: Sequence[Person], left_out: str) -> list[str]:
    return [person.name for person in people if person.name != left_out]


def _less(names: list[str], name: str) -> list[str]:
    return [each for each in names if each != name] or names


class Scorer:
    """Scores of windows under each one's own thresholds, and what lies over their levels."""

    def __init__(self, trained: Sequence[Trained], windows: Windows) -> None:
        self._trained, self._person = trained, windows.person
        self.levels = {
            each: np.array([dict(one.thresholds.levels)[each] for one in trained])[windows.person] for each in NOMINAL
        }
        self.plain = {each: np.array([one.levels[each] for one in trained])[windows.person] for each in NOMINAL}

    def each(self, raw: Array) -> Array:
        """(DETECTORS, windows)."""
        found = np.empty_like(raw)
        for i, one in enumerate(self._trained):
            mine = self._person == i
            found[:, mine] = one.thresholds.score(raw[:, mine])
        return found


def evaluate(
    trained: Sequence[Trained], test: Sequence[Person], announced: bool, seeds: int, seed: int
) -> dict[str, Any]:
    """Every window's scores, clean and under each attack, and what they come to."""
    keeper = Keeper(together([each.prior for each in trained]), OPEN)
    windows = lead(keeper, test, announced, keep=True)
    scorer = Scorer(trained, windows)
    clean = scorer.each(windows.scores)
    names = [person.name for person in test]
    rows: dict[str, Any] = {}
    for place, (name, row) in enumerate(ATTACKS.items()):
        draws = [np.random.default_rng([seed, place, each]) for each in range(seeds if row.drawn else 1)]
        values = [shown(row.make(windows.truth, draw)) for draw in draws]
        scores = np.stack([scorer.each(attacked(keeper, windows, each)).max(axis=0) for each in values])
        rival = np.stack([plain.greatest(windows.plain, each) for each in values])
        counted = windows.truth.last > FLOOR if name.startswith("freeze") else np.ones(len(windows), dtype=bool)
        rows[name] = {
            **_found(scorer.levels, scores, counted, windows.person),
            "plain": _found(scorer.plain, rival, counted, windows.person) | {"scores": rival},
            "second": _second(scorer.levels, scores, windows, values),
            "least": row.least,
            "why": row.why,
            "scores": scores,
        }
    since = windows.truth.glucose + 20
    before = scorer.each(attacked(keeper, windows, since, since=since)).max(axis=0)
    rows["bias +20 since before the window"] = {
        **_found(scorer.levels, before[None], windows.follows, windows.person),
        "why": "what has been believed for two hours is the twin's own level",
        "scores": before,
    }
    meal = windows.announced.copy()
    meal[0, 0] += MEAL
    forged = scorer.each(attacked(keeper, windows, windows.truth.glucose, announced=meal)).max(axis=0)
    everywhere = np.ones(len(windows), dtype=bool)
    rows["forged meal of 60 g"] = {
        **_found(scorer.levels, forged[None], everywhere, windows.person),
        "why": "readings are true; a meal that does nothing happens",
        "scores": forged,
    }
    mimics = {}
    for share in MIMICS:
        raw, moved = mimicked(keeper, windows, share)
        score = scorer.each(raw).max(axis=0)
        mimics[str(share)] = _found(scorer.levels, score[None], everywhere, windows.person) | {
            "moved": float(np.median(np.abs(moved))),
            "scores": score,
        }
    return {
        "announced": announced,
        "windows": {
            "person": [names[i] for i in windows.person],
            "minute": windows.truth.minutes[0],
            "clean": clean,
            "plain": windows.nis,
            "levels": scorer.levels,
        },
        "detectors": DETECTORS,
        "false": _false(scorer, clean.max(axis=0), windows, names),
        "attacks": rows,
        "mimics": mimics,
        "lived": _lived(trained, test, announced),
    }


def _found(levels: dict[float, Array], scores: Array, counted: Flags, person: Places) -> dict[str, Any]:
    """The share of windows over each level, for scores (seeds, windows), with an interval of 95 % over people; NaN
    where none are counted."""
    found: dict[str, Any] = {}
    if not counted.any():
        nobody = {str(nominal): math.nan for nominal in levels}
        return nobody | {f"{nominal} interval": np.full(2, math.nan) for nominal in levels}
    people = [counted & (person == i) for i in np.unique(person[counted])]
    draw = np.random.default_rng(0).integers(len(people), size=(RESAMPLED, len(people)))
    for nominal, level in levels.items():
        over = (scores > level).mean(axis=0)
        sums, sizes = np.array([over[each].sum() for each in people]), np.array([each.sum() for each in people])
        again = sums[draw].sum(axis=1) / sizes[draw].sum(axis=1)
        found[str(nominal)] = float(over[counted].mean())
        found[f"{nominal} interval"] = np.quantile(again, [0.025, 0.975])
    return found


def _second(levels: dict[float, Array], scores: Array, windows: Windows, values: list[Array]) -> dict[str, Any]:
    """The same with the fingerstick column, in windows that have one."""
    some = np.asarray(~np.isnan(windows.fingerstick).all(axis=0))
    if not some.any():
        return {"windows": 0}
    differs = np.stack([beside(each, windows.fingerstick)[1].any(axis=0) for each in values])
    return _found(levels, np.where(differs, np.inf, scores), some, windows.person) | {"windows": int(some.sum())}


def _false(scorer: Scorer, scores: Array, windows: Windows, names: list[str]) -> dict[str, Any]:
    """False alarms of the clean windows."""
    glucose, whole = windows.truth.glucose, np.concatenate([windows.truth.last[None], windows.truth.glucose])
    rates = np.abs(np.diff(whole, axis=0)) / np.diff(
        np.concatenate([windows.truth.before[None], windows.truth.minutes]), axis=0
    )
    kinds = {
        "all": np.ones(len(windows), dtype=bool),
        "lows": (glucose < LOW).any(axis=0),
        "fast changes": (rates >= FAST).any(axis=0),
        "meals": (windows.announced[0] > 0).any(axis=0),
        "none of these": np.zeros(len(windows), dtype=bool),
    }
    kinds["none of these"] = ~(kinds["lows"] | kinds["fast changes"] | kinds["meals"])
    days = windows.truth.minutes[0] // 1440
    found: dict[str, Any] = {
        kind: {"windows": int(some.sum()), **_found(scorer.levels, scores[None], some, windows.person)}
        for kind, some in kinds.items()
        if some.any()
    }
    found["plain"] = _found(scorer.plain, windows.nis[None], kinds["all"], windows.person)
    found["second"] = _second(scorer.levels, scores[None], windows, [glucose])
    found["people"] = {
        name: {str(each): float((scores > level)[windows.person == i].mean()) for each, level in scorer.levels.items()}
        for i, name in enumerate(names)
    }
    found["a day"] = {
        str(each): float((scores > level).sum() / len({(i, day) for i, day in zip(windows.person, days, strict=True)}))
        for each, level in scorer.levels.items()
    }
    return found


def _lived(trained: Sequence[Trained], test: Sequence[Person], announced: bool) -> dict[str, Any]:
    """How much of clean time is not good where the gate closes at a nominal 1 %, without and with fingersticks."""
    count = sum(
        lived(Keeper(one.prior, one.thresholds), person, announced) for one, person in zip(trained, test, strict=True)
    )
    return {
        told: {name: float(each / row.sum()) for name, each in zip(QUALITIES, row, strict=True)}
        for told, row in zip(("alone", "with fingersticks"), np.asarray(count), strict=True)
    }
