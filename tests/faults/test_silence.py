"""A node that falls silent in the midst of an operation: the next run finds what was done, and does not do it twice."""

from __future__ import annotations

import pytest

from dtledger._backend.evm import EvmLedger
from dtledger._backend.migrations import read_deployment
from dtledger.client.devnet import PROFILE
from dtledger.config import Settings
from dtledger.errors import UnreachableError
from tests.crash.scene import TWIN, Scene, open_client, reading_terms
from tests.crash.test_put import assert_all_there_once, assert_nothing_half_done
from tests.faults.nodes import silent_after

pytestmark = pytest.mark.anvil


@pytest.fixture(scope="module")
def stage(ground: Scene) -> Scene:
    """Nothing is written yet."""
    ground.restart()
    return ground


def impatient(scene: Scene) -> EvmLedger:
    """The scene's node, of whose blocks nobody waits long."""
    settings = Settings.load(scene.home, {"profile": PROFILE}, env={})
    deployment = read_deployment(scene.home.deployments / f"{settings.deployment}.json")
    cache = scene.home.ledger_cache / f"{deployment.id}.db"
    return EvmLedger(settings.rpc_url, deployment, cache, receipt_timeout=0.05)


def put(scene: Scene) -> None:
    with open_client(scene.home, "gateway", ledger=impatient(scene)) as gateway:
        gateway.writer.put(TWIN, "glucose", scene.readings, batch=2)


def grant(scene: Scene) -> None:
    with open_client(scene.home, "patient", ledger=impatient(scene)) as patient:
        terms = reading_terms(scene.home, patient.context.clock())
        patient.consents.grant(TWIN, scene.address("cardiology"), terms, 0)


def survive(scene: Scene, step: int) -> int:
    """Put on a node that answers so many requests and no more, then on one that speaks; returns how many a put asks."""
    count = 0
    while True:
        scene.restore()
        with silent_after(count):
            try:
                put(scene)
            except UnreachableError:
                pass
            else:
                return count
        assert_nothing_half_done(scene)
        put(scene)
        assert_all_there_once(scene)
        count += step


def test_a_put_is_as_if_the_node_had_spoken_all_the_time(scene: Scene) -> None:
    assert survive(scene, 5) > 20


@pytest.mark.slow
def test_a_put_is_as_if_the_node_had_spoken_wherever_it_fell_silent(scene: Scene) -> None:
    assert survive(scene, 1) > 20


def test_a_batch_that_still_waits_for_its_block_is_not_anchored_twice(scene: Scene) -> None:
    anvil = scene.devnet.anvil
    anvil.rpc("evm_setAutomine", False)
    try:
        with pytest.raises(UnreachableError, match="No block took"):
            put(scene)
        with pytest.raises(UnreachableError, match="No block took"):  # the same again, for a higher fee
            put(scene)
    finally:
        anvil.rpc("evm_setAutomine", True)
        anvil.rpc("evm_mine")
    put(scene)
    assert_all_there_once(scene)


def test_a_grant_whose_answer_was_lost_is_one_grant_when_given_again_in_its_slot(scene: Scene) -> None:
    with silent_after(10**6) as asked:
        grant(scene)
    scene.restore()
    sent = asked.index("eth_sendRawTransaction") + 1
    with silent_after(sent), pytest.raises(UnreachableError):
        grant(scene)
    grant(scene)
    with scene.client("patient") as patient:
        records = patient.context.view().slots_of(patient.address, TWIN, scene.address("cardiology"))
        assert [(each.grant.given, each.grant.revision) for each in records] == [(True, 2)]
