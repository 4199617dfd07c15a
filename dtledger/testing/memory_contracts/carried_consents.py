"""`contracts/base/CarriedConsents.sol`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...ledger import messages
from ...ledger.events import Carried, Granted
from ...ledger.rejections.succession import BlocksMissingError, WrongPredecessorError
from ...ledger.signed import CarriedGrant
from ...policy import EMPTY, Grant
from ...types import ZERO_ADDRESS, Address
from .consent_store import ConsentStore
from .frame import Storage
from .twin_registry import TwinRegistry
from .twin_store import owner_of


class CarriedConsents(ConsentStore):
    """The one call by which a twin comes over with its grants and blocks."""

    def carry(self, fields: tuple[Any, ...], blocked: list[Address], signature: bytes) -> None:
        former, me = self._frame.former, self._deployment.contracts["ConsentRegistry"]
        if former is None:
            raise WrongPredecessorError({"predecessor": ZERO_ADDRESS})
        twin, rows, counter, deadline = fields
        grants = [CarriedGrant(to, number, Grant.unpack(word), package) for to, number, word, package in rows]
        TwinRegistry(replace(former, sender=me)).depart(twin, messages.carried(grants), counter, deadline, signature)
        TwinRegistry(replace(self._frame, sender=me)).arrive(twin)
        owner = owner_of(self._storage, twin)

        self._carry_blocks(twin, blocked, former.storage)
        epoch = former.storage.get(("epoch", owner, twin), 0)
        revoked_here = self._epoch(owner, twin) != 0
        if not revoked_here:
            self._storage["epoch", owner, twin] = epoch
        self._emit(Carried(owner, twin, self._epoch(owner, twin)))
        for each in [] if revoked_here else grants:
            self._carry_grant(owner, twin, epoch, each, former.storage)

    def _carry_blocks(self, twin: int, blocked: list[Address], former: Storage) -> None:
        for who in blocked:
            count = former.get(("blocks", twin, who), 0)
            if count % 2 and not self._block_count(twin, who):
                self._set_block_count(twin, who, count)
        came, present = (storage.get(("blocked", twin), 0) for storage in (self._storage, former))
        if came != present:
            raise BlocksMissingError({"came": came, "present": present})

    def _carry_grant(self, owner: Address, twin: int, epoch: int, carried: CarriedGrant, former: Storage) -> None:
        word, slot = carried.grant, (owner, twin, carried.grantee, carried.number)
        if not word.given or word.epoch != epoch or former.get(("grant", *slot), EMPTY) != word:
            return
        if self._slot(*slot) != EMPTY:
            return
        self._storage["grant", *slot] = word
        self._emit(Granted(*slot, word, carried.package))
