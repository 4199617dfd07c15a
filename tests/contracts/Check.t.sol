// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IConsentRegistry, Request} from "../../contracts/interfaces/IConsentRegistry.sol";
import {Action, Purpose, Reason} from "../../contracts/types/Vocabulary.sol";
import {Asking} from "./support/Asking.sol";
import {bound, vm} from "./support/Vm.sol";

/// @notice The rule, leaf by leaf: the request, the twin, and those who ask. `CheckGrantTest` goes on with the grant. Each test shows the refusal and the same request permitted once its one fault is
/// mended.
///
/// check
/// ├── malformed: requester, grantee, number, action, purpose, category, period, time → reverts
/// ├── no such twin → TWIN_UNKNOWN
/// ├── retirement announced → RETIRED
/// ├── the owner reads for PATRQT → OWNER
/// ├── the requester is not enrolled → NOT_ENROLLED
/// ├── requester, its organisation or the grantee suspended → SUSPENDED
/// ├── requester, its organisation or the grantee blocked on the twin → BLOCKED
/// ├── the slot is empty, or the grantee is neither the requester nor its organisation → NO_GRANT
/// ├── revoked, of another epoch, or a counter at its last value → REVOKED
/// ├── earliest before notBeforeAt → NOT_YET
/// ├── latest at or after expiresAt → EXPIRED
/// ├── the grant has the EMERGENCY bit
/// │   ├── not READ → ACTION · category not covered → CATEGORY · not for ETREAT → PURPOSE · outside the period → PERIOD
/// │   ├── the requester is not of kind EMERGENCY → KIND
/// │   └── EMERGENCY_CLOSED
/// └── it does not
///     ├── action not covered → ACTION · category → CATEGORY · purpose, unless WRITE → PURPOSE · period → PERIOD
///     ├── WRITE by no GATEWAY, TRAIN by no RESEARCHER → KIND
///     └── PERMITTED
contract CheckTest is Asking {
    // Malformed

    function test_a_well_formed_request_is_answered() external view {
        _expect(someRequest(), Reason.PERMITTED);
    }

    function test_a_request_names_requester_and_grantee() external {
        Request memory r = someRequest();
        r.requester = address(0);
        _expectMalformed(r, "requester");
        r = someRequest();
        r.grantee = address(0);
        _expectMalformed(r, "grantee");
    }

    function testFuzz_a_slot_number_runs_to_7(uint8 number) external {
        Request memory r = someRequest();
        r.number = number;
        if (number > 7) _expectMalformed(r, "number");
        else _expect(r, number == 0 ? Reason.PERMITTED : Reason.NO_GRANT);
    }

    function testFuzz_an_action_runs_to_TRAIN(uint8 action) external {
        Request memory r = someRequest();
        r.action = action;
        r.purpose = action == Action.WRITE ? 0 : Purpose.TREAT;
        if (action > Action.TRAIN) _expectMalformed(r, "action");
        else _expect(r, action == Action.READ ? Reason.PERMITTED : Reason.KIND);
    }

    function testFuzz_READ_and_TRAIN_name_a_purpose_and_WRITE_none(uint256 action, uint8 purpose) external {
        Request memory r = someRequest();
        r.action = uint8(bound(action, 0, 2));
        r.purpose = purpose;
        bool named = purpose != 0 && purpose < 32;
        if (r.action == Action.WRITE ? purpose != 0 : !named) _expectMalformed(r, "purpose");
        else consents.check(r, time(), time());
    }

    function testFuzz_a_category_runs_to_31(uint8 category) external {
        Request memory r = someRequest();
        r.category = category;
        if (category > 31) _expectMalformed(r, "category");
        else _expect(r, category == 0 || category == 3 ? Reason.PERMITTED : Reason.CATEGORY);
    }

    function testFuzz_a_period_runs_forwards_within_the_key_tree(uint32 from, uint32 until) external {
        Request memory r = someRequest();
        (r.from, r.until) = (from, until);
        if (from > until || until >= 2 ** 30) _expectMalformed(r, "period");
        else _expect(r, from >= 1000 && until <= 2000 ? Reason.PERMITTED : Reason.PERIOD);
    }

    function testFuzz_time_runs_forwards(uint40 earliest, uint40 latest) external {
        Request memory r = someRequest();
        earliest = uint40(bound(earliest, START - 10 days, START + 40 days));
        latest = uint40(bound(latest, START - 10 days, START + 40 days));
        if (earliest > latest) {
            vm.expectRevert(_malformed("time"));
            consents.check(r, earliest, latest);
        } else {
            Reason expected =
                earliest < START ? Reason.NOT_YET : latest >= START + 30 days ? Reason.EXPIRED : Reason.PERMITTED;
            vm.assertTrue(consents.check(r, earliest, latest) == expected, "time");
        }
    }

    // Twin and owner

    function test_an_unknown_twin() external {
        Request memory r = someRequest();
        r.twin = 2;
        vm.prank(patient);
        consents.grant(2, clinician, 0, pack(broadTerms()), "package");
        _expect(r, Reason.TWIN_UNKNOWN);
        mint(PATIENT);
        _expect(r, Reason.PERMITTED);
    }

    function test_a_retired_twin_from_the_announcement_on() external {
        vm.prank(patient);
        twins.announceRetirement(1);
        _expect(someRequest(), Reason.RETIRED);
        Request memory own = _ownersRequest();
        _expect(own, Reason.RETIRED);
        vm.prank(patient);
        twins.cancelRetirement(1);
        _expect(someRequest(), Reason.PERMITTED);
        _expect(own, Reason.OWNER);
    }

    function test_the_owner_reads_for_PATRQT_without_being_enrolled() external view {
        _expect(_ownersRequest(), Reason.OWNER);
    }

    function test_the_owner_for_another_purpose_or_action_is_anyone() external view {
        Request memory r = _ownersRequest();
        r.purpose = Purpose.TREAT;
        _expect(r, Reason.NOT_ENROLLED);
        r = _ownersRequest();
        r.action = Action.TRAIN;
        _expect(r, Reason.NOT_ENROLLED);
        r = _ownersRequest();
        r.requester = stranger;
        _expect(r, Reason.NOT_ENROLLED);
    }

    function test_a_grant_counts_while_its_giver_owns_the_twin() external {
        vm.prank(otherPatient);
        consents.grant(1, researcher, 0, pack(broadTerms()), "package");
        Request memory r = someRequest();
        (r.requester, r.grantee) = (researcher, researcher);
        _expect(r, Reason.NO_GRANT);
        move(1, PATIENT, OTHER_PATIENT);
        _expect(r, Reason.PERMITTED);
        _expect(someRequest(), Reason.NO_GRANT);
    }

    // Requester

    function test_a_stranger() external {
        vm.prank(patient);
        consents.grant(1, stranger, 0, pack(broadTerms()), "package");
        Request memory r = someRequest();
        (r.requester, r.grantee) = (stranger, stranger);
        _expect(r, Reason.NOT_ENROLLED);
        enrol(STRANGER, address(0), 0);
        _expect(r, Reason.PERMITTED);
    }

    function test_a_suspended_requester() external {
        suspend(clinician);
        _expect(someRequest(), Reason.SUSPENDED);
        steward(abi.encodeCall(members.reinstate, (clinician)));
        _expect(someRequest(), Reason.PERMITTED);
    }

    function test_a_requester_of_a_suspended_organisation() external {
        suspend(hospital);
        _expect(someRequest(), Reason.SUSPENDED);
        steward(abi.encodeCall(members.reinstate, (hospital)));
        _expect(someRequest(), Reason.PERMITTED);
    }

    function test_a_suspended_grantee_that_is_not_the_requesters() external {
        Request memory r = someRequest();
        r.grantee = clinic;
        suspend(clinic);
        _expect(r, Reason.SUSPENDED);
        steward(abi.encodeCall(members.reinstate, (clinic)));
        _expect(r, Reason.NO_GRANT);
    }

    function test_a_blocked_requester() external {
        _block(clinician);
        _expect(someRequest(), Reason.BLOCKED);
        _unblock(clinician);
        _expect(someRequest(), Reason.PERMITTED);
    }

    function test_a_requester_of_a_blocked_organisation() external {
        _block(hospital);
        _expect(someRequest(), Reason.BLOCKED);
        _unblock(hospital);
        _expect(someRequest(), Reason.PERMITTED);
    }

    function test_a_blocked_grantee_that_is_not_the_requesters() external {
        Request memory r = someRequest();
        r.grantee = clinic;
        _block(clinic);
        _expect(r, Reason.BLOCKED);
        _unblock(clinic);
        _expect(r, Reason.NO_GRANT);
    }

    function test_a_block_is_of_one_twin_and_survives_a_move() external {
        mint(PATIENT);
        vm.prank(patient);
        consents.grant(2, clinician, 0, pack(broadTerms()), "package");
        _block(clinician);
        Request memory r = someRequest();
        r.twin = 2;
        _expect(r, Reason.PERMITTED);

        move(1, PATIENT, OTHER_PATIENT);
        vm.prank(otherPatient);
        consents.grant(1, clinician, 0, pack(broadTerms()), "package");
        _expect(someRequest(), Reason.BLOCKED);
        vm.prank(otherPatient);
        consents.unblockGrantee(1, clinician);
        _expect(someRequest(), Reason.PERMITTED);
    }

    // Parts

    function _ownersRequest() private view returns (Request memory r) {
        r = someRequest();
        (r.requester, r.purpose) = (patient, Purpose.PATRQT);
    }

    function _block(address grantee) private {
        vm.prank(patient);
        consents.blockGrantee(1, grantee);
    }

    function _unblock(address grantee) private {
        vm.prank(patient);
        consents.unblockGrantee(1, grantee);
    }

    function _expectMalformed(Request memory r, bytes32 field) private {
        vm.expectRevert(_malformed(field));
        consents.check(r, START, START);
    }

    function _malformed(bytes32 field) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IConsentRegistry.ConsentRegistry_MalformedRequest.selector, field);
    }
}
