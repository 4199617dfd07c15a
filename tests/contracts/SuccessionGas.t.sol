// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {CarriedGrant, SignedCarrying} from "../../contracts/interfaces/ICarriedConsents.sol";
import {Recipient} from "../../contracts/interfaces/IConsentRegistry.sol";
import {Succeeding} from "./support/Succeeding.sol";
import {vm} from "./support/Vm.sol";

/// @notice What it costs to carry a twin over, as `GasTest` counts it: one transaction for all of it.
/// forge-config: default.isolate = true
contract SuccessionGasTest is Succeeding {
    uint256 private constant MANY = 50;

    function setUp() external {
        deploy();
        populate();
        succeed();
        vm.prank(patient);
        twins.setCard(1, 0, someCard(1));
    }

    function test_gas_of_a_twin_with_one_grant() external {
        vm.prank(patient);
        consents.grant(1, clinician, 0, pack(broadTerms()), "package");
        _carry(usual(), "carry, with one grant", 330_000);
    }

    function test_gas_of_a_twin_with_fifty_grants() external {
        Recipient[] memory to = new Recipient[](MANY);
        for (uint256 i = 0; i < MANY; ++i) {
            to[i] = Recipient(address(bytes20(keccak256(abi.encode("grantee", i)))), uint8(i % 8), "package");
        }
        vm.prank(patient);
        consents.grantMany(1, pack(broadTerms()), to);
        CarriedGrant[] memory grants = new CarriedGrant[](MANY);
        for (uint256 i = 0; i < MANY; ++i) {
            grants[i] = carried(to[i].grantee, to[i].number);
        }
        _carry(carrying(grants), "carry, with 50 grants", 2_400_000);
    }

    function _carry(SignedCarrying memory message, string memory name, uint256 limit) private {
        bytes memory signature = signed(PATIENT, message);
        vm.prank(RELAYER);
        newConsents.carry(message, nobody(), signature);
        uint256 gas = vm.snapshotGasLastCall("ConsentRegistry", name);
        vm.assertTrue(gas <= limit, string.concat(name, " costs more than its limit: ", vm.toString(gas)));
        vm.assertEq(newTwins.ownerOf(1), patient, "it came");
    }
}
