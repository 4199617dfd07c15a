// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Guardians, GuardianSignature} from "../../../contracts/interfaces/IGuardedTwins.sol";
import {World} from "./World.sol";
import {vm} from "./Vm.sol";

/// @notice Three guardians, of whom two act together, and what they sign. Masks choose some of them: bit 0 is the one
/// with the least address.
abstract contract Guarding is World {
    uint256 internal constant TWO = 3;
    uint256 internal constant OTHER_TWO = 6;
    uint256 internal constant ALL = 7;
    uint32 internal constant DELAY = 7 days;

    uint256[3] private _keys = [uint256(0x6A1), 0x6A2, 0x6A3];

    constructor() {
        for (uint256 i = 0; i < 2; ++i) {
            for (uint256 j = 0; j < 2; ++j) {
                (uint256 left, uint256 right) = (_keys[j], _keys[j + 1]);
                if (vm.addr(left) > vm.addr(right)) (_keys[j], _keys[j + 1]) = (right, left);
            }
        }
    }

    function guardians() internal view returns (Guardians memory) {
        return guardiansSalted("salt");
    }

    function guardiansSalted(bytes32 salt) internal view returns (Guardians memory some) {
        some = Guardians(2, new address[](3), salt);
        for (uint256 i = 0; i < 3; ++i) {
            some.addresses[i] = guardian(i);
        }
    }

    function guardian(uint256 place) internal view returns (address) {
        return vm.addr(_keys[place]);
    }

    function guardianKey(uint256 place) internal view returns (uint256) {
        return _keys[place];
    }

    function signedBy(uint256 mask, bytes32 message) internal view returns (GuardianSignature[] memory signatures) {
        uint256 count;
        for (uint256 i = 0; i < 3; ++i) {
            count += mask >> i & 1;
        }
        signatures = new GuardianSignature[](count);
        for (uint256 i = 3; i != 0; --i) {
            if (mask >> (i - 1) & 1 == 0) continue;
            signatures[--count] = GuardianSignature(guardian(i - 1), sign(_keys[i - 1], twins, message));
        }
    }

    function counterOf(uint256 twin) internal view returns (uint32 counter) {
        (, counter) = twins.stateOf(twin);
    }

    /// @dev As the owner of twin 1.
    function choose() internal {
        bytes32 digest = messages.guardians(guardians());
        vm.prank(twins.ownerOf(1));
        twins.setGuardians(1, digest, DELAY);
    }

    // What the chosen guardians of twin 1 do. External, so that a test may expect a refusal.

    function freeze(uint256 mask) external {
        uint32 counter = counterOf(1);
        GuardianSignature[] memory signatures = signedBy(mask, messages.freeze(1, counter, later()));
        vm.prank(RELAYER);
        twins.freeze(1, counter, later(), guardians(), signatures);
    }

    function unfreeze(uint256 mask) external {
        uint32 counter = counterOf(1);
        GuardianSignature[] memory signatures = signedBy(mask, messages.unfreeze(1, counter, later()));
        vm.prank(RELAYER);
        twins.unfreeze(1, counter, later(), guardians(), signatures);
    }

    function announceMove(uint256 mask, uint256 toKey) external {
        uint32 counter = counterOf(1);
        address to = vm.addr(toKey);
        bytes32 message = messages.announceMove(1, to, counter, later());
        GuardianSignature[] memory signatures = signedBy(mask, message);
        bytes memory recipients = sign(toKey, twins, message);
        vm.prank(RELAYER);
        twins.announceMove(1, to, counter, later(), guardians(), signatures, recipients);
    }

    function rescue(uint256 mask) external {
        uint32 counter = counterOf(1);
        GuardianSignature[] memory signatures = signedBy(mask, messages.rescueTwin(1, counter, later()));
        vm.prank(RELAYER);
        twins.rescueTwin(1, counter, later(), guardians(), signatures);
    }
}
