// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title Grant
/// @notice One consent as it stands in its slot, in one word.
///
/// From the most significant bit: categories u32 · purposes u32 · notBeforeAt u40 · expiresAt u40 · dataFrom u32 ·
/// dataUntil u32 · actions u8 · revision u16 · epoch u24.
///
/// `categories`, `purposes` and `actions` are masks; validity is [notBeforeAt, expiresAt) in unix seconds; the data
/// period is [dataFrom, dataUntil] in unix minutes, both ends included. A slot that was never written is zero. A slot
/// that was revoked holds its revision and epoch and nothing else. *Terms* are a Grant whose revision and epoch are zero.
type Grant is uint256;

using Grants for Grant global;

/// @notice What a Grant says.
library Grants {
    /// @notice The last revision. A slot that stands there never permits again and takes no more grants.
    uint16 internal constant LAST_REVISION = type(uint16).max;

    /// @notice The last epoch. An owner's grants on a twin whose epoch stands there never permit again.
    uint24 internal constant LAST_EPOCH = type(uint24).max;

    uint256 private constant COUNTERS = (1 << 40) - 1;

    function categories(Grant self) internal pure returns (uint32) {
        return uint32(Grant.unwrap(self) >> 224);
    }

    function purposes(Grant self) internal pure returns (uint32) {
        return uint32(Grant.unwrap(self) >> 192);
    }

    function notBeforeAt(Grant self) internal pure returns (uint40) {
        return uint40(Grant.unwrap(self) >> 152);
    }

    function expiresAt(Grant self) internal pure returns (uint40) {
        return uint40(Grant.unwrap(self) >> 112);
    }

    function dataFrom(Grant self) internal pure returns (uint32) {
        return uint32(Grant.unwrap(self) >> 80);
    }

    function dataUntil(Grant self) internal pure returns (uint32) {
        return uint32(Grant.unwrap(self) >> 48);
    }

    function actions(Grant self) internal pure returns (uint8) {
        return uint8(Grant.unwrap(self) >> 40);
    }

    function revision(Grant self) internal pure returns (uint16) {
        return uint16(Grant.unwrap(self) >> 24);
    }

    function epoch(Grant self) internal pure returns (uint24) {
        return uint24(Grant.unwrap(self));
    }

    /// @notice True if the slot was never written.
    function isEmpty(Grant self) internal pure returns (bool) {
        return Grant.unwrap(self) == 0;
    }

    /// @notice The revision and epoch, packed as in the word: zero in terms.
    function counters(Grant self) internal pure returns (uint40) {
        return uint40(Grant.unwrap(self));
    }

    /// @notice These terms as they stand in a slot at that revision and epoch.
    function standing(Grant terms, uint16 revision_, uint24 epoch_) internal pure returns (Grant) {
        return Grant.wrap((Grant.unwrap(terms) & ~COUNTERS) | (uint256(revision_) << 24) | epoch_);
    }

    /// @notice What a revocation leaves of this word: the epoch, and the revision it moves on to.
    function revoked(Grant self, uint16 revision_) internal pure returns (Grant) {
        return Grant.wrap((uint256(revision_) << 24) | self.epoch());
    }
}
