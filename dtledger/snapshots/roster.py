"""The custody roster: which custodians hold a twin's shares, how many of them are needed, and their keys.

The owner puts its digest into the twin card, which is the owner's signature under it.
"""

from __future__ import annotations

from dataclasses import dataclass

from .. import encoding
from ..custody import TwinKey
from ..errors import IntegrityError
from ..ledger import Deployment
from ..types import Address


@dataclass(frozen=True, slots=True)
class Roster:
    """Version, threshold t, and each custodian's key pair's public half for this twin, in the order of the shares."""

    twin: int
    owner: Address
    version: int
    threshold: int
    keys: tuple[TwinKey, ...]

    def __post_init__(self) -> None:
        if not 1 <= self.threshold <= len(self.keys) <= 255:
            raise ValueError(f"{self.threshold} of {len(self.keys)} custodians is no threshold")
        if len({key.custodian for key in self.keys}) != len(self.keys):
            raise ValueError("a custodian stands twice in the roster")

    def encode(self) -> bytes:
        return encoding.encode(
            {
                "twin": self.twin,
                "owner": self.owner,
                "version": self.version,
                "threshold": self.threshold,
                "custodians": [[key.custodian, key.key, key.signature] for key in self.keys],
            }
        )

    @classmethod
    def decode(cls, deployment: Deployment, block: bytes) -> Roster:
        """The roster of a block, each key checked against its custodian's signature.

        Raises:
            IntegrityError: malformed, or a custodian did not sign its key; `.party` names it.
        """
        body = encoding.decode(block)
        try:
            keys = tuple(TwinKey(encoding.address(who), key, signature) for who, key, signature in body["custodians"])
            roster = cls(body["twin"], encoding.address(body["owner"]), body["version"], body["threshold"], keys)
        except (KeyError, TypeError, ValueError) as error:
            raise IntegrityError("a roster is malformed") from error
        for key in roster.keys:
            key.verify(deployment, roster.twin, roster.owner)
        return roster

    @property
    def custodians(self) -> tuple[Address, ...]:
        return tuple(key.custodian for key in self.keys)
