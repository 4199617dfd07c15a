"""What people sign: EIP-712 messages under the deployment's own domain.

The domain's salt is the genesis hash, so a signature for one chain is worth nothing on another with the same
chain id. Two kinds of message: those that a contract checks (their type strings stand in
`contracts/libraries/TypedData.sol` too), and *statements*, which cover a block's body by its SHA-256 and which
only clients check.

>>> struct_hash("Manifest(bytes32 body)", bytes(32)).hex()[:16]
'd7b3feb03f1ec083'
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple
from functools import lru_cache
from typing import Literal

from coincurve import PublicKey

from ..encoding import CID, address, keccak
from ..errors import IntegrityError
from ..policy import Grant
from ..types import Address, Digest
from .calls import MemberCard
from .events import Card
from .port import Deployment
from .signed import CarriedGrant, SignedGrant, SignedGrantMany, SignedRevoke, SignedRevokeAll, SignedRevokeMany

DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)"
KEYRING = "Keyring(address organisation,bytes32 digest,bytes32 previous,uint40 deadline)"
MINT = "Mint(address patient,uint256 count,uint40 deadline)"
MOVE = "Move(uint256 twin,address to,uint32 counter,uint40 deadline)"
MEMBER_CARD = "MemberCard(address member,bytes32 key,address organisation,uint32 version)"
AGREEMENT = "Agreement(address organisation,address member,uint32 version)"
READ_REQUEST = (
    "ReadRequest(uint256 twin,address grantee,uint8 number,uint8 action,uint8 purpose,"
    "bytes32[] digests,bytes key,bytes32 nonce,uint40 at)"
)

KEY_REQUEST = "KeyRequest(uint256 twin,address owner,address custodian,uint40 at)"
RECEIPTS_REQUEST = "ReceiptsRequest(uint256 twin,address owner,address custodian,uint40 at)"
DESTROY_ORDER = "DestroyOrder(uint256 twin,address owner,address custodian,uint40 at)"
LETTERS_REQUEST = "LettersRequest(address reader,address custodian,uint40 at)"
DEVICES_REQUEST = "DevicesRequest(address reader,address gateway,uint40 at)"
BLOCKS_REQUEST = "BlocksRequest(address sender,string verb,bytes32 blocks,uint40 at)"
PROBE = "Probe(address owner,uint256 twin,address grantee,uint8 number,address custodian,uint40 at)"

CARD = (
    "Card(bytes32 key,bytes32 roster,bytes32 bits,bytes32 custodyIndex,bytes32 recovery,"
    "uint32 keyVersion,uint32 rosterVersion,uint32 custodyIndexVersion,uint32 recoveryVersion)"
)
SET_CARD = f"SetCard(uint256 twin,bytes32 previous,Card card,uint40 deadline){CARD}"
ANNOUNCE_RETIREMENT = "AnnounceRetirement(uint256 twin,uint32 counter,uint40 deadline)"
CANCEL_RETIREMENT = "CancelRetirement(uint256 twin,uint32 counter,uint40 deadline)"
CARRIED_GRANT = "CarriedGrant(address grantee,uint8 number,uint256 grant,bytes32 package)"
DEPART = f"Depart(uint256 twin,address successor,CarriedGrant[] grants,uint32 counter,uint40 deadline){CARRIED_GRANT}"

TERMS = (
    "Terms(uint32 categories,uint32 purposes,uint40 notBeforeAt,uint40 expiresAt,"
    "uint32 dataFrom,uint32 dataUntil,uint8 actions)"
)
GRANT = (
    "Grant(address owner,uint256 twin,address grantee,uint8 number,Terms terms,bytes32 package,"
    f"uint16 revision,uint24 epoch,uint40 deadline){TERMS}"
)
RECIPIENT = "Recipient(address grantee,uint8 number,bytes32 package,uint16 revision)"
GRANT_MANY = (
    "GrantMany(address owner,uint256 twin,Terms terms,Recipient[] recipients,uint24 epoch,uint40 deadline)"
    f"{RECIPIENT}{TERMS}"
)
REVOKE = "Revoke(address owner,uint256 twin,address grantee,uint8 number,uint16 revision,uint40 deadline)"
SLOT = "Slot(address grantee,uint8 number,uint16 revision)"
REVOKE_MANY = f"RevokeMany(address owner,uint256 twin,Slot[] slots,uint40 deadline){SLOT}"
REGRANT = f"Regrant(address grantee,uint8 number,uint16 revision,Terms terms,bytes32 package){TERMS}"
REVOKE_ALL = f"RevokeAll(address owner,uint256 twin,Regrant[] keep,uint24 epoch,uint40 deadline){REGRANT}"
BLOCK = "Block(uint256 twin,address grantee,uint32 count,uint40 deadline)"
UNBLOCK = "Unblock(uint256 twin,address grantee,uint32 count,uint40 deadline)"
ANCHOR_BATCH = "AnchorBatch(address sender,bytes32 root,uint32 count,bytes32 index,bytes32 previous,uint40 deadline)"

Statement = Literal[
    "Manifest",
    "Custody",
    "CustodianIdentity",
    "CustodianKey",
    "AccessReceipt",
    "MemberName",
    "ModelCard",
    "ModelUpdate",
    "ModelAggregate",
    "ModelOpening",
    "ModelRemediation",
    "ConsentRequest",
    "ConsentAnswer",
    "ProbeReply",
    "Destruction",
    "Unanchored",
    "GuardianShare",
    "Handover",
    "Recipient",
    "RetireOrder",
    "DeviceEnrolment",
    "DeviceSuspension",
]


def word(value: int | str | bytes) -> bytes:
    """A static EIP-712 value as 32 bytes: an unsigned number, an address or a bytes32."""
    if isinstance(value, bytes):
        if len(value) != 32:
            raise ValueError(f"a word has 32 bytes, not {len(value)}")
        return value
    if isinstance(value, str):
        return bytes(12) + bytes.fromhex(value[2:])
    return value.to_bytes(32, "big")


@lru_cache(maxsize=64)
def _type_hash(type_string: str) -> Digest:
    return keccak(type_string.encode())


def struct_hash(type_string: str, *values: int | str | bytes) -> Digest:
    """EIP-712's hashStruct for a struct of static fields (dynamic ones are given as their hash)."""
    return keccak(_type_hash(type_string) + b"".join(word(value) for value in values))


