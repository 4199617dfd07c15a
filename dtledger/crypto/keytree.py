"""The patient's key tree: a key for each unix minute, given away by whole windows of time.

A binary tree of 30 levels below its root; leaf = unix minute; child = HMAC-SHA256(node, bit as one byte). Who
holds a node derives every leaf below it and, the function being one-way, nothing else. A window is given as its
*cover*: the fewest nodes whose leaves are exactly its minutes, at most 58.

Source: Goldreich, Goldwasser and Micali, "How to construct random functions" (1986), used for windows of time as
in TimeCrypt (Burkhalter et al., NSDI 2020).

>>> tree = root(bytes(32), generation=0, category=0)
>>> given = cover(tree, Period(10, 12))
>>> [(node.depth, node.period.start, node.period.end) for node in given]
[(29, 10, 11), (30, 12, 12)]
>>> leaf(given, 11) == leaf([tree], 11)
True
>>> leaf(given, 13)
Traceback (most recent call last):
    ...
dtledger.errors.KeyFileError: no key at hand reaches minute 13. Ask the owner for a package that covers it.
"""

from __future__ import annotations

import hmac
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from ..errors import IntegrityError, KeyFileError
from ..types import MAX_MINUTE, Period
from ..vocabulary.categories import CATEGORY_BITS
from .kdf import Label, derive

__all__ = ["DEPTH", "MAX_COVER", "Deriver", "Node", "cover", "decode_cover", "encode_cover", "leaf", "root"]

DEPTH = MAX_MINUTE.bit_length()
"""Levels below the root: 30, so that the last leaf is a minute of the year 4011."""

MAX_COVER = 2 * (DEPTH - 1)
"""The most nodes that a cover of one window can need: 58."""

_BIT = (b"\0", b"\1")


def _child(key: bytes, bit: int) -> bytes:
    return hmac.digest(key, _BIT[bit], "sha256")


@dataclass(frozen=True, slots=True)
class Node:
    """One node: its depth (0 is the root, 30 a leaf), its place from the left, and its 32-byte key."""

    depth: int
    index: int
    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.depth <= DEPTH or not 0 <= self.index < 1 << self.depth:
            raise ValueError(f"the key tree has no node {self.index} at depth {self.depth}")
        if len(self.key) != 32:
            raise ValueError(f"a node's key is 32 bytes, not {len(self.key)}")

    @property
    def period(self) -> Period:
        """The minutes whose leaves lie below."""
        height = DEPTH - self.depth
        return Period(self.index << height, (self.index + 1 << height) - 1)

    def child(self, bit: int) -> Node:
        """The left (0) or right (1) half of this node."""
        return Node(self.depth + 1, 2 * self.index + bit, _child(self.key, bit))


def root(secret: bytes, generation: int, category: int) -> Node:
    """The root of one category's tree: HKDF-SHA256(twin secret; generation u32 ‖ category number u8).

    `secret` is the twin's 32 random bytes of that generation. `category` is the vocabulary's number, never a bit.

    Raises:
        ValueError: the secret is not 32 bytes, or there is no such category.
    """
    if len(secret) != 32:
        raise ValueError(f"a twin secret is 32 bytes, not {len(secret)}")
    if not 0 <= category < CATEGORY_BITS:
        raise ValueError(f"there is no category number {category}")
    return Node(0, 0, derive(secret, Label.KEY_TREE, generation.to_bytes(4, "big"), category.to_bytes(1, "big")))


def cover(held: Node | Iterable[Node], period: Period) -> tuple[Node, ...]:
    """The fewest nodes that give exactly the minutes of `period`, in order of time.

    `held` is a root or any disjoint nodes, so a cover can be narrowed into a smaller one. From a root the result has
    at most `MAX_COVER` nodes.

    Raises:
        KeyFileError: `held` does not reach every minute of `period`.
        ValueError: nodes of `held` overlap.
    """
    nodes = _in_order((held,) if isinstance(held, Node) else held)
    found = tuple(part for node in nodes for part in _parts(node, period))
    if sum(node.period.minutes for node in found) != period.minutes:
        raise KeyFileError(
            f"the keys at hand do not reach all of minutes {period.start} to {period.end}.",
            hint="Ask the owner for a package that covers them.",
        )
    return found


