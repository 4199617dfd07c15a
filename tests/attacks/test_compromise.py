"""Covers and custodians: whole secret stores of each party, and of every pair, given to an attacker who asks nobody.

`test_compromise_table` measures what more parties open who do ask, over a longer story.

A store, fewer than t custodians, a revoked grantee, each alone or all together with every package that they ever held,
open nothing. t custodians together with whoever ever held a cover open that cover's window, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

import pytest

from dtledger.client import Client, Terms, publish_keyring, writing_terms
from dtledger.ledger import calls
from dtledger.readings import Reading
from dtledger.testing import MemoryKey, World
from dtledger.types import Digest, Period
from dtledger.vocabulary import Action, Kind, Purpose

from .attacker import NOTHING, Loot, of_custodian, of_member, opened, together

pytestmark = pytest.mark.slow  # each in a world of its own

DAY = 86_400
THRESHOLD = 2


@dataclass(frozen=True)
class Scene:
    """Three hours of glucose and of heart-rate. A doctor's grant, for the last two hours of glucose, was revoked; the
    clinician's for all glucose stands; the hospital's, for all heart-rate, was used by a leaver; the researcher's is
    for the first hour of glucose, and the gateway's to write for everything."""

    world: World
    parties: dict[str, Loot]
    glucose: tuple[Digest, ...]
    heart_rate: tuple[Digest, ...]

    def loot(self, *names: str) -> Loot:
        return together(self.parties[name] for name in names)

    def opened(self, *names: str) -> set[Digest]:
        return set(opened(self.world, self.loot(*names)))


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with World(hours=3, threshold=THRESHOLD) as world:
        yield _scene(world)


def _scene(world: World) -> Scene:
    now, patient = world.clock(), world.patient
    first = world.readings[0].minute
    writing = writing_terms(["glucose", "heart-rate"], now, 30 * DAY, back_to=first)
    patient.consents.grant(world.twin, world.gateway.address, writing, 0)
    beats = [Reading(each.seconds, 60.0 + place, "/min") for place, each in enumerate(world.readings)]
    world.gateway.writer.put(world.twin, "heart-rate", beats)
    glucose, heart_rate = (
        tuple(each.found.digest for group in patient.snapshots.list(world.twin, name) for each in group)
        for name in ("glucose", "heart-rate")
    )
    periods = [each.found.manifest.period for group in patient.snapshots.list(world.twin, "glucose") for each in group]

    def grant(who: Client, category: str, data: Period, action: Action, purpose: Purpose) -> None:
        terms = Terms((category,), (purpose,), (action,), now, now + DAY, data)
        patient.consents.grant(world.twin, who.address, terms, 0)

    researcher, leaver = world.join("researcher", [Kind.RESEARCHER]), world.join("leaver", [], world.hospital)
    doctor = world.join("doctor", [Kind.CLINICIAN])
    grant(doctor, "glucose", Period(periods[1].start, periods[2].end), Action.READ, Purpose.TREAT)
    grant(researcher, "glucose", periods[0], Action.TRAIN, Purpose.HRESCH)
    grant(world.hospital, "heart-rate", Period(0, 2**30 - 1), Action.READ, Purpose.TREAT)
    publish_keyring(world.hospital.context, [leaver.address])
    for consent in patient.consents.records(world.twin):
        if consent.slot.grantee == doctor.address:
            patient.consents.revoke(consent.slot)
    world.ledger.send(calls.dismiss(leaver.address), world.hospital.context.key)
    custodians = {
        f"custodian {place}": of_custodian(each, world) for place, each in enumerate(world.custodians, start=1)
    }
    parties = {
        "store": NOTHING,
        "gateway": of_member(world.gateway),
        "clinician": of_member(world.clinician),
        "doctor": of_member(doctor),
        "researcher": of_member(researcher),
        "hospital": of_member(world.hospital),
        "leaver": of_member(leaver),
        "operator": of_member(world.operator),
        "patient": of_member(patient),
        **custodians,
    }
    return Scene(world, parties, glucose, heart_rate)


CUSTODIANS = ("custodian 1", "custodian 2", "custodian 3")
READERS = ("gateway", "clinician", "doctor", "researcher", "hospital", "leaver")
"""Whoever ever held a cover."""


# nothing --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("party", ["store", "operator", "patient", *READERS, *CUSTODIANS])
def test_no_party_alone_opens_anything(party: str, scene: Scene) -> None:
    assert scene.opened(party) == set()


def test_a_cover_and_the_store_open_nothing_without_the_custodians(scene: Scene) -> None:
    """Everybody who ever held a cover, the owner with the whole tree among them."""
    assert scene.opened("store", "operator", "patient", *READERS) == set()


