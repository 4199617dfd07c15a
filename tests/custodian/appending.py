"""Receipts made up for a log, and a process that appends some: ``python -m tests.custodian.appending FILE COUNT``."""

from __future__ import annotations

import secrets
import sys
from dataclasses import replace
from pathlib import Path

from dtledger.crypto import merkle
from dtledger.custodian import ReceiptDatabase, ReceiptLog, Receipts
from dtledger.custodian.receipts import NOTHING_BEFORE, Entry, Make
from dtledger.custody import AccessReceipt
from dtledger.encoding import address
from dtledger.types import Digest
from dtledger.vocabulary import Action, Purpose

WHO = address("0x" + "11" * 20)


def append(log: Receipts, twin: int = 7, digests: tuple[Digest, ...] = (Digest(bytes(32)),)) -> Entry:
    """Append a receipt with everything true in it but its signature."""
    return log.append(twin, make_receipt(twin, digests))


def make_receipt(twin: int = 7, digests: tuple[Digest, ...] = (Digest(bytes(32)),)) -> Make:
    def make(last: Entry | None, last_of_twin: Entry | None) -> Entry:
        receipt = AccessReceipt(
            custodian=WHO,
            number=last.receipt.number + 1 if last else 0,
            previous=last.receipt.hash if last else NOTHING_BEFORE,
            twin=twin,
            twin_number=last_of_twin.receipt.twin_number + 1 if last_of_twin else 0,
            twin_previous=last_of_twin.receipt.hash if last_of_twin else NOTHING_BEFORE,
            requester=WHO,
            grantee=WHO,
            slot=0,
            action=Action.READ,
            purpose=Purpose.TREAT,
            digests=merkle.root(digests),
            count=len(digests),
            refused=(),
            request=Digest(secrets.token_bytes(32)),
            at=1,
            block=1,
            block_hash=Digest(bytes(32)),
        )
        return Entry(replace(receipt, signature=bytes(65)), secrets.token_bytes(32), digests)

    return make


if __name__ == "__main__":
    path = Path(sys.argv[1])
    log: Receipts = ReceiptDatabase(path) if path.suffix == ".db" else ReceiptLog(path)
    sys.stdin.read(1)  # the word to begin
    for number in range(int(sys.argv[2])):
        append(log, twin=number % 3)
