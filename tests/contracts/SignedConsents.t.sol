// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IConsentRegistry} from "../../contracts/interfaces/IConsentRegistry.sol";
import {SignedGrant, SignedGrantMany, SignedRecipient} from "../../contracts/interfaces/ISignedConsents.sol";
import {ITypedDomain} from "../../contracts/interfaces/ITypedDomain.sol";
import {Grant} from "../../contracts/types/Grant.sol";
import {Reason} from "../../contracts/types/Vocabulary.sol";
import {ContractAccount} from "./support/Accounts.sol";
import {Signing} from "./support/Signing.sol";
import {bound, vm} from "./support/Vm.sol";

/// @notice Signed calls: whose they are, how long they live, and what makes them void.
///
/// Every one: late or too far ahead → refused · not signed by the one it speaks for → refused · one field changed →
/// refused · sent twice → refused, or without effect
/// ├── grant: another revision or epoch → refused
/// ├── revoke: the slot above N → refused; at or below, empty too → revoked, and the slot stands at N + 1
/// ├── revokeMany: as revoke, but a slot above N is passed over
/// ├── revokeAll: see `RevokeAllTest`
/// ├── block: the count above N, or a former owner's → refused; at or below → blocked, and the count is past N
/// └── unblock: another count, or a former owner's → refused
contract SignedConsentsTest is Signing {
    function test_a_signed_grant_counts_as_the_owners_own() external {
        SignedGrant memory message = _grantMessage();
        Grant word = message.terms.standing(1, 0);
        bytes memory signature = _sign(PATIENT, message);
        vm.expectEmit(address(consents));
        emit IConsentRegistry.Granted(patient, 1, clinician, 0, word, "package");
        vm.prank(RELAYER);
        consents.grantSigned(message, signature);
        _expectReason(Reason.PERMITTED);
    }

    function test_a_signed_grant_counts_once() external {
        SignedGrant memory message = _grantMessage();
        bytes memory signature = _sign(PATIENT, message);
        consents.grantSigned(message, signature);
        _expectStaleRevision(0, 1);
        consents.grantSigned(message, signature);
    }

    function test_a_signed_grant_is_void_after_a_revocation() external {
        SignedGrant memory message = _grantMessage();
        bytes memory signature = _sign(PATIENT, message);
        vm.prank(patient);
        consents.revoke(patient, 1, clinician, 0);
        _expectStaleRevision(0, 1);
        consents.grantSigned(message, signature);
        message.revision = 1;
        consents.grantSigned(message, _sign(PATIENT, message));
        _expectReason(Reason.PERMITTED);
    }

    function test_a_signed_grant_is_void_after_everything_was_revoked() external {
        SignedGrant memory message = _grantMessage();
        bytes memory signature = _sign(PATIENT, message);
        vm.prank(patient);
        consents.revokeAll(1, none());
        vm.expectRevert(abi.encodeWithSelector(IConsentRegistry.ConsentRegistry_StaleEpoch.selector, 0, 1));
        consents.grantSigned(message, signature);
        message.epoch = 1;
        consents.grantSigned(message, _sign(PATIENT, message));
        _expectReason(Reason.PERMITTED);
    }

    function testFuzz_a_signed_grant_is_for_what_it_says(uint256 field, uint8 change) external {
        SignedGrant memory message = _grantMessage();
        bytes memory signature = _sign(PATIENT, message);
        uint256 delta = bound(change, 1, 7);
        field %= 8;
        if (field == 0) message.twin += delta;
        if (field == 1) message.grantee = address(uint160(message.grantee) + uint160(delta));
        if (field == 2) message.number += uint8(delta);
        if (field == 3) message.terms = Grant.wrap(Grant.unwrap(message.terms) ^ delta << (40 + change % 200));
        if (field == 4) message.package = bytes32(uint256(message.package) + delta);
        if (field == 5) message.deadline += uint40(delta);
        if (field == 6) message.owner = otherPatient;
        if (field == 7) signature = _sign(CLINICIAN, message);
        _expectWrongSignature(message.owner);
        consents.grantSigned(message, signature);
    }

    function test_a_signed_grant_is_in_time() external {
        SignedGrant memory message = _grantMessage();
        bytes memory signature = _sign(PATIENT, message);
        vm.warp(message.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_DeadlinePassed.selector, message.deadline));
        consents.grantSigned(message, signature);
        vm.warp(message.deadline);
        consents.grantSigned(message, signature);
    }

    function test_signed_terms_are_valid_and_leave_the_last_epoch_alone() external {
        SignedGrant memory message = _grantMessage();
        message.terms = Grant.wrap(0);
        bytes memory signature = _sign(PATIENT, message);
        vm.expectRevert(_invalid("actions"));
        consents.grantSigned(message, signature);

        bytes32 slot = keccak256(abi.encode(uint256(1), keccak256(abi.encode(patient, uint256(1)))));
        vm.store(address(consents), slot, bytes32(uint256(0xffffff)));
        message = _grantMessage();
        message.epoch = 0xffffff;
        signature = _sign(PATIENT, message);
        vm.expectRevert(abi.encodeWithSelector(IConsentRegistry.ConsentRegistry_EpochSpent.selector, patient, 1));
        consents.grantSigned(message, signature);
        SignedRecipient[] memory to = new SignedRecipient[](1);
        to[0] = SignedRecipient(clinician, 0, "package", 0);
        SignedGrantMany memory many = SignedGrantMany(patient, 1, pack(broadTerms()), to, 0xffffff, soon());
        signature = sign(PATIENT, consents, messages.grantMany(many));
        vm.expectRevert(abi.encodeWithSelector(IConsentRegistry.ConsentRegistry_EpochSpent.selector, patient, 1));
        consents.grantManySigned(many, signature);
    }

    function test_an_owner_that_is_a_contract_signs_by_ERC1271() external {
        ContractAccount account = new ContractAccount();
        SignedGrant memory message = _grantMessage();
        message.owner = address(account);
        bytes32 structHash = messages.grant(message);
        _expectWrongSignature(address(account));
        consents.grantSigned(message, "");
        account.approve(MessageHashUtils.toTypedDataHash(consents.domainSeparator(), structHash));
        consents.grantSigned(message, "");
        vm.assertEq(consents.grantOf(address(account), 1, clinician, 0).revision(), 1, "revision");
    }

    function test_many_signed_grants_name_each_revision() external {
        _grant(gateway, 2);
        SignedRecipient[] memory to = new SignedRecipient[](2);
        to[0] = SignedRecipient(clinician, 0, "first", 0);
        to[1] = SignedRecipient(gateway, 2, "second", 0);
        SignedGrantMany memory message = SignedGrantMany(patient, 1, pack(broadTerms()), to, 0, soon());
        bytes memory signature = sign(PATIENT, consents, messages.grantMany(message));
        _expectStaleRevision(0, 1);
        consents.grantManySigned(message, signature);

        message.recipients[1].revision = 1;
        _expectWrongSignature(patient);
        consents.grantManySigned(message, signature);
        consents.grantManySigned(message, sign(PATIENT, consents, messages.grantMany(message)));
        _expectReason(Reason.PERMITTED);
        vm.assertEq(consents.grantOf(patient, 1, gateway, 2).revision(), 2, "the second's revision");

        message.epoch = 1;
        signature = sign(PATIENT, consents, messages.grantMany(message));
        vm.expectRevert(abi.encodeWithSelector(IConsentRegistry.ConsentRegistry_StaleEpoch.selector, 1, 0));
        consents.grantManySigned(message, signature);
    }

    function test_many_signed_grants_are_in_time_and_valid() external {
        SignedGrantMany memory message = SignedGrantMany(patient, 1, Grant.wrap(0), new SignedRecipient[](0), 0, soon());
        bytes memory signature = sign(PATIENT, consents, messages.grantMany(message));
        vm.expectRevert(_invalid("actions"));
        consents.grantManySigned(message, signature);
        vm.warp(message.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_DeadlinePassed.selector, message.deadline));
        consents.grantManySigned(message, signature);
    }
}
