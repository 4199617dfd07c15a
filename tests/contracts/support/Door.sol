// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {TypedDomain} from "../../../contracts/base/TypedDomain.sol";

/// @dev A domain whose questions can be asked from outside.
contract Door is TypedDomain {
    constructor(bytes32 genesis) TypedDomain(genesis) {}

    function inTime(uint40 deadline) external view {
        _requireInTime(deadline);
    }

    function signed(address signer, bytes32 structHash, bytes calldata signature) external view {
        _requireSigned(signer, structHash, signature);
    }

    function ownOrSigned(address signer, bytes32 structHash, bytes calldata signature) external view {
        _requireOwnOrSigned(signer, structHash, signature);
    }
}
