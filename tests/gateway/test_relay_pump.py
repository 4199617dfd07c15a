"""What others signed goes to the ledger many at once: none is lost, none counts twice, each has its own answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dtledger._backend import relay_tables
from dtledger._backend.call_codec import encode_call
from dtledger.client import Client
from dtledger.client.signing import sign
from dtledger.errors import (
    AccessDeniedError,
    BusyError,
    DtledgerError,
    InputError,
    LimitPassedError,
    UnreachableError,
)
from dtledger.gateway import relay as relaying
from dtledger.gateway import relay_pump
from dtledger.gateway.allowance import RelayLimits
from dtledger.gateway.service import ENTRIES
from dtledger.ledger import Call, Sent, calls
from dtledger.ledger.lanes import GWEI, Carried, Fate, Fees, Flight
from dtledger.ledger.rejections import InsufficientFundsError, rejection
from dtledger.service.settings import ServiceSettings
from dtledger.testing import World
from dtledger.testing.memory_key import MemoryKey
from dtledger.testing.memory_lane import MemoryLane
from dtledger.types import Digest
from tests.gateway.carrying import Carrying, carrying_for
from tests.gateway.test_relay import refusing


@pytest.fixture
def world() -> Iterator[World]:
    with World(hours=1) as world:
        yield world


@pytest.fixture
def carrying(world: World) -> Iterator[Carrying]:
    with carrying_for(world) as carrying:
        yield carrying


def signed(client: Client, call: Call) -> Call:
    found = sign(client.context, call)
    assert found is not None
    return found.call


def blocking(world: World, who: str = "someone") -> Call:
    """The patient blocks somebody."""
    return signed(world.patient, calls.block_grantee(world.twin, MemoryKey(who).address))


def patients(world: World, count: int) -> list[tuple[Client, int]]:
    """So many new ones, each with a twin."""
    found = []
    for number in range(count):
        patient = world.client(MemoryKey(f"patient {number}"))
        found.append((patient, world.operator.twins.mint(patient.twins.request_mint())[0]))
    return found


def accept(carrying: Carrying, call: Call) -> Digest:
    return carrying.relay.accept(call.contract, encode_call(call))


class TestABatch:
    def test_carries_calls_of_many_patients_in_one_transaction(self, world: World, carrying: Carrying) -> None:
        people = patients(world, 20)
        for patient, twin in people:
            accept(carrying, signed(patient, calls.block_grantee(twin, world.clinician.address)))
        carrying.empty()
        assert all(world.ledger.view().blocked(twin, world.clinician.address) for _, twin in people)
        assert (carrying.pump.told.transactions, carrying.pump.told.landed) == (1, 20)

    def test_refuses_a_bad_one_with_its_own_reason_and_its_neighbours_land(
        self, world: World, carrying: Carrying
    ) -> None:
        (ann, mine), (bob, his), (eve, _) = patients(world, 3)
        forged = signed(eve, calls.block_grantee(mine, world.clinician.address))
        good = [
            signed(who, calls.block_grantee(twin, world.clinician.address)) for who, twin in ((ann, mine), (bob, his))
        ]
        ids = [accept(carrying, each) for each in (good[0], forged, good[1])]
        futures = [carrying.pump.watch(each) for each in ids]
        carrying.empty()
        assert [futures[0].result().settled, futures[2].result().settled] == [True, True]
        with pytest.raises(DtledgerError, match="signature is not"):
            futures[1].result()
        assert carrying.pump.told.refused == {"WrongSignatureError": 1}
        error = carrying.tables.standing([ids[1]])[ids[1]].error
        assert error is not None
        assert "signature is not" in error.message

    def test_gives_back_what_was_not_sent_alone(self, world: World) -> None:
        (ann, twin), (eve, _) = patients(world, 2)
        with carrying_for(world, RelayLimits(each=1)) as carrying:
            accept(carrying, signed(eve, calls.block_grantee(twin, world.clinician.address)))
            carrying.empty()
            accept(carrying, signed(ann, calls.block_grantee(twin, world.clinician.address)))
            carrying.empty()
            with pytest.raises(AccessDeniedError, match="more relayed calls than 1"):
                accept(carrying, signed(ann, calls.block_grantee(twin, world.hospital.address)))


class TestACallThatIsSentAgain:
    def test_is_not_carried_again_and_has_the_same_answer(self, world: World, carrying: Carrying) -> None:
        call = blocking(world)
        first = carrying.carry(call.contract, encode_call(call))
        assert carrying.carry(call.contract, encode_call(call)) == first
        assert carrying.pump.told.transactions == 1

    def test_while_it_waits_is_one_call_and_uses_up_one(self, world: World) -> None:
        with carrying_for(world, RelayLimits(each=1)) as carrying:
            call = blocking(world)
            first = accept(carrying, call)
            assert accept(carrying, call) == first
            carrying.empty()
            assert accept(carrying, call) == first, "and after it landed, though its signer has none left"
            carrying.empty()
            assert carrying.pump.told.landed == 1

    def test_after_it_was_refused_is_tried_anew(
        self, world: World, carrying: Carrying, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        call = blocking(world)
        with monkeypatch.context() as poor:
            poor.setattr(MemoryLane, "try_out", lambda *_: [InsufficientFundsError("there is no money")])
            with pytest.raises(InsufficientFundsError):
                carrying.carry(call.contract, encode_call(call))
        assert carrying.carry(call.contract, encode_call(call)).error is None

    def test_is_forgotten_after_a_day(self, world: World, carrying: Carrying) -> None:
        """By a relay that is never stopped, too."""
        call = blocking(world)
        carrying.carry(call.contract, encode_call(call))
        carrying.pump.once()
        known = Carried(call.contract, encode_call(call)).id
        assert carrying.tables.standing([known])
        world.clock.advance(relay_pump.KEPT_SECONDS + 1)
        carrying.pump.once()
        assert not carrying.tables.standing([known])


class TestAfterACrash:
    def test_what_was_accepted_is_carried_by_the_next(self, world: World, tmp_path: Path) -> None:
        with carrying_for(world, folder=tmp_path) as carrying:
            call = accept(carrying, blocking(world, "kept"))
        with carrying_for(world, folder=tmp_path) as carrying:
            carrying.empty()
            assert carrying.tables.standing([call])[call].block == world.ledger.head().number

    def test_between_note_and_send_it_is_sent_in_another_transaction(
        self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def die(*_: object) -> None:
            raise KeyboardInterrupt

        with carrying_for(world, folder=tmp_path) as carrying:
            call = accept(carrying, blocking(world, "kept"))
            with monkeypatch.context() as dying:
                dying.setattr(world.ledger.chain, "transact", die)
                with pytest.raises(KeyboardInterrupt):
                    carrying.pump.step()
            assert carrying.tables.load().in_flight == 1
        with carrying_for(world, folder=tmp_path) as carrying:
            carrying.empty()
            assert (carrying.pump.told.lost, carrying.pump.told.landed) == (1, 1)
            assert carrying.tables.standing([call])[call].error is None

    def test_what_a_former_account_had_under_way_is_sent_by_another(self, world: World, tmp_path: Path) -> None:
        with carrying_for(world, folder=tmp_path, payers=[MemoryKey("former")]) as carrying:
            accept(carrying, blocking(world, "kept"))
            carrying.pump._send()
        with carrying_for(world, folder=tmp_path) as carrying:
            carrying.pump.begin()
            assert carrying.tables.load().waiting == 1

    def test_a_transaction_that_failed_as_a_whole_is_lost_once_and_not_asked_for_without_end(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Until its block is final it is looked at again and again: its calls are long in another by then."""
        with carrying_for(world) as carrying:
            send, look = MemoryLane.send, MemoryLane.look

            def failed(lane: MemoryLane) -> list[Fate]:
                fates = look(lane)
                return [Fate(0, None, {}, final=False), *fates[1:]] if fates else []

            monkeypatch.setattr(MemoryLane, "look", failed)
            refused = iter([True])

            def failing(lane: MemoryLane, *rest: Any) -> None:
                with monkeypatch.context() as block:
                    if next(refused, False):
                        block.setattr(lane._ledger.chain, "transact", refusing)
                    send(lane, *rest)

            monkeypatch.setattr(MemoryLane, "send", failing)
            call = accept(carrying, blocking(world))
            moved = [carrying.pump.step() for _ in range(6)]
            assert moved == [True, True, True, False, False, False]
            assert (carrying.pump.told.lost, carrying.pump.told.landed) == (1, 1)
            assert carrying.tables.standing([call])[call].block is not None

    def test_a_call_that_is_lost_with_every_transaction_is_given_up(
        self, world: World, carrying: Carrying, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        call = blocking(world)
        with monkeypatch.context() as losing:
            losing.setattr(MemoryLane, "send", lose)
            with pytest.raises(UnreachableError, match="as often as it was sent"):
                carrying.carry(call.contract, encode_call(call))
        assert carrying.pump.told.lost == relay_pump.MOST_TRIES
        other = blocking(world, "another")
        assert carrying.carry(other.contract, encode_call(other)).error is None


def lose(lane: MemoryLane, some: list[Carried], gas: list[int], note: Callable[[Flight], None]) -> None:
    """Another transaction takes its nonce."""
    note(Flight(Sent(lane._nonce, sum(gas), 0, 0, ()), lane.address, b"", 0))


class TestAccounts:
    def test_take_turns_and_have_no_more_under_way_than_they_may(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(MemoryLane, "look", lambda lane: [])
        monkeypatch.setattr(MemoryLane, "fit", lambda lane, some, gas: 1)
        payers = [MemoryKey("one"), MemoryKey("two")]
        with carrying_for(world, payers=payers) as carrying:
            for number in range(20):
                accept(carrying, blocking(world, f"someone {number}"))
            carrying.pump.step()
            assert [len(carrying.tables.of(each.address)) for each in payers] == [4, 4]
            assert carrying.tables.load().waiting == 12

    def test_one_without_money_rests_and_another_sends(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        poor, rich = MemoryKey("poor"), MemoryKey("rich")
        refuse(monkeypatch, poor)
        with carrying_for(world, payers=[poor, rich]) as carrying:
            call = blocking(world)
            assert carrying.carry(call.contract, encode_call(call)).error is None
            assert carrying.pump.told.transactions == 1

    def test_when_none_has_money_whoever_waits_hears_it(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        poor = MemoryKey("poor")
        with carrying_for(world, payers=[poor]) as carrying:
            call = blocking(world)
            with monkeypatch.context() as empty:
                refuse(empty, poor)
                with pytest.raises(InsufficientFundsError):
                    carrying.carry(call.contract, encode_call(call))
            world.clock.advance(relay_pump.REST_SECONDS + 1)
            assert carrying.carry(call.contract, encode_call(call)).error is None

    def test_when_none_has_money_nobody_is_charged(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        poor = [MemoryKey("poor"), MemoryKey("also poor")]
        with carrying_for(world, RelayLimits(each=1), payers=poor) as carrying:
            call = blocking(world)
            with monkeypatch.context() as empty:
                for each in poor:
                    refuse(empty, each)
                with pytest.raises(InsufficientFundsError):
                    carrying.carry(call.contract, encode_call(call))
            world.clock.advance(relay_pump.REST_SECONDS + 1)
            assert carrying.carry(call.contract, encode_call(call)).error is None


def refuse(patch: pytest.MonkeyPatch, poor: MemoryKey) -> None:
    """The node takes nothing of that account's."""
    send = MemoryLane.send

    def refused(lane: MemoryLane, some: list[Carried], gas: list[int], note: object) -> None:
        if lane.address == poor.address:
            raise rejection("insufficient funds", {})
        send(lane, some, gas, note)  # type: ignore[arg-type]

    patch.setattr(MemoryLane, "send", refused)


class TestWhileTheLedgerIsAway:
    def test_what_was_accepted_waits_and_lands_when_it_is_back(self, world: World, carrying: Carrying) -> None:
        call = accept(carrying, blocking(world))
        world.ledger.unreachable = True
        assert [carrying.pump.once() for _ in range(3)] == [1.0, 2.0, 4.0]
        assert (carrying.pump.told.error, carrying.tables.load().waiting) == ("UnreachableError", 1)
        world.ledger.unreachable = False
        carrying.empty()
        assert carrying.tables.standing([call])[call].block is not None
        assert carrying.pump.once() == relay_pump.PACE.idle_seconds

    def test_and_uses_up_nothing_by_being_tried(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """A node that answers all but the last question, or a day on which a block costs more than may be offered."""
        with carrying_for(world, RelayLimits(each=2, all=2)) as carrying:
            call = accept(carrying, blocking(world))
            with monkeypatch.context() as away:
                away.setattr(MemoryLane, "send", unreachable)
                for _ in range(5):
                    carrying.pump.once()
            assert carrying.tables.load().waiting == 1
            carrying.empty()
            assert carrying.tables.standing([call])[call].block is not None
            accept(carrying, blocking(world, "another"))
            carrying.empty()
            assert carrying.pump.told.landed == 2
            with pytest.raises(LimitPassedError):
                accept(carrying, blocking(world, "a third"))


def unreachable(*_: object) -> None:
    raise UnreachableError("the node does not answer")


class TestIntake:
    def test_of_many_at_once_keeps_each(self, world: World) -> None:
        some = [blocking(world, f"someone {number}") for number in range(64)]
        with carrying_for(world, RelayLimits(each=1000)) as carrying:
            threads = [threading.Thread(target=accept, args=(carrying, each)) for each in some]
            for each in threads:
                each.start()
            for each in threads:
                each.join()
            assert carrying.tables.load().waiting == 64

    def test_refuses_when_as_many_wait_as_may(
        self, world: World, carrying: Carrying, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        accept(carrying, blocking(world, "first"))
        with monkeypatch.context() as narrow:
            narrow.setattr(relaying, "MOST_WAITING", 1)
            with pytest.raises(BusyError):
                accept(carrying, blocking(world, "second"))
        accept(carrying, blocking(world, "second"))
        carrying.empty()
        assert carrying.pump.told.landed == 2

    def test_of_one_that_is_no_call_fails_for_itself_alone(self, world: World, carrying: Carrying) -> None:
        with pytest.raises(InputError):
            carrying.relay.accept("ConsentRegistry", b"\0" * 8)
        accept(carrying, blocking(world))
        carrying.empty()
        assert carrying.pump.told.landed == 1


class TestAFlood:
    def test_of_what_is_to_be_refused_holds_up_no_answer(
        self, world: World, carrying: Carrying, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Garbage costs who sends it nothing, and whoever they name nothing. More comes than is tried out."""
        try_out, tries = MemoryLane.try_out, iter(range(100))

        def flooded(lane: MemoryLane, some: list[Carried]) -> list[int | DtledgerError]:
            call = blocking(world, f"someone {next(tries)}")
            accept(carrying, replace(call, arguments=(*call.arguments[:-1], bytes(65))))
            return try_out(lane, some)

        monkeypatch.setattr(MemoryLane, "try_out", flooded)
        future = carrying.pump.watch(accept(carrying, blocking(world)))
        for _ in range(2):
            carrying.pump.step()
        assert future.done()
        assert carrying.pump.told.refused == {"WrongSignatureError": 1}

    def test_of_what_is_refused_fills_no_disk(
        self, world: World, carrying: Carrying, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nothing of it is kept but that the newest were refused. What landed is remembered as long as before."""
        monkeypatch.setattr(relay_tables, "MOST_REFUSED", 3)
        landed = accept(carrying, blocking(world))
        carrying.empty()
        garbage = [
            accept(carrying, replace(call, arguments=(*call.arguments[:-1], bytes(60_000))))
            for call in (blocking(world, f"someone {number}") for number in range(5))
        ]
        carrying.empty()
        assert [*carrying.tables.standing(garbage)] == garbage[2:]
        assert carrying.tables.standing([landed])[landed].error is None
        with carrying.tables._file.reading() as database:
            (kept,) = database.execute("SELECT SUM(LENGTH(data)) FROM relayed").fetchone()
        assert kept < 1_000


def test_the_default_fee_is_bounded() -> None:
    assert Fees().most == 500 * GWEI


@pytest.mark.parametrize("wrong", ["relay-1,relay-1", "relay-1,", "no name"])
def test_the_keys_that_pay_are_named_once_each(wrong: str) -> None:
    def load(named: str) -> object:
        return ServiceSettings.load("gateway", ENTRIES, None, {"DTLEDGER_GATEWAY_RELAY_PAYERS": named})["relay_payers"]

    with pytest.raises(InputError, match="RELAY_PAYERS"):
        load(wrong)
    assert load("relay-1,relay-2") == ("relay-1", "relay-2")
