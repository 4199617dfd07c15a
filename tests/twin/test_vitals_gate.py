"""A monitor's false signs are doubted, the others go on telling them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dtledger.twin import vitals_gate as gate
from dtledger.twin.factors import Array
from dtledger.twin.vitals import CHANNELS
from dtledger.twin.vitals_gate import HEART, PULSE, Judged, Thresholds
from scripts.evaluation.__main__ import main

USUAL = np.array([80.0, 80.0, 16.0, 97.0, 120.0, 70.0])
CALM = 40
"""Minutes before anything is false."""
FALSE = 40


def shown(count: int) -> Array:
    """A monitor's whole numbers, a minute apart: (count, 6)."""
    draw = np.random.default_rng(3)
    slow = 3 * np.sin(np.arange(count) / 9)[:, None] * np.array([1, 1, 0.2, 0, 1, 0.5])
    own = draw.normal(0, [1.5, 1.5, 1.0, 0.4, 4.0, 3.0], (count, 6))
    own[:, PULSE] = own[:, HEART] + draw.normal(0, 0.7, count)
    return np.round(np.minimum(USUAL + slow + own, np.where(np.arange(6) == 3, 99, 400)))


def led(signs: Array) -> list[Judged]:
    memory, found = gate.start(1), []
    for minute, row in enumerate(signs):
        found.append(gate.take(Thresholds(), memory, np.full(1, float(minute)), row[:, None]))
        memory = found[-1].memory
    return found


def stuck(signs: Array) -> Array:
    return np.broadcast_to(signs[CALM - 1, HEART], FALSE)


ATTACKS: dict[str, tuple[int, Callable[[Array], Array]]] = {
    "stuck": (HEART, stuck),
    "disagreement": (HEART, lambda signs: signs[CALM : CALM + FALSE, HEART] + 20),
    "bounds": (HEART, lambda signs: np.full(FALSE, 500.0)),
}


class TestASign:
    @pytest.mark.parametrize("attack", list(ATTACKS))
    def test_that_is_false_is_doubted_and_says_why(self, attack: str) -> None:
        signs = shown(CALM + FALSE)
        assert not any(each.suspect.any() for each in led(signs)), "the true signs are believed"
        row, made = ATTACKS[attack]
        signs[CALM : CALM + FALSE, row] = made(signs)
        found = led(signs)
        reasons = {reason for each in found for reason in each.reasons(0)}
        assert any(reason.endswith(f": {attack}") for reason in reasons)
        assert not any(each.suspect.any() for each in found[:CALM])

    def test_that_is_zero_is_no_reading(self) -> None:
        signs = shown(CALM + 1)
        signs[CALM] = 0
        with_zeros = led(signs)[-1]
        signs[CALM] = np.nan
        without = led(signs)[-1]
        assert not with_zeros.taken.any()
        assert (with_zeros.memory.twin.state.mean == without.memory.twin.state.mean).all()

    def test_that_is_doubted_is_not_learned_and_is_told_by_the_others(self) -> None:
        signs = shown(CALM + FALSE)
        signs[CALM:, HEART] += 60
        found = led(signs)
        assert found[-1].suspect[HEART, 0]
        assert not found[-1].suspect[PULSE, 0]
        assert abs(found[-1].step.memory.state.mean[1, 0] + 8 * found[-1].step.memory.state.mean[0, 0] - 80) < 12

    def test_is_believed_again_when_it_agrees(self) -> None:
        signs = shown(CALM + 90)
        signs[CALM : CALM + 5, HEART] = 500
        found = led(signs)
        assert found[CALM + 4].suspect[HEART, 0]
        assert not found[-1].suspect.any()


@pytest.mark.real_data
@pytest.mark.slow
def test_false_signs_of_an_intensive_care_patient_are_found(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    record = f"{os.environ['DTLEDGER_DATA']}/vitals/multi-segment/s00001/s00001-2896-10-10-00-31n"
    assert main(["vitals", "--test", record]) == 0
    said = capsys.readouterr().out
    assert "none of which became a reading" in said
    assert ", 0 of them otherwise than the gate by itself" in said
    shares = {
        name: float(share) for name, share in (part.rsplit(" ", 1) for part in said.splitlines()[2][12:].split(", "))
    }
    assert shares["false"] <= 0.05
    assert min(shares["heart rate stuck"], shares["heart rate +20"], shares["pulse drifts by 1 a minute"]) > 0.9


def test_the_channels_are_those_of_the_twin() -> None:
    assert len(gate.BOUNDS) == len(CHANNELS)
