"""A writer that has the right and lies about what it corrects: each lie is refused and named, hides nothing, and stands
beside an honest correction by the same steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest

from dtledger import encoding
from dtledger.client import Terms
from dtledger.errors import (
    AccessDeniedError,
    CannotCheckError,
    DtledgerError,
    InputError,
    IntegrityError,
    UnreachableError,
)
from dtledger.ledger import calls
from dtledger.readings import Group, Reading, encode_readings
from dtledger.testing import World
from dtledger.types import ZERO_DIGEST, Digest, Period
from dtledger.vocabulary import Action

from .forging import DAY, HONEST, Change, Forged, Scribe, all_of, honest, lie, put
from .looking import errors, forged, read, second_twin

pytestmark = pytest.mark.slow  # each in a world of its own

NOWHERE = Digest(b"\7" * 32)
REASON = "calibrated anew"


def amend(
    scribe: Scribe,
    target: Digest | None,
    group: Group,
    replaces: Sequence[int] | None = None,
    *,
    reason: str = REASON,
    change: Change = honest,
) -> Forged:
    """Write a correction of `target` by hand: every value of the group is 50 more."""
    corrected = Group(group.period, tuple(replace(each, value=each.value + 50) for each in group.readings))
    plaintext = encode_readings("glucose", corrected.readings, reason, replaces)
    named = lie("manifest", put(corrects=target)) if target else honest
    [written] = scribe.write(all_of(named, change), [corrected], plaintexts=[plaintext])
    return written


@dataclass
class Scene:
    """A scribe's two honest hours, and another writer with the right to correct them."""

    world: World
    scribe: Scribe
    other: Scribe
    written: list[Forged]

    @property
    def groups(self) -> list[Group]:
        return self.scribe.groups()

    @property
    def target(self) -> Digest:
        return self.written[0].digest


@pytest.fixture
def scene(world: World) -> Scene:
    scribe, other = Scribe(world), Scribe(world, "other", categories=("glucose", "heart-rate"))
    return Scene(world, scribe, other, scribe.write())


CORRECTED = [152.0, 152.5, 101.0, 101.5]
"""What a reader sees after the first hour's honest correction."""


def test_an_honest_correction_by_another_writer_counts(scene: Scene) -> None:
    amend(scene.other, scene.target, scene.groups[0])
    assert forged(read(scene.world)) == CORRECTED


def elsewhere(scene: Scene) -> Digest:
    return Scribe(scene.world, "neighbour", twin=second_twin(scene.world)).write()[0].digest


def of_another_category(scene: Scene) -> Digest:
    writer = Scribe(scene.world, "pulse", categories=("heart-rate",))
    plaintexts = [encode_readings("heart-rate", group.readings) for group in scene.groups]
    return writer.write(category="heart-rate", plaintexts=plaintexts)[0].digest


def never_anchored(scene: Scene) -> Digest:
    return Scribe(scene.world, "waiting").write(anchored=False)[0].digest


def uncounted(scene: Scene) -> Digest:
    """By a writer whose grant opens the second hour alone."""
    writer, now = Scribe(scene.world, "narrow"), scene.world.clock()
    first, second = scene.groups
    terms = Terms(("glucose",), (), (Action.WRITE,), now, now + DAY, second.period)
    scene.world.patient.consents.grant(scene.world.twin, writer.address, terms, writer.slot.number)
    return writer.write(groups=[first, second])[0].digest


ASTRAY: dict[str, tuple[Callable[[Scene], Digest], str]] = {
    "another twin's": (elsewhere, "no anchored snapshot of its twin"),
    "another category's": (of_another_category, "no anchored snapshot of its twin"),
    "another period's": (lambda scene: scene.written[1].digest, "of another period"),
    "one that was never anchored": (never_anchored, "no anchored snapshot of its twin"),
    "one that is nowhere": (lambda scene: NOWHERE, "no anchored snapshot of its twin"),
    "one that does not count": (uncounted, "does not count"),
}


