"""An organisation's signed agreement that a member belongs to it, as a file for the registrar.

    {"schema": "dtledger/agreement/1", "organisation", "member", "version", "signature"}

It holds for one version of the member's card, and is void once the member's card has moved on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..encoding import address
from ..errors import InputError, IntegrityError
from ..ledger import Deployment, messages
from ..types import Address
from .cards import MemberCardFile, read_json

__all__ = ["SCHEMA", "Agreement"]

SCHEMA = "dtledger/agreement/1"
MOST_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Agreement:
    """`signature` is the organisation's EIP-712 signature of the other three."""

    organisation: Address
    member: Address
    version: int
    signature: bytes

    def verify(self, deployment: Deployment, card: MemberCardFile) -> Agreement:
        """This agreement, if the card's organisation signed it for this very card.

        Raises:
            InputError: it is for another member, organisation or version.
            IntegrityError: somebody else signed it.
        """
        if (self.organisation, self.member, self.version) != (card.organisation, card.address, card.version):
            raise InputError(
                f"The agreement is for {self.member} at card version {self.version} with {self.organisation}: not for "
                "this card.",
                hint="Let the organisation agree to this one: dtledger member agree CARD",
            )
        signed = messages.agreement(deployment, self.organisation, self.member, self.version)
        if messages.signer(signed, self.signature) != self.organisation:
            raise IntegrityError(
                f"The agreement is not signed by {self.organisation}.",
                hint="Let the organisation make a new one: dtledger member agree CARD",
                party=self.organisation,
            )
        return self

    def serialise(self) -> bytes:
        """The agreement as its file's bytes: JSON that a person can read."""
        value = {
            "schema": SCHEMA,
            "organisation": self.organisation,
            "member": self.member,
            "version": self.version,
            "signature": "0x" + self.signature.hex(),
        }
        return (json.dumps(value, indent=2) + "\n").encode()

    @classmethod
    def read(cls, path: Path) -> Agreement:
        """The agreement in the file at `path`. Raises InputError if it cannot be read or is none."""
        try:
            with path.open("rb") as file:
                value: Any = read_json(file.read(MOST_BYTES + 1), str(path))
            if value["schema"] != SCHEMA or type(value["version"]) is not int:
                raise ValueError(f"its schema is not {SCHEMA}")
            signature = bytes.fromhex(value["signature"].removeprefix("0x"))
            return cls(address(value["organisation"]), address(value["member"]), value["version"], signature)
        except OSError as error:
            raise InputError(f"The agreement {path} cannot be read: {error.strerror}.") from error
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InputError(f"{path} is no agreement.", hint="`dtledger member agree CARD` makes one.") from None
