"""A transaction that is stuck is replaced: the same one with the same nonce and a higher fee.

Of two transactions with one nonce a chain takes at most one, so whoever tries again, after a crash too, can neither do
a thing twice nor leave a gap before its next nonce. Nodes take a replacement if both its fees are at least a tenth
higher (geth's and Anvil's rule).
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import UnreachableError
from ..ledger import Outbox, Receipt, Sender, Sent

if TYPE_CHECKING:
    from .evm import EvmLedger

PATIENCE_SECONDS = 30.0
"""How long a transaction may wait for its block before it is replaced."""

MOST_TIMES = 20
"""How many times the fee of the day a replacement may offer at most: a mistake must not empty an account."""


class NotTakenError(UnreachableError):
    """No block took a transaction in time; it may still be taken."""


def outbid(sent: Sent, fee: int, tip: int) -> Sent:
    """The next form of a transaction, where `fee` and `tip` (wei a gas) are what a new one would offer today.

    >>> outbid(Sent(7, 21_000, 100, 10, ()), 50, 20)
    Sent(nonce=7, gas=21000, fee=113, tip=20, hashes=())

    Raises:
        UnreachableError: it would have to offer over `MOST_TIMES` as much.
    """
    higher = max(fee, sent.fee * 9 // 8 + 1)
    if fee and higher > MOST_TIMES * fee:
        raise UnreachableError(
            f"A transaction is stuck that offers {sent.fee / fee:.0f} times the fee of the day.",
            hint="Look at the node and at the account's earlier transactions.",
        )
    return replace(sent, fee=higher, tip=max(tip, sent.tip * 9 // 8 + 1))


def send_replacing(
    ledger: EvmLedger, transaction: dict[str, Any], sender: Sender, outbox: Outbox, timeout: float
) -> Receipt:
    """Send what `outbox` is for, or go on where it stands; replace it whenever it is stuck. `timeout` is in seconds.

    Raises:
        LedgerRejection: a contract refuses it.
        NotTakenError: no block took it in that time.
        UnreachableError: the node does not answer.
    """
    deadline = time.monotonic() + timeout
    while True:
        last = outbox.last()
        taken = ledger.taken(last, sender) if last else None
        if last and taken:
            return ledger.receipt(last.hashes, timeout)
        if taken is None:
            last = None  # there was none, or another transaction has its nonce
        patience = min(PATIENCE_SECONDS, timeout)
        try:
            return ledger.send_raw(transaction, sender, outbox.note, timeout=patience, replaces=last)
        except NotTakenError:
            if time.monotonic() >= deadline:
                raise
