"""A relay's transactions on a chain that made no block for long, on a real node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from web3.eth import Eth

from dtledger.ledger.lanes import Carried
from dtledger.ledger.rejections import DeadlineTooFarError
from tests.ledger.bench import who
from tests.ledger.lane.conftest import FOUR, PAYER, Line

pytestmark = pytest.mark.anvil


class TestAnIdleChain:
    """Its newest block is an hour old, and the node tries everything as of that one, as Avalanche's do."""

    @pytest.fixture
    def late(self, line: Line, monkeypatch: pytest.MonkeyPatch) -> Line:
        """What is signed and sent is an hour later; on the chain no block says so yet."""
        at = line.bench.ledger.head().at + 3600
        line.chain.anvil.rpc("evm_setNextBlockTimestamp", at)
        for name in ("call", "estimate_gas"):
            monkeypatch.setattr(Eth, name, as_of_newest(getattr(Eth, name)))
        monkeypatch.setattr(line.bench.ledger, "_clock", lambda: at)
        return line

    def blocking(self, late: Line, name: str, ahead: int) -> Carried:
        return late.blocking(name, ahead=3600 + ahead)

    @pytest.mark.parametrize("names", [FOUR[:1], FOUR], ids=["alone", "together"])
    def test_makes_a_block_by_which_what_is_signed_now_is_good(self, late: Line, names: tuple[str, ...]) -> None:
        height = late.bench.ledger.head().number
        late.send(*(self.blocking(late, each, 1800) for each in names))
        late.land()
        assert late.is_blocked(*names) == [1] * len(names)
        assert late.bench.ledger.head().number == height + 2, "a heartbeat, and what it was for"

    def test_makes_one_for_what_an_account_sends_itself_too(self, late: Line) -> None:
        at = late.bench.ledger.head().at + 3600
        late.bench.ledger.send(late.bench.mint_call("bob", deadline=at + 1800), who("minter"))
        assert late.bench.view.twins_of(who("bob").address)

    def test_makes_one_block_and_no_more_for_what_is_good_for_too_long(self, late: Line) -> None:
        height = late.bench.ledger.head().number
        for _ in range(3):
            (refused,) = late.lane.try_out([self.blocking(late, "bob", 7200)])
            assert isinstance(refused, DeadlineTooFarError)
        assert late.bench.ledger.head().number == height + 1

    def test_makes_none_for_an_account_that_cannot_pay(self, late: Line) -> None:
        height = late.bench.ledger.head().number
        late.chain.anvil.fund(who(PAYER).address, 0)
        (refused,) = late.lane.try_out([self.blocking(late, "bob", 1800)])
        assert isinstance(refused, DeadlineTooFarError)
        assert late.bench.ledger.head().number == height
        late.chain.anvil.fund(who(PAYER).address)
        assert isinstance(late.lane.try_out([self.blocking(late, "bob", 1800)])[0], int)


def as_of_newest(ask: Callable[..., Any]) -> Callable[..., Any]:
    return lambda eth, transaction, *_: ask(eth, transaction, "latest")
