"""A medic's client that dies at any write of opening in an emergency: told once or not at all, read by the next try,
and never without its event."""

from __future__ import annotations

import time

import pytest

from dtledger.client import publish_keyring
from dtledger.client.devnet import OPERATOR
from dtledger.errors import AccessDeniedError, DtledgerError
from dtledger.ledger import calls
from dtledger.types import ZERO_ADDRESS
from dtledger.vocabulary import Kind, Reason
from tests.crash.deaths import deaths
from tests.crash.operations import LATER, break_glass, import_file, later
from tests.crash.scene import READINGS, TWIN, Scene

pytestmark = pytest.mark.anvil


@pytest.fixture(scope="module")
def stage(stage: Scene) -> Scene:
    """With readings, and an ambulance that the patient lets break the glass."""
    import_file(stage.home.root)
    for name in ("ambulance", "medic"):
        stage.devnet.key(name)
    stage.devnet.fund()
    with stage.client(OPERATOR) as operator, stage.client("ambulance") as ambulance, stage.client("medic") as medic:
        operator.members.enrol(ambulance.members.card("ambulance", ZERO_ADDRESS, ""), [])
        card = medic.members.card("medic", ambulance.address, "ambulance")
        operator.members.enrol(card, [], ambulance.members.agree(card))
        call = calls.add_guarded_kinds(medic.address, Kind.EMERGENCY.mask)
        operator.context.ledger.send(calls.schedule(call), operator.context.key)
        stage.devnet.anvil.rpc("evm_setTime", int(time.time()) + LATER)
        operator.context.ledger.send(call, operator.context.key)
        publish_keyring(ambulance.context, [medic.address])
        with stage.client("patient") as patient:
            patient.emergencies.let(TWIN, ambulance.address)
    stage.keep()
    return stage


def opened(scene: Scene) -> int:
    """How many openings the patient sees; without one nothing is read."""
    with later(scene.home.root, "patient") as patient:
        openings = patient.emergencies.openings(TWIN)
        assert [patient.emergencies.words(each.opening) for each in openings] == ["found unconscious"] * len(openings)
    with later(scene.home.root, "medic") as medic:
        try:
            assert len(medic.read(TWIN, "glucose", "ETREAT")) == READINGS
            read = None
        except AccessDeniedError as error:
            read = error.reason
    assert read is (None if openings else Reason.EMERGENCY_CLOSED)
    return len(openings)


def test_killed_at_each_write_it_is_told_once_and_read_by_the_next_try(scene: Scene) -> None:
    died = 0
    for death in deaths(break_glass, scene.home.root, lambda: scene.restore_later(LATER)):
        died += 1
        try:
            assert opened(scene) <= 1
            break_glass(scene.home.root)
            assert opened(scene) == 1
        except (AssertionError, DtledgerError) as error:
            raise AssertionError(f"{death}: {error}") from error
    assert died >= 8
