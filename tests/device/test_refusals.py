"""Forged, replayed, reordered, unsigned, suspended, of another twin, with a gap: refused, each with its reason kept;
and the same batch with its one fault mended is taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cbor2
import pytest

from dtledger.client.writing import CLOCK_AHEAD
from dtledger.device.batch import MOST_BYTES, MOST_READINGS, Code, digest_of
from dtledger.device.sender import Device
from tests.device.conftest import DAY, Ward
from tests.device.signing import body_of, next_of, signed

pytestmark = pytest.mark.slow

RUNS = [[0, 900, 300, [50, 51, 52]]]


def refused(ward: Ward, device: Device, message: bytes, code: Code) -> None:
    """It is refused for that reason, the reason is kept with the batch's number, and nothing moved."""
    before, chain = ward.held(), ward.devices.find(bytes.fromhex(device.name)).chain  # type: ignore[union-attr]
    counted = ward.refused(device).get(code.name, 0)
    assert ward.take(message) is code
    assert ward.held() == before
    assert ward.devices.find(bytes.fromhex(device.name)).chain == chain  # type: ignore[union-attr]
    assert ward.refused(device)[code.name] == counted + 1
    newest = ward.refusals.newest(bytes.fromhex(device.name), 1)[0]
    assert (Code(newest.code), newest.batch > 0) == (code, True)


def test_a_forged_batch_is_refused(ward: Ward) -> None:
    device, now = ward.enrolled(), ward.world.clock.at
    body = body_of(device, now, RUNS)
    for forged in (
        signed(b"a thief's key" + bytes(19), body),
        cbor2.dumps(body) + bytes(64),
        signed(device._seed, body)[:-64] + signed(device._seed, body_of(device, now, [[0, 900, 300, [90]]]))[-64:],
    ):
        refused(ward, device, forged, Code.FORGED)
    message = bytearray(signed(device._seed, body))
    message[-70] ^= 1  # a value, in the body
    refused(ward, device, bytes(message), Code.FORGED)
    message[-70] ^= 1
    assert ward.take(bytes(message)) is Code.TAKEN


