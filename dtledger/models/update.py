"""An update of a model: its salted hash, and the records that a site and a coordinator sign.

The ledger holds H(salt ‖ update): whoever has neither salt nor update learns nothing, and a guess cannot be tried. The
site keeps salt and twins in its own record, sealed to itself, so that it can open a round later from any machine that
has its key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import astuple, dataclass, field
from itertools import chain
from typing import Any

from .. import encoding
from ..crypto import seal
from ..encoding import CID
from ..errors import IntegrityError
from ..ledger import Deployment, Update
from ..snapshots.signed import Signer, read_block, sign_block
from ..types import Address, Digest

SALT_BYTES = 32


def digest_of(chunks: Iterable[bytes]) -> Digest:
    """SHA-256 of bytes in pieces of any size: what names an aggregate."""
    hashed = hashlib.sha256()
    for chunk in chunks:
        hashed.update(chunk)
    return Digest(hashed.digest())


def commitment(salt: bytes, chunks: Iterable[bytes]) -> Digest:
    """H(salt ‖ update): SHA-256 over a salt of 32 bytes, else ValueError, and the update's bytes, in pieces of any
    size."""
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt is {SALT_BYTES} bytes, not {len(salt)}")
    return digest_of(chain([salt], chunks))


@dataclass(frozen=True, slots=True)
class Trained:
    """One grant that a site trained under: its twin, and the slot's grantee and number."""

    twin: int
    grantee: Address
    number: int


@dataclass(frozen=True, slots=True)
class Notes:
    """What a site keeps to itself of a round."""

    salt: bytes = field(repr=False)
    trained: tuple[Trained, ...]

    def sealed(self, deployment: Deployment, model: int, number: int, public: bytes) -> bytes:
        by_grantee: dict[Address, list[list[int]]] = {}
        for each in self.trained:
            by_grantee.setdefault(each.grantee, []).append([each.twin, each.number])
        rows = [[grantee, slots] for grantee, slots in by_grantee.items()]  # a twin in ten bytes: thirty thousand fit
        return seal.seal(public, encoding.encode([self.salt, rows]), _context(deployment, model, number))

    @classmethod
    def open(cls, deployment: Deployment, model: int, number: int, sealed: bytes, key: seal.SealKey) -> Notes:
        """Raises:
        IntegrityError: they are not sealed to this key for this round, or malformed.
        """
        match encoding.decode(seal.open_(key, sealed, _context(deployment, model, number))):
            case [bytes(salt), [*rows]] if len(salt) == SALT_BYTES:
                with suppress(ValueError):
                    return cls(salt, tuple(chain.from_iterable(map(_trained, rows))))
        raise IntegrityError("a site's notes are malformed")


def _trained(row: Any) -> list[Trained]:
    match row:
        case [str(grantee), [*slots]]:
            address, trained = encoding.address(grantee), list[Trained]()
            for slot in slots:
                match slot:
                    case [int(twin), int(number)]:
                        trained.append(Trained(twin, address, number))
            if len(trained) == len(slots):
                return trained
    raise ValueError("a row of a site's notes is malformed")


def _context(deployment: Deployment, model: int, number: int) -> bytes:
    return encoding.encode(["dtledger/round-notes/1", deployment.origin, model, number])