@pytest.mark.parametrize("name", ASTRAY)
def test_a_correction_of_what_it_may_not_correct_is_refused_and_its_writer_named(name: str, scene: Scene) -> None:
    find, says = ASTRAY[name]
    wrong = amend(scene.other, find(scene), scene.groups[0])
    with pytest.raises(IntegrityError, match=says) as caught:
        read(scene.world)
    assert (caught.value.party, caught.value.block) == (scene.other.address, wrong.digest.hex())
    sound = scene.world.patient.read(scene.world.twin, "glucose", "PATRQT", partial=True, originals=True)
    assert set(HONEST) <= set(forged(sound))
    assert not {152.0, 152.5} & set(forged(sound)), "what it says instead is left out"
    assert not [each for each in sound if each.superseded_by]
    assert list(sound.faults) == [scene.other.address]


@pytest.mark.parametrize("name", [each for each in ASTRAY if each != "one that does not count"])
def test_the_check_of_a_twin_names_whose_correction_corrects_nothing(name: str, scene: Scene) -> None:
    target = ASTRAY[name][0](scene)
    assert errors(scene.world) == []
    amend(scene.other, target, scene.groups[0])
    assert [each.party for each in errors(scene.world)] == [scene.other.address]


REFUSED: dict[str, type[DtledgerError]] = {
    "another twin's": AccessDeniedError,
    "one that was never anchored": CannotCheckError,
    "one that is nowhere": UnreachableError,
    "one that does not count": InputError,
}


@pytest.mark.parametrize("name", REFUSED)
def test_no_honest_client_writes_such_a_correction(name: str, scene: Scene) -> None:
    """Twin, category and period are those of the snapshot itself there."""
    target = ASTRAY[name][0](scene)
    writer = scene.other.client.writer
    with pytest.raises(REFUSED[name]):
        writer.amend(target, [], REASON)
    assert writer.amend(scene.target, [], REASON).written


def test_a_correction_that_was_anchored_before_what_it_corrects_is_refused(scene: Scene) -> None:
    """Who sees a snapshot in the store before it is anchored might correct it beforehand; then two could correct each
    other, if they could know each other's digests."""
    early = Scribe(scene.world, "early")
    [waiting] = early.write(groups=scene.groups[:1], anchored=False)
    amend(scene.other, waiting.digest, scene.groups[0])
    label = early.keys.label("glucose", early.address)
    index = encoding.encode({"before": ZERO_DIGEST, "streams": [[label, 1, early._pages(early.rows, honest)]]})
    root = scene.world.store.put(index, "dag-cbor")
    scene.world.ledger.send(calls.anchor_batch(waiting.leaf.hash, 1, root.digest), early.client.context.key)
    with pytest.raises(IntegrityError, match="not anchored before it") as caught:
        read(scene.world)
    assert caught.value.party == scene.other.address
    later = Scribe(scene.world, "later")
    amend(later, waiting.digest, scene.groups[0])
    partial = scene.world.patient.read(scene.world.twin, "glucose", "PATRQT", partial=True)
    assert {each.writer for each in partial.amendments.values()} == {later.address}


@pytest.mark.parametrize(("reason", "corrects"), [("", True), (REASON, False)])
def test_a_correction_without_a_reason_and_a_reason_without_a_correction_are_refused(
    scene: Scene, reason: str, corrects: bool
) -> None:
    wrong = amend(scene.other, scene.target if corrects else None, scene.groups[0], reason=reason)
    with pytest.raises(IntegrityError, match="gives a reason if it corrects") as caught:
        read(scene.world)
    assert (caught.value.party, caught.value.block) == (scene.other.address, wrong.digest.hex())


def test_a_correction_in_somebody_else_s_name_is_refused(scene: Scene) -> None:
    """Signed by the scribe's own key, filed in the other's stream, and the other way round."""
    corrected = lie("manifest", put(corrects=scene.target))
    group = scene.groups[0]
    plaintext = encode_readings("glucose", group.readings, REASON)
    scene.other.write(corrected, [group], plaintexts=[plaintext], signer=scene.scribe.client.context.key)
    with pytest.raises(IntegrityError, match="not what its row says") as caught:
        read(scene.world)
    assert caught.value.party == scene.other.address


