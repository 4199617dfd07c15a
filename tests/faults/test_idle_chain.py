"""A chain that made no block for an hour: reading goes on, time is known all the same, and a frozen node is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result

from dtledger._backend.anvil import Anvil
from dtledger._backend.evm import EvmLedger
from dtledger._backend.migrations import read_deployment
from dtledger.client import Client, Terms
from dtledger.client.devnet import PROFILE
from dtledger.client.keyrings import granted_keys
from dtledger.config import Settings
from dtledger.errors import AccessDeniedError, HeadTooOldError
from dtledger.ledger import Slot
from dtledger.readings import Reading
from dtledger.snapshots.finder import Finder
from dtledger.snapshots.opening import Asking, Opened, open_snapshots
from dtledger.types import Period
from dtledger.vocabulary import Action, Purpose, Reason
from tests.crash.scene import DAY, READINGS, TWIN, Scene, open_client, values
from tests.faults.conftest import READ, assert_read, refusal

pytestmark = pytest.mark.anvil

HOUR = 3600
HEAD_AGE = 60
"""What a custodian takes for the present, in seconds."""


class Idle:
    """The scene some time after its last block: everybody's clock has gone on, and so has the chain's next block."""

    def __init__(self, scene: Scene, seconds: int, *, chain_goes_on: bool = True) -> None:
        self.scene = scene
        self.anvil: Anvil = scene.devnet.anvil
        self.head = int(self.anvil.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
        self.at = self.head + seconds
        if chain_goes_on:
            self.anvil.rpc("evm_setTime", self.at)

    def clock(self) -> int:
        return self.at

    def height(self) -> int:
        return int(self.anvil.rpc("eth_blockNumber"), 16)

    def client(self, name: str) -> Client:
        return open_client(self.scene.home, name, self.clock, ledger=self.node())

    def node(self) -> EvmLedger:
        """The scene's node; a heartbeat waits a moment for its block."""
        settings = Settings.load(self.scene.home, {"profile": PROFILE}, env={})
        deployment = read_deployment(self.scene.home.deployments / f"{settings.deployment}.json")
        return EvmLedger(settings.rpc_url, deployment, receipt_timeout=0.2)


