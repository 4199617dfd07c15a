"""The world that apps test against: what is in it, how time moves, and what fails to order."""

from __future__ import annotations

import pickle
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dtledger.testing
from dtledger.client import publish_keyring
from dtledger.custody import AccessReceipt
from dtledger.encoding import CID
from dtledger.errors import (
    AccessDeniedError,
    ChainMismatchError,
    DtledgerError,
    HeadTooOldError,
    IntegrityError,
    UnreachableError,
)
from dtledger.ledger import calls
from dtledger.store import BlockMissingError
from dtledger.testing import Fault, MemoryKey, World
from dtledger.testing.world import DAY
from dtledger.vocabulary import Kind, Reason


def read(world: World, purpose: str = "TREAT") -> Any:
    return world.clinician.read(world.twin, "glucose", purpose)


def refused(world: World, reason: Reason, purpose: str = "TREAT") -> None:
    with pytest.raises(AccessDeniedError) as caught:
        read(world, purpose)
    assert caught.value.reason is reason


class TestAWorld:
    def test_has_a_twin_with_readings_that_the_clinician_reads(self, dtledger_world: World) -> None:
        world = dtledger_world
        readings = read(world)
        assert [(each.at, each.value, each.unit) for each in readings] == [
            (each.at, each.value, each.unit) for each in world.readings
        ]
        assert (len(readings), readings.snapshots, readings.age) == (72, 6, 60)
        assert (readings.asked, readings.answered, readings.faults) == (3, 3, {})

    def test_has_a_patient_who_reads_their_own(self, dtledger_world: World) -> None:
        world = dtledger_world
        assert len(world.patient.read(world.twin, "glucose", "PATRQT")) == 72

    def test_shows_the_patient_who_looked(self, dtledger_world: World) -> None:
        world = dtledger_world
        read(world)
        for receipts in world.patient.twins.access(world.twin).values():
            assert isinstance(receipts, list)
            assert [receipt.requester for receipt in receipts] == [world.clinician.address]
            assert isinstance(receipts[0], AccessReceipt)

    def test_refuses_what_was_not_granted(self, dtledger_world: World) -> None:
        world = dtledger_world
        refused(world, Reason.PURPOSE, "HRESCH")
        with pytest.raises(AccessDeniedError) as caught:
            world.clinician.read(world.twin, "ecg", "TREAT")
        assert caught.value.reason is Reason.CATEGORY
        stranger = world.client(MemoryKey("stranger"))
        with pytest.raises(AccessDeniedError) as caught:
            stranger.read(world.twin, "glucose", "TREAT")
        assert caught.value.reason is Reason.NOT_ENROLLED
        assert read(world)

    def test_lets_the_patient_take_consent_back(self, dtledger_world: World) -> None:
        world = dtledger_world
        world.patient.consents.revoke(world.consent)
        refused(world, Reason.REVOKED)

    def test_lets_governance_suspend(self, dtledger_world: World) -> None:
        world = dtledger_world
        world.operator.members.suspend(world.hospital.address)
        refused(world, Reason.SUSPENDED)

    def test_lets_others_join(self, dtledger_world: World) -> None:
        world = dtledger_world
        clinic = world.join("clinic")
        nurse = world.join("nurse", [Kind.CLINICIAN], clinic)
        member = world.ledger.view().member(nurse.address)
        assert member is not None
        assert (member.organisation, member.kinds) == (clinic.address, Kind.CLINICIAN.mask)

    def test_lets_an_organisation_share_its_grant_with_its_members(self, dtledger_world: World) -> None:
        world = dtledger_world
        publish_keyring(world.hospital.context, [world.clinician.address])
        consents = world.patient.consents
        terms = consents.terms_of(world.ledger.view().record(world.consent))
        consents.revoke(world.consent)
        refused(world, Reason.REVOKED)
        consents.grant(world.twin, world.hospital.address, terms)
        assert len(read(world)) == 72

    @pytest.mark.slow
    def test_may_be_larger(self) -> None:
        with World(hours=30, custodians=5, threshold=4) as world:
            assert len(world.custodians) == 5
            assert len(read(world)) == 360
            world.custodians[0].fault = Fault.DEAD
            assert len(read(world)) == 360
            world.custodians[1].fault = Fault.DEAD
            with pytest.raises(UnreachableError):
                read(world)

    def test_shares_nothing_with_another(self) -> None:
        with World() as one, World() as other:
            assert one.ledger.deployment.id != other.ledger.deployment.id
            one.patient.consents.revoke(one.consent)
            refused(one, Reason.REVOKED)
            assert read(other)

    def test_touches_no_network_and_leaves_no_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def no_socket(*_: object, **__: object) -> None:
            raise AssertionError("a socket was opened")

        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("DTLEDGER_HOME", str(tmp_path / "home"))
        monkeypatch.setattr(socket, "socket", no_socket)
        with World() as world:
            assert read(world)
        assert list(tmp_path.iterdir()) == []


