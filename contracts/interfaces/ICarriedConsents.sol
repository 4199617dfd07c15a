// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Grant} from "../types/Grant.sol";

/// @notice One grant as it stands in the predecessor (EIP-712 type of the same name).
/// @param grant The slot's whole word, revision and epoch with it.
/// @param package Digest of the package that is sealed to the grantee, as the grant's event has it.
struct CarriedGrant {
    address grantee;
    uint8 number;
    Grant grant;
    bytes32 package;
}

/// @notice What an owner signs for the predecessor's TwinRegistry (EIP-712 type `Depart`), with this contract as successor.
/// @param counter The twin's counter in the predecessor.
struct SignedCarrying {
    uint256 twin;
    CarriedGrant[] grants;
    uint32 counter;
    uint40 deadline;
}

/// @title ICarriedConsents
/// @notice How a twin comes over from the deployment before, with its grants and blocks.
interface ICarriedConsents {
    /// @notice The twin is here, and the owner's epoch on it stands where it did. Its grants and blocks are told by
    /// `Granted` and `Blocked`.
    event Carried(address indexed owner, uint256 indexed twin, uint24 epoch);

    /// @notice There is no predecessor, or it is not that of the twins.
    error ConsentRegistry_WrongPredecessor(address predecessor);
    /// @notice Somebody is blocked on the twin in the predecessor who was not named.
    error ConsentRegistry_BlocksMissing(uint32 came, uint32 present);

    /// @notice Carry a twin over, once. Anyone may send it.
    /// @param blocked All who are blocked on the twin there.
    /// @param signature The owner's.
    function carry(SignedCarrying calldata message, address[] calldata blocked, bytes calldata signature) external;
}
