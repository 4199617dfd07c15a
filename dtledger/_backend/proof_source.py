"""Evidence from a node: headers and receipts in the bytes that are hashed, proofs of state as the node gives them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import rlp
from trie.hexary import HexaryTrie
from web3 import HTTPProvider, Web3
from web3.types import RPCEndpoint, RPCResponse

from ..encoding import keccak
from ..errors import CannotCheckError, InputError
from ..ledger.records import Anchored
from ..types import Address, Digest
from .hints import Hints
from .node import Translated

BLOCKS_AT_ONCE = 200
"""Headers asked for in one batch of calls."""

SLOTS_AT_ONCE = 500
"""Words of storage asked for in one call; geth takes 1,024."""

_FIRST = (
    "parentHash",
    "sha3Uncles",
    "miner",
    "stateRoot",
    "transactionsRoot",
    "receiptsRoot",
    "logsBloom",
    "difficulty",
    "number",
    "gasLimit",
    "gasUsed",
    "timestamp",
    "extraData",
    "mixHash",
    "nonce",
)
"""The fields that every header begins with, in their order."""

_ETHEREUM = (
    "baseFeePerGas",
    "withdrawalsRoot",
    "blobGasUsed",
    "excessBlobGas",
    "parentBeaconBlockRoot",
    "requestsHash",
)
"""What Ethereum's go on with (EIP-1559, 4895, 4844, 4788, 7685); an older block ends where it ends."""

_AVALANCHE = (
    "extDataHash",
    "baseFeePerGas",
    "extDataGasUsed",
    "blockGasCost",
    "blobGasUsed",
    "excessBlobGas",
    "parentBeaconBlockRoot",
    "timestampMilliseconds",
    "minDelayExcess",
)
"""What those of Avalanche's C-Chain go on with, up to Granite (ACP-226)."""

_NUMBERS = {
    "difficulty",
    "number",
    "gasLimit",
    "gasUsed",
    "timestamp",
    "baseFeePerGas",
    "blobGasUsed",
    "excessBlobGas",
    "extDataGasUsed",
    "blockGasCost",
    "timestampMilliseconds",
    "minDelayExcess",
}


class NodeSource:
    """An `audit.Source` that asks one node.

    Args:
        head: the hash of the block that the audit is as of; by default the node's newest.
        memories: the blocks that the chain remembers.
        nodes: of tries, as somebody took them in time.
        hints: where the events are; memories are among them. Without it a chain can be looked at whole alone.
    """

    names_head = True

    def __init__(
        self,
        web3: Web3,
        head: Digest | None = None,
        memories: Sequence[int] = (),
        nodes: Sequence[bytes] = (),
        hints: Hints | None = None,
    ) -> None:
        if not isinstance(web3.provider, HTTPProvider):
            raise InputError("Proofs are asked of a node over HTTP.")
        self._provider = web3.provider
        self._pinned = head
        self._memories = sorted({*memories, *(hints.memories if hints else ())})
        self._nodes = nodes
        self._hints = hints

    def nodes(self) -> Sequence[bytes]:
        return self._nodes

    def head(self) -> bytes:
        if self._pinned is None:
            return header_bytes(self._ask("eth_getBlockByNumber", "latest", False))
        return header_bytes(self._ask("eth_getBlockByHash", "0x" + self._pinned.hex(), False))

    def headers(self, first: int, last: int) -> Sequence[bytes]:
        found: list[bytes] = []
        for start in range(first, last + 1, BLOCKS_AT_ONCE):
            numbers = range(start, min(start + BLOCKS_AT_ONCE, last + 1))
            found += map(header_bytes, self._ask_all("eth_getBlockByNumber", [(hex(each), False) for each in numbers]))
        return found

    def receipts(self, number: int) -> Sequence[bytes]:
        receipts = self._ask("eth_getBlockReceipts", hex(number))
        with Translated():
            nodes: dict[bytes, bytes] = {}
            trie = HexaryTrie(nodes)
            for place, each in enumerate(receipts):
                trie[rlp.encode(place)] = receipt_bytes(each)
            return [node for node in nodes.values() if node != _EMPTY]

    def proof(self, number: int, contract: Address, slots: Sequence[int]) -> Sequence[bytes]:
        places = ["0x" + each.to_bytes(32).hex() for each in slots]
        found: dict[bytes, None] = {}
        for start in range(0, max(len(places), 1), SLOTS_AT_ONCE):
            answer = self._ask("eth_getProof", contract, places[start : start + SLOTS_AT_ONCE], hex(number))
            with Translated():
                found |= dict.fromkeys(map(_bytes, _nodes(answer)))
        return list(found)

    def code(self, contract: Address) -> bytes:
        with Translated():
            return _bytes(self._ask("eth_getCode", contract, "latest"))

    def remembered(self, number: int) -> int | None:
        return next((each for each in self._memories if each >= number), None)

    def places(self, contract: Address, words: Sequence[bytes]) -> Sequence[int]:
        return self._told().places(contract, words)

    def anchored(self, sender: Address) -> Sequence[Anchored]:
        return self._told().anchored(sender)

    def _told(self) -> Hints:
        if self._hints is None:
            raise CannotCheckError("Nobody tells where the events are, and not every block is looked at.")
        return self._hints

    def _ask(self, method: str, *params: object) -> Any:
        with Translated():
            return _result(self._provider.make_request(RPCEndpoint(method), params), method)

    def _ask_all(self, method: str, calls: Sequence[tuple[object, ...]]) -> list[Any]:
        with Translated():
            answers = self._provider.make_batch_request([(RPCEndpoint(method), each) for each in calls])
            if not isinstance(answers, list) or len(answers) != len(calls):
                raise CannotCheckError(f"The node does not answer {method}.")
            return [_result(each, method) for each in answers]


