"""A model's card: what its coordinator says of it in words. A public, signed block; the ledger holds its digest."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import InputError, IntegrityError
from ..home import check_name
from ..ledger import Deployment
from ..snapshots.signed import Signer, read_block, sign_block
from ..types import Address

LONGEST_ABOUT = 1000
"""Most characters of a description."""
LONGEST_NUMBER = 10
"""Digits of the greatest number of a model."""


def is_number(which: str) -> bool:
    """Whether somebody who names a model means its number."""
    return which.isascii() and which.isdigit() and len(which) <= LONGEST_NUMBER


@dataclass(frozen=True, slots=True)
class ModelCard:
    """`name` is how people call the model (as `home.check_name` has names, and no number), `about` says what it is for.

    Raises:
        InputError: they cannot be used.
    """

    name: str
    about: str = ""

    def __post_init__(self) -> None:
        check_name(self.name, "model")
        if is_number(self.name):
            raise InputError(f"{self.name} cannot be the name of a model.", hint="It would be taken for a number.")
        if not self.about.isprintable() or len(self.about) > LONGEST_ABOUT:
            raise InputError(f"A description is printable, in one line, and at most {LONGEST_ABOUT} characters long.")

    def sign(self, deployment: Deployment, coordinator: Signer) -> bytes:
        return sign_block(deployment, "ModelCard", {"name": self.name, "about": self.about}, coordinator)

    @classmethod
    def read(cls, deployment: Deployment, block: bytes) -> tuple[ModelCard, Address]:
        """The card of a block, and who signed it.

        Raises:
            IntegrityError: it is not a well-formed signed card.
        """
        body, coordinator = read_block(deployment, "ModelCard", block)
        match body:
            case {"name": str(name), "about": str(about), **rest} if not rest:
                try:
                    return cls(name, about), coordinator
                except InputError:
                    pass
        raise IntegrityError("a model's card is malformed", party=coordinator)
