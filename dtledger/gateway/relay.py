"""The relay: it pays for what others signed, so that a patient needs no gas.

It carries calls that hold their signer's message, of this deployment's contracts and no others, for enrolled members
and owners of twins, so many a day. It cannot change what it carries, and what it withholds its sender finds out.

What it accepted is on its disk, synced, and goes to the ledger with others', many in one transaction (`relay_pump`).
A call is known by its bytes: sent again, it is not carried again, and its answer is the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._backend.call_codec import decode_call
from .._backend.relay_tables import RelayTables, Waiting
from ..client import Context
from ..encoding import address
from ..errors import AccessDeniedError, BusyError, DtledgerError, InputError, UnreachableError
from ..ledger import View
from ..ledger.lanes import Carried
from ..types import Address, Digest
from ..vocabulary import Reason
from .allowance import Allowance

MOST_BYTES = 65_536
"""Of one call: 50 grants at once take 13,000."""

MOST_WAITING = 50_000
"""Calls that are not settled; more are to come again later."""


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
    ("SnapshotLedger", "anchorBatchSigned"): lambda arguments, _: address(arguments[0]),
}
"""What is carried, and who must have signed it: the contract checks that they have, before anything is paid."""


@dataclass(slots=True, eq=False)
class _Asked:
    """A call that somebody waits with, and why it was not taken."""

    waiting: Waiting
    error: DtledgerError | None = None


class Relay:
    """Takes calls in. `wake` is called when there are new ones."""

    def __init__(
        self,
        context: Context,
        tables: RelayTables,
        allowance: Allowance,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._context = context
        self._tables = tables
        self._allowance = allowance
        self._wake = wake
        self._asked: list[_Asked] = []
        self._asking, self._writing = threading.Lock(), threading.Lock()
        self._seen: tuple[int, View] | None = None

    def accept(self, contract: str, data: bytes) -> Digest:
        """Take a call; what it is known by. It outlives a crash when this returns.

        Raises:
            InputError: it is none of the calls that are carried.
            AccessDeniedError: its signer is neither enrolled nor the owner of a twin.
            LimitPassedError: they have used up their calls, or all have.
            BusyError: as many wait as may.
            UnreachableError: the ledger does not answer.
        """
        (taken,) = self.accept_each([Carried(contract, data)])
        if isinstance(taken, DtledgerError):
            raise taken
        return taken

    def accept_each(self, calls: Sequence[Carried]) -> list[Digest | DtledgerError]:
        """As `accept`: of each of them what it is known by, or why it is not taken."""
        now = self._context.clock()
        found: list[_Asked | DtledgerError] = []
        looked: list[View] = []
        for call in calls:
            try:
                found.append(_Asked(Waiting(call, self._signer(call, looked), now)))
            except UnreachableError as error:  # the ledger is away, for the others too
                found += [error] * (len(calls) - len(found))
                break
            except DtledgerError as error:
                found.append(error)
        self._keep([each for each in found if isinstance(each, _Asked)])
        self._wake()
        taken = (each if isinstance(each, DtledgerError) else each.error or each.waiting.call.id for each in found)
        return [*taken]

    # on the disk ---------------------------------------------------------------------------------------------

    def _keep(self, mine: Sequence[_Asked]) -> None:
        """Many who come at once are written at once: whoever writes next writes for all who wait by then."""
        with self._asking:
            self._asked += mine
        with self._writing:
            with self._asking:
                asked, self._asked = self._asked, []
            try:
                self._keep_all(asked)
            except DtledgerError as error:
                for each in asked:
                    each.error = each.error or error
            except BaseException:
                for each in asked:
                    each.error = each.error or DtledgerError("The call could not be written.")
                raise

    def _keep_all(self, asked: Sequence[_Asked]) -> None:
        if not asked:
            return
        known = self._tables.standing([each.waiting.call.id for each in asked])
        new: dict[Digest, _Asked] = {}
        for each in asked:
            standing = known.get(each.waiting.call.id)
            if standing is None or (standing.error is not None and standing.settled):
                new.setdefault(each.waiting.call.id, each)
        load = self._tables.load()
        if load.waiting + load.in_flight + len(new) > MOST_WAITING:
            raise BusyError("As many calls wait as the relay takes.", hint="Send it again later, or to another relay.")
        told = self._allowance.look([each.waiting.signer for each in new.values()])
        for each, error in zip(new.values(), told, strict=True):
            each.error = error
        self._tables.add([each.waiting for each in new.values() if each.error is None])
        for each in asked:
            each.error = new.get(each.waiting.call.id, each).error

    # who signed ----------------------------------------------------------------------------------------------

    def _signer(self, carried: Carried, looked: list[View]) -> Address:
        if len(carried.data) > MOST_BYTES:
            raise InputError(f"A call of over {MOST_BYTES:,} bytes is not carried.")
        if carried.contract not in {name for name, _ in SIGNED}:
            raise InputError("Calls of that contract are not carried.")
        call = decode_call(carried.contract, carried.data)
        find = SIGNED.get((call.contract, call.function))
        if find is None:
            raise InputError(
                "Only calls that somebody signed are carried.", hint="Send others from an account of your own."
            )
        for view in self._views(looked):
            signer = find(call.arguments, self._before(view) if find is _owner_before else view)
            if signer is not None and (view.member(signer) is not None or view.twins_of(signer)):
                return signer
        raise AccessDeniedError(
            "Calls are carried for enrolled members and owners of twins.", reason=Reason.NOT_ENROLLED
        )

    def _before(self, view: View) -> View:
        """That of the deployment before, if there is one: a twin that comes over is not here yet."""
        before = self._context.ledger.history().before
        return view if before is None else before.at(view.block)

    def _views(self, looked: list[View]) -> Iterator[View]:
        """The state of this second if it was looked at, and the state now, which is `looked` at once for all calls of a
        request: most who ask have been there for long."""
        now = self._context.clock()
        if self._seen is not None and self._seen[0] == now:
            yield self._seen[1]
        if not looked:
            looked.append(self._context.view())
            self._seen = (now, looked[0])
        yield looked[0]
