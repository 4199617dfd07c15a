"""A transaction that no block takes is replaced by itself with a higher fee: never are there two for one call."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from dtledger._backend import replacing
from dtledger._backend.replacing import MOST_TIMES, NotTakenError, outbid
from dtledger._backend.write_journal import WriteJournal
from dtledger.errors import UnreachableError
from dtledger.ledger import Receipt, Sent, calls
from tests.ledger.bench import Bench, digest, who
from tests.ledger.conftest import Chain

CALL = calls.anchor_batch(digest("batch"), 1, digest("index"))


class Outbox:
    """Keeps every form; `then` is called with how many there are, before one is sent."""

    def __init__(self, then: Callable[[int], object] = lambda forms: None) -> None:
        self.forms: list[Sent] = []
        self.then = then

    def last(self) -> Sent | None:
        return self.forms[-1] if self.forms else None

    def note(self, sent: Sent) -> None:
        self.forms.append(sent)
        self.then(len(self.forms))


@pytest.fixture
def stuck(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A chain that makes no block until it is told to, and a sender without patience."""
    monkeypatch.setattr(replacing, "PATIENCE_SECONDS", 0.0)
    bench = chain.bench()
    bench.ledger.head()
    chain.anvil.rpc("evm_setAutomine", False)
    yield bench
    chain.anvil.rpc("evm_setAutomine", True)
    bench.ledger.close()


def send(bench: Bench, outbox: Outbox) -> Receipt:
    return bench.ledger.send(CALL, who("gateway"), outbox)


@pytest.mark.anvil
class TestAStuckTransaction:
    def test_is_replaced_by_one_of_its_nonce_that_offers_more(self, chain: Chain, stuck: Bench) -> None:
        outbox = Outbox(lambda forms: chain.anvil.rpc("evm_mine") if forms == 4 else None)
        receipt = send(stuck, outbox)
        nonces, fees = {each.nonce for each in outbox.forms}, [each.fee for each in outbox.forms]
        assert len(nonces) == 1
        assert fees == sorted(set(fees))
        assert receipt.transaction == f"0x{outbox.forms[2].hashes[-1].hex()}"
        assert len(stuck.view.batches(who("gateway").address)) == 1

    def test_is_gone_on_with_after_a_crash(self, chain: Chain, stuck: Bench) -> None:
        def die(forms: int) -> None:
            if forms == 3:
                raise KeyboardInterrupt

        outbox = Outbox(die)
        with pytest.raises(KeyboardInterrupt):
            send(stuck, outbox)
        outbox.then = lambda forms: chain.anvil.rpc("evm_mine") if forms == 5 else None
        send(stuck, outbox)
        assert len({each.nonce for each in outbox.forms}) == 1
        assert len(stuck.view.batches(who("gateway").address)) == 1

    def test_that_a_block_took_meanwhile_is_not_sent_again(self, chain: Chain, stuck: Bench) -> None:
        def die(forms: int) -> None:
            if forms == 2:
                raise KeyboardInterrupt

        outbox = Outbox(die)
        with pytest.raises(KeyboardInterrupt):
            send(stuck, outbox)
        chain.anvil.rpc("evm_mine")
        assert send(stuck, outbox).transaction == f"0x{outbox.forms[0].hashes[-1].hex()}"
        assert len(outbox.forms) == 2

    def test_whose_nonce_another_took_is_sent_with_a_new_one(self, chain: Chain) -> None:
        ledger, outbox = chain.bench().ledger, Outbox()
        lost = Sent(chain_nonce(chain), 100_000, 1, 1, (digest("never taken"),))
        outbox.forms.append(lost)
        ledger.heartbeat(who("gateway"))
        ledger.send(CALL, who("gateway"), outbox)
        assert outbox.forms[-1].nonce == lost.nonce + 1
        ledger.close()

    def test_is_given_up_in_the_end(self, stuck: Bench) -> None:
        stuck.ledger._receipt_timeout = 0.0  # type: ignore[attr-defined]
        with pytest.raises(NotTakenError, match="may still be taken"):
            send(stuck, Outbox())


def chain_nonce(chain: Chain) -> int:
    return int(chain.anvil.rpc("eth_getTransactionCount", who("gateway").address, "latest"), 16)


def test_no_replacement_offers_beyond_reason() -> None:
    sent = Sent(0, 21_000, 1000, 100, ())
    for _ in range(100):
        try:
            sent = outbid(sent, 1000, 100)
        except UnreachableError:
            break
    assert 1000 * MOST_TIMES // 2 < sent.fee <= 1000 * MOST_TIMES


def test_the_journal_remembers_what_was_sent_until_its_batch_is_anchored(tmp_path) -> None:  # type: ignore[no-untyped-def]
    sent = Sent(7, 60_000, 12, 3, (digest("a"), digest("b")))
    journal = WriteJournal(tmp_path / "journal.db")
    assert journal.last() is None
    journal.note(sent)
    journal.close()
    journal = WriteJournal(tmp_path / "journal.db")
    assert journal.last() == sent
    journal.close()
