// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMemberRegistry, MemberCard} from "../../../contracts/interfaces/IMemberRegistry.sol";
import {ITypedDomain} from "../../../contracts/interfaces/ITypedDomain.sol";
import {World} from "./World.sol";
import {vm} from "./Vm.sol";

/// @notice A world in which the hospital is enrolled, and cards are signed and carried.
abstract contract Carding is World {
    bytes32 internal constant KEY = keccak256("a public key");

    function setUp() external {
        deploy();
        enrol(HOSPITAL, address(0), 0);
    }

    function _card(address member, address organisation, uint32 version) internal pure returns (MemberCard memory) {
        return MemberCard({member: member, key: KEY, organisation: organisation, version: version});
    }

    function _signed(uint256 key, MemberCard memory card) internal view returns (bytes memory) {
        return sign(key, members, messages.memberCard(card));
    }

    function _enrol(MemberCard memory card, bytes memory signature, bytes memory agreement, uint16 kinds) internal {
        vm.prank(REGISTRAR);
        members.enrol(card, signature, agreement, kinds);
    }

    function _agree(uint256 key, address member, uint32 version) internal {
        vm.prank(vm.addr(key));
        members.agree(member, version);
    }

    function _expectWrongSignature(address signer) internal {
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_WrongSignature.selector, signer));
    }

    function _expectStale(uint32 named, uint32 present) internal {
        vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_StaleVersion.selector, named, present));
    }
}
