"""Retiring: how a custodian ends key pairs that a twin's roster no longer names, at its present owner's order.

The order shows the roster in force; its digest stands in the card at the custodian's own node's head and at the final
block, so the custodian need believe nobody. A pair that this roster names, or another owner's, is never ended so. What
is ended is written down before it goes (`TwinKeys.retire`), also what is not held: a copy that comes back is destroyed
before it serves.

Warning: an old copy of everything, names and log with it, knows of no order. It is stopped by the ledger: once the log
is anchored past that copy's end, it serves nobody (`Anchoring`). Nobody can prove that no copy is left.
"""

from __future__ import annotations

from collections.abc import Callable

from ..custody import Destruction, RetireOrder
from ..encoding import keccak, sha256
from ..errors import AccessDeniedError, IntegrityError
from ..ledger import View, messages
from ..snapshots.roster import Roster
from ..vocabulary import Reason
from .destruction import Destroying
from .now import FRESHNESS

MOST_KEYS = 10_000
"""Most pairs in one order."""


class Retiring(Destroying):
    """The part of a `Custodian` that retires pairs. It keeps nothing of its own."""

    _clock: Callable[[], int]

    def _turn_away(self, cause: str) -> AccessDeniedError:
        raise NotImplementedError

    def retire(self, order: RetireOrder) -> Destruction:
        """See `CustodianPort.retire`."""
        deployment, me = self._ledger.deployment, self._key.address
        self._require_orderer(order, self._ledger.view())
        now = self._time.now()  # which may cost a heartbeat, so nobody else's order comes this far
        digest = sha256(order.roster)
        for view in (now.tip.view, now.tip.final):
            if view.successor(order.twin) is not None:
                raise AccessDeniedError(
                    "The twin lives in another deployment under these keys, so none is destroyed.",
                    reason=Reason.RETIRED,
                    hint="Order it there.",
                )
            card = view.card(order.twin)
            if card is None or card.roster != digest:
                raise AccessDeniedError(
                    "That is not the roster in force, so no key is destroyed.", reason=Reason.NO_GRANT
                )
        named = {sha256(each.key) for each in Roster.decode(deployment, order.roster).keys}
        if named & set(order.keys):
            raise AccessDeniedError("The roster in force names a key that was to be destroyed.", reason=Reason.NO_GRANT)
        keys = self._twin_keys.retire(order.twin, order.owner, order.keys)
        signed = keccak(order.to_sign(deployment) + order.signature)
        said = Destruction(me, order.twin, order.owner, keys, signed, now.latest, now.tip.head.number)
        return said.signed(self._key.sign_digest(said.to_sign(deployment)))

    def _require_orderer(self, order: RetireOrder, view: View) -> None:
        well_formed = 0 < len(order.keys) <= MOST_KEYS and {len(each) for each in order.keys} == {32}
        try:
            signer = messages.signer(order.to_sign(self._ledger.deployment), order.signature)
        except (IntegrityError, ValueError, OverflowError):
            raise self._turn_away("malformed") from None
        if not well_formed:
            raise self._turn_away("malformed")
        if signer != order.owner or view.owner(order.twin) != signer or order.custodian != self._key.address:
            raise self._turn_away("not the owner")
        if abs(self._clock() - order.at) > FRESHNESS:
            raise self._turn_away("stale")
