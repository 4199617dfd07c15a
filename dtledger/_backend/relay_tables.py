"""What a gateway carries for others, in its queue's file: the calls, by what each is known by, and the transactions
that carry them.

A call waits, is in a transaction, or is settled: it landed or was refused. Which transaction holds it is written before
that is sent, with the transaction, so that whoever comes back after a crash asks the ledger what became of it. What is
settled is remembered for a while: the same call again has the same answer. Of what is refused, which anybody may send
and which costs nobody anything, the newest are remembered, and nothing of what they held.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .. import encoding
from ..errors import DtledgerError, UnreachableError
from ..ledger import Sent
from ..ledger.lanes import Carried, Fate, Flight
from ..types import Address, Digest
from .database_file import Connection
from .http_errors import from_http, to_http
from .queue_file import QueueFile

_MINED = "UPDATE relayed SET hash = ?, block = ?, block_at = ?, status = NULL, refusal = NULL"
_OPEN = "UPDATE relayed SET sender = NULL, nonce = NULL, hash = NULL, block = NULL, block_at = NULL, tries = tries + 1"


MOST_REFUSED = 10_000
"""Refused calls that are remembered: whoever floods a relay fills no disk."""

_FORGET_REFUSED = (
    "DELETE FROM relayed WHERE settled = 1 AND refusal IS NOT NULL AND number <= ("
    "SELECT number FROM relayed WHERE settled = 1 AND refusal IS NOT NULL ORDER BY number DESC LIMIT 1 OFFSET ?)"
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A call that waits: who signed it, when it came (unix seconds), and how many transactions were lost with it."""

    call: Carried
    signer: Address
    at: int
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """How a call stands: where it landed, or why not. Neither: it waits, or its block does."""

    settled: bool
    transaction: str | None
    block: int | None
    at: int | None
    error: DtledgerError | None


@dataclass(frozen=True, slots=True)
class Load:
    """How many calls wait and how many are in transactions, how many of those, and when the oldest call came."""

    waiting: int
    in_flight: int
    transactions: int
    oldest: int | None


