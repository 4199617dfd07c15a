// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Facts, IConsentRegistry, Request} from "../interfaces/IConsentRegistry.sol";
import {Grant, Grants} from "../types/Grant.sol";
import {Action, Kind, Purpose, Reason} from "../types/Vocabulary.sol";
import {Bits} from "./Bits.sol";

/// @title Rule
/// @notice The rule itself: what is permitted, given the facts. Pure, and written again in dtledger/policy.py.
///
/// The questions are asked in the order of `Reason`, and the first that applies is the answer. FROZEN and NOT_YET are
/// judged at the earliest time that it may be, EXPIRED at the latest, so a doubt about time denies.
library Rule {
    /// @notice Minutes from here on have no leaf in a key tree (the year 4011).
    uint32 internal constant MINUTES = 2 ** 30;

    /// @notice The slots that an owner has for one grantee on one twin.
    uint8 internal constant SLOTS = 8;

    /// @notice Reverts if the request is not a question that the rule can answer.
    function requireWellFormed(Request calldata request, uint40 earliest, uint40 latest) internal pure {
        if (request.requester == address(0)) _refuse("requester");
        if (request.grantee == address(0)) _refuse("grantee");
        if (request.number >= SLOTS) _refuse("number");
        if (request.action > Action.TRAIN) _refuse("action");
        bool named = request.purpose != 0;
        if (named == (request.action == Action.WRITE) || request.purpose >= 32) _refuse("purpose");
        if (request.category >= 32) _refuse("category");
        if (request.from > request.until || request.until >= MINUTES) _refuse("period");
        if (earliest > latest) _refuse("time");
    }

    /// @notice The first reason that applies.
    function judge(Facts memory facts, Request calldata request, uint40 earliest, uint40 latest)
        internal
        pure
        returns (Reason)
    {
        if (facts.owner == address(0)) return Reason.TWIN_UNKNOWN;
        if (facts.retired) return Reason.RETIRED;
        if (earliest < facts.frozenUntil) return Reason.FROZEN;
        if (request.requester == facts.owner && request.action == Action.READ && request.purpose == Purpose.PATRQT) {
            return Reason.OWNER;
        }
        if (!facts.enrolled) return Reason.NOT_ENROLLED;
        if (facts.suspended) return Reason.SUSPENDED;
        if (facts.blocked) return Reason.BLOCKED;

        Grant grant = facts.grant;
        if (grant.isEmpty()) return Reason.NO_GRANT;
        if (request.grantee != request.requester && request.grantee != facts.organisation) return Reason.NO_GRANT;
        if (grant.actions() == 0 || grant.revision() == Grants.LAST_REVISION) return Reason.REVOKED;
        if (grant.epoch() != facts.epoch || facts.epoch == Grants.LAST_EPOCH) return Reason.REVOKED;
        if (earliest < grant.notBeforeAt()) return Reason.NOT_YET;
        if (latest >= grant.expiresAt()) return Reason.EXPIRED;
        Reason reason = _judgeTerms(grant, facts.kinds, request);
        bool open = reason == Reason.EMERGENCY_CLOSED && latest < facts.closesAt;
        return open ? Reason.PERMITTED : reason;
    }

    /// @dev Of a grant that is in force. One with the EMERGENCY bit permits READ for ETREAT to an EMERGENCY member and
    /// nothing else, whatever its other bits, and sleeps: who opened it is asked above.
    function _judgeTerms(Grant grant, uint16 kinds, Request calldata request) private pure returns (Reason) {
        (uint8 action, uint8 purpose) = (request.action, request.purpose);
        bool emergency = Bits.has(grant.actions(), Action.EMERGENCY);

        if (emergency ? action != Action.READ : !Bits.has(grant.actions(), action)) return Reason.ACTION;
        if (!Bits.has(grant.categories(), request.category)) return Reason.CATEGORY;
        if (action != Action.WRITE) {
            if (emergency ? purpose != Purpose.ETREAT : !Bits.has(grant.purposes(), purpose)) return Reason.PURPOSE;
        }
        if (request.from < grant.dataFrom() || request.until > grant.dataUntil()) return Reason.PERIOD;
        if (emergency) return Bits.has(kinds, Kind.EMERGENCY) ? Reason.EMERGENCY_CLOSED : Reason.KIND;
        if (action == Action.WRITE && !Bits.has(kinds, Kind.GATEWAY)) return Reason.KIND;
        if (action == Action.TRAIN && !Bits.has(kinds, Kind.RESEARCHER)) return Reason.KIND;
        return Reason.PERMITTED;
    }

    function _refuse(bytes32 field) private pure {
        revert IConsentRegistry.ConsentRegistry_MalformedRequest(field);
    }
}
