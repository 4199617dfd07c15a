"""Research terms go with a grant to train to whoever trains, and on to whoever uses what is made; on no ledger."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtledger.client import Terms
from dtledger.client.research import research_of, understood
from dtledger.encoding import CID, decode, encode
from dtledger.errors import CannotCheckError, InputError, IntegrityError
from dtledger.ledger import GrantRecord
from dtledger.snapshots.research import Research, commitment_of, opened_by_owner
from dtledger.types import Period
from dtledger.vocabulary import Action, Purpose, use_term
from tests.models.scene import AGGREGATE, DAY, Patient, Scene

TERMS = ("DUO:0000007=MONDO:0005148", "DUO:0000018")


@pytest.fixture
def ann(scene: Scene) -> Patient:
    patient = scene.patient("ann under terms")
    patient.let_train(scene.sites[0], research=["NPUNCU", "DS=MONDO:0005148"])
    return patient


def record(scene: Scene, patient: Patient) -> GrantRecord:
    (found,) = patient.client.consents.records(patient.twin)
    return found


class TestTerms:
    def test_are_read_by_owner_and_grantee_and_nobody_else(self, scene: Scene, ann: Patient) -> None:
        grant = record(scene, ann)
        assert research_of(ann.client.context, grant) == TERMS
        assert research_of(scene.sites[0].context, grant) == TERMS
        block = scene.world.store.get(CID(grant.package))
        for term in ("DUO:0000018", "NPUNCU", "MONDO"):
            assert term.encode() not in block
        with pytest.raises(CannotCheckError):
            research_of(scene.sites[1].context, grant)

    def test_do_not_show_outside_whether_there_are_any(self, scene: Scene, ann: Patient) -> None:
        packages = [scene.world.store.get(CID(record(scene, each).package)) for each in (ann, scene.patients[0][0])]
        one, other = map(decode, packages)
        assert one.keys() == other.keys() == {"package", "research", "own"}
        assert [len(one[key]) for key in one] == [len(other[key]) for key in other]

    def test_are_kept_when_a_grant_is_renewed_or_sealed_anew(self, scene: Scene, ann: Patient) -> None:
        slot = record(scene, ann).slot
        ann.client.consents.renew(slot, scene.world.clock() + 90 * DAY)
        assert research_of(scene.sites[0].context, record(scene, ann)) == TERMS
        ann.client.consents.reseal(slot)
        assert research_of(scene.sites[0].context, record(scene, ann)) == TERMS
        assert tuple(map(str, ann.client.consents.terms_of(record(scene, ann)).research)) == TERMS

    def test_are_not_dropped_by_a_version_that_does_not_know_them(self) -> None:
        assert tuple(map(str, understood(TERMS))) == TERMS
        with pytest.raises(CannotCheckError, match="does not know the research term DUO:0009999"):
            understood([*TERMS, "DUO:0009999"])

    def test_are_not_dropped_while_the_package_is_away(self, scene: Scene, ann: Patient) -> None:
        grant = record(scene, ann)
        block = scene.world.store.get(CID(grant.package))
        scene.world.store.remove([CID(grant.package)])
        with pytest.raises(Exception, match="does not have the block"):
            ann.client.consents.renew(grant.slot, scene.world.clock() + 90 * DAY)
        scene.world.store.put(block, "dag-cbor")
        ann.client.consents.renew(grant.slot, scene.world.clock() + 90 * DAY)

    def test_of_another_hash_than_the_blocks_are_refused(self, scene: Scene, ann: Patient) -> None:
        """What the owner keeps beside a package cannot be exchanged for what it kept beside another."""
        context, first = ann.client.context, record(scene, ann)
        ann.let_train(scene.sites[0], research=["NCU"], number=0)
        second = record(scene, ann)
        old, new = (decode(context.store.get(CID(each.package))) for each in (first, second))
        keys = context.key.secrets.seal_keys
        mixed = encode({**new, "own": old["own"]})
        with pytest.raises(IntegrityError, match="do not open"):
            opened_by_owner(context.deployment, second.slot, mixed, keys)
        whole = opened_by_owner(context.deployment, second.slot, encode(new), keys)
        assert whole is not None
        assert whole.terms == ("DUO:0000046",)

    def test_have_a_hash_that_cannot_be_guessed(self, scene: Scene, ann: Patient) -> None:
        grant, deployment = record(scene, ann), scene.world.ledger.deployment
        there = commitment_of(scene.world.store.get(CID(grant.package)))
        assert Research(TERMS, bytes(32)).commitment(deployment, grant.slot) != there
        shown = scene.sites[0].context
        from dtledger.client.keyrings import granted_keys

        research = granted_keys(shown, grant).research
        assert research is not None
        assert research.commitment(deployment, grant.slot) == there


class TestWhoTrains:
    def test_is_told_the_terms_of_all_consents_and_hands_them_on(self, scene: Scene, ann: Patient) -> None:
        site, model = scene.sites[0], scene.model.model
        scene.patient("bob under terms", None).let_train(site, research=["NCU"])
        scene.round()
        plan = site.training.plan(model)
        assert plan.research == (*TERMS, "DUO:0000046")
        told, _ = site.training.commit_to(plan, [b"update"], 1)
        assert told.research == plan.research
        shown = site.training.opening(model, 1).shown
        assert [each.research.terms for each in shown if each.research] == [(), (), TERMS, ("DUO:0000046",)]
        scene.commit(scene.sites[1])
        scene.finalise()
        release = scene.coordinator.models.release(scene.model, 1, {"weights.bin": [AGGREGATE]})
        assert release.origin.research == plan.research

    def test_is_not_told_terms_of_an_update_that_was_left_out(self, scene: Scene, ann: Patient) -> None:
        scene.round()
        for site in scene.sites:
            scene.commit(site)
        scene.coordinator.models.finalise(scene.model.model, [AGGREGATE], [scene.sites[0].address])
        assert scene.coordinator.models.release(scene.model, 1, {"w": [AGGREGATE]}).origin.research == ()


GOOD = Terms(("glucose",), (Purpose.HRESCH,), (Action.TRAIN,), 0, DAY, Period(0, 1))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"actions": (Action.READ,)}, "go with a grant to train"),
        ({"purposes": (Purpose.TREAT,)}, "no purpose of the grant is one"),
        ({"research": (use_term("CC"),)}, "needs a purpose of care"),
        ({"research": tuple(use_term(f"MOR=day {day}") for day in range(17))}, "at most 16"),
    ],
)
def test_terms_that_the_rest_of_a_grant_contradicts_are_refused(changes: dict[str, object], told: str) -> None:
    good = replace(GOOD, research=(use_term("HMB"), use_term("TS"), use_term("IS")))
    with pytest.raises(InputError, match=told):
        replace(good, **changes)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("DUO:0000001", "unknown term"),
        ("", "unknown term"),
        ("DS", "which disease"),
        ("NPUNCU=always", "takes no value"),
        ("DS=a\nb", "printable"),
        ("DS=" + "x" * 121, "at most 120"),
    ],
)
def test_a_term_that_is_none_is_refused(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        use_term(text)
    assert str(use_term("duo_0000018")) == str(use_term("npuncu")) == "DUO:0000018"
