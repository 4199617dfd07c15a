"""`scripts/evaluate forecast`: the shipped code path on people that its prior has never seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from dtledger.twin import twin
from dtledger.twin.factors import Array
from dtledger.twin.prior import Prior

from . import baselines
from .baselines import Autoregression
from .fitting import Grams, fit
from .people import Person
from .recording import record, side_by_side, walk
from .scores import summary


def evaluate(
    main: Sequence[Person], others: Sequence[Person], test: Sequence[Person], announced: bool
) -> dict[str, Any]:
    """Every prediction and what they come to. A test person who is among the training people is left out for itself."""
    everybody = {person.name: person for person in (*main, *others)}
    grams = Grams(record(list(everybody.values()), announced))
    priors: dict[str, tuple[Prior, Autoregression]] = {}
    for person in test:
        left_out = person.name if person.name in everybody else ""
        if left_out not in priors:
            names = [each.name for each in main if each.name != left_out]
            further = [each.name for each in others if each.name != left_out]
            prior = fit(grams, names, further, f"without {left_out}" if left_out else "all")
            priors[left_out] = prior, baselines.autoregression([everybody[name] for name in names])
    chosen = [priors[person.name if person.name in everybody else ""] for person in test]
    people = _predict([prior for prior, _ in chosen], [rival for _, rival in chosen], test, announced)
    return {
        "announced": announced,
        "deviations": {prior.name: prior.deviation for prior, _ in priors.values()},
        **summary(people),
        "people": people,
    }


def has_origins(person: Person) -> bool:
    """Whether anything of a person can be forecast and looked up."""
    return bool(len(baselines.origins(person).row))


def together(priors: Sequence[Prior]) -> Prior:
    """Priors of twins side by side."""

    def joined(name: str) -> Array:
        return np.stack([getattr(prior, name) for prior in priors], axis=-1)

    arrays: dict[str, Any] = {name: joined(name) for name in ("weights", "spread", "quantiles", "usual", "deviation")}
    return replace(priors[0], name="together", **arrays)


def _predict(
    priors: Sequence[Prior], rivals: Sequence[Autoregression], test: Sequence[Person], announced: bool
) -> dict[str, dict[str, Any]]:
    prior, rows = together(priors), side_by_side(test)
    means, quantiles, nis = [], [], []
    for step in walk(prior, rows, announced):
        ahead = twin.forecast(prior, step.memory)
        means.append(ahead.mean)
        quantiles.append(ahead.quantiles)
        nis.append(np.where(step.seen, step.nis, np.nan))
    found = {}
    for i, (person, rival) in enumerate(zip(test, rivals, strict=True)):
        origins = baselines.origins(person)
        (there,) = np.nonzero(~np.isnan(rows.glucose[:, i]))
        at = there[origins.row]
        found[person.name] = {
            "minute": rows.minutes[at, i],
            "actual": origins.actual,
            "mean": np.stack(means)[at, :, i],
            "quantiles": np.stack(quantiles)[at, :, :, i],
            "persistence": np.repeat(origins.windows[:, :1], 3, axis=1),
            "ar6": rival.forecast(origins.windows),
            "ar6_deviation": rival.deviations,
            "nis": np.stack(nis)[there[baselines.HISTORY + 1 :], i],
        }
    return found
