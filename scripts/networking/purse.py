"""Play money: the test account of Avalanche's local network, whose key everybody knows, pays it out."""

from __future__ import annotations

from collections.abc import Sequence

from eth_account import Account

from dtledger._backend.node import Translated, connect
from dtledger.types import Address

from .processes import wait_until

ENOUGH = 10 * 10**18
"""wei: who has that much is given nothing."""
GIFT = 100 * 10**18
_KNOWN_TO_ALL = "0x56289e99c94b6912bfc12adc093c9b51124f0dc54ac7a766b2bc5ccf558d8027"
_GAS = 21_000
_AT_ONCE = 200
_PATIENCE = 120.0


class Purse:
    """Pays at the node `rpc_url`."""

    def __init__(self, rpc_url: str) -> None:
        self._eth = connect(rpc_url).eth
        self._account = Account.from_key(_KNOWN_TO_ALL)

    def balance(self, address: Address) -> int:
        """In wei.

        Raises:
            UnreachableError: the node does not answer.
        """
        with Translated():
            return self._eth.get_balance(address)  # type: ignore[arg-type]

    def pay(self, addresses: Sequence[Address]) -> None:
        """See to it that each has `ENOUGH`: all transfers are sent, then waited for.

        Raises:
            UnreachableError: the node does not answer, or no block takes them.
        """
        poor = [each for each in dict.fromkeys(addresses) if self.balance(each) < ENOUGH]
        for start in range(0, len(poor), _AT_ONCE):
            self._send(poor[start : start + _AT_ONCE])

    def _send(self, poor: Sequence[Address]) -> None:
        with Translated():
            tip = self._eth.max_priority_fee
            fee = 2 * self._eth.get_block("latest").get("baseFeePerGas", 0) + tip
            nonce = self._eth.get_transaction_count(self._account.address, "pending")
            for place, each in enumerate(poor):
                transaction = {
                    "to": each,
                    "value": GIFT,
                    "gas": _GAS,
                    "nonce": nonce + place,
                    "chainId": self._eth.chain_id,
                    "maxFeePerGas": fee,
                    "maxPriorityFeePerGas": tip,
                    "type": 2,
                }
                self._eth.send_raw_transaction(self._account.sign_transaction(transaction).raw_transaction)
        last = nonce + len(poor)
        wait_until(lambda: self._paid() >= last, _PATIENCE, "No block took the play money.")

    def _paid(self) -> int:
        with Translated():
            return self._eth.get_transaction_count(self._account.address)
