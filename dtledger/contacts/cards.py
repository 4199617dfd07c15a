"""The member card as a file: what one hands to a registrar, and to whoever shall grant.

    {"schema": "dtledger/member-card/1", "name", "organisation_name", "address", "organisation",
     "public_key" (base64), "version", "signature", "name_signature"}

`signature` is the member's EIP-712 signature of (address, SHA-256 of the public key, organisation, version), which
the ledger checks. The names are not in it, for the ledger holds none: `name_signature`, if there is one, is the
member's of `names_digest`. A card without it carries names that anybody may have written.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._backend.files import parse_json
from ..crypto.seal import PUBLIC_BYTES, check_public
from ..encoding import address, encode, sha256
from ..errors import InputError, IntegrityError
from ..ledger.calls import MemberCard
from ..types import ZERO_ADDRESS, Address, Digest

__all__ = ["SCHEMA", "CardCheck", "MemberCardFile", "names_digest", "read_json"]

SCHEMA = "dtledger/member-card/1"
MOST_BYTES = 65_536
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class CardCheck:
    """Who signed, told by whoever knows the deployment (`dtledger.ledger.messages`).

    Both give the signer's address, or raise IntegrityError for bytes that are no signature.
    """

    card: Callable[[MemberCard, bytes], Address]
    names: Callable[[Digest, bytes], Address]


@dataclass(frozen=True, slots=True)
class MemberCardFile:
    """What a member says of itself. `organisation` is `ZERO_ADDRESS` for who has none, and for an organisation."""

    name: str
    organisation_name: str
    address: Address
    organisation: Address
    public_key: bytes
    version: int
    signature: bytes
    name_signature: bytes = b""

    def __post_init__(self) -> None:
        for text in (self.name, self.organisation_name):
            if text != text.strip() or not text.isprintable() or len(text) > _LONGEST_NAME:
                raise ValueError(f"a name is printable, has no space around it, and at most {_LONGEST_NAME} characters")
        if not self.name or bool(self.organisation_name) != (self.organisation != ZERO_ADDRESS):
            raise ValueError("a card has a name, and an organisation's name if and only if it has an organisation")
        if self.address in (ZERO_ADDRESS, self.organisation):
            raise ValueError("a card's address is its member's own")
        if len(self.public_key) != PUBLIC_BYTES or not 0 <= self.version < 2**32:
            raise ValueError(f"a card has a public key of {PUBLIC_BYTES} bytes and a version")
        if len(self.signature) != 65 or len(self.name_signature) not in (0, 65):
            raise ValueError("a signature has 65 bytes")

    @property
    def card(self) -> MemberCard:
        """What the ledger keeps of it, and what `signature` covers."""
        return MemberCard(self.address, sha256(self.public_key), self.organisation, self.version)

    @property
    def names_digest(self) -> Digest:
        """What `name_signature` covers: SHA-256 of the canonical CBOR of the names, the address and the version."""
        return names_digest(self.name, self.organisation_name, self.address, self.organisation, self.version)

    def verify(self, check: CardCheck) -> MemberCardFile:
        """This card, if the member signed it and its key can be sealed to.

        Raises:
            IntegrityError: it was changed, or somebody else signed it.
        """
        check_public(self.public_key)
        if check.card(self.card, self.signature) != self.address:
            raise IntegrityError(
                f"The card of {self.name} ({self.address}) is not signed by that address.",
                hint="Ask the member for a new one.",
                party=self.address,
            )
        if self.name_signature and check.names(self.names_digest, self.name_signature) != self.address:
            raise IntegrityError(
                f"The names on the card of {self.address} are not signed by that address.",
                hint="Ask the member for a new one.",
                party=self.address,
            )
        return self

    def to_dict(self) -> dict[str, Any]:
        signed = {"name_signature": "0x" + self.name_signature.hex()} if self.name_signature else {}
        return {
            "schema": SCHEMA,
            "name": self.name,
            "organisation_name": self.organisation_name,
            "address": self.address,
            "organisation": self.organisation,
            "public_key": base64.b64encode(self.public_key).decode(),
            "version": self.version,
            "signature": "0x" + self.signature.hex(),
            **signed,
        }

    def serialise(self) -> bytes:
        """The card as its file's bytes: JSON that a person can read."""
        return (json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n").encode()

    @classmethod
    def from_dict(cls, value: Any, source: str) -> MemberCardFile:
        """The card in a JSON object; `source` is for the message.

        Raises:
            InputError: it is no member card, or not of this version.
        """
        try:
            if not isinstance(value, dict) or value.get("schema") != SCHEMA:
                raise ValueError(f"its schema is not {SCHEMA}")
            known = {"schema", *cls.__dataclass_fields__}
            if unknown := set(value) - known:
                raise ValueError(f"it has unknown fields: {', '.join(sorted(map(str, unknown)))}")
            if type(value["version"]) is not int:
                raise ValueError("its version is no number")
            return cls(
                value["name"],
                value["organisation_name"],
                address(value["address"]),
                address(value["organisation"]),
                base64.b64decode(value["public_key"], validate=True),
                value["version"],
                _hex(value["signature"]),
                _hex(value.get("name_signature", "0x")),
            )
        except KeyError as error:
            raise InputError(f"{source} is no member card: it lacks {error.args[0]}.") from None
        except (ValueError, TypeError, AttributeError) as error:
            raise InputError(f"{source} is no member card: {error}.") from None

    @classmethod
    def parse(cls, data: bytes, source: str) -> MemberCardFile:
        """The card that `serialise` wrote. Raises InputError as `from_dict`."""
        return cls.from_dict(read_json(data, source), source)

    @classmethod
    def read(cls, path: Path) -> MemberCardFile:
        """The card file at `path`. Raises InputError if it cannot be read or is none."""
        try:
            with path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        except OSError as error:
            raise InputError(f"The card file {path} cannot be read: {error.strerror}.") from error
        return cls.parse(data, str(path))


def names_digest(name: str, organisation_name: str, member: Address, organisation: Address, version: int) -> Digest:
    """What a member signs to vouch for the names on its card, version by version."""
    return sha256(
        encode(
            {
                "kind": "member-names",
                "name": name,
                "organisation_name": organisation_name,
                "address": member,
                "organisation": organisation,
                "version": version,
            }
        )
    )


def read_json(data: bytes, source: str) -> Any:
    """The JSON value in `data`. Raises InputError if it is none, or too large."""
    try:
        return parse_json(data, MOST_BYTES)
    except ValueError:
        raise InputError(f"{source} is no JSON file, or too large for what it should be.") from None


def _hex(text: str) -> bytes:
    if not text.startswith("0x"):
        raise ValueError("a signature begins with 0x")
    return bytes.fromhex(text[2:])
