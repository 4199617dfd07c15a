// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {Batch, ISnapshotLedger, Leaf} from "../../contracts/interfaces/ISnapshotLedger.sol";
import {ITypedDomain} from "../../contracts/interfaces/ITypedDomain.sol";
import {World} from "./support/World.sol";
import {vm} from "./support/Vm.sol";

/// @notice Anchors: kept once, by sender, for ever; a leaf is in a batch or is not.
contract SnapshotLedgerTest is World {
    function setUp() external {
        deploy();
    }

    function testFuzz_a_batch_is_kept_with_its_block_time_and_count(bytes32 root, uint32 count, bytes32 index)
        external
    {
        vm.assume(count != 0);
        vm.roll(1234);
        vm.expectEmit(address(snapshots));
        emit ISnapshotLedger.BatchAnchored(gateway, root, count, index);
        vm.prank(gateway);
        snapshots.anchorBatch(root, count, index);
        Batch memory batch = snapshots.batchOf(gateway, root);
        vm.assertEq(batch.blockNumber, 1234, "block");
        vm.assertEq(batch.anchoredAt, START, "time");
        vm.assertEq(batch.count, count, "count");
    }

    function test_a_batch_is_anchored_once_by_each_sender() external {
        vm.prank(gateway);
        snapshots.anchorBatch("root", 3, "index");
        vm.expectRevert(
            abi.encodeWithSelector(ISnapshotLedger.SnapshotLedger_AlreadyAnchored.selector, gateway, bytes32("root"))
        );
        vm.prank(gateway);
        snapshots.anchorBatch("root", 4, "another index");

        vm.warp(START + 1);
        vm.prank(stranger);
        snapshots.anchorBatch("root", 4, "index");
        vm.assertEq(snapshots.batchOf(gateway, "root").count, 3, "the first sender's stays");
        vm.assertEq(snapshots.batchOf(stranger, "root").anchoredAt, START + 1, "the second sender's is its own");
    }

    /// @dev A list of batches that lacks one, or has one otherwise, is not what the digest is of.
    function testFuzz_a_senders_history_is_of_all_its_batches_in_order(bytes32 first, bytes32 second) external {
        vm.assume(first != second);
        vm.assertEq(snapshots.historyOf(gateway), 0, "before its first");
        vm.roll(1234);
        vm.prank(gateway);
        snapshots.anchorBatch(first, 3, "index");
        vm.prank(stranger);
        snapshots.anchorBatch(second, 1, "another's");
        vm.warp(START + 60);
        vm.roll(1250);
        vm.prank(gateway);
        snapshots.anchorBatch(second, 5, "next index");

        bytes32 one =
            keccak256(abi.encode(bytes32(0), first, uint32(3), bytes32("index"), uint256(1234), uint256(START)));
        bytes32 two =
            keccak256(abi.encode(one, second, uint32(5), bytes32("next index"), uint256(1250), uint256(START) + 60));
        vm.assertEq(snapshots.historyOf(gateway), two, "both, in order, with blocks and times");
    }

    // Signed by its sender, carried by somebody else

    function testFuzz_a_signed_batch_is_its_signers(bytes32 root, uint32 count, bytes32 index) external {
        vm.assume(count != 0);
        bytes memory signature = _sign(PATIENT, root, count, index, 0, soon());
        vm.expectEmit(address(snapshots));
        emit ISnapshotLedger.BatchAnchored(patient, root, count, index);
        vm.prank(RELAYER);
        snapshots.anchorBatchSigned(patient, root, count, index, 0, soon(), signature);
        vm.assertEq(snapshots.batchOf(patient, root).count, count, "the signer's");
        vm.assertEq(snapshots.batchOf(RELAYER, root).count, 0, "not the carrier's");
        bytes32 history = keccak256(abi.encode(bytes32(0), root, count, index, block.number, block.timestamp));
        vm.assertEq(snapshots.historyOf(patient), history, "as one that it sent itself");
    }

    function test_a_signed_batch_lands_once_and_after_nothing_that_came_later() external {
        bytes memory held = _sign(PATIENT, "held", 3, "index", 0, soon());
        vm.prank(patient);
        snapshots.anchorBatch("sent", 1, "index");
        bytes32 history = snapshots.historyOf(patient);
        _expectStale(0, history);
        snapshots.anchorBatchSigned(patient, "held", 3, "index", 0, soon(), held);

        bytes memory next = _sign(PATIENT, "held", 3, "index", history, soon());
        snapshots.anchorBatchSigned(patient, "held", 3, "index", history, soon(), next);
        _expectStale(history, snapshots.historyOf(patient));
        snapshots.anchorBatchSigned(patient, "held", 3, "index", history, soon(), next);
    }

    function test_a_signed_batch_is_refused_as_one_that_is_sent() external {
        bytes memory empty = _sign(PATIENT, "root", 0, "index", 0, soon());
        vm.expectRevert(ISnapshotLedger.SnapshotLedger_EmptyBatch.selector);
        snapshots.anchorBatchSigned(patient, "root", 0, "index", 0, soon(), empty);

        vm.prank(patient);
        snapshots.anchorBatch("root", 1, "index");
        bytes32 history = snapshots.historyOf(patient);
        bytes memory again = _sign(PATIENT, "root", 1, "index", history, soon());
        vm.expectRevert(
            abi.encodeWithSelector(ISnapshotLedger.SnapshotLedger_AlreadyAnchored.selector, patient, bytes32("root"))
        );
        snapshots.anchorBatchSigned(patient, "root", 1, "index", history, soon(), again);
    }

    /// @dev Each field is what was signed, the signer is the sender, and it is in time.
    function test_a_batch_that_was_not_signed_so_is_refused() external {
        bytes memory signature = _sign(PATIENT, "root", 3, "index", 0, soon());
        _expectWrong(patient);
        snapshots.anchorBatchSigned(patient, "other", 3, "index", 0, soon(), signature);
        _expectWrong(patient);
        snapshots.anchorBatchSigned(patient, "root", 4, "index", 0, soon(), signature);
        _expectWrong(patient);
        snapshots.anchorBatchSigned(patient, "root", 3, "other", 0, soon(), signature);
        _expectWrong(patient);
        snapshots.anchorBatchSigned(patient, "root", 3, "index", "other", soon(), signature);
        _expectWrong(patient);
        snapshots.anchorBatchSigned(patient, "root", 3, "index", 0, soon() - 1, signature);
        _expectWrong(stranger);
        snapshots.anchorBatchSigned(stranger, "root", 3, "index", 0, soon(), signature);

        uint40 deadline = soon();
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_DeadlinePassed.selector, deadline));
        snapshots.anchorBatchSigned(patient, "root", 3, "index", 0, deadline, signature);
        vm.warp(deadline);
        snapshots.anchorBatchSigned(patient, "root", 3, "index", 0, deadline, signature);
    }

    function test_an_empty_batch_is_refused() external {
        vm.expectRevert(ISnapshotLedger.SnapshotLedger_EmptyBatch.selector);
        snapshots.anchorBatch("root", 0, "index");
        snapshots.anchorBatch("root", 1, "index");
    }

    function testFuzz_a_leaf_is_included_under_its_sender_root_and_place(uint256 seed) external {
        Leaf memory first = _leaf(0, seed);
        Leaf memory second = _leaf(1, seed);
        bytes32 root = Hashes.commutativeKeccak256(messages.leaf(first), messages.leaf(second));
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = messages.leaf(second);
        vm.assertTrue(!snapshots.includes(gateway, root, first, proof), "before it is anchored");

        vm.prank(gateway);
        snapshots.anchorBatch(root, 2, "index");
        vm.assertTrue(snapshots.includes(gateway, root, first, proof), "the leaf");
        vm.assertTrue(!snapshots.includes(stranger, root, first, proof), "another sender");
        vm.assertTrue(!snapshots.includes(gateway, root, second, proof), "another leaf");
        first.sequence += 1;
        vm.assertTrue(!snapshots.includes(gateway, root, first, proof), "a changed leaf");
    }

    function test_a_leaf_beyond_the_count_is_not_included() external {
        Leaf memory leaf = _leaf(1, 7);
        bytes32 root = messages.leaf(leaf);
        vm.prank(gateway);
        snapshots.anchorBatch(root, 1, "index");
        vm.assertTrue(!snapshots.includes(gateway, root, leaf, new bytes32[](0)), "beyond");
        vm.prank(stranger);
        snapshots.anchorBatch(root, 2, "index");
        vm.assertTrue(snapshots.includes(stranger, root, leaf, new bytes32[](0)), "within");
    }

    function test_a_leaf_is_hashed_twice_with_its_place_inside() external view {
        Leaf memory leaf = _leaf(5, 7);
        bytes memory encoded = abi.encode(
            uint256(5), leaf.twin, leaf.writer, leaf.stream, uint256(leaf.sequence), leaf.manifest, leaf.previous
        );
        vm.assertEq(messages.leaf(leaf), keccak256(abi.encode(keccak256(encoded))), "leaf");
    }

    function _sign(uint256 key, bytes32 root, uint32 count, bytes32 index, bytes32 previous, uint40 deadline)
        private
        view
        returns (bytes memory)
    {
        return sign(key, snapshots, messages.anchorBatch(patient, root, count, index, previous, deadline));
    }

    function _expectWrong(address signer) private {
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_WrongSignature.selector, signer));
    }

    function _expectStale(bytes32 named, bytes32 present) private {
        vm.expectRevert(abi.encodeWithSelector(ISnapshotLedger.SnapshotLedger_StaleHistory.selector, named, present));
    }

    function _leaf(uint32 index, uint256 seed) private view returns (Leaf memory) {
        return Leaf({
            index: index,
            twin: 1,
            writer: gateway,
            stream: keccak256(abi.encode("stream", seed)),
            sequence: uint64(seed % 1e6) + index,
            manifest: keccak256(abi.encode("manifest", seed, index)),
            previous: keccak256(abi.encode("previous", seed))
        });
    }
}