@pytest.mark.parametrize("custodian", CUSTODIANS)
def test_fewer_than_t_custodians_with_everybody_else_open_nothing(custodian: str, scene: Scene) -> None:
    assert scene.opened("store", "operator", "patient", *READERS, custodian) == set()


def test_custodians_alone_open_nothing(scene: Scene) -> None:
    """All of them, with the store, the operator and every governance key, but without a cover."""
    assert scene.opened("store", "operator", *CUSTODIANS) == set()


# that window ----------------------------------------------------------------------------------------------------------

WINDOWS: dict[str, Callable[[Scene], set[Digest]]] = {
    "clinician": lambda scene: set(scene.glucose),
    "doctor": lambda scene: set(scene.glucose[1:]),
    "researcher": lambda scene: set(scene.glucose[:1]),
    "hospital": lambda scene: set(scene.heart_rate),
    "leaver": lambda scene: set(scene.heart_rate),
    "gateway": lambda scene: set(scene.glucose + scene.heart_rate),
    "patient": lambda scene: set(scene.glucose + scene.heart_rate),
}


@pytest.mark.parametrize("pair", list(combinations(CUSTODIANS, THRESHOLD)))
@pytest.mark.parametrize("party", WINDOWS)
def test_t_custodians_with_a_holder_of_a_cover_open_its_window_and_no_more(
    party: str, pair: tuple[str, ...], scene: Scene
) -> None:
    assert scene.opened(party, *pair) == WINDOWS[party](scene)


def test_two_holders_of_covers_open_both_windows_and_no_more(scene: Scene) -> None:
    assert scene.opened("doctor", "researcher", *CUSTODIANS) == set(scene.glucose)
    assert scene.opened("researcher", "leaver", *CUSTODIANS) == {scene.glucose[0], *scene.heart_rate}


def test_what_is_opened_is_what_was_written(scene: Scene) -> None:
    """The witness: an attacker who finds nothing elsewhere does find it here."""
    found = opened(scene.world, scene.loot("patient", *CUSTODIANS))
    assert len(found) == 6
    assert all(b"glucose" in found[digest] for digest in scene.glucose)
    assert all(b"heart-rate" in found[digest] for digest in scene.heart_rate)


# what comes later -----------------------------------------------------------------------------------------------------


def test_what_is_written_after_a_revocation_stays_shut_to_the_revoked_and_its_t_custodians_until_its_cover_ends(
    world: World,
) -> None:
    """Said plainly: a cover is not taken back. Within its window it opens, with t custodians, what comes later; beyond
    its window nothing does."""
    custodians = together(of_custodian(each, world) for each in world.custodians)
    now, minute = world.clock(), world.readings[-1].minute
    terms = Terms(("glucose",), (Purpose.TREAT,), (Action.READ,), now, now + DAY, Period(0, minute + 60))
    grantee = world.join("grantee")
    slot, _ = world.patient.consents.grant(world.twin, grantee.address, terms)
    world.patient.consents.revoke(slot)
    before = set(opened(world, custodians + of_member(grantee)))
    for hours in (1, 2):
        world.clock.advance(3600)
        reading = Reading(world.clock() - 1800, 5.0, "mmol/L", quality=f"later-{'x' * hours}")
        world.gateway.writer.put(world.twin, "glucose", [reading])
    after = opened(world, custodians + of_member(grantee))
    assert [b"later-x" in after[digest] for digest in after.keys() - before] == [True]
    assert not any(b"later-xx" in each for each in after.values())


def test_custodians_that_replaced_t_of_the_old_open_nothing_of_the_old(world: World) -> None:
    """A new roster holds shares of what is written under it alone."""
    old = together(of_custodian(each, world) for each in world.custodians)
    assert opened(world, old + of_member(world.patient)), "the old ones open what was sealed to them"
    fresh = [world.join(f"fresh-{number}", [Kind.CUSTODIAN]) for number in range(2)]
    assert not opened(world, together(of_member(each) for each in fresh) + of_member(world.patient))


def test_another_twin_of_the_same_people_has_nothing_in_common(world: World) -> None:
    """Pairs are drawn for each twin and owner, and so are trees."""
    neighbour = world.client(MemoryKey("neighbour"))
    twin, _ = world.operator.twins.mint(neighbour.twins.request_mint())
    neighbour.twins.set_up(twin, [each.address for each in world.custodians], THRESHOLD)
    neighbour.writer.put(twin, "glucose", world.readings)
    theirs = {each.found.digest for group in neighbour.snapshots.list(twin, "glucose") for each in group}
    mine = together(of_custodian(each, world) for each in world.custodians) + of_member(world.patient)
    assert set(opened(world, mine)).isdisjoint(theirs)
    pairs = Loot(pairs=tuple(pair for each in world.custodians for pair in each._twin_keys.all_of(twin)))
    assert theirs == set(opened(world, pairs + of_member(neighbour)))
    assert not opened(world, pairs + of_member(world.patient))
