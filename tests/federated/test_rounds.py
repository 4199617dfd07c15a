"""Rounds over Flower's apps, in one process: what is trained, what is read, what the ledger has of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from flwr.serverapp.strategy import FedAdam, FedMedian

from dtledger._backend.call_codec import encode_call
from dtledger.federated.arrays import encode_arrays
from dtledger.ledger import calls
from dtledger.models.update import digest_of
from tests.federated.scene import EPSILON, START, Scene, plain_run


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return b"".join(encode_arrays(one)) == b"".join(encode_arrays(other))


class TestARound:
    def test_makes_the_weights_that_are_made_without_it(self, scene: Scene) -> None:
        assert same(scene.run(3), plain_run(scene, 3))

    def test_is_on_the_ledger_with_its_cohorts_and_epsilon(self, scene: Scene) -> None:
        made = scene.run(2)
        view = scene.world.ledger.view()
        assert scene.cohorts(2) == [2, 3]
        assert {each.epsilon for each in view.updates(scene.model, 2)} == {EPSILON}
        aggregate = view.aggregate(scene.model, 2)
        assert aggregate is not None
        assert aggregate.aggregate == digest_of(encode_arrays(made))

    def test_leaves_receipts_of_training_with_every_patient(self, scene: Scene) -> None:
        scene.run(1)
        for hospital in scene.hospitals:
            for twin, patient in hospital.patients.items():
                looked = patient.twins.who_looked(twin).looks
                assert [(each.requester, each.action.name) for each in looked] == [(hospital.client.address, "TRAIN")]

    def test_lacks_who_withdrew_before_it(self, scene: Scene) -> None:
        hospital = scene.hospitals[1]
        (twin, *_) = hospital.patients
        scene.run(1)
        hospital.withdraw(twin)
        scene.run(1)
        assert [scene.cohorts(1), scene.cohorts(2)] == [[2, 3], [2, 2]]
        found = hospital.patients[twin].models.used(twin).found
        assert [each.update.round for each in found] == [1]

    @pytest.mark.parametrize("first", [1, 2, 3])
    def test_goes_on_from_where_a_retraining_put_the_model_back(self, scene: Scene, first: int) -> None:
        """Whatever was made since is built upon no more, and the same patients teach it the same again."""
        made = [scene.run(1) for _ in range(3)]
        view = scene.world.ledger.view()
        model, parent = view.model(scene.model), view.rounds(scene.model)[first - 1].parent
        assert model is not None
        scene.coordinator.models.remediate(model, first, True, "a consent was withdrawn")
        assert digest_of(encode_arrays(scene.leading().start(START))) == parent
        assert same(scene.run(1), made[first - 1])
        opened = scene.world.ledger.view().rounds(scene.model)[-1]
        assert (opened.number, opened.base, opened.parent) == (4, first - 1, parent)

    @pytest.mark.parametrize("fresh", [True, False])
    def test_forgets_who_withdrew(self, scene: Scene, fresh: bool) -> None:
        hospital, sites = scene.hospitals[1], scene.sites(fresh=fresh)
        (twin, *_) = hospital.patients
        scene.run(1, sites=sites)
        hospital.withdraw(twin)
        scene.run(1, sites=sites)
        assert scene.cohorts(2) == [2, 2]
        assert twin not in sites[1]._held

    def test_reads_what_does_not_change_once(self, scene: Scene) -> None:
        sites = scene.sites(fresh=False)
        made = scene.run(3, sites=sites)
        (twin, *_), (patient, *_) = scene.hospitals[0].patients, scene.hospitals[0].patients.values()
        assert len(patient.twins.who_looked(twin).looks) == 1
        assert same(made, plain_run(scene, 3))

    def test_is_of_the_twins_that_the_site_chose(self, scene: Scene) -> None:
        chosen = sorted(scene.hospitals[1].patients)[1:]
        scene.run(1, sites=[scene.site(0), scene.site(1, twins=chosen)])
        assert scene.cohorts(1) == [2, 2]

    def test_puts_160_bytes_of_a_site_onto_the_ledger(self, scene: Scene) -> None:
        scene.run(1)
        (update, *_) = scene.world.ledger.view().updates(scene.model, 1)
        said = calls.Contribution(scene.model, 1, update.cohort, update.epsilon)
        call = calls.commit_update(update.update, update.parent, update.consents, update.record, said)
        assert len(encode_call(call)) - 4 <= 160

    @pytest.mark.parametrize("inner", [FedMedian, FedAdam])
    def test_goes_with_any_strategy(self, scene: Scene, inner: Any) -> None:
        made = scene.run(1, strategy=scene.strategy(inner(fraction_evaluate=0.0)))
        assert all(np.isfinite(each).all() for each in made.values())
        assert scene.world.ledger.view().aggregate(scene.model, 1) is not None
