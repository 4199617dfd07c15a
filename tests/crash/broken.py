"""Copies of the product that are broken on purpose, made in the process that is to die: the tests must notice each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dtledger._backend.directory_store import DirectoryStore
from dtledger._backend.evm import EvmLedger
from dtledger._backend.evm_lane import EvmLane
from dtledger._backend.write_journal import WriteJournal
from dtledger.client import Consents, Delivery, Response
from dtledger.client.twins import Twins
from dtledger.custodian.receipts import Entry, Make, ReceiptLog
from dtledger.gateway.queue import ReadingQueue
from dtledger.keys import UnlockedKey
from dtledger.ledger import Receipt
from dtledger.snapshots.staging import Staging


def anchors_before_it_remembers() -> None:
    """The batch is anchored first and noted afterwards."""
    prepare, finish = WriteJournal.prepare, WriteJournal.finish
    waiting: list[tuple[Any, ...]] = []

    def later(journal: WriteJournal, *arguments: Any) -> None:
        waiting.append((journal, *arguments))

    def finish_late(journal: WriteJournal, *arguments: Any, **how: Any) -> None:
        while waiting:
            prepare(*waiting.pop())
        finish(journal, *arguments, **how)

    WriteJournal.prepare = later  # type: ignore[assignment]
    WriteJournal.finish = finish_late  # type: ignore[method-assign]


def forgets_before_it_anchors() -> None:
    """The gateway drops a reading from its queue as soon as its batch is stored."""
    note = ReadingQueue.note

    def note_and_drop(queue: ReadingQueue, written: Any) -> None:
        note(queue, written)
        queue._file.delete(list(written))

    ReadingQueue.note = note_and_drop  # type: ignore[method-assign]


def sends_before_it_notes() -> None:
    """The relay notes a transaction after it was sent."""
    put = EvmLane._put

    def put_first(lane: EvmLane, flight: Any, note: Any, **how: Any) -> None:
        noted: list[Any] = []
        put(lane, flight, noted.append, **how)
        for each in noted:
            note(each)

    EvmLane._put = put_first  # type: ignore[method-assign]


def acknowledges_before_it_syncs() -> None:
    """What the gateway accepts is in its memory until the first batch is made."""
    put, due = ReadingQueue.put, ReadingQueue.due
    waiting: list[tuple[Any, ...]] = []

    def put_late(queue: ReadingQueue, *arguments: Any) -> int:
        waiting.append(arguments)
        return 0

    def put_now(queue: ReadingQueue, *arguments: Any) -> Any:
        while waiting:
            put(queue, *waiting.pop())
        return due(queue, *arguments)

    ReadingQueue.put = put_late  # type: ignore[method-assign, assignment]
    ReadingQueue.due = put_now  # type: ignore[method-assign]


def remembers_before_it_stores() -> None:
    """Marks and batch are noted while the blocks are still in memory."""
    flush, prepare = Staging.flush, WriteJournal.prepare
    waiting: list[Staging] = []

    def prepare_then_store(journal: WriteJournal, *arguments: Any) -> None:
        prepare(journal, *arguments)
        while waiting:
            flush(waiting.pop())

    Staging.flush = lambda staging: waiting.append(staging) or 0  # type: ignore[method-assign, assignment, func-returns-value]
    WriteJournal.prepare = prepare_then_store  # type: ignore[assignment]


def stores_without_syncing() -> None:
    """Blocks are written in their place and left to the system."""

    def write(store: DirectoryStore, files: dict[Any, bytes]) -> None:
        for path, data in files.items():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)

    DirectoryStore._write = write  # type: ignore[method-assign]


def grants_before_it_stores() -> None:
    """What is stored comes into the store when the ledger has named it: a package, or what a site commits to."""
    send, put = EvmLedger.send, DirectoryStore.put
    waiting: list[tuple[DirectoryStore, bytes, Any]] = []

    def later(store: DirectoryStore, data: bytes, codec: Any) -> Any:
        from dtledger.encoding import block_cid

        waiting.append((store, data, codec))
        return block_cid(data, codec)

    def send_then_store(ledger: EvmLedger, *arguments: Any) -> Any:
        receipt = send(ledger, *arguments)
        while waiting:
            put(*waiting.pop())
        return receipt

    DirectoryStore.put = later  # type: ignore[method-assign]
    EvmLedger.send = send_then_store  # type: ignore[method-assign]


def sets_the_card_before_it_keeps_the_secrets() -> None:
    """The twin's secrets reach the key file when the card is on the ledger."""
    set_up, update = Twins.set_up, UnlockedKey.update

    def set_up_late(twins: Twins, *arguments: Any) -> Any:
        changes: list[Any] = []

        def in_memory(key: UnlockedKey, change: Any) -> Any:
            key._secrets = change(key.secrets)
            changes.append((key, key._secrets))
            return key._secrets

        UnlockedKey.update = in_memory  # type: ignore[method-assign]
        receipt = set_up(twins, *arguments)
        for key, secrets in changes:
            update(key, lambda _, secrets=secrets: secrets)
        return receipt

    Twins.set_up = set_up_late  # type: ignore[method-assign]


