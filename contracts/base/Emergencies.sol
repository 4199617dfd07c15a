// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Request} from "../interfaces/IConsentRegistry.sol";
import {Emergency, IEmergencies, Opening} from "../interfaces/IEmergencies.sol";
import {IMemberRegistry, Member} from "../interfaces/IMemberRegistry.sol";
import {Bits} from "../libraries/Bits.sol";
import {Grant} from "../types/Grant.sol";
import {Action, Cause, Finding, Kind, Purpose, Reason} from "../types/Vocabulary.sol";
import {ConsentStore} from "./ConsentStore.sol";

/// @title Emergencies
/// @notice Breaking the glass.
///
/// STATES. A grant with the EMERGENCY bit sleeps. An opening wakes it for one member until `closesAt`; it waits for a
/// review, is overdue from `reviewBy` on, and is reviewed once, then or late.
///
/// AUTHORITY. The owner alone puts a grant to sleep, and ends it as any other. Who opens is judged by the rule itself:
/// everything but EMERGENCY_CLOSED must permit, so an opening adds the opener's word to the owner's, and never more. An
/// auditor who is neither the opener nor of its organisation reviews; a review takes nothing back, it says.
///
/// TIME. An opening is bound to its owner and to the slot's revision: a revocation, a new grant, a new epoch or a move
/// ends it with its grant, and whatever else denies comes before it in the rule. It lasts `EMERGENCY_LENGTH` at most,
/// and is not drawn out: who needs longer opens again once it has closed, and stands with that in the next review.
///
/// PRIVACY. Who opened what, when, and one of five causes; words are sealed. That a person had an emergency is public of
/// a pseudonymous twin.
///
/// LIVENESS. One may have `MOST_UNREVIEWED` openings that wait for a review, so a lazy reviewer stops openers in the
/// end, and never an owner.
///
/// Invariants: an opening permits its opener alone, READ for ETREAT alone, under the one grant that it was made on, and
/// not at or after `closesAt`. Nobody reviews its own or its organisation's, or any twice.
abstract contract Emergencies is IEmergencies, ConsentStore {
    /// @notice Openings of one member that may wait for a review.
    uint8 public constant MOST_UNREVIEWED = 3;

    /// @notice The longest that an opening lasts, in seconds.
    uint40 public immutable EMERGENCY_LENGTH;

    /// @notice Seconds from an opening until its review is overdue.
    uint40 public immutable REVIEW_PERIOD;

    IMemberRegistry public immutable MEMBERS;

    /// @inheritdoc IEmergencies
    uint64 public openingCount;

    mapping(uint64 opening => Opening) private _openings;
    mapping(address opener => uint8) private _unreviewed;

    /// @dev By keccak256(slot's key, revision, opener).
    mapping(bytes32 grantAndOpener => uint40) private _closesAt;

    constructor(IMemberRegistry members, uint40 emergencyLength, uint40 reviewPeriod) {
        MEMBERS = members;
        EMERGENCY_LENGTH = emergencyLength;
        REVIEW_PERIOD = reviewPeriod;
    }

    /// @inheritdoc IEmergencies
    function openEmergency(uint256 twin, address grantee, uint8 number, uint8 cause, bytes32 text)
        external
        returns (uint64 opening)
    {
        if (cause == 0 || cause > Cause.LAST) revert ConsentRegistry_UnknownCode("cause");
        Emergency memory said;
        (said.owner, said.grantee, said.number) = (TWINS.ownerOrZero(twin), grantee, number);
        (said.cause, said.text) = (cause, text);
        bytes32 key = _key(said.owner, twin, grantee, number);
        Grant word = _grants[key];
        _requireSleeping(twin, grantee, number, word);
        said.revision = word.revision();
        said.closesAt = uint40(block.timestamp) + EMERGENCY_LENGTH;
        said.reviewBy = uint40(block.timestamp) + REVIEW_PERIOD;
        _closesAt[_grantAndOpener(key, word, msg.sender)] = said.closesAt;
        opening = _await(said.reviewBy);
        emit EmergencyOpened(opening, twin, msg.sender, said);
    }

    /// @inheritdoc IEmergencies
    function reviewEmergency(uint64 opening, uint8 finding, bytes32 text) external {
        if (finding == 0 || finding > Finding.LAST) revert ConsentRegistry_UnknownCode("finding");
        Opening storage entry = _openings[opening];
        address opener = entry.opener;
        if (opener == address(0)) revert ConsentRegistry_UnknownOpening(opening);
        if (entry.reviewed) revert ConsentRegistry_AlreadyReviewed(opening);
        if (!_mayReview(msg.sender, opener, entry.organisation)) revert ConsentRegistry_NotReviewer(msg.sender);
        entry.reviewed = true;
        --_unreviewed[opener];
        emit EmergencyReviewed(opening, msg.sender, finding, text);
    }

    /// @inheritdoc IEmergencies
    function openingOf(uint64 opening) external view returns (Opening memory) {
        return _openings[opening];
    }

    /// @inheritdoc IEmergencies
    function unreviewedOf(address opener) external view returns (uint8) {
        return _unreviewed[opener];
    }

    /// @dev When a member's opening of the grant in a slot ends, or zero.
    function _closingOf(bytes32 key, Grant word, address opener) internal view returns (uint40) {
        return _closesAt[_grantAndOpener(key, word, opener)];
    }

    /// @dev Numbers an opening of the caller's, which waits for its review.
    function _await(uint40 reviewBy) private returns (uint64 opening) {
        uint8 waiting = _unreviewed[msg.sender];
        if (waiting == MOST_UNREVIEWED) revert ConsentRegistry_Unreviewed(msg.sender, waiting);
        _unreviewed[msg.sender] = waiting + 1;
        opening = ++openingCount;
        _openings[opening] = Opening(msg.sender, reviewBy, false, MEMBERS.memberOf(msg.sender).organisation);
    }

    /// @dev Refuses unless the rule has nothing against the caller's reading some of the grant's data, but that it
    /// sleeps.
    function _requireSleeping(uint256 twin, address grantee, uint8 number, Grant word) private view {
        uint8 category = 0;
        while (word.categories() >> category > 1) ++category;
        Reason reason = this.check(
            Request({
                twin: twin,
                requester: msg.sender,
                grantee: grantee,
                number: number,
                action: Action.READ,
                purpose: Purpose.ETREAT,
                category: category,
                from: word.dataFrom(),
                until: word.dataFrom()
            }),
            uint40(block.timestamp),
            uint40(block.timestamp)
        );
        if (reason != Reason.EMERGENCY_CLOSED) revert ConsentRegistry_CannotOpen(reason);
    }

    /// @dev The opener's organisation counts as it was then and as it is now.
    function _mayReview(address reviewer, address opener, address then) private view returns (bool) {
        Member memory member = MEMBERS.memberOf(reviewer);
        address present = MEMBERS.memberOf(opener).organisation;
        address[2] memory parties = [reviewer, member.organisation];
        for (uint256 i = 0; i < parties.length; ++i) {
            address party = parties[i];
            if (party != address(0) && (party == opener || party == then || party == present)) return false;
        }
        return Bits.has(member.kinds, Kind.AUDITOR) && MEMBERS.isActive(reviewer);
    }

    function _grantAndOpener(bytes32 key, Grant word, address opener) private pure returns (bytes32) {
        return keccak256(abi.encode(key, word.revision(), opener));
    }
}
