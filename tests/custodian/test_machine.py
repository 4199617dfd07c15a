"""A custodian in any order: requests, retries, revocations, anchors, a disk that fails, deaths before and after a
receipt, restarts. No share without a receipt on the disk, none that consent does not permit, and one chain."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from dtledger.client import Client, Terms
from dtledger.custodian import Custodian, ReceiptDatabase
from dtledger.custodian.core import FRESHNESS
from dtledger.custodian.receipts import NOTHING_BEFORE, require_follows
from dtledger.custody import ReadRequest, Release
from dtledger.errors import AccessDeniedError, DtledgerError, UnreachableError
from dtledger.ledger import Slot
from dtledger.testing import MemoryKey, World
from dtledger.types import Period
from dtledger.vocabulary import Action, Kind, Purpose
from tests.custodian.asking import Desk
from tests.machines import REACHED, explore

pytestmark = pytest.mark.slow

FLOORS = {
    "opened": 10,
    "refused with a receipt": 5,
    "turned away without one": 3,
    "a retry under the first receipt": 2,
    "a retry after a revocation": 1,
    "died before the receipt": 2,
    "died after the receipt": 2,
    "a disk that failed": 1,
    "anchored": 2,
    "a node that was away": 1,
    "begun anew": 5,
}


class Died(BaseException):
    """A process that stops where it stands."""


class Serving(RuleBasedStateMachine):
    """`given` says what stands of the readers' grants, `heard` what came of each request that was answered."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.world = world = World(hours=2, custodians=1, threshold=1)
        self.visitor = world.join("visitor", [Kind.CLINICIAN])
        self.stranger = world.client(MemoryKey("stranger"))
        self.present = world.custodians[0]
        self.given = {world.clinician.address: True, self.visitor.address: False, self.stranger.address: False}
        self.asked: list[tuple[Client, ReadRequest, bool]] = []
        self.heard: list[Release] = []
        self.longest = 0
        self.desk = Desk(world)
        self.begin()

    def begin(self) -> None:
        """The process starts: its log is on its disk, its pairs are."""
        self.log = ReceiptDatabase(self.folder / "receipts.db")
        present = self.present
        self.custodian = Custodian(
            present._key, present.ledger, present._twin_keys, self.log, self.world.clock, max_head_age=10**9
        )
        self.desk.custodian = self.custodian  # type: ignore[assignment]

    def teardown(self) -> None:
        self.log.close()
        self.world.close()
        shutil.rmtree(self.folder)

    # consent ---------------------------------------------------------------------------------------------------

    @rule(whom=st.integers(0, 1))
    def grant_or_revoke(self, whom: int) -> None:
        world, grantee = self.world, [self.world.clinician, self.visitor][whom].address
        if self.given[grantee]:
            world.patient.consents.revoke(Slot(world.patient.address, world.twin, grantee, 0))
        else:
            now, data = world.clock.at, Period(world.readings[0].minute, world.clock.at // 60 + 10**6)
            terms = Terms(("glucose",), (Purpose.TREAT,), (Action.READ,), now, now + 10**8, data)
            world.patient.consents.grant(world.twin, grantee, terms, 0)
        self.given[grantee] = not self.given[grantee]

    @rule(seconds=st.sampled_from([1, 30, 400]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.advance(seconds)
        self.world.ledger.mine()

    # requests --------------------------------------------------------------------------------------------------

    @rule(who=st.sampled_from([0, 0, 1, 2]), how=st.sampled_from(["", "", "", "before", "after", "disk", "node"]))
    def ask(self, who: int, how: str) -> None:
        reader = [self.world.clinician, self.visitor, self.stranger][who]
        slot = Slot(self.world.patient.address, self.world.twin, reader.address, 0)
        self.desk.who, self.desk.slot = reader, slot
        request = self.desk.request()
        self.asked.append((reader, request, self.given[reader.address]))
        self.request(reader, request, how)

    @precondition(lambda self: self.asked)
    @rule(back=st.integers(1, 4), how=st.sampled_from(["", "", "after"]))
    def ask_again(self, back: int, how: str) -> None:
        """The very same request, as a client sends whose answer was lost."""
        reader, request, before = self.asked[-min(back, len(self.asked))]
        known = self.log.by_nonce(reader.address, request.nonce)
        release = self.request(reader, request, how)
        if release is not None and known is not None:
            same = release.receipt == known.receipt
            REACHED["a retry under the first receipt"] += same
            REACHED["a retry after a revocation"] += before and not self.given[reader.address] and not same

    @precondition(lambda self: self.given[self.world.clinician.address])
    @rule(how=st.sampled_from(["", "after"]))
    def revoke_before_the_retry(self, how: str) -> None:
        """Seldom by chance: an answer, a revocation, and the same request again."""
        self.ask(0, how)
        self.grant_or_revoke(0)
        self.ask_again(1, "")

    @rule()
    def anchor(self) -> None:
        due = self.log.count
        REACHED["anchored"] += self.custodian.anchor() is not None
        found = self.world.ledger.view().receipt_anchor(self.custodian.address)
        assert (found.count if found else 0) == due

    @rule()
    def begin_anew(self) -> None:
        self.log.close()
        self.begin()
        REACHED["begun anew"] += 1

    # what must hold --------------------------------------------------------------------------------------------

    @invariant()
    def the_log_is_one_chain_that_only_grows(self) -> None:
        entries = self.log.entries
        last, last_of_twin = None, None
        for each in entries:
            require_follows(each, last, last_of_twin)
            last = last_of_twin = each
        assert not entries or entries[0].receipt.previous == NOTHING_BEFORE
        assert len(entries) >= self.longest
        self.longest = len(entries)

    @invariant()
    def each_answer_that_was_heard_has_its_receipt(self) -> None:
        entries = self.log.entries
        for each in self.heard:
            assert entries[each.receipt.number].receipt == each.receipt

    # doing -----------------------------------------------------------------------------------------------------

    def request(self, reader: Client, request: ReadRequest, how: str) -> Release | None:
        """Ask; what is heard is opened, and held against the model and the log."""
        before = self.log.count
        release: Release | None = None
        try:
            with self.fault(how):
                release = self.desk.ask(request)
        except AccessDeniedError:
            assert not self.given[reader.address] or self.world.clock.at - request.at > FRESHNESS
            REACHED["turned away without one" if self.log.count == before else "refused with a receipt"] += 1
        except UnreachableError:
            assert how == "node"
            REACHED["a node that was away"] += 1
        except DtledgerError:
            assert how == "disk"
            assert self.log.count == before
            REACHED["a disk that failed"] += 1
        except Died:
            REACHED[f"died {how} the receipt"] += 1
            assert self.log.count == before if how == "before" else self.log.count >= before
            self.begin_anew()
        if release is None:
            return None
        shares = self.desk.opened(release)
        on_disk = [each.receipt for each in self.log.entries]
        assert release.receipt in on_disk
        assert shares == release.receipt.permitted
        assert shares == (len(request.digests) if self.given[reader.address] else 0)
        self.heard.append(release)
        REACHED["opened" if shares else "refused with a receipt"] += 1
        return release

    @contextmanager
    def fault(self, how: str) -> Iterator[None]:
        """What goes wrong meanwhile."""
        real = self.log.append

        def dies(*arguments: Any) -> Any:
            if how == "after":
                real(*arguments)
            raise Died

        self.present.ledger.unreachable = how == "node"
        if how in ("before", "after"):
            self.log.append = dies  # type: ignore[method-assign]
        if how == "disk":
            self.log._writer.execute("PRAGMA query_only=ON")
        try:
            yield
        finally:
            self.present.ledger.unreachable = False
            self.log.__dict__.pop("append", None)
            if how == "disk":
                self.log._writer.execute("PRAGMA query_only=OFF")


def test_no_share_leaves_without_its_receipt_whatever_happens() -> None:
    explore(Serving, FLOORS, runs=0.12, steps=50)
