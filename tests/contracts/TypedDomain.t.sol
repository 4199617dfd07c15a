// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {ITypedDomain} from "../../contracts/interfaces/ITypedDomain.sol";
import {ContractAccount} from "./support/Accounts.sol";
import {Door} from "./support/Door.sol";
import {bound, vm} from "./support/Vm.sol";

/// @notice The domain binds chain, contract and genesis; a message lives an hour at most; ECDSA and ERC-1271 sign.
contract TypedDomainTest {
    bytes32 private constant GENESIS = keccak256("a genesis block");
    uint256 private constant KEY = 0xA11CE;
    bytes32 private constant MESSAGE = keccak256("a message");
    uint256 private constant START = 1_800_000_000;

    Door private door;

    function setUp() external {
        vm.warp(START);
        door = new Door(GENESIS);
    }

    function test_the_separator_is_that_of_EIP712_with_all_five_fields() external view {
        bytes32 expected = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)"
                ),
                keccak256("dtledger"),
                keccak256("1"),
                block.chainid,
                address(door),
                GENESIS
            )
        );
        vm.assertEq(door.domainSeparator(), expected, "separator");
    }

    function test_the_domain_describes_itself_as_ERC5267_says() external view {
        (bytes1 fields, string memory name, string memory version, uint256 chain, address at_, bytes32 salt,) =
            door.eip712Domain();
        vm.assertEq(bytes32(fields), bytes32(bytes1(0x1f)), "fields");
        vm.assertEq(keccak256(bytes(name)), keccak256("dtledger"), "name");
        vm.assertEq(keccak256(bytes(version)), keccak256("1"), "version");
        vm.assertEq(chain, block.chainid, "chain id");
        vm.assertEq(at_, address(door), "contract");
        vm.assertEq(salt, GENESIS, "salt");
    }

    function test_the_separator_follows_the_chain_id_contract_and_genesis() external {
        bytes32 first = door.domainSeparator();
        vm.assertTrue(new Door(GENESIS).domainSeparator() != first, "another contract");
        vm.chainId(99);
        vm.assertTrue(door.domainSeparator() != first, "another chain id");
        vm.chainId(31337);
        vm.assertEq(door.domainSeparator(), first, "the first chain id again");
        _rebuild(keccak256("another genesis block"));
        vm.assertTrue(door.domainSeparator() != first, "another genesis");
        _rebuild(GENESIS);
        vm.assertEq(door.domainSeparator(), first, "the first genesis again");
    }

    function testFuzz_a_deadline_within_the_hour_is_in_time(uint256 ahead) external view {
        door.inTime(uint40(START + bound(ahead, 0, 1 hours)));
    }

    function testFuzz_a_deadline_that_has_passed_is_refused(uint256 behind) external {
        uint40 deadline = uint40(START - bound(behind, 1, START));
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_DeadlinePassed.selector, deadline));
        door.inTime(deadline);
    }

    function testFuzz_a_deadline_more_than_an_hour_ahead_is_refused(uint256 ahead) external {
        uint40 deadline = uint40(bound(ahead, START + 1 hours + 1, type(uint40).max));
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_DeadlineTooFar.selector, deadline));
        door.inTime(deadline);
    }

    function testFuzz_a_signature_counts_for_its_signer_message_and_domain_alone(uint256 key, uint256 other) external {
        key = bound(key, 1, type(uint128).max);
        other = bound(other, 1, type(uint128).max);
        vm.assume(key != other);
        bytes memory signature = _sign(key, door.domainSeparator(), MESSAGE);
        door.signed(vm.addr(key), MESSAGE, signature);

        _expectWrongSignature(vm.addr(other));
        door.signed(vm.addr(other), MESSAGE, signature);
        _expectWrongSignature(vm.addr(key));
        door.signed(vm.addr(key), keccak256("another message"), signature);
        Door elsewhere = new Door(GENESIS);
        _expectWrongSignature(vm.addr(key));
        elsewhere.signed(vm.addr(key), MESSAGE, signature);
    }

    function test_a_signature_for_a_chain_of_another_genesis_is_worth_nothing() external {
        bytes memory signature = _sign(KEY, door.domainSeparator(), MESSAGE);
        _rebuild(keccak256("another genesis block"));
        _expectWrongSignature(vm.addr(KEY));
        door.signed(vm.addr(KEY), MESSAGE, signature);
        _rebuild(GENESIS);
        door.signed(vm.addr(KEY), MESSAGE, signature);
    }

    function testFuzz_damaged_signatures_are_refused(uint256 place, uint8 change) external {
        bytes memory signature = _sign(KEY, door.domainSeparator(), MESSAGE);
        door.signed(vm.addr(KEY), MESSAGE, signature);
        vm.assume(change != 0);
        place %= 65;
        signature[place] = bytes1(uint8(signature[place]) ^ change);
        _expectWrongSignature(vm.addr(KEY));
        door.signed(vm.addr(KEY), MESSAGE, signature);
    }

    function test_nothing_is_a_signature_of_the_zero_address() external {
        _expectWrongSignature(address(0));
        door.signed(address(0), MESSAGE, new bytes(65));
        _expectWrongSignature(address(0));
        door.signed(address(0), MESSAGE, "");
    }

    function test_the_callers_own_message_needs_no_signature_and_anyone_elses_does() external {
        vm.prank(vm.addr(KEY));
        door.ownOrSigned(vm.addr(KEY), MESSAGE, "");

        _expectWrongSignature(vm.addr(KEY));
        door.ownOrSigned(vm.addr(KEY), MESSAGE, "");
        door.ownOrSigned(vm.addr(KEY), MESSAGE, _sign(KEY, door.domainSeparator(), MESSAGE));
    }

    function test_a_contract_signs_by_ERC1271_and_only_what_it_approved() external {
        ContractAccount account = new ContractAccount();
        _expectWrongSignature(address(account));
        door.signed(address(account), MESSAGE, "anything");

        account.approve(MessageHashUtils.toTypedDataHash(door.domainSeparator(), MESSAGE));
        door.signed(address(account), MESSAGE, "anything");
    }

    /// @dev Constructs the door again at its own address, for another genesis.
    function _rebuild(bytes32 genesis) private {
        vm.etch(address(door), abi.encodePacked(type(Door).creationCode, abi.encode(genesis)));
        (bool built, bytes memory code) = address(door).call("");
        vm.assertTrue(built, "built");
        vm.etch(address(door), code);
    }

    function _expectWrongSignature(address signer) private {
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_WrongSignature.selector, signer));
    }

    function _sign(uint256 key, bytes32 separator, bytes32 structHash) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, MessageHashUtils.toTypedDataHash(separator, structHash));
        return abi.encodePacked(r, s, v);
    }
}