class TestTime:
    def test_passes_when_it_is_told_to(self, dtledger_world: World) -> None:
        world = dtledger_world
        world.clock.advance(3600)
        assert read(world).age == 3660
        assert len(world.clinician.read(world.twin, "glucose", "TREAT", since="2h")) == 12

    def test_ends_a_grant_to_the_second(self, dtledger_world: World) -> None:
        world = dtledger_world
        world.clock.advance(30 * DAY - 1)
        assert read(world)
        world.clock.advance(1)
        refused(world, Reason.EXPIRED)

    def test_is_renewed_by_the_custodians_where_no_block_came(self, dtledger_world: World) -> None:
        world = dtledger_world
        before = world.ledger.head()
        world.clock.advance(61)
        read(world)
        assert world.ledger.head().number > before.number
        assert world.ledger.head().at == world.clock()

    def test_does_not_go_back(self, dtledger_world: World) -> None:
        with pytest.raises(ValueError, match="back"):
            dtledger_world.clock.advance(-1)


def freeze(world: World, place: int) -> None:
    world.custodians[place].ledger.freeze()
    world.clock.advance(120)


class TestFaults:
    FAULTS: tuple[tuple[Callable[[World, int], None], type[DtledgerError]], ...] = (
        (lambda world, place: setattr(world.custodians[place], "fault", Fault.DEAD), UnreachableError),
        (lambda world, place: setattr(world.custodians[place], "fault", Fault.WRONG_SHARE), IntegrityError),
        (lambda world, place: setattr(world.custodians[place], "fault", Fault.WRONG_BIT), IntegrityError),
        (lambda world, place: setattr(world.custodians[place], "fault", Fault.DENYING), AccessDeniedError),
        (lambda world, place: setattr(world.custodians[place].ledger, "unreachable", True), UnreachableError),
        (lambda world, place: setattr(world.custodians[place].ledger, "other_chain", True), ChainMismatchError),
        (freeze, HeadTooOldError),
    )
    NAMES = (
        "dead",
        "wrong share",
        "wrong bit",
        "denying",
        "its node down",
        "its node another chain",
        "its node frozen",
    )

    @pytest.mark.parametrize("place", [0, 1, 2])
    @pytest.mark.parametrize(("order", "error"), FAULTS, ids=NAMES)
    def test_one_bad_custodian_of_three_is_named_and_done_without(
        self, dtledger_world: World, order: Callable[[World, int], None], error: type[DtledgerError], place: int
    ) -> None:
        world = dtledger_world
        order(world, place)
        readings = read(world)
        assert len(readings) == 72
        found = {party: type(fault) for party, fault in readings.faults.items()}
        assert found == {world.custodians[place].address: error}

    @pytest.mark.parametrize(("order", "error"), FAULTS, ids=NAMES)
    def test_two_of_three_stop_a_read_until_one_is_mended(
        self, dtledger_world: World, order: Callable[[World, int], None], error: type[DtledgerError]
    ) -> None:
        world = dtledger_world
        for place in (0, 2):
            order(world, place)
        with pytest.raises(DtledgerError):
            read(world)
        mended = world.custodians[2]
        mended.fault = None
        mended.ledger.unreachable = mended.ledger.other_chain = False
        mended.ledger.thaw()
        assert len(read(world)) == 72

    @pytest.mark.parametrize("fault", [Fault.WRONG_SHARE, Fault.WRONG_BIT])
    def test_a_liar_is_to_blame_for_its_lie(self, dtledger_world: World, fault: Fault) -> None:
        world = dtledger_world
        liar = world.custodians[0]
        liar.fault = fault
        error = read(world).faults[liar.address]
        assert isinstance(error, IntegrityError)
        assert error.party == liar.address

    def test_all_denying_deny(self, dtledger_world: World) -> None:
        for custodian in dtledger_world.custodians:
            custodian.fault = Fault.DENYING
        refused(dtledger_world, Reason.NO_GRANT)

    @pytest.mark.parametrize("fault", ["unreachable", "other_chain"])
    def test_a_ledger_that_fails_stops_everybody(self, dtledger_world: World, fault: str) -> None:
        world = dtledger_world
        setattr(world.ledger, fault, True)
        for use in (lambda: read(world), lambda: world.patient.consents.revoke(world.consent)):
            with pytest.raises(UnreachableError):
                use()
        setattr(world.ledger, fault, False)
        assert read(world)

    def test_a_damaged_block_is_found_and_a_lost_one_missed(self, dtledger_world: World) -> None:
        world = dtledger_world
        batch = world.ledger.view().newest_batch(world.gateway.address)
        assert batch is not None
        index = CID(batch.index)
        kept = world.store.get(index)
        world.store.damage(index)
        with pytest.raises(IntegrityError) as caught:
            read(world)
        assert caught.value.block == str(index)
        world.store.remove([index])
        with pytest.raises(BlockMissingError):
            read(world)
        world.store.put(kept, "dag-cbor")
        assert read(world)

    def test_a_lie_is_told_only_while_the_fault_lasts(self, dtledger_world: World) -> None:
        world = dtledger_world
        liar = world.custodians[1]
        liar.fault = Fault.WRONG_SHARE
        assert list(read(world).faults) == [liar.address]
        liar.fault = None
        assert read(world).faults == {}
        assert len(liar.log.entries) == 2


