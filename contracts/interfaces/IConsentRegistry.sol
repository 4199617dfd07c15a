// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Grant} from "../types/Grant.sol";
import {Reason} from "../types/Vocabulary.sol";
import {ITwinRegistry} from "./ITwinRegistry.sol";

/// @notice One slot to be granted, of several that share their terms.
struct Recipient {
    address grantee;
    uint8 number;
    bytes32 package;
}

/// @notice One slot of an owner on a twin.
struct Slot {
    address grantee;
    uint8 number;
}

/// @notice One slot to be granted again while everything else is revoked.
/// @param revision The slot's, as the owner saw it. If the slot holds another by then, it is revoked with the rest.
struct Regrant {
    address grantee;
    uint8 number;
    uint16 revision;
    Grant terms;
    bytes32 package;
}

/// @notice One question to the rule: may `requester`, under slot `number` that the owner gave `grantee`, do `action` for
/// `purpose` to data of bit `category` over the whole of [from, until] (unix minutes)?
/// @param grantee The requester itself, or its organisation.
/// @param action A number of `Action`: READ, WRITE or TRAIN.
/// @param purpose A number of `Purpose`; zero for WRITE, and for WRITE alone.
struct Request {
    uint256 twin;
    address requester;
    address grantee;
    uint8 number;
    uint8 action;
    uint8 purpose;
    uint8 category;
    uint32 from;
    uint32 until;
}

/// @notice All that the rule asks of the ledger for one twin, requester and slot.
/// @param owner The twin's present owner, or zero if there is no such twin.
/// @param frozenUntil When the twin's freeze ends or ended.
/// @param suspended The requester, its organisation or the grantee is.
/// @param blocked The requester, its organisation or the grantee is, on this twin.
/// @param kinds The requester's.
/// @param organisation The requester's.
/// @param grant The slot's word, as the present owner wrote it.
/// @param epoch The present owner's on this twin.
/// @param closesAt When the requester's opening of that grant ends, in unix seconds; zero if it has none.
struct Facts {
    address owner;
    bool retired;
    uint40 frozenUntil;
    bool enrolled;
    bool suspended;
    bool blocked;
    uint16 kinds;
    address organisation;
    Grant grant;
    uint24 epoch;
    uint40 closesAt;
}

/// @title IConsentRegistry
/// @notice What owners permit, and the rule that decides.
interface IConsentRegistry {
    event Granted(
        address indexed owner, uint256 indexed twin, address indexed grantee, uint8 number, Grant grant, bytes32 package
    );
    event Revoked(address indexed owner, uint256 indexed twin, address indexed grantee, uint8 number, Grant grant);
    event AllRevoked(address indexed owner, uint256 indexed twin, uint24 epoch);
    event Blocked(uint256 indexed twin, address indexed grantee, uint32 count);
    event Unblocked(uint256 indexed twin, address indexed grantee, uint32 count);

    /// @notice The terms cannot be granted; `field` names the one at fault.
    error ConsentRegistry_InvalidTerms(bytes32 field);
    /// @notice The request is not a question that the rule can answer; `field` names the part at fault.
    error ConsentRegistry_MalformedRequest(bytes32 field);
    error ConsentRegistry_NotOwner(uint256 twin, address caller);
    error ConsentRegistry_NotOwnerNorGrantee(address caller);
    error ConsentRegistry_StaleRevision(uint16 named, uint16 present);
    error ConsentRegistry_StaleEpoch(uint24 named, uint24 present);
    error ConsentRegistry_StaleBlockCount(uint32 named, uint32 present);
    /// @notice The slot's revisions are used up: it never permits again.
    error ConsentRegistry_SlotSpent(address grantee, uint8 number);
    /// @notice The owner's epochs on this twin are used up: none of its grants permits again.
    error ConsentRegistry_EpochSpent(address owner, uint256 twin);
    /// @notice The counts of this block are used up: the grantee stays as it is, and can only be blocked.
    error ConsentRegistry_BlockSpent(uint256 twin, address grantee);

    /// @notice Give a grant in a slot of the caller's, in place of what was there. It counts while the caller owns the
    /// twin, and may be given before it does.
    /// @param number The slot, 0 to 7.
    /// @param terms A Grant whose revision and epoch are zero.
    /// @param package Digest of the package that is sealed to the grantee.
    function grant(uint256 twin, address grantee, uint8 number, Grant terms, bytes32 package) external;

    /// @notice Give several grants on the same terms.
    function grantMany(uint256 twin, Grant terms, Recipient[] calldata recipients) external;

    /// @notice As the owner who gave it or the grantee who has it, revoke one grant. An empty slot may be revoked.
    function revoke(address owner, uint256 twin, address grantee, uint8 number) external;

    /// @notice As the owner who gave them, revoke several grants.
    function revokeMany(uint256 twin, Slot[] calldata slots) external;

    /// @notice As the owner who gave them, revoke all grants on the twin, and grant some again in the same breath: those
    /// that still stand as `keep` names them, of the present epoch and neither revoked nor spent. Each is told by its
    /// `Granted`; the others are passed over, so that no grantee can stop the revocation of the rest. Terms, grantees and
    /// numbers that no grant could have are refused, whatever stands in their slots.
    function revokeAll(uint256 twin, Regrant[] calldata keep) external;

    /// @notice As the twin's owner, deny a grantee everything, whatever grants there are.
    function blockGrantee(uint256 twin, address grantee) external;

    /// @notice As the twin's owner, end a block.
    function unblockGrantee(uint256 twin, address grantee) external;

    /// @notice The rule. The first reason that applies; PERMITTED and OWNER permit.
    /// @param earliest The earliest time that it may be, in unix seconds: FROZEN and NOT_YET are judged there.
    /// @param latest The latest: EXPIRED is judged there.
    function check(Request calldata request, uint40 earliest, uint40 latest) external view returns (Reason);

    /// @notice What the rule asks of the ledger, now. With it many periods and categories can be judged in one go.
    function factsOf(uint256 twin, address requester, address grantee, uint8 number)
        external
        view
        returns (Facts memory);

    /// @notice The word in a slot.
    function grantOf(address owner, uint256 twin, address grantee, uint8 number) external view returns (Grant);

    /// @notice How often an owner revoked all its grants on a twin.
    function epochOf(address owner, uint256 twin) external view returns (uint24);

    /// @notice The count of a grantee's blocks and unblocks on a twin: odd means blocked.
    function blockCountOf(uint256 twin, address grantee) external view returns (uint32);

    /// @notice How many are blocked on a twin now.
    function blockedOn(uint256 twin) external view returns (uint32);

    /// @notice The twins that are decided on.
    function TWINS() external view returns (ITwinRegistry);
}
