"""What other people taught: everything in a glucose twin that is not the person's own.

A prior is numbers alone and can be read: `read` gives the one of the package, fitted by `scripts/evaluate fit` on the
sets that docs/data.md names. Its name and version are written into every state, and a state is only gone on with under
the same.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib import resources
from typing import Any

import numpy as np

from .factors import Array
from .features import SCALES
from .glucose import Parameters
from .personal import LEVELS

__all__ = ["NEWBORN", "Prior", "read", "shipped"]

_ARRAYS = ("weights", "spread", "quantiles", "usual")
FEATURES, SPREADS = 71, 15
"""Rows of features.features and of features.spread."""


@dataclass(frozen=True, slots=True)
class Prior:
    """`weights` (3, FEATURES) give each horizon's change in mg/dL, `spread` (3, SPREADS) the logarithm of its error's
    size in units of features.SCALES, `quantiles` (3, 6) and `usual` (3) those of errors so scaled, `deviation` how far
    the terms of a correction differ among people. People of different priors can be moved side by side: all of these
    may have a further axis, the twins'."""

    name: str
    version: int
    weights: Array
    spread: Array
    quantiles: Array
    usual: Array
    deviation: float | Array
    parameters: Parameters

    def write(self) -> str:
        """As JSON; every digit counts."""
        parts = {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in _fields(self)}
        return json.dumps(parts | {"parameters": asdict(self.parameters)}, indent=1) + "\n"


def read(text: str) -> Prior:
    """What `Prior.write` wrote.

    Raises:
        ValueError: it is not of that form.
    """
    try:
        parts = json.loads(text)
        arrays: dict[str, Any] = {key: np.array(parts.pop(key), dtype=np.float64) for key in _ARRAYS}
        prior = Prior(**arrays, **parts | {"parameters": Parameters(**parts["parameters"])})
    except (KeyError, TypeError) as error:
        raise ValueError("not a prior") from error
    shapes = [prior.weights.shape, prior.spread.shape, prior.quantiles.shape, prior.usual.shape]
    if shapes != [(3, FEATURES), (3, SPREADS), (3, len(LEVELS)), (3,)]:
        raise ValueError("a prior of another shape")
    return prior


def shipped() -> Prior:
    """The package's."""
    return read((resources.files("dtledger") / "data" / "glucose-prior.json").read_text("utf-8"))


def _fields(prior: Prior) -> list[tuple[str, object]]:
    return [(name, getattr(prior, name)) for name in Prior.__slots__]


NEWBORN = Prior(
    "newborn",
    1,
    np.zeros((3, FEATURES)),
    np.zeros((3, SPREADS)),
    np.repeat(np.array([[-2.0, -1.3, -0.7, 0.7, 1.3, 2.0]]), len(SCALES), axis=0),
    np.ones(3),
    0.1,
    Parameters(),
)
"""Taught by nobody: forecasts that nothing changes."""
