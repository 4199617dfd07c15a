// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title Contribution
/// @notice What a site's update is for and what the site says of it, in one word.
///
/// From the most significant bit: model u32 · round u32 · cohort u32 · epsilon u32.
///
/// `cohort` is the number of twins that it was trained on, `epsilon` the privacy that it spends, in thousandths.
type Contribution is uint128;

using Contributions for Contribution global;

/// @notice What a Contribution says.
library Contributions {
    function model(Contribution self) internal pure returns (uint32) {
        return uint32(Contribution.unwrap(self) >> 96);
    }

    function round(Contribution self) internal pure returns (uint32) {
        return uint32(Contribution.unwrap(self) >> 64);
    }

    function cohort(Contribution self) internal pure returns (uint32) {
        return uint32(Contribution.unwrap(self) >> 32);
    }

    function epsilon(Contribution self) internal pure returns (uint32) {
        return uint32(Contribution.unwrap(self));
    }
}