def notes_a_step_when_it_is_done() -> None:
    """A migration's transaction is sent first and noted afterwards."""
    send = EvmLedger.send_raw

    def send_then_note(ledger: EvmLedger, transaction: Any, sender: Any, before_sending: Callable[..., None]) -> Any:
        noted: list[Any] = []
        receipt = send(ledger, transaction, sender, lambda *facts: noted.append(facts))
        before_sending(*noted[0])
        return receipt

    EvmLedger.send_raw = send_then_note  # type: ignore[assignment]


def answers_before_the_receipt() -> None:
    """A custodian's receipt is held back until it has the next."""
    waiting: list[tuple[ReceiptLog, int, Make]] = []
    append, make_only = ReceiptLog.append, ReceiptLog._make

    def hold_back(log: ReceiptLog, twin: int, make: Make) -> Entry:
        while waiting:
            append(*waiting.pop())
        waiting.append((log, twin, make))
        return make_only(log, twin, make)

    ReceiptLog.append = hold_back  # type: ignore[method-assign]


def does_not_sync_receipts() -> None:
    """A custodian's receipt is written and left to the system."""
    ReceiptLog._sync = lambda log, position: None  # type: ignore[method-assign, misc]


def grants_before_it_answers() -> None:
    """A yes is said when its grant was given."""
    answer, grant = Consents._answer, Consents.grant
    waiting: list[tuple[Any, ...]] = []

    def later(*arguments: Any) -> Response:
        waiting.append(arguments)
        return Response(arguments[1], Delivery((), {}))

    def grant_then_answer(*arguments: Any) -> Any:
        done = grant(*arguments)
        while waiting:
            answer(*waiting.pop())
        return done

    Consents._answer = later  # type: ignore[method-assign, assignment]
    Consents.grant = grant_then_answer  # type: ignore[method-assign]


def is_heard_before_it_is_sent() -> None:
    """A revocation is acknowledged first and sent afterwards."""
    revoke = Consents.revoke

    def heard_then_sent(consents: Consents, slot: Any) -> Receipt:
        (consents._context.key._path.parents[1] / "acknowledged").touch()  # type: ignore[attr-defined]
        return revoke(consents, slot)

    Consents.revoke = heard_then_sent  # type: ignore[method-assign]


BROKEN: dict[str, Callable[[], None]] = {
    each.__name__: each
    for each in (
        acknowledges_before_it_syncs,
        anchors_before_it_remembers,
        forgets_before_it_anchors,
        sends_before_it_notes,
        remembers_before_it_stores,
        stores_without_syncing,
        grants_before_it_stores,
        sets_the_card_before_it_keeps_the_secrets,
        notes_a_step_when_it_is_done,
        answers_before_the_receipt,
        does_not_sync_receipts,
        grants_before_it_answers,
        is_heard_before_it_is_sent,
    )
}

__all__: Sequence[str] = ["BROKEN"]
