// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Grant} from "../../../contracts/types/Grant.sol";

/// @notice What a grant says, field by field.
struct Terms {
    uint32 categories;
    uint32 purposes;
    uint40 notBeforeAt;
    uint40 expiresAt;
    uint32 dataFrom;
    uint32 dataUntil;
    uint8 actions;
}

/// @notice The same as one word, its counters zero.
function packed(Terms memory t) pure returns (Grant) {
    uint256 word = uint256(t.categories) << 224 | uint256(t.purposes) << 192 | uint256(t.notBeforeAt) << 152;
    word |= uint256(t.expiresAt) << 112 | uint256(t.dataFrom) << 80 | uint256(t.dataUntil) << 48;
    return Grant.wrap(word | uint256(t.actions) << 40);
}
