"""A gateway's side of the wire: batches of readings that a device signed, and the answers to them.

    message  =  body ‖ signature (64 bytes)                        Ed25519 over "dtledger/batch/1\\0" ‖ body
    body     =  [1, device, twin, number, previous, at, [run, …]]  canonical CBOR
    run      =  [channel, back, step, [value, …]]                  first `back` seconds before `at`, then every `step`
    value    =  number  or  [number, mark]                         mark 1: below what the sensor shows, 2: above

    answer   =  body ‖ signature (64 bytes)                        Ed25519 over "dtledger/answer/1\\0" ‖ body
    body     =  [1, SHA-256 of the batch's body, code, readings set aside]

`previous` is the SHA-256 of the body with the number before; of number 1 it is the enrolment's. docs/devices.md says
all of it in words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ..encoding import decode, encode, require_few, sha256
from ..errors import IntegrityError
from ..readings import ABOVE_RANGE, BELOW_RANGE
from ..types import Digest
from ..vocabulary.coded import Coded
from .enrolment import NAME_BYTES

MOST_BYTES = 65_536
"""Of one message."""

MOST_READINGS = 4_096
"""In one message: two weeks of five-minute readings."""

_MOST_VALUES = 8 * (MOST_READINGS + 1)
"""Of CBOR in it: each reading may be a run of its own, at any second and with a mark, and the batch has eight."""

SIGNATURE_BYTES = 64
_SIGNED, _ANSWERED = b"dtledger/batch/1\0", b"dtledger/answer/1\0"
_MARKS = {1: BELOW_RANGE, 2: ABOVE_RANGE}
_END = 2**40
_LARGEST = 2**53


class Code(Coded):
    """What is answered to a batch. From 16 on it is refused: below 32 the very same batch may be taken some other time,
    or people have to look; from 32 on it never is, and another batch may have its number."""

    TAKEN = 0, "it is on the gateway's disk"
    HELD = 1, "it was taken before"
    LATER = 2, "there is no room for it now: send it again later"
    UNKNOWN = 16, "no such device is enrolled"
    UNSIGNED = 17, "it has no signature"
    FORGED = 18, "the signature is not the device's"
    SUSPENDED = 19, "the owner suspended the device"
    OWNER = 20, "the twin is not any more whose who enrolled the device"
    RIGHT = 21, "the gateway may not write that to that twin"
    TWIN = 22, "it is for another twin than the device is enrolled for"
    REPLAYED = 23, "its number was taken before the newest"
    FORKED = 24, "its number was taken with another content"
    GAP = 25, "a number before it is missing"
    CHAIN = 26, "it does not follow from the batch before it"
    MALFORMED = 32, "it is no batch"
    LARGE = 33, "it is larger than a batch may be"
    CHANNEL = 34, "it has values of what the device is not enrolled to measure"
    BACKWARDS = 35, "the device's time runs against its own chain"
    AHEAD = 36, "it is of a time to come: the device's clock is wrong"
    EARLY = 37, "it is of a time before the device was enrolled for"
    VALUE = 48, "a value is not within what a body and its devices give: set aside, the others of its batch are taken"

    @property
    def refuses(self) -> bool:
        return self >= Code.UNKNOWN


class Refused(Exception):
    """A batch is not taken, and why."""

    def __init__(self, code: Code) -> None:
        super().__init__(code.text)
        self.code = code


class Run(NamedTuple):
    """Values of one channel at equal steps: seconds of the first, seconds between, (number, mark) of each."""

    channel: int
    first: int
    step: int
    values: tuple[tuple[int, str], ...]

    @property
    def last(self) -> int:
        return self.first + self.step * (len(self.values) - 1)

    def timed(self) -> Iterator[tuple[int, int, str]]:
        """(seconds, number, mark) of each value."""
        return ((self.first + self.step * place, *value) for place, value in enumerate(self.values))


@dataclass(frozen=True)
class Batch:
    """A batch as it came. Nothing of it is true before `verify`."""

    device: bytes
    twin: int
    number: int
    previous: bytes
    at: int
    runs: tuple[Run, ...]
    body: bytes
    signature: bytes

    @cached_property
    def digest(self) -> Digest:
        return sha256(self.body)

    def verify(self, key: bytes) -> None:
        """Pass if the device with that public key signed it.

        Raises:
            Refused: it did not.
        """
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(self.signature, _SIGNED + self.body)
        except (InvalidSignature, ValueError):
            raise Refused(Code.FORGED) from None


def read_batch(message: bytes) -> Batch:
    """The batch in a message.

    Raises:
        Refused: there is none, or it has no signature.
    """
    if len(message) > MOST_BYTES:
        raise Refused(Code.LARGE)
    body = message[:-SIGNATURE_BYTES]
    batch = _read(body, message[-SIGNATURE_BYTES:])
    if batch is None:
        raise Refused(Code.UNSIGNED if _read(message, b"") else Code.MALFORMED)
    return batch


def digest_of(message: bytes) -> Digest:
    """What an answer names the message by, whatever it is."""
    return sha256(message[:-SIGNATURE_BYTES])


def _read(body: bytes, signature: bytes) -> Batch | None:
    try:
        require_few(body, _MOST_VALUES)
        value = decode(body)
    except IntegrityError:
        return None
    match value:
        case [1, bytes(device), int(twin), int(number), bytes(previous), int(at), [_, *_] as rows] if (
            len(device) == NAME_BYTES
            and len(previous) == 32
            and all(type(each) is int and 0 <= each < _END for each in (value[0], twin, number - 1, at))
        ):
            runs = [_run(row, at) for row in rows]
            read = tuple(each for each in runs if each is not None)
            if len(read) == len(runs) and sum(len(each.values) for each in read) <= MOST_READINGS:
                return Batch(device, twin, number, previous, at, read, body, signature)
    return None


def _run(row: Any, at: int) -> Run | None:
    match row:
        case [int(channel), int(back), int(step), [_, *_] as cells] if all(type(each) is int for each in row[:3]):
            values = [_value(each) for each in cells]
            read = tuple(each for each in values if each is not None)
            run = Run(channel, at - back, step, read)
            steps = step > 0 or (step == 0 and len(read) == 1)
            sound = len(read) == len(values) and channel >= 0 and steps and run.first >= 0 and run.last <= at
            return run if sound else None
    return None


def _value(cell: Any) -> tuple[int, str] | None:
    number, mark = cell if type(cell) is list and len(cell) == 2 else (cell, 0)
    if type(number) is not int or not -_LARGEST <= number <= _LARGEST or type(mark) is not int:
        return None
    if type(cell) is list and mark not in _MARKS:
        return None
    return number, _MARKS.get(mark, "")


class Answers:
    """What a gateway answers devices by: a key of Ed25519, since a device has no other."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def public(self) -> bytes:
        return self._key.public_key().public_bytes_raw()

    def sign(self, digest: Digest, code: Code, set_aside: int = 0) -> bytes:
        """The answer to the batch of that digest."""
        body = encode([1, digest, int(code), set_aside])
        return body + self._key.sign(_ANSWERED + body)
