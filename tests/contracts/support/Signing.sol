// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IConsentRegistry} from "../../../contracts/interfaces/IConsentRegistry.sol";
import {SignedGrant, SignedRevoke} from "../../../contracts/interfaces/ISignedConsents.sol";
import {ITypedDomain} from "../../../contracts/interfaces/ITypedDomain.sol";
import {Reason} from "../../../contracts/types/Vocabulary.sol";
import {Giving} from "./Giving.sol";
import {vm} from "./Vm.sol";

/// @notice A populated world in which the patient and others sign consents.
abstract contract Signing is Giving {
    function _grantMessage() internal view returns (SignedGrant memory) {
        return SignedGrant(patient, 1, clinician, 0, pack(broadTerms()), "package", 0, 0, soon());
    }

    function _revokeMessage(uint16 revision) internal view returns (SignedRevoke memory) {
        return SignedRevoke(patient, 1, clinician, 0, revision, soon());
    }

    function _sign(uint256 key, SignedGrant memory message) internal view returns (bytes memory) {
        return sign(key, consents, messages.grant(message));
    }

    function _sign(uint256 key, SignedRevoke memory message) internal view returns (bytes memory) {
        return sign(key, consents, messages.revoke(message));
    }

    function _expectReason(Reason expected) internal view {
        vm.assertEq(uint256(consents.check(someRequest(), time(), time())), uint256(expected), "reason");
    }

    function _expectWrongSignature(address signer) internal {
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_WrongSignature.selector, signer));
    }

    function _expectStaleRevision(uint16 named, uint16 present) internal {
        vm.expectRevert(abi.encodeWithSelector(IConsentRegistry.ConsentRegistry_StaleRevision.selector, named, present));
    }
}
