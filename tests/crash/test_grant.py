"""A grant that dies at any of its writes is given whole or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from dtledger.client.keyrings import granted_keys
from dtledger.errors import AccessDeniedError
from dtledger.ledger import GrantRecord
from tests.crash.deaths import Operation, survived
from tests.crash.operations import grant, grant_slot, import_file
from tests.crash.scene import READINGS, TWIN, Scene

pytestmark = pytest.mark.anvil


@pytest.fixture(scope="module")
def stage(stage: Scene) -> Scene:
    """With readings."""
    import_file(stage.home.root)
    stage.keep()
    return stage


def assert_whole_or_not_there(scene: Scene) -> list[GrantRecord]:
    """Every grant that stands on the ledger has its package in the store, and opens all that it promises."""
    with scene.client("cardiology") as cardiology:
        context = cardiology.context
        records = context.view().slots_of(scene.address("patient"), TWIN, cardiology.address)
        for record in records:
            assert [each.name for each in granted_keys(context, record).categories()] == ["glucose"]
        if records:
            assert len(cardiology.read(TWIN, "glucose", "TREAT")) == READINGS
        else:
            with pytest.raises(AccessDeniedError):
                cardiology.read(TWIN, "glucose", "TREAT")
    return records


def assert_it_can_be_taken_back(scene: Scene) -> None:
    with scene.client("patient") as patient, scene.client("cardiology") as cardiology:
        patient.consents.revoke_all(TWIN)
        with pytest.raises(AccessDeniedError):
            cardiology.read(TWIN, "glucose", "TREAT")


def survive(scene: Scene, operation: Operation, most: int, **how: Any) -> int:
    """Grant again after each death; at most `most` slots are then in use."""

    def whole() -> None:
        assert len(assert_whole_or_not_there(scene)) <= 1
        operation(scene.home.root)
        assert 1 <= len(assert_whole_or_not_there(scene)) <= most
        assert_it_can_be_taken_back(scene)

    return len(survived(operation, scene.home.root, scene.restore, whole, **how))


def test_killed_at_each_write_and_given_again_in_its_slot_it_is_one_grant(scene: Scene) -> None:
    assert survive(scene, grant_slot, most=1) >= 3


def test_killed_at_each_write_and_given_again_without_a_slot_it_is_at_most_twice_there(scene: Scene) -> None:
    assert survive(scene, grant, most=2) >= 3


def test_a_power_cut_at_any_write_leaves_it_whole_or_not_there(scene: Scene) -> None:
    assert survive(scene, grant_slot, most=1, power_cut=True) >= 4


def test_a_grant_whose_package_is_stored_last_does_not_survive(scene: Scene) -> None:
    with pytest.raises(AssertionError, match="killed at write"):
        survive(scene, grant_slot, most=1, broken="grants_before_it_stores")
