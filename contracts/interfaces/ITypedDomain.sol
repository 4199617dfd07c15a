// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

/// @title ITypedDomain
/// @notice A contract that takes signed calls (EIP-712; ERC-1271 for accounts that are contracts).
interface ITypedDomain is IERC5267 {
    /// @notice The message's deadline has passed.
    error TypedDomain_DeadlinePassed(uint40 deadline);

    /// @notice The message's deadline is further ahead than a message may live.
    error TypedDomain_DeadlineTooFar(uint40 deadline);

    /// @notice This is not a signature of that message by `signer`.
    error TypedDomain_WrongSignature(address signer);

    /// @notice The present domain separator.
    function domainSeparator() external view returns (bytes32);
}