class RelayTables:
    """The tables of what is carried, in a queue's file."""

    def __init__(self, file: QueueFile) -> None:
        self._file = file

    # calls ---------------------------------------------------------------------------------------------------

    def add(self, calls: Sequence[Waiting]) -> None:
        """Keep calls, synced when this returns. One that was refused begins anew; any other stays as it is."""
        with self._file.transaction() as database:
            database.executemany(
                "DELETE FROM relayed WHERE id = ? AND settled = 1 AND refusal IS NOT NULL",
                ((each.call.id,) for each in calls),
            )
            database.executemany(
                "INSERT INTO relayed (id, contract, data, signer, at, tries, settled) VALUES (?, ?, ?, ?, ?, 0, 0) "
                "ON CONFLICT (id) DO NOTHING",
                ((each.call.id, each.call.contract, each.call.data, each.signer, each.at) for each in calls),
            )

    def standing(self, ids: Sequence[Digest]) -> dict[Digest, Standing]:
        """How those of them stand that are known."""
        query = "SELECT settled, hash, block, block_at, status, refusal FROM relayed WHERE id = ?"
        found = {}
        with self._file.reading() as database:
            for each in ids:
                row = database.execute(query, (each,)).fetchone()
                if row is not None:
                    settled, mark, block, at, status, refusal = row
                    error = None if refusal is None else from_http(status, refusal, "The relay")
                    found[each] = Standing(bool(settled), mark, block, at, error)
        return found

    def waiting(self, most: int) -> list[Waiting]:
        """Those that are in no transaction, the oldest first."""
        query = (
            "SELECT contract, data, signer, at, tries FROM relayed WHERE settled = 0 AND sender IS NULL "
            "ORDER BY number LIMIT ?"
        )
        with self._file.reading() as database:
            return [
                Waiting(Carried(contract, data), Address(signer), at, tries)
                for contract, data, signer, at, tries in database.execute(query, (most,))
            ]

    def refuse(self, refused: Mapping[Digest, DtledgerError]) -> None:
        """These are carried in no transaction."""
        with self._file.transaction() as database:
            _tell(database, refused)
            done = "UPDATE relayed SET settled = 1, data = ? WHERE id = ?"
            database.executemany(done, ((b"", each) for each in refused))
            database.execute(_FORGET_REFUSED, (MOST_REFUSED,))

    def load(self) -> Load:
        query = "SELECT COUNT(*), COUNT(sender), MIN(number) FROM relayed WHERE settled = 0"  # of the index alone
        with self._file.reading() as database:
            every, sent, first = database.execute(query).fetchone()
            oldest = database.execute("SELECT at FROM relayed WHERE number = ?", (first,)).fetchone()
            (flights,) = database.execute("SELECT COUNT(*) FROM flights").fetchone()
        return Load(every - sent, sent, flights, oldest and oldest[0])

    def forget(self, before: int) -> None:
        """Forget what is settled and came before that time."""
        with self._file.transaction() as database:
            database.execute("DELETE FROM relayed WHERE settled = 1 AND at < ?", (before,))

    # transactions --------------------------------------------------------------------------------------------

    def of(self, sender: Address) -> list[Flight]:
        query = "SELECT sent, target, data, at FROM flights WHERE sender = ? ORDER BY nonce"
        with self._file.reading() as database:
            rows = database.execute(query, (sender,)).fetchall()
        return [Flight(_unpacked(sent), Address(to), data, at) for sent, to, data, at in rows]

    def under_way(self) -> dict[Address, int]:
        """How many transactions each account has under way, if any."""
        with self._file.reading() as database:
            rows = database.execute("SELECT sender, COUNT(*) FROM flights GROUP BY sender").fetchall()
        return {Address(sender): count for sender, count in rows}

    def release(self, senders: Sequence[Address]) -> None:
        """The calls of accounts other than these wait again: nobody looks after their transactions any more."""
        others = f"sender NOT IN ({','.join('?' * len(senders))})"
        with self._file.transaction() as database:
            database.execute(f"{_OPEN} WHERE settled = 0 AND {others}", tuple(senders))
            database.execute(f"DELETE FROM flights WHERE {others}", tuple(senders))  # noqa: S608

    def note(self, sender: Address, flight: Flight, calls: Sequence[Digest] = ()) -> None:
        """A transaction is about to be sent, and holds these calls; those that it held before it holds still."""
        sent = flight.sent
        packed = encoding.encode([sent.nonce, sent.gas, sent.fee, sent.tip, list(sent.hashes)])
        row = (sender, sent.nonce, packed, flight.to, flight.data, flight.at)
        with self._file.transaction() as database:
            database.execute(
                "INSERT INTO flights VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (sender, nonce) "
                "DO UPDATE SET sent = excluded.sent, at = excluded.at",
                row,
            )
            database.executemany(
                "UPDATE relayed SET sender = ?, nonce = ? WHERE id = ?", ((sender, sent.nonce, each) for each in calls)
            )

    def settle(self, sender: Address, fate: Fate, most_tries: int) -> list[Digest]:
        """What became of a transaction; returns its calls, in their order. Without a receipt they wait again, but for
        those that were lost so often before."""
        key = (sender, fate.nonce)
        with self._file.transaction() as database:
            query = "SELECT id FROM relayed WHERE settled = 0 AND sender = ? AND nonce = ? ORDER BY number"
            ids = [Digest(each) for (each,) in database.execute(query, key)]
            if fate.receipt is not None:
                mined = (fate.receipt.transaction, fate.receipt.block, fate.receipt.at)
                database.execute(f"{_MINED} WHERE settled = 0 AND sender = ? AND nonce = ?", (*mined, *key))
                _tell(database, {ids[place]: error for place, error in fate.refused.items()})
                if fate.final:
                    done = "UPDATE relayed SET settled = 1 WHERE settled = 0 AND sender = ? AND nonce = ?"
                    database.execute(done, key)
            else:
                database.execute(f"{_OPEN} WHERE settled = 0 AND sender = ? AND nonce = ?", key)
                query = "SELECT id FROM relayed WHERE settled = 0 AND sender IS NULL AND tries >= ?"
                given_up = [Digest(each) for (each,) in database.execute(query, (most_tries,))]
                _tell(database, dict.fromkeys(given_up, GIVEN_UP))
                database.executemany("UPDATE relayed SET settled = 1 WHERE id = ?", ((each,) for each in given_up))
            if fate.final:
                database.execute("DELETE FROM flights WHERE sender = ? AND nonce = ?", key)
        return ids


GIVEN_UP = UnreachableError(
    "No transaction with this call in it was taken, as often as it was sent.",
    hint="Send it again, or to another relay.",
)


def _tell(database: Connection, refused: Mapping[Digest, DtledgerError]) -> None:
    rows = ((*to_http(error), each) for each, error in refused.items())
    database.executemany("UPDATE relayed SET status = ?, refusal = ? WHERE id = ?", rows)


def _unpacked(sent: bytes) -> Sent:
    nonce, gas, fee, tip, hashes = encoding.decode(sent)
    return Sent(nonce, gas, fee, tip, tuple(map(Digest, hashes)))
