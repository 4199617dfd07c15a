// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Grant} from "../../../contracts/types/Grant.sol";
import {Terms, packed} from "../support/Packing.sol";

/// @notice The packed word, for every word there is. Halmos runs what begins with `check`: scripts/test --halmos.
contract GrantProofs {
    function check_each_field_is_read_as_it_was_packed(Terms calldata t, uint16 revision, uint24 epoch) external pure {
        Grant word = packed(t).standing(revision, epoch);
        assert(word.categories() == t.categories);
        assert(word.purposes() == t.purposes);
        assert(word.notBeforeAt() == t.notBeforeAt);
        assert(word.expiresAt() == t.expiresAt);
        assert(word.dataFrom() == t.dataFrom);
        assert(word.dataUntil() == t.dataUntil);
        assert(word.actions() == t.actions);
        assert(word.revision() == revision);
        assert(word.epoch() == epoch);
    }

    function check_a_word_is_packed_again_as_it_was_read(uint256 bits) external pure {
        Grant word = Grant.wrap(bits);
        Terms memory t = Terms({
            categories: word.categories(),
            purposes: word.purposes(),
            notBeforeAt: word.notBeforeAt(),
            expiresAt: word.expiresAt(),
            dataFrom: word.dataFrom(),
            dataUntil: word.dataUntil(),
            actions: word.actions()
        });
        assert(Grant.unwrap(packed(t).standing(word.revision(), word.epoch())) == bits);
    }

    function check_a_revocation_leaves_the_epoch_and_a_revision(uint256 bits, uint16 revision) external pure {
        Grant left = Grant.wrap(bits).revoked(revision);
        assert(left.revision() == revision && left.epoch() == Grant.wrap(bits).epoch());
        assert(Grant.unwrap(left) >> 40 == 0);
    }
}
