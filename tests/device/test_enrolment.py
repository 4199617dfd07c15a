"""Who may bind a device to a twin, and who ends it: the twin's owner, to one gateway, just now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtledger.client import Client, writing_terms
from dtledger.device.batch import Code
from dtledger.device.enrolment import (
    MOST_CHANNELS,
    Channel,
    Enrolment,
    Suspension,
    read_enrolment,
    read_suspension,
)
from dtledger.device.sender import Device
from dtledger.encoding import encode
from dtledger.errors import AccessDeniedError, InputError, IntegrityError, LimitPassedError, UnreachableError
from dtledger.gateway.pump import Pace, Pump
from dtledger.ledger import Deployment
from dtledger.snapshots.signed import sign_block
from dtledger.testing.memory_chain import new_deployment
from dtledger.testing.memory_key import MemoryKey
from dtledger.vocabulary import Reason
from tests.device.conftest import GLUCOSE, Ward
from tests.device.signing import next_of

pytestmark = pytest.mark.slow

DEPLOYMENT = new_deployment()
OWNER, GATEWAY, THIEF = (MemoryKey(name) for name in ("owner", "gateway", "thief"))
SAID = Enrolment(7, OWNER.address, GATEWAY.address, bytes(range(32)), (GLUCOSE,), 1_800_000_000, 1_800_000_100)
ENDED = Suspension(SAID.device, 7, OWNER.address, GATEWAY.address, 1_800_000_200)
RUNS = [[0, 900, 300, [50, 51, 52]]]


def said(ward: Ward, **other: Any) -> Enrolment:
    """A new device of the patient's, as its owner would enrol it, with other fields in place of some."""
    world = ward.world
    now = world.clock.at
    fields = {
        "twin": world.twin,
        "owner": world.patient.address,
        "gateway": world.gateway.address,
        "key": bytes(31) + bytes([len(ward.devices.all()) + 1]),
        "channels": (GLUCOSE,),
        "since": now,
        "at": now,
    }
    return Enrolment(**{**fields, **other})


def block(ward: Ward, enrolment: Enrolment, signer: Any = None) -> bytes:
    return enrolment.signed(ward.world.ledger.deployment, signer or ward.world.patient.context.key)


class TestAWord:
    def test_comes_back_as_it_was_said(self) -> None:
        assert read_enrolment(DEPLOYMENT, SAID.signed(DEPLOYMENT, OWNER)) == SAID
        assert read_suspension(DEPLOYMENT, ENDED.signed(DEPLOYMENT, OWNER)) == ENDED

    def test_of_somebody_else_is_none(self) -> None:
        with pytest.raises(IntegrityError, match="not signed by its owner"):
            read_enrolment(DEPLOYMENT, SAID.signed(DEPLOYMENT, THIEF))
        with pytest.raises(IntegrityError, match="not signed by its owner"):
            read_suspension(DEPLOYMENT, ENDED.signed(DEPLOYMENT, THIEF))

    def test_of_one_kind_is_none_of_the_other(self) -> None:
        """Under another name in its signature the signer is another."""
        enrolled, suspended = SAID.body(), ENDED.body()
        with pytest.raises(IntegrityError):
            read_enrolment(DEPLOYMENT, sign_block(DEPLOYMENT, "DeviceSuspension", enrolled, OWNER))
        with pytest.raises(IntegrityError):
            read_suspension(DEPLOYMENT, sign_block(DEPLOYMENT, "DeviceEnrolment", suspended, OWNER))

    def test_on_another_ledger_is_none(self) -> None:
        other = replace(DEPLOYMENT, genesis=bytes(32))
        with pytest.raises(IntegrityError):
            read_enrolment(other, SAID.signed(DEPLOYMENT, OWNER))

    def test_with_any_bit_changed_is_none(self) -> None:
        whole = SAID.signed(DEPLOYMENT, OWNER)
        for place in range(len(whole)):
            changed = bytearray(whole)
            changed[place] ^= 1 << place % 8
            with pytest.raises(IntegrityError):
                read_enrolment(DEPLOYMENT, bytes(changed))

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("twin", -1),
            ("twin", "7"),
            ("gateway", "0x"),
            ("key", bytes(31)),
            ("channels", []),
            ("channels", [["glucose", "mmol/L", 1]]),
            ("channels", [["glucose", "mmol/L", 1, ""]] * 2),
            ("channels", [["glucose", "furlong", 1, ""]]),
            ("channels", [["glucose", "MMOL/L", 1, ""]]),
            ("channels", [["glucose", "kg", 1, ""]]),
            ("channels", [["gluco", "kg", 1, ""]]),
            ("channels", [["glucose", "mmol/L", 7, ""]]),
            ("channels", [["glucose", "mmol/L", True, ""]]),
            ("channels", [["glucose", "mmol/L", 1, "below-range"]]),
            ("channels", [["glucose", 7, 1, ""]]),
            ("channels", [["forecast", "1", 1, ""]]),
            ("channels", [["glucose", "mmol/L", 1, 7]]),
            ("channels", ["glucose"]),
            ("since", 2**40),
            ("at", -1),
            ("more", 1),
        ],
        ids=str,
    )
    def test_with_a_wrong_field_is_none(self, name: str, value: Any) -> None:
        body = {**SAID.body(), name: value}
        with pytest.raises(IntegrityError):
            read_enrolment(DEPLOYMENT, sign_block(DEPLOYMENT, "DeviceEnrolment", body, OWNER))
        assert read_enrolment(DEPLOYMENT, sign_block(DEPLOYMENT, "DeviceEnrolment", SAID.body(), OWNER)) == SAID

    @given(st.integers(0, 10**9), st.integers(0, 6))
    def test_names_the_unit_and_its_decimals_so_that_a_value_is_a_whole_number(
        self, number: int, decimals: int
    ) -> None:
        value = Channel("glucose", "mmol/L", decimals).value(number)
        assert round(value * 10**decimals) == number

    def test_has_a_bound(self) -> None:
        with pytest.raises(ValueError, match=f"1 to {MOST_CHANNELS}"):
            replace(SAID, channels=tuple(Channel("glucose", "mmol/L", each % 7) for each in range(MOST_CHANNELS + 1)))


