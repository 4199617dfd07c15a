"""The consent root: under whose consents a site trained in a round, without telling whose.

A leaf stands for one twin: HMAC-SHA256 under the link key of (generation, twin, grantee), which the patient derives and
the grantee has in its package, and nobody else. Its data name deployment, model, round, site and twin, so that no leaf
can be recognised in another round. The root is the Merkle root over the leaves in ascending order; the ordered leaves
are a public block, in which a patient can look for their own.

>>> from dtledger.types import Address
>>> site = Address("0x" + "11" * 20)
>>> mine = leaf(bytes(32), "31337:genesis", 1, 1, site, twin=7)
>>> mine == leaf(bytes(32), "31337:genesis", 1, 2, site, twin=7)
False
>>> decode_leaves(encode_leaves([mine])) == (mine,)
True
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from itertools import pairwise

from .. import encoding
from ..crypto import merkle
from ..errors import InputError, IntegrityError
from ..types import Address, Digest

MAX_LEAVES = 30_000
"""Most twins in one round of one site: their leaves are one block, and a block is at most 1 MiB."""


def leaf(link: bytes, deployment: str, model: int, number: int, site: Address, twin: int) -> Digest:
    """The leaf of a twin in the consent root of a site's round `number`; `link` is the link key of 32 bytes,
    else ValueError."""
    if len(link) != 32:
        raise ValueError(f"a link key is 32 bytes, not {len(link)}")
    data = encoding.encode(["dtledger/consent-leaf/1", deployment, model, number, site, twin])
    return merkle.leaf(hmac.digest(link, data, "sha256"))


def ordered(leaves: Iterable[Digest]) -> tuple[Digest, ...]:
    """The leaves as root and block have them.

    Raises:
        InputError: there are none, too many, or one twice.
    """
    in_order = tuple(sorted(leaves))
    if not 0 < len(in_order) <= MAX_LEAVES:
        raise InputError(f"A consent root has 1 to {MAX_LEAVES:,} twins, not {len(in_order):,}.")
    if any(one == other for one, other in pairwise(in_order)):
        raise InputError("A twin stands twice in a consent root.")
    return in_order


def root(leaves: Sequence[Digest]) -> Digest:
    """The consent root over ordered leaves."""
    return merkle.root(leaves)


def encode_leaves(leaves: Sequence[Digest]) -> bytes:
    """The public block."""
    return encoding.encode({"leaves": list(leaves)})


def decode_leaves(block: bytes) -> tuple[Digest, ...]:
    """The leaves of a public block.

    Raises:
        IntegrityError: it is malformed, has no leaf or too many, or they are not in ascending order, each once.
    """
    match encoding.decode(block):
        case {"leaves": [_, *_] as leaves, **rest} if not rest and len(leaves) <= MAX_LEAVES:
            if all(isinstance(each, bytes) and len(each) == 32 for each in leaves) and all(
                one < other for one, other in pairwise(leaves)
            ):
                return tuple(Digest(each) for each in leaves)
    raise IntegrityError("the leaves of a consent root are malformed")
