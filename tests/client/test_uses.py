"""A patient's look: each round that was trained on the twin is found, and what cannot be looked into is said."""

from __future__ import annotations

import pytest

from dtledger.encoding import CID
from dtledger.errors import KeyFileError, UnreachableError
from dtledger.ledger import Update, calls
from dtledger.ledger.calls import Contribution
from dtledger.models import consents
from dtledger.models.opening import Opening
from dtledger.models.update import UpdateRecord
from dtledger.store import BlockMissingError
from dtledger.types import Digest
from tests.models.scene import START, Patient, Scene


def updates(scene: Scene, number: int = 1) -> list[Update]:
    return scene.world.ledger.view().updates(scene.model.model.number, number)


def found(patient: Patient) -> list[tuple[int, int, str]]:
    """Model, round and site of each use."""
    uses = patient.client.models.used(patient.twin)
    assert uses.unseen == ()
    return [(each.update.model, each.update.round, each.update.site) for each in uses.found]


class TestAPatient:
    def test_finds_each_round_that_used_the_twin_and_no_other(self, scene: Scene) -> None:
        (one, other), ((ann, bob), (carl, _)) = scene.sites, scene.patients
        ann.let_train(other)
        stranger = scene.patient("stranger")
        scene.run()
        scene.round()
        scene.commit(one, twins=[bob.twin])
        scene.commit(other, twins=[ann.twin, carl.twin])
        assert found(ann) == [(1, 1, one.address), (1, 1, other.address), (1, 2, other.address)]
        assert found(bob) == [(1, 1, one.address), (1, 2, one.address)]
        assert found(carl) == [(1, 1, other.address), (1, 2, other.address)]
        assert found(stranger) == []

    def test_sees_what_was_made_of_it_once_it_was_made(self, scene: Scene) -> None:
        ann = scene.patients[0][0]
        scene.round()
        scene.commit(scene.sites[0])
        (use,) = ann.client.models.used(ann.twin).found
        assert (use.model, use.aggregate) == (scene.model, None)
        scene.finalise()
        (use,) = ann.client.models.used(ann.twin).found
        assert use.aggregate == scene.world.ledger.view().aggregate(1, 1)

    def test_finds_it_in_every_model(self, scene: Scene) -> None:
        site, ann = scene.sites[0], scene.patients[0][0]
        other = scene.model_of("other")
        scene.coordinator.models.open_round(other.model, START)
        site.training.commit(other.model, [b"update"], 1, [ann.twin])
        assert found(ann) == [(2, 1, site.address)]
        assert found(scene.patients[0][1]) == []

    def test_finds_it_under_an_organisations_grant(self, scene: Scene) -> None:
        institute, site = scene.institute()
        dora = scene.patient("dora", institute)
        scene.round()
        scene.commit(site)
        assert found(dora) == [(1, 1, site.address)]

    def test_finds_it_under_each_generation_after_the_consent_is_gone(self, scene: Scene) -> None:
        site, ann = scene.sites[0], scene.patients[0][0]
        context, consents = ann.client.context, ann.client.consents
        scene.run()
        secrets = context.key.secrets.twin(context.deployment.id, ann.twin).with_generation(1, b"\1" * 32)
        context.key.update(lambda held: held.with_twin(context.deployment.id, ann.twin, secrets))
        (record,) = consents.records(ann.twin)
        consents.reseal(record.slot)
        scene.run()
        consents.revoke(record.slot)
        assert found(ann) == [(1, 1, site.address), (1, 2, site.address)]

    def test_is_told_of_updates_that_cannot_be_looked_into(self, scene: Scene) -> None:
        ann, store, deployment = scene.patients[0][0], scene.world.store, scene.world.ledger.deployment
        scene.run(3)
        (first, _), (second, _), (third, other) = (updates(scene, number) for number in (1, 2, 3))
        leaves = UpdateRecord.read(deployment, store.get(CID(first.record)))[0].leaves
        assert len(found(ann)) == 3
        store.remove([leaves])
        store.damage(CID(second.record))
        store.remove([CID(other.record)])
        uses = ann.client.models.used(ann.twin)
        assert uses.unseen == (first, second, other)
        assert [each.update for each in uses.found] == [third]

    @pytest.mark.parametrize("fault", ["", "leaves of its choice", "another's signature"])
    def test_is_told_of_leaves_that_are_not_what_was_committed_to(self, scene: Scene, fault: str) -> None:
        (site, other), ann = scene.sites, scene.patients[0][0]
        context, number = site.context, scene.round()
        plan = site.training.plan(scene.model.model)
        opening = Opening(1, 1, site.address, bytes(32), plan.shown)
        leaves = consents.ordered(opening.leaf(context.deployment, each) for each in plan.shown)
        shown = [Digest(b"\1" * 32)] if fault == "leaves of its choice" else leaves
        cid = context.store.put(consents.encode_leaves(shown), "dag-cbor")
        record = UpdateRecord(1, 1, START, number.parent, consents.root(leaves), cid, 2, 1, b"")
        signer = other if fault == "another's signature" else site
        block = context.store.put(record.sign(context.deployment, signer.context.key), "dag-cbor").digest
        said = Contribution(1, 1, 2, 1)
        context.ledger.send(calls.commit_update(START, number.parent, record.consents, block, said), context.key)
        uses = ann.client.models.used(ann.twin)
        assert (len(uses.found), len(uses.unseen)) == ((0, 1) if fault else (1, 0))

    def test_is_not_told_that_there_is_nothing_while_the_store_is_silent(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ann = scene.patients[0][0]
        scene.run()

        def silent(cid: CID) -> bytes:
            raise UnreachableError("the store does not answer")

        with monkeypatch.context() as patched:
            patched.setattr(scene.world.store, "get", silent)
            with pytest.raises(UnreachableError) as caught:
                ann.client.models.used(ann.twin)
            assert not isinstance(caught.value, BlockMissingError)
        assert len(found(ann)) == 1

    def test_looks_with_the_key_that_holds_the_twins_secrets(self, scene: Scene) -> None:
        ann, bob = scene.patients[0]
        with pytest.raises(KeyFileError):
            bob.client.models.used(ann.twin)
        scene.run()
        with pytest.raises(KeyFileError):
            bob.client.models.used(ann.twin)
        assert found(ann)
