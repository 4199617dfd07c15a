"""Each kind of false data is found by what it leaves behind, and true readings pass."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dtledger.twin import gate, glucose, prior, replays, signatures, twin
from dtledger.twin.factors import Array
from dtledger.twin.gate import Thresholds
from dtledger.twin.keeper import GOOD, SUSPECT, UNVERIFIED, Keeper, Memory
from tests.twin.people import readings

pytestmark = pytest.mark.slow

KEEPER = Keeper(prior.shipped(), gate.shipped())
OPEN = Keeper(KEEPER.prior, Thresholds())
SEED, BEGIN, COUNT = 9, 130, 8
MINUTES, TRUE = readings(SEED)
FALSE = slice(BEGIN, BEGIN + COUNT)

ATTACKS: dict[str, Callable[[], Array]] = {
    "bias": lambda: TRUE[FALSE] + 45,
    "ramp": lambda: TRUE[FALSE] + 2.5 * 15 * np.arange(1, COUNT + 1),
    "noise": lambda: TRUE[FALSE] + 45 * np.array([1, -1, 1, 1, -1, 1, -1, -1]),
    "stuck": lambda: np.full(COUNT, TRUE[BEGIN - 1]),
    "replay": lambda: TRUE[BEGIN - 96 : BEGIN - 96 + COUNT],
    "joined replay": lambda: TRUE[BEGIN - 96 : BEGIN - 96 + COUNT] + TRUE[BEGIN - 1] - TRUE[BEGIN - 97],
}


@pytest.fixture(scope="module")
def before() -> Memory:
    """A twin that has lived for 130 readings, all believed."""
    memory = OPEN.start(1)
    for minute, reading in zip(MINUTES[:BEGIN], TRUE[:BEGIN], strict=True):
        memory = OPEN.take(memory, np.array([minute]), np.array([reading])).memory
    return memory


def found(memory: Memory, values: Array) -> list[str]:
    """Why readings were set aside, at the first that was; nothing where all were believed."""
    for minute, value in zip(MINUTES[FALSE], values, strict=True):
        kept = KEEPER.take(memory, np.array([minute]), np.array([value]))
        memory = kept.memory
        if kept.quality[0] == SUSPECT:
            return list(kept.reasons[0])
    return []


class TestFalseData:
    @pytest.mark.parametrize("attack", list(ATTACKS))
    def test_is_found_within_two_hours_and_called_by_a_name(self, before: Memory, attack: str) -> None:
        assert found(before, ATTACKS[attack]()) != []

    def test_that_is_none_passes(self, before: Memory) -> None:
        assert found(before, TRUE[FALSE]) == []

    def test_are_not_told_from_somebody_new_who_is_not_known_yet(self, before: Memory) -> None:
        """In a twin's first day only what cannot be is doubted; the same stuck values are found in its second."""

        def first(value: float) -> int:
            memory = KEEPER.start(1)
            for minute in MINUTES[:20]:
                kept = KEEPER.take(memory, np.array([minute]), np.array([value]))
                memory = kept.memory
            return int(kept.quality[0])

        assert first(120.0) == GOOD
        assert first(2160.0) == UNVERIFIED
        assert found(before, ATTACKS["stuck"]()) != []

    @pytest.mark.parametrize("attack", ["stuck", "replay", "joined replay"])
    def test_that_was_there_before_is_told_as_such(self, before: Memory, attack: str) -> None:
        memory, ratios = before, []
        for minute, value in zip(MINUTES[FALSE], ATTACKS[attack](), strict=True):
            kept = OPEN.take(memory, np.array([minute]), np.array([value]))
            memory = kept.memory
            ratios.append(kept.judged.raw[gate.DETECTORS.index(attack), 0])
        assert ratios[-1] > 8
        assert (np.diff(ratios[1:]) > 0).all()

    @pytest.mark.parametrize(("side", "value", "end"), [(-1.0, 300.0, glucose.FLOOR), (1.0, 75.0, 400.0)])
    def test_does_not_pass_by_saying_that_the_sensors_range_ends_there(
        self, before: Memory, side: float, value: float, end: float
    ) -> None:
        """The true value is said to lie below 300: that could never be surprising."""
        at, sides = MINUTES[BEGIN : BEGIN + 1] + 60, np.array([side])
        kept = KEEPER.take(before, at, np.array([value]), sides)
        assert kept.quality[0] == SUSPECT
        assert kept.reasons[0] == (f"no sensor's range ends at {value} mg/dL",)
        witness = KEEPER.take(before, at, np.array([end]), sides)
        assert witness.judged.raw[0, 0] == 0

    def test_at_the_end_of_a_sensors_range_is_not_stuck(self, before: Memory) -> None:
        def stuck(sides: Array | None) -> float:
            memory = before
            for minute in MINUTES[FALSE]:
                kept = KEEPER.take(memory, np.array([minute]), np.array([glucose.FLOOR]), sides)
                memory = kept.memory
            return float(kept.judged.raw[gate.DETECTORS.index("stuck"), 0])

        assert stuck(np.array([-1.0])) == 0
        assert stuck(None) > 0


class TestWhatWasBelievedBefore:
    def test_is_marked_and_unlearned_from_the_onset_on(self, before: Memory) -> None:
        """Readings that stick are believed at first: when they are found, the twin is as if it had never read them."""
        memory, marked = before, np.zeros(0)
        for minute, value in zip(MINUTES[FALSE], ATTACKS["stuck"](), strict=True):
            kept = KEEPER.take(memory, np.array([minute]), np.array([value]))
            memory = kept.memory
            if kept.quality[0] == SUSPECT:
                marked = kept.remarked[~np.isnan(kept.remarked)]
                break
        assert list(marked) == list(MINUTES[(marked[0] <= MINUTES) & (minute > MINUTES)])
        assert len(marked) >= 2
        witness = OPEN.start(1)
        for at, value in zip(MINUTES[minute >= MINUTES], TRUE, strict=False):
            witness = OPEN.take(witness, np.array([at]), np.array([value if at < marked[0] else np.nan])).memory
        np.testing.assert_allclose(memory.twin.state.mean, witness.twin.state.mean, rtol=1e-9)
        np.testing.assert_allclose(memory.twin.day.sums, witness.twin.day.sums, rtol=1e-9)


