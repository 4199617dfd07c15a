"""Recovering: how a custodian gives a twin's present owner its share of a recovery package.

The order of work is that of a read: form, signature, standing, freshness, replay, a head young enough → the share is
opened in memory, and must be of the kind RECOVERY and of the package that was asked for → the rule, of the index and of
the contract, must name the requester the owner, at the head and at the final block: a move that is not final releases
nothing, and no grant does → a receipt, of permit and denial → the share, sealed to the request's one-use key.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..crypto import seal
from ..custody import RELEASE_CONTEXT, ReadRequest, RecoveryHeader, Release, SealedShare
from ..errors import AccessDeniedError, IntegrityError
from ..ledger import Now
from ..types import Address, Period
from ..vocabulary import Reason
from .accounting import Accounting
from .judging import judge, question
from .retiring import Retiring
from .twin_keys import open_with_any


class Recovering(Accounting, Retiring):
    """The part of a `Custodian` that releases RECOVERY shares. It keeps nothing of its own."""

    def _admit(self, request: ReadRequest, shares: Sequence[SealedShare]) -> Address:
        raise NotImplementedError

    def open_recovery(self, request: ReadRequest, share: SealedShare) -> Release:
        """See `CustodianPort.open_recovery`."""
        requester = self._admit(request, [share])
        if self._ledger.view().owner(request.twin) != requester:
            raise self._turn_away("not the owner")
        header, value = self._open_recovery(request, share)
        now = self._time.now()
        reason = self._judge_recovery(request, requester, now)
        receipt = self._write_receipt(request, requester, [(share.digest, reason)], now)
        if reason is not Reason.OWNER:
            raise AccessDeniedError(
                f"The custodian releases no share of the recovery package of twin {request.twin}: {reason.text} "
                f"({reason.name}).",
                reason=reason,
                hint="The twin must be this key's at the final block, and neither frozen nor retired.",
            )
        return Release(receipt, seal.seal_once(request.key, header.encode(value), RELEASE_CONTEXT), ())

    def _judge_recovery(self, request: ReadRequest, requester: Address, now: Now) -> Reason:
        """OWNER, or why not. A grant that permits is as none."""
        anything = Period(0, 0)
        reason = judge(request, requester, 0, anything, now)
        if reason is Reason.OWNER:
            reason = self._ledger.check(question(request, requester, 0, anything), now.earliest, now.latest)
        return Reason.NO_GRANT if reason.permits and reason is not Reason.OWNER else reason

    def _open_recovery(self, request: ReadRequest, share: SealedShare) -> tuple[RecoveryHeader, bytes]:
        opened = open_with_any(self._twin_keys.all_of(request.twin), share)
        header, value = RecoveryHeader.decode(opened, "RECOVERY")
        asked = (self._ledger.deployment.origin, request.twin, share.digest)
        if (header.deployment, header.twin, header.package) != asked:
            raise IntegrityError("a share is not of the recovery package that was asked for")
        if share.hash is not None and header.hash(value) != share.hash:
            raise IntegrityError("an owner sealed another share than it says", party=header.owner)
        return header, value
