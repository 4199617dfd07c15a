// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {IMemberRegistry} from "../../contracts/interfaces/IMemberRegistry.sol";
import {ITypedDomain} from "../../contracts/interfaces/ITypedDomain.sol";
import {Kind} from "../../contracts/types/Vocabulary.sol";
import {World} from "./support/World.sol";
import {vm} from "./support/Vm.sol";

/// @notice Kinds, suspension and keyrings: what the registry's roles do to a member, and an organisation's own block.
contract MemberKindsTest is World {
    bytes32 private constant FIRST = keccak256("a keyring");
    bytes32 private constant SECOND = keccak256("the next keyring");

    function setUp() external {
        deploy();
        enrol(HOSPITAL, address(0), 0);
        enrol(CLINICIAN, hospital, kind(Kind.CLINICIAN));
    }

    // Kinds

    function testFuzz_a_registrar_sets_any_kinds_but_adds_no_guarded_one(uint16 before, uint16 kinds) external {
        before &= Kind.KNOWN_BITS;
        kinds &= Kind.KNOWN_BITS;
        addGuardedKinds(clinician, before & Kind.GUARDED_BITS);
        vm.prank(REGISTRAR);
        members.setKinds(clinician, before);

        bool added = kinds & Kind.GUARDED_BITS & ~before != 0;
        if (added) {
            vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_GuardedKinds.selector, kinds));
        } else {
            vm.expectEmit(address(members));
            emit IMemberRegistry.KindsSet(clinician, kinds);
        }
        vm.prank(REGISTRAR);
        members.setKinds(clinician, kinds);
        vm.assertEq(members.memberOf(clinician).kinds, added ? before : kinds, "kinds");
    }

    function test_kinds_that_the_vocabulary_does_not_know_are_refused() external {
        uint16 unknown = 1 << 9;
        vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_UnknownKinds.selector, unknown));
        vm.prank(REGISTRAR);
        members.setKinds(clinician, unknown);
        vm.prank(REGISTRAR);
        members.setKinds(clinician, 1 << 8);
    }

    function test_a_stranger_has_no_kinds_to_set() external {
        _expectNotEnrolled(stranger);
        vm.prank(REGISTRAR);
        members.setKinds(stranger, 1);
        vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_NotEnrolled.selector, stranger));
        this.addByStewards(stranger, kind(Kind.CUSTODIAN));
        enrol(STRANGER, address(0), 0);
        vm.prank(REGISTRAR);
        members.setKinds(stranger, 1);
        this.addByStewards(stranger, kind(Kind.CUSTODIAN));
    }

    function test_stewards_add_guarded_kinds_to_those_there_are() external {
        schedule(abi.encodeCall(members.addGuardedKinds, (clinician, kind(Kind.EMERGENCY))));
        vm.expectEmit(address(members));
        emit IMemberRegistry.KindsSet(clinician, kind(Kind.CLINICIAN) | kind(Kind.EMERGENCY));
        vm.prank(STEWARD);
        members.addGuardedKinds(clinician, kind(Kind.EMERGENCY));
        addGuardedKinds(clinician, kind(Kind.CUSTODIAN));
        vm.assertEq(members.memberOf(clinician).kinds, 1 | Kind.GUARDED_BITS, "kinds");
    }

    function testFuzz_stewards_add_no_other_kinds(uint16 kinds) external {
        if (kinds & ~Kind.GUARDED_BITS != 0) {
            vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_UnguardedKinds.selector, kinds));
        }
        this.addByStewards(clinician, kinds);
    }

    function test_stewards_wait_their_delay() external {
        bytes memory call = abi.encodeCall(members.addGuardedKinds, (clinician, kind(Kind.CUSTODIAN)));
        bytes32 id = authority.hashOperation(STEWARD, address(members), call);
        vm.expectRevert(abi.encodeWithSelector(IAccessManager.AccessManagerNotScheduled.selector, id));
        vm.prank(STEWARD);
        members.addGuardedKinds(clinician, kind(Kind.CUSTODIAN));

        vm.prank(STEWARD);
        authority.schedule(address(members), call, 0);
        vm.warp(START + GOVERNANCE_DELAY - 1);
        vm.expectRevert(abi.encodeWithSelector(IAccessManager.AccessManagerNotReady.selector, id));
        vm.prank(STEWARD);
        members.addGuardedKinds(clinician, kind(Kind.CUSTODIAN));

        vm.warp(START + GOVERNANCE_DELAY);
        vm.prank(STEWARD);
        members.addGuardedKinds(clinician, kind(Kind.CUSTODIAN));
    }

    // Suspension

    function test_a_member_is_suspended_at_once_and_reinstated_after_the_delay() external {
        vm.expectEmit(address(members));
        emit IMemberRegistry.Suspended(clinician);
        suspend(clinician);
        vm.assertTrue(!members.isActive(clinician), "active while suspended");

        schedule(abi.encodeCall(members.reinstate, (clinician)));
        vm.expectEmit(address(members));
        emit IMemberRegistry.Reinstated(clinician);
        vm.prank(STEWARD);
        members.reinstate(clinician);
        vm.assertTrue(members.isActive(clinician), "active once reinstated");
    }

    function test_a_member_of_a_suspended_organisation_is_not_active() external {
        vm.assertTrue(members.isActive(clinician), "before");
        suspend(hospital);
        vm.assertTrue(!members.isActive(clinician), "after");
    }

    function test_a_suspension_or_reinstatement_without_effect_is_refused() external {
        vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_NotSuspended.selector, clinician));
        this.reinstateByStewards(clinician);
        suspend(clinician);
        vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_AlreadySuspended.selector, clinician));
        suspend(clinician);
        this.reinstateByStewards(clinician);
        _expectNotEnrolled(stranger);
        suspend(stranger);
    }

    function test_each_restricted_call_is_its_roles_alone() external {
        suspend(clinician);
        address[5] memory callers = [REGISTRAR, SUSPENDER, MINTER, hospital, clinician];
        for (uint256 i = 0; i < callers.length; ++i) {
            if (callers[i] != REGISTRAR) {
                _expectUnauthorized(callers[i]);
                vm.prank(callers[i]);
                members.setKinds(clinician, 0);
            }
            if (callers[i] != SUSPENDER) {
                _expectUnauthorized(callers[i]);
                vm.prank(callers[i]);
                members.suspend(hospital);
            }
            _expectUnauthorized(callers[i]);
            vm.prank(callers[i]);
            members.addGuardedKinds(clinician, 4);
            _expectUnauthorized(callers[i]);
            vm.prank(callers[i]);
            members.reinstate(clinician);
        }
    }

    // Keyrings

    function test_an_organisation_replaces_its_keyring_by_naming_the_present_one() external {
        vm.expectEmit(address(members));
        emit IMemberRegistry.KeyringSet(hospital, FIRST);
        vm.prank(hospital);
        members.setKeyring(FIRST, 0);

        vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_StaleKeyring.selector, 0, FIRST));
        vm.prank(hospital);
        members.setKeyring(SECOND, 0);
        vm.prank(hospital);
        members.setKeyring(SECOND, FIRST);
        vm.assertEq(members.keyringOf(hospital), SECOND, "keyring");
    }

    function test_a_signed_keyring_counts_once() external {
        bytes memory signature = _signKeyring(HOSPITAL, FIRST, 0, soon());
        vm.prank(RELAYER);
        members.setKeyringSigned(hospital, FIRST, 0, soon(), signature);
        vm.assertEq(members.keyringOf(hospital), FIRST, "keyring");
        vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_StaleKeyring.selector, 0, FIRST));
        members.setKeyringSigned(hospital, FIRST, 0, soon(), signature);
    }

    function test_a_signed_keyring_is_the_organisations_and_in_time() external {
        bytes memory signature = _signKeyring(CLINICIAN, FIRST, 0, soon());
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_WrongSignature.selector, hospital));
        members.setKeyringSigned(hospital, FIRST, 0, soon(), signature);

        uint40 past = time() - 1;
        signature = _signKeyring(HOSPITAL, FIRST, 0, past);
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_DeadlinePassed.selector, past));
        members.setKeyringSigned(hospital, FIRST, 0, past, signature);

        signature = _signKeyring(HOSPITAL, FIRST, 0, soon());
        members.setKeyringSigned(hospital, FIRST, 0, soon(), signature);
    }

    function test_a_stranger_has_no_keyring() external {
        _expectNotEnrolled(stranger);
        vm.prank(stranger);
        members.setKeyring(FIRST, 0);
        enrol(STRANGER, address(0), 0);
        vm.prank(stranger);
        members.setKeyring(FIRST, 0);
    }

    function addByStewards(address member, uint16 kinds) external {
        addGuardedKinds(member, kinds);
    }

    function reinstateByStewards(address member) external {
        steward(abi.encodeCall(members.reinstate, (member)));
    }

    function _signKeyring(uint256 key, bytes32 digest, bytes32 previous, uint40 deadline)
        private
        view
        returns (bytes memory)
    {
        return sign(key, members, messages.keyring(hospital, digest, previous, deadline));
    }

    function _expectNotEnrolled(address member) private {
        vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_NotEnrolled.selector, member));
    }

    function _expectUnauthorized(address caller) private {
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, caller));
    }
}