class TestASignature:
    def test_is_what_a_bias_leaves_in_the_innovations_of_a_filter(self, before: Memory) -> None:
        """The filter led over true readings and over false ones: its innovations differ by the signature."""
        means = []
        for added in (0.0, 10.0):
            known, mean = before.twin, []
            for minute, reading in zip(MINUTES[FALSE], TRUE[FALSE] + added, strict=True):
                coming = twin.expect(KEEPER.prior, known, np.array([minute]))
                mean.append(coming.mean[0])
                known = coming.take(np.array([reading])).memory
            means.append(np.array(mean))
        left = 1 - (means[1] - means[0]) / 10
        felt, rest = np.zeros((3, 1)), []
        known = before.twin
        for minute, reading in zip(MINUTES[FALSE], TRUE[FALSE], strict=True):
            coming = twin.expect(KEEPER.prior, known, np.array([minute]))
            felt = signatures.move(felt, KEEPER.prior.parameters, minute - known.at)
            rest.append(1 - felt[0, 0])
            gain = coming.expected.cross[:3, 0] / np.square(coming.expected.factor[0, 0])
            felt = felt + gain * rest[-1]
            known = coming.take(np.array([reading])).memory
        np.testing.assert_allclose(rest, left, atol=0.05)

    def test_is_what_the_gate_keeps_up(self, before: Memory) -> None:
        """What it takes the filter to have believed of a bias, beside what the filter has."""
        memory, other, left = before, before.twin, []
        for minute, reading in zip(MINUTES[FALSE], TRUE[FALSE], strict=True):
            kept = OPEN.take(memory, np.array([minute]), np.array([reading]))
            other = twin.expect(OPEN.prior, other, np.array([minute])).take(np.array([reading + 10])).memory
            memory = kept.memory
            left.append((other.state.mean[0, 0] - memory.twin.state.mean[0, 0]) / 10)
        onset = int(np.flatnonzero(memory.gate.signatures.onset[:, 0] == MINUTES[BEGIN])[0])
        assert abs(memory.gate.signatures.felt[0, onset, 0, 0] - left[-1]) < 0.03
        assert left[-1] > 0.8

    def test_is_likelier_than_chance_at_its_own_onset_and_size(self, before: Memory) -> None:
        memory = before
        for minute, reading in zip(MINUTES[FALSE], TRUE[FALSE] + 32, strict=True):
            kept = OPEN.take(memory, np.array([minute]), np.array([reading]))
            memory = kept.memory
        ratio, onset, size = signatures.named(memory.gate.signatures)
        assert ratio[0, 0] > 4
        assert abs(onset[0, 0] - MINUTES[BEGIN]) <= 15
        assert size[0, 0] in (20, 32, 52)


class TestAReplay:
    def test_of_any_lag_is_found_though_nothing_else_is_strange(self) -> None:
        draw = np.random.default_rng(1)
        values = 150 + np.cumsum(draw.normal(0, 6, 200))
        memory = replays.start(1)
        density = np.array([-np.log(6.0) - 0.9 - 0.5])
        for i, value in enumerate([*values, *values[60:70]]):
            memory = replays.take(memory, np.array([15.0 * i]), np.array([value]), np.zeros(1), density)
        ratio, lag = replays.named(memory)
        assert lag[1, 0] == lag[3, 0] == 140
        assert (ratio[[1, 3], 0] > 12).all()


class TestWhatIsFound:
    def test_is_named_with_the_score_that_it_was_judged_by(self, before: Memory) -> None:
        memory = before
        for minute, reading in zip(MINUTES[FALSE], TRUE[FALSE] + 32, strict=True):
            memory = OPEN.take(memory, np.array([minute]), np.array([reading])).memory
            for part, kept in ((signatures, memory.gate.signatures), (replays, memory.gate.replays)):
                assert (part.greatest(kept) == part.named(kept)[0]).all()


class TestThresholds:
    def test_are_read_as_they_were_written(self) -> None:
        assert gate.read(KEEPER.thresholds.write()) == KEEPER.thresholds

    @pytest.mark.parametrize("text", ["{}", "[]", '{"tails": [], "levels": [], "shares": []}', "null"])
    def test_of_another_form_are_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="threshold"):
            gate.read(text)

    def test_say_which_score_is_rare(self) -> None:
        levels = dict(KEEPER.thresholds.levels)
        assert levels[0.01] > levels[0.05] > 0
        assert KEEPER.thresholds.at(0.05).level == levels[0.05]


def test_a_day_turns_at_midnight() -> None:
    """A reading at five to midnight is of the time of day of one at midnight."""
    memory, minutes, none = replays.start(1), 3.0 + 5 * np.arange(700.0), np.zeros(1)
    for minute in minutes:
        memory = replays.take(memory, np.array([minute]), np.full(1, 100.0), none, none)
        earlier = minutes[(minutes < minute) & (minutes >= minute - 1440 - 50)]
        if len(earlier) == 298 and not 8 <= minute % 1440 <= 1432:
            same = np.abs((earlier - minute + 720) % 1440 - 720) <= 8
            assert same.sum() == 4
            assert (replays._daily(memory)[-298:, 0] == same).all()
