"""Encrypting a snapshot's content, beside AES-256-GCM alone, and naming its blocks by their hashes."""

from __future__ import annotations

import secrets
from itertools import count

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dtledger.crypto import content, keytree
from dtledger.encoding import block_cid
from dtledger.types import Period

from .bench import Bench
from .figures import Rival, Row, at_least_times
from .timing import in_turns

RAW = "raw AES-256-GCM"
MIB = 2**20
_MORE_RUNS = 8
"""Times as many runs as elsewhere: each takes a millisecond."""

_CONTEXT = b"as long as the context of a snapshot: deployment, twin, stream, sequence, period, generation"
_HOUR = 29_999_940
_MONTH = Period(_HOUR, _HOUR + 30 * 1440 - 1)


def encrypt(bench: Bench, mib: int) -> Row:
    """From a gateway's cover of a month and a custody secret to chunks of ciphertext, padding included, hour after
    hour as a writer works."""
    plaintext = secrets.token_bytes(mib * MIB)
    deriver = keytree.Deriver(keytree.cover(keytree.root(secrets.token_bytes(32), generation=0, category=0), _MONTH))
    raw = AESGCM(secrets.token_bytes(32))
    hours = count()

    def ours() -> object:
        start = _HOUR + next(hours) % 720 * 60
        leaves = deriver.ends(Period(start, start + 59))
        key = content.derive_key(*leaves, secrets.token_bytes(32), _CONTEXT)
        return content.encrypt(key, plaintext, _CONTEXT)

    took, raw_took = in_turns(
        ours, lambda: raw.encrypt(secrets.token_bytes(12), plaintext, _CONTEXT), bench.sizes.runs * _MORE_RUNS
    )
    return Row(
        f"deriving a snapshot's key and encrypting {mib} MiB",
        mib / took.p50,
        "MiB/s",
        (at_least_times(0.6, RAW),),
        (Rival(RAW, mib / raw_took.p50),),
    )


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
    "hash": lambda bench: name_blocks(bench, bench.sizes.plaintexts[1]),
}
