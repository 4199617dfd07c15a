// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ConsentRegistry} from "../../contracts/ConsentRegistry.sol";
import {IConsentRegistry, Request} from "../../contracts/interfaces/IConsentRegistry.sol";
import {IMemberRegistry, Member} from "../../contracts/interfaces/IMemberRegistry.sol";
import {ITwinRegistry} from "../../contracts/interfaces/ITwinRegistry.sol";
import {Reason} from "../../contracts/types/Vocabulary.sol";
import {vm} from "./support/Vm.sol";

/// @notice What a case says of twins and members, in the places of the two registries.
contract Stage {
    address private _owner;
    bool private _retired;
    uint40 private _frozenUntil;
    mapping(address => Member) private _members;

    function set(address owner, bool retired, uint40 frozenUntil) external {
        (_owner, _retired, _frozenUntil) = (owner, retired, frozenUntil);
    }

    function setMember(address who, Member calldata member) external {
        _members[who] = member;
    }

    function ownerOrZero(uint256) external view returns (address) {
        return _owner;
    }

    function freezeOf(uint256) external view returns (uint40, uint40) {
        return (0, _frozenUntil);
    }

    function stateOf(uint256) external view returns (uint40, uint32) {
        return (_retired ? 1 : 0, 0);
    }

    function memberOf(address who) external view returns (Member memory) {
        return _members[who];
    }
}

/// @notice The rule written twice is one rule: 20,000 cases of tests/vectors/rule.json, whose verdicts are those of
/// dtledger/policy.py, put to `ConsentRegistry.check`. The bytes of a case are laid out in tests/contracts/rule_cases.py.
contract RuleTest {
    uint256 private constant SIZE = 83;
    uint256 private constant TWIN = 7;
    uint256 private constant CLOSINGS = 7; // the place of the mapping in the contract's storage
    uint8 private constant MALFORMED = 255;
    uint8 private constant BROKEN = 254;
    uint256 private constant LEAST_OF_EACH = 100;

    Stage private stage;
    ConsentRegistry private consents;
    mapping(uint256 verdict => uint256) private _seen;

    function setUp() external {
        stage = new Stage();
        consents = new ConsentRegistry(
            0, ITwinRegistry(address(stage)), IMemberRegistry(address(stage)), 0, 0, IConsentRegistry(address(0))
        );
    }

    function test_the_rule_written_twice_is_one_rule() external {
        vm.pauseGasMetering();
        bytes memory cases = vm.parseJsonBytes(vm.readFile("tests/vectors/rule.json"), ".cases");
        vm.assertEq(cases.length % SIZE, 0, "whole cases");
        uint256 count = cases.length / SIZE;
        vm.assertTrue(count >= 20_000, "at least 20,000 cases");
        for (uint256 i = 0; i < count; ++i) {
            bytes memory one = new bytes(SIZE);
            assembly ("memory-safe") {
                mcopy(add(one, 0x20), add(add(cases, 0x20), mul(i, SIZE)), SIZE)
            }
            // By a call, so that the memory of a case is free again after it.
            (uint8 expected, uint8 answer) = this.judge(one);
            if (expected != answer) vm.assertEq(answer, expected, string.concat("case ", vm.toString(i)));
            ++_seen[expected];
        }
        for (uint256 reason = 0; reason <= uint256(type(Reason).max); ++reason) {
            vm.assertTrue(_seen[reason] >= LEAST_OF_EACH, string.concat("too few of reason ", vm.toString(reason)));
        }
        vm.assertTrue(_seen[MALFORMED] >= LEAST_OF_EACH, "too few malformed");
    }

    /// @dev Sets the stage for one case and asks.
    function judge(bytes calldata c) external returns (uint8 expected, uint8 answer) {
        address owner = _actor(c[35]);
        stage.set(owner, c[36] != 0, uint40(bytes5(c[77:82])));
        for (uint8 actor = 1; actor <= 5; ++actor) {
            _cast(actor, uint8(c[63 + actor]), c);
        }

        bytes32 epochs = keccak256(abi.encode(TWIN, keccak256(abi.encode(owner, uint256(1)))));
        vm.store(address(consents), epochs, bytes32(uint256(uint24(bytes3(c[32:35])))));
        bytes32 slot = keccak256(abi.encode(owner, TWIN, _actor(c[38]), uint8(c[39])));
        bytes32 grants = keccak256(abi.encode(slot, uint256(0)));
        vm.store(address(consents), grants, bytes32(c[0:32]));
        bytes32 opening = keccak256(abi.encode(slot, uint256(uint16(bytes2(c[70:72]))), _actor(c[69])));
        bytes32 closings = keccak256(abi.encode(opening, uint256(CLOSINGS)));
        if (c[69] != 0) vm.store(address(consents), closings, bytes32(uint256(uint40(bytes5(c[72:77])))));

        expected = uint8(c[82]);
        Request memory request = Request({
            twin: TWIN,
            requester: _actor(c[37]),
            grantee: _actor(c[38]),
            number: uint8(c[39]),
            action: uint8(c[40]),
            purpose: uint8(c[41]),
            category: uint8(c[42]),
            from: uint32(bytes4(c[43:47])),
            until: uint32(bytes4(c[47:51]))
        });
        try consents.check(request, uint40(bytes5(c[51:56])), uint40(bytes5(c[56:61]))) returns (Reason reason) {
            answer = uint8(reason);
        } catch (bytes memory why) {
            answer = bytes4(why) == IConsentRegistry.ConsentRegistry_MalformedRequest.selector ? MALFORMED : BROKEN;
        }
        vm.store(address(consents), grants, 0);
        vm.store(address(consents), closings, 0);
        vm.store(address(consents), epochs, 0);
    }

    function _cast(uint8 actor, uint8 flags, bytes calldata c) private {
        bool asks = actor == uint8(c[37]);
        stage.setMember(
            _actor(bytes1(actor)),
            Member({
                kinds: asks ? uint16(bytes2(c[61:63])) : 0,
                suspended: flags & 2 != 0,
                version: flags & 1,
                organisation: asks && flags & 1 != 0 ? _actor(c[63]) : address(0),
                changes: 0
            })
        );
        bytes32 counts = keccak256(abi.encode(_actor(bytes1(actor)), keccak256(abi.encode(TWIN, uint256(2)))));
        vm.store(address(consents), counts, bytes32(uint256(flags & 4 != 0 ? 1 : 0)));
    }

    function _actor(bytes1 number) private pure returns (address) {
        return number == 0 ? address(0) : address(uint160(0x00ac70000000000000000000000000000000000000 + uint8(number)));
    }
}
