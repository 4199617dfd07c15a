// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice An enrolled person or organisation. `version` counts its cards and is zero for a stranger.
/// @param kinds Bits of `Kind`.
/// @param organisation The organisation that it belongs to, or zero.
/// @param changes How often any of this was written, so that whoever is told less than all of it can see that.
struct Member {
    uint16 kinds;
    bool suspended;
    uint32 version;
    address organisation;
    uint32 changes;
}

/// @notice What a member says of itself, signed by its own key (EIP-712 type of the same name).
/// @param key Digest of the member's public encryption key block.
/// @param organisation An organisation that agrees, or zero.
/// @param version The version that the member has now: zero before enrolment. The card makes it one more.
struct MemberCard {
    address member;
    bytes32 key;
    address organisation;
    uint32 version;
}

/// @title IMemberRegistry
/// @notice Who takes part: persons and organisations, what they are, and the digests of their keys.
interface IMemberRegistry {
    event Enrolled(address indexed member, address indexed organisation, uint16 kinds, bytes32 key);
    event CardUpdated(address indexed member, address indexed organisation, bytes32 key, uint32 version);
    event KindsSet(address indexed member, uint16 kinds);
    event Suspended(address indexed member);
    event Reinstated(address indexed member);
    event Agreed(address indexed organisation, address indexed member, uint32 version);
    event Dismissed(address indexed member, address indexed organisation);
    event KeyringSet(address indexed organisation, bytes32 digest);

    error MemberRegistry_AlreadyEnrolled(address member);
    error MemberRegistry_NotEnrolled(address member);
    error MemberRegistry_StaleVersion(uint32 named, uint32 present);
    error MemberRegistry_UnknownKinds(uint16 kinds);
    error MemberRegistry_GuardedKinds(uint16 kinds);
    error MemberRegistry_UnguardedKinds(uint16 kinds);
    error MemberRegistry_AlreadySuspended(address member);
    error MemberRegistry_NotSuspended(address member);
    error MemberRegistry_NotAnOrganisation(address organisation);
    error MemberRegistry_NotAgreed(address organisation, address member, uint32 version);
    error MemberRegistry_StaleKeyring(bytes32 named, bytes32 present);

    /// @notice Enrol a member with its own card. Restricted to registrars.
    /// @param signature The member's, over `card`; may be empty if the member itself is the caller.
    /// @param agreement The organisation's, over an `Agreement` that names the card's version; may be empty if the card
    /// names no organisation, if the organisation is the caller, or if it agreed by a call of its own.
    /// @param kinds Bits of `Kind`, without the guarded ones.
    function enrol(MemberCard calldata card, bytes calldata signature, bytes calldata agreement, uint16 kinds) external;

    /// @notice Replace a member's card. Anyone may carry it.
    /// @param agreement As for `enrol`; asked for only if the organisation changes.
    function updateCard(MemberCard calldata card, bytes calldata signature, bytes calldata agreement) external;

    /// @notice Set a member's kinds, taking away any, adding none that is guarded. Restricted to registrars.
    function setKinds(address member, uint16 kinds) external;

    /// @notice Add guarded kinds to a member's. Restricted to stewards, who wait a delay.
    function addGuardedKinds(address member, uint16 kinds) external;

    /// @notice Suspend a member at once. Restricted to suspenders.
    function suspend(address member) external;

    /// @notice End a member's suspension. Restricted to stewards, who wait a delay.
    function reinstate(address member) external;

    /// @notice As an organisation, agree that `member` joins with the card that follows its card `version`.
    function agree(address member, uint32 version) external;

    /// @notice As an organisation, end a member's belonging to it and every agreement given for its present version.
    function dismiss(address member) external;

    /// @notice As an organisation, replace the digest of the keyring block.
    function setKeyring(bytes32 digest, bytes32 previous) external;

    /// @notice `setKeyring`, signed by the organisation (EIP-712 type `Keyring`).
    function setKeyringSigned(
        address organisation,
        bytes32 digest,
        bytes32 previous,
        uint40 deadline,
        bytes calldata signature
    ) external;

    /// @notice What is known of a member; all zero for a stranger.
    function memberOf(address member) external view returns (Member memory);

    /// @notice Digest of a member's public key block, or zero.
    function keyOf(address member) external view returns (bytes32);

    /// @notice Digest of an organisation's keyring block, or zero.
    function keyringOf(address organisation) external view returns (bytes32);

    /// @notice True if the member is enrolled and neither it nor its organisation is suspended.
    function isActive(address member) external view returns (bool);
}