@lru_cache(maxsize=64)
def _separator(chain_id: int, contract: str, genesis: bytes) -> Digest:
    return struct_hash(DOMAIN_TYPE, keccak(b"dtledger"), keccak(b"1"), chain_id, contract, genesis)


def domain(deployment: Deployment, contract: str) -> Digest:
    """EIP-712's separator of the domain of one of the deployment's contracts."""
    return _separator(deployment.chain_id, deployment.contracts[contract], deployment.genesis)


def typed_digest(deployment: Deployment, contract: str, hashed: Digest) -> Digest:
    """What is signed: EIP-712's digest of a hashed struct in the domain of one of the deployment's contracts."""
    return keccak(b"\x19\x01" + domain(deployment, contract) + hashed)


def keyring(deployment: Deployment, organisation: Address, digest: Digest, previous: Digest, deadline: int) -> Digest:
    hashed = struct_hash(KEYRING, organisation, digest, previous, deadline)
    return typed_digest(deployment, "MemberRegistry", hashed)


def anchor_batch(
    deployment: Deployment, sender: Address, root: Digest, count: int, index: Digest, previous: Digest, deadline: int
) -> Digest:
    hashed = struct_hash(ANCHOR_BATCH, sender, root, count, index, previous, deadline)
    return typed_digest(deployment, "SnapshotLedger", hashed)


def mint(deployment: Deployment, patient: Address, count: int, deadline: int) -> Digest:
    return typed_digest(deployment, "TwinRegistry", struct_hash(MINT, patient, count, deadline))


def move(deployment: Deployment, twin: int, to: Address, counter: int, deadline: int) -> Digest:
    return typed_digest(deployment, "TwinRegistry", struct_hash(MOVE, twin, to, counter, deadline))


