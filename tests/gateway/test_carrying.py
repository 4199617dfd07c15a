"""A patient without gas lives by relays, none of which is believed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from dtledger._backend.call_codec import decode_call, encode_call
from dtledger._backend.files import locked
from dtledger._backend.relay_tables import Standing
from dtledger.client import Client, Consents, Terms, Twins, carrying
from dtledger.client.carrying import Carrier, Denials
from dtledger.client.signing import Denial, sign
from dtledger.errors import AccessDeniedError, DtledgerError, InputError, LimitPassedError, UnreachableError
from dtledger.gateway.allowance import GAS, RelayLimits
from dtledger.gateway.relay import SIGNED
from dtledger.ledger import Call, Receipt, Slot, calls
from dtledger.ledger.lanes import MOST_GAS
from dtledger.ledger.rejections import InsufficientFundsError, StaleRevisionError, rejection
from dtledger.policy import Grant
from dtledger.testing import World
from dtledger.testing.memory_key import MemoryKey
from dtledger.testing.memory_lane import MemoryLane
from dtledger.types import Digest, Period
from dtledger.vocabulary import Action, Purpose
from tests.gateway.carrying import USUAL, Carrying, carrying_for


@dataclass
class Stub:
    """A relay in this process, honest unless told otherwise."""

    relay: Carrying
    name: str = "relay"
    fault: str = ""
    held: list[Call] = field(default_factory=list)

    def send(self, call: Call) -> str:
        self.held.append(call)
        if self.fault == "silent":
            raise UnreachableError("the relay does not answer")
        if self.fault == "refuses":
            raise rejection("ConsentRegistry_StaleRevision", {"named": 1, "present": 2})
        if self.fault == "withholds":
            return "0x" + "ab" * 32
        return self.relay.carry(call.contract, encode_call(call)).transaction or ""

    def bring(self) -> Standing:
        """Send at last what was held back."""
        call = self.held[-1]
        return self.relay.carry(call.contract, encode_call(call))


@dataclass
class Bench:
    """`poor` is the patient, whose own account can send nothing."""

    world: World
    relays: list[Stub]
    carrier: Carrier
    poor: Client
    stack: ExitStack
    meanwhile: list[Callable[[], object]]
    """Done one after another while the patient's client waits."""

    def relay(self, limits: RelayLimits = USUAL) -> Carrying:
        return self.stack.enter_context(carrying_for(self.world, limits))

    @property
    def consents(self) -> Consents:
        return self.poor.consents

    def terms(self) -> Terms:
        now = self.world.clock.at
        return Terms(("glucose",), (Purpose.TREAT,), (Action.READ,), now, now + 3600, Period(0, now // 60))


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with World(hours=1) as world, ExitStack() as stack:
        relays = [Stub(stack.enter_context(carrying_for(world)), f"relay {n}") for n in (1, 2)]
        time = [0.0]

        meanwhile: list[Callable[[], object]] = []

        def wait(seconds: float) -> None:
            time[0] += seconds
            if meanwhile:
                meanwhile.pop(0)()

        carrier = Carrier(relays, Denials(None), 1.0, wait, lambda: time[0])
        poor = Client(
            world.ledger, world.store, world.patient.context.custodians, world.patient.context.key, world.clock
        )
        poor.context = replace(poor.context, carry=carrier)
        poor.consents, poor.twins = Consents(poor.context), Twins(poor.context)
        send, patient = world.ledger.send, poor.address

        def send_if_rich(call: Call, sender: MemoryKey, *rest: object) -> Receipt:
            if sender.address == patient:
                raise InsufficientFundsError({})
            return send(call, sender, *rest)  # type: ignore[arg-type]

        monkeypatch.setattr(world.ledger, "send", send_if_rich)
        yield Bench(world, relays, carrier, poor, stack, meanwhile)


def test_a_patient_with_an_empty_account_does_the_whole_story(bench: Bench) -> None:
    world, twin, clinician = bench.world, bench.world.twin, bench.world.clinician.address
    bench.poor.twins.set_up(twin, [each.address for each in world.custodians], 2)
    slot, receipt = bench.consents.grant(twin, clinician, bench.terms())
    assert (receipt.gas, world.ledger.view().record(slot).block) == (0, receipt.block)  # type: ignore[union-attr]
    bench.consents.renew(slot, world.clock.at + 7200)
    bench.consents.block(twin, clinician)
    assert world.ledger.view().blocked(twin, clinician)
    bench.consents.unblock(twin, clinician)
    bench.consents.revoke(slot)
    many, _ = bench.consents.grant_many(twin, [clinician, world.hospital.address], bench.terms())
    bench.consents.revoke_many(twin, many[:1])
    ended = bench.consents.revoke_all(twin, bench.consents.writers(twin))
    assert len(ended.kept) == 1
    assert not bench.consents.is_live(world.ledger.view().record(many[1]))  # type: ignore[arg-type]


def test_a_patient_with_an_empty_account_rekeys_and_moves_its_twin(bench: Bench) -> None:
    world, twin, heir = bench.world, bench.world.twin, bench.world.client(MemoryKey("heir"))
    done = bench.poor.twins.rekey(twin)
    assert len(done.sealed) == 2
    assert len(world.clinician.read(twin, "glucose", "TREAT")) == len(world.readings)
    bench.poor.twins.move(heir.twins.accept_move(twin))
    assert world.ledger.view().owner(twin) == heir.address
    assert len(bench.relays[0].held) == 3


@pytest.mark.parametrize("fault", ["silent", "withholds", "refuses"])
@pytest.mark.parametrize("what", ["revoke", "revoke_all", "block", "grant"])
def test_a_relay_that_does_not_bring_it_is_found_and_passed_over(bench: Bench, fault: str, what: str) -> None:
    bench.relays[0].fault = fault
    do: dict[str, Callable[[], object]] = {
        "revoke": lambda: bench.consents.revoke(bench.world.consent),
        "revoke_all": lambda: bench.consents.revoke_all(bench.world.twin),
        "block": lambda: bench.consents.block(bench.world.twin, bench.world.clinician.address),
        "grant": lambda: bench.consents.grant(bench.world.twin, bench.world.clinician.address, bench.terms()),
    }
    do[what]()
    assert [name for name, _ in bench.carrier.passed_over] == ["relay 1"]
    assert [len(each.held) for each in bench.relays] == [1, 1]
    if what != "grant":
        with pytest.raises(AccessDeniedError):
            bench.world.clinician.read(bench.world.twin, "glucose", "TREAT")


def test_an_honest_relay_is_not_passed_over(bench: Bench) -> None:
    bench.consents.revoke(bench.world.consent)
    assert bench.carrier.passed_over == []
    assert [len(each.held) for each in bench.relays] == [1, 0]


def test_when_every_relay_fails_it_is_sent_from_the_own_account(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for each in bench.relays:
        each.fault = "withholds"
    monkeypatch.undo()
    bench.consents.revoke(bench.world.consent)
    assert not bench.world.ledger.view().record(bench.world.consent).grant.given  # type: ignore[union-attr]


@pytest.mark.parametrize("what", ["revoke", "revoke_many", "revoke_all"])
def test_a_denial_that_a_relay_brings_late_is_no_failure(bench: Bench, what: str) -> None:
    """Whoever asked had no answer, and cannot send it; it lands while they look. Where it does not, they are told."""
    for each in bench.relays:
        each.fault = "silent"
    do: dict[str, Callable[[], object]] = {
        "revoke": lambda: bench.consents.revoke(bench.world.consent),
        "revoke_many": lambda: bench.consents.revoke_many(bench.world.twin, [bench.world.consent]),
        "revoke_all": lambda: bench.consents.revoke_all(bench.world.twin),
    }
    with pytest.raises(UnreachableError, match="No relay brought this"):
        do[what]()
    bench.meanwhile[:] = [lambda: None, bench.relays[1].bring]
    do[what]()
    assert bench.meanwhile == []
    assert not bench.consents.is_live(bench.world.ledger.view().record(bench.world.consent))  # type: ignore[arg-type]


def test_nobody_waits_for_relays_that_refuse(bench: Bench) -> None:
    for each in bench.relays:
        each.fault = "refuses"
    bench.meanwhile[:] = [lambda: None]
    with pytest.raises(UnreachableError, match="No relay brought this"):
        bench.consents.revoke(bench.world.consent)
    assert len(bench.meanwhile) == 1


def withheld(bench: Bench) -> None:
    for each in bench.relays:
        each.fault = "withholds"
    with pytest.raises(UnreachableError, match="No relay brought this") as refused:
        bench.consents.revoke(bench.world.consent)
    assert refused.value.hint.startswith("Run it again")
    for each in bench.relays:
        each.fault = ""


class TestAgainstAWithheldDenial:
    def test_nothing_is_granted(self, bench: Bench) -> None:
        withheld(bench)
        with pytest.raises(InputError, match="still under way"):
            bench.consents.renew(bench.world.consent, bench.world.clock.at + 7200)
        other, _ = bench.consents.grant(bench.world.twin, bench.world.hospital.address, bench.terms())
        assert bench.consents.is_live(bench.world.ledger.view().record(other))  # type: ignore[arg-type]

    def test_it_is_granted_once_that_landed(self, bench: Bench) -> None:
        withheld(bench)
        bench.relays[0].bring()
        slot, _ = bench.consents.grant(bench.world.twin, bench.world.clinician.address, bench.terms())
        assert bench.consents.is_live(bench.world.ledger.view().record(slot))  # type: ignore[arg-type]
        with pytest.raises(StaleRevisionError):
            bench.relays[1].bring()

    def test_it_is_granted_once_that_expired(self, bench: Bench) -> None:
        withheld(bench)
        bench.world.clock.advance(1801)
        bench.world.ledger.mine()
        bench.consents.renew(bench.world.consent, bench.world.clock.at + 7200)

    def test_the_next_process_knows_of_it(self, bench: Bench, tmp_path: Path) -> None:
        denials = Denials(tmp_path / "denials.json")
        bench.carrier._denials = denials
        withheld(bench)
        assert Denials(tmp_path / "denials.json").all() == denials.all() != []
        bench.carrier._denials = Denials(tmp_path / "denials.json")
        with pytest.raises(InputError, match="still under way"):
            bench.consents.renew(bench.world.consent, bench.world.clock.at + 7200)

    def test_no_process_forgets_what_another_gives_away(
        self, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One looks at what is kept while the other has something to add."""
        mine, theirs = (Denials(tmp_path / "denials.json") for _ in range(2))
        view, owner, now = bench.world.ledger.view(), bench.poor.address, bench.world.clock.at
        over, under_way = (Denial(bench.world.twin, None, None, 0, now + off) for off in (-1, 60))
        mine.remember([over])
        late: list[Denial] = []

        def meanwhile(*_: object) -> bool:
            late.append(under_way)
            with suppress(DtledgerError), locked(tmp_path / "denials.json", timeout=0.0):
                theirs._write([*theirs.all(), late.pop()])
            return False

        monkeypatch.setattr(carrying, "_landed", meanwhile)
        mine.remember([under_way])
        mine.open(view, owner, now)
        if late:  # it had to wait
            theirs.remember(late)
        assert mine.all() == [under_way] * 2


def test_a_thousand_denials_given_away_are_remembered_as_long_as_they_may_land(tmp_path: Path) -> None:
    denials = Denials(tmp_path / "denials.json")
    many = [Denial(1, None, None, number, 10_000) for number in range(2_000)]
    denials.remember(many)
    assert denials.all() == many
    late = Denial(1, None, None, 0, 20_000)
    denials.remember([late])
    assert denials.all() == [late]


class TestARelay:
    def test_carries_nothing_that_nobody_signed(self, bench: Bench) -> None:
        relay = bench.relays[0].relay
        for call in (calls.revoke_all(1), calls.anchor_batch(Digest(bytes(32)), 1, Digest(bytes(32)))):
            with pytest.raises(InputError, match="carried"):
                relay.carry(call.contract, encode_call(call))

    @pytest.mark.parametrize("data", [b"", b"\1\2\3\4", b"\0" * 200])
    def test_carries_no_garbage(self, bench: Bench, data: bytes) -> None:
        with pytest.raises(InputError, match="no call"):
            bench.relays[0].relay.carry("ConsentRegistry", data)
        with pytest.raises(InputError, match="not carried"):
            bench.relays[0].relay.carry("AccessManager", data)

    def test_carries_nothing_for_strangers(self, bench: Bench) -> None:
        stranger = bench.world.client(MemoryKey("stranger"))
        call = calls.grant(bench.world.twin, bench.world.hospital.address, 0, a_grant(), Digest(bytes(32)))
        signed = sign(stranger.context, call)
        assert signed is not None
        with pytest.raises(AccessDeniedError):
            bench.relays[0].relay.carry(signed.call.contract, encode_call(signed.call))

    def test_carries_so_much_for_one_a_day_and_a_forger_uses_up_nothing(self, bench: Bench) -> None:
        relay = bench.relay(RelayLimits(each=2))
        forged = forge(bench)
        for _ in range(5):
            with pytest.raises(Exception, match="sign"):
                relay.carry(forged.contract, encode_call(forged))
        stub = Stub(relay)
        bench.carrier._relays = [stub]
        bench.consents.revoke(bench.world.consent)
        bench.consents.revoke(bench.world.consent)
        with pytest.raises(UnreachableError, match="more relayed calls than 2 a day"):
            bench.consents.revoke(bench.world.consent)
        bench.world.clock.advance(86_400)
        bench.world.ledger.mine()
        bench.consents.revoke(bench.world.consent)

    def test_takes_a_signers_call_though_garbage_in_their_name_fills_what_they_have(self, bench: Bench) -> None:
        """The garbage still waits. What the signer themself sends fills it."""
        world, relay = bench.world, bench.relay(RelayLimits(each=2))
        mine, eve = blockings(bench.poor, world, 4), world.clinician
        for each in blockings(eve, world, 3):
            relay.relay.accept(each.contract, encode_call(each))
        for each in mine[:2]:
            relay.relay.accept(each.contract, encode_call(each))
        relay.empty()
        assert (relay.pump.told.landed, relay.pump.told.refused) == (2, {"WrongSignatureError": 3})
        with pytest.raises(LimitPassedError):
            relay.relay.accept(mine[2].contract, encode_call(mine[2]))

    def test_carries_no_more_where_all_came_before_any_was_counted(self, bench: Bench) -> None:
        relay = bench.relay(RelayLimits(each=2))
        for each in blockings(bench.poor, bench.world, 4):
            relay.relay.accept(each.contract, encode_call(each))
        relay.empty()
        assert (relay.pump.told.landed, relay.pump.told.refused) == (2, {"LimitPassedError": 2})

    def test_counts_a_dear_call_as_the_several_that_it_costs(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A signer that is a contract may burn what it is given to say that it signed, again and again. As many cheap
        calls are carried."""
        dear, cheap = (blockings(bench.poor, bench.world, 3, text) for text in ("dear", "cheap"))
        with monkeypatch.context() as costly:
            costly.setattr(MemoryLane, "try_out", lambda lane, calls: [15 * GAS - 1] * len(calls))
            relay = bench.relay(RelayLimits(each=30))
            for each in dear[:2]:
                relay.carry(each.contract, encode_call(each))
            with pytest.raises(LimitPassedError):
                relay.carry(dear[2].contract, encode_call(dear[2]))
        relay = bench.relay(RelayLimits(each=30))
        for each in cheap:
            relay.carry(each.contract, encode_call(each))

    def test_counts_what_a_block_refused(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        """It was paid for. Whoever has a call of their own taken first could have every one of them refused."""
        relay = bench.relay(RelayLimits(each=1))
        signed = sign(bench.poor.context, revocation(bench.world.consent))
        assert signed is not None
        with monkeypatch.context() as raced:
            raced.setattr(bench.world.ledger.chain, "transact", refusing)
            with pytest.raises(StaleRevisionError):
                relay.carry(signed.call.contract, encode_call(signed.call))
        with pytest.raises(LimitPassedError):
            relay.carry(signed.call.contract, encode_call(signed.call))

    def test_carries_nothing_that_costs_too_much(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        """A signer that is a contract may take all the gas there is to say whether it signed."""
        relay = bench.relay(RelayLimits(each=1))
        signed = sign(bench.poor.context, revocation(bench.world.consent))
        assert signed is not None
        with monkeypatch.context() as costly:
            costly.setattr(MemoryLane, "try_out", lambda lane, calls: [MOST_GAS + 1] * len(calls))
            with pytest.raises(InputError, match="gas"):
                relay.carry(signed.call.contract, encode_call(signed.call))
        relay.carry(signed.call.contract, encode_call(signed.call))

    def test_and_so_much_for_all(self, bench: Bench) -> None:
        relay = bench.relay(RelayLimits(all=1))
        signed = sign(bench.poor.context, revocation(bench.world.consent))
        assert signed is not None
        relay.carry(signed.call.contract, encode_call(signed.call))
        again = sign(bench.poor.context, revocation(bench.world.consent))
        assert again is not None
        with pytest.raises(LimitPassedError, match="everybody"):
            relay.carry(again.call.contract, encode_call(again.call))

    def test_knows_every_call_that_holds_a_signature(self) -> None:
        from dtledger._backend.artifacts import artifact

        holds = {
            (contract, each.name)
            for contract in ("MemberRegistry", "TwinRegistry", "ConsentRegistry")
            for each in artifact(contract).functions.values()
            if {"signature", "ownerSignature"} & set(each.names)
        }
        restricted = {("MemberRegistry", "enrol"), ("TwinRegistry", "mint")}
        left_for_its_sender = {("TwinRegistry", "depart")}
        assert holds - restricted - left_for_its_sender == set(SIGNED) - {("ConsentRegistry", "carry")}


def refusing(*_: object) -> Receipt:
    """A chain that takes a transaction into a block, and refuses it there."""
    raise rejection("ConsentRegistry_StaleRevision", {"named": 1, "present": 2})


def revocation(slot: Slot) -> Call:
    return calls.revoke(slot.owner, slot.twin, slot.grantee, slot.number)


def blockings(signer: Client, world: World, count: int, text: str = "someone") -> list[Call]:
    """Of the world's twin, by that key; the patient's alone are true."""
    found = []
    for number in range(count):
        signed = sign(signer.context, calls.block_grantee(world.twin, MemoryKey(f"{text} {number}").address))
        assert signed is not None
        found.append(signed.call)
    return found


def a_grant() -> Grant:
    return Grant(1, 0, 0, 2**39, Period(0, 1), Action.WRITE.mask)


def forge(bench: Bench) -> Call:
    """A revocation in the patient's name by the clinician's hand."""
    signed = sign(bench.world.clinician.context, revocation(bench.world.consent))
    assert signed is not None
    fields, _, signature = signed.call.arguments
    return Call("ConsentRegistry", "revokeSigned", (fields, bench.poor.address, signature))


def test_a_call_comes_back_as_it_went(bench: Bench) -> None:
    signed = sign(bench.poor.context, revocation(bench.world.consent))
    assert signed is not None
    assert decode_call(signed.call.contract, encode_call(signed.call)) == signed.call
    with pytest.raises(InputError):
        decode_call(signed.call.contract, encode_call(signed.call) + b"\0")


def test_a_grant_that_was_withheld_does_not_outlive_the_revocation(bench: Bench) -> None:
    """It lands first; the revocation was signed when it had not, and ends it all the same."""
    world, relay = bench.world, bench.relays[0].relay
    again = world.ledger.view().grant(*slot_of(world.consent)).terms
    grant = sign(bench.poor.context, calls.grant(world.twin, world.clinician.address, 0, again, Digest(b"\1" * 32)))
    revoke = sign(bench.poor.context, revocation(world.consent))
    assert grant is not None
    assert revoke is not None
    for each in (grant, revoke):
        relay.carry(each.call.contract, encode_call(each.call))
    assert not world.ledger.view().grant(*slot_of(world.consent)).given


def test_a_grant_that_lands_late_is_not_taken_for_the_revocation_of_everything(bench: Bench) -> None:
    """A relay brings an older message of the same owner's in the place of the one that it was given."""
    world, relay = bench.world, bench.relays[0].relay
    terms = world.ledger.view().grant(*slot_of(world.consent)).terms
    older = sign(bench.poor.context, calls.grant(world.twin, world.hospital.address, 0, terms, Digest(b"\1" * 32)))
    assert older is not None

    class Swaps:
        name = "swaps"

        def send(self, call: Call) -> str:
            return relay.carry(older.call.contract, encode_call(older.call)).transaction

    bench.carrier._relays = [Swaps(), bench.relays[1]]
    bench.consents.revoke_all(world.twin)
    assert [name for name, _ in bench.carrier.passed_over] == ["swaps"]
    assert world.ledger.view().epoch(bench.poor.address, world.twin) == 1


def slot_of(slot: Slot) -> tuple[Any, int, Any, int]:
    return slot.owner, slot.twin, slot.grantee, slot.number
