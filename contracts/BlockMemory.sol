// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IBlockMemory} from "./interfaces/IBlockMemory.sol";

/// @title BlockMemory
/// @notice Hashes of past blocks, so that whoever knows one block's hash can prove older ones without all between.
///
/// STATES. A block is remembered or not, and stays so.
///
/// AUTHORITY. Anyone may have the block before this one remembered. Nobody chooses what is kept: the chain itself says
/// what that block's hash is.
///
/// TIME. The EVM knows the hashes of the last 256 blocks. Whoever needs an older one had it remembered in time: a block
/// that is remembered proves those before it as far as their headers, each of which names the one before, are at hand.
///
/// PRIVACY. That somebody had a block remembered.
///
/// Invariant: what `hashOf` once answered, it answers for ever, and it is the hash of that block.
contract BlockMemory is IBlockMemory {
    mapping(uint64 number => bytes32) private _hashes;

    /// @inheritdoc IBlockMemory
    function remember() external returns (uint64 number) {
        // forge-lint: disable-next-line(unsafe-typecast) 64 bits of blocks last longer than any chain
        number = uint64(block.number - 1);
        if (_hashes[number] != 0) return number;
        bytes32 blockHash = blockhash(number);
        _hashes[number] = blockHash;
        emit Remembered(number, blockHash);
    }

    /// @inheritdoc IBlockMemory
    function hashOf(uint64 number) external view returns (bytes32) {
        return _hashes[number];
    }
}
