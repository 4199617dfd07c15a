"""Others in the world: twins and grants by the thousand, as fast as a chain takes them."""

from __future__ import annotations

import secrets

from dtledger._backend.artifacts import spelled_out
from dtledger._backend.evm import EvmLedger
from dtledger.encoding import address, keccak
from dtledger.ledger import calls, messages
from dtledger.ledger.calls import Recipient
from dtledger.policy import Grant
from dtledger.testing.memory_key import MemoryKey
from dtledger.types import Address, Digest, Period
from dtledger.vocabulary import Action, Purpose

from .world import DAY, World

AT_ONCE = 100
"""Grants in one transaction."""
_MINT_GAS = 250_000
_PATIENCE = 120.0


def stranger() -> Address:
    return address("0x" + secrets.token_hex(20))


def digest() -> Digest:
    return keccak(secrets.token_bytes(32))


def grants(world: World, twin: int, count: int) -> None:
    """So many grants on the patient's twin, each to a stranger."""
    terms = Grant(1, Purpose.TREAT.mask, world.now, world.now + DAY, Period(0, 1), Action.READ.mask)
    for done in range(0, count, AT_ONCE):
        to = [Recipient(stranger(), 0, digest()) for _ in range(min(AT_ONCE, count - done))]
        world.patient.context.send(calls.grant_many(twin, terms, to))


def twins(world: World, count: int) -> None:
    """So many twins, each of a patient of its own, minted without waiting for one before the next is sent."""
    context = world.operator.context
    ledger, key, deployment = context.ledger, context.key, context.deployment
    assert isinstance(ledger, EvmLedger), "a crowd needs a chain"
    node, sent = ledger.web3, b""
    fee = 2 * node.eth.get_block("latest").get("baseFeePerGas", 0) + node.eth.max_priority_fee
    nonce = node.eth.get_transaction_count(key.address)  # type: ignore[arg-type]
    for place in range(count):
        patient, deadline = MemoryKey("one of many"), context.deadline()
        signature = patient.sign_digest(messages.mint(deployment, patient.address, 0, deadline))
        to, data = spelled_out(deployment, calls.mint(patient.address, 0, deadline, signature))
        transaction = {"to": to, "data": data, "value": 0, "nonce": nonce + place, "gas": _MINT_GAS, "type": 2}
        fees = {"chainId": deployment.chain_id, "maxFeePerGas": fee, "maxPriorityFeePerGas": 1}
        sent = bytes(node.eth.send_raw_transaction(key.sign_transaction({**transaction, **fees})))
    if count:
        ledger.receipt([sent], _PATIENCE)
