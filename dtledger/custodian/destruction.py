"""Destroying: how a custodian ends what it holds of a twin.

At the order of the twin's present owner alone, and only once the twin's retirement is final, at its own node's head and
at the final block: an announcement can still be cancelled, a destruction cannot. What is destroyed is written down
before it goes, so that an interrupted order can be given again and a copy that comes back is destroyed before it
serves (`TwinKeys.destroy`).
"""

from __future__ import annotations

from collections.abc import Callable

from ..custody import Destruction, OwnerRequest
from ..encoding import keccak
from ..errors import AccessDeniedError
from ..ledger import Deployment, Ledger, Now, messages
from ..types import Address, Digest
from ..vocabulary import Reason
from .now import Identity, Timekeeper
from .twin_keys import TwinKeys

OwnerMessage = Callable[[Deployment, int, Address, Address, int], Digest]
"""What an owner signs for one custodian: of a deployment, twin, owner, custodian and time."""


class Destroying:
    """The part of a `Custodian` that destroys. It keeps nothing of its own."""

    _key: Identity
    _ledger: Ledger
    _twin_keys: TwinKeys
    _time: Timekeeper

    def _require_owner(self, request: OwnerRequest, message: OwnerMessage) -> None:
        raise NotImplementedError

    def destroy(self, request: OwnerRequest) -> Destruction:
        """See `CustodianPort.destroy`."""
        self._require_owner(request, messages.destroy_order)
        now = self._time.now()
        if not _is_final(now, request.twin):
            raise AccessDeniedError(
                f"The retirement of twin {request.twin} is not final, so no key is destroyed.",
                reason=Reason.RETIRED,
                hint="Announce it and wait until it is final: `dtledger twin erase`.",
            )
        deployment, me = self._ledger.deployment, self._key.address
        ordered = messages.destroy_order(deployment, request.twin, request.owner, me, request.at)
        keys = self._twin_keys.destroy(request.twin)
        order = keccak(ordered + request.signature)
        said = Destruction(me, request.twin, request.owner, keys, order, now.latest, now.tip.head.number)
        return said.signed(self._key.sign_digest(said.to_sign(deployment)))


def _is_final(now: Now, twin: int) -> bool:
    """Whether the twin's retirement is final at the head and at the final block, by the earlier of chain and clock."""
    return all(0 < view.retire_at(twin) <= now.earliest for view in (now.tip.view, now.tip.final))