_EMPTY = rlp.encode(b"")


def _result(answer: RPCResponse, method: str) -> Any:
    found = answer.get("result")
    if found is None:
        raise CannotCheckError(
            f"The node has no answer to {method}: it may keep no state, block or receipt that is so old.",
            hint="Ask a node that keeps them (an archive), or use `dtledger audit export` in time.",
        )
    return found


def header_bytes(block: Mapping[str, Any]) -> bytes:
    """What a block's hash is of, from JSON: its header in RLP.

    Raises:
        CannotCheckError: it has not the form that Ethereum, Avalanche's C-Chain or QBFT has, so that nothing can be
            proved by it.
    """
    with Translated():
        names = (*_FIRST, *(_AVALANCHE if "extDataHash" in block else _ETHEREUM))
        fields = {
            name: _number(block[name]) if name in _NUMBERS else _bytes(block[name]) for name in names if name in block
        }
        expected = _bytes(block["hash"])
        for extra in (fields["extraData"], *_unsealed(fields["extraData"])):
            data: bytes = rlp.encode([*{**fields, "extraData": extra}.values()])
            if keccak(data) == expected:
                return data
        raise CannotCheckError("The chain has headers of a form that is not known here.")


def _unsealed(extra: bytes) -> Iterator[bytes]:
    """A QBFT header's extra data as its hash has them: without the seals of those who agreed, and the round in which
    they did (Besu, `QbftExtraDataCodec`). Nothing where it is another's."""
    try:
        vanity, validators, vote, _, _ = rlp.decode(extra)
    except (rlp.exceptions.RLPException, ValueError, TypeError):
        return
    yield rlp.encode([vanity, validators, vote, b"", []])


def receipt_bytes(receipt: Mapping[str, Any]) -> bytes:
    """A receipt as its block's trie has it, from JSON (EIP-2718)."""
    logs = [[_bytes(log["address"]), list(map(_bytes, log["topics"])), _bytes(log["data"])] for log in receipt["logs"]]
    status, gas = _number(receipt["status"]), _number(receipt["cumulativeGasUsed"])
    kind = int(receipt.get("type", "0x0"), 16)
    body: bytes = rlp.encode([status, gas, _bytes(receipt["logsBloom"]), logs])
    return bytes([kind]) + body if kind else body


def _nodes(answer: Mapping[str, Any]) -> Iterable[str]:
    yield from answer["accountProof"]
    for each in answer["storageProof"]:
        yield from each["proof"]


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _number(text: str) -> bytes:
    """A number as RLP has it: without zeros before it."""
    value = int(text, 16)
    return value.to_bytes((value.bit_length() + 7) // 8)
