// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Grant, Grants} from "../../contracts/types/Grant.sol";
import {Terms, World} from "./support/World.sol";
import {vm} from "./support/Vm.sol";

/// @notice The word holds each field where the specification says, and counters apart from terms.
contract GrantTest is World {
    function testFuzz_each_field_is_read_where_it_was_packed(Terms calldata t, uint16 revision, uint24 epoch)
        external
        pure
    {
        Grant word = pack(t).standing(revision, epoch);
        vm.assertEq(word.categories(), t.categories, "categories");
        vm.assertEq(word.purposes(), t.purposes, "purposes");
        vm.assertEq(word.notBeforeAt(), t.notBeforeAt, "notBeforeAt");
        vm.assertEq(word.expiresAt(), t.expiresAt, "expiresAt");
        vm.assertEq(word.dataFrom(), t.dataFrom, "dataFrom");
        vm.assertEq(word.dataUntil(), t.dataUntil, "dataUntil");
        vm.assertEq(word.actions(), t.actions, "actions");
        vm.assertEq(word.revision(), revision, "revision");
        vm.assertEq(word.epoch(), epoch, "epoch");
    }

    function test_the_word_is_laid_out_from_the_most_significant_bit() external pure {
        Terms memory t = Terms({
            categories: 0xC0000001,
            purposes: 0xB0000002,
            notBeforeAt: 0xA000000003,
            expiresAt: 0x9000000004,
            dataFrom: 0x80000005,
            dataUntil: 0x70000006,
            actions: 0x67
        });
        uint256 word = 0xC0000001_B0000002_A000000003_9000000004_80000005_70000006_67_5008_400009;
        vm.assertEq(Grant.unwrap(pack(t).standing(0x5008, 0x400009)), word, "word");
    }

    function testFuzz_a_revocation_leaves_the_epoch_and_the_next_revision(uint256 word, uint16 revision) external pure {
        Grant left = Grant.wrap(word).revoked(revision);
        vm.assertEq(left.revision(), revision, "revision");
        vm.assertEq(left.epoch(), Grant.wrap(word).epoch(), "epoch");
        vm.assertEq(Grant.unwrap(left) >> 40, 0, "terms");
    }

    function testFuzz_standing_replaces_the_counters_of_any_word(uint256 word, uint16 revision, uint24 epoch)
        external
        pure
    {
        Grant standing = Grant.wrap(word).standing(revision, epoch);
        vm.assertEq(standing.counters(), uint256(revision) << 24 | epoch, "counters");
        vm.assertEq(Grant.unwrap(standing) >> 40, word >> 40, "terms");
        vm.assertTrue(standing.isEmpty() == (word >> 40 == 0 && revision == 0 && epoch == 0), "empty");
        vm.assertEq(Grants.LAST_REVISION, 65535, "last revision");
        vm.assertEq(Grants.LAST_EPOCH, 16777215, "last epoch");
    }
}
