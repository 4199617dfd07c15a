"""What a person asks a node besides the ledger's events: who sent, what is announced, what an account has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from eth_abi.abi import decode as abi_decode
from web3 import Web3
from web3.exceptions import Web3Exception

from ..encoding import address
from ..ledger import Call
from ..ledger.events import Place
from ..types import Address
from .artifacts import spelled_out
from .evm import EvmLedger
from .node import unreachable

TRANSFER_GAS = 21_000
"""What a heartbeat costs, a transaction that does nothing (Yellow Paper, appendix G)."""


def sender_of(ledger: EvmLedger, place: Place) -> Address | None:
    """Who sent the transaction of the event at that place; None if the node no longer has it."""
    with _translated():
        logs = ledger.web3.eth.get_logs(
            {
                "address": [Web3.to_checksum_address(each) for each in ledger.deployment.contracts.values()],
                "fromBlock": place.block,
                "toBlock": place.block,
            }
        )
        log = next((each for each in logs if each["logIndex"] == place.index), None)
        return address(ledger.web3.eth.get_transaction(log["transactionHash"])["from"]) if log else None


def delay_of(ledger: EvmLedger, caller: Address, call: Call) -> int | None:
    """How long `caller` must announce the call before making it, in seconds; None if it has no role for it."""
    target, data = spelled_out(ledger.deployment, call)
    immediate, delay = _ask_governance(ledger, "canCall", (caller, target, data[:4]), ("bool", "uint32"))
    return 0 if immediate else delay or None


def due_at(ledger: EvmLedger, caller: Address, call: Call) -> int | None:
    """When the call that `caller` announced can be made, in unix seconds; None if none is announced, or a week ago."""
    target, data = spelled_out(ledger.deployment, call)
    (operation,) = _ask_governance(ledger, "hashOperation", (caller, target, data), ("bytes32",))
    (due,) = _ask_governance(ledger, "getSchedule", (operation,), ("uint48",))
    return due or None


def heartbeats_left(ledger: EvmLedger, account: Address) -> int | None:
    """For how many heartbeats the account can pay at today's price; None if they are free."""
    with _translated():
        eth = ledger.web3.eth
        base = eth.get_block("latest").get("baseFeePerGas", 0)
        price = TRANSFER_GAS * (2 * base + eth.max_priority_fee)
        balance = eth.get_balance(Web3.to_checksum_address(account))
    return balance // price if price else None


def _ask_governance(
    ledger: EvmLedger, function: str, arguments: tuple[Any, ...], kinds: tuple[str, ...]
) -> tuple[Any, ...]:
    """The answer of one of the AccessManager's views."""
    to, data = spelled_out(ledger.deployment, Call("AccessManager", function, arguments))
    ledger.head()  # refuses another chain
    with _translated():
        answer = ledger.web3.eth.call({"to": Web3.to_checksum_address(to), "data": Web3.to_hex(data)})
    return tuple(abi_decode(kinds, bytes(answer)))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OSError, Web3Exception) as error:
        raise unreachable(error) from error
