// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {TypedDomain} from "./base/TypedDomain.sol";
import {IMemberRegistry, Member, MemberCard} from "./interfaces/IMemberRegistry.sol";
import {TypedData} from "./libraries/TypedData.sol";
import {Kind} from "./types/Vocabulary.sol";

/// @title MemberRegistry
/// @notice Who takes part: persons and organisations, what they are, and the digests of their keys.
///
/// STATES. A stranger (version 0) is enrolled once and stays enrolled. A member is active or suspended. It belongs to
/// one organisation or to none; an organisation is a member that belongs to none. Its card (key and organisation)
/// changes only with its version, which rises by one each time.
///
/// AUTHORITY. A member's card changes by its own message alone: no registrar can put its own key in a member's place.
/// A member joins an organisation only if both say so; either ends it alone. Of an agreement and a dismissal for the
/// same version the newest call counts, and a call counts over a signed agreement. Registrars enrol and set kinds, but
/// add no guarded one; stewards add guarded ones and reinstate; suspenders suspend.
///
/// TIME. A card and an agreement name the member's version and so need no deadline: both are void once it has moved on.
/// A keyring's digest does not return, since the block is sealed afresh each time. A reinstatement that waits its delay
/// can be cancelled in the AccessManager, should there be a new reason to suspend.
///
/// PRIVACY. Addresses, kinds and digests of public keys; no name.
///
/// LIVENESS. Nothing that a member needs for itself is restricted. A suspended member can still change its key.
///
/// Invariants: versions never fall. Every event that changes a member raises the count of its changes by one. No member
/// belongs to itself. A key stands in a member's place only if that member signed it or sent it. A guarded kind is added
/// by `addGuardedKinds` alone.
contract MemberRegistry is IMemberRegistry, TypedDomain, AccessManaged {
    /// @dev An organisation's newest call about a member: `joins` at the card that follows `version - 1`, or not.
    struct Decision {
        uint32 version;
        bool joins;
    }

    mapping(address member => Member) private _members;
    mapping(address member => bytes32) private _keys;
    mapping(address organisation => bytes32) private _keyrings;
    mapping(address organisation => mapping(address member => Decision)) private _decisions;

    constructor(address authority, bytes32 genesis) TypedDomain(genesis) AccessManaged(authority) {}

    /// @inheritdoc IMemberRegistry
    function enrol(MemberCard calldata card, bytes calldata signature, bytes calldata agreement, uint16 kinds)
        external
        restricted
    {
        if (_members[card.member].version != 0) revert MemberRegistry_AlreadyEnrolled(card.member);
        _requireKnown(kinds);
        if (kinds & Kind.GUARDED_BITS != 0) revert MemberRegistry_GuardedKinds(kinds);
        _setCard(card, signature, agreement);
        _members[card.member].kinds = kinds;
        emit Enrolled(card.member, card.organisation, kinds, card.key);
    }

    /// @inheritdoc IMemberRegistry
    function updateCard(MemberCard calldata card, bytes calldata signature, bytes calldata agreement) external {
        _requireEnrolled(card.member);
        _setCard(card, signature, agreement);
        emit CardUpdated(card.member, card.organisation, card.key, card.version + 1);
    }

    /// @inheritdoc IMemberRegistry
    function setKinds(address member, uint16 kinds) external restricted {
        _requireEnrolled(member);
        _requireKnown(kinds);
        if (kinds & Kind.GUARDED_BITS & ~_members[member].kinds != 0) revert MemberRegistry_GuardedKinds(kinds);
        _changing(member).kinds = kinds;
        emit KindsSet(member, kinds);
    }

    /// @inheritdoc IMemberRegistry
    function addGuardedKinds(address member, uint16 kinds) external restricted {
        _requireEnrolled(member);
        if (kinds & ~Kind.GUARDED_BITS != 0) revert MemberRegistry_UnguardedKinds(kinds);
        kinds |= _members[member].kinds;
        _changing(member).kinds = kinds;
        emit KindsSet(member, kinds);
    }

    /// @inheritdoc IMemberRegistry
    function suspend(address member) external restricted {
        _requireEnrolled(member);
        if (_members[member].suspended) revert MemberRegistry_AlreadySuspended(member);
        _changing(member).suspended = true;
        emit Suspended(member);
    }

    /// @inheritdoc IMemberRegistry
    function reinstate(address member) external restricted {
        if (!_members[member].suspended) revert MemberRegistry_NotSuspended(member);
        _changing(member).suspended = false;
        emit Reinstated(member);
    }

    /// @inheritdoc IMemberRegistry
    function agree(address member, uint32 version) external {
        uint32 present = _members[member].version;
        if (version != present) revert MemberRegistry_StaleVersion(version, present);
        _decisions[msg.sender][member] = Decision({version: version + 1, joins: true});
        emit Agreed(msg.sender, member, version);
    }

    /// @inheritdoc IMemberRegistry
    function dismiss(address member) external {
        Member storage entry = _members[member];
        _decisions[msg.sender][member] = Decision({version: entry.version + 1, joins: false});
        if (entry.organisation == msg.sender) _changing(member).organisation = address(0);
        emit Dismissed(member, msg.sender);
    }

    /// @inheritdoc IMemberRegistry
    function setKeyring(bytes32 digest, bytes32 previous) external {
        _setKeyring(msg.sender, digest, previous);
    }

    /// @inheritdoc IMemberRegistry
    function setKeyringSigned(
        address organisation,
        bytes32 digest,
        bytes32 previous,
        uint40 deadline,
        bytes calldata signature
    ) external {
        _requireInTime(deadline);
        _requireSigned(organisation, TypedData.keyring(organisation, digest, previous, deadline), signature);
        _setKeyring(organisation, digest, previous);
    }

    /// @inheritdoc IMemberRegistry
    function memberOf(address member) external view returns (Member memory) {
        return _members[member];
    }

    /// @inheritdoc IMemberRegistry
    function keyOf(address member) external view returns (bytes32) {
        return _keys[member];
    }

    /// @inheritdoc IMemberRegistry
    function keyringOf(address organisation) external view returns (bytes32) {
        return _keyrings[organisation];
    }

    /// @inheritdoc IMemberRegistry
    function isActive(address member) external view returns (bool) {
        Member memory entry = _members[member];
        return entry.version != 0 && !entry.suspended && !_members[entry.organisation].suspended;
    }

    /// @dev Takes a card that the member signed (or sends) and that its organisation, if new, agrees to.
    function _setCard(MemberCard calldata card, bytes calldata signature, bytes calldata agreement) private {
        Member storage entry = _members[card.member];
        if (card.version != entry.version) revert MemberRegistry_StaleVersion(card.version, entry.version);
        _requireOwnOrSigned(card.member, TypedData.hash(card), signature);
        if (card.organisation != entry.organisation && card.organisation != address(0)) {
            _requireAgreed(card, agreement);
        }
        _changing(card.member).version = card.version + 1;
        entry.organisation = card.organisation;
        _keys[card.member] = card.key;
    }

    function _requireAgreed(MemberCard calldata card, bytes calldata agreement) private view {
        Member memory organisation = _members[card.organisation];
        if (
            organisation.version == 0 || organisation.suspended || organisation.organisation != address(0)
                || card.organisation == card.member
        ) revert MemberRegistry_NotAnOrganisation(card.organisation);

        Decision memory decision = _decisions[card.organisation][card.member];
        if (decision.version == card.version + 1) {
            if (decision.joins) return;
            revert MemberRegistry_NotAgreed(card.organisation, card.member, card.version);
        }
        _requireOwnOrSigned(
            card.organisation, TypedData.agreement(card.organisation, card.member, card.version), agreement
        );
    }

    function _setKeyring(address organisation, bytes32 digest, bytes32 previous) private {
        _requireEnrolled(organisation);
        bytes32 present = _keyrings[organisation];
        if (previous != present) revert MemberRegistry_StaleKeyring(previous, present);
        _keyrings[organisation] = digest;
        emit KeyringSet(organisation, digest);
    }

    /// @dev A member's entry, of which something is about to be written.
    function _changing(address member) private returns (Member storage entry) {
        entry = _members[member];
        ++entry.changes;
    }

    function _requireEnrolled(address member) private view {
        if (_members[member].version == 0) revert MemberRegistry_NotEnrolled(member);
    }

    function _requireKnown(uint16 kinds) private pure {
        if (kinds & ~Kind.KNOWN_BITS != 0) revert MemberRegistry_UnknownKinds(kinds);
    }
}
