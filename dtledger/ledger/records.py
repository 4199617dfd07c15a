"""What a history is made of: the values that one thing had over time, and records of batches, cards, grants and
models."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..encoding import keccak, sha256
from ..policy import Grant, Member
from ..types import ZERO_DIGEST, Address, Digest
from . import events as e

V = TypeVar("V")


class Timeline(Generic[V]):
    """The values that one thing had, each from the end of a block on."""

    __slots__ = ("_blocks", "_values")

    def __init__(self) -> None:
        self._blocks: list[int] = []
        self._values: list[V] = []

    def set(self, block: int, value: V) -> None:
        if self._blocks and self._blocks[-1] == block:
            self._values[-1] = value
        else:
            self._blocks.append(block)
            self._values.append(value)

    def at(self, block: int) -> V | None:
        place = bisect_right(self._blocks, block)
        return self._values[place - 1] if place else None

    def values_until(self, block: int) -> list[V]:
        return self._values[: bisect_right(self._blocks, block)]

    def since(self, block: int, holds: Callable[[V], bool]) -> int | None:
        """From which block on each value held, up to `block`; None if that of `block` does not."""
        first = None
        for place in reversed(range(bisect_right(self._blocks, block))):
            if not holds(self._values[place]):
                break
            first = self._blocks[place]
        return first

    def until(self, block: int) -> Timeline[V]:
        """What it was up to a block."""
        place, earlier = bisect_right(self._blocks, block), Timeline[V]()
        earlier._blocks, earlier._values = self._blocks[:place], self._values[:place]
        return earlier

    @property
    def last(self) -> V | None:
        return self._values[-1] if self._values else None


@dataclass(frozen=True, slots=True)
class Anchored:
    """A batch as `contracts/SnapshotLedger.sol` digests it into its sender's history; `at` in unix seconds."""

    root: Digest
    count: int
    index: Digest
    block: int
    at: int

    @property
    def cells(self) -> tuple[Digest, int, Digest, int, int]:
        """All of it, in the digest's order."""
        return self.root, self.count, self.index, self.block, self.at

    def after(self, history: Digest) -> Digest:
        """What `historyOf` its sender says with this batch, if it said `history` before."""
        count, block, at = (each.to_bytes(32) for each in (self.count, self.block, self.at))
        return keccak(history + self.root + count + self.index + block + at)


@dataclass(frozen=True, slots=True)
class Batch:
    """One anchored batch: `index` names the sender's index block as of then. `place` is its number among the sender's
    own, and `before` the running digest of those before it: from 32 zero bytes, each the SHA-256 of the last one and
    the batch's root."""

    sender: Address
    root: Digest
    count: int
    index: Digest
    block: int
    at: int
    place: int = 0
    before: Digest = ZERO_DIGEST

    @property
    def after(self) -> Digest:
        """The running digest with this batch."""
        return sha256(self.before + self.root)

    @property
    def anchored(self) -> Anchored:
        return Anchored(self.root, self.count, self.index, self.block, self.at)


@dataclass(frozen=True, slots=True)
class ReceiptAnchor:
    """A custodian's receipt log as it anchored it: the root of its map, its receipts, the hash of the last of them."""

    custodian: Address
    root: Digest
    count: int
    last: Digest
    block: int
    at: int


@dataclass(frozen=True, slots=True)
class CardRecord:
    """A twin card, who set it and when."""

    card: e.Card
    owner: Address
    block: int
    at: int


@dataclass(frozen=True, slots=True)
class AnnouncedMove:
    """A move that guardians announced: to whom, when it can be completed, and whether it is binding (not vetoed while
    the twin is frozen)."""

    to: Address
    ready_at: int
    binding: bool


@dataclass(frozen=True, slots=True)
class TwinState:
    """Where a twin stands in its life. Times in unix seconds, 0 for never; what signed calls name is the counter. One
    that left for another deployment is retired here, and names that one's ConsentRegistry."""

    counter: int = 0
    retire_at: int = 0
    guardians: Digest = ZERO_DIGEST
    recovery_delay: int = 0
    frozen_at: int = 0
    frozen_until: int = 0
    move: AnnouncedMove | None = None
    successor: Address | None = None

    def is_frozen(self, now: int) -> bool:
        return now < self.frozen_until


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a grant stands."""

    owner: Address
    twin: int
    grantee: Address
    number: int


@dataclass(frozen=True, slots=True)
class GrantRecord:
    """A slot's present word, the package that its newest grant names, and when that was written."""

    slot: Slot
    grant: Grant
    package: Digest
    block: int
    at: int


@dataclass(frozen=True, slots=True)
class Review:
    """What a reviewer said of an opening: `finding` is a number of `Finding`, `text` the digest of sealed words."""

    reviewer: Address
    finding: int
    text: Digest
    block: int
    at: int


