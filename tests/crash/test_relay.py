"""A relay that dies at any write loses no call that it accepted, and makes none count twice: between record and send,
send and receipt, receipt and record."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest

from dtledger._backend.call_codec import encode_call
from dtledger._backend.queue_file import QueueFile
from dtledger._backend.relay_tables import RelayTables
from dtledger.client.signing import sign
from dtledger.ledger import calls
from dtledger.ledger.events import Blocked
from dtledger.ledger.lanes import Carried
from dtledger.testing.memory_key import MemoryKey
from tests.crash.deaths import Death, survived
from tests.crash.operations import relay
from tests.crash.scene import TWIN, Scene

pytestmark = pytest.mark.anvil

BLOCKED = [MemoryKey(str(number), bytes(31) + bytes([number])).address for number in (1, 2, 3)]


@pytest.fixture(scope="module")
def stage(ground: Scene) -> Scene:
    """The patient has signed three messages, and somebody else one in the patient's name."""
    ground.restart()
    with ground.client("patient") as patient, ground.client("cardiology") as forger:
        good = [sign(patient.context, calls.block_grantee(TWIN, each)) for each in BLOCKED]
        forged = sign(forger.context, calls.block_grantee(TWIN, ground.address("hospital")))
        every = [each.call for each in (*good[:2], forged, good[2]) if each]
    rows = [(each.contract, encode_call(each).hex()) for each in every]
    (ground.home.root / "calls.json").write_text(json.dumps(rows))
    ground.keep()
    return ground


def assert_all_landed_once(scene: Scene) -> None:
    with scene.client("patient") as patient:
        blocked = [each.event for each in patient.context.ledger.history().logged if isinstance(each.event, Blocked)]
    assert sorted(each.grantee for each in blocked) == sorted(BLOCKED)
    assert {each.count for each in blocked} == {1}


def assert_each_is_told(scene: Scene) -> None:
    """The forged one was refused; what is told of the others is that they landed, or that they had."""
    rows = json.loads((scene.home.root / "calls.json").read_bytes())
    ids = [Carried(contract, bytes.fromhex(data)).id for contract, data in rows]
    with closing(QueueFile(scene.home.root / "queue.db")) as file:
        found = RelayTables(file).standing(ids)
    assert all(each.settled for each in found.values())
    assert [found[each].error is None for each in ids] == [True, True, False, True]


def survive(scene: Scene, **how: Any) -> list[Death]:
    def whole() -> None:
        relay(scene.home.root)
        assert_all_landed_once(scene)
        assert_each_is_told(scene)

    return survived(relay, scene.home.root, scene.restore, whole, **how)


@pytest.mark.slow
def test_killed_at_each_write_it_is_as_if_it_had_lived(scene: Scene) -> None:
    assert len(survive(scene)) > 12


def test_killed_at_some_writes_it_is_as_if_it_had_lived(scene: Scene) -> None:
    survive(scene, only=range(2, 40, 5))


def test_a_relay_that_sends_before_it_notes_cannot_say_what_landed(scene: Scene) -> None:
    with pytest.raises(AssertionError, match="killed at write"):
        survive(scene, broken="sends_before_it_notes")
