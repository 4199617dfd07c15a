// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice One call to be carried.
/// @param target One of the contracts that `Relay` carries calls to.
/// @param gas The most that the call may take.
/// @param data The call itself.
struct Carried {
    address target;
    uint32 gas;
    bytes data;
}

/// @notice What became of a call.
/// @param gas What it took, about.
/// @param reason The error that it was refused with; empty if it landed, or if it took all of its gas.
struct Outcome {
    bool landed;
    uint256 gas;
    bytes reason;
}

/// @title IRelay
/// @notice Many calls in one transaction, none of which stops another.
interface IRelay {
    /// @param place Which of the calls, from 0.
    event Refused(uint256 indexed place, bytes reason);

    /// @notice Calls go to this deployment's contracts, and not to `target`.
    error Relay_UnknownTarget(address target);

    /// @notice The transaction had less gas than its call at `place` was to have.
    error Relay_TooLittleGas(uint256 place);

    /// @notice Make each of the calls, in their order. One that is refused changes nothing, under an event with its
    /// reason, and the next is made.
    /// @return outcomes What became of each. Asked without a transaction, it says what would.
    function carry(Carried[] calldata calls) external returns (Outcome[] memory outcomes);
}