@dataclass(frozen=True, slots=True)
class Opening:
    """An emergency that was opened: by whom, on which grant (`revision` tells it from others in its slot), why (a
    number of `Cause`, and the digest of sealed words), until when, and by when it is to be reviewed (unix seconds)."""

    number: int
    slot: Slot
    opener: Address
    revision: int
    cause: int
    text: Digest
    closes_at: int
    review_by: int
    block: int
    at: int


@dataclass(frozen=True, slots=True)
class Model:
    """A model's terms, whose it is, and when it was registered.

    `purpose` is a number of `Purpose`, `categories` a mask of the vocabulary's numbers (not of a twin's bits), `budget`
    the privacy that one site may spend on the model altogether: ε in thousandths.
    """

    number: int
    coordinator: Address
    purpose: int
    categories: int
    minimum_cohort: int
    budget: int
    card: Digest
    block: int
    at: int


@dataclass(frozen=True, slots=True)
class Aggregate:
    """What a round was made into: SHA-256 of it, the digest of the coordinator's record, and how many updates the round
    has."""

    aggregate: Digest
    record: Digest
    updates: int
    block: int
    at: int


@dataclass(frozen=True, slots=True)
class Round:
    """A round of a model. Sites train under the consents that stand at the end of its `block`. `base` is the round
    whose aggregate is its parent: 0 for what the model started from, and else the one before, unless the model was
    retrained."""

    model: int
    number: int
    parent: Digest
    block: int
    at: int
    base: int = 0


@dataclass(frozen=True, slots=True)
class Remediation:
    """What became of rounds `first` to `last`, under which consents were withdrawn up to its block: `retrained` if
    their aggregates are built upon no more, else they stay in use; `record` is the digest of the coordinator's, which
    says why."""

    model: int
    first: int
    last: int
    retrained: bool
    record: Digest
    block: int
    at: int

    def covers(self, number: int) -> bool:
        """Whether it is of that round."""
        return self.first <= number <= self.last


@dataclass(frozen=True, slots=True)
class Present:
    """What a model's next round starts from: the aggregate of round `base`, or for 0 what the model started from."""

    base: int
    aggregate: Digest


@dataclass(frozen=True, slots=True)
class Update:
    """What a site committed to in a round: `update` is H(salt ‖ update), `consents` its consent root, `record` the
    digest of its signed record. `cohort` and `epsilon` (ε in thousandths) are its own claims."""

    model: int
    round: int
    site: Address
    update: Digest
    parent: Digest
    consents: Digest
    record: Digest
    cohort: int
    epsilon: int
    block: int
    at: int


class Timelines:
    """Everything that was ever so, by the thing that it is about."""

    def __init__(self) -> None:
        self.owners: dict[int, Timeline[Address]] = defaultdict(Timeline)
        self.held: dict[Address, set[int]] = defaultdict(set)
        """Twins that somebody ever owned."""
        self.cards: dict[int, Timeline[e.Card | None]] = defaultdict(Timeline)
        self.card_records: dict[int, list[CardRecord]] = defaultdict(list)
        self.states: dict[int, Timeline[TwinState]] = defaultdict(Timeline)
        self.members: dict[Address, Timeline[Member]] = defaultdict(Timeline)
        self.keys: dict[Address, Timeline[Digest]] = defaultdict(Timeline)
        self.keyrings: dict[Address, Timeline[Digest]] = defaultdict(Timeline)
        self.blocks: dict[tuple[int, Address], Timeline[int]] = defaultdict(Timeline)
        self.epochs: dict[tuple[Address, int], Timeline[int]] = defaultdict(Timeline)
        self.grants: dict[Slot, Timeline[GrantRecord | None]] = defaultdict(Timeline)
        self.slots: dict[tuple[Address, int], dict[Slot, None]] = defaultdict(dict)
        self.openings: dict[int, Opening] = {}
        self.reviews: dict[int, Review] = {}
        self.closings: dict[tuple[Slot, int, Address], Timeline[int]] = defaultdict(Timeline)
        self.batches: dict[Address, list[Batch]] = defaultdict(list)
        self.roots: dict[tuple[Address, Digest], Batch] = {}
        self.receipts: dict[Address, Timeline[ReceiptAnchor]] = defaultdict(Timeline)
        self.models: dict[int, Model] = {}
        self.rounds: dict[int, list[Round]] = defaultdict(list)
        self.updates: dict[tuple[int, int], list[Update]] = defaultdict(list)
        self.aggregates: dict[tuple[int, int], Aggregate] = {}
        self.presents: dict[int, Timeline[Present]] = defaultdict(Timeline)
        self.remediations: dict[int, list[Remediation]] = defaultdict(list)