@dataclass(frozen=True, slots=True)
class UpdateRecord:
    """What a site says of its update: the fields of its commitment on the ledger, where the leaves of its consent root
    lie, and its notes. `epsilon` is in thousandths, and `delta` is the δ at which it holds, 0 where there is none (no
    noise); cohort, ε and δ are the site's own claims. `research` are the terms of all the consents together, for
    whoever uses what is made of it: which twin has which is not said."""

    model: int
    round: int
    update: Digest
    parent: Digest
    consents: Digest
    leaves: CID
    cohort: int
    epsilon: int
    notes: bytes = field(repr=False)
    research: tuple[str, ...] = ()
    delta: float = 0.0

    def sign(self, deployment: Deployment, site: Signer) -> bytes:
        body = {
            "model": self.model,
            "round": self.round,
            "update": self.update,
            "parent": self.parent,
            "consents": self.consents,
            "leaves": self.leaves,
            "cohort": self.cohort,
            "epsilon": self.epsilon,
            "notes": self.notes,
            "research": list(self.research),
            "delta": self.delta,
        }
        return sign_block(deployment, "ModelUpdate", body, site)

    def says(self, update: Update) -> bool:
        """Whether the ledger has the same of this update."""
        return (*astuple(self)[:5], self.cohort, self.epsilon) == (
            update.model,
            update.round,
            update.update,
            update.parent,
            update.consents,
            update.cohort,
            update.epsilon,
        )

    @classmethod
    def read(cls, deployment: Deployment, block: bytes) -> tuple[UpdateRecord, Address]:
        """The record of a block, and who signed it.

        Raises:
            IntegrityError: it is not a well-formed signed record.
        """
        body, site = read_block(deployment, "ModelUpdate", block)
        match body:
            case {
                "model": int(model),
                "round": int(number),
                "update": bytes(update),
                "parent": bytes(parent),
                "consents": bytes(consents),
                "leaves": CID() as leaves,
                "cohort": int(cohort),
                "epsilon": int(epsilon),
                "notes": bytes(notes),
                "research": [*research],
                "delta": float(delta),
                **rest,
            } if (
                not rest
                and {len(update), len(parent), len(consents)} == {32}
                and _are_terms(research)
                and 0 <= delta < 1
            ):
                digests = Digest(update), Digest(parent), Digest(consents)
                return cls(model, number, *digests, leaves, cohort, epsilon, notes, tuple(research), delta), site
        raise IntegrityError("a site's record of an update is malformed", party=site)


def _are_terms(research: list[Any]) -> bool:
    """Whether they are texts of a line, in order, each once."""
    return all(isinstance(each, str) and each.isprintable() for each in research) and research == sorted(set(research))


@dataclass(frozen=True, slots=True)
class AggregateRecord:
    """What a coordinator says of an aggregate: SHA-256 of its bytes, and the updates that went into it, each with its
    site, in the order of the ledger: anybody can commit to the hash that another committed to, and sooner."""

    model: int
    round: int
    aggregate: Digest
    updates: tuple[tuple[Address, Digest], ...]

    @classmethod
    def of(cls, model: int, number: int, aggregate: Digest, used: Iterable[Update]) -> AggregateRecord:
        """What is to be said of an aggregate of those updates."""
        return cls(model, number, aggregate, tuple((each.site, each.update) for each in used))

    def has(self, update: Update) -> bool:
        """Whether that very update went into it."""
        return (update.site, update.update) in self.updates

    def sign(self, deployment: Deployment, coordinator: Signer) -> bytes:
        body = {
            "model": self.model,
            "round": self.round,
            "aggregate": self.aggregate,
            "updates": [list(each) for each in self.updates],
        }
        return sign_block(deployment, "ModelAggregate", body, coordinator)

    @classmethod
    def read(cls, deployment: Deployment, block: bytes) -> tuple[AggregateRecord, Address]:
        """The record of a block, and who signed it.

        Raises:
            IntegrityError: it is not a well-formed signed record.
        """
        body, coordinator = read_block(deployment, "ModelAggregate", block)
        match body:
            case {
                "model": int(model),
                "round": int(number),
                "aggregate": bytes(aggregate),
                "updates": [*updates],
                **rest,
            } if not rest and len(aggregate) == 32:
                with suppress(ValueError):
                    return cls(model, number, Digest(aggregate), tuple(map(_named, updates))), coordinator
        raise IntegrityError("a coordinator's record of an aggregate is malformed", party=coordinator)


def _named(row: Any) -> tuple[Address, Digest]:
    match row:
        case [str(site), bytes(update)] if len(update) == 32:
            return encoding.address(site), Digest(update)
    raise ValueError("an aggregate names an update otherwise than by site and hash")
