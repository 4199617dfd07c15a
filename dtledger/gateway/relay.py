"""The relay: it pays for what others signed, so that a patient needs no gas.

It carries calls that hold their signer's message, of this deployment's contracts and no others, for enrolled members
and owners of twins, so many a day. It cannot change what it carries, and what it withholds its sender finds out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .._backend.call_codec import decode_call
from .._backend.quota_file import QuotaFile
from ..client import Context
from ..encoding import address
from ..errors import AccessDeniedError, DtledgerError, InputError
from ..ledger import Call, Receipt, Sent, View
from ..types import Address
from ..vocabulary import Reason

MOST_BYTES = 65_536
"""Of one call: 50 grants at once take 13,000."""

MOST_GAS = 5_000_000
"""Of one call: 100 grants take 3,000,000. A signer may be a contract (ERC-1271), whose answer can cost anything."""

CALLS, ALL_CALLS = "relayed calls", "relayed calls of everybody"


def _owner_of(arguments: tuple[Any, ...], view: View) -> Address | None:
    return view.owner(arguments[0])


def _owner_before(arguments: tuple[Any, ...], view: View) -> Address | None:
    return view.owner(arguments[0][0])


_Signer = Callable[[tuple[Any, ...], View], Address | None]

SIGNED: Mapping[tuple[str, str], _Signer] = {
    ("ConsentRegistry", "grantSigned"): lambda arguments, _: address(arguments[0][0]),
    ("ConsentRegistry", "grantManySigned"): lambda arguments, _: address(arguments[0][0]),
    ("ConsentRegistry", "revokeSigned"): lambda arguments, _: address(arguments[1]),
    ("ConsentRegistry", "revokeManySigned"): lambda arguments, _: address(arguments[0][0]),
    ("ConsentRegistry", "revokeAllSigned"): lambda arguments, _: address(arguments[0][0]),
    ("ConsentRegistry", "blockSigned"): _owner_of,
    ("ConsentRegistry", "unblockSigned"): _owner_of,
    ("ConsentRegistry", "carry"): _owner_before,
    ("TwinRegistry", "setCardSigned"): _owner_of,
    ("TwinRegistry", "announceRetirementSigned"): _owner_of,
    ("TwinRegistry", "cancelRetirementSigned"): _owner_of,
    ("TwinRegistry", "setGuardiansSigned"): _owner_of,
    ("TwinRegistry", "vetoMoveSigned"): _owner_of,
    ("TwinRegistry", "move"): _owner_of,
    ("MemberRegistry", "updateCard"): lambda arguments, _: address(arguments[0][0]),
    ("MemberRegistry", "setKeyringSigned"): lambda arguments, _: address(arguments[0]),
}
"""What is carried, and who must have signed it: the contract checks that they have, before anything is paid."""


@dataclass(frozen=True, slots=True)
class RelayLimits:
    """Calls a day: of one signer, and of everybody."""

    each: int = 50
    all: int = 5_000


class Relay:
    """Carries calls from the account of `context.key`."""

    def __init__(self, context: Context, quota: QuotaFile, limits: RelayLimits) -> None:
        self._context = context
        self._quota = quota
        self._limits = limits

    def carry(self, contract: str, data: bytes) -> Receipt:
        """Simulate, pay and wait until it is in a block.

        Raises:
            InputError: it is none of the calls that are carried.
            AccessDeniedError: its signer is neither enrolled nor the owner of a twin.
            LimitPassedError: they have used up their calls, or all have.
            LedgerRejection: the contract refuses it; nothing was paid, unless the block was another than foreseen.
            UnreachableError: the ledger does not answer, or no block took it in time.
        """
        if len(data) > MOST_BYTES:
            raise InputError(f"A call of over {MOST_BYTES:,} bytes is not carried.")
        if contract not in {name for name, _ in SIGNED}:
            raise InputError("Calls of that contract are not carried.")
        call = decode_call(contract, data)
        signer = self._signer(call)
        outbox = _OneCall()
        with (
            self._taken(CALLS, signer, self._limits.each, outbox),
            self._taken(ALL_CALLS, "", self._limits.all, outbox),
        ):
            return self._context.ledger.send(call, self._context.key, outbox)

    @contextmanager
    def _taken(self, what: str, who: str, most: int, outbox: _OneCall) -> Iterator[None]:
        """Given back if nothing was sent, else whoever names somebody else as the signer uses up what is theirs. What a
        block refused is paid for, and counts."""
        now = self._context.clock()
        self._quota.take(what, who, 1, most, now)
        try:
            yield
        except DtledgerError:
            if outbox.last() is None:
                self._quota.take(what, who, -1, most, now)
            raise

    def _signer(self, call: Call) -> Address:
        find = SIGNED.get((call.contract, call.function))
        if find is None:
            raise InputError(
                "Only calls that somebody signed are carried.", hint="Send others from an account of your own."
            )
        view = self._context.view()
        before = self._context.ledger.history().before
        if find is _owner_before and before is not None:  # the twin is not here yet
            view = before.at(view.block)
        signer = find(call.arguments, view)
        if signer is None or (view.member(signer) is None and not view.twins_of(signer)):
            raise AccessDeniedError(
                "Calls are carried for enrolled members and owners of twins.", reason=Reason.NOT_ENROLLED
            )
        return signer


class _OneCall:
    """An `Outbox` that ends with its call: the message inside can land only once."""

    def __init__(self) -> None:
        self._sent: Sent | None = None

    def last(self) -> Sent | None:
        return self._sent

    def note(self, sent: Sent) -> None:
        """Raises:
        InputError: it costs too much; nothing is sent.
        """
        if sent.gas > MOST_GAS:
            raise InputError(f"A call that takes over {MOST_GAS:,} gas is not carried.")
        self._sent = sent
