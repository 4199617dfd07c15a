"""A commitment that dies at any of its writes is made whole or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from dtledger.client import ModelCard, Terms
from dtledger.errors import DtledgerError
from dtledger.ledger.rejections.models import AlreadyCommittedError
from dtledger.models.update import commitment
from dtledger.types import Digest, Period
from dtledger.vocabulary import Action, Kind, Purpose
from tests.crash.deaths import deaths
from tests.crash.operations import commit_update
from tests.crash.scene import DAY, OPERATOR, TWIN, Scene

pytestmark = pytest.mark.anvil


@pytest.fixture(scope="module")
def stage(stage: Scene) -> Scene:
    """With a model of the hospital's, which cardiology may train on the patient's twin, and a round of it."""
    with stage.client(OPERATOR) as operator:
        operator.members.set_kinds(stage.address("hospital"), Kind.COORDINATOR.mask)
        operator.members.set_kinds(stage.address("cardiology"), Kind.RESEARCHER.mask)
    with stage.client("patient") as patient, stage.client("hospital") as hospital:
        now = patient.context.clock()
        period = Period(0, now // 60)
        terms = Terms(("glucose",), (Purpose.HRESCH,), (Action.TRAIN,), now - DAY, now + DAY, period)
        patient.consents.grant(TWIN, stage.address("cardiology"), terms)
        card = ModelCard("cgm-forecast")
        named, _ = hospital.models.register(card, Purpose.HRESCH, ["glucose"], minimum_cohort=1, budget=1000)
        hospital.models.open_round(named.model, Digest(b"\7" * 32))
    stage.keep()
    return stage


def assert_whole_or_not_there(scene: Scene) -> int:
    """An update that stands can be opened, and is found by the patient; returns how many there are."""
    with scene.client("cardiology") as site, scene.client("patient") as patient:
        updates = site.context.view().updates(1, 1)
        for update in updates:
            opening = site.training.opening(site.models.find(1).model, 1)
            assert commitment(opening.salt, [b"an update"]) == update.update
            assert [each.trained.twin for each in opening.shown] == [TWIN]
        uses = patient.models.used(TWIN)
        assert [each.update for each in uses.found] == updates
        assert not uses.unseen
        return len(updates)


def survive(scene: Scene, **how: Any) -> int:
    """Commit again after each death, unless the ledger had it already."""
    died = 0
    for death in deaths(commit_update, scene.home.root, scene.restore, **how):
        died += 1
        try:
            if assert_whole_or_not_there(scene):
                with scene.client("cardiology") as site, pytest.raises(AlreadyCommittedError):
                    site.training.commit(site.models.find(1).model, [b"an update"], epsilon=1)
            else:
                commit_update(scene.home.root)
            assert assert_whole_or_not_there(scene) == 1
        except (AssertionError, DtledgerError) as error:
            raise AssertionError(f"{death}: {error}") from error
    return died


def test_killed_at_each_write_it_is_made_or_can_be_made_again(scene: Scene) -> None:
    assert survive(scene) >= 4


def test_a_power_cut_at_any_write_leaves_it_whole_or_not_there(scene: Scene) -> None:
    assert survive(scene, power_cut=True) >= 6


def test_a_commitment_whose_blocks_are_stored_last_does_not_survive(scene: Scene) -> None:
    with pytest.raises(AssertionError, match="killed at write"):
        survive(scene, broken="grants_before_it_stores")
