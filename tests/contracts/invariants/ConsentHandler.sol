// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Regrant, Request} from "../../../contracts/interfaces/IConsentRegistry.sol";
import {MemberCard} from "../../../contracts/interfaces/IMemberRegistry.sol";
import {Action, Kind, Purpose, Reason} from "../../../contracts/types/Vocabulary.sol";
import {Terms} from "../support/World.sol";
import {bound, vm} from "../support/Vm.sol";
import {ConsentModel} from "./ConsentModel.sol";

/// @notice Two twins, their owners and a hospital live on, by calls of their own. Whatever a call does is written into
/// the model too; a call that the model does not expect to succeed is not made.
contract ConsentHandler is ConsentModel {
    uint8 internal constant NUMBERS = 2;

    /// @notice How often each thing happened that a run must not do without.
    mapping(bytes32 what => uint256) public reached;

    uint256 private _turn;
    uint256 private _twin = 1;
    address private _grantee = clinician;
    uint8 private _number;

    constructor() {
        deploy();
        populate();
        mint(OTHER_PATIENT);
        (ownerOf[1], ownerOf[2]) = (patient, otherPatient);
        (kindsOf[clinician], kindsOf[gateway]) = (kind(Kind.CLINICIAN), kind(Kind.GATEWAY));
        (kindsOf[researcher], kindsOf[medic]) = (kind(Kind.RESEARCHER), kind(Kind.CLINICIAN) | kind(Kind.EMERGENCY));
        (organisationOf[clinician], organisationOf[gateway]) = (hospital, hospital);
        organisationOf[researcher] = clinic;
    }

    // Owners and grantees

    function grant(uint256 seed) external {
        (address owner, uint256 twin, address grantee, uint8 number) = _anySlot(seed);
        Terms memory terms = _anyTerms(seed >> 64);
        _permit(_slot(owner, twin, grantee, number), terms, _decide());
        vm.prank(owner);
        consents.grant(twin, grantee, number, pack(terms), "package");
        ++reached["grant"];
    }

    function revoke(uint256 seed, bool byGrantee) external {
        (address owner, uint256 twin, address grantee, uint8 number) = _anySlot(seed);
        _deny(_slot(owner, twin, grantee, number), _decide());
        vm.prank(byGrantee ? grantee : owner);
        consents.revoke(owner, twin, grantee, number);
        ++reached["revoke"];
    }

    /// @dev Sometimes what is to be kept was revoked by its grantee meanwhile.
    function revokeAll(uint256 seed, bool keepOne) external {
        (address owner, uint256 twin, address grantee, uint8 number) = _anySlot(seed);
        bytes32 slot = _slot(owner, twin, grantee, number);
        Terms memory terms = _anyTerms(seed >> 64);
        Regrant[] memory keep = keepOne ? keeping(owner, twin, grantee, number, terms) : none();
        if (keepOne && seed >> 48 & 3 == 0) {
            _deny(slot, _decide());
            vm.prank(grantee);
            consents.revoke(owner, twin, grantee, number);
        }
        bool kept = keepOne && slots[slot].live;
        _denyAll(owner, twin, _decide());
        if (kept) _permit(slot, terms, _decide());
        vm.prank(owner);
        consents.revokeAll(twin, keep);
        ++reached["revokeAll"];
        if (keepOne) ++reached[kept ? bytes32("kept") : bytes32("passed over")];
    }

    function blockGrantee(uint256 seed) external {
        (, uint256 twin, address grantee,) = _anySlot(seed);
        _set(blocks[twin][grantee], _decide());
        vm.prank(ownerOf[twin]);
        consents.blockGrantee(twin, grantee);
        ++reached["block"];
    }

    function unblockGrantee(uint256 seed) external {
        (, uint256 twin, address grantee,) = _anySlot(seed);
        _clear(blocks[twin][grantee], _decide());
        vm.prank(ownerOf[twin]);
        consents.unblockGrantee(twin, grantee);
        ++reached["unblock"];
    }

    function retireOrCancel(uint256 seed) external {
        uint256 twin = seed & 1 == 0 ? _twin : bound(seed >> 8, 1, 2);
        (uint40 retireAt,) = twins.stateOf(twin);
        if (!retirements[twin].on) {
            _set(retirements[twin], _decide());
            vm.prank(ownerOf[twin]);
            twins.announceRetirement(twin);
            ++reached["retire"];
        } else if (block.timestamp < retireAt) {
            _clear(retirements[twin], _decide());
            vm.prank(ownerOf[twin]);
            twins.cancelRetirement(twin);
            ++reached["cancel"];
        }
    }

    function moveTwin(uint256 seed) external {
        uint256 twin = bound(seed, 1, 2);
        uint256 toKey = bound(seed >> 8, 0, 1) == 0 ? (twin == 1 ? OTHER_PATIENT : PATIENT) : STRANGER;
        if (retirements[twin].on || ownerOf[twin] == vm.addr(toKey) || twins.wasOwner(twin, vm.addr(toKey))) return;
        _decide();
        move(twin, _keyOf(ownerOf[twin]), toKey);
        ownerOf[twin] = vm.addr(toKey);
        ++reached["move"];
    }

    // The registry

    function suspendOrReinstate(uint256 seed) external {
        address member = seed >> 16 & 1 == 0 ? hospital : _anyGrantee(seed);
        // Mostly the one who is suspended already, so that not everybody always is.
        for (uint256 i = 0; i < 4 && seed >> 8 & 3 != 0; ++i) {
            if (suspended[_anyGrantee(i)]) member = _anyGrantee(i);
        }
        _decide();
        if (suspended[member]) steward(abi.encodeCall(members.reinstate, (member)));
        else suspend(member);
        suspended[member] = !suspended[member];
        ++reached["suspend"];
    }

    function setKinds(uint256 seed) external {
        address member = _anyRequester(seed);
        uint16 kinds = kind(Kind.GATEWAY) | kind(Kind.RESEARCHER) | kind(Kind.CLINICIAN);
        if (seed >> 32 & 1 == 0) kinds &= uint16(seed >> 8);
        _decide();
        vm.prank(REGISTRAR);
        members.setKinds(member, kinds);
        kindsOf[member] = kinds;
        ++reached["kinds"];
    }

    function joinOrLeave(uint256 seed) external {
        address member = _anyRequester(seed);
        address to = organisationOf[member] == address(0) ? hospital : address(0);
        if (to == address(0) ? seed >> 8 & 3 != 0 : suspended[to]) return;
        _decide();
        uint32 version = members.memberOf(member).version;
        if (to != address(0)) {
            vm.prank(to);
            members.agree(member, version);
        }
        vm.prank(member);
        members.updateCard(MemberCard(member, "key", to, version), "", "");
        organisationOf[member] = to;
        ++reached["organisation"];
    }

    // Time

    function pass(uint256 seed) external {
        uint256 length = seed % 8 == 0 ? bound(seed >> 8, 1 days, 20 days) : bound(seed >> 8, 1, 20 minutes);
        vm.warp(block.timestamp + length);
        ++reached["time"];
    }

    // What the invariants ask

    /// @notice Puts requests to the rule: it permits what people's decisions permit, and nothing else. Those about the
    /// slot that was touched last, and in turn all others.
    function compare() external {
        ++_turn;
        ++reached["step"];
        _compareAll(_turn % 2 + 1, uint8(_turn / 2 % 3));
        for (uint8 action = 0; action < 3; ++action) {
            for (uint256 who = 0; who < 4; ++who) {
                Request memory r = _ask(_twin, _anyRequester(who), action);
                r.number = _number;
                r.grantee = _grantee;
                if (_grantee == r.requester || _grantee == organisationOf[r.requester]) _compare(r);
            }
        }
    }

    /// @notice Puts every request to the rule.
    function compareAll() external {
        for (uint256 twin = 1; twin <= 2; ++twin) {
            for (uint8 action = 0; action < 3; ++action) {
                _compareAll(twin, action);
            }
        }
    }

    /// @notice No grant is live, and nothing unblocked or unretired, by a decision older than one that denies and
    /// landed.
    function requireNewestDenialHolds() external view {
        for (uint256 twin = 1; twin <= 2; ++twin) {
            Flag storage retirement = retirements[twin];
            vm.assertTrue(retirement.on || retirement.cleared >= retirement.set, "a late message un-retired a twin");
            for (uint256 i = 0; i < 4; ++i) {
                Flag storage blocked = blocks[twin][_anyGrantee(i)];
                vm.assertTrue(blocked.on || blocked.cleared >= blocked.set, "a late message unblocked a grantee");
                for (uint8 number = 0; number < NUMBERS; ++number) {
                    SlotState storage slot = slots[_slot(ownerOf[twin], twin, _anyGrantee(i), number)];
                    vm.assertTrue(!slot.live || slot.permitted > slot.denied, "a late message permits again");
                }
            }
        }
    }

    // Parts

    function _compareAll(uint256 twin, uint8 action) private {
        for (uint256 who = 0; who < 4; ++who) {
            Request memory r = _ask(twin, _anyRequester(who), action);
            for (r.number = 0; r.number < NUMBERS; ++r.number) {
                r.grantee = r.requester;
                _compare(r);
                r.grantee = hospital;
                _compare(r);
            }
        }
    }

    /// @dev Of category 0, for a purpose that `broadTerms` have.
    function _ask(uint256 twin, address requester, uint8 action) private view returns (Request memory r) {
        r = someRequest();
        (r.twin, r.requester, r.action) = (twin, requester, action);
        r.purpose = action == Action.READ ? Purpose.TREAT : action == Action.WRITE ? 0 : Purpose.HRESCH;
    }

    function _touch(uint256 twin, address grantee, uint8 number) internal {
        (_twin, _grantee, _number) = (twin, grantee, number);
    }

    function _isTouched(uint256 twin, address grantee) internal view returns (bool) {
        return twin == _twin && grantee == _grantee;
    }

    function _compare(Request memory r) private {
        Reason reason = consents.check(r, time(), time());
        bool permits = reason == Reason.PERMITTED;
        vm.assertTrue(reason != Reason.OWNER, "nobody asks as an owner");
        vm.assertTrue(!permits || _allows(r), "permitted though nobody's decision permits it");
        vm.assertTrue(permits || !_allows(r), string.concat("refused without cause: ", vm.toString(uint256(reason))));
        ++reached[permits ? bytes32("permitted") : bytes32("refused")];
    }

    function _denyAll(address owner, uint256 twin, uint256 decision) internal {
        for (uint256 i = 0; i < 4; ++i) {
            for (uint8 number = 0; number < NUMBERS; ++number) {
                _deny(_slot(owner, twin, _anyGrantee(i), number), decision);
            }
        }
    }

    /// @dev Half the time the slot that was touched last, so that decisions meet. Mostly the owner's of the twin; else of
    /// somebody who owned it or may own it.
    function _anySlot(uint256 seed) internal returns (address owner, uint256 twin, address grantee, uint8 number) {
        if (seed >> 40 & 1 == 0) return (ownerOf[_twin], _twin, _grantee, _number);
        twin = bound(seed, 1, 2);
        owner = seed >> 8 & 7 == 0 ? (twin == 1 ? otherPatient : patient) : ownerOf[twin];
        grantee = _anyGrantee(seed >> 16);
        number = uint8(bound(seed >> 24, 0, NUMBERS - 1));
        _touch(twin, grantee, number);
    }

    function _anyGrantee(uint256 seed) internal view returns (address) {
        return [clinician, gateway, researcher, hospital][seed % 4];
    }

    function _anyRequester(uint256 seed) internal view returns (address) {
        return [clinician, gateway, researcher, medic][seed % 4];
    }

    function _keyOf(address who) internal view returns (uint256) {
        if (who == patient) return PATIENT;
        return who == otherPatient ? OTHER_PATIENT : STRANGER;
    }

    /// @dev Broad terms, mostly; else short ones, later ones, ones for READ alone, or sleeping ones.
    function _anyTerms(uint256 seed) internal view returns (Terms memory terms) {
        terms = broadTerms();
        seed %= 16;
        if (seed == 0) terms.expiresAt = time() + 20 minutes;
        if (seed == 1) terms.notBeforeAt = time() + 20 minutes;
        if (seed == 2) terms.actions = 1;
        if (seed == 3) terms.categories = 2;
        if (seed == 4) terms = emergencyTerms();
    }
}
