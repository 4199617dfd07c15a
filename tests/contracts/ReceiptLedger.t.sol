// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IReceiptLedger, ReceiptAnchor} from "../../contracts/interfaces/IReceiptLedger.sol";
import {World} from "./support/World.sol";
import {vm} from "./support/Vm.sol";

/// @notice Anchors of receipt logs: kept by sender, and only growing.
contract ReceiptLedgerTest is World {
    function setUp() external {
        deploy();
    }

    function testFuzz_an_anchor_is_kept_with_its_block_and_time(bytes32 root, uint64 count, bytes32 last) external {
        vm.assume(count != 0);
        vm.roll(1234);
        vm.expectEmit(address(receipts));
        emit IReceiptLedger.ReceiptsAnchored(stranger, root, count, last);
        vm.prank(stranger);
        receipts.anchorReceipts(root, count, last);
        ReceiptAnchor memory anchor = receipts.anchorOf(stranger);
        vm.assertEq(anchor.count, count, "count");
        vm.assertEq(anchor.blockNumber, 1234, "block");
        vm.assertEq(anchor.anchoredAt, START, "time");
    }

    function test_a_log_never_shrinks_nor_stands_still() external {
        vm.startPrank(gateway);
        _refused(0, 0);
        receipts.anchorReceipts("root", 3, "last");
        _refused(2, 3);
        _refused(3, 3);
        receipts.anchorReceipts("another root", 4, "another last");
        vm.assertEq(receipts.anchorOf(gateway).count, 4, "it has grown");
    }

    function test_a_log_is_its_senders_own() external {
        vm.prank(gateway);
        receipts.anchorReceipts("root", 7, "last");
        vm.prank(stranger);
        receipts.anchorReceipts("root", 1, "last");
        vm.assertEq(receipts.anchorOf(gateway).count, 7, "the first sender's stays");
        vm.assertEq(receipts.anchorOf(stranger).count, 1, "the second sender's is its own");
    }

    function _refused(uint64 named, uint64 present) private {
        vm.expectRevert(abi.encodeWithSelector(IReceiptLedger.ReceiptLedger_NotGrown.selector, named, present));
        receipts.anchorReceipts("root", named, "last");
    }
}
