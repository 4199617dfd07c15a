// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IConsentRegistry} from "../interfaces/IConsentRegistry.sol";
import {Grant} from "../types/Grant.sol";

/// @title ConsentSlots
/// @notice What consents are kept in: these variables first, in this order, in every contract that has them. `carry` runs
/// on them in the code of another (`CarriedConsents`).
abstract contract ConsentSlots {
    /// @dev By keccak256(owner, twin, grantee, number): the giver is in the key, so nobody else can write there.
    mapping(bytes32 slot => Grant) internal _grants;
    mapping(address owner => mapping(uint256 twin => uint24)) internal _epochs;
    mapping(uint256 twin => mapping(address grantee => uint32)) internal _blockCounts;
    mapping(uint256 twin => uint32) internal _blocked;

    function _key(address owner, uint256 twin, address grantee, uint8 number) internal pure returns (bytes32) {
        return keccak256(abi.encode(owner, twin, grantee, number));
    }

    /// @dev Blocks the grantee: `count` is odd.
    function _setBlockCount(uint256 twin, address grantee, uint32 count) internal {
        if (_blockCounts[twin][grantee] % 2 == 0) ++_blocked[twin];
        _blockCounts[twin][grantee] = count;
        emit IConsentRegistry.Blocked(twin, grantee, count);
    }
}
