// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {Door} from "./support/Door.sol";
import {Messages} from "./support/Messages.sol";
import {vm} from "./support/Vm.sol";

/// @notice Every message that is signed hashes to what another implementation of EIP-712 made of it: the vectors of
/// tests/vectors/eip712.json, whose fields tests/contracts/vectors.py describes.
contract TypedDataTest {
    string private json;

    function setUp() external {
        json = vm.readFile("tests/vectors/eip712.json");
    }

    function test_messages_hash_as_another_implementation_says() external {
        Messages messages = new Messages();
        bytes32 separator = vm.parseJsonBytes32(json, ".separator");
        uint256 count;
        for (string memory row = _row(0); vm.keyExistsJson(json, row); row = _row(++count)) {
            (bool known, bytes memory answer) =
                address(messages).staticcall(vm.parseJsonBytes(json, string.concat(row, ".call")));
            vm.assertTrue(known, string.concat("a function of Messages: ", row));
            bytes32 hash = abi.decode(answer, (bytes32));
            vm.assertEq(hash, vm.parseJsonBytes32(json, string.concat(row, ".hash")), string.concat("hash: ", row));
            vm.assertEq(
                MessageHashUtils.toTypedDataHash(separator, hash),
                vm.parseJsonBytes32(json, string.concat(row, ".digest")),
                string.concat("digest: ", row)
            );
        }
        vm.assertEq(count, 3 * 24, "three of each of the messages");
    }

    function test_the_domain_is_that_of_the_vectors() external {
        vm.chainId(vm.parseJsonUint(json, ".chainId"));
        address place = vm.parseJsonAddress(json, ".contract");
        bytes32 genesis = vm.parseJsonBytes32(json, ".genesis");
        // Constructed at the very address that the vectors name, since it is part of the domain.
        vm.etch(place, abi.encodePacked(type(Door).creationCode, abi.encode(genesis)));
        (bool built, bytes memory code) = place.call("");
        vm.assertTrue(built, "built");
        vm.etch(place, code);
        vm.assertEq(Door(place).domainSeparator(), vm.parseJsonBytes32(json, ".separator"), "separator");
    }

    function _row(uint256 place) private pure returns (string memory) {
        return string.concat(".messages[", vm.toString(place), "]");
    }
}