def test_a_signature_for_something_else_is_none(ward: Ward) -> None:
    """Ed25519 over the bare body: whoever makes a device sign bytes has no batch."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    device = ward.enrolled()
    body = cbor2.dumps(body_of(device, ward.world.clock.at, RUNS))
    key = Ed25519PrivateKey.from_private_bytes(device._seed)
    refused(ward, device, body + key.sign(body), Code.FORGED)
    assert ward.take(signed(device._seed, body)) is Code.TAKEN


def test_a_batch_without_a_signature_is_refused(ward: Ward) -> None:
    device = ward.enrolled()
    body = cbor2.dumps(body_of(device, ward.world.clock.at, RUNS))
    assert ward.take(body) is Code.UNSIGNED
    assert ward.refused() == {"UNSIGNED": 1}
    assert ward.held() == []
    assert ward.take(signed(device._seed, body)) is Code.TAKEN


def test_a_replayed_batch_is_refused(ward: Ward) -> None:
    device = ward.enrolled()
    first = device.sign(ward.rows(2, ago=3000), ward.world.clock.at)
    device.exchange(lambda held, _: ward.batches.take(held)[1])
    second = device.sign(ward.rows(2, ago=600), ward.world.clock.at)
    device.exchange(lambda held, _: ward.batches.take(held)[1])
    refused(ward, device, first, Code.REPLAYED)
    ward.restart()
    refused(ward, device, first, Code.REPLAYED)
    assert ward.take(second) is Code.HELD


def test_another_batch_under_a_number_that_was_taken_is_refused(ward: Ward) -> None:
    """Two devices with one state, or a state from a backup."""
    device, now = ward.enrolled(), ward.world.clock.at
    other = next_of(device, now, [[0, 900, 300, [60, 61, 62]]])
    assert ward.take(next_of(device, now, RUNS)) is Code.TAKEN
    refused(ward, device, other, Code.FORKED)


def test_reordered_batches_are_refused_until_their_turn(ward: Ward) -> None:
    device, now = ward.enrolled(), ward.world.clock.at
    first = device.sign(ward.rows(2, ago=3000), now)
    earlier = device.number, device.head
    device.hear(ward.batches._answers.sign(digest_of(first), Code.TAKEN))
    second = device.sign(ward.rows(2, ago=600), now)
    assert earlier != (device.number, device.head)
    refused(ward, device, second, Code.GAP)
    assert ward.take(first) is Code.TAKEN
    assert ward.take(second) is Code.TAKEN


def test_a_number_that_is_left_out_is_a_gap(ward: Ward) -> None:
    device, now = ward.enrolled(), ward.world.clock.at
    refused(ward, device, next_of(device, now, RUNS, number=2), Code.GAP)
    assert ward.take(next_of(device, now, RUNS, number=1)) is Code.TAKEN


def test_a_batch_that_follows_from_another_is_refused(ward: Ward) -> None:
    device, now = ward.enrolled(), ward.world.clock.at
    refused(ward, device, next_of(device, now, RUNS, previous=bytes(32)), Code.CHAIN)
    assert ward.take(next_of(device, now, RUNS)) is Code.TAKEN


def test_a_batch_for_another_twin_is_refused(ward: Ward) -> None:
    device, now = ward.enrolled(), ward.world.clock.at
    refused(ward, device, next_of(device, now, RUNS, twin=device.twin + 1), Code.TWIN)
    assert ward.take(next_of(device, now, RUNS)) is Code.TAKEN


def test_a_batch_of_another_device_s_name_is_refused(ward: Ward) -> None:
    mine, other = ward.enrolled(), ward.enrolled()
    now = ward.world.clock.at
    stolen = body_of(other, now, RUNS)
    refused(ward, other, signed(mine._seed, stolen), Code.FORGED)
    assert ward.take(signed(other._seed, stolen)) is Code.TAKEN


def test_what_is_not_measured_by_the_device_is_refused(ward: Ward) -> None:
    device, now = ward.enrolled(), ward.world.clock.at
    refused(ward, device, next_of(device, now, [[2, 900, 300, [70]]]), Code.CHANNEL)
    assert ward.take(next_of(device, now, [[1, 900, 300, [70]]])) is Code.TAKEN


def test_a_suspended_device_is_refused(ward: Ward) -> None:
    device, now = ward.enrolled(), ward.world.clock.at
    message = next_of(device, now, RUNS)
    other = ward.enrolled()
    ward.suspend(device)
    refused(ward, device, message, Code.SUSPENDED)
    ward.restart()
    refused(ward, device, message, Code.SUSPENDED)
    assert ward.take(next_of(other, now, RUNS)) is Code.TAKEN


def test_a_device_that_nobody_enrolled_is_refused(ward: Ward) -> None:
    device, now = ward.enrolled(), ward.world.clock.at
    assert ward.take(next_of(device, now, RUNS, device=bytes(16))) is Code.UNKNOWN
    assert ward.refused() == {"UNKNOWN": 1}
    assert ward.take(next_of(device, now, RUNS)) is Code.TAKEN


class TestTime:
    """A device's own chain is its clock."""

    def test_that_runs_against_the_chain_is_refused(self, ward: Ward) -> None:
        device, now = ward.enrolled(), ward.world.clock.at
        assert ward.send(device, ward.rows(3, ago=700)) is Code.TAKEN
        refused(ward, device, next_of(device, now - 1, [[0, 0, 0, [50]]]), Code.BACKWARDS)
        refused(ward, device, next_of(device, now, [[0, 700, 0, [50]]]), Code.BACKWARDS)
        refused(ward, device, next_of(device, now, [[0, 100, 0, [50]]]), Code.BACKWARDS)
        assert ward.take(next_of(device, now, [[0, 99, 0, [50]]])) is Code.TAKEN

    def test_of_interleaved_sensors_under_one_channel_is_refused(self, ward: Ward) -> None:
        device, now = ward.enrolled(), ward.world.clock.at
        refused(ward, device, next_of(device, now, [[0, 900, 300, [50, 51]], [0, 700, 300, [90, 91]]]), Code.BACKWARDS)
        assert ward.take(next_of(device, now, [[0, 900, 300, [50, 51]], [1, 700, 300, [90, 91]]])) is Code.TAKEN

    def test_to_come_is_refused(self, ward: Ward) -> None:
        device, now = ward.enrolled(), ward.world.clock.at
        refused(ward, device, next_of(device, now + CLOCK_AHEAD + 1, RUNS), Code.AHEAD)
        assert ward.take(next_of(device, now + CLOCK_AHEAD, RUNS)) is Code.TAKEN

    def test_before_the_enrolment_is_refused(self, ward: Ward) -> None:
        device, now = ward.enrolled(), ward.world.clock.at
        for ago in (15 * DAY + 1, 30 * DAY):
            refused(ward, device, next_of(device, now, [[0, ago, 0, [50]]]), Code.EARLY)
        assert ward.take(next_of(device, now, [[0, 15 * DAY, 0, [50]]])) is Code.TAKEN

    def test_of_1970_is_refused(self, ward: Ward) -> None:
        device, now = ward.enrolled(), ward.world.clock.at
        refused(ward, device, next_of(device, 4000, [[0, 900, 300, [50, 51]]]), Code.EARLY)
        assert ward.take(next_of(device, now, [[0, 900, 300, [50, 51]]])) is Code.TAKEN


def test_what_the_gateway_may_not_write_is_refused_until_it_may(ward: Ward) -> None:
    device, now = ward.enrolled(), ward.world.clock.at
    world = ward.world
    world.patient.consents.block(world.twin, world.gateway.address)
    world.clock.advance(61)
    try:
        refused(ward, device, next_of(device, now, RUNS), Code.RIGHT)
    finally:
        world.patient.consents.unblock(world.twin, world.gateway.address)
    world.clock.advance(61)
    assert ward.take(next_of(device, now, RUNS)) is Code.TAKEN


