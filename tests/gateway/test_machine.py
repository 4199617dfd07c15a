"""A gateway in any order: readings come, ledger and store go away, the process dies before and after each of its
writes and begins anew. What was acknowledged is in the queue or can be read, and once."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from dtledger.errors import UnreachableError
from dtledger.gateway.pump import Pump
from dtledger.gateway.queue import Limits, Measured, ReadingQueue
from dtledger.gateway.twins import Twins, shipped
from dtledger.readings import Reading
from dtledger.testing import World
from tests.gateway.conftest import PACE
from tests.machines import REACHED, explore

FLOORS = {
    "anchored": 50,
    "sent again": 5,
    "died at: put_many": 1,
    "died at: send": 1,
    "died at: note": 1,
    "died at: drop": 1,
    "died at: add": 1,
    "died before": 3,
    "died after": 3,
    "waited for the ledger": 1,
    "waited for the store": 1,
    "began anew with something under way": 2,
}

KEEPER = shipped()


class Died(BaseException):
    """A process that stops where it stands."""


class Ingesting(RuleBasedStateMachine):
    """`acknowledged` is what the gateway said that it keeps, `sent` all that ever came to it."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(hours=2, custodians=1, threshold=1)
        self.before = {(each.seconds, each.value) for each in self.world.readings}
        self.folder = Path(tempfile.mkdtemp())
        self.sent: list[Reading] = []
        self.acknowledged: set[tuple[int, float]] = set()
        self.changed = False
        self.begin()

    def begin(self) -> None:
        """The process starts: what it knows is on its disk."""
        context = self.world.gateway.context
        self.queue = ReadingQueue(
            self.folder / "queue.db", context.key, self.world.clock, Limits(2**24, 0), lambda _: 2**30
        )
        twins = Twins(self.queue, KEEPER, context.deployment, context.store, context.clock)
        self.pump = Pump(context, self.world.gateway.writer, self.queue, PACE, twins, dice=lambda: 1.0)

    def teardown(self) -> None:
        """All is well again, and the queue runs empty."""
        try:
            self.ledger_comes_and_goes(away=False)
            self.store_comes_and_goes(away=False)
            for _ in range(20):
                self.world.clock.advance(3600)
                self.pump.once()
            assert self.queue.totals().rows == 0
            found = self.read()
            assert len(found) == len(set(found)), "nothing stands twice"
            assert self.acknowledged <= set(found) - self.before
            assert set(found) - self.before <= {(each.seconds, each.value) for each in self.sent}
            REACHED["anchored"] += len(set(found) - self.before)
        finally:
            self.queue.close()
            self.world.close()
            shutil.rmtree(self.folder)

    # what comes ------------------------------------------------------------------------------------------------

    @rule(count=st.integers(1, 6), ago=st.integers(0, 90), died=st.sampled_from(["", "", "", "before", "after"]))
    def readings_come(self, count: int, ago: int, died: str) -> None:
        now = self.world.clock.advance(1)
        values = (5 + len(self.sent) % 50 / 10 for _ in range(count))
        some = [Reading(now - 60 * (ago + each), value, "mmol/L", 0) for each, value in enumerate(values)]
        self.send(some, died)

    @precondition(lambda self: self.sent)
    @rule(first=st.integers(0, 999), count=st.integers(1, 6))
    def readings_come_again(self, first: int, count: int) -> None:
        first %= len(self.sent)
        self.send(self.sent[first : first + count])
        REACHED["sent again"] += 1

    @rule(seconds=st.sampled_from([60, 700, 3600]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.advance(seconds)

    @rule(away=st.booleans())
    def ledger_comes_and_goes(self, away: bool) -> None:
        self.world.ledger.unreachable = away

    @rule(away=st.booleans())
    def store_comes_and_goes(self, away: bool) -> None:
        if away:
            self.world.store.put_many = away_for_a_while  # type: ignore[method-assign]
        else:
            self.world.store.__dict__.pop("put_many", None)

    # what the gateway does -------------------------------------------------------------------------------------

    @rule()
    def pump_steps(self) -> None:
        self.changed = True
        self.world.clock.advance(700)
        moved = self.pump.once()
        if self.pump.told.failures or self.pump.told.waiting:
            REACHED["waited for the ledger"] += self.world.ledger.unreachable
            REACHED["waited for the store"] += "put_many" in self.world.store.__dict__
        assert moved >= 0

    @precondition(lambda self: not self.world.ledger.unreachable)
    @rule(
        call=st.sampled_from(["put_many", "send", "note", "drop"]),
        number=st.integers(0, 2),
        when=st.sampled_from(["before", "after"]),
    )
    def pump_dies(self, call: str, number: int, when: str) -> None:
        """At one of its writes, if it comes to it; there is something to write."""
        self.store_comes_and_goes(away=False)
        self.readings_come(2, 0, "")
        self.world.clock.advance(4000)
        self.dying(self.pump.step, call, when, number if call == "put_many" else 0)
        self.begin_anew()

    @rule()
    def begin_anew(self) -> None:
        self.changed = True
        REACHED["began anew with something under way"] += any(
            row.written_as for hour in self.queue.due(0, (), 99) for row in hour.rows
        )
        self.queue.close()
        self.begin()

    @precondition(lambda self: self.changed and not self.world.ledger.unreachable)
    @invariant()
    def nothing_acknowledged_is_lost_or_doubled(self) -> None:
        self.changed = False
        found = self.read()
        assert len(found) == len(set(found))
        hours = self.queue.due(2**40, (), 10**6)
        waiting = [(each.seconds, each.value) for hour in hours for each in hour.readings]
        assert len(waiting) == len(set(waiting)) == self.queue.totals().rows
        assert self.acknowledged <= set(found) | set(waiting)

    # doing -----------------------------------------------------------------------------------------------------

    def send(self, some: Sequence[Reading], died: str = "") -> None:
        """As a hub does: what is not acknowledged is no promise, and may be there all the same."""
        self.changed = True
        new = [each for each in some if (each.seconds, each.value) not in self.before]
        self.sent += [each for each in new if each not in self.sent]
        measured = [Measured(self.world.twin, "glucose", each) for each in new]
        if self.dying(lambda: self.queue.put(measured), "put", died, 0) if died else self.queue.put(measured) >= 0:
            self.acknowledged |= {(each.seconds, each.value) for each in new}
        if died:
            self.begin_anew()

    def dying(self, work: Callable[[], Any], call: str, when: str, number: int) -> bool:
        """Do it, and die at that call; whether it came through alive."""
        owner: Any = {
            "put_many": self.world.store,
            "send": self.world.ledger,
            "note": self.queue,
            "drop": self.queue,
            "put": self.queue._file,
        }[call]
        name = "add" if call == "put" else call
        real, calls = getattr(owner, name), iter(range(10**6))

        def counted(*arguments: Any, **more: Any) -> Any:
            here = next(calls) == number
            if here:
                REACHED[f"died at: {name}"] += 1
                REACHED[f"died {when}"] += 1
            if here and when == "before":
                raise Died
            found = real(*arguments, **more)
            if here:
                raise Died
            return found

        held = owner.__dict__.get(name)
        setattr(owner, name, counted)
        try:
            with suppress(UnreachableError):
                work()
                return True
            return False
        except Died:
            return False
        finally:
            delattr(owner, name) if held is None else setattr(owner, name, held)

    def read(self) -> list[tuple[int, float]]:
        readings = self.world.patient.read(self.world.twin, "glucose", "PATRQT")
        return [(int(each.at.timestamp()), each.value) for each in readings]


def away_for_a_while(*_: Any) -> Any:
    raise UnreachableError("The store does not answer (by order of the test).")


def test_what_was_acknowledged_is_kept_and_anchored_once_whatever_happens() -> None:
    explore(Ingesting, FLOORS, runs=0.12, steps=40)
