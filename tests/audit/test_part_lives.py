"""What befell a twin besides being read is counted too: an emergency, its review, an end that was announced and
cancelled, revocations of everything, blocks. A chain is looked at in part, however short it is.

Each is kept back by an index, by a node that answers as it likes, or taken out of a file; the same without that fault
leaves one claim open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from dtledger._backend.anvil import Anvil
from dtledger.audit import Asked, Bundle, Claim, Question, Receipts, Verdict, export
from dtledger.audit.answer import _Verification
from dtledger.audit.source import Source
from dtledger.client import publish_keyring
from dtledger.encoding import sha256
from dtledger.errors import IntegrityError
from dtledger.ledger import calls
from dtledger.ledger import events as e
from dtledger.ledger.events import Logged
from dtledger.types import Address
from dtledger.vocabulary import Cause, Finding, Kind
from tests.audit.attacks import Lying
from tests.audit.chain_world import DAY, ChainWorld, from_file
from tests.audit.test_long_chains import SURE, telling, verdicts

pytestmark = [pytest.mark.anvil, pytest.mark.slow]


class Lived:
    """A world, what its custodians showed when they had anchored once, and when they had anchored all."""

    def __init__(self, world: ChainWorld) -> None:
        self.world = world
        world.clinician.read(world.twin, "glucose", "TREAT")
        world.anchor_receipts()
        self.before = world.given()
        self._emergency()
        self.medic.read(world.twin, "glucose", "ETREAT")
        world.anchor_receipts()
        patient = world.patient
        for call in (calls.announce_retirement(world.twin), calls.cancel_retirement(world.twin)):
            world.ledger.send(call, patient.context.key)
        patient.consents.block(world.twin, world.clinician.address)
        patient.consents.unblock(world.twin, world.clinician.address)
        for _ in range(2):
            patient.consents.revoke_all(world.twin)
        self.given = world.given()

    def _emergency(self) -> None:
        """A medic of an ambulance opens one, and an auditor reviews it."""
        world = self.world
        self.ambulance = world.join("ambulance")
        self.medic = world.join("medic", [], self.ambulance)
        call = calls.add_guarded_kinds(self.medic.address, Kind.EMERGENCY.mask)
        world.ledger.send(calls.schedule(call), world.operator.context.key)
        world.clock.advance(DAY + 60)
        world.ledger.send(call, world.operator.context.key)
        publish_keyring(self.ambulance.context, [self.medic.address])
        slot, _ = world.patient.emergencies.let(world.twin, self.ambulance.address)
        self.medic.emergencies.open(slot, Cause.OVRINCOMP, "found unconscious")
        auditor = world.join("auditor", [Kind.AUDITOR])
        auditor.emergencies.review(1, Finding.JUSTIFIED)

    def asked(self, **fields: Any) -> Asked:
        said = {"given": self.given, "deployment": self.world.deployment, "pinned": self.world.ledger.head().hash}
        return Asked(Question(twin=self.world.twin, whole=False), **{**said, **fields})

    def audited(self, source: Source | None = None, **fields: Any) -> list[Claim]:
        """The claims, of the node and of a file alike."""
        asked = self.asked(**fields)
        bundle, claims = export(asked, source or self.world.source(), self.world.store)
        assert from_file(bundle, asked)[:-1] == claims
        return claims

    def telling(self, keep: Callable[[Logged], bool]) -> Source:
        return telling(self.world, keep)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """No test changes it."""
    folder = tmp_path_factory.mktemp("audit")
    with Anvil(folder / "anvil", state_interval=3600) as anvil, ChainWorld(anvil, folder, hours=2) as world:
        yield Lived(world)


@pytest.fixture(scope="module")
def bundle(lived: Lived) -> Bundle:
    return export(lived.asked(), lived.world.source(), lived.world.store)[0]


def says(claims: list[Claim], name: str) -> str:
    return next(each.evidence for each in claims if each.name == name)


def test_all_that_befell_it_is_told_from_node_and_file(lived: Lived) -> None:
    claims = lived.audited()
    assert verdicts(claims) == SURE
    assert {"review", "consent", "digests"} <= {each.name for each in claims}


HIDDEN: dict[str, tuple[Callable[[Logged], bool], str]] = {
    "an emergency": (lambda each: isinstance(each.event, e.EmergencyOpened), "storage counts 1 emergencies"),
    "a review": (lambda each: isinstance(each.event, e.EmergencyReviewed), "was reviewed is not told"),
    "an end that was announced": (lambda each: isinstance(each.event, e.RetirementAnnounced), "is not told"),
    "an end and that it was cancelled": (
        lambda each: isinstance(each.event, e.RetirementAnnounced | e.RetirementCancelled),
        "counter",
    ),
    "a block and its end": (lambda each: isinstance(each.event, e.Blocked | e.Unblocked), "another count of blocks"),
    "that everything was revoked": (lambda each: isinstance(each.event, e.AllRevoked), "another epoch"),
}
"""What an index keeps to itself, all of its kind, and what tells."""


@pytest.mark.parametrize("what", HIDDEN)
def test_what_is_kept_back_of_its_life_is_missed(lived: Lived, what: str) -> None:
    matches, tells = HIDDEN[what]
    found = lived.audited(lived.telling(lambda each: not matches(each)))
    failed = [each.evidence for each in found if each.verdict is Verdict.FAIL]
    assert any(tells in each for each in failed), found
    assert verdicts(lived.audited(lived.telling(lambda each: True))) == SURE


def test_the_first_of_two_revocations_of_everything_leaves_open_what_was_read_before_it(lived: Lived) -> None:
    """A denial may skip numbers: what lay between could have been anything."""
    first = next(each for each in lived.world.ledger.history().logged if isinstance(each.event, e.AllRevoked))
    found = lived.audited(lived.telling(lambda each: each.place != first.place))
    assert verdicts(found)["consent"] is Verdict.CANNOT_CHECK
    assert Verdict.FAIL not in verdicts(found).values()


def test_a_block_that_is_kept_back_without_its_end_leaves_open_what_was_read_meanwhile(lived: Lived) -> None:
    """An unblock of who is not blocked leaves the same count."""
    found = lived.audited(lived.telling(lambda each: not isinstance(each.event, e.Blocked)))
    assert verdicts(found) == {**SURE, "consent": Verdict.CANNOT_CHECK}
    assert verdicts(lived.audited(lived.telling(lambda each: True))) == SURE


def test_who_read_in_an_emergency_is_not_hidden_by_an_index_that_keeps_all_of_it_to_itself(lived: Lived) -> None:
    """Receipts name the medic and the ambulance, and storage has what was granted to them."""
    emergency = {lived.ambulance.address, lived.medic.address}

    def keep(each: Logged) -> bool:
        of_it = isinstance(each.event, e.EmergencyOpened | e.EmergencyReviewed)
        return not (of_it or getattr(each.event, "grantee", None) in emergency)

    found = lived.audited(lived.telling(keep))
    assert verdicts(found)["events"] is Verdict.FAIL
    assert "another grant" in says(found, "events")


def test_a_list_as_it_was_at_an_earlier_anchor_is_missed(lived: Lived) -> None:
    """Storage has the newest anchor, whatever an index tells of it."""
    hidden = lived.telling(lambda each: not isinstance(each.event, e.ReceiptsAnchored))
    for source in (lived.world.source(), hidden):
        found = lived.audited(source, given=lived.before)
        assert verdicts(found) == {**SURE, "receipts": Verdict.FAIL}
        assert verdicts(lived.audited(source)) == SURE


def test_a_node_that_tells_of_one_block_at_a_time_hides_nothing(lived: Lived) -> None:
    """Of each question it answers but the first block, but the last, or but none."""
    source = lived.world.source()
    for some in (lambda told: told[1:], lambda told: told[:-1], lambda told: ()):
        lying = Lying(source, places=lambda *asked, some=some: some(list(source.places(*asked))))
        assert verdicts(lived.audited(lying))["events"] is Verdict.FAIL  # type: ignore[arg-type]
    more = Lying(source, places=lambda *asked: [*source.places(*asked), 1, 2, 10**9])
    assert verdicts(lived.audited(more)) == SURE  # type: ignore[arg-type]


def test_a_file_that_leaves_a_block_or_a_batch_out_and_is_made_to_fit_does_not_say_the_same(
    lived: Lived, bundle: Bundle
) -> None:
    """Whoever leaves it out takes with it all that only it needed, so that nothing idle tells. No claim rests on how an
    organisation's key is sealed to its members: that alone may go."""
    expected = _of_kinds(from_file(bundle, lived.asked()))
    asked = replace(lived.asked(), known=lived.world.deployment)

    def unnoticed(**cut: Any) -> bool:
        fitted = _Verification(replace(bundle, **cut), asked).trimmed()
        return _of_kinds(from_file(fitted, lived.asked())) == expected

    assert unnoticed(told=bundle.told)
    blocks = sorted({each for told in bundle.told.values() for each in told})
    gone = []
    for block in blocks:
        told = {name: [each for each in places if each != block] for name, places in bundle.told.items()}
        gone += [block] if unnoticed(told=told) else []
    logged = lived.world.ledger.history().logged
    assert {type(each.event) for each in logged if each.place.block in gone} == {e.KeyringSet}
    assert len(blocks) > 15
    for who, batches in bundle.batches.items():
        assert not batches or not unnoticed(batches={**bundle.batches, who: batches[:-1]})


def _of_kinds(claims: list[Claim]) -> list[tuple[str, str, Verdict]]:
    return [(each.name, each.about, each.verdict) for each in claims]


@pytest.mark.parametrize("part", range(2))
def test_a_byte_of_a_file_that_is_changed_with_the_sum_over_it_changes_what_is_found(
    lived: Lived, bundle: Bundle, part: int
) -> None:
    body, expected = bundle.encode()[:-32], _of_kinds(from_file(bundle, lived.asked()))
    for place in range(part * 397, len(body), len(body) // 8):
        changed = bytearray(body)
        changed[place] ^= 1 << place % 8
        try:
            found = from_file(Bundle.decode(bytes(changed) + sha256(bytes(changed))), lived.asked())
        except IntegrityError:
            continue
        assert _of_kinds(found) != expected, place


def test_a_list_that_a_file_has_for_another_custodian_is_not_that_ones(lived: Lived) -> None:
    first, second = list(lived.given.lists)[:2]
    swapped: dict[Address, Any] = {**lived.given.lists, first: lived.given.lists[second]}
    assert isinstance(swapped[first], Receipts)
    found = lived.audited(given=replace(lived.given, lists=swapped))
    assert verdicts(found) == {**SURE, "receipts": Verdict.FAIL}
