// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {
    ISignedConsents,
    SignedGrant,
    SignedGrantMany,
    SignedRecipient,
    SignedRevoke,
    SignedRevokeAll,
    SignedRevokeMany,
    SignedSlot
} from "../interfaces/ISignedConsents.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {Grant} from "../types/Grant.sol";
import {ConsentStore} from "./ConsentStore.sol";
import {TypedDomain} from "./TypedDomain.sol";

/// @title SignedConsents
/// @notice The consent calls as signed messages that anyone may carry.
///
/// TIME. A message sent late never permits what a newer decision denies. A grant names its slot's revision and the
/// owner's epoch exactly; an unblock names the count: every denial moves one of these on. A denial may be withheld too.
/// So a signed revocation names a revision above every one that a signed grant for the slot ever named, holds while the
/// slot stands at or below it, and moves the slot past it: a grant that was withheld and lands first does not outlive it.
/// A signed block does the same with the count, against an unblock that was withheld, and a signed revocation of
/// everything with the epoch, against an older one that was withheld and keeps grants.
abstract contract SignedConsents is ISignedConsents, ConsentStore, TypedDomain {
    /// @inheritdoc ISignedConsents
    function grantSigned(SignedGrant calldata message, bytes calldata signature) external {
        _requireInTime(message.deadline);
        _requireSigned(message.owner, TypedData.hash(message), signature);
        _requireEpoch(message.owner, message.twin, message.epoch);
        _requireEpochLeft(message.owner, message.twin, message.epoch);
        _requireRevision(message.owner, message.twin, message.grantee, message.number, message.revision);
        _requireTerms(message.terms);
        _grant(
            message.owner, message.twin, message.epoch, message.grantee, message.number, message.terms, message.package
        );
    }

    /// @inheritdoc ISignedConsents
    function grantManySigned(SignedGrantMany calldata message, bytes calldata signature) external {
        _requireInTime(message.deadline);
        _requireSigned(message.owner, TypedData.hash(message), signature);
        _requireEpoch(message.owner, message.twin, message.epoch);
        _requireEpochLeft(message.owner, message.twin, message.epoch);
        _requireTerms(message.terms);
        (address owner, uint256 twin, Grant terms) = (message.owner, message.twin, message.terms);
        uint24 epoch = message.epoch;
        for (uint256 i = 0; i < message.recipients.length; ++i) {
            SignedRecipient calldata to = message.recipients[i];
            _requireRevision(owner, twin, to.grantee, to.number, to.revision);
            _grant(owner, twin, epoch, to.grantee, to.number, terms, to.package);
        }
    }

    /// @inheritdoc ISignedConsents
    function revokeSigned(SignedRevoke calldata message, address signer, bytes calldata signature) external {
        _requireInTime(message.deadline);
        if (signer != message.owner && signer != message.grantee) revert ConsentRegistry_NotOwnerNorGrantee(signer);
        _requireSigned(signer, TypedData.hash(message), signature);
        uint16 present = _revisionOf(message.owner, message.twin, message.grantee, message.number);
        if (present > message.revision) revert ConsentRegistry_StaleRevision(message.revision, present);
        _revoke(message.owner, message.twin, message.grantee, message.number, message.revision);
    }

    /// @inheritdoc ISignedConsents
    function revokeManySigned(SignedRevokeMany calldata message, bytes calldata signature) external {
        _requireInTime(message.deadline);
        _requireSigned(message.owner, TypedData.hash(message), signature);
        (address owner, uint256 twin) = (message.owner, message.twin);
        for (uint256 i = 0; i < message.slots.length; ++i) {
            SignedSlot calldata slot = message.slots[i];
            if (_revisionOf(owner, twin, slot.grantee, slot.number) <= slot.revision) {
                _revoke(owner, twin, slot.grantee, slot.number, slot.revision);
            }
        }
    }

    /// @inheritdoc ISignedConsents
    function revokeAllSigned(SignedRevokeAll calldata message, bytes calldata signature) external {
        _requireInTime(message.deadline);
        _requireSigned(message.owner, TypedData.hash(message), signature);
        uint24 present = _epochs[message.owner][message.twin];
        if (present > message.epoch) revert ConsentRegistry_StaleEpoch(message.epoch, present);
        _revokeAllBut(message.owner, message.twin, message.epoch, message.keep);
    }

    /// @inheritdoc ISignedConsents
    function blockSigned(uint256 twin, address grantee, uint32 count, uint40 deadline, bytes calldata signature)
        external
    {
        _requireBlockingSigned(TypedData.BLOCK, twin, grantee, count, deadline, signature);
        uint32 present = _blockCounts[twin][grantee];
        if (present > count) revert ConsentRegistry_StaleBlockCount(count, present);
        _block(twin, grantee, count);
    }

    /// @inheritdoc ISignedConsents
    function unblockSigned(uint256 twin, address grantee, uint32 count, uint40 deadline, bytes calldata signature)
        external
    {
        _requireBlockingSigned(TypedData.UNBLOCK, twin, grantee, count, deadline, signature);
        uint32 present = _blockCounts[twin][grantee];
        if (present != count) revert ConsentRegistry_StaleBlockCount(count, present);
        _unblock(twin, grantee);
    }

    function _requireBlockingSigned(
        bytes32 kind,
        uint256 twin,
        address grantee,
        uint32 count,
        uint40 deadline,
        bytes calldata signature
    ) private view {
        _requireInTime(deadline);
        _requireSigned(TWINS.ownerOf(twin), TypedData.blocking(kind, twin, grantee, count, deadline), signature);
    }

    function _requireEpoch(address owner, uint256 twin, uint24 named) private view {
        uint24 present = _epochs[owner][twin];
        if (named != present) revert ConsentRegistry_StaleEpoch(named, present);
    }
}
