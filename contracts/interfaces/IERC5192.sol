// SPDX-License-Identifier: CC0-1.0
pragma solidity ^0.8.30;

/// @title IERC5192
/// @notice Minimal soulbound tokens (https://eips.ethereum.org/EIPS/eip-5192).
interface IERC5192 {
    /// @notice The token is locked.
    event Locked(uint256 tokenId);

    /// @notice The token is unlocked. No twin ever is.
    event Unlocked(uint256 tokenId);

    /// @notice Whether a token is locked. Reverts if there is no such token.
    function locked(uint256 tokenId) external view returns (bool);
}
