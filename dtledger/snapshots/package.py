"""The package: what a grant hands its grantee besides permission. Sealed to the grantee's key, its digest on chain.

It holds, for the grant's categories and data period alone: covers of the key tree for every generation whose
minutes lie in the window, the tag keys that find the streams, the names of the bits, and the link key. It never
holds a custody secret: those stay with the custodians, who ask the ledger each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from .. import encoding
from ..crypto import keytree, padding, seal
from ..crypto.bits import BitMap
from ..crypto.keytree import Deriver, Node
from ..crypto.tags import stream_label
from ..errors import AccessDeniedError, IntegrityError
from ..ledger import Deployment, Slot
from ..types import Address, Digest, Period
from ..vocabulary import CATEGORIES, Category, Reason, category
from ..vocabulary.categories import CATEGORY_BITS
from .research import Research

BLOCK = 4096
"""Packages are padded to a multiple of this, so that their size does not tell how many categories they hold."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys to a part of a twin: what a package holds, and what an owner has whole."""

    covers: Mapping[int, Mapping[int, tuple[Node, ...]]] = field(repr=False)
    """Generation → category number → cover."""
    tags: Mapping[int, bytes] = field(repr=False)
    """Category number → tag key."""
    bits: BitMap
    link: bytes = field(default=b"", repr=False)
    research: Research | None = None
    """The research terms of a TRAIN grant."""
    _derivers: dict[tuple[int, int], Deriver] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def generation(self) -> int:
        """The newest generation: what new snapshots are written under."""
        return max(self.covers)

    def categories(self) -> list[Category]:
        return [each for each in CATEGORIES if each.number in self.tags]

    def label(self, name: str, writer: Address) -> Digest:
        """The label of `writer`'s stream of that category.

        Raises:
            AccessDeniedError: these keys do not cover the category.
        """
        tag = self.tags.get(category(name).number)
        if tag is None:
            raise AccessDeniedError(f"No key for the category {name}.", reason=Reason.CATEGORY)
        return stream_label(tag, writer)

    def deriver(self, name: str, generation: int) -> Deriver:
        """Leaf keys of a category in one generation: the same deriver each time, so that it goes on where it was.

        Raises:
            AccessDeniedError: these keys do not cover it.
        """
        number = category(name).number
        cover = self.covers.get(generation, {}).get(number)
        if cover is None:
            raise AccessDeniedError(
                f"No key for generation {generation} of the category {name}.",
                reason=Reason.CATEGORY,
                hint="Ask the owner to renew the grant.",
            )
        if (generation, number) not in self._derivers:
            self._derivers[generation, number] = Deriver(cover)
        return self._derivers[generation, number]


NO_KEYS = Keys({}, {}, BitMap((bytes(32),) * CATEGORY_BITS, (None,) * CATEGORY_BITS))
"""What a stranger has: every stream is there, and none has a name."""


def narrow(keys: Keys, names: list[str], period: Period, link: bytes) -> Keys:
    """The part of `keys` that a grant of these categories over this data period hands on."""
    numbers = [category(name).number for name in names]
    return Keys(
        covers={
            generation: {number: keytree.cover(nodes[number], period) for number in numbers}
            for generation, nodes in keys.covers.items()
        },
        tags={number: keys.tags[number] for number in numbers},
        bits=keys.bits.only(names),
        link=link,
    )


def _context(deployment: Deployment, slot: Slot) -> bytes:
    return encoding.encode(["dtledger/package/1", deployment.origin, slot.owner, slot.twin, slot.grantee, slot.number])


def seal_package(deployment: Deployment, slot: Slot, keys: Keys, public: bytes, own: bytes | None = None) -> bytes:
    """The package's block: `keys` sealed to `public`, good for this slot alone. Their research terms, if they have any,
    are sealed to the owner's key `own` too."""
    research = keys.research
    content = encoding.encode(
        {
            "covers": [
                [generation, number, keytree.encode_cover(nodes)]
                for generation, by_category in sorted(keys.covers.items())
                for number, nodes in sorted(by_category.items())
            ],
            "tags": [[number, tag] for number, tag in sorted(keys.tags.items())],
            "bits": keys.bits.to_dict(),
            "link": keys.link,
            **({"research": research.to_list()} if research else {}),
        }
    )
    sealed = seal.seal(public, padding.pad(content, BLOCK), _context(deployment, slot))
    beside: dict[str, Any] = {}
    if research is not None:
        beside["research"] = research.commitment(deployment, slot)
        if own is not None:
            beside["own"] = research.sealed_to_owner(deployment, slot, own)
    return encoding.encode({"package": sealed, **beside})


def open_package(deployment: Deployment, slot: Slot, block: bytes, key: seal.SealKey) -> Keys:
    """The keys of a package.

    Raises:
        IntegrityError: it is not sealed to this key for this slot, or is malformed.
    """
    match encoding.decode(block):
        case {"package": bytes(sealed), **beside} if not beside.keys() - {"research", "own"}:
            opened = padding.unpad(seal.open_(key, sealed, _context(deployment, slot)))
        case _:
            raise IntegrityError("a package is malformed", party=slot.owner)
    match encoding.decode(opened, truth=False):
        case {
            "covers": [_, *_] as covers,
            "tags": [_, *_] as tags,
            "bits": {} as bits,
            "link": bytes(link),
            **rest,
        } if not rest.keys() - {"research"} and len(link) == 32:
            with suppress(ValueError, IntegrityError):
                research = Research.of_list(rest["research"]) if rest else None
                if (research and research.commitment(deployment, slot)) == beside.get("research"):
                    return Keys(_covers(covers), _tags(tags), BitMap.from_dict(bits), link, research)
    raise IntegrityError("a package is malformed", party=slot.owner)


def _covers(rows: list[Any]) -> dict[int, dict[int, tuple[Node, ...]]]:
    covers: dict[int, dict[int, tuple[Node, ...]]] = {}
    for row in rows:
        match row:
            case [int(generation), int(number), cover] if generation >= 0:
                covers.setdefault(generation, {})[number] = keytree.decode_cover(cover)
            case _:
                raise ValueError("a cover of a package is malformed")
    return covers


def _tags(rows: list[Any]) -> dict[int, bytes]:
    tags: dict[int, bytes] = {}
    for row in rows:
        match row:
            case [int(number), bytes(tag)] if len(tag) == 32:
                tags[number] = tag
            case _:
                raise ValueError("a tag key of a package is malformed")
    return tags
