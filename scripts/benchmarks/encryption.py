"""Encrypting a snapshot's content, beside AES-256-GCM alone and beside age, and naming its blocks by their hashes."""

from __future__ import annotations

import ctypes
import secrets
from collections.abc import Callable
from contextlib import suppress
from itertools import count

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dtledger.crypto import content, keytree
from dtledger.encoding import block_cid
from dtledger.readings import Reading, encode_readings
from dtledger.types import Period

from .bench import Bench
from .figures import NotMeasuredError, Rival, Row, at_least_times
from .timing import all_in_turns, in_turns

RAW = "raw AES-256-GCM"
AGE = "age, to one recipient (pyrage)"
MIB = 2**20
_TRIM, _MMAP, _KEPT = -1, -3, 32 * MIB
"""glibc's M_TRIM_THRESHOLD and M_MMAP_THRESHOLD (malloc.h), and bytes."""
_MORE_RUNS = 8
"""Times as many runs as elsewhere: each takes a millisecond."""
_AT_ONCE = 500
"""Hours encrypted in one run."""

_CONTEXT = b"as long as the context of a snapshot: deployment, twin, stream, sequence, period, generation"
_HOUR = 29_999_940
_MONTH = Period(_HOUR, _HOUR + 30 * 1440 - 1)


def encrypt(bench: Bench, mib: int) -> Row:
    """From a gateway's cover of a month and a custody secret to chunks of ciphertext, padding included, hour after
    hour as a writer works."""
    _keep_memory()
    ours, raw, age = _sides(secrets.token_bytes(mib * MIB))
    runs = bench.sizes.runs * _MORE_RUNS
    took, raw_took = in_turns(ours, raw, runs)
    _, age_took = in_turns(ours, age, runs)  # by itself: whoever comes after it finds the processor's cache emptied
    return Row(
        f"deriving a snapshot's key and encrypting {mib} MiB",
        mib / took.p50,
        "MiB/s",
        (at_least_times(0.6, RAW),),
        (Rival(RAW, mib / raw_took.p50), Rival(AGE, mib / age_took.p50)),
    )


def encrypt_hour(bench: Bench) -> Row:
    """The same for what is written most: twelve readings, which lie inside their manifest."""
    start = _HOUR * 60
    readings = [Reading(start + place * 300, 4.0 + place / 10, "mmol/L", 60) for place in range(12)]
    plaintext = encode_readings("glucose", readings)
    ours, raw, age = (_many(side) for side in _sides(plaintext))
    took, raw_took, age_took = all_in_turns([ours, raw, age], bench.sizes.runs)
    return Row(
        f"deriving a snapshot's key and encrypting an hour of readings, {len(plaintext)} B",
        _AT_ONCE / took.p50,
        "/s",
        rivals=(Rival(RAW, _AT_ONCE / raw_took.p50), Rival(AGE, _AT_ONCE / age_took.p50)),
        beside="without the custodians' shares, which are sealed to each: those are in `put`",
    )


def _sides(plaintext: bytes) -> tuple[Callable[[], object], Callable[[], object], Callable[[], object]]:
    """Ours, raw AES-256-GCM under one key, and age to one recipient, who needs no other to open it."""
    try:
        import pyrage
    except ImportError:
        raise NotMeasuredError("no pyrage: pip install -e '.[bench]'") from None
    deriver = keytree.Deriver(keytree.cover(keytree.root(secrets.token_bytes(32), generation=0, category=0), _MONTH))
    raw, recipient = AESGCM(secrets.token_bytes(32)), pyrage.x25519.Identity.generate().to_public()
    hours = count()

    def ours() -> object:
        start = _HOUR + next(hours) % 720 * 60
        leaves = deriver.ends(Period(start, start + 59))
        key = content.derive_key(*leaves, secrets.token_bytes(32), _CONTEXT)
        return content.encrypt(key, plaintext, _CONTEXT)

    return (
        ours,
        lambda: raw.encrypt(secrets.token_bytes(12), plaintext, _CONTEXT),
        lambda: pyrage.encrypt(plaintext, [recipient]),
    )


def _keep_memory() -> None:
    """Let no side pay for memory that another gave back to the system: by turns each would meet fresh pages, which
    take as long as to encrypt. Where the C library is not glibc, they do."""
    with suppress(OSError, AttributeError):
        for option in (_TRIM, _MMAP):
            ctypes.CDLL(None).mallopt(option, _KEPT)


def _many(side: Callable[[], object]) -> Callable[[], object]:
    """So often that a clock can tell."""

    def work() -> None:
        for _ in range(_AT_ONCE):
            side()

    return work


def name_blocks(bench: Bench, mib: int) -> Row:
    """From chunks of ciphertext to their CIDs: what anybody pays who stores on IPFS."""
    key = content.derive_key(bytes(32), bytes(32), secrets.token_bytes(32), _CONTEXT)
    chunks = content.encrypt(key, secrets.token_bytes(mib * MIB), _CONTEXT)
    raw = AESGCM(secrets.token_bytes(32))
    plaintext = b"".join(chunks)
    took, raw_took = in_turns(
        lambda: [block_cid(chunk, "raw") for chunk in chunks],
        lambda: raw.encrypt(secrets.token_bytes(12), plaintext, None),
        bench.sizes.runs,
    )
    size = len(plaintext) / MIB
    rivals = (Rival(RAW, size / raw_took.p50),)
    return Row(f"naming the blocks of {mib} MiB by SHA-256", size / took.p50, "MiB/s", rivals=rivals)


ROWS = {
    "encrypt-small": lambda bench: encrypt(bench, bench.sizes.plaintexts[0]),
    "encrypt-large": lambda bench: encrypt(bench, bench.sizes.plaintexts[1]),
    "encrypt-hour": encrypt_hour,
    "hash": lambda bench: name_blocks(bench, bench.sizes.plaintexts[1]),
}
