// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {CarriedGrant} from "../../../contracts/interfaces/ICarriedConsents.sol";
import {Guardians} from "../../../contracts/interfaces/IGuardedTwins.sol";
import {MemberCard} from "../../../contracts/interfaces/IMemberRegistry.sol";
import {
    SignedGrant,
    SignedGrantMany,
    SignedRevoke,
    SignedRevokeAll,
    SignedRevokeMany
} from "../../../contracts/interfaces/ISignedConsents.sol";
import {Leaf} from "../../../contracts/interfaces/ISnapshotLedger.sol";
import {Card} from "../../../contracts/interfaces/ITwinRegistry.sol";
import {TypedData} from "../../../contracts/libraries/TypedData.sol";

/// @notice The struct hashes of `TypedData`, for tests whose messages lie in memory.
contract Messages {
    function memberCard(MemberCard calldata card) external pure returns (bytes32) {
        return TypedData.hash(card);
    }

    function agreement(address organisation, address member, uint32 version) external pure returns (bytes32) {
        return TypedData.agreement(organisation, member, version);
    }

    function keyring(address organisation, bytes32 digest, bytes32 previous, uint40 deadline)
        external
        pure
        returns (bytes32)
    {
        return TypedData.keyring(organisation, digest, previous, deadline);
    }

    function anchorBatch(address sender, bytes32 root, uint32 count, bytes32 index, bytes32 previous, uint40 deadline)
        external
        pure
        returns (bytes32)
    {
        return TypedData.anchorBatch(sender, root, count, index, previous, deadline);
    }

    function mint(address patient, uint256 count, uint40 deadline) external pure returns (bytes32) {
        return TypedData.mint(patient, count, deadline);
    }

    function setCard(uint256 twin, bytes32 previous, Card calldata card, uint40 deadline)
        external
        pure
        returns (bytes32)
    {
        return TypedData.setCard(twin, previous, TypedData.hash(card), deadline);
    }

    function chainedCard(bytes32 previous, Card calldata card) external pure returns (bytes32) {
        return TypedData.chain(previous, TypedData.hash(card));
    }

    function move(uint256 twin, address to, uint32 counter, uint40 deadline) external pure returns (bytes32) {
        return TypedData.moving(TypedData.MOVE, twin, to, counter, deadline);
    }

    function announceRetirement(uint256 twin, uint32 counter, uint40 deadline) external pure returns (bytes32) {
        return TypedData.counted(TypedData.ANNOUNCE_RETIREMENT, twin, counter, deadline);
    }

    function cancelRetirement(uint256 twin, uint32 counter, uint40 deadline) external pure returns (bytes32) {
        return TypedData.counted(TypedData.CANCEL_RETIREMENT, twin, counter, deadline);
    }

    function guardians(Guardians calldata guardians_) external pure returns (bytes32) {
        return TypedData.hash(guardians_);
    }

    function setGuardians(uint256 twin, bytes32 guardians_, uint32 recoveryDelay, uint32 counter, uint40 deadline)
        external
        pure
        returns (bytes32)
    {
        return TypedData.setGuardians(twin, guardians_, recoveryDelay, counter, deadline);
    }

    function freeze(uint256 twin, uint32 counter, uint40 deadline) external pure returns (bytes32) {
        return TypedData.counted(TypedData.FREEZE, twin, counter, deadline);
    }

    function unfreeze(uint256 twin, uint32 counter, uint40 deadline) external pure returns (bytes32) {
        return TypedData.counted(TypedData.UNFREEZE, twin, counter, deadline);
    }

    function announceMove(uint256 twin, address to, uint32 counter, uint40 deadline) external pure returns (bytes32) {
        return TypedData.moving(TypedData.ANNOUNCE_MOVE, twin, to, counter, deadline);
    }

    function vetoMove(uint256 twin, uint32 counter, uint40 deadline) external pure returns (bytes32) {
        return TypedData.counted(TypedData.VETO_MOVE, twin, counter, deadline);
    }

    function rescueTwin(uint256 twin, uint32 counter, uint40 deadline) external pure returns (bytes32) {
        return TypedData.counted(TypedData.RESCUE_TWIN, twin, counter, deadline);
    }

    function carried(CarriedGrant[] calldata grants) external pure returns (bytes32) {
        return TypedData.hash(grants);
    }

    function depart(uint256 twin, address successor, CarriedGrant[] calldata grants, uint32 counter, uint40 deadline)
        external
        pure
        returns (bytes32)
    {
        return TypedData.depart(twin, successor, TypedData.hash(grants), counter, deadline);
    }

    function grant(SignedGrant calldata message) external pure returns (bytes32) {
        return TypedData.hash(message);
    }

    function grantMany(SignedGrantMany calldata message) external pure returns (bytes32) {
        return TypedData.hash(message);
    }

    function revoke(SignedRevoke calldata message) external pure returns (bytes32) {
        return TypedData.hash(message);
    }

    function revokeMany(SignedRevokeMany calldata message) external pure returns (bytes32) {
        return TypedData.hash(message);
    }

    function revokeAll(SignedRevokeAll calldata message) external pure returns (bytes32) {
        return TypedData.hash(message);
    }

    function blockGrantee(uint256 twin, address grantee, uint32 count, uint40 deadline)
        external
        pure
        returns (bytes32)
    {
        return TypedData.blocking(TypedData.BLOCK, twin, grantee, count, deadline);
    }

    function unblockGrantee(uint256 twin, address grantee, uint32 count, uint40 deadline)
        external
        pure
        returns (bytes32)
    {
        return TypedData.blocking(TypedData.UNBLOCK, twin, grantee, count, deadline);
    }

    function leaf(Leaf calldata leaf_) external pure returns (bytes32) {
        return TypedData.leafHash(leaf_);
    }
}
