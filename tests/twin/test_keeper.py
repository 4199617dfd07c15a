"""Which readings a twin believes, and how it comes back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from dtledger.twin import batch, gate, prior, rewind, twin
from dtledger.twin.factors import Array
from dtledger.twin.keeper import GOOD, QUALITIES, SUSPECT, UNVERIFIED, Keeper, Kept, Memory
from dtledger.twin.snapshot import decode_state, encode_state, keeper_model
from dtledger.twin.twin import Announced
from tests.twin.people import readings

pytestmark = pytest.mark.slow

KEEPER = Keeper(prior.shipped(), gate.Thresholds())
MINUTES, GLUCOSE = readings(1)
WILD = 2160.0
"""120 mg/dL, taken for mmol/L."""


def led(memory: Memory, minutes: Sequence[float] | Array, glucose: Sequence[float] | Array) -> list[Kept]:
    """One twin, from a memory on."""
    found = []
    for minute, reading in zip(minutes, glucose, strict=True):
        found.append(KEEPER.take(memory, np.array([minute]), np.array([reading])))
        memory = found[-1].memory
    return found


def qualities(kept: Sequence[Kept]) -> list[str]:
    return [QUALITIES[each.quality[0]] for each in kept]


def same(one: twin.Memory, other: twin.Memory) -> bool:
    return all((one_part == other_part).all() for one_part, other_part in zip(_parts(one), _parts(other), strict=True))


def _parts(memory: twin.Memory) -> list[Array]:
    return [memory.state.mean, memory.state.factor, memory.day.sums, memory.personal.terms, memory.past.values]


@pytest.fixture(scope="module")
def life() -> list[Kept]:
    """A day and a half of a made-up person."""
    return led(KEEPER.start(1), MINUTES, GLUCOSE)


@pytest.fixture(scope="module")
def before(life: list[Kept]) -> Memory:
    return life[99].memory


class TestAReading:
    def test_that_is_believed_is_learned_as_a_twin_alone_would(self, life: list[Kept]) -> None:
        memory = twin.start(KEEPER.prior, 1)
        for minute, reading in zip(MINUTES, GLUCOSE, strict=True):
            memory = twin.expect(KEEPER.prior, memory, np.array([minute])).take(np.array([reading])).memory
        assert same(life[-1].memory.twin, memory)
        assert set(qualities(life)) == {"good"}

    @pytest.mark.parametrize("wrong", [WILD, 6.7, -40.0, np.inf, -np.inf])
    def test_out_of_bounds_is_set_aside_and_says_why(self, before: Memory, wrong: float) -> None:
        (kept,) = led(before, MINUTES[100:101], [wrong])
        assert kept.quality[0] == SUSPECT
        assert "out of bounds" in kept.reasons[0][0]
        assert np.isfinite(kept.memory.twin.state.mean).all()
        (witness,) = led(before, MINUTES[100:101], GLUCOSE[100:101])
        assert witness.quality[0] == GOOD
        assert witness.reasons[0] == ()

    def test_that_leaps_faster_than_a_body_can_is_set_aside(self, before: Memory) -> None:
        leap = GLUCOSE[99] + 200
        (kept,), (witness,) = led(before, MINUTES[100:101], [leap]), led(before, [MINUTES[99] + 60], [leap])
        assert "rate" in kept.reasons[0][0]
        assert witness.quality[0] == GOOD

    def test_that_is_low_alarms_whatever_its_quality(self, before: Memory) -> None:
        aside = led(before, MINUTES[100:103], [WILD, 69.0, 71.0])
        assert [bool(each.low[0]) for each in aside] == [False, True, False]
        assert aside[1].quality[0] == SUSPECT
        assert led(before, [MINUTES[99] + 30], [69.0])[0].low[0]

    def test_of_the_past_is_refused(self, before: Memory) -> None:
        with pytest.raises(ValueError, match="never runs back"):
            led(before, [MINUTES[99] - 1], [120.0])


class TestAQuarantine:
    def test_lets_the_twin_coast_with_a_growing_interval(self, before: Memory) -> None:
        kept = led(before, MINUTES[100:105], [WILD] * 5)
        deviations = [each.memory.twin.state.factor[0, 0, 0] for each in kept]
        assert (np.diff(deviations) > 0).all()
        assert same_learned(kept[-1].memory.twin, before.twin)

    def test_ends_when_four_readings_agree_with_the_forecast_and_takes_them(self, before: Memory) -> None:
        frozen = [float(each.step.innovation[0]) for each in led(before, MINUTES[100:105], [np.nan] * 5)]
        assert frozen == [0.0] * 5
        expected = coasted(before, MINUTES[101:105])
        kept = led(before, MINUTES[100:105], [WILD, *expected])
        assert qualities(kept) == ["suspect"] * 4 + ["good"]
        assert same(kept[-1].memory.twin, led(before, MINUTES[100:105], [np.nan, *expected])[-1].memory.twin)
        far = led(before, MINUTES[100:105], [WILD, *expected[:3], expected[3] + 60])
        assert qualities(far)[-1] == "suspect"

    def test_does_not_end_by_four_that_come_within_seconds(self, before: Memory) -> None:
        minutes = MINUTES[100] + np.array([0, 1, 2, 3, 4, 900]) / 60
        expected = coasted(before, minutes[1:])
        assert qualities(led(before, minutes, [WILD, *expected])) == ["suspect"] * 5 + ["good"]

    def test_becomes_unverified_after_two_hours_and_never_good_by_itself(self, before: Memory) -> None:
        minutes = MINUTES[100] + 15 * np.arange(100)
        glucose = np.concatenate([[WILD], 300 + 20 * np.sin(np.arange(99) / 4)])
        kept = led(before, minutes, glucose)
        assert qualities(kept) == ["suspect"] * 8 + ["unverified"] * 92
        assert abs(kept[-1].memory.twin.state.mean[0, 0] - glucose[-1]) < 5
        assert same_learned(kept[-1].memory.twin, before.twin)

    def test_never_ends_merely_because_the_interval_has_grown_wide(self, before: Memory) -> None:
        minutes = MINUTES[100:107]
        far = [each + 25 for each in coasted(before, minutes[1:])]
        kept = led(before, minutes, [WILD, *far])
        widths = [each.memory.twin.state.factor[0, 0, 0] for each in kept]
        assert widths[-1] > 25
        assert set(qualities(kept)) == {"suspect"}

    def test_ends_when_an_independent_source_agrees_and_goes_on_when_it_does_not(self, before: Memory) -> None:
        aside = led(before, MINUTES[100:104], [WILD, 200, 202, 204])[-1].memory
        for standing in (aside, led(aside, MINUTES[104] + 15 * np.arange(10), [205.0] * 10)[-1].memory):
            at = standing.at + 15
            for second, quality in ((200.0, GOOD), (120.0, int(standing.standing[0]))):
                kept = KEEPER.take(standing, at, np.array([206.0]), second=np.array([second]))
                assert kept.quality[0] == (quality if at - MINUTES[100] < 120 or quality == GOOD else UNVERIFIED)

    def test_does_not_end_by_readings_that_an_independent_source_contradicts(self, before: Memory) -> None:
        expected = coasted(before, MINUTES[101:105])
        aside = led(before, MINUTES[100:104], [WILD, *expected[:3]])[-1].memory
        last, at = np.array(expected[3:]), MINUTES[104:105]
        contradicted = KEEPER.take(aside, at, last, second=last + 200)
        assert contradicted.quality[0] == SUSPECT
        assert "second source" in contradicted.reasons[0][0]
        assert qualities(led(contradicted.memory, MINUTES[105:106], coasted(before, MINUTES[105:106]))) == ["suspect"]
        assert KEEPER.take(aside, at, last).quality[0] == GOOD

    def test_begins_when_an_independent_source_contradicts_it(self, before: Memory) -> None:
        at, reading = MINUTES[100:101], GLUCOSE[100:101]
        kept = KEEPER.take(before, at, reading, second=reading + 200)
        assert kept.quality[0] == SUSPECT
        assert "second source" in kept.reasons[0][0]
        assert KEEPER.take(before, at, reading, second=reading + 50).quality[0] == GOOD

    def test_goes_on_with_meals_on_board(self, before: Memory) -> None:
        at, nothing = MINUTES[100:101], np.zeros(1)
        meal = Announced(np.array([50.0]), nothing, nothing)
        kept = KEEPER.take(before, at, np.array([WILD]), announced=meal)
        assert kept.memory.twin.on_board[0, 0] > 49


class TestATwin:
    def test_that_goes_back_has_learned_what_is_believed_alone(self, life: list[Kept]) -> None:
        trail = life[-1].memory.trail
        assert same(rewind.again(KEEPER.prior, trail), life[-1].memory.twin)

    def test_goes_on_from_its_bytes_with_the_same_verdicts(self, before: Memory) -> None:
        model = keeper_model(KEEPER)
        glucose = [WILD, *GLUCOSE[101:110]]
        memory = led(before, MINUTES[100:103], glucose[:3])[-1].memory
        restored = decode_state(encode_state(model, memory, flags=["suspect"]), model).memory
        on, again = led(memory, MINUTES[103:110], glucose[3:]), led(restored, MINUTES[103:110], glucose[3:])
        assert qualities(on) == qualities(again)
        assert [each.reasons for each in on] == [each.reasons for each in again]
        assert same(on[-1].memory.twin, again[-1].memory.twin)

    def test_that_is_believed_stands_as_beside_one_that_is_not(self, before: Memory) -> None:
        """Where all are believed there is a shorter way."""
        usual = beside = batch.join([before, before])
        for minute, reading in zip(MINUTES[100:110], GLUCOSE[100:110], strict=True):
            found = [
                KEEPER.take(memory, np.full(2, minute), np.array([reading, other]))
                for memory, other in ((usual, reading), (beside, WILD))
            ]
            usual, beside = (each.memory for each in found)
            assert found[1].quality[1] != GOOD
            assert [*found[0].quality, found[1].quality[0]] == [GOOD] * 3
            one, other_one = (batch.of(each.memory, np.array([0])) for each in found)
            np.testing.assert_allclose(batch.pack(one), batch.pack(other_one), rtol=1e-6, atol=1e-9)
            assert [found[0].reasons[0], found[0].low[0]] == [found[1].reasons[0], found[1].low[0]] == [(), False]

    def test_does_not_depend_on_those_beside_it(self, before: Memory) -> None:
        both = KEEPER.start(2)
        for minute, one, other in zip(MINUTES[:60], GLUCOSE[:60], [*GLUCOSE[:50], WILD, *GLUCOSE[51:60]], strict=True):
            kept = KEEPER.take(both, np.full(2, minute), np.array([one, other]))
            both = kept.memory
        alone = led(KEEPER.start(1), MINUTES[:60], GLUCOSE[:60])[-1]
        assert kept.quality[0] == alone.quality[0] == GOOD
        np.testing.assert_allclose(both.twin.state.mean[:, :1], alone.memory.twin.state.mean, rtol=1e-9)


def same_learned(one: twin.Memory, other: twin.Memory) -> bool:
    return bool((one.day.sums == other.day.sums).all() and (one.personal.terms == other.personal.terms).all())


def coasted(memory: Memory, minutes: Array) -> list[float]:
    """What the twin itself expects, nothing being read."""
    known, found = memory.twin, []
    for minute in minutes:
        coming = twin.expect(KEEPER.prior, known, np.array([minute]))
        found.append(float(coming.mean[0]))
        known = coming.take(np.array([np.nan])).memory
    return found
