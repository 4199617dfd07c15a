"""What an outsider sees of a twin, and how it searches there for what it should not find.

`Public` is everything that is in the open: calldata, logs and storage of the chain, every block of the store. A search
takes that and what an outsider may know or guess well (who there is, which categories there are, what a reading may
be), and names what it recognises. A finding is a leak.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, is_dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import product
from typing import Any

from dtledger import encoding
from dtledger.crypto.merkle import MerkleTree, leaf
from dtledger.crypto.padding import padme
from dtledger.encoding import keccak, sha256
from dtledger.readings import Reading, encode_readings, hourly
from dtledger.testing import World
from dtledger.types import Address
from dtledger.vocabulary import CATEGORIES, Purpose
from dtledger.vocabulary.categories import CATEGORY_BITS
from dtledger.vocabulary.units import UNITS


@dataclass(frozen=True)
class Public:
    """Names of pieces (a block's CID, a transaction's hash) → their bytes."""

    pieces: dict[str, bytes]

    @cached_property
    def _words(self) -> set[int]:
        """Python's hash of every 32 bytes in a row: thousands of guessed hashes are looked for at once."""
        return {hash(data[at : at + 32]) for data in self.pieces.values() for at in range(len(data) - 31)}

    def where(self, needle: bytes) -> list[str]:
        if len(needle) == 32 and hash(needle) not in self._words:
            return []
        return [name for name, data in self.pieces.items() if needle in data]

    def find(self, needles: Iterable[tuple[str, bytes]]) -> list[str]:
        """Which needles are there, as ``what: where``."""
        return [f"{what}: {place}" for what, needle in needles for place in self.where(needle)]


@dataclass(frozen=True)
class Known:
    """What an outsider knows of the people, and guesses right of the data."""

    people: tuple[str, ...]
    addresses: tuple[Address, ...]
    twins: tuple[int, ...]
    readings: dict[str, tuple[Reading, ...]]


def of_world(world: World) -> Public:
    """A world in memory: its events and its store."""
    pieces = {str(cid): data for cid, data in world.store._blocks.items()}
    for logged in world.ledger.history().logged:
        pieces[f"event {logged.place}"] = b"".join(_words(astuple(logged.event)))
    return Public(pieces)


def _words(value: Any) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, str):
        yield bytes.fromhex(value[2:]) if value.startswith("0x") else value.encode()
    elif isinstance(value, int):
        yield value.to_bytes(32, "big")
    elif is_dataclass(value) and not isinstance(value, type):
        yield from _words(astuple(value))
    elif isinstance(value, Sequence):
        for each in value:
            yield from _words(each)


# in the clear ---------------------------------------------------------------------------------------------------------

SHORTEST = 5
"""Bytes of a needle: shorter ones stand somewhere in random bytes by chance."""


def _spelled(text: str) -> Iterator[bytes]:
    for each in {text, text.upper(), text.capitalize()}:
        for spelled in (each.encode(), each.encode("utf-16-le"), each.encode().hex().encode(), encoding.encode(each)):
            if len(spelled) >= SHORTEST:
                yield spelled


def texts(public: Public, known: Known) -> list[str]:
    """Names of categories, units, purposes and people."""
    words = [each.name for each in CATEGORIES] + [each.code for each in UNITS] + [each.name for each in Purpose]
    return public.find((word, spelled) for word in (*words, *known.people) for spelled in _spelled(word))


def values(public: Public, known: Known) -> list[str]:
    """Values as text, as binary64, as whole numbers of small units."""
    return public.find(
        (f"value {each.value}", spelled)
        for readings in known.readings.values()
        for each in readings
        for spelled in _numbers(each.value)
        if len(spelled) >= SHORTEST
    )


def _numbers(value: float) -> Iterator[bytes]:
    yield struct.pack(">d", value)
    yield struct.pack("<d", value)
    yield repr(value).encode()
    for scale in (1, 10, 100, 1000, 10**6, 10**7):
        whole = round(value * scale)
        if whole / scale == value:
            yield encoding.encode(whole)
            yield whole.to_bytes(8, "big")
            yield whole.to_bytes(8, "little")


def times(public: Public, known: Known) -> list[str]:
    """The seconds of readings, which are finer than the minutes of a manifest."""
    return public.find(
        (f"time {each.seconds}", spelled)
        for readings in known.readings.values()
        for each in readings
        if each.seconds % 60
        for spelled in (
            encoding.encode(each.seconds),
            each.seconds.to_bytes(8, "big"),
            each.seconds.to_bytes(8, "little"),
            struct.pack(">d", each.seconds),
            str(each.seconds).encode(),
            datetime.fromtimestamp(each.seconds, UTC).isoformat().encode()[:19],
        )
    )


