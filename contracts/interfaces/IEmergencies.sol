// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Reason} from "../types/Vocabulary.sol";

/// @notice What is kept of an opening. All zero if there is none.
/// @param reviewBy When its review is overdue, in unix seconds.
/// @param organisation The opener's as of then, or zero.
struct Opening {
    address opener;
    uint40 reviewBy;
    bool reviewed;
    address organisation;
}

/// @notice What an opening was made on and says.
/// @param revision The slot's, and with it the one grant that was opened.
/// @param cause A number of `Cause`.
/// @param text Digest of the sealed words that go with it, or zero.
/// @param closesAt When it ends, in unix seconds.
struct Emergency {
    address owner;
    address grantee;
    uint8 number;
    uint16 revision;
    uint8 cause;
    bytes32 text;
    uint40 closesAt;
    uint40 reviewBy;
}

/// @title IEmergencies
/// @notice Breaking the glass: a grant with the EMERGENCY bit sleeps until a member opens it, for itself and for hours.
interface IEmergencies {
    event EmergencyOpened(uint64 indexed opening, uint256 indexed twin, address indexed opener, Emergency emergency);
    event EmergencyReviewed(uint64 indexed opening, address indexed reviewer, uint8 finding, bytes32 text);

    /// @notice The rule would refuse the opener for another reason than that nothing is open, or something is.
    error ConsentRegistry_CannotOpen(Reason reason);
    /// @notice The opener has as many openings without a review as one may.
    error ConsentRegistry_Unreviewed(address opener, uint8 openings);
    error ConsentRegistry_UnknownOpening(uint64 opening);
    error ConsentRegistry_AlreadyReviewed(uint64 opening);
    /// @notice A reviewer is an active AUDITOR and neither the opener nor of its organisation.
    error ConsentRegistry_NotReviewer(address caller);
    /// @notice `field` names a code that the vocabulary does not have.
    error ConsentRegistry_UnknownCode(bytes32 field);

    /// @notice As a member of kind EMERGENCY, open the grant in a slot that the twin's owner gave the caller or its
    /// organisation, if it is in force and sleeps.
    /// @param number The slot.
    /// @param cause A number of `Cause`.
    /// @param text Digest of sealed words, or zero.
    function openEmergency(uint256 twin, address grantee, uint8 number, uint8 cause, bytes32 text)
        external
        returns (uint64 opening);

    /// @notice As an AUDITOR of another organisation, say what one found of an opening, once. Late counts too.
    /// @param finding A number of `Finding`.
    /// @param text Digest of sealed words, or zero.
    function reviewEmergency(uint64 opening, uint8 finding, bytes32 text) external;

    /// @notice How many openings there ever were: they are numbered from 1.
    function openingCount() external view returns (uint64);

    function openingOf(uint64 opening) external view returns (Opening memory);

    /// @notice How many openings of a member's wait for a review.
    function unreviewedOf(address opener) external view returns (uint8);
}