class TestEnrolling:
    def test_is_the_owner_s(self, ward: Ward) -> None:
        thief = ward.world.clinician
        with pytest.raises(AccessDeniedError, match="owner"):
            ward.devices.enrol(block(ward, said(ward, owner=thief.address), thief.context.key))
        with pytest.raises(InputError, match="not signed by its owner"):
            ward.devices.enrol(block(ward, said(ward), thief.context.key))
        with pytest.raises(AccessDeniedError, match="owner"):
            ward.devices.enrol(block(ward, said(ward, twin=4711)))
        assert ward.devices.all() == []
        assert ward.devices.enrol(block(ward, said(ward))).twin == ward.world.twin

    def test_is_for_one_gateway(self, ward: Ward) -> None:
        """What was ended at one is not begun again at the next."""
        with pytest.raises(InputError, match="another gateway"):
            ward.devices.enrol(block(ward, said(ward, gateway=ward.world.clinician.address)))
        ward.devices.enrol(block(ward, said(ward)))

    @pytest.mark.parametrize("off", [-301, 301])
    def test_is_of_now(self, ward: Ward, off: int) -> None:
        now = ward.world.clock.at
        with pytest.raises(InputError, match="just now"):
            ward.devices.enrol(block(ward, said(ward, at=now + off)))
        ward.devices.enrol(block(ward, said(ward, at=now + off - off // 301)))

    def test_is_refused_where_the_gateway_may_not_write(self, ward: Ward) -> None:
        with pytest.raises(AccessDeniedError) as refused:
            ward.devices.enrol(block(ward, said(ward, channels=(Channel("spo2", "%"),))))
        assert refused.value.reason is Reason.CATEGORY
        ward.devices.enrol(block(ward, said(ward, channels=(Channel("heart-rate", "/min"),))))

    def test_said_twice_changes_nothing(self, ward: Ward) -> None:
        device = ward.enrolled()
        assert ward.take(next_of(device, ward.world.clock.at, RUNS)) is Code.TAKEN
        ward.devices.enrol(ward.devices.block(bytes.fromhex(device.name)))
        assert ward.devices.find(bytes.fromhex(device.name)).chain.number == 1  # type: ignore[union-attr]

    def test_said_again_does_not_bring_back_what_was_suspended(self, ward: Ward) -> None:
        device = ward.enrolled()
        block = ward.devices.block(bytes.fromhex(device.name))
        ward.suspend(device)
        with pytest.raises(AccessDeniedError) as refused:
            ward.devices.enrol(block)
        assert refused.value.reason is Reason.SUSPENDED
        ward.enrolled()

    def test_a_twin_has_so_many_devices(self, ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("dtledger.gateway.devices.MOST_OF_TWIN", 2)
        first = ward.enrolled()
        ward.enrolled()
        with pytest.raises(LimitPassedError):
            ward.enrolled()
        ward.suspend(first)
        ward.enrolled()

    def test_a_twin_has_so_many_over_its_life(self, ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
        """What was suspended is kept: enrolled and suspended in turn, a gateway's list would grow for ever."""
        monkeypatch.setattr("dtledger.gateway.devices.MOST_EVER", 2)
        for _ in range(2):
            ward.suspend(ward.enrolled())
        with pytest.raises(LimitPassedError):
            ward.enrolled()

    def test_a_ledger_that_is_away_enrols_nobody(self, ward: Ward) -> None:
        """Whose the twin is, is not known then."""
        ward.world.ledger.unreachable = True
        try:
            with pytest.raises(UnreachableError):
                ward.devices.enrol(block(ward, said(ward)))
        finally:
            ward.world.ledger.unreachable = False

    def test_what_is_no_word_is_refused(self, ward: Ward) -> None:
        for data in (b"", b"\xa0", encode({"body": {}, "signature": bytes(65)}), encode([1])):
            with pytest.raises(InputError):
                ward.devices.enrol(data)
            with pytest.raises(InputError):
                ward.devices.suspend(data)


class TestSuspending:
    def test_is_the_owner_s(self, ward: Ward) -> None:
        device, world = ward.enrolled(), ward.world
        name, now, deployment = bytes.fromhex(device.name), world.clock.at, world.ledger.deployment
        thief = world.clinician
        forged = Suspension(name, world.twin, thief.address, world.gateway.address, now)
        with pytest.raises(AccessDeniedError):
            ward.devices.suspend(forged.signed(deployment, thief.context.key))
        elsewhere = Suspension(name, world.twin, world.patient.address, thief.address, now)
        with pytest.raises(InputError, match="another gateway"):
            ward.devices.suspend(elsewhere.signed(deployment, world.patient.context.key))
        other = Suspension(name, world.twin + 1, world.patient.address, world.gateway.address, now)
        with pytest.raises(InputError, match="No such device"):
            ward.devices.suspend(other.signed(deployment, world.patient.context.key))
        assert ward.take(next_of(device, now, RUNS)) is Code.TAKEN
        ward.suspend(device)
        ward.suspend(device)
        assert ward.devices.find(name).suspended == now  # type: ignore[union-attr]

    def test_is_kept_over_a_restart_and_the_chain_too(self, ward: Ward) -> None:
        device = ward.enrolled()
        assert ward.take(next_of(device, ward.world.clock.at, RUNS)) is Code.TAKEN
        ward.suspend(device)
        ward.restart()
        known = ward.devices.find(bytes.fromhex(device.name))
        assert known is not None
        assert (known.suspended, known.chain.number) == (ward.world.clock.at, 1)

    def test_of_a_device_whose_batch_is_on_its_way_to_the_disk_holds(
        self, ward: Ward, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        device, now = ward.enrolled(), ward.world.clock.at
        put = ward.queue.put

        def suspended(*readings: Any, **how: Any) -> int:
            ward.suspend(device)
            return put(*readings, **how)

        message = device.sign([(0, now - 600, 50)], now)
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(ward.queue, "put", suspended)
            assert ward.take(message) is Code.TAKEN, "it was there before"
        assert len(ward.readings()) == 1
        other = ward.enrolled()
        assert ward.take(next_of(device, now, RUNS)) is Code.SUSPENDED
        assert ward.take(next_of(other, now, RUNS)) is Code.TAKEN


def owner_of_a_twin(ward: Ward, name: str) -> tuple[Client, int]:
    """A patient with a twin that the gateway may write to."""
    patient = ward.world.client(MemoryKey(name))
    twin, _ = ward.world.operator.twins.mint(patient.twins.request_mint())
    set_up(ward, patient, twin)
    return patient, twin


def set_up(ward: Ward, owner: Client, twin: int) -> None:
    now = ward.world.clock.at
    owner.twins.set_up(twin, [each.address for each in ward.world.custodians], 2)
    terms = writing_terms(["glucose"], now, 86_400, back_to=now // 60 - 60)
    owner.consents.grant(twin, ward.world.gateway.address, terms)


def enrolled_by(ward: Ward, owner: Client, twin: int, seed: bytes) -> Device:
    since, gateway = ward.world.clock.at - 1000, ward.world.gateway.address
    said, signed = owner.devices.enrol(twin, gateway, Device.public_of(seed), [GLUCOSE], since)
    ward.devices.enrol(signed)
    path = ward.folder / f"{seed.hex()[:8]}.state"
    Device.make(path, seed, ward.batches.public, said.digest, twin, since, [["glucose", "mmol/L", 1, ""]])
    return ward.device(path)


def test_what_a_former_owner_s_device_sent_while_the_ledger_was_away_goes_sealed_to_the_present_owner(
    ward: Ward,
) -> None:
    """A gateway that began anew believes it until the ledger answers, and anchors nothing of it."""
    world = ward.world
    (patient, twin), heir = owner_of_a_twin(ward, "patient 3"), world.client(MemoryKey("heir 3"))
    former = enrolled_by(ward, patient, twin, b"former" + bytes(26))
    patient.twins.move(heir.twins.accept_move(twin))
    set_up(ward, heir, twin)
    own = enrolled_by(ward, heir, twin, b"own" + bytes(29))
    ward.restart()
    world.ledger.unreachable, now = True, world.clock.at
    try:
        assert ward.send(former, [(0, now - 500, 50)]) is Code.TAKEN
        assert ward.send(own, [(0, now - 400, 60)]) is Code.TAKEN
    finally:
        world.ledger.unreachable = False
    context, writer = world.gateway.context, world.gateway.writer
    pump = Pump(context, writer, ward.queue, Pace(batch_seconds=0), strange=ward.devices.strange)
    world.clock.advance(61)
    while pump.step():
        pass
    assert (pump.told.anchored, pump.told.handed_over, ward.readings()) == (1, 1, [])
    assert [each.value for each in heir.read(twin, "glucose", "PATRQT")] == [6.0]
    (letter,) = ward.queue.letters(heir.address)
    assert [each.value for each in heir.writer.unanchored(letter).readings] == [5.0]


def test_a_twin_that_moved_away_takes_nothing_more_of_its_former_owner_s_devices(ward: Ward) -> None:
    world, gateway = ward.world, ward.world.gateway.address
    (patient, twin), heir = owner_of_a_twin(ward, "patient 2"), world.client(MemoryKey("heir"))
    device, now = enrolled_by(ward, patient, twin, bytes(32)), world.clock.at
    assert ward.send(device, [(0, now - 500, 50)]) is Code.TAKEN
    patient.twins.move(heir.twins.accept_move(twin))
    world.clock.advance(61)
    assert ward.send(device, [(0, now - 100, 51)]) is Code.OWNER
    listed = [each["device"] for each in ward.devices.listed(heir.address)["devices"]]
    assert listed == [device.name]
    ward.devices.suspend(heir.devices.suspend(twin, gateway, bytes.fromhex(device.name)))


class TestTheList:
    def test_is_of_one_s_own_devices_and_tells_every_reason(self, ward: Ward) -> None:
        device, other = ward.enrolled(), ward.enrolled()
        now = ward.world.clock.at
        ward.take(next_of(device, now, RUNS, number=3))
        ward.take(next_of(device, now, RUNS, number=4))
        ward.take(next_of(device, now, RUNS))
        ward.suspend(other)
        found = ward.devices.listed(ward.world.patient.address)
        by_name = {each["device"]: each for each in found["devices"]}
        assert set(by_name) == {device.name, other.name}
        told = by_name[device.name]
        assert told["refused"] == [{"reason": "GAP", "count": 2, "first_at": now, "last_at": now}]
        assert [each["batch"] for each in told["newest"]] == [4, 3]
        assert (told["number"], told["newest_at"], told["suspended_at"]) == (1, now - 300, None)
        assert by_name[other.name]["suspended_at"] == now
        assert found["unknown"] is None

    def test_asked_for_again_reads_no_owner_s_word_again(self, ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
        """Anybody may ask, with a key made up just now; each word costs a signature's check."""
        read: list[bytes] = []

        def reading(deployment: Deployment, block: bytes) -> Enrolment:
            read.append(block)
            return read_enrolment(deployment, block)

        monkeypatch.setattr("dtledger.gateway.devices.read_enrolment", reading)
        first = ward.enrolled()
        ward.enrolled()
        ward.devices.listed(ward.world.clinician.address)
        read.clear()
        ward.devices.listed(ward.world.clinician.address)
        assert not read
        ward.suspend(first)
        listed = ward.devices.listed(ward.world.patient.address)["devices"]
        assert {each["device"]: each["suspended_at"] is None for each in listed}[first.name] is False
        assert read == [ward.devices.block(bytes.fromhex(first.name))], "and the suspended one's anew"

    def test_is_nobody_else_s(self, ward: Ward) -> None:
        ward.enrolled()
        assert ward.devices.listed(ward.world.clinician.address)["devices"] == []

    def test_is_whole_for_the_gateway_itself(self, ward: Ward) -> None:
        ward.enrolled()
        ward.take(b"no batch")
        found = ward.devices.listed(ward.world.gateway.address)
        assert len(found["devices"]) == 1
        assert [each["reason"] for each in found["unknown"]["refused"]] == ["MALFORMED"]