# by guessing ----------------------------------------------------------------------------------------------------------


def _guesses(known: Known) -> list[bytes]:
    """Salts and keys that a careless programmer might take."""
    numbers = [number.to_bytes(width, "big") for number in (0, 1, *known.twins) for width in (1, 4, 32)]
    people = [bytes.fromhex(address[2:]) for address in known.addresses]
    return [b"", bytes(32), *numbers, *people, *(keccak(each) for each in people), *(sha256(each) for each in people)]


def bits(public: Public, known: Known) -> list[str]:
    """What category bits mean, from leaves with guessed salts and the root over them in the vocabulary's order."""
    found = []
    for salt in {each.rjust(32, b"\0") for each in _guesses(known)}:
        leaves = [leaf(number.to_bytes(32, "big") * 2 + salt) for number in range(CATEGORY_BITS)]
        nodes: list[bytes] = list(leaves)
        while len(nodes) > 1:
            nodes = [keccak(nodes[place] + nodes[place + 1]) for place in range(0, len(nodes), 2)]
        found += public.find([("root of bits", nodes[0]), ("sorted root of bits", MerkleTree(leaves).root)])
        for bit, number in product(range(CATEGORY_BITS), repeat=2):
            guessed = leaf(bit.to_bytes(32, "big") + number.to_bytes(32, "big") + salt)
            found += public.find([(f"bit {bit}", guessed)]) if len(salt.strip(b"\0")) < 2 else []
    return found


def labels(public: Public, known: Known) -> list[str]:
    """The category of a stream, from its label, by keys and hashes that anybody can make."""
    return public.find(
        (f"label of {each.name}", guessed) for each in CATEGORIES for guessed in _labels(each.name, each.number, known)
    )


def _labels(name: str, number: int, known: Known) -> Iterator[bytes]:
    of_category = (name.encode(), number.to_bytes(1, "big"), number.to_bytes(32, "big"))
    writers = [bytes.fromhex(address[2:]) for address in known.addresses]
    for writer in writers:
        for guess in _guesses(known):
            for part in of_category:
                yield hmac.digest(guess or b"\0", part + writer, "sha256")
                yield sha256(guess + part + writer)
                yield keccak(guess + part + writer)
            yield hmac.digest(guess or b"\0", writer, "sha256")
        for part in of_category:
            yield hmac.digest(part, writer, "sha256")
            yield hmac.digest(part.rjust(32, b"\0"), writer, "sha256")
            yield hmac.digest(sha256(part), writer, "sha256")


def hashes(public: Public, known: Known) -> list[str]:
    """Plain hashes of what can be guessed: names, single values, whole contents of snapshots."""
    things: list[tuple[str, bytes]] = [(name, name.encode()) for name in known.people]
    things += [(each.name, each.name.encode()) for each in CATEGORIES]
    things += [(each.name, each.name.encode()) for each in Purpose]
    for name, readings in known.readings.items():
        for reading in readings:
            things += [(f"value {reading.value}", spelled) for spelled in _numbers(reading.value)]
        for group in hourly(readings):
            things.append((f"content of {name}", encode_readings(name, group.readings)))
    return public.find(
        (f"hash of {what}", hashed(guess + data))
        for what, data in things
        for guess in (b"", bytes(32))
        for hashed in (sha256, keccak, lambda data: hashlib.blake2b(data, digest_size=32).digest())
    )


def sizes(public: Public, known: Known) -> list[str]:
    """How many readings a snapshot holds, from the length of what stands in its manifest: found if that is the length
    of the content itself and not of a padded one."""
    found = []
    for name, data in public.pieces.items():
        for category, readings in known.readings.items():
            for group in hourly(readings):
                plain = len(encode_readings(category, group.readings))
                content = _content(data)
                if content is not None and len(content) - 16 in (plain, plain + 8) and padme(plain + 8) != plain + 8:
                    found.append(f"{len(group.readings)} readings: {name}")
    return found


def _content(block: bytes) -> bytes | None:
    try:
        value = encoding.decode(block)
        content = value["body"]["content"]
    except (encoding.IntegrityError, KeyError, TypeError):
        return None
    return content if isinstance(content, bytes) else None


SEARCHES = {each.__name__: each for each in (texts, values, times, bits, labels, hashes, sizes)}
