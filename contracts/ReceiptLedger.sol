// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IReceiptLedger, ReceiptAnchor} from "./interfaces/IReceiptLedger.sol";

/// @title ReceiptLedger
/// @notice How many receipts each custodian's log has, and what they are.
///
/// STATES. A sender's log has as many receipts as it last said, none before it said anything. What the map and the last
/// receipt were stands in the event.
///
/// AUTHORITY. Anyone may anchor, for itself: whose receipts count is decided at reading, by the rosters of a twin.
///
/// TIME. The block and its timestamp are kept with the count. The same count twice is refused, so that an anchor is new
/// receipts always, and two maps of one log as of one count cannot both be anchored. Whoever only wants to be seen
/// alive sends any other transaction.
///
/// PRIVACY. A root, a count and a hash. Counts tell how often a custodian was asked, and not by whom or for what.
///
/// Invariant: what `anchorOf` counts never falls.
contract ReceiptLedger is IReceiptLedger {
    mapping(address custodian => ReceiptAnchor) private _anchors;

    /// @inheritdoc IReceiptLedger
    function anchorReceipts(bytes32 root, uint64 count, bytes32 last) external {
        uint64 present = _anchors[msg.sender].count;
        if (count <= present) revert ReceiptLedger_NotGrown(count, present);
        _anchors[msg.sender] =
            ReceiptAnchor({count: count, blockNumber: uint64(block.number), anchoredAt: uint40(block.timestamp)});
        emit ReceiptsAnchored(msg.sender, root, count, last);
    }

    /// @inheritdoc IReceiptLedger
    function anchorOf(address custodian) external view returns (ReceiptAnchor memory) {
        return _anchors[custodian];
    }
}
