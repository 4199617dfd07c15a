"""Calls that carry a signed message, made and signed in one go, by the owner unless another signer is named."""

from __future__ import annotations

from dtledger.ledger import Call, calls, messages
from dtledger.ledger.signed import SignedGrant, SignedGrantMany, SignedRevoke, SignedRevokeAll, SignedRevokeMany
from dtledger.testing import MemoryKey
from dtledger.types import Address, Digest
from tests.ledger.bench import PEOPLE, Bench, who


def _key(owner: Address, signer: str) -> MemoryKey:
    return who(signer) if signer else next(who(name) for name in PEOPLE if who(name).address == owner)


def grant_call(bench: Bench, message: SignedGrant, signer: str = "") -> Call:
    signature = _key(message.owner, signer).sign_digest(messages.grant(bench.deployment, message))
    return calls.grant_signed(message, signature)


def grant_many_call(bench: Bench, message: SignedGrantMany, signer: str = "") -> Call:
    signature = _key(message.owner, signer).sign_digest(messages.grant_many(bench.deployment, message))
    return calls.grant_many_signed(message, signature)


def revoke_call(bench: Bench, message: SignedRevoke, signer: str = "", claimed: str = "") -> Call:
    """`claimed` is whom the call names as the signer, if it lies."""
    key = _key(message.owner, signer)
    signature = key.sign_digest(messages.revoke(bench.deployment, message))
    return calls.revoke_signed(message, who(claimed).address if claimed else key.address, signature)


def revoke_many_call(bench: Bench, message: SignedRevokeMany, signer: str = "") -> Call:
    signature = _key(message.owner, signer).sign_digest(messages.revoke_many(bench.deployment, message))
    return calls.revoke_many_signed(message, signature)


def revoke_all_call(bench: Bench, message: SignedRevokeAll, signer: str = "") -> Call:
    signature = _key(message.owner, signer).sign_digest(messages.revoke_all(bench.deployment, message))
    return calls.revoke_all_signed(message, signature)


def block_call(bench: Bench, twin: int, grantee: Address, count: int, signer: str, *, undo: bool = False) -> Call:
    message, call = (messages.unblock, calls.unblock_signed) if undo else (messages.block, calls.block_signed)
    text: Digest = message(bench.deployment, twin, grantee, count, bench.soon)
    return call(twin, grantee, count, bench.soon, who(signer).sign_digest(text))