MALFORMED: dict[str, Callable[[list[Any]], Any]] = {
    "no list": lambda body: {"batch": body},
    "another version": lambda body: [2, *body[1:]],
    "a field more": lambda body: [*body, 0],
    "a field less": lambda body: body[:-1],
    "a name too short": lambda body: [1, body[1][:15], *body[2:]],
    "a hash too short": lambda body: [*body[:4], body[4][:31], *body[5:]],
    "number zero": lambda body: [*body[:3], 0, *body[4:]],
    "a negative time": lambda body: [*body[:5], -1, body[6]],
    "a time beyond all": lambda body: [*body[:5], 2**40, body[6]],
    "a twin that is true": lambda body: [*body[:2], True, *body[3:]],
    "a twin as text": lambda body: [*body[:2], "1", *body[3:]],
    "no run": lambda body: [*body[:6], []],
    "an empty run": lambda body: [*body[:6], [[0, 900, 300, []]]],
    "a run of three": lambda body: [*body[:6], [[0, 900, [50]]]],
    "a channel below none": lambda body: [*body[:6], [[-1, 900, 300, [50]]]],
    "a step back": lambda body: [*body[:6], [[0, 900, -300, [50, 51]]]],
    "no step": lambda body: [*body[:6], [[0, 900, 0, [50, 51]]]],
    "beyond its own time": lambda body: [*body[:6], [[0, 900, 901, [50, 51]]]],
    "before all time": lambda body: [*body[:6], [[0, 2**40, 1, [50, 51]]]],
    "a mark that there is not": lambda body: [*body[:6], [[0, 900, 300, [[50, 3]]]]],
    "a mark alone": lambda body: [*body[:6], [[0, 900, 300, [[50]]]]],
    "a fraction": lambda body: [*body[:6], [[0, 900, 300, [50.5]]]],
    "not a number": lambda body: [*body[:6], [[0, 900, 300, [float("nan")]]]],
    "infinity": lambda body: [*body[:6], [[0, 900, 300, [float("inf")]]]],
    "minus infinity": lambda body: [*body[:6], [[0, 900, 300, [float("-inf")]]]],
    "nothing": lambda body: [*body[:6], [[0, 900, 300, [None]]]],
    "a number beyond all": lambda body: [*body[:6], [[0, 900, 300, [2**64 - 1]]]],
    "a bignum": lambda body: [*body[:6], [[0, 900, 300, [2**80]]]],
    "too many": lambda body: [*body[:6], [[0, 4_100, 1, [0] * (MOST_READINGS + 1)]]],
    "too deep": lambda body: [*body[:6], [[[[[[[[[[[[50]]]]]]]]]]]]],
    "a longer form of a number": lambda body: (
        cbor2.dumps(body[:6])[:1].replace(b"\x86", b"\x87") + b"\x18\x01" + cbor2.dumps(body)[2:]
    ),
    "text": lambda body: b"unsigned and no batch at all, but long enough to hold a signature and then some more",
}


@pytest.mark.parametrize("fault", MALFORMED)
def test_what_is_no_batch_is_refused_be_it_signed_or_not(ward: Ward, fault: str) -> None:
    device, now = ward.enrolled(), ward.world.clock.at
    body = body_of(device, now, RUNS)
    assert ward.take(signed(device._seed, MALFORMED[fault](body))) is Code.MALFORMED
    assert (ward.held(), ward.refused()) == ([], {"MALFORMED": 1})
    assert ward.take(signed(device._seed, body)) is Code.TAKEN


def test_what_is_larger_than_a_batch_is_not_looked_into(ward: Ward) -> None:
    device = ward.enrolled()
    assert ward.take(bytes(MOST_BYTES + 1)) is Code.LARGE
    assert ward.take(bytes(MOST_BYTES)) is Code.MALFORMED
    rows = [(0, ward.world.clock.at - MOST_READINGS + each, 50 + each % 7) for each in range(MOST_READINGS)]
    assert ward.send(device, rows) is Code.TAKEN
    assert len(device.pending) == 0


def test_as_many_readings_as_a_batch_may_have_are_taken_however_they_lie(ward: Ward) -> None:
    """Else a device whose clock is a second off, or whose sensor stands at its floor, loses a fortnight at once."""
    device, now = ward.enrolled(), ward.world.clock.at
    times = [now - 15 * (MOST_READINGS - each) + each % 2 for each in range(MOST_READINGS)]
    assert ward.send(device, [(0, at, 50, 1) for at in times]) is Code.TAKEN
    assert not device.pending
    one_more = [[0, 9 * (MOST_READINGS + 1 - each), 0, [[50, 1]]] for each in range(MOST_READINGS + 1)]
    assert ward.take(next_of(device, now, one_more)) is Code.MALFORMED


def test_a_flood_of_refusals_fills_no_disk(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dtledger._backend.refusal_file.MOST_KEPT", 10)
    for each in range(25):
        assert ward.take(each.to_bytes(70)) is Code.MALFORMED
    assert ward.refused() == {"MALFORMED": 25}
    assert len(ward.refusals.newest(b"", 100)) == 10


def test_every_reason_is_told_and_no_two_by_one_number() -> None:
    assert len({each.text for each in Code}) == len(Code) == len({int(each) for each in Code})
    assert [each for each in Code if each.refuses] == [each for each in Code if each >= 16]
