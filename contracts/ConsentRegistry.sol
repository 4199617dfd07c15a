// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {CarriedConsents} from "./base/CarriedConsents.sol";
import {ConsentStore} from "./base/ConsentStore.sol";
import {Emergencies} from "./base/Emergencies.sol";
import {SignedConsents} from "./base/SignedConsents.sol";
import {TypedDomain} from "./base/TypedDomain.sol";
import {ICarriedConsents, SignedCarrying} from "./interfaces/ICarriedConsents.sol";
import {Facts, IConsentRegistry, Recipient, Regrant, Request, Slot} from "./interfaces/IConsentRegistry.sol";
import {IMemberRegistry, Member} from "./interfaces/IMemberRegistry.sol";
import {ITwinRegistry} from "./interfaces/ITwinRegistry.sol";
import {Rule} from "./libraries/Rule.sol";
import {Grant} from "./types/Grant.sol";
import {Reason} from "./types/Vocabulary.sol";

/// @title ConsentRegistry
/// @notice What owners permit, and the rule that decides.
///
/// STATES. A slot is empty, granted or revoked; a granted one is in force from `notBeforeAt` until before `expiresAt`,
/// while its epoch is its giver's present one. A grantee is blocked on a twin or not.
///
/// AUTHORITY. A slot belongs to its giver: (owner, twin, grantee, number) is its key, and the giver alone grants there.
/// The giver or the grantee revokes. `check` reads the present owner's slots, so a grant given before its giver owned
/// the twin sleeps, and one given by a former owner is dead. Blocks belong to the twin and survive a move; its owner
/// sets them, and they beat every grant. Nothing here is restricted, and no role reaches it: the registries can take
/// away what a grant gives (suspend, kinds, retire), and give that back, never add.
///
/// Openings of emergencies: see `Emergencies`. What comes from a deployment before this one: see `CarriedConsents`.
///
/// TIME. The chain may make no block while nothing happens, so `check` is given the time as an interval. Signed calls:
/// see `SignedConsents`.
///
/// PRIVACY. Addresses, masks of permuted category bits, purposes, times, digests of sealed packages.
///
/// LIVENESS. To deny takes no permission but one's own: revoking an empty slot, blocking a stranger or revoking
/// everything never fails for what anyone else did. A `revokeAll` that keeps grants fails for its own words alone. What
/// stands in a slot is its grantee's to change, so a kept one that no longer holds the grant that its owner looked at
/// stops nothing: it ends with the rest, and its owner may grant it anew.
///
/// Invariants: `check` permits only if the owner made the grant that it names, and neither the owner nor the grantee
/// revoked it since. After a revocation, a revocation of everything, a block, a suspension, a retirement or an expiry,
/// nothing is permitted until the one who denied permits again, nor on a frozen twin until the freeze ends. Revisions,
/// epochs and counts never fall.
contract ConsentRegistry is ICarriedConsents, SignedConsents, Emergencies {
    /// @dev The code of `carry`, made here and for ever the same; zero in a first deployment.
    address private immutable CARRYING;

    constructor(
        bytes32 genesis,
        ITwinRegistry twins,
        IMemberRegistry members,
        uint40 emergencyLength,
        uint40 reviewPeriod,
        IConsentRegistry predecessor
    ) TypedDomain(genesis) ConsentStore(twins) Emergencies(members, emergencyLength, reviewPeriod) {
        if (address(predecessor) != address(0)) CARRYING = address(new CarriedConsents(twins, predecessor));
    }

    /// @inheritdoc IConsentRegistry
    function grant(uint256 twin, address grantee, uint8 number, Grant terms, bytes32 package) external {
        uint24 epoch = _epochs[msg.sender][twin];
        _requireEpochLeft(msg.sender, twin, epoch);
        _requireTerms(terms);
        _grant(msg.sender, twin, epoch, grantee, number, terms, package);
    }

    /// @inheritdoc IConsentRegistry
    function grantMany(uint256 twin, Grant terms, Recipient[] calldata recipients) external {
        uint24 epoch = _epochs[msg.sender][twin];
        _requireEpochLeft(msg.sender, twin, epoch);
        _requireTerms(terms);
        for (uint256 i = 0; i < recipients.length; ++i) {
            Recipient calldata to = recipients[i];
            _grant(msg.sender, twin, epoch, to.grantee, to.number, terms, to.package);
        }
    }

    /// @inheritdoc IConsentRegistry
    function revoke(address owner, uint256 twin, address grantee, uint8 number) external {
        if (msg.sender != owner && msg.sender != grantee) revert ConsentRegistry_NotOwnerNorGrantee(msg.sender);
        _revoke(owner, twin, grantee, number, _revisionOf(owner, twin, grantee, number));
    }

    /// @inheritdoc IConsentRegistry
    function revokeMany(uint256 twin, Slot[] calldata slots) external {
        for (uint256 i = 0; i < slots.length; ++i) {
            Slot calldata slot = slots[i];
            uint16 present = _revisionOf(msg.sender, twin, slot.grantee, slot.number);
            _revoke(msg.sender, twin, slot.grantee, slot.number, present);
        }
    }

    /// @inheritdoc IConsentRegistry
    function revokeAll(uint256 twin, Regrant[] calldata keep) external {
        _revokeAllBut(msg.sender, twin, _epochs[msg.sender][twin], keep);
    }

    /// @inheritdoc IConsentRegistry
    function blockGrantee(uint256 twin, address grantee) external {
        _requireOwner(twin);
        _block(twin, grantee, _blockCounts[twin][grantee]);
    }

    /// @inheritdoc IConsentRegistry
    function unblockGrantee(uint256 twin, address grantee) external {
        _requireOwner(twin);
        _unblock(twin, grantee);
    }

    /// @inheritdoc ICarriedConsents
    function carry(SignedCarrying calldata, address[] calldata, bytes calldata) external {
        if (CARRYING == address(0)) revert ConsentRegistry_WrongPredecessor(address(0));
        Address.functionDelegateCall(CARRYING, msg.data);
    }

    /// @inheritdoc IConsentRegistry
    function check(Request calldata request, uint40 earliest, uint40 latest) external view returns (Reason) {
        Rule.requireWellFormed(request, earliest, latest);
        Facts memory facts = factsOf(request.twin, request.requester, request.grantee, request.number);
        return Rule.judge(facts, request, earliest, latest);
    }

    /// @inheritdoc IConsentRegistry
    function factsOf(uint256 twin, address requester, address grantee, uint8 number)
        public
        view
        returns (Facts memory facts)
    {
        facts.owner = TWINS.ownerOrZero(twin);
        (uint40 retireAt,) = TWINS.stateOf(twin);
        facts.retired = retireAt != 0;
        (, facts.frozenUntil) = TWINS.freezeOf(twin);

        Member memory member = MEMBERS.memberOf(requester);
        facts.enrolled = member.version != 0;
        facts.kinds = member.kinds;
        facts.organisation = member.organisation;
        facts.suspended = member.suspended || MEMBERS.memberOf(grantee).suspended
            || (member.organisation != address(0) && MEMBERS.memberOf(member.organisation).suspended);
        facts.blocked = _isBlocked(twin, requester) || _isBlocked(twin, grantee)
            || (member.organisation != address(0) && _isBlocked(twin, member.organisation));

        bytes32 key = _key(facts.owner, twin, grantee, number);
        facts.grant = _grants[key];
        facts.epoch = _epochs[facts.owner][twin];
        facts.closesAt = _closingOf(key, facts.grant, requester);
    }

    /// @inheritdoc IConsentRegistry
    function grantOf(address owner, uint256 twin, address grantee, uint8 number) external view returns (Grant) {
        return _grants[_key(owner, twin, grantee, number)];
    }

    /// @inheritdoc IConsentRegistry
    function epochOf(address owner, uint256 twin) external view returns (uint24) {
        return _epochs[owner][twin];
    }

    /// @inheritdoc IConsentRegistry
    function blockCountOf(uint256 twin, address grantee) external view returns (uint32) {
        return _blockCounts[twin][grantee];
    }

    function _isBlocked(uint256 twin, address who) private view returns (bool) {
        return _blockCounts[twin][who] % 2 == 1;
    }

    function _requireOwner(uint256 twin) private view {
        if (TWINS.ownerOf(twin) != msg.sender) revert ConsentRegistry_NotOwner(twin, msg.sender);
    }
}
