// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IConsentRegistry} from "../../contracts/interfaces/IConsentRegistry.sol";
import {Carried, IRelay, Outcome} from "../../contracts/interfaces/IRelay.sol";
import {SignedGrant, SignedRevoke} from "../../contracts/interfaces/ISignedConsents.sol";
import {ITypedDomain} from "../../contracts/interfaces/ITypedDomain.sol";
import {Signing} from "./support/Signing.sol";
import {Log, vm} from "./support/Vm.sol";

/// @notice A signer that is a contract and takes whatever gas it is given to say whether it signed.
contract Insatiable {
    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        while (gasleft() > 1_000) {} // to say so costs less, without the optimizer too
        return 0x1626ba7e;
    }
}

/// @notice A signer that is a contract and says that it signed where it has gas enough, and otherwise that it did not.
contract Wary {
    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        return gasleft() > 1_000_000 ? bytes4(0x1626ba7e) : bytes4(0);
    }
}

/// @notice Many messages in one transaction: each as if it were alone.
contract RelayTest is Signing {
    uint32 private constant GAS = 200_000;

    function test_messages_of_several_people_land_in_one_transaction() external {
        mint(OTHER_PATIENT);
        Carried[] memory calls = new Carried[](2);
        calls[0] = _grantBy(PATIENT, 1, 0);
        calls[1] = _grantBy(OTHER_PATIENT, 2, 0);
        Outcome[] memory outcomes = _carry(calls);
        vm.assertTrue(outcomes[0].landed && outcomes[1].landed, "both landed");
        vm.assertEq(consents.grantOf(patient, 1, clinician, 0).revision(), 1, "the patient's");
        vm.assertEq(consents.grantOf(otherPatient, 2, clinician, 0).revision(), 1, "the other patient's");
    }

    function test_one_that_is_refused_stops_none_and_says_why() external {
        mint(OTHER_PATIENT);
        Carried[] memory calls = new Carried[](3);
        calls[0] = _grantBy(PATIENT, 1, 0);
        calls[1] = _grantBy(PATIENT, 1, 7);
        calls[2] = _grantBy(OTHER_PATIENT, 2, 0);
        bytes memory reason = abi.encodeWithSelector(IConsentRegistry.ConsentRegistry_StaleRevision.selector, 7, 1);
        vm.expectEmit(address(relay));
        emit IRelay.Refused(1, reason);
        Outcome[] memory outcomes = _carry(calls);
        vm.assertTrue(outcomes[0].landed && !outcomes[1].landed && outcomes[2].landed, "the one alone");
        vm.assertEq(keccak256(outcomes[1].reason), keccak256(reason), "its reason");
        vm.assertEq(outcomes[0].reason.length + outcomes[2].reason.length, 0, "no other's");
        vm.assertEq(consents.grantOf(patient, 1, clinician, 0).revision(), 1, "the first stands");
        vm.assertEq(consents.grantOf(otherPatient, 2, clinician, 0).revision(), 1, "the last stands");
    }

    function test_a_message_twice_in_one_transaction_lands_once() external {
        Carried[] memory calls = new Carried[](2);
        (calls[0], calls[1]) = (_revocation(PATIENT), _revocation(PATIENT));
        Outcome[] memory outcomes = _carry(calls);
        vm.assertTrue(outcomes[0].landed && !outcomes[1].landed, "once");
        vm.assertEq(consents.grantOf(patient, 1, clinician, 0).revision(), 4, "as the message says");
    }

    function testFuzz_a_forged_message_is_refused_wherever_it_stands(uint256 place) external {
        Carried[] memory calls = new Carried[](3);
        for (uint256 i = 0; i < 3; ++i) {
            calls[i] = Carried(address(consents), GAS, abi.encodeCall(consents.revoke, (patient, 1, clinician, 0)));
        }
        place %= 3;
        calls[place] = _revocation(STRANGER);
        Outcome[] memory outcomes = _carry(calls);
        bytes memory forged = abi.encodeWithSelector(ITypedDomain.TypedDomain_WrongSignature.selector, patient);
        vm.assertEq(keccak256(outcomes[place].reason), keccak256(forged), "the forged one");
        vm.assertEq(_word(clinician, 0).revision(), 0, "nothing was revoked");
        calls[place] = _revocation(PATIENT);
        vm.assertTrue(_carry(calls)[place].landed, "the true one");
    }

    /// @dev Who is asked for its own sake is the contract that carries, and that is nobody.
    function test_nothing_that_only_its_owner_may_do_is_done_through_it() external {
        bytes[5] memory own = [
            abi.encodeCall(consents.revoke, (patient, 1, clinician, 0)),
            abi.encodeCall(consents.blockGrantee, (1, clinician)),
            abi.encodeCall(consents.unblockGrantee, (1, clinician)),
            abi.encodeCall(twins.announceRetirement, (1)),
            abi.encodeCall(members.suspend, (clinician))
        ];
        Carried[] memory calls = new Carried[](own.length);
        for (uint256 i = 0; i < own.length; ++i) {
            address target = i < 3 ? address(consents) : i == 3 ? address(twins) : address(members);
            calls[i] = Carried(target, GAS, own[i]);
        }
        vm.prank(patient);
        Outcome[] memory outcomes = relay.carry(calls);
        for (uint256 i = 0; i < own.length; ++i) {
            vm.assertTrue(!outcomes[i].landed, "it was done");
        }
        vm.prank(patient);
        consents.revoke(patient, 1, clinician, 0);
    }

    function test_nothing_goes_to_other_contracts() external {
        Carried[] memory calls = new Carried[](1);
        address[3] memory others = [address(receipts), address(relay), stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            calls[0] = Carried(others[i], GAS, "");
            vm.expectRevert(abi.encodeWithSelector(IRelay.Relay_UnknownTarget.selector, others[i]));
            relay.carry(calls);
        }
        calls[0] = _revocation(PATIENT);
        vm.assertTrue(_carry(calls)[0].landed, "to ours");
    }

    function test_a_batch_is_its_signers_and_what_a_caller_alone_may_do_is_the_relays() external {
        Carried[] memory calls = new Carried[](2);
        bytes32 message = messages.anchorBatch(patient, "root", 3, "index", 0, soon());
        bytes memory signature = sign(PATIENT, snapshots, message);
        bytes memory signed =
            abi.encodeCall(snapshots.anchorBatchSigned, (patient, "root", 3, "index", 0, soon(), signature));
        bytes memory unsigned = abi.encodeCall(snapshots.anchorBatch, ("root", 4, "index"));
        calls[0] = Carried(address(snapshots), GAS, signed);
        calls[1] = Carried(address(snapshots), GAS, unsigned);
        _carry(calls);
        vm.assertEq(snapshots.batchOf(patient, "root").count, 3, "the signer's");
        vm.assertEq(snapshots.batchOf(address(relay), "root").count, 4, "nobody's");
        vm.assertEq(snapshots.batchOf(RELAYER, "root").count, 0, "not the sender's");
    }

    function test_one_that_takes_all_its_gas_leaves_the_others_theirs() external {
        Carried[] memory calls = new Carried[](2);
        (calls[0], calls[1]) = (_insatiable(GAS), _revocation(PATIENT));
        Outcome[] memory outcomes = relay.carry{gas: 600_000}(calls);
        vm.assertTrue(!outcomes[0].landed && outcomes[0].reason.length == 0, "no reason but gas");
        vm.assertTrue(outcomes[1].landed, "the other");
        vm.assertTrue(outcomes[0].gas >= GAS - GAS / 64, "what it took is told");
    }

    /// @dev Else whoever sends the transaction could show a true message as refused.
    function test_a_transaction_with_too_little_gas_fails_whole() external {
        Carried[] memory calls = new Carried[](2);
        (calls[0], calls[1]) = (_revocation(PATIENT), _insatiable(2_000_000));
        vm.expectRevert(abi.encodeWithSelector(IRelay.Relay_TooLittleGas.selector, 1));
        relay.carry{gas: 1_000_000}(calls);
        vm.assertEq(_word(clinician, 0).revision(), 0, "nothing landed");
        vm.assertTrue(relay.carry{gas: 3_000_000}(calls)[0].landed, "with enough the first lands");
    }

    /// @dev It fails early and gives back what it had, so nothing that is left afterwards would show it.
    function test_what_is_given_less_than_was_named_is_not_told_as_refused() external {
        Carried[] memory calls = new Carried[](1);
        calls[0] = _revocationOf(address(new Wary()), 2_000_000);
        vm.expectRevert(abi.encodeWithSelector(IRelay.Relay_TooLittleGas.selector, 0));
        relay.carry{gas: 900_000}(calls);
        vm.assertTrue(relay.carry{gas: 3_000_000}(calls)[0].landed, "with enough it lands");
    }

    function test_nothing_at_all_is_carried_too() external {
        vm.recordLogs();
        vm.assertEq(_carry(new Carried[](0)).length, 0, "no outcome");
        Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs.length, 0, "no event");
    }

    function _carry(Carried[] memory calls) private returns (Outcome[] memory) {
        vm.prank(RELAYER);
        return relay.carry(calls);
    }

    function _grantBy(uint256 key, uint256 twin, uint16 revision) private view returns (Carried memory) {
        SignedGrant memory message =
            SignedGrant(vm.addr(key), twin, clinician, 0, pack(broadTerms()), "package", revision, 0, soon());
        return Carried(address(consents), GAS, abi.encodeCall(consents.grantSigned, (message, _sign(key, message))));
    }

    /// @dev Of an owner who takes all gas there is to say that it signed.
    function _insatiable(uint32 gas) private returns (Carried memory) {
        return _revocationOf(address(new Insatiable()), gas);
    }

    function _revocationOf(address owner, uint32 gas) private view returns (Carried memory) {
        SignedRevoke memory message = SignedRevoke(owner, 1, clinician, 0, 3, soon());
        return Carried(address(consents), gas, abi.encodeCall(consents.revokeSigned, (message, owner, "")));
    }

    function _revocation(uint256 key) private view returns (Carried memory) {
        SignedRevoke memory message = _revokeMessage(3);
        bytes memory signature = _sign(key, message);
        return Carried(address(consents), GAS, abi.encodeCall(consents.revokeSigned, (message, patient, signature)));
    }
}
