// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title Bits
/// @notice A mask holds the numbers whose bits are set.
library Bits {
    /// @notice True if the mask holds `number`.
    function has(uint256 mask, uint8 number) internal pure returns (bool) {
        return (mask >> number) & 1 == 1;
    }
}
