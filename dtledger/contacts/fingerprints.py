"""Six words that stand for an address and its public key, to be compared by eye or ear.

The first 66 bits of SHA-256("dtledger/fingerprint/1" ‖ 0x00 ‖ address, 20 bytes ‖ public key), eleven bits a word,
from BIP-39's English list (2,048 words that differ in their first four letters).

Warning: 66 bits. To find another key with a given fingerprint takes about 2^66 hashes: out of reach for a person,
not for a state. A fingerprint is a check between people; what a program relies on is the digest on the ledger.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

from ..errors import DtledgerError
from ..types import Address

__all__ = ["fingerprint"]

_TAG = b"dtledger/fingerprint/1\0"
_WORDS_SHA256 = "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"
"""Of the list at github.com/bitcoin/bips, bip-0039/english.txt: another list would give other words."""


def fingerprint(address: Address, public_key: bytes = b"") -> str:
    """Six words for `address` and the key to seal to (empty where only the address is known)."""
    digest = hashlib.sha256(_TAG + bytes.fromhex(address[2:]) + public_key).digest()
    bits = int.from_bytes(digest, "big") >> 256 - 66
    words = _words()
    return " ".join(words[bits >> shift & 0x7FF] for shift in range(55, -1, -11))


@cache
def _words() -> tuple[str, ...]:
    data = (files("eth_account.hdaccount") / "wordlist" / "english.txt").read_bytes()
    if hashlib.sha256(data).hexdigest() != _WORDS_SHA256:
        raise DtledgerError("eth-account's list of words is not BIP-39's.", hint="Install a released eth-account.")
    return tuple(data.decode().split())