def give(scene: Scene, begins: int, ends: int) -> Slot:
    """A grant of its own to cardiology, in seconds from now; nothing else is left to it or to its hospital."""
    with scene.client("patient") as patient:
        patient.consents.revoke_all(TWIN, patient.consents.writers(TWIN))
        now = patient.context.ledger.head().at
        data = Period(scene.readings[0].minute, (now + DAY) // 60)
        terms = Terms(("glucose",), (Purpose.TREAT,), (Action.READ,), now + begins, now + ends, data)
        slot, _ = patient.consents.grant(TWIN, scene.address("cardiology"), terms, 0)
        return slot


def past_the_client(cardiology: Client, slot: Slot) -> Opened:
    """What the custodians say to a client that does not ask the rule itself."""
    context = cardiology.context
    record = context.view().record(slot)
    assert record is not None
    keys = granted_keys(context, record)
    found = next(Finder(context.deployment, context.view(), context.store, TWIN, keys).find("glucose"))
    asking = Asking(context.key, slot.grantee, slot.number, Action.READ, Purpose.TREAT, context.clock())
    return open_snapshots(context.deployment, context.custodians, asking, found, keys, "glucose")


def assert_custodians_say(cardiology: Client, slot: Slot, reason: Reason) -> None:
    opened = past_the_client(cardiology, slot)
    assert not opened.plaintexts
    assert set(opened.refused.values()) == {reason}
    assert opened.answered == 3


class TestAfterAnHourWithoutABlock:
    def test_a_read_works_and_one_heartbeat_is_all_it_takes(self, scene: Scene) -> None:
        idle = Idle(scene, HOUR)
        height = idle.height()
        with idle.client("cardiology") as cardiology:
            found = cardiology.read(TWIN, "glucose", "TREAT")
            assert values(found) == values(scene.readings)
            assert found.answered == 3
            assert {receipt.block for receipt in found.receipts} == {height + 1}
        assert idle.height() == height + 1

    def test_within_the_minute_no_heartbeat_is_needed(self, scene: Scene) -> None:
        idle = Idle(scene, HEAD_AGE)
        height = idle.height()
        with idle.client("cardiology") as cardiology:
            assert len(cardiology.read(TWIN, "glucose", "TREAT")) == READINGS
        assert idle.height() == height

    def test_a_gateway_writes_and_a_patient_grants_and_revokes(self, scene: Scene) -> None:
        idle = Idle(scene, HOUR)
        last = scene.readings[-1]
        with idle.client("gateway") as gateway, idle.client("patient") as patient:
            gateway.writer.put(TWIN, "glucose", [Reading(last.seconds + HOUR, 8.0, last.unit, last.offset, "")])
            assert len(patient.read(TWIN, "glucose", "PATRQT")) == READINGS + 1
            patient.consents.revoke_all(TWIN)
            with idle.client("cardiology") as cardiology, pytest.raises(AccessDeniedError) as refused:
                cardiology.read(TWIN, "glucose", "TREAT")
            assert refused.value.reason is Reason.REVOKED

    def test_a_twin_is_minted_on_a_request_signed_meanwhile(self, scene: Scene) -> None:
        idle = Idle(scene, HOUR)
        with idle.client("operator") as operator, idle.client("patient") as patient:
            twin, _ = operator.twins.mint(patient.twins.request_mint())
            assert patient.twins.without_card() == [twin]


class TestAGrantThatEndedWhileTheChainStoodStill:
    def test_is_refused_by_the_clock_though_the_head_is_older_than_its_end(self, scene: Scene) -> None:
        slot = give(scene, 0, 30)
        idle = Idle(scene, 45)
        height = idle.height()
        with idle.client("cardiology") as cardiology:
            now = cardiology.context.now()
            assert (now.earliest, now.latest) == (idle.head, idle.at)
            with pytest.raises(AccessDeniedError) as refused:
                cardiology.read(TWIN, "glucose", "TREAT")
            assert refused.value.reason is Reason.EXPIRED
            assert_custodians_say(cardiology, slot, Reason.EXPIRED)
        assert idle.height() == height, "no block was needed to know"

    def test_is_refused_after_an_hour_too(self, scene: Scene) -> None:
        slot = give(scene, 0, HOUR // 2)
        idle = Idle(scene, HOUR)
        with idle.client("cardiology") as cardiology:
            assert cardiology.explain(TWIN, "glucose", "TREAT", since="3h").reason is Reason.EXPIRED
            assert_custodians_say(cardiology, slot, Reason.EXPIRED)

    def test_and_one_that_lasts_is_not(self, scene: Scene) -> None:
        slot = give(scene, 0, 60)
        with Idle(scene, 45).client("cardiology") as cardiology:
            assert len(past_the_client(cardiology, slot).plaintexts) == 3


class TestAGrantThatBeginsWhileTheChainStandsStill:
    def test_is_refused_by_the_head_though_the_clock_is_past_its_beginning(self, scene: Scene) -> None:
        """A clock that runs ahead must not open anything early."""
        slot = give(scene, 30, HOUR)
        idle = Idle(scene, 45)
        with idle.client("cardiology") as cardiology:
            with pytest.raises(AccessDeniedError) as refused:
                cardiology.read(TWIN, "glucose", "TREAT")
            assert refused.value.reason is Reason.NOT_YET
            assert_custodians_say(cardiology, slot, Reason.NOT_YET)

    def test_is_refused_by_the_clock_though_the_head_is_past_its_beginning(self, scene: Scene) -> None:
        """Neither must a chain that runs ahead."""
        slot = give(scene, 30, HOUR)
        idle = Idle(scene, 45)
        idle.anvil.rpc("evm_mine")
        idle.at = idle.head + 15
        with idle.client("cardiology") as cardiology:
            assert_custodians_say(cardiology, slot, Reason.NOT_YET)

    def test_and_is_in_force_from_the_next_block_on(self, scene: Scene) -> None:
        slot = give(scene, 30, HOUR)
        idle = Idle(scene, 45)
        idle.anvil.rpc("evm_mine")
        with idle.client("cardiology") as cardiology:
            assert len(past_the_client(cardiology, slot).plaintexts) == 3


class TestAFrozenNode:
    """No new block, or an old one: nothing is permitted."""

    def assert_frozen(self, idle: Idle) -> None:
        with idle.client("cardiology") as cardiology, pytest.raises(HeadTooOldError) as refused:
            cardiology.read(TWIN, "glucose", "TREAT")
        assert refused.value.exit_code == 6
        assert "nothing is permitted" in refused.value.message

    def assert_thawed(self, idle: Idle) -> None:
        with idle.client("cardiology") as cardiology:
            assert len(cardiology.read(TWIN, "glucose", "TREAT")) == READINGS

    def test_that_takes_the_heartbeat_and_makes_no_block(self, scene: Scene) -> None:
        idle = Idle(scene, HOUR)
        idle.anvil.rpc("evm_setAutomine", False)
        try:
            self.assert_frozen(idle)
        finally:
            idle.anvil.rpc("evm_setAutomine", True)
            idle.anvil.rpc("evm_mine")
        self.assert_thawed(idle)

    def test_whose_new_block_is_old_too(self, scene: Scene) -> None:
        idle = Idle(scene, HOUR, chain_goes_on=False)
        self.assert_frozen(idle)
        idle.anvil.rpc("evm_setTime", idle.at)
        self.assert_thawed(idle)

    def test_that_refuses_custodians_who_cannot_pay(self, scene: Scene) -> None:
        idle = Idle(scene, HOUR)
        custodians = list_of_custodians(scene)
        for each in custodians:
            idle.anvil.fund(each, 0)
        self.assert_frozen(idle)
        idle.anvil.fund(custodians[0])
        self.assert_thawed(idle)

    def test_is_one_sentence_and_exit_code_6_on_the_command_line(
        self, scene: Scene, dtledger: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        idle = Idle(scene, HOUR, chain_goes_on=False)
        monkeypatch.setattr("dtledger.client.opening.system_clock", idle.clock)
        said = refusal(dtledger(*READ, "TREAT", key="cardiology"))
        assert (said.code, said.error) == (6, "HeadTooOldError")
        idle.anvil.rpc("evm_setTime", idle.at)
        assert_read(dtledger(*READ, "TREAT", key="cardiology"))


def list_of_custodians(scene: Scene) -> list[str]:
    with scene.client("patient") as patient:
        return list(patient.twins.roster(TWIN).custodians)


def test_a_clock_that_stands_still_does_not_stop_the_chains(scene: Scene) -> None:
    """What expired by the chain is expired, whatever the clock says."""
    slot = give(scene, 0, 30)
    idle = Idle(scene, 45)
    idle.anvil.rpc("evm_mine")
    idle.at = idle.head
    with idle.client("cardiology") as cardiology:
        assert_custodians_say(cardiology, slot, Reason.EXPIRED)
