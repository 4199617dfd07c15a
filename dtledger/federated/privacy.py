"""Privacy: clipping, Gaussian noise, and the ε that both together have spent.

What is protected is one patient of a site: (ε, δ) bounds how much anybody who sees all of the site's updates can tell
whether that patient was among those trained on. It composes over rounds by Rényi divergences (Mironov 2017, with
Poisson sampling by Mironov, Talwar and Zhang 2019), as the library dp-accounting has them. A site claims for a round
what all its rounds have spent after it, less what the ledger has of it already, in thousandths, rounded up.

Two ways to make noise. `UpdateNoise` clips and blurs the update as a whole, whatever made it: of two updates within the
bound none is farther than twice the bound, so that is its sensitivity. `StepNoise` is DP-SGD (Abadi et al. 2016): an
app blurs each step by `noisy_mean`, which tells far more for the same ε.

>>> weekly = UpdateNoise(clip=1.0, multiplier=4.0, delta=1e-5)
>>> spends([], weekly, 0)
1013
>>> spends([weekly], weekly, 1013) < 1013
True

Warning: the noise is of a seeded generator in floating point. Whoever sees the lowest bits of many updates may tell
more than ε says (Mironov 2012); no claim here covers that. Nor does ε cover what an app tells beside its update: its
metrics, and how many patients there are.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CannotCheckError, InputError
from .arrays import Arrays

ROUNDED = 1000
"""ε on the ledger is in thousandths."""


@dataclass(frozen=True, slots=True)
class Stated:
    """No noise. `epsilon`, in thousandths, is what the site writes onto the ledger, and `delta` into its record: its
    word, behind which there is no mechanism."""

    epsilon: int
    delta: float = 0.0


@dataclass(frozen=True, slots=True)
class UpdateNoise:
    """The update, less what it started from, is clipped to an L2 norm of `clip`; noise of `multiplier` times twice that
    is added to each number.

    Raises:
        InputError: a number is out of range; so does `StepNoise`.
    """

    clip: float
    multiplier: float
    delta: float

    def __post_init__(self) -> None:
        _require(self.clip, self.multiplier, self.delta)

    @property
    def mechanism(self) -> Mechanism:
        return Mechanism(self.multiplier, 1.0, 1, self.delta)

    def applied(
        self, arrays: Arrays, start: Arrays, dice: np.random.Generator | None = None
    ) -> dict[str, NDArray[Any]]:
        """The arrays, clipped and blurred round `start`.

        Raises:
            InputError: they are not those of `start`, or hold something else than finite floating-point numbers, which
                no noise hides.
        """
        if not all(np.isfinite(each).all() for each in arrays.values()):
            raise InputError("The update holds what is no finite number, which no noise hides.")
        dice = dice or drawn()
        clipped, _ = clipped_to(arrays, start, self.clip)
        deviation = self.multiplier * 2 * self.clip
        return {
            name: np.asarray(each + dice.normal(0.0, deviation, each.shape), each.dtype)
            for name, each in clipped.items()
        }


@dataclass(frozen=True, slots=True)
class StepNoise:
    """A round of `steps`; each takes a patient with the probability `rate`, clips a patient's gradient to `clip`, and
    adds noise of `multiplier` times that to the sum. The app does it, by `sampled` and `noisy_mean`."""

    clip: float
    multiplier: float
    delta: float
    rate: float
    steps: int

    def __post_init__(self) -> None:
        _require(self.clip, self.multiplier, self.delta)
        if not 0 < self.rate <= 1 or self.steps < 1:
            raise InputError("A step takes a patient with a probability of up to 1, and there is at least one step.")

    @property
    def mechanism(self) -> Mechanism:
        return Mechanism(self.multiplier, self.rate, self.steps, self.delta)

    def sampled(self, patients: int, dice: np.random.Generator) -> NDArray[np.intp]:
        """The places of the patients that a step takes: each by a toss of its own."""
        return np.flatnonzero(dice.random(patients) < self.rate)

    def noisy_mean(self, gradients: NDArray[Any], patients: int, dice: np.random.Generator) -> NDArray[Any]:
        """The mean gradient of a step: of the `gradients` (a row a patient that the step took) the clipped sum with
        noise, over how many of all `patients` a step takes on average. A row that is not finite is none: it would
        stand out of any noise."""
        gradients = np.where(np.isfinite(gradients).all(axis=1, keepdims=True), gradients, 0.0)
        norms = np.linalg.norm(gradients, axis=1, keepdims=True)
        clipped = gradients * np.minimum(1.0, self.clip / np.maximum(norms, 1e-30))
        noise = dice.normal(0.0, self.multiplier * self.clip, gradients.shape[1])
        mean: NDArray[Any] = (clipped.sum(axis=0) + noise) / (self.rate * patients)
        return mean


Noise = UpdateNoise | StepNoise
Privacy = Stated | Noise


@dataclass(frozen=True, slots=True)
class Mechanism:
    """What one round did, as an accountant composes it: `steps` Gaussian mechanisms of that noise, over a Poisson
    sample of that rate."""

    multiplier: float
    rate: float
    steps: int
    delta: float

    def to_list(self) -> list[float | int]:
        return [self.multiplier, self.rate, self.steps, self.delta]

    @classmethod
    def from_list(cls, row: Sequence[Any]) -> Mechanism:
        """Raises:
        ValueError: it is no row of `to_list`.
        """
        multiplier, rate, steps, delta = row
        return cls(float(multiplier), float(rate), int(steps), float(delta))


def epsilon(mechanisms: Sequence[Mechanism], delta: float) -> float:
    """The ε of all of them together at that δ."""
    import dp_accounting

    accountant = dp_accounting.rdp.RdpAccountant()
    for each in mechanisms:
        event: Any = dp_accounting.GaussianDpEvent(each.multiplier)
        if each.rate < 1:
            event = dp_accounting.PoissonSampledDpEvent(each.rate, event)
        accountant.compose(event, each.steps)
    return float(accountant.get_epsilon(delta))


def spends(before: Sequence[Noise | Mechanism], now: Noise, spent: int) -> int:
    """The ε, in thousandths, that a round claims which comes after those; `spent` is what they claimed.

    Raises:
        CannotCheckError: they compose to less than they claimed: they are not what was done, or δ is greater now.
    """
    mechanisms = [each if isinstance(each, Mechanism) else each.mechanism for each in (*before, now)]
    composed = math.ceil(epsilon(mechanisms[:-1], now.delta) * ROUNDED) if before else 0
    if composed + len(before) < spent:  # each claimed one thousandth at least
        raise CannotCheckError(
            f"The rounds before spent {spent} thousandths of ε, and compose to {composed} at δ = {now.delta}.",
            hint="Keep δ as it was; if it is, bring the journal of this site's rounds back from its backup.",
        )
    return max(math.ceil(epsilon(mechanisms, now.delta) * ROUNDED) - spent, 1)


def clipped_to(arrays: Arrays, start: Arrays, bound: float) -> tuple[dict[str, NDArray[Any]], float]:
    """The arrays with their distance from `start` scaled down to `bound`, where it is greater, and what it was (L2).

    Raises:
        InputError: they are not those of `start`, or hold something else than real floating-point numbers.
    """
    steps = differences(arrays, start)
    length = norm(steps)
    if length <= bound:
        return dict(arrays), length
    scale = bound / length
    clipped = {name: np.asarray(start[name] + step * scale, arrays[name].dtype) for name, step in steps.items()}
    return clipped, length


def differences(arrays: Arrays, start: Arrays) -> dict[str, NDArray[np.float64]]:
    """What was added to `start`, array by array. Raises as `clipped_to`."""
    if list(arrays) != list(start) or any(each.shape != start[name].shape for name, each in arrays.items()):
        raise InputError("An update has the arrays of what it started from.")
    if any(each.dtype.kind != "f" for each in arrays.values()):
        raise InputError("Only floating-point numbers can be clipped and blurred.")
    return {name: np.asarray(each.astype(np.float64) - start[name]) for name, each in arrays.items()}


def norm(arrays: Arrays) -> float:
    """The L2 norm of all numbers together."""
    return math.sqrt(sum(float(np.vdot(each, each).real) for each in arrays.values()))


def drawn() -> np.random.Generator:
    """A generator whose seed nobody knows."""
    return np.random.default_rng(secrets.randbits(256))


def _require(clip: float, multiplier: float, delta: float) -> None:
    if not (0 < clip < math.inf and 0 < multiplier < math.inf and 0 < delta < 1):
        raise InputError("Clip and noise are greater than 0, δ lies between 0 and 1.")
