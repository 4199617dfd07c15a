// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Recipient, Regrant, Slot} from "../../contracts/interfaces/IConsentRegistry.sol";
import {MemberCard} from "../../contracts/interfaces/IMemberRegistry.sol";
import {SignedGrant, SignedRevoke} from "../../contracts/interfaces/ISignedConsents.sol";
import {Card} from "../../contracts/interfaces/ITwinRegistry.sol";
import {Carried} from "../../contracts/interfaces/IRelay.sol";
import {Grant} from "../../contracts/types/Grant.sol";
import {Kind} from "../../contracts/types/Vocabulary.sol";
import {Guardians, GuardianSignature} from "../../contracts/interfaces/IGuardedTwins.sol";
import {Guarding} from "./support/Guarding.sol";
import {Terms} from "./support/World.sol";
import {vm} from "./support/Vm.sol";

/// @notice What a transaction costs, base fee of 21,000, calldata and refund included, on data as they are: digests and
/// masks without zero bytes to spare. The committed figures stand in snapshots/; the limits are asserted here.
/// forge-config: default.isolate = true
contract GasTest is Guarding {
    bytes32 private constant DIGEST = keccak256("a digest");

    function setUp() external {
        deploy();
        populate();
        vm.prank(otherPatient);
        consents.grant(1, clinician, 7, _terms(), DIGEST);
    }

    function test_gas_of_a_grant_and_what_ends_it() external {
        vm.prank(patient);
        consents.grant(1, clinician, 0, _terms(), DIGEST);
        _cost("ConsentRegistry", "grant", 55_000);
        vm.prank(patient);
        consents.grant(1, clinician, 0, _terms(), keccak256("another digest"));
        _cost("ConsentRegistry", "grant, again", 38_000);
        vm.prank(patient);
        consents.revoke(patient, 1, clinician, 0);
        _cost("ConsentRegistry", "revoke", 32_000);
        vm.prank(patient);
        consents.revokeAll(1, none());
        _cost("ConsentRegistry", "revokeAll, keeping none", 54_000);
        vm.prank(patient);
        consents.blockGrantee(1, clinician);
        _cost("ConsentRegistry", "blockGrantee", 78_000);
        vm.prank(patient);
        consents.unblockGrantee(1, clinician);
        _cost("ConsentRegistry", "unblockGrantee", 41_000);
    }

    function test_gas_of_fifty_at_once() external {
        Recipient[] memory to = new Recipient[](50);
        Slot[] memory slots = new Slot[](50);
        for (uint256 i = 0; i < 50; ++i) {
            address grantee = address(bytes20(keccak256(abi.encode("grantee", i))));
            to[i] = Recipient(grantee, uint8(i % 8), keccak256(abi.encode("package", i)));
            slots[i] = Slot(grantee, uint8(i % 8));
        }
        vm.prank(patient);
        consents.grantMany(1, _terms(), to);
        _cost("ConsentRegistry", "grantMany of 50", 50 * 28_500);
        vm.prank(patient);
        consents.revokeMany(1, slots);
        _cost("ConsentRegistry", "revokeMany of 50", 50 * 12_000);
    }

    function test_gas_of_keeping_a_writer() external {
        vm.prank(patient);
        consents.grant(1, gateway, 0, _terms(), DIGEST);
        Regrant[] memory keep = new Regrant[](1);
        keep[0] = Regrant(gateway, 0, 1, _terms(), DIGEST);
        vm.prank(patient);
        consents.revokeAll(1, keep);
        _cost("ConsentRegistry", "revokeAll, keeping one", 68_000);
    }

    function test_gas_of_relayed_consents() external {
        SignedGrant memory grant = SignedGrant(patient, 1, clinician, 0, _terms(), DIGEST, 0, 0, soon());
        bytes memory signature = sign(PATIENT, consents, messages.grant(grant));
        vm.prank(RELAYER);
        consents.grantSigned(grant, signature);
        _cost("ConsentRegistry", "grantSigned", 72_000);
        SignedRevoke memory revocation = SignedRevoke(patient, 1, clinician, 0, 9, soon());
        signature = sign(PATIENT, consents, messages.revoke(revocation));
        vm.prank(RELAYER);
        consents.revokeSigned(revocation, patient, signature);
        _cost("ConsentRegistry", "revokeSigned", 45_000);
    }

    function test_gas_of_fifty_relayed_grants_of_fifty_patients_at_once() external {
        Carried[] memory calls = new Carried[](50);
        for (uint256 i = 0; i < 50; ++i) {
            uint256 key = 0x9A71E47 + i;
            SignedGrant memory grant =
                SignedGrant(vm.addr(key), 2 + i, clinician, 0, _terms(), keccak256(abi.encode(i)), 0, 0, soon());
            bytes memory signature = sign(key, consents, messages.grant(grant));
            calls[i] = Carried(address(consents), 100_000, abi.encodeCall(consents.grantSigned, (grant, signature)));
        }
        vm.prank(RELAYER);
        relay.carry(calls);
        _cost("Relay", "carry of 50 grantSigned", 50 * 50_000);
    }

    function test_gas_of_a_twin() external {
        bytes memory signature = sign(OTHER_PATIENT, twins, messages.mint(otherPatient, 0, soon()));
        vm.prank(MINTER);
        twins.mint(otherPatient, 0, soon(), signature);
        _cost("TwinRegistry", "mint, a patient's first", 105_000);
        signature = sign(OTHER_PATIENT, twins, messages.mint(otherPatient, 1, soon()));
        vm.prank(MINTER);
        twins.mint(otherPatient, 1, soon(), signature);
        _cost("TwinRegistry", "mint, a patient's second", 88_000);

        Card memory card = someCard(7);
        vm.prank(otherPatient);
        twins.setCard(2, 0, card);
        _cost("TwinRegistry", "setCard, first", 60_000);
        bytes32 first = messages.chainedCard(0, card);
        vm.prank(otherPatient);
        twins.setCard(2, first, card);
        _cost("TwinRegistry", "setCard, again", 43_000);

        signature = sign(OTHER_PATIENT, twins, messages.setCard(3, 0, card, soon()));
        vm.prank(RELAYER);
        twins.setCardSigned(3, 0, card, soon(), signature);
        _cost("TwinRegistry", "setCardSigned, first", 75_000);
    }

    function test_gas_of_a_move_and_of_retirement() external {
        bytes32 message = messages.move(1, stranger, 0, soon());
        bytes memory owners = sign(PATIENT, twins, message);
        bytes memory recipients = sign(STRANGER, twins, message);
        vm.prank(RELAYER);
        twins.move(1, stranger, 0, soon(), owners, recipients);
        _cost("TwinRegistry", "move", 127_000);
        vm.prank(stranger);
        twins.announceRetirement(1);
        _cost("TwinRegistry", "announceRetirement", 36_000);
    }

    function test_gas_of_guardians() external {
        bytes32 digest = messages.guardians(guardiansSalted(DIGEST));
        vm.prank(patient);
        twins.setGuardians(1, digest, DELAY);
        _cost("TwinRegistry", "setGuardians, first", 74_000);
        GuardianSignature[] memory signatures = signedBy(TWO, messages.freeze(1, 1, later()));
        Guardians memory some = guardiansSalted(DIGEST);
        vm.prank(RELAYER);
        twins.freeze(1, 1, later(), some, signatures);
        _cost("TwinRegistry", "freeze, by two of three", 70_000);
        bytes32 message = messages.announceMove(1, stranger, 2, later());
        signatures = signedBy(ALL, message);
        bytes memory recipients = sign(STRANGER, twins, message);
        vm.prank(RELAYER);
        twins.announceMove(1, stranger, 2, later(), some, signatures, recipients);
        _cost("TwinRegistry", "announceMove, by three of three", 110_000);
        vm.warp(block.timestamp + DELAY);
        vm.prank(RELAYER);
        twins.completeMove(1);
        _cost("TwinRegistry", "completeMove", 100_000);
    }

    function test_gas_of_a_member() external {
        MemberCard memory card = MemberCard(stranger, DIGEST, hospital, 0);
        bytes memory signature = sign(STRANGER, members, messages.memberCard(card));
        bytes memory agreement = sign(HOSPITAL, members, messages.agreement(hospital, stranger, 0));
        vm.prank(REGISTRAR);
        members.enrol(card, signature, agreement, 1);
        _cost("MemberRegistry", "enrol", 112_000);
        card = MemberCard(stranger, keccak256("another digest"), hospital, 1);
        vm.prank(stranger);
        members.updateCard(card, "", "");
        _cost("MemberRegistry", "updateCard", 42_000);
        vm.prank(SUSPENDER);
        members.suspend(stranger);
        _cost("MemberRegistry", "suspend", 47_000);
    }

    function test_gas_of_an_anchor_whatever_the_size_of_the_batch() external {
        vm.startPrank(gateway);
        snapshots.anchorBatch(DIGEST, 1_000_000, keccak256("an index"));
        _cost("SnapshotLedger", "anchorBatch, a sender's first", 72_000);
        snapshots.anchorBatch(keccak256("another root"), 1_000_000, keccak256("another index"));
        _cost("SnapshotLedger", "anchorBatch", 54_000);
        bytes32 history = snapshots.historyOf(gateway);
        bytes32 index = keccak256("an index of then");
        bytes memory signature =
            sign(GATEWAY, snapshots, messages.anchorBatch(gateway, "root", 1_000_000, index, history, soon()));
        snapshots.anchorBatchSigned(gateway, "root", 1_000_000, index, history, soon(), signature);
        _cost("SnapshotLedger", "anchorBatchSigned", 65_000);
    }

    function test_gas_of_an_emergency() external {
        enrol(COORDINATOR, hospital, kind(Kind.AUDITOR));
        vm.prank(patient);
        consents.grant(1, medic, 0, pack(emergencyTerms()), DIGEST);
        vm.prank(medic);
        consents.openEmergency(1, medic, 0, 1, DIGEST);
        _cost("ConsentRegistry", "openEmergency, a deployment's first", 175_000);
        vm.prank(coordinator);
        consents.reviewEmergency(1, 1, DIGEST);
        _cost("ConsentRegistry", "reviewEmergency", 55_000);
    }

    function test_gas_of_an_anchor_whatever_the_size_of_the_receipt_log() external {
        vm.startPrank(stranger);
        receipts.anchorReceipts(DIGEST, 1_000_000, keccak256("a receipt"));
        _cost("ReceiptLedger", "anchorReceipts, a custodian's first", 50_000);
        receipts.anchorReceipts(keccak256("another root"), 1_000_007, keccak256("another receipt"));
        _cost("ReceiptLedger", "anchorReceipts", 33_000);
    }

    function test_gas_of_a_memory_of_a_block() external {
        memories.remember();
        _cost("BlockMemory", "remember", 48_000);
    }

    function test_gas_of_a_model() external {
        enrol(COORDINATOR, hospital, kind(Kind.COORDINATOR));
        vm.startPrank(coordinator);
        models.register(8, 0x42, 20, 8_000, DIGEST);
        models.register(8, 0x42, 20, 8_000, DIGEST);
        _cost("ModelLedger", "register", 140_000);
        models.openRound(2, DIGEST);
        _cost("ModelLedger", "openRound, a model's first", 92_000);
        _commit(1, DIGEST);
        _cost("ModelLedger", "commitUpdate, a site's first", 71_000);
        bytes32 aggregate = keccak256("an aggregate");
        vm.prank(coordinator);
        models.finaliseAggregate(2, 1, aggregate, keccak256("a record"), 1);
        _cost("ModelLedger", "finaliseAggregate", 52_000);
        vm.prank(coordinator);
        models.openRound(2, aggregate);
        _cost("ModelLedger", "openRound", 68_000);
        _commit(2, aggregate);
        _cost("ModelLedger", "commitUpdate", 52_000);
        vm.prank(coordinator);
        models.accept(2, 1, keccak256("a reason"));
        _cost("ModelLedger", "accept", 46_000);
        vm.startPrank(coordinator);
        models.finaliseAggregate(2, 2, keccak256("another aggregate"), keccak256("another record"), 1);
        models.retrain(2, 2, keccak256("a reason"));
        _cost("ModelLedger", "retrain", 52_000);
    }

    /// @dev Of the second model, with arguments of 160 B.
    function _commit(uint32 round, bytes32 parent) private {
        vm.stopPrank();
        vm.prank(researcher);
        models.commitUpdate(
            keccak256(abi.encode("an update", round)),
            parent,
            keccak256(abi.encode("a consent root", round)),
            keccak256(abi.encode("a site's record", round)),
            contribution(2, round, 1_312, 1_250)
        );
    }

    /// @dev Realistic terms: most bytes are not zero.
    function _terms() private view returns (Grant) {
        return pack(
            Terms({
                categories: 0x2040A011,
                purposes: 0x102,
                notBeforeAt: time(),
                expiresAt: time() + 30 days,
                dataFrom: 29_999_000,
                dataUntil: 30_043_200,
                actions: 1
            })
        );
    }

    function _cost(string memory group, string memory name, uint256 limit) private {
        uint256 gas = vm.snapshotGasLastCall(group, name);
        vm.assertTrue(gas <= limit, string.concat(name, " costs more than its limit: ", vm.toString(gas)));
    }
}
