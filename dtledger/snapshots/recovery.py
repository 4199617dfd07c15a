"""The recovery package: a twin's secrets, for a new owner whom its guardians chose.

All generations, the bits' names and the tag keys are encrypted under a key that is made of two secrets: one in shares
of which m guardians are needed, one in shares of which t custodians are. Neither party opens anything without the
other. The hash of each share stands beside its seal, so that whoever gives another one is named.

The block is public and names no guardian: each looks whether one of the seals opens with its key. The twin card, which
the owner signs, holds the block's digest.
"""

from __future__ import annotations

import secrets as random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from .. import encoding
from ..crypto import content, seal, shamir
from ..crypto.content import ContentKey
from ..crypto.kdf import Label, derive
from ..custody import GUARDIAN_CONTEXT, SHARE_CONTEXT, RecoveryHeader, ShareKind
from ..errors import CannotCheckError, IntegrityError
from ..keys import TwinSecrets
from ..ledger import Deployment
from ..types import Address, Digest
from .roster import Roster


@dataclass(frozen=True, slots=True)
class SealedPart:
    """One party's share: its hash, and the seal. `custodian` is None for a guardian's."""

    custodian: Address | None
    hash: Digest
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RecoveryPackage:
    """What is public of it. `generation` is the newest that it holds, `roster` the version of the roster whose
    custodians have shares, `package` 32 random bytes that tell it from every other one."""

    deployment: str
    twin: int
    owner: Address
    version: int
    generation: int
    roster: int
    package: Digest
    guardians_needed: int
    custodians_needed: int
    guardians: tuple[SealedPart, ...]
    custodians: tuple[SealedPart, ...]
    commitment: Digest
    content: bytes = field(repr=False)

    def encode(self) -> bytes:
        return encoding.encode(
            {
                **self._head(),
                "guardians": [[each.hash, each.sealed] for each in self.guardians],
                "custodians": [[each.custodian, each.hash, each.sealed] for each in self.custodians],
                "commitment": self.commitment,
                "content": self.content,
            }
        )

    @classmethod
    def decode(cls, deployment: Deployment, block: bytes) -> RecoveryPackage:
        """The package of a block.

        Raises:
            IntegrityError: it is malformed, or of another deployment.
        """
        match encoding.decode(block, truth=False):
            case {
                "deployment": str(name),
                "twin": int(twin),
                "owner": str(owner),
                "version": int(version),
                "generation": int(generation),
                "roster": int(roster),
                "package": bytes(package),
                "guardians_needed": int(m),
                "custodians_needed": int(t),
                "guardians": [*guardians],
                "custodians": [*custodians],
                "commitment": bytes(commitment),
                "content": bytes(sealed),
                **rest,
            } if not rest and name == deployment.origin and len(package) == len(commitment) == 32:
                with suppress(ValueError):
                    by_guardians = tuple(_part([None, *row]) for row in guardians)
                    by_custodians = tuple(_part(row) for row in custodians)
                    if 1 <= m <= len(by_guardians) <= 255 and 1 <= t <= len(by_custodians) <= 255:
                        return cls(
                            name,
                            twin,
                            encoding.address(owner),
                            version,
                            generation,
                            roster,
                            Digest(package),
                            m,
                            t,
                            by_guardians,
                            by_custodians,
                            Digest(commitment),
                            sealed,
                        )
        raise IntegrityError("a recovery package is malformed")

    def header(self, kind: ShareKind, number: int) -> RecoveryHeader:
        return RecoveryHeader(kind, self.deployment, self.twin, self.owner, self.package, number)

    def check(self, kind: ShareKind, number: int, share: bytes) -> bytes:
        """The share, if it is the one of that number that the package was made with.

        Raises:
            IntegrityError: it is not: whoever gave it changed it.
        """
        parts = self.guardians if kind == "GUARDIAN" else self.custodians
        if not 1 <= number <= len(parts) or self.header(kind, number).hash(share) != parts[number - 1].hash:
            raise IntegrityError(f"a {kind} share is not the one that the recovery package was made with")
        return share

    def open_as_guardian(self, keys: Sequence[seal.SealKey]) -> tuple[int, bytes]:
        """Number and share of the guardian with these keys to open seals with.

        Raises:
            CannotCheckError: no seal is theirs: they are no guardian of it, or were given another key.
            IntegrityError: the owner sealed another share than the package says; `.party` is the owner.
        """
        for number, part in enumerate(self.guardians, start=1):
            for key in keys:
                try:
                    opened = seal.open_(key, part.sealed, self._context())
                except IntegrityError:
                    continue
                header, share = RecoveryHeader.decode(opened, "GUARDIAN")
                if header != self.header("GUARDIAN", number) or header.hash(share) != part.hash:
                    raise IntegrityError("an owner sealed a guardian another share than it says", party=self.owner)
                return number, share
        raise CannotCheckError(
            f"This key holds no share of twin {self.twin}'s recovery package.",
            hint="Is it the guardian's key that the owner was given?",
        )

    def open(self, guardians: Mapping[int, bytes], custodians: Mapping[int, bytes]) -> TwinSecrets:
        """The secrets, from shares by their numbers.

        Raises:
            CannotCheckError: there are too few.
            IntegrityError: a share is not the one that it was made with, or the owner lied in it; `.party` is the
                owner then.
        """
        for kind, shares, needed in (
            ("guardian", guardians, self.guardians_needed),
            ("custodian", custodians, self.custodians_needed),
        ):
            if len(shares) < needed:
                raise CannotCheckError(
                    f"{needed} {kind}s' shares are needed to recover twin {self.twin}, and {len(shares)} are there.",
                    hint="Ask more of them.",
                )
        for number, share in guardians.items():
            self.check("GUARDIAN", number, share)
        for number, share in custodians.items():
            self.check("RECOVERY", number, share)
        key = _key(shamir.combine(guardians), shamir.combine(custodians), self._context())
        try:
            key.check(self.commitment)
            opened = content.decrypt(key, [self.content], self._context())
            return TwinSecrets.from_dict(encoding.decode(opened))
        except IntegrityError as error:
            raise IntegrityError(f"a recovery package does not open: {error.message}", party=self.owner) from error

    def _head(self) -> dict[str, Any]:
        return {
            "deployment": self.deployment,
            "twin": self.twin,
            "owner": self.owner,
            "version": self.version,
            "generation": self.generation,
            "roster": self.roster,
            "package": self.package,
            "guardians_needed": self.guardians_needed,
            "custodians_needed": self.custodians_needed,
        }

    def _context(self) -> bytes:
        return GUARDIAN_CONTEXT + encoding.encode(self._head())


