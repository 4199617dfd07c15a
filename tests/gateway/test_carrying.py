"""A patient without gas lives by relays, none of which is believed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dtledger._backend.call_codec import decode_call, encode_call
from dtledger._backend.files import locked
from dtledger.client import carrying
from dtledger.client.carrying import Denials
from dtledger.client.signing import Denial, sign
from dtledger.errors import AccessDeniedError, DtledgerError, InputError, UnreachableError
from dtledger.ledger import Call, Slot, calls
from dtledger.ledger.rejections import StaleHistoryError, StaleRevisionError
from dtledger.readings import Reading
from dtledger.testing.memory_key import MemoryKey
from dtledger.types import ZERO_DIGEST, Digest
from tests.gateway.carrying import Bench, revocation


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


def test_a_patient_with_an_empty_account_writes_readings(bench: Bench) -> None:
    world, twin = bench.world, bench.world.twin
    mine = [Reading(each.seconds + 1, each.value + 1, each.unit) for each in world.readings]
    for some in (mine[:6], mine[6:]):
        assert len(bench.poor.writer.put(twin, "glucose", some).written) == 1
    assert {each.value for each in mine} < {each.value for each in bench.poor.read(twin, "glucose", "PATRQT")}
    assert [call.function for call in bench.relays[0].held] == ["anchorBatchSigned"] * 2
    assert len(world.ledger.view().batches(bench.poor.address)) == 2


def test_a_patient_with_an_empty_account_chooses_guardians_and_vetoes_their_move(bench: Bench) -> None:
    world, twin = bench.world, bench.world.twin
    mine, friend, thief = bench.poor.guardians, world.client(MemoryKey("friend")), world.client(MemoryKey("thief"))
    chosen, _ = mine.choose(twin, 1, [friend.address])
    act = thief.guardians.sign(
        friend.guardians.sign(friend.guardians.begin("AnnounceMove", twin, chosen, thief.address))
    )
    friend.guardians.send(act)
    mine.veto(twin)
    assert world.ledger.view().state(twin).move is None
    mine.dismiss(twin)
    assert world.ledger.view().state(twin).guardians == ZERO_DIGEST
    said = [call.function for call in bench.relays[0].held]
    assert said == ["setGuardiansSigned", "vetoMoveSigned", "setGuardiansSigned"]


def test_a_batch_that_a_relay_held_back_lands_after_nothing_that_came_later(bench: Bench) -> None:
    """Another relay brings it; what the first held lands no more, nor a second time."""
    world, twin = bench.world, bench.world.twin
    bench.relays[0].fault = "withholds"
    mine = [Reading(each.seconds + 1, each.value + 1, each.unit) for each in world.readings]
    bench.poor.writer.put(twin, "glucose", mine[:6])
    with pytest.raises(StaleHistoryError):
        bench.relays[0].bring()
    bench.poor.writer.put(twin, "glucose", mine[6:])
    with pytest.raises(StaleHistoryError):
        bench.relays[0].bring()
    assert len(world.ledger.view().batches(bench.poor.address)) == 2
    assert {each.value for each in mine} < {each.value for each in bench.poor.read(twin, "glucose", "PATRQT")}


@pytest.mark.parametrize("late", [True, False], ids=["lands late", "is lost"])
def test_a_batch_that_no_relay_brought_is_ended_by_the_next_put(bench: Bench, late: bool) -> None:
    world, twin = bench.world, bench.world.twin
    for each in bench.relays:
        each.fault = "withholds"
    mine = [Reading(each.seconds + 1, each.value + 1, each.unit) for each in world.readings]
    with pytest.raises(UnreachableError, match="No relay brought this"):
        bench.poor.writer.put(twin, "glucose", mine[:6])
    for each in bench.relays:
        each.fault = ""
    if late:
        bench.relays[0].bring()
    bench.poor.writer.put(twin, "glucose", mine[6:])
    assert len(world.ledger.view().batches(bench.poor.address)) == 2
    assert {each.value for each in mine} < {each.value for each in bench.poor.read(twin, "glucose", "PATRQT")}


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

    def test_a_damaged_record_stops_no_denial_and_nothing_is_granted_while_it_may_hold_one(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        path, world = tmp_path / "denials.json", bench.world
        bench.carrier._denials = Denials(path)
        withheld(bench)
        path.write_bytes(path.read_bytes()[:-3])
        bench.consents.revoke_all(world.twin)
        assert len(Denials(path).all()) == 1
        damaged = path.with_name("denials.json.damaged")
        os.utime(damaged, (world.clock.at, world.clock.at))
        world.clock.advance(1801)
        world.ledger.mine()
        with pytest.raises(InputError, match=re.escape(str(damaged))):
            bench.consents.grant(world.twin, world.clinician.address, bench.terms())
        world.clock.advance(carrying.LONGEST_SECONDS)
        world.ledger.mine()
        bench.consents.grant(world.twin, world.clinician.address, bench.terms())


def test_a_thousand_denials_given_away_are_remembered_as_long_as_they_may_land(tmp_path: Path) -> None:
    denials = Denials(tmp_path / "denials.json")
    many = [Denial(1, None, None, number, 10_000) for number in range(2_000)]
    denials.remember(many)
    assert denials.all() == many
    late = Denial(1, None, None, 0, 20_000)
    denials.remember([late])
    assert denials.all() == [late]


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
