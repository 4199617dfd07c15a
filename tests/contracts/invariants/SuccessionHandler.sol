// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ConsentRegistry} from "../../../contracts/ConsentRegistry.sol";
import {CarriedGrant, SignedCarrying} from "../../../contracts/interfaces/ICarriedConsents.sol";
import {Request} from "../../../contracts/interfaces/IConsentRegistry.sol";
import {Reason} from "../../../contracts/types/Vocabulary.sol";
import {Succeeding} from "../support/Succeeding.sol";
import {vm} from "../support/Vm.sol";

/// @notice A patient who grants, denies, signs to leave and may be carried at any later time, by whoever holds the message;
/// another patient who does nothing. Messages are held back, used twice, and made by others.
contract SuccessionHandler is Succeeding {
    uint256 private constant NUMBERS_USED = 2;

    mapping(bytes32 what => uint256) public reached;

    /// @dev Whether the owner gave a grant and nobody ended it since: the most that may be permitted.
    mapping(address grantee => mapping(uint8 number => bool)) private _live;
    mapping(address grantee => bool) private _blocked;
    bool private _moved;
    SignedCarrying private _held;
    bytes private _signature;

    constructor() {
        deploy();
        populate();
        succeed();
        mint(OTHER_PATIENT);
        vm.prank(otherPatient);
        consents.grant(2, clinician, 0, pack(broadTerms()), "package");
        _sign();
    }

    function grant(uint256 seed) external {
        (address grantee, uint8 number) = _slot(seed);
        vm.prank(patient);
        _home().grant(1, grantee, number, pack(broadTerms()), "package");
        _live[grantee][number] = true;
    }

    function revoke(uint256 seed) external {
        (address grantee, uint8 number) = _slot(seed);
        vm.prank(seed & 4 == 0 ? patient : grantee);
        _home().revoke(patient, 1, grantee, number);
        _live[grantee][number] = false;
    }

    function revokeAll(uint256 seed) external {
        if (seed % 4 != 0) return;
        vm.prank(patient);
        _home().revokeAll(1, none());
        for (uint256 place = 0; place < 2 * NUMBERS_USED; ++place) {
            (address grantee, uint8 number) = _slot(place);
            _live[grantee][number] = false;
        }
    }

    function blockOrUnblock(uint256 seed) external {
        (address grantee,) = _slot(seed);
        vm.prank(patient);
        if (seed & 4 == 0) _home().blockGrantee(1, grantee);
        else _home().unblockGrantee(1, grantee);
        _blocked[grantee] = seed & 4 == 0;
    }

    /// @dev In the deployment where the twin does not live; the new one takes no block of a twin that is not there.
    function actElsewhere(uint256 seed) external {
        (address grantee, uint8 number) = _slot(seed);
        ConsentRegistry there = _moved ? consents : newConsents;
        vm.prank(grantee);
        there.revoke(patient, 1, grantee, number);
        if (!_moved) return;
        vm.startPrank(patient);
        there.grant(1, grantee, number, pack(broadTerms()), "package");
        there.unblockGrantee(1, grantee);
        vm.stopPrank();
        ++reached["elsewhere"];
    }

    /// @dev The patient signs for what stands now.
    function sign() external {
        if (!_moved) _sign();
    }

    function _sign() private {
        CarriedGrant[] memory grants = new CarriedGrant[](2 * NUMBERS_USED);
        for (uint256 place = 0; place < grants.length; ++place) {
            (address grantee, uint8 number) = _slot(place);
            grants[place] = carried(grantee, number);
        }
        SignedCarrying memory message = carrying(grants);
        delete _held;
        (_held.twin, _held.counter, _held.deadline) = (message.twin, message.counter, message.deadline);
        for (uint256 place = 0; place < grants.length; ++place) {
            _held.grants.push(grants[place]);
        }
        _signature = signed(PATIENT, message);
    }

    /// @dev Whoever holds the message uses it, seldom at first, and names those who are blocked, or not.
    function carryHeld(uint256 seed) external {
        if (!_moved && seed % 8 != 0) return;
        address[] memory named = seed & 8 == 0 ? _whoIsBlocked() : nobody();
        vm.prank(RELAYER);
        try newConsents.carry(_held, named, _signature) {
            vm.assertTrue(!_moved, "a twin is carried once");
            _moved = true;
            ++reached["carried"];
        } catch {
            ++reached["refused"];
        }
    }

    function forge(uint256 seed) external {
        SignedCarrying memory message = _held;
        (message.grants[0].grantee, message.grants[0].grant) = (stranger, pack(broadTerms()));
        bytes memory signature = seed & 1 == 0 ? _signature : signed(STRANGER, message);
        (bool done,) =
            address(newConsents).call(abi.encodeCall(newConsents.carry, (message, _whoIsBlocked(), signature)));
        vm.assertTrue(!done, "carried what its owner did not sign");
        vm.prank(stranger);
        (done,) = address(newTwins).call(abi.encodeCall(newTwins.arrive, (1 + (seed & 1))));
        vm.assertTrue(!done, "arrived for a stranger");
    }

    function requireNothingDenied() external {
        for (uint256 place = 0; place < 2 * NUMBERS_USED; ++place) {
            (address grantee, uint8 number) = _slot(place);
            bool allowed = _live[grantee][number] && !_blocked[grantee];
            bool there = _permits(newConsents, 1, grantee, number);
            vm.assertTrue(!there || (_moved && allowed), "permitted in the new");
            vm.assertTrue(!_permits(consents, 1, grantee, number) || (!_moved && allowed), "permitted in the old");
            if (there) ++reached["permitted"];
        }
        vm.assertTrue(_permits(consents, 2, clinician, 0), "who stays");
        vm.assertTrue(!_permits(newConsents, 2, clinician, 0), "who stays, in the new");
        vm.assertTrue((twins.successorOf(1) != address(0)) == _moved, "where it went");
        vm.assertEq(newTwins.ownerOrZero(1), _moved ? patient : address(0), "one home");
    }

    function _permits(ConsentRegistry where, uint256 twin, address grantee, uint8 number) private view returns (bool) {
        Request memory request = someRequest();
        (request.twin, request.requester, request.grantee, request.number) = (twin, grantee, grantee, number);
        return where.check(request, time(), time()) == Reason.PERMITTED;
    }

    function _home() private view returns (ConsentRegistry) {
        return _moved ? newConsents : consents;
    }

    function _slot(uint256 seed) private view returns (address grantee, uint8 number) {
        return (seed & 1 == 0 ? clinician : medic, uint8(seed >> 1) & 1);
    }

    function _whoIsBlocked() private view returns (address[] memory list) {
        list = new address[](2);
        (list[0], list[1]) = (clinician, medic);
    }
}
