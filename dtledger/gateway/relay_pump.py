"""The relay's pump: calls that wait go to the ledger, many in one transaction, several transactions at once.

One step looks at what is under way, tries out what waited longest, refuses what the ledger would refuse, each with its
own reason, and sends the rest, as far as it is allowed, by the accounts that have least under way. Which call is in
which transaction is on the disk before that is sent: a step that dies anywhere is gone on with by the next, which asks
the ledger.
"""

from __future__ import annotations

import logging
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from .._backend.relay_tables import RelayTables, Standing, Waiting
from ..errors import DtledgerError, InputError, LedgerRejection
from ..ledger import Receipt
from ..ledger.lanes import MOST_GAS, Fate, Flight, Lane
from ..types import Address, Digest
from .allowance import Allowance
from .pump import Pace

log = logging.getLogger(__name__)

AT_ONCE = 256
"""Calls that are tried out at once."""

MOST_TRIES = 5
"""Transactions with a call in them that may be lost."""

KEPT_SECONDS = 86_400
"""How long what became of a call is remembered."""

FORGET_SECONDS = 3_600
"""How often what is older is forgotten."""

REST_SECONDS = 60
"""How long an account is left alone whose transaction the node does not take, for want of money say."""

PACE = Pace(longest_retry_seconds=30.0)

SHORTEST_PAUSE, LONGEST_PAUSE = 0.005, 0.5
"""Between looks at what is under way, in seconds."""


_Tried = tuple[Waiting, int]
"""A call that is good, and the gas that it takes."""


@dataclass(slots=True)
class Carriage:
    """What a relay did since it began: counts, and names of errors alone."""

    landed: int = 0
    transactions: int = 0
    lost: int = 0
    """Transactions whose calls had to be sent in others."""
    refused: Counter[str] = field(default_factory=Counter)
    failures: int = 0
    """Steps that failed one after another, up to now."""
    error: str = ""
    """The class of the error that the last step failed by; empty if it did not."""


