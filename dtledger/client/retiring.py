"""Retiring: the former custodians' key pairs of a twin end, once nothing needs them any more."""

from __future__ import annotations

from ..custody import Destruction, RetireOrder
from ..encoding import sha256
from ..errors import DtledgerError, InputError, IntegrityError
from ..snapshots.roster import Roster
from ..snapshots.standing import DAY
from ..types import Address, Digest
from .context import Context
from .custody_state import CustodyState, digest_of
from .twins import Twins


class Retiring:
    """The part of `Resharing` that orders the end of former key pairs."""

    _context: Context
    _twins: Twins
    custody: CustodyState

    def former(self, twin: int) -> dict[Address, tuple[Digest, ...]]:
        """The custodians that hold key pairs which former rosters of this owner name and the one in force does not, and
        the digests of these.

        Raises:
            AccessDeniedError: this key does not own the twin.
            InputError: the roster was replaced less than a day ago, so a writer may still use the former one, or
                snapshots stand under it.
        """
        context, view = self._context, self._context.view()
        context.require_owner(twin, view)
        present = self._twins.roster(twin)
        cards = [each for each in view.cards(twin) if each.owner == context.key.address]
        since = next(each.at for each in cards if each.card.roster == digest_of(present))
        if max(context.clock(), context.ledger.head().at) - since < DAY:
            raise InputError(
                "The roster was replaced less than a day ago: what writers sealed to the former one may still come.",
                hint="Order the end of the former key pairs a day after the card was set.",
            )
        waiting, _ = self.custody.count(twin, digest_of(present))
        if waiting:
            raise InputError(
                f"{waiting} snapshots stand under a former roster, and would be lost.",
                hint="Share them anew first: `dtledger twin reshare`.",
            )
        kept = {sha256(each.key) for each in present.keys}
        found: dict[Address, dict[Digest, None]] = {}
        for card in cards:
            for key in self.custody.roster(card.card.roster).keys:
                if sha256(key.key) not in kept:
                    found.setdefault(key.custodian, {})[sha256(key.key)] = None
        return {custodian: tuple(names) for custodian, names in found.items()}

    def retire(self, twin: int) -> dict[Address, Destruction | DtledgerError]:
        """Order every custodian to destroy its `former` key pairs; what each signed, or why it did not. Raises as
        `former`."""
        former, present = self.former(twin), self._twins.roster(twin)
        return {custodian: self._order(twin, custodian, names, present) for custodian, names in former.items()}

    def _order(
        self, twin: int, custodian: Address, names: tuple[Digest, ...], roster: Roster
    ) -> Destruction | DtledgerError:
        context = self._context
        order = RetireOrder(twin, context.key.address, custodian, names, roster.encode(), context.clock())
        try:
            port = context.custodian(custodian)
            said = port.retire(order.signed(context.key.sign_digest(order.to_sign(context.deployment))))
            said.verify(context.deployment, twin, custodian)
            if not set(names) <= set(said.keys):
                raise IntegrityError("a custodian does not say that it destroyed what it was to", party=custodian)
        except DtledgerError as error:
            return error
        return said
