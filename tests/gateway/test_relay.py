"""What a relay carries, for whom, and how much of it; what it counts against whom."""

from __future__ import annotations

import pytest

from dtledger._backend.call_codec import encode_call
from dtledger.client import Client
from dtledger.client.signing import sign
from dtledger.errors import AccessDeniedError, InputError, LimitPassedError, UnreachableError
from dtledger.gateway.allowance import GAS, RelayLimits
from dtledger.gateway.relay import SIGNED
from dtledger.ledger import Call, Receipt, calls
from dtledger.ledger.lanes import MOST_GAS
from dtledger.ledger.rejections import StaleRevisionError, rejection
from dtledger.policy import Grant
from dtledger.testing import World
from dtledger.testing.memory_key import MemoryKey
from dtledger.testing.memory_lane import MemoryLane
from dtledger.types import Digest, Period
from dtledger.vocabulary import Action
from tests.gateway.carrying import Bench, Stub, revocation


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
            for contract in ("MemberRegistry", "TwinRegistry", "ConsentRegistry", "SnapshotLedger")
            for each in artifact(contract).functions.values()
            if {"signature", "ownerSignature"} & set(each.names)
        }
        restricted = {("MemberRegistry", "enrol"), ("TwinRegistry", "mint")}
        left_for_its_sender = {("TwinRegistry", "depart")}
        assert holds - restricted - left_for_its_sender == set(SIGNED) - {("ConsentRegistry", "carry")}


def refusing(*_: object) -> Receipt:
    """A chain that takes a transaction into a block, and refuses it there."""
    raise rejection("ConsentRegistry_StaleRevision", {"named": 1, "present": 2})


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
