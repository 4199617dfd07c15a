// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice How far a custodian's receipt log is anchored, and when that was. All zero if it never was.
/// @param count The receipts that were in the log.
struct ReceiptAnchor {
    uint64 count;
    uint64 blockNumber;
    uint40 anchoredAt;
}

/// @title IReceiptLedger
/// @notice How many receipts each custodian's log has, and what they are.
interface IReceiptLedger {
    /// @param last Hash of the log's last receipt.
    event ReceiptsAnchored(address indexed custodian, bytes32 root, uint64 count, bytes32 last);

    /// @notice A log only grows: `named` receipts are not more than the `present` that are anchored.
    error ReceiptLedger_NotGrown(uint64 named, uint64 present);

    /// @notice Anchor the caller's receipt log as it is now.
    /// @param root Merkle root of the log's map: each twin → how many receipts it has, and the hash of its last.
    /// @param count The receipts in the log, more than were anchored before.
    /// @param last Hash of the log's last receipt.
    function anchorReceipts(bytes32 root, uint64 count, bytes32 last) external;

    /// @notice How far `custodian`'s log is anchored.
    function anchorOf(address custodian) external view returns (ReceiptAnchor memory);
}
