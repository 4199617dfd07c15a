// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice When a batch was anchored, and how many leaves it has. All zero if it was not.
struct Batch {
    uint64 blockNumber;
    uint40 anchoredAt;
    uint32 count;
}

/// @notice What one leaf of a batch binds.
/// @param index The leaf's place in the batch, from 0.
/// @param stream Label of the writer's stream of one category on one twin.
/// @param sequence The snapshot's number in the stream, from 0.
/// @param manifest Digest of the snapshot's manifest.
/// @param previous Digest of the stream's previous manifest leaf, or zero.
struct Leaf {
    uint32 index;
    uint256 twin;
    address writer;
    bytes32 stream;
    uint64 sequence;
    bytes32 manifest;
    bytes32 previous;
}

/// @title ISnapshotLedger
/// @notice When which snapshots were committed to, by whom.
interface ISnapshotLedger {
    event BatchAnchored(address indexed sender, bytes32 indexed root, uint32 count, bytes32 indexDigest);

    error SnapshotLedger_EmptyBatch();
    error SnapshotLedger_AlreadyAnchored(address sender, bytes32 root);
    error SnapshotLedger_StaleHistory(bytes32 named, bytes32 present);

    /// @notice Anchor a batch of the caller's.
    /// @param root Merkle root of the leaves (OpenZeppelin's tree: sorted pairs, leaves hashed twice).
    /// @param indexDigest Digest of the caller's index block, which maps all its streams so far.
    function anchorBatch(bytes32 root, uint32 count, bytes32 indexDigest) external;

    /// @notice The same for `sender`, who signed it, by whoever carries it.
    /// @param previous The sender's history that the batch goes on from.
    function anchorBatchSigned(
        address sender,
        bytes32 root,
        uint32 count,
        bytes32 indexDigest,
        bytes32 previous,
        uint40 deadline,
        bytes calldata signature
    ) external;

    /// @notice When `sender` anchored `root`.
    function batchOf(address sender, bytes32 root) external view returns (Batch memory);

    /// @notice The digest over all that `sender` anchored: zero before its first batch, then keccak256(abi.encode(the digest
    /// before, root, count, indexDigest, block number, block timestamp)).
    function historyOf(address sender) external view returns (bytes32);

    /// @notice True if `sender` anchored `root` and the leaf is in it.
    function includes(address sender, bytes32 root, Leaf calldata leaf, bytes32[] calldata proof)
        external
        view
        returns (bool);
}
