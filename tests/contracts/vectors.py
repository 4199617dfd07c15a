"""The vectors that forge and pytest share: cases of the rule, and EIP-712 messages.

The hashes of messages are made by eth-account, which shares nothing with `dtledger.ledger.messages` or
`contracts/libraries/TypedData.sol`.

`rule.json`: `{"cases": "0x…"}`; see `rule_cases`.

`eip712.json`: the domain (`chainId`, `genesis`, `contract`, `separator`) and `messages`, a list of

    primaryType, types, message  as eth_signTypedData takes them
    call                         calldata of the function of `tests/contracts/support/Messages.sol` that hashes it
    hash                         its hashStruct
    digest                       what is signed: keccak256(0x1901 ‖ separator ‖ hash)
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from eth_abi.abi import encode
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from dtledger.types import MAX_MINUTE
from tests.contracts import rule_cases

DOMAIN = {
    "name": "dtledger",
    "version": "1",
    "chainId": 31337,
    "verifyingContract": "0x00000000000000000000000000000000D71ED6E4",
    "salt": "0x" + hashlib.sha256(b"a genesis block").hexdigest(),
}
DOMAIN_FIELDS = ("string name", "string version", "uint256 chainId", "address verifyingContract", "bytes32 salt")

CARD = (
    "bytes32 key",
    "bytes32 roster",
    "bytes32 bits",
    "bytes32 custodyIndex",
    "bytes32 recovery",
    "uint32 keyVersion",
    "uint32 rosterVersion",
    "uint32 custodyIndexVersion",
    "uint32 recoveryVersion",
)
TERMS = (
    "uint32 categories",
    "uint32 purposes",
    "uint40 notBeforeAt",
    "uint40 expiresAt",
    "uint32 dataFrom",
    "uint32 dataUntil",
    "uint8 actions",
)
TYPES: dict[str, tuple[str, ...]] = {
    "MemberCard": ("address member", "bytes32 key", "address organisation", "uint32 version"),
    "Agreement": ("address organisation", "address member", "uint32 version"),
    "Keyring": ("address organisation", "bytes32 digest", "bytes32 previous", "uint40 deadline"),
    "AnchorBatch": (
        "address sender",
        "bytes32 root",
        "uint32 count",
        "bytes32 index",
        "bytes32 previous",
        "uint40 deadline",
    ),
    "Mint": ("address patient", "uint256 count", "uint40 deadline"),
    "Card": CARD,
    "SetCard": ("uint256 twin", "bytes32 previous", "Card card", "uint40 deadline"),
    "Move": ("uint256 twin", "address to", "uint32 counter", "uint40 deadline"),
    "AnnounceRetirement": ("uint256 twin", "uint32 counter", "uint40 deadline"),
    "CancelRetirement": ("uint256 twin", "uint32 counter", "uint40 deadline"),
    "Guardians": ("uint8 needed", "address[] addresses", "bytes32 salt"),
    "SetGuardians": ("uint256 twin", "bytes32 guardians", "uint32 recoveryDelay", "uint32 counter", "uint40 deadline"),
    "Freeze": ("uint256 twin", "uint32 counter", "uint40 deadline"),
    "Unfreeze": ("uint256 twin", "uint32 counter", "uint40 deadline"),
    "AnnounceMove": ("uint256 twin", "address to", "uint32 counter", "uint40 deadline"),
    "VetoMove": ("uint256 twin", "uint32 counter", "uint40 deadline"),
    "RescueTwin": ("uint256 twin", "uint32 counter", "uint40 deadline"),
    "CarriedGrant": ("address grantee", "uint8 number", "uint256 grant", "bytes32 package"),
    "Depart": (
        "uint256 twin",
        "address successor",
        "CarriedGrant[] grants",
        "uint32 counter",
        "uint40 deadline",
    ),
    "Terms": TERMS,
    "Grant": (
        "address owner",
        "uint256 twin",
        "address grantee",
        "uint8 number",
        "Terms terms",
        "bytes32 package",
        "uint16 revision",
        "uint24 epoch",
        "uint40 deadline",
    ),
    "Recipient": ("address grantee", "uint8 number", "bytes32 package", "uint16 revision"),
    "GrantMany": (
        "address owner",
        "uint256 twin",
        "Terms terms",
        "Recipient[] recipients",
        "uint24 epoch",
        "uint40 deadline",
    ),
    "Revoke": (
        "address owner",
        "uint256 twin",
        "address grantee",
        "uint8 number",
        "uint16 revision",
        "uint40 deadline",
    ),
    "Slot": ("address grantee", "uint8 number", "uint16 revision"),
    "RevokeMany": ("address owner", "uint256 twin", "Slot[] slots", "uint40 deadline"),
    "Regrant": ("address grantee", "uint8 number", "uint16 revision", "Terms terms", "bytes32 package"),
    "RevokeAll": ("address owner", "uint256 twin", "Regrant[] keep", "uint24 epoch", "uint40 deadline"),
    "Block": ("uint256 twin", "address grantee", "uint32 count", "uint40 deadline"),
    "Unblock": ("uint256 twin", "address grantee", "uint32 count", "uint40 deadline"),
}
FUNCTIONS = {
    "MemberCard": "memberCard",
    "Agreement": "agreement",
    "Keyring": "keyring",
    "AnchorBatch": "anchorBatch",
    "Mint": "mint",
    "SetCard": "setCard",
    "Move": "move",
    "AnnounceRetirement": "announceRetirement",
    "CancelRetirement": "cancelRetirement",
    "Guardians": "guardians",
    "SetGuardians": "setGuardians",
    "Freeze": "freeze",
    "Unfreeze": "unfreeze",
    "AnnounceMove": "announceMove",
    "VetoMove": "vetoMove",
    "RescueTwin": "rescueTwin",
    "Depart": "depart",
    "Grant": "grant",
    "GrantMany": "grantMany",
    "Revoke": "revoke",
    "RevokeMany": "revokeMany",
    "RevokeAll": "revokeAll",
    "Block": "blockGrantee",
    "Unblock": "unblockGrantee",
}
"""The function of `Messages` that hashes each type that is signed, and `Guardians`, whose hash a twin stores."""

STRUCTS = {"MemberCard", "Guardians", "Grant", "GrantMany", "Revoke", "RevokeMany", "RevokeAll"}
"""Those that Solidity takes as one struct; the others it takes field by field."""


def fields(name: str) -> list[tuple[str, str]]:
    """Type and name of each field."""
    return [(kind, label) for kind, label in (field.split() for field in TYPES[name])]


def sample(kind: str, seed: str) -> Any:
    """A value of an EIP-712 type that looks random and is always the same; a seed with `last` gives the greatest."""
    drawn = hashlib.shake_256(f"{kind} {seed}".encode()).digest(32)
    if kind.endswith("[]"):
        return [sample(kind[:-2], f"{seed} {place}") for place in range(drawn[0] % 4)]
    if kind in TYPES:
        drawn_fields = {label: sample(inner, f"{seed} {label}") for inner, label in fields(kind)}
        if kind == "CarriedGrant":
            word = terms_word(sample("Terms", f"{seed} terms"))
            drawn_fields["grant"] = word | sample("uint40", f"{seed} counters")
        return _forwards(drawn_fields) if kind == "Terms" else drawn_fields
    if kind == "address":
        return "0x" + drawn[:20].hex()
    if kind == "bytes32":
        return "0x" + drawn.hex()
    bits = int(kind.removeprefix("uint"))
    return 2**bits - 1 if "last" in seed else int.from_bytes(drawn, "big") >> (256 - bits)


def _forwards(terms: dict[str, int]) -> dict[str, int]:
    """The same terms with a data period that runs forwards within the key tree."""
    start, end = sorted(terms[label] & MAX_MINUTE for label in ("dataFrom", "dataUntil"))
    return {**terms, "dataFrom": start, "dataUntil": end}


def terms_word(terms: dict[str, int]) -> int:
    """The word of `contracts/types/Grant.sol`, its counters zero."""
    word = 0
    for kind, label in fields("Terms"):
        word = word << int(kind.removeprefix("uint")) | terms[label]
    return word << 40


def _abi_type(kind: str) -> str:
    if kind.endswith("[]"):
        return _abi_type(kind[:-2]) + "[]"
    if kind == "Terms":
        return "uint256"
    return f"({','.join(_abi_type(inner) for inner, _ in fields(kind))})" if kind in TYPES else kind


def _abi_value(kind: str, value: Any) -> Any:
    if kind.endswith("[]"):
        return [_abi_value(kind[:-2], each) for each in value]
    if kind == "Terms":
        return terms_word(value)
    if kind in TYPES:
        return tuple(_abi_value(inner, value[label]) for inner, label in fields(kind))
    return bytes.fromhex(value[2:]) if kind == "bytes32" else value


def _call(name: str, message: dict[str, Any]) -> bytes:
    """Calldata for `Messages`: the terms as one word, everything else as it is."""
    kinds = [name] if name in STRUCTS else [kind for kind, _ in fields(name)]
    values = [message] if name in STRUCTS else [message[label] for _, label in fields(name)]
    abi_types = [_abi_type(kind) for kind in kinds]
    selector = keccak(f"{FUNCTIONS[name]}({','.join(abi_types)})".encode())[:4]
    return selector + encode(abi_types, [_abi_value(kind, value) for kind, value in zip(kinds, values, strict=True)])


def _needed(name: str) -> set[str]:
    inner = {re.sub(r"\[\]$", "", kind) for kind, _ in fields(name)} & TYPES.keys()
    return {name}.union(*(_needed(each) for each in inner))


def _row(name: str, seed: str) -> dict[str, Any]:
    message = sample(name, seed)
    types = {each: [{"name": label, "type": kind} for kind, label in fields(each)] for each in sorted(_needed(name))}
    domain_type = [{"name": label, "type": kind} for kind, label in (field.split() for field in DOMAIN_FIELDS)]
    signable = encode_typed_data(
        full_message={
            "types": {**types, "EIP712Domain": domain_type},
            "primaryType": name,
            "domain": DOMAIN,
            "message": message,
        }
    )
    return {
        "primaryType": name,
        "types": types,
        "message": message,
        "call": "0x" + _call(name, message).hex(),
        "hash": "0x" + signable.body.hex(),
        "digest": "0x" + keccak(b"\x19\x01" + signable.header + signable.body).hex(),
    }


def _separator() -> bytes:
    domain_type = f"EIP712Domain({','.join(DOMAIN_FIELDS)})"
    hashed = [keccak(text.encode()) for text in (domain_type, str(DOMAIN["name"]), str(DOMAIN["version"]))]
    chain_id, contract, salt = DOMAIN["chainId"], DOMAIN["verifyingContract"], bytes.fromhex(str(DOMAIN["salt"])[2:])
    kinds = ["bytes32", "bytes32", "bytes32", "uint256", "address", "bytes32"]
    return keccak(encode(kinds, [*hashed, chain_id, contract, salt]))


def rule() -> dict[str, Any]:
    return {"cases": "0x" + b"".join(case.encode() for case in rule_cases.make()).hex()}


def eip712() -> dict[str, Any]:
    return {
        "chainId": DOMAIN["chainId"],
        "genesis": DOMAIN["salt"],
        "contract": DOMAIN["verifyingContract"],
        "separator": "0x" + _separator().hex(),
        "messages": [_row(name, seed) for name in FUNCTIONS for seed in ("first", "second", "last")],
    }


FILES = {"rule.json": rule, "eip712.json": eip712}
