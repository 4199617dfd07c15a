// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Grant} from "../../../contracts/types/Grant.sol";
import {Request} from "../../../contracts/interfaces/IConsentRegistry.sol";
import {MemberCard} from "../../../contracts/interfaces/IMemberRegistry.sol";
import {SignedGrant} from "../../../contracts/interfaces/ISignedConsents.sol";
import {Model} from "../../../contracts/interfaces/IModelLedger.sol";
import {Action, Kind, Purpose, Reason} from "../../../contracts/types/Vocabulary.sol";
import {Terms, World} from "../support/World.sol";
import {bound, vm} from "../support/Vm.sol";

/// @notice An authority that lets anyone do anything at once.
contract Anarchy {
    function canCall(address, address, bytes4) external pure returns (bool, uint32) {
        return (true, 0);
    }
}

/// @notice Every governance role in one hand, with accomplices who are enrolled as it likes. It has nobody else's key. A
/// patient gave two grants and does nothing more; a researcher committed an update to a coordinator's model.
contract TyrantHandler is World {
    uint256 private constant ACCOMPLICES = 3;

    mapping(bytes32 what => uint256) public reached;

    Grant private _clinicians;
    Grant private _hospitals;
    bytes32 private _card;
    address private _anarchy;

    constructor() {
        deploy();
        populate();
        mint(PATIENT);
        Terms memory terms = broadTerms();
        terms.actions = 1;
        terms.expiresAt = time() + 10_000 days;
        vm.startPrank(patient);
        consents.grant(1, clinician, 0, pack(terms), "package");
        consents.grant(1, hospital, 0, pack(terms), "package");
        consents.blockGrantee(1, stranger);
        twins.setCard(1, 0, someCard(1));
        vm.stopPrank();
        vm.prank(gateway);
        snapshots.anchorBatch("root", 1, "index");
        enrol(COORDINATOR, address(0), kind(Kind.COORDINATOR));
        vm.startPrank(coordinator);
        models.register(8, 1, 1, 100, "card");
        models.openRound(1, "parent");
        vm.stopPrank();
        vm.prank(researcher);
        models.commitUpdate("update", "parent", "consents", "record", contribution(1, 1, 1, 5));
        _clinicians = consents.grantOf(patient, 1, clinician, 0);
        _hospitals = consents.grantOf(patient, 1, hospital, 0);
        _card = twins.cardOf(1);
        _anarchy = address(new Anarchy());
    }

    // What the roles may do

    function enrolAccomplice(uint256 seed) external {
        uint256 key = _accomplice(seed);
        address member = vm.addr(key);
        address organisation = [address(0), hospital, clinic, vm.addr(_accomplice(seed >> 8))][seed >> 16 & 3];
        MemberCard memory card = MemberCard(member, "key", organisation, members.memberOf(member).version);
        bytes memory signature = sign(key, members, messages.memberCard(card));
        bytes32 agreed = messages.agreement(organisation, member, card.version);
        bytes memory agreement = sign(_accomplice(seed >> 8), members, agreed);
        uint16 kinds = uint16(seed >> 32);
        _try(REGISTRAR, address(members), abi.encodeCall(members.enrol, (card, signature, agreement, kinds)));
        _try(member, address(members), abi.encodeCall(members.updateCard, (card, signature, agreement)));
        if (members.memberOf(member).version != 0) ++reached["enrolled"];
    }

    function changeKinds(uint256 seed) external {
        address member = _anyone(seed);
        uint16 kinds = uint16(seed >> 16) & 0x1ff;
        _try(REGISTRAR, address(members), abi.encodeCall(members.setKinds, (member, kinds)));
        _delayed(STEWARD, address(members), abi.encodeCall(members.addGuardedKinds, (member, kinds & 0x44)));
        if (members.memberOf(member).kinds & 0x44 != 0) ++reached["guarded"];
    }

    function suspendOrReinstate(uint256 seed) external {
        address member = _anyone(seed);
        if (!_try(SUSPENDER, address(members), abi.encodeCall(members.suspend, (member)))) {
            _delayed(STEWARD, address(members), abi.encodeCall(members.reinstate, (member)));
        }
    }

    function mintTo(uint256 seed) external {
        uint256 key = _accomplice(seed);
        address to = seed >> 8 & 1 == 0 ? vm.addr(key) : patient;
        uint256 count = twins.balanceOf(to);
        bytes memory signature = sign(key, twins, messages.mint(to, count, soon()));
        bytes memory call = abi.encodeCall(twins.mint, (to, count, soon(), signature));
        if (_try(MINTER, address(twins), call)) ++reached["minted"];
    }

    /// @dev Opens any function of any contract to a role, and calls it through the AccessManager.
    function ruleThroughTheManager(uint256 seed) external {
        (address target, bytes memory call) = _anyCall(seed >> 8);
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = bytes4(call);
        _delayed(
            ADMIN,
            address(authority),
            abi.encodeCall(authority.setTargetFunctionRole, (target, selectors, uint64(bound(seed, 1, 4))))
        );
        if (_try(_role(seed), address(authority), abi.encodeCall(authority.execute, (target, call)))) {
            ++reached["executed"];
        }
    }

    /// @dev Puts an authority in place that lets anyone do anything.
    function overthrow(uint256 seed) external {
        if (seed % 8 != 0) return;
        address target = seed >> 8 & 1 == 0 ? address(members) : address(twins);
        _delayed(ADMIN, address(authority), abi.encodeCall(authority.updateAuthority, (target, _anarchy)));
        if (members.authority() == _anarchy || twins.authority() == _anarchy) ++reached["overthrown"];
    }

    // What they may not

    function usurp(uint256 seed) external {
        (address target, bytes memory call) = _anyCall(seed >> 8);
        _try(_anyone(seed % 8), target, call);
        ++reached["tried"];
    }

    /// @dev Makes an accomplice a coordinator, who lays hands on another's model.
    function takeModel(uint256 seed) external {
        address thief = vm.addr(_accomplice(seed));
        uint32 updates = models.modelOf(1).updates;
        _try(REGISTRAR, address(members), abi.encodeCall(members.setKinds, (thief, kind(Kind.COORDINATOR))));
        _try(thief, address(models), abi.encodeCall(models.finaliseAggregate, (1, 1, "stolen", "record", updates)));
        _try(thief, address(models), abi.encodeCall(models.openRound, (1, "stolen")));
        if (members.isActive(thief)) ++reached["led"];
    }

    // What the invariants ask

    function requireNoPermitAdded() external {
        uint8[3] memory actions = [Action.READ, Action.WRITE, Action.TRAIN];
        uint8[3] memory purposes = [Purpose.TREAT, 0, Purpose.HRESCH];
        Request memory r = someRequest();
        for (uint256 who = 0; who < 12; ++who) {
            r.requester = _anyone(who);
            for (uint256 what = 0; what < 3; ++what) {
                (r.action, r.purpose) = (actions[what], purposes[what]);
                for (r.twin = 1; r.twin <= 2; ++r.twin) {
                    r.grantee = r.requester;
                    _requireGiven(r);
                    r.grantee = hospital;
                    _requireGiven(r);
                }
            }
            r.twin = 1;
            (r.action, r.purpose, r.grantee) = (Action.READ, Purpose.PATRQT, r.requester);
            vm.assertTrue(consents.check(r, time(), time()) != Reason.OWNER, "another owner");
        }
    }

    function requirePatientsOwn() external view {
        vm.assertEq(twins.ownerOf(1), patient, "owner");
        vm.assertEq(twins.ownerOf(2), patient, "owner");
        vm.assertEq(twins.cardOf(1), _card, "card");
        vm.assertEq(twins.cardOf(2), bytes32(0), "card");
        (uint40 retireAt, uint32 counter) = twins.stateOf(1);
        vm.assertTrue(retireAt == 0 && counter == 0, "state");
        vm.assertEq(Grant.unwrap(consents.grantOf(patient, 1, clinician, 0)), Grant.unwrap(_clinicians), "grant");
        vm.assertEq(Grant.unwrap(consents.grantOf(patient, 1, hospital, 0)), Grant.unwrap(_hospitals), "grant");
        vm.assertEq(consents.epochOf(patient, 1), 0, "epoch");
        vm.assertEq(consents.blockCountOf(1, stranger), 1, "block");
        vm.assertEq(consents.blockCountOf(1, clinician), 0, "block");
        vm.assertEq(snapshots.batchOf(gateway, "root").count, 1, "anchor");
        vm.assertEq(members.keyOf(clinician), keccak256(abi.encode("key", clinician)), "a member's key");
        vm.assertEq(members.keyOf(hospital), keccak256(abi.encode("key", hospital)), "an organisation's key");
        vm.assertEq(members.memberOf(clinician).organisation, hospital, "organisation");
        vm.assertEq(members.keyringOf(hospital), bytes32(0), "keyring");
        Model memory model = models.modelOf(1);
        vm.assertTrue(model.coordinator == coordinator && model.round == 1 && model.open, "a model");
        vm.assertEq(model.aggregate, bytes32("parent"), "an aggregate");
        vm.assertEq(models.standingOf(1, researcher).spent, 5, "a site's standing");
    }

    // Parts

    /// @dev What the patient gave: READ of the first twin, to the clinician and to the hospital's own.
    function _requireGiven(Request memory r) private {
        Reason reason = consents.check(r, time(), time());
        vm.assertTrue(reason != Reason.OWNER, "another owner");
        if (reason != Reason.PERMITTED) return;
        bool own = r.requester == clinician && r.grantee == clinician;
        bool hospitals =
            r.grantee == hospital && (r.requester == clinician || r.requester == gateway || r.requester == hospital);
        vm.assertTrue(r.twin == 1 && r.action == Action.READ && (own || hospitals), "a permit that nobody gave");
        ++reached["permitted"];
    }

    /// @dev A call that only the patient, a member or a writer could make, with whatever signature there is.
    function _anyCall(uint256 seed) private view returns (address target, bytes memory call) {
        uint256 key = _accomplice(seed >> 8);
        address thief = vm.addr(key);
        Terms memory wanted = broadTerms();
        wanted.expiresAt += 10_000 days;
        Grant terms = pack(wanted);
        bytes memory forged = sign(key, twins, messages.move(1, thief, 0, soon()));
        uint256 which = seed % 15;
        if (which < 4 || which == 14) target = address(twins);
        else if (which < 8) target = address(members);
        else target = address(consents);
        if (which == 0) call = abi.encodeCall(twins.setCard, (1, _card, someCard(2)));
        if (which == 1) call = abi.encodeCall(twins.move, (1, thief, 0, soon(), forged, forged));
        if (which == 2) call = abi.encodeCall(twins.announceRetirement, (1));
        if (which == 3) call = abi.encodeCall(twins.transferFrom, (patient, thief, 1));
        if (which == 4) call = abi.encodeCall(members.dismiss, (clinician));
        if (which == 5) call = abi.encodeCall(members.setKeyringSigned, (hospital, "k", 0, soon(), forged));
        if (which == 6) call = abi.encodeCall(members.agree, (thief, members.memberOf(thief).version));
        if (which == 7) {
            MemberCard memory card = MemberCard(clinician, "stolen", address(0), 1);
            bytes memory signature = sign(key, members, messages.memberCard(card));
            call = abi.encodeCall(members.updateCard, (card, signature, ""));
        }
        if (which == 8) call = abi.encodeCall(consents.grant, (1, thief, 0, terms, "package"));
        if (which == 9) {
            SignedGrant memory message = SignedGrant(patient, 1, thief, 0, terms, "package", 0, 0, soon());
            bytes memory signature = sign(key, consents, messages.grant(message));
            call = abi.encodeCall(consents.grantSigned, (message, signature));
        }
        if (which == 10) call = abi.encodeCall(consents.revoke, (patient, 1, clinician, 0));
        if (which == 11) call = abi.encodeCall(consents.revokeAll, (1, none()));
        if (which == 12) call = abi.encodeCall(consents.blockGrantee, (1, clinician));
        if (which == 13) call = abi.encodeCall(consents.unblockGrantee, (1, stranger));
        if (which == 14) call = abi.encodeCall(twins.setGuardians, (1, "stolen", 7 days));
    }

    function _try(address sender, address target, bytes memory call) private returns (bool done) {
        vm.prank(sender);
        (done,) = target.call(call);
    }

    /// @dev Announces the call, waits the delay and makes it.
    function _delayed(address sender, address target, bytes memory call) private {
        if (!_try(sender, address(authority), abi.encodeCall(authority.schedule, (target, call, 0)))) return;
        vm.warp(block.timestamp + GOVERNANCE_DELAY);
        _try(sender, address(authority), abi.encodeCall(authority.execute, (target, call)));
    }

    function _role(uint256 seed) private pure returns (address) {
        return [ADMIN, REGISTRAR, STEWARD, SUSPENDER, MINTER][seed % 5];
    }

    function _accomplice(uint256 seed) private pure returns (uint256) {
        return 0xBAD0 + bound(seed, 1, ACCOMPLICES);
    }

    /// @dev Anyone but the patient. The first eight are in the tyrant's hand; the others' keys are not.
    function _anyone(uint256 seed) private view returns (address) {
        seed %= 12;
        if (seed < 3) return vm.addr(0xBAD1 + seed);
        if (seed < 8) return _role(seed - 3);
        return [clinician, gateway, researcher, hospital][seed - 8];
    }
}