class RelayPump:
    """Empties the tables by these lanes, `in_flight` transactions at a time in each. `step` is for one thread at a
    time.

    Args:
        allowance: what is paid for.
        dice: a number from 0 to 1, for the jitter.
    """

    def __init__(
        self,
        tables: RelayTables,
        lanes: Sequence[Lane],
        clock: Callable[[], int],
        allowance: Allowance,
        in_flight: int = 4,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._tables = tables
        self._lanes = lanes
        self._clock = clock
        self._allowance = allowance
        self._most = in_flight
        self._dice = dice
        self._resting: dict[Address, int] = {}
        self._pause = SHORTEST_PAUSE
        self._forgot_at = 0
        self._woken = threading.Event()
        self._watched: dict[Digest, Future[Standing]] = {}
        self._watching = threading.Lock()
        self.told = Carriage()
        self.heard: list[Callable[[str], None]] = []
        """Told the class of the error of each call that is refused."""

    @property
    def bumps(self) -> int:
        """Transactions that were sent again with a higher fee."""
        return sum(each.bumps for each in self._lanes)

    @property
    def accounts(self) -> list[Address]:
        return [each.address for each in self._lanes]

    def wake(self) -> None:
        """There is something new."""
        self._woken.set()

    def watch(self, call: Digest) -> Future[Standing]:
        """How the call stands once it is in a block; or the error that it is refused with. For any thread."""
        with self._watching:
            future = self._watched.setdefault(call, Future())
        standing = self._tables.standing([call]).get(call)
        if standing is not None and (standing.settled or standing.block is not None):
            self._tell(call, standing)
        return future

    # stepping ------------------------------------------------------------------------------------------------

    def run(self, stop: threading.Event) -> None:
        """Step until `stop` is set."""
        self.begin()
        while not stop.is_set():
            pause = self.once()
            if pause:
                self._woken.wait(pause)
            self._woken.clear()

    def begin(self) -> None:
        """Take back what accounts have under way that are none of ours any more."""
        self._tables.release(self.accounts)

    def once(self) -> float:
        """One step, whatever comes of it; the seconds to wait before the next."""
        try:
            self._forget()
            moved = self.step()
        except Exception as error:  # noqa: BLE001 whatever it is: a pump that ends takes what it accepted with it
            self.told.failures += 1
            self.told.error = type(error).__name__
            log.warning("what is relayed waits: %s, try %d", type(error).__name__, self.told.failures)
            return PACE.backoff(self.told.failures, self._dice)
        self.told.failures, self.told.error = 0, ""
        load = self._tables.load()
        self._pause = SHORTEST_PAUSE if moved else min(self._pause * 2, LONGEST_PAUSE)
        return self._pause if load.waiting or load.in_flight else PACE.idle_seconds

    def step(self) -> bool:
        """Look at all that is under way, then send of what waits as much as is tried out at once; returns whether
        anything moved. Without end comes what is to be refused: nothing else may wait for the end of that.

        Raises:
            UnreachableError: the ledger does not answer.
            DtledgerError: the tables cannot be written.
        """
        moved = False
        for lane in self._lanes:
            for fate in lane.look():
                moved |= self._settle(lane, fate)
        return self._send() or moved

    def _forget(self) -> None:
        """Forget what is old, now and then."""
        now = self._clock()
        if abs(now - self._forgot_at) >= FORGET_SECONDS:
            self._tables.forget(now - KEPT_SECONDS)
            self._forgot_at = now

    def _settle(self, lane: Lane, fate: Fate) -> bool:
        calls = self._tables.settle(lane.address, fate, MOST_TRIES)
        if fate.receipt is None:
            self.told.lost += bool(calls)  # it is looked at until it is final, and its calls are lost once
            known = self._tables.standing(calls)
            self._tell_each({each: known[each] for each in calls if known[each].settled})
            return bool(calls) or fate.final
        if fate.final:
            self.told.landed += len(calls) - len(fate.refused)
            self._count_refused(fate.refused.values())
        for place, call in enumerate(calls):
            self._tell(call, _standing(fate.receipt, fate.refused.get(place)))
        return fate.final

    def _send(self) -> bool:
        """Try out what waits and send what is good, in as many transactions as it takes and accounts may have; returns
        whether there was anything to send and an account to send it."""
        lane = self._idlest()
        waiting = self._tables.waiting(AT_ONCE) if lane else []
        if lane is None or not waiting:
            return False
        tried = [*zip(waiting, lane.try_out([each.call for each in waiting]), strict=False)]
        self._refuse({each: error for each, gas in tried if (error := _fault(gas))})
        good = [(each, gas) for each, gas in tried if not _fault(gas) and isinstance(gas, int)]
        while good and (lane := self._idlest()):
            count = lane.fit([each.call for each, _ in good], [gas for _, gas in good])
            some, good = self._allowed(good[:count]), good[count:]
            if some:
                self._send_by(lane, some)
        return True

    def _allowed(self, some: Sequence[_Tried]) -> list[_Tried]:
        """Those of them that may be paid for; the others are refused. One that was lost with a transaction was counted
        before."""
        new = [(each, gas) for each, gas in some if not each.tries]
        told = self._allowance.take(_costs(new))
        over = {each.call.id: error for (each, _), error in zip(new, told, strict=True) if error}
        self._refuse({each: over[each.call.id] for each, _ in new if each.call.id in over})
        return [(each, gas) for each, gas in some if each.call.id not in over]

    def _give_back(self, some: Sequence[_Tried]) -> None:
        """What was allowed and not sent."""
        self._allowance.give_back(_costs([(each, gas) for each, gas in some if not each.tries]))

    def _send_by(self, lane: Lane, some: Sequence[_Tried]) -> None:
        calls, gas = [each.call for each, _ in some], [gas for _, gas in some]
        ids = [each.id for each in calls]
        noted: list[Flight] = []

        def note(flight: Flight) -> None:
            self._tables.note(lane.address, flight, ids)
            noted.append(flight)

        try:
            lane.send(calls, gas, note)
        except LedgerRejection as error:
            for each in noted:
                self._tables.settle(lane.address, Fate(each.sent.nonce, None, {}, final=True), MOST_TRIES)
            self._give_back(some)
            self._rest(lane, [each for each, _ in some], error)
        except DtledgerError:
            if not noted:  # else it may have been taken
                self._give_back(some)
            raise
        else:
            self.told.transactions += 1

    def _idlest(self) -> Lane | None:
        """The lane with the fewest under way, if one may have more."""
        now = self._clock()
        awake = [each for each in self._lanes if not 0 < self._resting.get(each.address, now) - now <= REST_SECONDS]
        under_way = self._tables.under_way()
        loads = [(under_way.get(each.address, 0), place) for place, each in enumerate(awake)]
        least, place = min(loads, default=(self._most, 0))
        return awake[place] if least < self._most else None

    def _rest(self, lane: Lane, calls: Sequence[Waiting], error: LedgerRejection) -> None:
        """Leave the account alone for a while. If none is left, whoever waits hears why."""
        log.warning("an account of the relay cannot send: %s", type(error).__name__)
        self._resting[lane.address] = self._clock() + REST_SECONDS
        if self._idlest() is None and not self._tables.under_way().keys() & {*self.accounts}:
            self._refuse(dict.fromkeys(calls, error))

    def _refuse(self, refused: dict[Waiting, DtledgerError]) -> None:
        if not refused:
            return
        self._tables.refuse({each.call.id: error for each, error in refused.items()})
        self._count_refused(refused.values())
        self._tell_each({each.call.id: Standing(True, None, None, None, error) for each, error in refused.items()})

    def _count_refused(self, errors: Iterable[DtledgerError]) -> None:
        for name in (type(each).__name__ for each in errors):
            self.told.refused[name] += 1
            for hear in self.heard:
                hear(name)

    # telling -------------------------------------------------------------------------------------------------

    def _tell_each(self, standings: dict[Digest, Standing]) -> None:
        for call, standing in standings.items():
            self._tell(call, standing)

    def _tell(self, call: Digest, standing: Standing) -> None:
        with self._watching:
            future = self._watched.pop(call, None)
        if future is None or not future.set_running_or_notify_cancel():
            return
        if standing.error is not None:
            future.set_exception(standing.error)
        else:
            future.set_result(standing)


def _costs(some: Sequence[_Tried]) -> list[tuple[Address, int]]:
    return [(each.signer, gas) for each, gas in some]


def _fault(gas: int | DtledgerError) -> DtledgerError | None:
    if isinstance(gas, DtledgerError):
        return gas
    return InputError(f"A call that takes over {MOST_GAS:,} gas is not carried.") if gas > MOST_GAS else None


def _standing(receipt: Receipt, error: DtledgerError | None) -> Standing:
    return Standing(True, receipt.transaction, receipt.block, receipt.at, error)
