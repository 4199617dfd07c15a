// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title IBlockMemory
/// @notice Hashes of past blocks, for as long as the chain lasts.
interface IBlockMemory {
    event Remembered(uint64 indexed number, bytes32 blockHash);

    /// @notice Keep the hash of the block before this one. Again in the same block does nothing.
    /// @return number The number of the block that is remembered.
    function remember() external returns (uint64 number);

    /// @notice The hash of a block, or zero if nobody had it remembered.
    function hashOf(uint64 number) external view returns (bytes32);
}
