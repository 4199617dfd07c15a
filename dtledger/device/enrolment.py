"""An owner's signed word on a device: which key it signs with, what it measures of which twin, from when, for which
gateway; and the word that ends it.

Both are blocks of the form {body, signature} that the owner hands to the gateway. They name that gateway: given to
another they are worth nothing, so that what was ended at one is not begun again at the next. Nothing of them is on the
ledger. A device is called by the first bytes of its enrolment's hash: enrolled again it is another one, and begins
another chain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .. import vocabulary
from ..encoding import address, encode, sha256
from ..errors import IntegrityError
from ..ledger import Deployment
from ..readings import SOURCES
from ..snapshots.signed import Signer, read_block, sign_block
from ..types import Address, Digest

NAME_BYTES = 16
"""A device's name on the wire: so much of its enrolment's hash. Two with one name take 2^64 attempts."""

KEY_BYTES = 32
"""A public key of Ed25519 (RFC 8032)."""

MOST_CHANNELS = 32
MOST_DECIMALS = 6
_END = 2**40


@dataclass(frozen=True, slots=True)
class Channel:
    """One thing that a device measures. On the wire a value is a whole number of 10^-`decimals` of `unit`, so there is
    none that is not finite. `quality` says what the values are, where a category has several (`systolic`).

    >>> Channel("glucose", "mmol/L", 1).value(54)
    5.4

    Raises:
        ValueError: it is no category, or nothing that is measured in that unit.
    """

    category: str
    unit: str
    decimals: int = 0
    quality: str = ""

    def __post_init__(self) -> None:
        if not all(type(each) is str for each in (self.category, self.unit, self.quality)):
            raise ValueError("category, unit and quality are words")
        measure = vocabulary.category(self.category)
        if measure.name in vocabulary.STATES:
            raise ValueError(f"{measure.name} is found by a gateway, and measured by no device")
        if not measure.measured_in(self.unit) or vocabulary.unit(self.unit).code != self.unit:
            raise ValueError(f"{self.unit} is no UCUM code of a unit that {measure.name} is measured in")
        if type(self.decimals) is not int or not 0 <= self.decimals <= MOST_DECIMALS:
            raise ValueError(f"decimals are 0 to {MOST_DECIMALS}")
        if self.quality and self.quality not in SOURCES:
            raise ValueError(f"what a value is, is one of {', '.join(sorted(SOURCES))}")

    def value(self, number: int) -> float:
        """The value of a whole number on the wire."""
        return number / float(10**self.decimals)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the owner of a twin says of a device. Nothing that was measured before `since` is the twin's; `at` is when
    it was said (both unix seconds).

    Raises:
        ValueError: it is not of that form.
    """

    twin: int
    owner: Address
    gateway: Address
    key: bytes
    channels: tuple[Channel, ...]
    since: int
    at: int

    def __post_init__(self) -> None:
        numbers = (self.twin, self.since, self.at)
        if not all(type(each) is int and 0 <= each < _END for each in numbers):
            raise ValueError("twin and times are whole numbers that are not negative")
        if len(self.key) != KEY_BYTES:
            raise ValueError(f"a device's key has {KEY_BYTES} bytes")
        if not 0 < len(self.channels) <= MOST_CHANNELS or len(set(self.channels)) != len(self.channels):
            raise ValueError(f"a device measures 1 to {MOST_CHANNELS} things, each once")

    def body(self) -> dict[str, Any]:
        """What is signed."""
        return {
            "twin": self.twin,
            "owner": self.owner,
            "gateway": self.gateway,
            "key": self.key,
            "channels": [[each.category, each.unit, each.decimals, each.quality] for each in self.channels],
            "since": self.since,
            "at": self.at,
        }

    @property
    def digest(self) -> Digest:
        """What the device's chain begins with."""
        return sha256(encode(self.body()))

    @property
    def device(self) -> bytes:
        """The device's name on the wire."""
        return self.digest[:NAME_BYTES]

    def signed(self, deployment: Deployment, signer: Signer) -> bytes:
        return sign_block(deployment, "DeviceEnrolment", self.body(), signer)


@dataclass(frozen=True, slots=True)
class Suspension:
    """The owner's word that nothing of a device is taken any more, said at `at` (unix seconds). It is not taken back:
    the device is enrolled again."""

    device: bytes
    twin: int
    owner: Address
    gateway: Address
    at: int

    def body(self) -> dict[str, Any]:
        """What is signed."""
        return {"device": self.device, "twin": self.twin, "owner": self.owner, "gateway": self.gateway, "at": self.at}

    def signed(self, deployment: Deployment, signer: Signer) -> bytes:
        return sign_block(deployment, "DeviceSuspension", self.body(), signer)


def read_enrolment(deployment: Deployment, block: bytes) -> Enrolment:
    """The enrolment in a block that its owner signed.

    Raises:
        IntegrityError: it is none, or somebody else signed it.
    """
    body, signer = read_block(deployment, "DeviceEnrolment", block)
    match body:
        case {
            "twin": int(twin),
            "owner": str(owner),
            "gateway": str(gateway),
            "key": bytes(key),
            "channels": [*channels],
            "since": int(since),
            "at": int(at),
            **rest,
        } if not rest and owner == signer:
            try:
                read = tuple(Channel(name, unit, decimals, quality) for name, unit, decimals, quality in channels)
                return Enrolment(twin, signer, address(gateway), key, read, since, at)
            except (TypeError, ValueError) as error:
                raise IntegrityError(f"an enrolment of a device is malformed: {error}", party=signer) from None
    raise IntegrityError("an enrolment of a device is malformed, or not signed by its owner", party=signer)


def read_suspension(deployment: Deployment, block: bytes) -> Suspension:
    """The suspension in a block that its owner signed.

    Raises:
        IntegrityError: it is none, or somebody else signed it.
    """
    body, signer = read_block(deployment, "DeviceSuspension", block)
    match body:
        case {
            "device": bytes(device),
            "twin": int(twin),
            "owner": str(owner),
            "gateway": str(gateway),
            "at": int(at),
            **rest,
        } if not rest and owner == signer and len(device) == NAME_BYTES and 0 <= at < _END:
            return Suspension(device, twin, signer, Address(gateway), at)
    raise IntegrityError("a suspension of a device is malformed, or not signed by its owner", party=signer)
