// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Grant} from "../types/Grant.sol";
import {Regrant} from "./IConsentRegistry.sol";

/// @notice The message `Grant`. It names the slot's present revision and the owner's present epoch exactly.
struct SignedGrant {
    address owner;
    uint256 twin;
    address grantee;
    uint8 number;
    Grant terms;
    bytes32 package;
    uint16 revision;
    uint24 epoch;
    uint40 deadline;
}

/// @notice One `Recipient` of the message `GrantMany`, which names the present revision of each slot.
struct SignedRecipient {
    address grantee;
    uint8 number;
    bytes32 package;
    uint16 revision;
}

/// @notice The message `GrantMany`.
struct SignedGrantMany {
    address owner;
    uint256 twin;
    Grant terms;
    SignedRecipient[] recipients;
    uint24 epoch;
    uint40 deadline;
}

/// @notice The message `Revoke`. It is valid while the slot stands at or below `revision`, and sets one more.
struct SignedRevoke {
    address owner;
    uint256 twin;
    address grantee;
    uint8 number;
    uint16 revision;
    uint40 deadline;
}

/// @notice One `Slot` of the message `RevokeMany`; `revision` means what it means in `Revoke`.
struct SignedSlot {
    address grantee;
    uint8 number;
    uint16 revision;
}

/// @notice The message `RevokeMany`.
struct SignedRevokeMany {
    address owner;
    uint256 twin;
    SignedSlot[] slots;
    uint40 deadline;
}

/// @notice The message `RevokeAll`. It is valid while the owner's epoch stands at or below `epoch`, and sets one more.
struct SignedRevokeAll {
    address owner;
    uint256 twin;
    Regrant[] keep;
    uint24 epoch;
    uint40 deadline;
}

/// @title ISignedConsents
/// @notice The calls of `IConsentRegistry` as EIP-712 messages that anyone may carry. The struct `SignedX` has the
/// fields of the message `X`, except that the message spells out the terms.
interface ISignedConsents {
    /// @notice `grant`, signed by the owner.
    function grantSigned(SignedGrant calldata message, bytes calldata signature) external;

    /// @notice `grantMany`, signed by the owner.
    function grantManySigned(SignedGrantMany calldata message, bytes calldata signature) external;

    /// @notice `revoke`, signed by the owner or the grantee, whichever `signer` is.
    function revokeSigned(SignedRevoke calldata message, address signer, bytes calldata signature) external;

    /// @notice `revokeMany`, signed by the owner. A slot that stands above its revision was decided anew since, and is
    /// passed over, so that nobody can stop the revocation of the others.
    function revokeManySigned(SignedRevokeMany calldata message, bytes calldata signature) external;

    /// @notice `revokeAll`, signed by the owner. One that names an epoch above every one that an earlier message named is
    /// not turned away by any of those, and what they kept does not outlive it.
    function revokeAllSigned(SignedRevokeAll calldata message, bytes calldata signature) external;

    /// @notice `blockGrantee`, signed by the twin's owner (message `Block`). It is valid while the count stands at or
    /// below `count`, and sets the first odd one after it; two above the present one outlives any withheld unblock.
    function blockSigned(uint256 twin, address grantee, uint32 count, uint40 deadline, bytes calldata signature)
        external;

    /// @notice `unblockGrantee`, signed by the twin's owner (message `Unblock`), naming the present count exactly.
    function unblockSigned(uint256 twin, address grantee, uint32 count, uint40 deadline, bytes calldata signature)
        external;
}
