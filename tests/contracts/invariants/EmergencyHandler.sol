// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Request} from "../../../contracts/interfaces/IConsentRegistry.sol";
import {Action, Kind, Purpose, Reason} from "../../../contracts/types/Vocabulary.sol";
import {Breaking} from "../support/Breaking.sol";
import {Terms} from "../support/World.sol";
import {bound, vm} from "../support/Vm.sol";

/// @notice An owner who gives and takes back a grant that sleeps, members who open it, and auditors, in any order and
/// often against the rule. What each of them did is told here without a word, revision or key of the contracts.
contract EmergencyHandler is Breaking {
    struct Told {
        address opener;
        address grant; // the owner who gave what was opened
        uint256 consent; // and which consent of all that were ever given
        uint40 closesAt;
        uint40 reviewBy;
        bool reviewed;
    }

    mapping(bytes32 what => uint256) public reached;

    address private _owner;
    uint256 private _consents;
    uint256 private _standing; // the consent in the slot, or 0
    uint40 private _expiresAt;
    mapping(address who => bool) private _blocked;
    mapping(address who => bool) private _suspended;
    Told[] private _openings;

    constructor() {
        gather();
        _owner = patient;
        vm.prank(REGISTRAR);
        members.setKinds(clinician, kind(Kind.EMERGENCY) | kind(Kind.AUDITOR));
        (_standing, _consents, _expiresAt) = (1, 1, emergencyTerms().expiresAt);
    }

    // The owner

    function give(uint256 seed) external {
        Terms memory t = emergencyTerms();
        t.expiresAt = time() + uint40(bound(seed, 1, seed & 3 == 0 ? 3 hours : 30 days));
        vm.prank(_owner);
        consents.grant(1, hospital, 0, pack(t), "package");
        (_standing, _expiresAt) = (++_consents, t.expiresAt);
        ++reached["given"];
    }

    function takeBack(uint256 seed) external {
        if (seed & 3 != 0) return;
        if (_isOpenToAny()) ++reached["ended by revocation"];
        vm.prank(_owner);
        if (seed & 4 == 0) consents.revoke(_owner, 1, hospital, 0);
        else consents.revokeAll(1, none());
        _standing = 0;
    }

    function blockOrUnblock(uint256 seed) external {
        address who = seed & 1 == 0 ? hospital : clinician;
        if (!_blocked[who] && seed & 6 != 0) return;
        vm.prank(_owner);
        if (_blocked[who]) consents.unblockGrantee(1, who);
        else consents.blockGrantee(1, who);
        _blocked[who] = !_blocked[who];
        ++reached["blocked"];
    }

    /// @dev Once: nobody gives a twin back. The new owner's consents are its own.
    function moveTwin(uint256 seed) external {
        if (_owner != patient || seed & 15 != 0) return;
        if (_isOpenToAny()) ++reached["ended by a move"];
        move(1, PATIENT, OTHER_PATIENT);
        (_owner, _standing) = (otherPatient, 0);
    }

    /// @dev While an opener is suspended its opening permits nothing; afterwards it is as it was, if it is not over.
    function suspendAWhile(uint256 seed) external {
        address who = _anyOpener(seed);
        suspend(who);
        _suspended[who] = true;
        requireOpenings();
        _tryOpen(who, 1);
        steward(abi.encodeCall(members.reinstate, (who)));
        _suspended[who] = false;
        ++reached["suspended"];
    }

    // Openers and auditors

    function openIt(uint256 seed) external {
        address who = seed & 7 == 0 ? medic : _anyOpener(seed >> 3);
        _tryOpen(who, uint8(seed >> 16 & 7 == 0 ? bound(seed, 0, 6) : bound(seed, 1, 5)));
    }

    function reviewIt(uint256 seed) external {
        if (_openings.length == 0) return;
        uint64 number = uint64(bound(seed >> 8, seed >> 16 & 7 == 0 ? 0 : 1, _openings.length));
        address who = [researcher, coordinator, researcher, coordinator, clinician, gateway, medic, stranger][seed & 7];
        bool another = who == researcher || who == coordinator;
        bool due = another && number != 0 && !_openings[number - 1].reviewed;
        vm.prank(who);
        (bool done,) = address(consents).call(abi.encodeCall(consents.reviewEmergency, (number, 1, "text")));
        vm.assertTrue(done == due, due ? "a review refused against the rule" : "a review taken against the rule");
        if (!done) {
            ++reached["reviewed badly"];
            return;
        }
        Told storage told = _openings[number - 1];
        told.reviewed = true;
        ++reached[time() >= told.reviewBy ? bytes32("reviewed late") : bytes32("reviewed")];
    }

    function pass(uint256 seed) external {
        bool before = _isOpenToAny();
        vm.warp(block.timestamp + bound(seed, 1, seed & 7 == 0 ? 4 days : 5 hours));
        if (before && !_isOpenToAny()) ++reached["closed by time"];
    }

    /// @dev An opening to its last second and over it, and as many as one may have.
    function wearOut(uint256 seed) external {
        if (seed & 3 != 0 || _standing == 0 || time() + 20 hours >= _expiresAt) return;
        for (uint256 i = 0; i < 4; ++i) {
            _tryOpen(gateway, 1);
            vm.warp(block.timestamp + EMERGENCY_LENGTH - 1);
            requireOpenings();
            vm.warp(block.timestamp + 1);
            requireOpenings();
        }
    }

    // What the invariants ask

    function requireOpenings() public {
        address[3] memory who = [clinician, gateway, medic];
        for (uint256 i = 0; i < 3; ++i) {
            Request memory r = emergencyRequest(who[i]);
            bool permitted = reasonOf(r) == Reason.PERMITTED;
            vm.assertTrue(permitted == _isOpen(who[i]), permitted ? "permitted, and not open" : "open, and refused");
            if (permitted) ++reached["permitted"];
            r.purpose = Purpose.TREAT;
            vm.assertTrue(reasonOf(r) != Reason.PERMITTED, "for another purpose");
            (r.action, r.purpose) = (Action.TRAIN, Purpose.ETREAT);
            vm.assertTrue(reasonOf(r) != Reason.PERMITTED, "another action");
            vm.assertEq(consents.unreviewedOf(who[i]), _unreviewed(who[i]), "unreviewed");
        }
        vm.assertEq(consents.openingCount(), _openings.length, "an opening came or went unseen");
    }

    function _tryOpen(address who, uint8 cause) private {
        uint256 waiting = _unreviewed(who);
        bool asleep = who != medic && _isLive(who) && !_isOpen(who);
        bool due = asleep && waiting < 3 && cause != 0 && cause <= 5;
        vm.prank(who);
        (bool done,) = address(consents).call(abi.encodeCall(consents.openEmergency, (1, hospital, 0, cause, "text")));
        vm.assertTrue(done == due, due ? "an opening refused against the rule" : "an opening taken against the rule");
        if (done) {
            _openings.push(Told(who, _owner, _standing, time() + EMERGENCY_LENGTH, time() + REVIEW_PERIOD, false));
            ++reached["opened"];
        } else {
            ++reached[asleep && waiting == 3 ? bytes32("too many unreviewed") : bytes32("opened badly")];
        }
    }

    /// @dev Whether the grant stands and nothing denies.
    function _isLive(address who) private view returns (bool) {
        if (_standing == 0 || time() >= _expiresAt || _suspended[who]) return false;
        return !_blocked[hospital] && !_blocked[who];
    }

    function _isOpen(address who) private view returns (bool) {
        if (!_isLive(who)) return false;
        for (uint256 i = 0; i < _openings.length; ++i) {
            Told storage told = _openings[i];
            bool own = told.opener == who && told.grant == _owner && told.consent == _standing;
            if (own && time() < told.closesAt) return true;
        }
        return false;
    }

    function _isOpenToAny() private view returns (bool) {
        return _isOpen(clinician) || _isOpen(gateway);
    }

    function _unreviewed(address who) private view returns (uint256 waiting) {
        for (uint256 i = 0; i < _openings.length; ++i) {
            if (_openings[i].opener == who && !_openings[i].reviewed) ++waiting;
        }
    }

    function _anyOpener(uint256 seed) private view returns (address) {
        return seed & 1 == 0 ? clinician : gateway;
    }
}
