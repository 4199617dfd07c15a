"""What an audit goes by besides ledger and store: what is asked, and what custodians, sites and owners showed.

All of it is signed by whoever says it, or recomputed from what the ledger has; none of it is believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..crypto.bits import BitProof
from ..crypto.tags import stream_label
from ..custody import AccessReceipt, Destruction, ReceiptProof
from ..encoding import address
from ..errors import CannotCheckError, DtledgerError, IntegrityError
from ..types import ZERO_ADDRESS, Address, Digest

Lists = tuple[tuple[Digest, ...], ...] | DtledgerError | None


@dataclass(frozen=True, slots=True)
class Denied:
    """The claim that somebody had no permit on the twin at the end of a block.

    Raises:
        ValueError: it is nobody, or no block.
    """

    who: Address
    block: int

    def __post_init__(self) -> None:
        if self.who == ZERO_ADDRESS or self.block < 0:
            raise ValueError("nobody, or no block")


@dataclass(frozen=True, slots=True)
class Question:
    """What is audited: a twin, a snapshot of it by its digest, or a model. `whole` says whether every block is looked
    at, without which no event is known not to be missing; by default it depends on the chain's length."""

    twin: int = 0
    snapshot: Digest | None = None
    model: int = 0
    denied: tuple[Denied, ...] = ()
    whole: bool | None = None

    def encode(self) -> list[Any]:
        denied = [[each.who, each.block] for each in self.denied]
        return [self.twin, self.snapshot, self.model, denied, self.whole]

    @classmethod
    def decode(cls, cells: Any) -> Question:
        """Raises ValueError if it is none."""
        match cells:
            case [int(twin), (bytes() | None) as snapshot, int(model), [*denied], (bool() | None) as whole]:
                if min(twin, model) >= 0 and (snapshot is None or len(snapshot) == 32):
                    digest = None if snapshot is None else Digest(snapshot)
                    return cls(twin, digest, model, tuple(map(_denied, denied)), whole)
        raise ValueError("no question of an audit")


def _denied(cells: Any) -> Denied:
    match cells:
        case [str(who), int(block)]:
            return Denied(address(who), block)
    raise ValueError("nobody, or no block")


@dataclass(frozen=True, slots=True)
class Named:
    """A category that the owner reveals: the tag key that makes its streams' labels, and what its bit means."""

    tag: bytes = field(repr=False)
    proof: BitProof = field(repr=False)

    def label(self, writer: Address) -> Digest:
        return stream_label(self.tag, writer)


@dataclass(frozen=True, slots=True)
class Receipts:
    """A custodian's list of a twin as it gave it, and the proof of its newest anchored map; `asked` is what it keeps
    beside each receipt, the digests that were asked for, or why that is not to be had, if the owner shows it."""

    receipts: tuple[AccessReceipt, ...]
    proof: ReceiptProof | None
    asked: Lists = None

    def encode(self) -> list[Any]:
        cells = [[each.encode() for each in self.receipts], self.proof.encode() if self.proof else None]
        if self.asked is None:
            return cells
        asked = _why(self.asked) if isinstance(self.asked, DtledgerError) else [list(each) for each in self.asked]
        return [*cells, asked]


@dataclass(frozen=True, slots=True)
class Given:
    """`lists` has each custodian's receipts or why they are not to be had, `destructions` the statements that keys are
    destroyed, `named` the revealed categories, `openings` the bodies of what sites opened."""

    lists: Mapping[Address, Receipts | DtledgerError] = field(default_factory=dict)
    destructions: tuple[Destruction, ...] = ()
    named: tuple[Named, ...] = ()
    openings: tuple[bytes, ...] = ()

    def encode(self) -> list[Any]:
        lists = [
            [who, said.encode() if isinstance(said, Receipts) else _why(said)]
            for who, said in sorted(self.lists.items())
        ]
        named = [[each.tag, each.proof.to_dict()] for each in self.named]
        return [lists, [each.encode() for each in self.destructions], named, list(self.openings)]

    @classmethod
    def decode(cls, cells: Any) -> Given:
        """Raises ValueError if it is none, IntegrityError if a part is malformed."""
        match cells:
            case [[*lists], [*destructions], [*named], [*openings]] if all(
                isinstance(each, bytes) for each in (*destructions, *openings)
            ):
                return cls(
                    {address(who): _list(said) for who, said in lists},
                    tuple(map(Destruction.decode, destructions)),
                    tuple(Named(_tag(tag), BitProof.from_dict(proof)) for tag, proof in named),
                    tuple(openings),
                )
        raise ValueError("nothing that an audit was given")


def _list(cells: Any) -> Receipts | DtledgerError:
    match cells:
        case [bool(), str()]:
            return _error(cells)
        case [[*receipts], (bytes() | None) as proof, *asked] if len(asked) < 2:
            read = tuple(map(AccessReceipt.decode, receipts))
            said = _asked(asked[0]) if asked else None
            return Receipts(read, None if proof is None else ReceiptProof.decode(proof), said)
    raise ValueError("no list of receipts")


def _asked(cells: Any) -> Lists:
    match cells:
        case [bool(), str()]:
            return _error(cells)
        case [*lists] if all(isinstance(each, list) for each in lists):
            return tuple(tuple(map(_digest, each)) for each in lists)
    raise ValueError("no lists of digests")


def _why(error: DtledgerError) -> list[Any]:
    return [isinstance(error, IntegrityError), error.message]


def _error(cells: Any) -> DtledgerError:
    wrong, message = cells
    return IntegrityError(message) if wrong else CannotCheckError(message)


def _digest(cell: Any) -> Digest:
    if not isinstance(cell, bytes) or len(cell) != 32:
        raise ValueError("no digest")
    return Digest(cell)


def _tag(tag: Any) -> bytes:
    if not isinstance(tag, bytes) or len(tag) != 32:
        raise ValueError("a tag key is 32 bytes")
    return tag