def seal_recovery(
    deployment: Deployment,
    roster: Roster,
    guardians: Sequence[bytes],
    guardians_needed: int,
    secrets: TwinSecrets,
    version: int,
) -> RecoveryPackage:
    """A new package of `secrets` for the guardians with these public keys and the roster's custodians, each package
    under secrets of its own.

    Raises:
        ValueError: not 1 <= `guardians_needed` <= the number of guardians <= 255.
        IntegrityError: a guardian's key is none.
    """
    ours, theirs = random.token_bytes(32), random.token_bytes(32)
    by_guardians = shamir.split(ours, guardians_needed, len(guardians))
    by_custodians = shamir.split(theirs, roster.threshold, len(roster.keys))
    bare = RecoveryPackage(
        deployment.origin,
        roster.twin,
        roster.owner,
        version,
        secrets.latest,
        roster.version,
        Digest(random.token_bytes(32)),
        guardians_needed,
        roster.threshold,
        (),
        (),
        Digest(bytes(32)),
        b"",
    )
    context = bare._context()
    key = _key(ours, theirs, context)
    (sealed,) = content.encrypt(key, encoding.encode(secrets.to_dict()), context)
    return replace(
        bare,
        guardians=tuple(
            _sealed(bare.header("GUARDIAN", share.number), share.value, public, context, None)
            for share, public in zip(by_guardians, guardians, strict=True)
        ),
        custodians=tuple(
            _sealed(bare.header("RECOVERY", share.number), share.value, each.key, SHARE_CONTEXT, each.custodian)
            for share, each in zip(by_custodians, roster.keys, strict=True)
        ),
        commitment=Digest(key.commitment),
        content=sealed,
    )


def _sealed(
    header: RecoveryHeader, share: bytes, public: bytes, context: bytes, custodian: Address | None
) -> SealedPart:
    return SealedPart(custodian, header.hash(share), seal.seal(public, header.encode(share), context))


def _key(guardians: bytes, custodians: bytes, context: bytes) -> ContentKey:
    both = derive(guardians + custodians, Label.RECOVERY, context, length=64)
    return ContentKey(both[:32], both[32:])


def _part(cells: Any) -> SealedPart:
    match cells:
        case [None, bytes(hashed), bytes(sealed)] if len(hashed) == 32:
            return SealedPart(None, Digest(hashed), sealed)
        case [str(custodian), bytes(hashed), bytes(sealed)] if len(hashed) == 32:
            return SealedPart(encoding.address(custodian), Digest(hashed), sealed)
    raise ValueError("a share of a recovery package is malformed")
