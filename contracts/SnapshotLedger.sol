// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Batch, ISnapshotLedger, Leaf} from "./interfaces/ISnapshotLedger.sol";
import {TypedData} from "./libraries/TypedData.sol";

/// @title SnapshotLedger
/// @notice When which snapshots were committed to, by whom.
///
/// STATES. A batch is anchored once by each sender, and stays.
///
/// AUTHORITY. Anyone may anchor: what counts is decided at reading, by the writer's grant at that block. A batch is
/// kept under its sender, so nobody can take another's place.
///
/// TIME. The block and its timestamp are kept with the root.
///
/// HISTORY. One digest of each sender's is over all that it ever anchored, in order, with blocks and times. A list of its
/// batches that lacks one, or has another, is found out by that one word.
///
/// PRIVACY. A root, a count and the digest of an index block. Leaves bind hashes and pseudonymous labels.
///
/// Invariant: anchors only grow. What `batchOf` once answered, it answers for ever.
contract SnapshotLedger is ISnapshotLedger {
    mapping(address sender => mapping(bytes32 root => Batch)) private _batches;
    mapping(address sender => bytes32) private _histories;

    /// @inheritdoc ISnapshotLedger
    function anchorBatch(bytes32 root, uint32 count, bytes32 indexDigest) external {
        if (count == 0) revert SnapshotLedger_EmptyBatch();
        if (_batches[msg.sender][root].count != 0) revert SnapshotLedger_AlreadyAnchored(msg.sender, root);
        _batches[msg.sender][root] =
            Batch({blockNumber: uint64(block.number), anchoredAt: uint40(block.timestamp), count: count});
        _histories[msg.sender] =
            keccak256(abi.encode(_histories[msg.sender], root, count, indexDigest, block.number, block.timestamp));
        emit BatchAnchored(msg.sender, root, count, indexDigest);
    }

    /// @inheritdoc ISnapshotLedger
    function batchOf(address sender, bytes32 root) external view returns (Batch memory) {
        return _batches[sender][root];
    }

    /// @inheritdoc ISnapshotLedger
    function historyOf(address sender) external view returns (bytes32) {
        return _histories[sender];
    }

    /// @inheritdoc ISnapshotLedger
    function includes(address sender, bytes32 root, Leaf calldata leaf, bytes32[] calldata proof)
        external
        view
        returns (bool)
    {
        return leaf.index < _batches[sender][root].count
            && MerkleProof.verifyCalldata(proof, root, TypedData.leafHash(leaf));
    }
}