def _parts(node: Node, period: Period) -> Iterator[Node]:
    if period.contains(node.period):
        yield node
    elif period.overlaps(node.period):
        yield from _parts(node.child(0), period)
        yield from _parts(node.child(1), period)


def _in_order(nodes: Iterable[Node]) -> tuple[Node, ...]:
    ordered = tuple(sorted(nodes, key=lambda node: node.period))
    for one, other in pairwise(ordered):
        if one.period.overlaps(other.period):
            raise ValueError(f"nodes of a cover overlap: {one} and {other}")
    return ordered


class Deriver:
    """Leaves of one cover, many in a row.

    It remembers the path to its last leaf: in order of time a leaf costs only the HMACs below what it shares with
    the one before (a year of hourly snapshots: about twelve a snapshot), and memory stays at 31 keys.
    """

    __slots__ = ("_ends", "_last", "_nodes", "_starts")

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._nodes = _in_order(nodes)
        self._starts = [node.period.start for node in self._nodes]
        self._ends = [node.period.end for node in self._nodes]
        self._last: tuple[int, int, list[bytes]] = (-1, 0, [])  # place of the node, minute, keys from node to leaf

    def __repr__(self) -> str:
        return f"Deriver(of {len(self._nodes)} nodes)"

    def leaf(self, minute: int) -> bytes:
        """The 32-byte key of one unix minute.

        Raises:
            KeyFileError: the minute lies outside the cover.
        """
        place = bisect_right(self._starts, minute) - 1
        if place < 0 or minute > self._ends[place]:
            raise KeyFileError(
                f"no key at hand reaches minute {minute}.", hint="Ask the owner for a package that covers it."
            )
        node = self._nodes[place]
        last_place, last_minute, keys = self._last
        if place == last_place:
            shared = DEPTH - (minute ^ last_minute).bit_length()  # depth of the lowest node above both
            path = keys[: shared - node.depth + 1]
        else:
            path = [node.key]
        for height in range(DEPTH - node.depth - len(path), -1, -1):
            path.append(_child(path[-1], minute >> height & 1))
        self._last = (place, minute, path)
        return path[-1]

    def ends(self, period: Period) -> tuple[bytes, bytes]:
        """The leaves of the first and the last minute of a snapshot's period: both are in its content key."""
        return self.leaf(period.start), self.leaf(period.end)


def leaf(held: Iterable[Node], minute: int) -> bytes:
    """The 32-byte key of one unix minute; for many, keep a `Deriver`.

    Raises:
        KeyFileError: the minute lies outside the cover.
    """
    return Deriver(held).leaf(minute)


def encode_cover(nodes: Iterable[Node]) -> list[list[int | bytes]]:
    """A cover as plain lists [depth, index, key] in order of time, for canonical CBOR."""
    return [[node.depth, node.index, node.key] for node in _in_order(nodes)]


def decode_cover(value: object) -> tuple[Node, ...]:
    """The cover that `encode_cover` wrote.

    Raises:
        IntegrityError: it is not one.
    """
    if not isinstance(value, list):
        raise IntegrityError("a cover is not a list of nodes")
    nodes = []
    for row in value:
        match row:
            case [int(depth), int(index), bytes(key)]:
                try:
                    nodes.append(Node(depth, index, key))
                except ValueError as error:
                    raise IntegrityError(f"a cover is damaged: {error}") from None
            case _:
                raise IntegrityError("a node of a cover is not [depth, index, key]")
    try:
        ordered = _in_order(nodes)
    except ValueError as error:
        raise IntegrityError(f"a cover is damaged: {error}") from None
    if list(ordered) != nodes:
        raise IntegrityError("the nodes of a cover are not in order of time")
    return ordered
