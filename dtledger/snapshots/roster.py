"""The custody roster: which custodians hold a twin's shares, how many of them are needed, and their keys.

The owner puts its digest into the twin card, which is the owner's signature under it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

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
            IntegrityError: malformed, or a custodian did not sign its key; `.party` is the owner, who named it.
        """
        match encoding.decode(block, truth=False):
            case {
                "twin": int(twin),
                "owner": str(owner),
                "version": int(version),
                "threshold": int(threshold),
                "custodians": [*rows],
                **rest,
            } if not rest:
                with suppress(ValueError):
                    keys = tuple(_key(cells) for cells in rows)
                    roster = cls(twin, encoding.address(owner), version, threshold, keys)
                    return roster._verified(deployment)
        raise IntegrityError("a roster is malformed")

    def _verified(self, deployment: Deployment) -> Roster:
        for key in self.keys:
            try:
                key.verify(deployment, self.twin, self.owner)
            except IntegrityError as error:
                raise IntegrityError(
                    f"a roster has a key for {key.custodian} that it did not sign", party=self.owner
                ) from error
        return self

    @property
    def custodians(self) -> tuple[Address, ...]:
        return tuple(key.custodian for key in self.keys)


def _key(cells: Any) -> TwinKey:
    match cells:
        case [str(custodian), bytes(key), bytes(signature)]:
            return TwinKey(encoding.address(custodian), key, signature)
    raise ValueError("a custodian of a roster is malformed")
