// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {CarriedGrant} from "../interfaces/ICarriedConsents.sol";
import {Regrant} from "../interfaces/IConsentRegistry.sol";
import {Guardians} from "../interfaces/IGuardedTwins.sol";
import {MemberCard} from "../interfaces/IMemberRegistry.sol";
import {
    SignedGrant,
    SignedGrantMany,
    SignedRevoke,
    SignedRevokeAll,
    SignedRevokeMany
} from "../interfaces/ISignedConsents.sol";
import {Leaf} from "../interfaces/ISnapshotLedger.sol";
import {Card} from "../interfaces/ITwinRegistry.sol";
import {Grant} from "../types/Grant.sol";

/// @title TypedData
/// @notice Every type string and every hash of the contracts: EIP-712 messages, the chained card, the leaf of a batch.
/// What it makes is pinned by tests/vectors/eip712.json, which Python reads too.
library TypedData {
    bytes32 internal constant DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)");

    // Members

    bytes32 internal constant MEMBER_CARD =
        keccak256("MemberCard(address member,bytes32 key,address organisation,uint32 version)");
    bytes32 internal constant AGREEMENT = keccak256("Agreement(address organisation,address member,uint32 version)");
    bytes32 internal constant KEYRING =
        keccak256("Keyring(address organisation,bytes32 digest,bytes32 previous,uint40 deadline)");

    // Twins

    bytes32 internal constant MINT = keccak256("Mint(address patient,uint256 count,uint40 deadline)");
    bytes32 internal constant CARD = keccak256(
        "Card(bytes32 key,bytes32 roster,bytes32 bits,bytes32 custodyIndex,bytes32 recovery,uint32 keyVersion,uint32 rosterVersion,uint32 custodyIndexVersion,uint32 recoveryVersion)"
    );
    bytes32 internal constant SET_CARD = keccak256(
        "SetCard(uint256 twin,bytes32 previous,Card card,uint40 deadline)Card(bytes32 key,bytes32 roster,bytes32 bits,bytes32 custodyIndex,bytes32 recovery,uint32 keyVersion,uint32 rosterVersion,uint32 custodyIndexVersion,uint32 recoveryVersion)"
    );
    bytes32 internal constant MOVE = keccak256("Move(uint256 twin,address to,uint32 counter,uint40 deadline)");
    bytes32 internal constant CARRIED_GRANT =
        keccak256("CarriedGrant(address grantee,uint8 number,uint256 grant,bytes32 package)");
    bytes32 internal constant DEPART = keccak256(
        "Depart(uint256 twin,address successor,CarriedGrant[] grants,uint32 counter,uint40 deadline)CarriedGrant(address grantee,uint8 number,uint256 grant,bytes32 package)"
    );
    bytes32 internal constant ANNOUNCE_RETIREMENT =
        keccak256("AnnounceRetirement(uint256 twin,uint32 counter,uint40 deadline)");
    bytes32 internal constant CANCEL_RETIREMENT =
        keccak256("CancelRetirement(uint256 twin,uint32 counter,uint40 deadline)");

    // Guardians of a twin

    bytes32 internal constant GUARDIANS = keccak256("Guardians(uint8 needed,address[] addresses,bytes32 salt)");
    bytes32 internal constant SET_GUARDIANS =
        keccak256("SetGuardians(uint256 twin,bytes32 guardians,uint32 recoveryDelay,uint32 counter,uint40 deadline)");
    bytes32 internal constant FREEZE = keccak256("Freeze(uint256 twin,uint32 counter,uint40 deadline)");
    bytes32 internal constant UNFREEZE = keccak256("Unfreeze(uint256 twin,uint32 counter,uint40 deadline)");
    bytes32 internal constant ANNOUNCE_MOVE =
        keccak256("AnnounceMove(uint256 twin,address to,uint32 counter,uint40 deadline)");
    bytes32 internal constant VETO_MOVE = keccak256("VetoMove(uint256 twin,uint32 counter,uint40 deadline)");
    bytes32 internal constant RESCUE_TWIN = keccak256("RescueTwin(uint256 twin,uint32 counter,uint40 deadline)");

    // Consents

    bytes32 internal constant TERMS = keccak256(
        "Terms(uint32 categories,uint32 purposes,uint40 notBeforeAt,uint40 expiresAt,uint32 dataFrom,uint32 dataUntil,uint8 actions)"
    );
    bytes32 internal constant GRANT = keccak256(
        "Grant(address owner,uint256 twin,address grantee,uint8 number,Terms terms,bytes32 package,uint16 revision,uint24 epoch,uint40 deadline)Terms(uint32 categories,uint32 purposes,uint40 notBeforeAt,uint40 expiresAt,uint32 dataFrom,uint32 dataUntil,uint8 actions)"
    );
    bytes32 internal constant RECIPIENT =
        keccak256("Recipient(address grantee,uint8 number,bytes32 package,uint16 revision)");
    bytes32 internal constant GRANT_MANY = keccak256(
        "GrantMany(address owner,uint256 twin,Terms terms,Recipient[] recipients,uint24 epoch,uint40 deadline)Recipient(address grantee,uint8 number,bytes32 package,uint16 revision)Terms(uint32 categories,uint32 purposes,uint40 notBeforeAt,uint40 expiresAt,uint32 dataFrom,uint32 dataUntil,uint8 actions)"
    );
    bytes32 internal constant REVOKE =
        keccak256("Revoke(address owner,uint256 twin,address grantee,uint8 number,uint16 revision,uint40 deadline)");
    bytes32 internal constant SLOT = keccak256("Slot(address grantee,uint8 number,uint16 revision)");
    bytes32 internal constant REVOKE_MANY = keccak256(
        "RevokeMany(address owner,uint256 twin,Slot[] slots,uint40 deadline)Slot(address grantee,uint8 number,uint16 revision)"
    );
    bytes32 internal constant REGRANT = keccak256(
        "Regrant(address grantee,uint8 number,uint16 revision,Terms terms,bytes32 package)Terms(uint32 categories,uint32 purposes,uint40 notBeforeAt,uint40 expiresAt,uint32 dataFrom,uint32 dataUntil,uint8 actions)"
    );
    bytes32 internal constant REVOKE_ALL = keccak256(
        "RevokeAll(address owner,uint256 twin,Regrant[] keep,uint24 epoch,uint40 deadline)Regrant(address grantee,uint8 number,uint16 revision,Terms terms,bytes32 package)Terms(uint32 categories,uint32 purposes,uint40 notBeforeAt,uint40 expiresAt,uint32 dataFrom,uint32 dataUntil,uint8 actions)"
    );
    bytes32 internal constant BLOCK = keccak256("Block(uint256 twin,address grantee,uint32 count,uint40 deadline)");
    bytes32 internal constant UNBLOCK = keccak256("Unblock(uint256 twin,address grantee,uint32 count,uint40 deadline)");

    // Snapshots

    bytes32 internal constant ANCHOR_BATCH = keccak256(
        "AnchorBatch(address sender,bytes32 root,uint32 count,bytes32 index,bytes32 previous,uint40 deadline)"
    );

    function hash(MemberCard calldata card) internal pure returns (bytes32) {
        return keccak256(abi.encode(MEMBER_CARD, card));
    }

    function agreement(address organisation, address member, uint32 version) internal pure returns (bytes32) {
        return keccak256(abi.encode(AGREEMENT, organisation, member, version));
    }

    function keyring(address organisation, bytes32 digest, bytes32 previous, uint40 deadline)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(KEYRING, organisation, digest, previous, deadline));
    }

    function mint(address patient, uint256 count, uint40 deadline) internal pure returns (bytes32) {
        return keccak256(abi.encode(MINT, patient, count, deadline));
    }

    function hash(Card calldata card) internal pure returns (bytes32) {
        return keccak256(abi.encode(CARD, card));
    }

    /// @notice What a twin stores of its card: this card after all before it.
    function chain(bytes32 previous, bytes32 cardHash) internal pure returns (bytes32) {
        return keccak256(abi.encode(previous, cardHash));
    }

    function setCard(uint256 twin, bytes32 previous, bytes32 cardHash, uint40 deadline)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(SET_CARD, twin, previous, cardHash, deadline));
    }

    /// @param kind MOVE or ANNOUNCE_MOVE.
    function moving(bytes32 kind, uint256 twin, address to, uint32 counter, uint40 deadline)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(kind, twin, to, counter, deadline));
    }

    /// @param grants As `hash` makes it of the grants that go with the twin.
    function depart(uint256 twin, address successor, bytes32 grants, uint32 counter, uint40 deadline)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(DEPART, twin, successor, grants, counter, deadline));
    }

    function hash(CarriedGrant[] calldata grants) internal pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](grants.length);
        for (uint256 i = 0; i < hashes.length; ++i) {
            hashes[i] = keccak256(abi.encode(CARRIED_GRANT, grants[i]));
        }
        return keccak256(abi.encodePacked(hashes));
    }

    /// @param kind That of a message which says no more: ANNOUNCE_RETIREMENT, CANCEL_RETIREMENT, FREEZE, UNFREEZE,
    /// VETO_MOVE or RESCUE_TWIN.
    function counted(bytes32 kind, uint256 twin, uint32 counter, uint40 deadline) internal pure returns (bytes32) {
        return keccak256(abi.encode(kind, twin, counter, deadline));
    }

    /// @notice What a twin stores of its guardians.
    function hash(Guardians calldata guardians) internal pure returns (bytes32) {
        bytes32 addresses = keccak256(abi.encodePacked(guardians.addresses));
        return keccak256(abi.encode(GUARDIANS, guardians.needed, addresses, guardians.salt));
    }

    function setGuardians(uint256 twin, bytes32 guardians, uint32 recoveryDelay, uint32 counter, uint40 deadline)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(SET_GUARDIANS, twin, guardians, recoveryDelay, counter, deadline));
    }

    /// @notice The terms as `Terms`, every field for itself, so that a wallet shows them.
    function hash(Grant terms) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                TERMS,
                terms.categories(),
                terms.purposes(),
                terms.notBeforeAt(),
                terms.expiresAt(),
                terms.dataFrom(),
                terms.dataUntil(),
                terms.actions()
            )
        );
    }

    function hash(SignedGrant calldata message) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                GRANT,
                message.owner,
                message.twin,
                message.grantee,
                message.number,
                hash(message.terms),
                message.package,
                message.revision,
                message.epoch,
                message.deadline
            )
        );
    }

    function hash(SignedGrantMany calldata message) internal pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](message.recipients.length);
        for (uint256 i = 0; i < hashes.length; ++i) {
            hashes[i] = keccak256(abi.encode(RECIPIENT, message.recipients[i]));
        }
        return keccak256(
            abi.encode(
                GRANT_MANY,
                message.owner,
                message.twin,
                hash(message.terms),
                keccak256(abi.encodePacked(hashes)),
                message.epoch,
                message.deadline
            )
        );
    }

    function hash(SignedRevoke calldata message) internal pure returns (bytes32) {
        return keccak256(abi.encode(REVOKE, message));
    }

    function hash(SignedRevokeMany calldata message) internal pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](message.slots.length);
        for (uint256 i = 0; i < hashes.length; ++i) {
            hashes[i] = keccak256(abi.encode(SLOT, message.slots[i]));
        }
        return keccak256(
            abi.encode(REVOKE_MANY, message.owner, message.twin, keccak256(abi.encodePacked(hashes)), message.deadline)
        );
    }

    function hash(Regrant calldata regrant) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(REGRANT, regrant.grantee, regrant.number, regrant.revision, hash(regrant.terms), regrant.package)
        );
    }

    function hash(SignedRevokeAll calldata message) internal pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](message.keep.length);
        for (uint256 i = 0; i < hashes.length; ++i) {
            hashes[i] = hash(message.keep[i]);
        }
        return keccak256(
            abi.encode(
                REVOKE_ALL,
                message.owner,
                message.twin,
                keccak256(abi.encodePacked(hashes)),
                message.epoch,
                message.deadline
            )
        );
    }

    /// @param kind BLOCK or UNBLOCK.
    function blocking(bytes32 kind, uint256 twin, address grantee, uint32 count, uint40 deadline)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(kind, twin, grantee, count, deadline));
    }

    function anchorBatch(address sender, bytes32 root, uint32 count, bytes32 index, bytes32 previous, uint40 deadline)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(ANCHOR_BATCH, sender, root, count, index, previous, deadline));
    }

    /// @notice A leaf of a batch. Hashed twice, so that no inner node can pass for one.
    function leafHash(Leaf calldata leaf) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(leaf))));
    }
}
