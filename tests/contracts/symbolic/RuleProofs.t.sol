// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Facts, Request} from "../../../contracts/interfaces/IConsentRegistry.sol";
import {Rule} from "../../../contracts/libraries/Rule.sol";
import {Grant, Grants} from "../../../contracts/types/Grant.sol";
import {Reason} from "../../../contracts/types/Vocabulary.sol";

/// @notice The rule, whatever the facts, the request and the times: each denial denies. Halmos runs what begins with
/// `check`: scripts/test --halmos. `Reason.OWNER` asks for no grant, and no grant's end touches it.
contract RuleProofs {
    function check_no_permit_under_a_revoked_word(
        Facts memory facts,
        Request calldata request,
        uint40 earliest,
        uint40 latest,
        uint256 before,
        uint16 revision
    ) external pure {
        facts.grant = Grant.wrap(before).revoked(revision);
        assert(Rule.judge(facts, request, earliest, latest) != Reason.PERMITTED);
    }

    function check_no_permit_of_another_epoch(
        Facts memory facts,
        Request calldata request,
        uint40 earliest,
        uint40 latest
    ) external pure {
        bool ended = facts.grant.epoch() != facts.epoch || facts.epoch == Grants.LAST_EPOCH;
        bool permits = Rule.judge(facts, request, earliest, latest) == Reason.PERMITTED;
        assert(!(ended && permits));
    }

    function check_no_permit_outside_its_time(
        Facts memory facts,
        Request calldata request,
        uint40 earliest,
        uint40 latest
    ) external pure {
        bool outside = earliest < facts.grant.notBeforeAt() || latest >= facts.grant.expiresAt();
        bool permits = Rule.judge(facts, request, earliest, latest) == Reason.PERMITTED;
        assert(!(outside && permits));
    }

    function check_no_permit_outside_its_period(
        Facts memory facts,
        Request calldata request,
        uint40 earliest,
        uint40 latest
    ) external pure {
        bool outside = request.from < facts.grant.dataFrom() || request.until > facts.grant.dataUntil();
        bool permits = Rule.judge(facts, request, earliest, latest) == Reason.PERMITTED;
        assert(!(outside && permits));
    }

    function check_what_the_registries_take_away_nothing_gives(
        Facts memory facts,
        Request calldata request,
        uint40 earliest,
        uint40 latest
    ) external pure {
        bool away = facts.owner == address(0) || facts.retired || earliest < facts.frozenUntil || !facts.enrolled
            || facts.suspended || facts.blocked;
        bool permits = Rule.judge(facts, request, earliest, latest) == Reason.PERMITTED;
        assert(!(away && permits));
    }

    function check_no_permit_in_anothers_name(
        Facts memory facts,
        Request calldata request,
        uint40 earliest,
        uint40 latest
    ) external pure {
        bool other = request.grantee != request.requester && request.grantee != facts.organisation;
        bool permits = Rule.judge(facts, request, earliest, latest) == Reason.PERMITTED;
        assert(!(other && permits));
    }

    /// @dev The proofs above prove something: there is a permit. Halmos must find what refutes this one.
    function check_refuted_nothing_is_ever_permitted(
        Facts memory facts,
        Request calldata request,
        uint40 earliest,
        uint40 latest
    ) external pure {
        assert(Rule.judge(facts, request, earliest, latest) != Reason.PERMITTED);
    }
}
