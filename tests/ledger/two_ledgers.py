"""The ledger in memory beside the real one, under one clock: whatever is called, they answer and remember alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine

from dtledger.errors import LedgerRejection
from dtledger.ledger import Call
from dtledger.policy import Request, check
from dtledger.testing import Clock
from dtledger.types import Address, Digest, Period
from dtledger.vocabulary import Action, Purpose
from tests.ledger.bench import Bench, memory_bench, who
from tests.ledger.conftest import Chain
from tests.ledger.drawn import ASKERS


class TwoLedgers(RuleBasedStateMachine):
    """Each call goes to both. Subclassed with the chain to run on, for hypothesis makes one for each example itself."""

    chain: Chain
    outcomes: Counter[str]
    verdicts: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self._mark = self.chain.anvil.rpc("evm_snapshot")
        self.real = self.chain.bench()
        self._begun = len(self.real.ledger.history().logged)
        head = self.real.ledger.head()
        self.fake = memory_bench(Clock(head.at), self.real.deployment, head)
        self.fake.clock = self.real.clock  # one clock for both; the chain in memory is told below
        self.fake.ledger.chain.clock = self.real.clock  # type: ignore[attr-defined]

    def teardown(self) -> None:
        try:
            for request in self._about_what_stands():
                for now in (1, self.real.clock.at, 2**39):
                    self._compare_verdicts(request, now)
            assert self.real.ledger.history().logged[self._begun :] == self.fake.ledger.history().logged
        finally:
            self.real.ledger.close()
            self.chain.anvil.rpc("evm_revert", self._mark)

    def both(self, call: Call, by: str) -> None:
        self.real.arrange(self.real.clock.advance(1))
        outcomes = [self._outcome(bench, call, by) for bench in (self.real, self.fake)]
        assert outcomes[0] == outcomes[1], (call, by)
        self.outcomes[f"{call.function}: {outcomes[0][0]}"] += 1

    def _outcome(self, bench: Bench, call: Call, by: str) -> tuple[str, Any]:
        try:
            receipt = bench.ledger.send(call, who(by))
        except LedgerRejection as error:
            return type(error).__name__, error.evidence
        return "taken", (receipt.block, receipt.at, receipt.events)

    @property
    def view(self) -> Any:
        return self.fake.view

    def deadline(self, life: int) -> int:
        """`life` seconds after the block that is to take the message."""
        return self.real.clock.at + 1 + life

    def signature(self, message: Callable[..., Digest], signer: str, *fields: Any) -> bytes:
        return who(signer).sign_digest(message(self.real.deployment, *fields))

    def owner(self, twin: int, fallback: str) -> str:
        owner = self.view.owner(twin)
        return next((name for name in ASKERS if who(name).address == owner), fallback)

    def revision(self, owner: str, twin: int, grantee: str, number: int, off: int) -> int:
        present = self.view.grant(who(owner).address, twin, who(grantee).address, number).revision
        return max(0, present + off)

    def epoch(self, owner: str, twin: int, off: int) -> int:
        return max(0, self.view.epoch(who(owner).address, twin) + off)

    def _compare_verdicts(self, request: Request, now: int) -> None:
        answers = [bench.ledger.check(request, now, now) for bench in (self.real, self.fake)]
        answers += [check(bench.view, request, now, now) for bench in (self.real, self.fake)]
        assert len(set(answers)) == 1, (request, answers)
        self.verdicts[answers[0].name] += 1

    def _about_what_stands(self) -> Iterator[Request]:
        """Questions about each slot that an owner of a twin wrote, by its grantee and by who might belong to it."""
        for twin in (1, 2):
            owner: Address | None = self.view.owner(twin)
            for record in self.view.records(owner, twin)[:4] if owner else ():
                slot = record.slot
                for action, purpose in (
                    (Action.READ, Purpose.TREAT),
                    (Action.READ, Purpose.ETREAT),
                    (Action.WRITE, None),
                ):
                    for requester in {slot.grantee, who("clinician").address}:
                        yield Request(twin, requester, slot.grantee, slot.number, action, purpose, 0, Period(20, 20))
