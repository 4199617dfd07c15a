// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {TypedDomain} from "./base/TypedDomain.sol";
import {Batch, ISnapshotLedger, Leaf} from "./interfaces/ISnapshotLedger.sol";
import {TypedData} from "./libraries/TypedData.sol";

/// @title SnapshotLedger
/// @notice When which snapshots were committed to, by whom.
///
/// STATES. A batch is anchored once by each sender, and stays.
///
/// AUTHORITY. Anyone may anchor: what counts is decided at reading, by the writer's grant at that block. A batch is
/// kept under its sender, who made the call or signed it, so nobody can take another's place.
///
/// TIME. The block and its timestamp are kept with the root. A signed call names the history that it goes on from, so it
/// lands once, and not after anything that its sender anchored later.
///
/// HISTORY. One digest of each sender's is over all that it ever anchored, in order, with blocks and times. A list of its
/// batches that lacks one, or has another, is found out by that one word.
///
/// PRIVACY. A root, a count and the digest of an index block. Leaves bind hashes and pseudonymous labels.
///
/// Invariant: anchors only grow. What `batchOf` once answered, it answers for ever.
contract SnapshotLedger is ISnapshotLedger, TypedDomain {
    mapping(address sender => mapping(bytes32 root => Batch)) private _batches;
    mapping(address sender => bytes32) private _histories;

    constructor(bytes32 genesis) TypedDomain(genesis) {}

    /// @inheritdoc ISnapshotLedger
    function anchorBatch(bytes32 root, uint32 count, bytes32 indexDigest) external {
        _anchor(msg.sender, root, count, indexDigest, _histories[msg.sender]);
    }

    /// @inheritdoc ISnapshotLedger
    function anchorBatchSigned(
        address sender,
        bytes32 root,
        uint32 count,
        bytes32 indexDigest,
        bytes32 previous,
        uint40 deadline,
        bytes calldata signature
    ) external {
        _requireInTime(deadline);
        bytes32 message = TypedData.anchorBatch(sender, root, count, indexDigest, previous, deadline);
        _requireSigned(sender, message, signature);
        if (_histories[sender] != previous) revert SnapshotLedger_StaleHistory(previous, _histories[sender]);
        _anchor(sender, root, count, indexDigest, previous);
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

    function _anchor(address sender, bytes32 root, uint32 count, bytes32 indexDigest, bytes32 previous) private {
        if (count == 0) revert SnapshotLedger_EmptyBatch();
        if (_batches[sender][root].count != 0) revert SnapshotLedger_AlreadyAnchored(sender, root);
        _batches[sender][root] =
            Batch({blockNumber: uint64(block.number), anchoredAt: uint40(block.timestamp), count: count});
        _histories[sender] = keccak256(abi.encode(previous, root, count, indexDigest, block.number, block.timestamp));
        emit BatchAnchored(sender, root, count, indexDigest);
    }
}