def card_chain(previous: Digest, card: Card) -> Digest:
    """What a twin stores of its card: this card after all before it since the last move."""
    return keccak(previous + struct_hash(CARD, *astuple(card)))


def set_card(deployment: Deployment, twin: int, previous: Digest, card: Card, deadline: int) -> Digest:
    hashed = struct_hash(SET_CARD, twin, previous, struct_hash(CARD, *astuple(card)), deadline)
    return typed_digest(deployment, "TwinRegistry", hashed)


def announce_retirement(deployment: Deployment, twin: int, counter: int, deadline: int) -> Digest:
    return typed_digest(deployment, "TwinRegistry", struct_hash(ANNOUNCE_RETIREMENT, twin, counter, deadline))


def cancel_retirement(deployment: Deployment, twin: int, counter: int, deadline: int) -> Digest:
    return typed_digest(deployment, "TwinRegistry", struct_hash(CANCEL_RETIREMENT, twin, counter, deadline))


def _terms(terms: Grant) -> Digest:
    return struct_hash(
        TERMS,
        terms.categories,
        terms.purposes,
        terms.not_before_at,
        terms.expires_at,
        terms.data.start,
        terms.data.end,
        terms.actions,
    )


def _list(hashes: Iterable[Digest]) -> Digest:
    """The encoding of an array of structs: the hash of their hashes, one after another."""
    return keccak(b"".join(hashes))


def carried(grants: Iterable[CarriedGrant]) -> Digest:
    """What `depart` names the grants by that go with a twin."""
    return _list(
        struct_hash(CARRIED_GRANT, each.grantee, each.number, each.grant.pack(), each.package) for each in grants
    )


def depart(
    deployment: Deployment, twin: int, successor: Address, grants: Digest, counter: int, deadline: int
) -> Digest:
    """`deployment` is the one that the twin leaves, `successor` the ConsentRegistry of the one that it goes to;
    `grants` as `carried` makes it."""
    return typed_digest(deployment, "TwinRegistry", struct_hash(DEPART, twin, successor, grants, counter, deadline))


def grant(deployment: Deployment, message: SignedGrant) -> Digest:
    hashed = struct_hash(
        GRANT,
        message.owner,
        message.twin,
        message.grantee,
        message.number,
        _terms(message.terms),
        message.package,
        message.revision,
        message.epoch,
        message.deadline,
    )
    return typed_digest(deployment, "ConsentRegistry", hashed)


def grant_many(deployment: Deployment, message: SignedGrantMany) -> Digest:
    recipients = _list(struct_hash(RECIPIENT, *astuple(each)) for each in message.recipients)
    hashed = struct_hash(
        GRANT_MANY, message.owner, message.twin, _terms(message.terms), recipients, message.epoch, message.deadline
    )
    return typed_digest(deployment, "ConsentRegistry", hashed)


def revoke(deployment: Deployment, message: SignedRevoke) -> Digest:
    return typed_digest(deployment, "ConsentRegistry", struct_hash(REVOKE, *astuple(message)))


def revoke_many(deployment: Deployment, message: SignedRevokeMany) -> Digest:
    slots = _list(struct_hash(SLOT, *astuple(each)) for each in message.slots)
    hashed = struct_hash(REVOKE_MANY, message.owner, message.twin, slots, message.deadline)
    return typed_digest(deployment, "ConsentRegistry", hashed)


def revoke_all(deployment: Deployment, message: SignedRevokeAll) -> Digest:
    keep = _list(
        struct_hash(REGRANT, each.grantee, each.number, each.revision, _terms(each.terms), each.package)
        for each in message.keep
    )
    hashed = struct_hash(REVOKE_ALL, message.owner, message.twin, keep, message.epoch, message.deadline)
    return typed_digest(deployment, "ConsentRegistry", hashed)


def block(deployment: Deployment, twin: int, grantee: Address, count: int, deadline: int) -> Digest:
    return typed_digest(deployment, "ConsentRegistry", struct_hash(BLOCK, twin, grantee, count, deadline))


def unblock(deployment: Deployment, twin: int, grantee: Address, count: int, deadline: int) -> Digest:
    return typed_digest(deployment, "ConsentRegistry", struct_hash(UNBLOCK, twin, grantee, count, deadline))


