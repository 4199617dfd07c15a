"""What people would use instead of our contracts, on the same Anvil in the same run: EAS and Ocean.

The contracts are those that their npm packages carry compiled; `scripts/bench` installs them into `scripts/peers`.
EAS (the Ethereum Attestation Service) attests, under a schema that is registered before, with a consent of the same
content as our grant as its payload: packed as ours is into three words, and by its fields, as EAS's own tools encode
it. Ocean makes a data NFT and writes a value into it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_abi.packed import encode_packed
from web3.logs import DISCARD

from dtledger._backend.evm import EvmLedger
from dtledger.client.context import Identity
from dtledger.encoding import keccak
from dtledger.types import ZERO_ADDRESS, ZERO_DIGEST, Address, Digest

from .crowding import digest
from .world import World

INSTALLED = Path(__file__).parents[1] / "peers" / "node_modules"
EAS, OCEAN = "@ethereum-attestation-service/eas-contracts", "@oceanprotocol/contracts"
FIFTY = 50
_PACKED = "uint256 twin,uint256 grant,bytes32 package"
_FIELDS = (
    "uint256 twin,uint32 categories,uint32 purposes,uint40 notBeforeAt,uint40 expiresAt,"
    "uint32 dataFrom,uint32 dataUntil,uint8 actions,bytes32 package"
)

_SIGNED = (
    "bytes32",
    "address",
    "bytes32",
    "address",
    "uint64",
    "bool",
    "bytes32",
    "bytes32",
    "uint256",
    "uint256",
    "uint64",
)


def installed() -> bool:
    return all((INSTALLED / each / "package.json").exists() for each in (EAS, OCEAN))


def measure(world: World) -> dict[str, float]:
    """Gas by the rival's name."""
    context = world.newcomer("peer").context
    assert isinstance(context.ledger, EvmLedger), "peers need a chain"
    sender = _Sender(context.ledger, context.key)
    return {**_eas(sender, world), **_ocean(sender)}


def _eas(sender: _Sender, world: World) -> dict[str, float]:
    registry = sender.deploy(EAS, "SchemaRegistry")
    eas = sender.deploy(EAS, "EAS", registry.address)
    schema, by_fields = (_registered(sender, registry, each) for each in (_PACKED, _FIELDS))
    said = (world.clinician.address, world.terms().expires_at, True, ZERO_DIGEST)
    packed, long = (*said, _packed(), 0), (*said, _consent(world), 0)
    attested = sender.send(eas, "attest", (schema, packed))
    uid = bytes(sender.receipt(attested)["logs"][0]["data"])[:32]
    return {
        "EAS attest": attested.gas,
        "EAS attest, by fields": sender.send(eas, "attest", (by_fields, long)).gas,
        "EAS attest, signed": sender.send(eas, "attestByDelegation", _delegated(sender, eas, schema, packed)).gas,
        "EAS attest, 50 at once": sender.send(eas, "multiAttest", [(schema, [packed] * FIFTY)]).gas / FIFTY,
        "EAS revoke": sender.send(eas, "revoke", (schema, (uid, 0))).gas,
        "EAS timestamp": sender.send(eas, "timestamp", digest()).gas,
        "EAS timestamp, 50 at once": sender.send(eas, "multiTimestamp", [digest() for _ in range(FIFTY)]).gas / FIFTY,
    }


def _registered(sender: _Sender, registry: Any, schema: str) -> Digest:
    sender.send(registry, "register", schema, ZERO_ADDRESS, True)
    return keccak(encode_packed(["string", "address", "bool"], [schema, ZERO_ADDRESS, True]))


def _packed() -> bytes:
    """Twin, a word without a zero byte to spare, the package's digest."""
    return encode(["uint256", "bytes32", "bytes32"], (1, digest(), digest()))


def _consent(world: World) -> bytes:
    """The same by fields: the seven of the word each by itself."""
    terms = world.terms()
    types = [each.split()[0] for each in _FIELDS.split(",")]
    period, masks = terms.data, (0x2040A011, 0x102)
    times = (terms.not_before_at, terms.expires_at, period.start, period.end)
    return encode(types, (1, *masks, *times, 1, digest()))


def _delegated(sender: _Sender, eas: Any, schema: Digest, fields: tuple[Any, ...]) -> tuple[Any, ...]:
    """The same, signed by the sender as EIP-712 says it for whoever sends it."""
    key, call = sender.key, eas.functions
    deadline, nonce = 2**40, call.getNonce(key.address).call()
    said = (*fields[:4], keccak(fields[4]), fields[5])
    body = encode(_SIGNED, (call.getAttestTypeHash().call(), key.address, schema, *said, nonce, deadline))
    message = keccak(b"\x19\x01" + call.getDomainSeparator().call() + keccak(body))
    signature = key.sign_digest(message)
    parts = (signature[64], signature[:32], signature[32:64])
    return (schema, fields, parts, key.address, deadline)


def _ocean(sender: _Sender) -> dict[str, float]:
    owner = sender.key.address
    router = sender.deploy(OCEAN, "FactoryRouter", owner, owner, owner, owner, [])
    templates = [sender.deploy(OCEAN, name).address for name in ("ERC721Template", "ERC20Template")]
    factory = sender.deploy(OCEAN, "ERC721Factory", *templates, router.address)
    sender.send(router, "addFactory", factory.address)
    nft = ("a twin", "TWIN", 1, ZERO_ADDRESS, ZERO_ADDRESS, "", True, owner)
    made = sender.send(factory, "deployERC721Contract", *nft)
    (created,) = factory.events.NFTCreated().process_receipt(sender.receipt(made), errors=DISCARD)
    token = sender.at(OCEAN, "ERC721Template", created["args"]["newTokenAddress"])
    return {
        "Ocean data NFT": made.gas,
        "Ocean setNewData": sender.send(token, "setNewData", digest(), digest()).gas,
    }


@dataclass(frozen=True, slots=True)
class _Sender:
    """An account that sends as ours does."""

    ledger: EvmLedger
    key: Identity

    def deploy(self, package: str, name: str, *arguments: Any) -> Any:
        """A new contract of a package; deploying is no part of any figure."""
        made = _artifact(package, name)
        factory = self.ledger.web3.eth.contract(abi=made["abi"], bytecode=made["bytecode"])
        data = bytes.fromhex(factory.constructor(*arguments).data_in_transaction.removeprefix("0x"))
        sent = self.ledger.send_raw({"data": data}, self.key)
        return self.at(package, name, self.receipt(sent)["contractAddress"])

    def at(self, package: str, name: str, address: Address) -> Any:
        return self.ledger.web3.eth.contract(address, abi=_artifact(package, name)["abi"])  # type: ignore[call-overload]

    def send(self, contract: Any, function: str, *arguments: Any) -> Any:
        data = bytes.fromhex(contract.encode_abi(function, arguments).removeprefix("0x"))
        return self.ledger.send_raw({"to": contract.address, "data": data}, self.key)

    def receipt(self, sent: Any) -> Any:
        return self.ledger.web3.eth.get_transaction_receipt(sent.transaction)


def _artifact(package: str, name: str) -> dict[str, Any]:
    folder = INSTALLED / package / "artifacts" / "contracts"
    path = next(folder.rglob(f"{name}.sol/{name}.json"))
    made: dict[str, Any] = json.loads(path.read_text())
    return made