class TestAMemoryKey:
    def test_signs_what_the_ledger_takes(self, dtledger_world: World) -> None:
        key = MemoryKey("someone")
        receipt = dtledger_world.ledger.send(calls.revoke_all(1), key)
        assert receipt.events[0].owner == key.address

    def test_shows_and_pickles_no_secret(self) -> None:
        secret = bytes(31) + b"\1"
        key = MemoryKey("ann", secret)
        assert repr(key) == f"MemoryKey(ann, {key.address})"
        with pytest.raises(TypeError, match="not written down"):
            pickle.dumps(key)

    def test_signs_digests_alone(self) -> None:
        with pytest.raises(ValueError, match="32 bytes"):
            MemoryKey("ann").sign_digest(b"short")
        assert len(MemoryKey("ann").sign_digest(bytes(32))) == 65


class TestThePackage:
    def test_says_what_is_public_in_order(self) -> None:
        names = dtledger.testing.__all__
        assert names == sorted(names)
        for name in names:
            assert getattr(dtledger.testing, name).__name__ == name

    def test_has_nothing_else(self) -> None:
        with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
            _ = dtledger.testing.Nothing

    @pytest.mark.slow
    def test_costs_a_test_run_nothing_until_a_world_is_asked_for(self) -> None:
        program = """
import sys
import dtledger.testing.plugin
heavy = {"web3", "eth_account", "cryptography", "dtledger.client"} & set(sys.modules)
assert not heavy, heavy
from dtledger.testing import World
World().close()
assert "web3" not in sys.modules, "a world needs no chain"
"""
        subprocess.run([sys.executable, "-c", program], check=True)