def member_card(deployment: Deployment, card: MemberCard) -> Digest:
    hashed = struct_hash(MEMBER_CARD, card.member, card.key, card.organisation, card.version)
    return typed_digest(deployment, "MemberRegistry", hashed)


def agreement(deployment: Deployment, organisation: Address, member: Address, version: int) -> Digest:
    return typed_digest(deployment, "MemberRegistry", struct_hash(AGREEMENT, organisation, member, version))


def read_request(
    deployment: Deployment,
    twin: int,
    grantee: Address,
    number: int,
    action: int,
    purpose: int,
    digests: Iterable[bytes],
    key: bytes,
    nonce: bytes,
    at: int,
) -> Digest:
    listed = keccak(b"".join(digests))
    hashed = struct_hash(READ_REQUEST, twin, grantee, number, action, purpose, listed, keccak(key), nonce, at)
    return typed_digest(deployment, "ConsentRegistry", hashed)


def key_request(deployment: Deployment, twin: int, owner: Address, custodian: Address, at: int) -> Digest:
    return typed_digest(deployment, "ConsentRegistry", struct_hash(KEY_REQUEST, twin, owner, custodian, at))


def receipts_request(deployment: Deployment, twin: int, owner: Address, custodian: Address, at: int) -> Digest:
    return typed_digest(deployment, "ConsentRegistry", struct_hash(RECEIPTS_REQUEST, twin, owner, custodian, at))


def destroy_order(deployment: Deployment, twin: int, owner: Address, custodian: Address, at: int) -> Digest:
    return typed_digest(deployment, "ConsentRegistry", struct_hash(DESTROY_ORDER, twin, owner, custodian, at))


def letters_request(deployment: Deployment, reader: Address, custodian: Address, at: int) -> Digest:
    return typed_digest(deployment, "ConsentRegistry", struct_hash(LETTERS_REQUEST, reader, custodian, at))


def devices_request(deployment: Deployment, reader: Address, gateway: Address, at: int) -> Digest:
    return typed_digest(deployment, "ConsentRegistry", struct_hash(DEVICES_REQUEST, reader, gateway, at))


def probe(
    deployment: Deployment, owner: Address, twin: int, grantee: Address, number: int, custodian: Address, at: int
) -> Digest:
    hashed = struct_hash(PROBE, owner, twin, grantee, number, custodian, at)
    return typed_digest(deployment, "ConsentRegistry", hashed)


def blocks_request(deployment: Deployment, sender: Address, verb: str, cids: Iterable[CID], at: int) -> Digest:
    """`verb` is put or remove; the blocks are named by the hash of their CIDs, one after another."""
    named = keccak(b"".join(map(bytes, cids)))
    hashed = struct_hash(BLOCKS_REQUEST, sender, keccak(verb.encode()), named, at)
    return typed_digest(deployment, "ConsentRegistry", hashed)


def statement(deployment: Deployment, kind: Statement, body: Digest) -> Digest:
    """What signs a block: its body's SHA-256 under the block's kind."""
    return typed_digest(deployment, "SnapshotLedger", struct_hash(f"{kind}(bytes32 body)", body))


_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
"""Half the order of secp256k1's group: of s and its negative the smaller one counts (EIP-2)."""


def signer(digest: Digest, signature: bytes) -> Address:
    """The address whose key made this 65-byte signature (r, s, v with v 27 or 28; s in the lower half).

    Raises:
        IntegrityError: it is no signature at all.
    """
    try:
        if len(signature) != 65 or signature[64] not in (27, 28):
            raise ValueError("not a 65-byte signature")
        if int.from_bytes(signature[32:64], "big") > _HALF_ORDER:
            raise ValueError("a malleable signature")
        recoverable = signature[:64] + bytes([signature[64] - 27])
        public = PublicKey.from_signature_and_message(recoverable, digest, hasher=None)
        return address("0x" + keccak(public.format(compressed=False)[1:])[12:].hex())
    except ValueError as error:
        raise IntegrityError("a signature is malformed") from error
