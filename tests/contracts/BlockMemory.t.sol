// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IBlockMemory} from "../../contracts/interfaces/IBlockMemory.sol";
import {World} from "./support/World.sol";
import {vm} from "./support/Vm.sol";

/// @notice Hashes of past blocks: the chain's own, and kept.
contract BlockMemoryTest is World {
    function setUp() external {
        deploy();
    }

    function testFuzz_the_block_before_is_remembered_by_anyone(uint32 number) external {
        vm.roll(uint256(number) + 2);
        bytes32 expected = blockhash(uint256(number) + 1);
        vm.expectEmit(address(memories));
        emit IBlockMemory.Remembered(uint64(number) + 1, expected);
        vm.prank(stranger);
        vm.assertEq(memories.remember(), uint256(number) + 1, "the number of that block");
        vm.assertEq(memories.hashOf(uint64(number) + 1), expected, "its hash");
        vm.assertTrue(expected != 0, "a hash");
    }

    function test_what_nobody_had_remembered_is_not_there() external {
        vm.roll(300);
        memories.remember();
        vm.assertEq(memories.hashOf(298), bytes32(0), "the block before that");
        vm.assertEq(memories.hashOf(300), bytes32(0), "the block itself");
    }

    function test_what_is_remembered_stays_when_the_chain_has_forgotten_it() external {
        vm.roll(300);
        bytes32 expected = blockhash(299);
        memories.remember();
        memories.remember();
        vm.roll(10_000);
        memories.remember();
        vm.assertEq(memories.hashOf(299), expected, "still there");
    }
}
