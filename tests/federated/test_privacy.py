"""Clipping, noise, and the ε that they spend: on the ledger each round, and never over the budget."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtledger.errors import CannotCheckError, InputError
from dtledger.federated.privacy import (
    Mechanism,
    StepNoise,
    UpdateNoise,
    clipped_to,
    differences,
    drawn,
    epsilon,
    norm,
    spends,
)
from tests.federated.scene import BUDGET, Scene

WEEKLY = UpdateNoise(clip=1.0, multiplier=4.0, delta=1e-5)


class TestEpsilon:
    @pytest.mark.parametrize("multiplier", [0.8, 2.0, 10.0])
    @pytest.mark.parametrize("rounds", [1, 15])
    def test_is_no_less_than_the_gaussian_mechanism_spends(self, multiplier: float, rounds: int) -> None:
        """Against the exact ε of Balle and Wang (2018) for what rounds of equal noise compose to."""
        delta = 1e-5
        exact = _exact(math.sqrt(rounds) / multiplier, delta)
        said = epsilon([Mechanism(multiplier, 1.0, 1, delta)] * rounds, delta)
        assert exact <= said <= 1.4 * exact + 0.1

    def test_is_less_for_a_sample(self) -> None:
        whole, part = (epsilon([Mechanism(1.0, rate, 100, 1e-5)], 1e-5) for rate in (1.0, 0.05))
        assert part < whole / 10

    def test_of_a_round_is_what_it_adds_to_those_before(self) -> None:
        spent, before = 0, []
        for number in range(1, 16):
            now = spends(before, WEEKLY, spent)
            spent += now
            before.append(WEEKLY)
            assert spent == math.ceil(1000 * epsilon([WEEKLY.mechanism] * number, WEEKLY.delta))

    @pytest.mark.parametrize(
        ("before", "now"),
        [
            (Mechanism(1e6, 1.0, 1, 1e-5), WEEKLY),
            (Mechanism(4.0, 0.01, 1, 1e-5), WEEKLY),
            (WEEKLY, UpdateNoise(clip=1.0, multiplier=4.0, delta=0.5)),
        ],
        ids=["more noise", "a sample", "another δ"],
    )
    def test_does_not_fall_by_what_is_said_later_of_the_rounds_before(self, before: Any, now: UpdateNoise) -> None:
        """Whoever changes the journal or raises δ would claim next to nothing from then on."""
        claimed = spends([], WEEKLY, 0)
        with pytest.raises(CannotCheckError, match="compose to"):
            spends([before], now, claimed)
        assert spends([WEEKLY], WEEKLY, claimed) > 1
        assert spends([WEEKLY], UpdateNoise(clip=1.0, multiplier=4.0, delta=1e-6), claimed) > 1

    def test_of_two_kinds_of_noise_composes(self) -> None:
        steps = StepNoise(1.0, 2.0, 1e-5, rate=0.1, steps=50)
        both = epsilon([WEEKLY.mechanism, steps.mechanism], 1e-5)
        assert max(epsilon([each.mechanism], 1e-5) for each in (WEEKLY, steps)) < both
        assert both < sum(epsilon([each.mechanism], 1e-5) for each in (WEEKLY, steps))

    def test_takes_the_same_from_a_journal(self) -> None:
        for each in (WEEKLY, StepNoise(1.0, 2.0, 1e-5, rate=0.1, steps=50)):
            assert Mechanism.from_list(each.mechanism.to_list()) == each.mechanism


def _exact(sensitivity: float, delta: float) -> float:
    """The ε at which the Gaussian mechanism of unit noise has that δ."""

    def delta_at(at: float) -> float:
        normal = lambda x: 0.5 * math.erfc(-x / math.sqrt(2))  # noqa: E731
        half = sensitivity / 2
        return normal(half - at / sensitivity) - math.exp(at) * normal(-half - at / sensitivity)

    low, high = 0.0, 100.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if delta_at(middle) > delta else (low, middle)
    return high


class TestClipping:
    @given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), st.floats(0.01, 100))
    def test_leaves_no_update_over_the_bound(self, numbers: list[float], bound: float) -> None:
        start = {"w": np.zeros(len(numbers))}
        clipped, length = clipped_to({"w": np.array(numbers)}, start, bound)
        assert norm(differences(clipped, start)) <= bound * (1 + 1e-9)
        assert length == pytest.approx(norm({"w": np.array(numbers)}))

    def test_changes_no_update_within_it(self) -> None:
        arrays = {"w": np.array([0.5, 0.5], np.float32)}
        clipped, _ = clipped_to(arrays, {"w": np.zeros(2, np.float32)}, 1.0)
        assert np.array_equal(clipped["w"], arrays["w"])

    @pytest.mark.parametrize(
        "arrays", [{"w": np.zeros(3)}, {"v": np.zeros(2)}, {"w": np.zeros(2, np.int64)}, {}], ids=str
    )
    def test_is_of_the_arrays_of_the_start(self, arrays: dict[str, Any]) -> None:
        with pytest.raises(InputError):
            WEEKLY.applied(arrays, {"w": np.zeros(2)})
        WEEKLY.applied({"w": np.zeros(2)}, {"w": np.zeros(2)})

    @pytest.mark.parametrize("wrong", [{"clip": 0.0}, {"multiplier": 0.0}, {"delta": 1.0}, {"clip": math.inf}], ids=str)
    def test_takes_numbers_that_make_sense(self, wrong: dict[str, float]) -> None:
        good = {"clip": 1.0, "multiplier": 1.0, "delta": 1e-5}
        UpdateNoise(**good)
        with pytest.raises(InputError):
            UpdateNoise(**{**good, **wrong})
        with pytest.raises(InputError):
            StepNoise(**good, rate=0.0, steps=1)


class TestNoise:
    def test_has_the_deviation_that_the_accountant_counts(self) -> None:
        start = {"w": np.zeros(200_000)}
        made = UpdateNoise(0.5, 3.0, 1e-5).applied({"w": np.full(200_000, 1.0)}, start, np.random.default_rng(1))
        assert made["w"].std() == pytest.approx(3.0 * 2 * 0.5, rel=0.01)

    def test_is_another_each_time(self) -> None:
        start = {"w": np.zeros(4)}
        one, other = (WEEKLY.applied(start, start)["w"] for _ in range(2))
        assert not np.array_equal(one, other)

    def test_of_a_step_clips_each_patient_and_blurs_the_sum(self) -> None:
        noise = StepNoise(1.0, 2.0, 1e-5, rate=0.5, steps=1)
        gradients = np.array([[3.0, 4.0], [0.3, 0.4]])
        means = np.array([noise.noisy_mean(gradients, 4, np.random.default_rng(each)) for each in range(4000)])
        assert means.mean(axis=0) == pytest.approx([0.9 / 2, 1.2 / 2], abs=0.05)
        assert means.std() == pytest.approx(2.0 / 2, rel=0.1)

    @pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
    def test_hides_no_number_that_is_not_finite(self, wrong: float) -> None:
        """It would leave as it is, whatever is added to it."""
        start = {"w": np.zeros(4), "b": np.zeros(2)}
        with pytest.raises(InputError, match="no finite number"):
            WEEKLY.applied({"w": np.array([0.0, wrong, 0.0, 0.0]), "b": np.zeros(2)}, start)
        assert np.isfinite(WEEKLY.applied(start, start)["w"]).all()

    @pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
    def test_of_a_step_leaves_out_a_patient_whose_gradient_is_not_finite(self, wrong: float) -> None:
        noise = StepNoise(1.0, 2.0, 1e-5, rate=0.5, steps=1)
        others = np.array([[3.0, 4.0], [0.3, 0.4]])
        with_it = noise.noisy_mean(np.vstack([others, [[wrong, 1.0]]]), 4, np.random.default_rng(1))
        assert np.array_equal(with_it, noise.noisy_mean(others, 4, np.random.default_rng(1)))

    def test_of_a_step_takes_patients_by_a_toss_each(self) -> None:
        noise = StepNoise(1.0, 2.0, 1e-5, rate=0.2, steps=1)
        dice = np.random.default_rng(1)
        taken = np.array([len(noise.sampled(50, dice)) for _ in range(2000)])
        assert taken.mean() == pytest.approx(10, rel=0.05)
        assert taken.var() == pytest.approx(8, rel=0.15)

    def test_is_drawn_from_no_known_seed(self) -> None:
        assert drawn().random() != drawn().random()


class TestARoundWithNoise:
    def test_has_its_epsilon_on_the_ledger(self, scene: Scene) -> None:
        scene.run(3, sites=scene.sites(privacy=WEEKLY))
        view = scene.world.ledger.view()
        for hospital in scene.hospitals:
            total = math.ceil(1000 * epsilon([WEEKLY.mechanism] * 3, WEEKLY.delta))
            assert view.spent(scene.model, hospital.client.address) == total

    def test_that_would_go_over_the_budget_is_refused(self, scene: Scene) -> None:
        strong = UpdateNoise(clip=1.0, multiplier=1.0, delta=1e-5)
        strategy = scene.strategy()
        scene.run(2, sites=[scene.site(0, strong), scene.site(1, WEEKLY)], strategy=strategy)
        assert [len(report.used) for report in strategy.reports] == [2, 1]
        assert [why for report in strategy.reports for _, why in report.refused] == ["refused: OverBudgetError"]
        view = scene.world.ledger.view()
        assert BUDGET / 2 < view.spent(scene.model, scene.hospitals[0].client.address) <= BUDGET

    def test_sends_what_is_blurred_and_nothing_else(self, scene: Scene) -> None:
        plain = scene.run(1)
        scene.model = scene.model_of("blurred")
        blurred = scene.run(1, sites=scene.sites(privacy=WEEKLY))
        assert not np.allclose(plain["w"], blurred["w"])

    def test_is_not_made_without_the_journal_of_those_before(self, scene: Scene) -> None:
        scene.run(1, sites=scene.sites(privacy=WEEKLY))
        leading = scene.leading()
        number = leading.open(leading.start({}))
        site = scene.site(0, WEEKLY)
        (entry,) = (scene.folder / site.address).glob("*.round")
        whole = entry.read_bytes()
        entry.unlink()
        with pytest.raises(CannotCheckError, match="how round 1 was blurred"):
            site.turn(2, number.parent)
        entry.write_bytes(whole)
        site.turn(2, number.parent)