@pytest.mark.parametrize("replaces", [None, "its own"])
def test_a_correction_that_would_hide_more_than_its_snapshot_hides_nothing(scene: Scene, replaces: str | None) -> None:
    """Another writer's snapshot of the same minutes, and the next hour, stand whatever one correction says."""
    group = scene.groups[0]
    beside = Scribe(scene.world, "beside")
    same = Group(group.period, tuple(replace(each, value=each.value + 7) for each in group.readings))
    beside.write(groups=[same])
    times = None if replaces is None else [each.seconds for hour in scene.groups for each in hour.readings]
    amend(scene.other, scene.target, Group(group.period, ()), times)
    readings = read(scene.world)
    assert forged(readings) == [109.0, 109.5, 101.0, 101.5]
    assert readings.superseded == 2
    both = scene.world.patient.read(scene.world.twin, "glucose", "PATRQT", originals=True)
    assert sorted(forged(both)) == [101.0, 101.5, 102.0, 102.5, 109.0, 109.5]
    assert [each.reason for each in both.amendments.values()] == [REASON]


@pytest.mark.parametrize("names", ["the snapshot", "nothing at all"])
def test_a_correction_by_whose_right_has_ended_corrects_nothing(scene: Scene, names: str) -> None:
    first, second = scene.groups
    now = scene.world.clock()
    scene.other.write(groups=[Group(Period(second.period.start, second.period.start), second.readings[:1])])
    terms = Terms(("glucose",), (), (Action.WRITE,), now, now + DAY, second.period)
    scene.world.patient.consents.grant(scene.world.twin, scene.other.address, terms, scene.other.slot.number)
    amend(scene.other, scene.target if names == "the snapshot" else NOWHERE, first)
    readings = read(scene.world)
    assert (forged(readings), readings.uncounted, readings.amendments) == (HONEST, 1, {})
    again = Scribe(scene.world, "again")
    amend(again, scene.target, first)
    assert forged(read(scene.world)) == CORRECTED


def test_a_writer_whose_newest_index_lost_what_was_corrected_is_named_and_not_who_corrected_it(scene: Scene) -> None:
    amend(scene.other, scene.target, scene.groups[0])
    assert forged(read(scene.world)) == CORRECTED
    scene.scribe.rows, scene.scribe.written = [], []
    scene.scribe.write(groups=scene.groups[1:])
    with pytest.raises(IntegrityError, match="newest index") as caught:
        read(scene.world)
    assert (caught.value.party, caught.value.block) == (scene.scribe.address, scene.target.hex())
    partial = scene.world.patient.read(scene.world.twin, "glucose", "PATRQT", partial=True)
    assert {152.0, 152.5} <= set(forged(partial)), "what was corrected still stands corrected"
    assert list(partial.faults) == [scene.scribe.address]


def test_where_the_snapshot_itself_is_spoilt_its_correction_is_still_read(world: World) -> None:
    scribe, other = Scribe(world), Scribe(world, "other")
    [spoilt, _] = scribe.write(lie("manifest", put(commitment=bytes(32)), 0))
    amend(other, spoilt.digest, scribe.groups()[0])
    partial = world.patient.read(world.twin, "glucose", "PATRQT", partial=True)
    assert forged(partial) == CORRECTED
    assert list(partial.faults) == [scribe.address]


def test_where_the_correction_is_spoilt_the_original_stands_and_the_fault_is_told(scene: Scene) -> None:
    amend(scene.other, scene.target, scene.groups[0], change=lie("manifest", put(commitment=bytes(32))))
    with pytest.raises(IntegrityError):
        read(scene.world)
    partial = scene.world.patient.read(scene.world.twin, "glucose", "PATRQT", partial=True)
    assert forged(partial) == HONEST
    assert list(partial.faults) == [scene.other.address]


def test_a_correction_of_one_that_corrects_nothing_corrects_nothing_but_is_read(scene: Scene) -> None:
    """An owner withdraws what a liar wrote; a read that tolerates faults has what the owner says."""
    wrong = amend(scene.other, scene.written[1].digest, scene.groups[0])
    scene.world.patient.writer.amend(
        wrong.digest, [Reading(scene.groups[0].readings[0].seconds, 99.0, "mmol/L", quality="forged")], REASON
    )
    partial = scene.world.patient.read(scene.world.twin, "glucose", "PATRQT", partial=True)
    assert sorted(forged(partial)) == [99.0, *sorted(HONEST)]
