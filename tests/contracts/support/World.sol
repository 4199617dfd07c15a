// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {BlockMemory} from "../../../contracts/BlockMemory.sol";
import {ConsentRegistry} from "../../../contracts/ConsentRegistry.sol";
import {Role} from "../../../contracts/Governance.sol";
import {MemberRegistry} from "../../../contracts/MemberRegistry.sol";
import {ModelLedger} from "../../../contracts/ModelLedger.sol";
import {ReceiptLedger} from "../../../contracts/ReceiptLedger.sol";
import {Relay} from "../../../contracts/Relay.sol";
import {SnapshotLedger} from "../../../contracts/SnapshotLedger.sol";
import {TwinRegistry} from "../../../contracts/TwinRegistry.sol";
import {IConsentRegistry, Regrant, Request} from "../../../contracts/interfaces/IConsentRegistry.sol";
import {MemberCard} from "../../../contracts/interfaces/IMemberRegistry.sol";
import {ITypedDomain} from "../../../contracts/interfaces/ITypedDomain.sol";
import {Card, ITwinRegistry} from "../../../contracts/interfaces/ITwinRegistry.sol";
import {Contribution} from "../../../contracts/types/Contribution.sol";
import {Grant} from "../../../contracts/types/Grant.sol";
import {Action, Kind, Purpose} from "../../../contracts/types/Vocabulary.sol";
import {Messages} from "./Messages.sol";
import {Terms, packed} from "./Packing.sol";
import {vm} from "./Vm.sol";

/// @notice All contracts, deployed and governed as a deployment is, and the people of a small hospital, each with a key.
abstract contract World {
    bytes32 internal constant GENESIS = keccak256("a genesis block");
    uint40 internal constant START = 1_800_000_000;
    uint40 internal constant RETIRE_DELAY = 7 days;
    uint32 internal constant GOVERNANCE_DELAY = 7 days;
    uint40 internal constant EMERGENCY_LENGTH = 4 hours;
    uint40 internal constant REVIEW_PERIOD = 72 hours;

    uint256 internal constant PATIENT = 0xA11CE;
    uint256 internal constant OTHER_PATIENT = 0xB0B;
    uint256 internal constant HOSPITAL = 0x405;
    uint256 internal constant CLINIC = 0xC11;
    uint256 internal constant CLINICIAN = 0xD0C;
    uint256 internal constant GATEWAY = 0x6A7E;
    uint256 internal constant RESEARCHER = 0x2E5;
    uint256 internal constant COORDINATOR = 0xC00;
    uint256 internal constant MEDIC = 0x3ED1C;
    uint256 internal constant STRANGER = 0x57A;

    address internal immutable patient = vm.addr(PATIENT);
    address internal immutable otherPatient = vm.addr(OTHER_PATIENT);
    address internal immutable hospital = vm.addr(HOSPITAL);
    address internal immutable clinic = vm.addr(CLINIC);
    address internal immutable clinician = vm.addr(CLINICIAN);
    address internal immutable gateway = vm.addr(GATEWAY);
    address internal immutable researcher = vm.addr(RESEARCHER);
    address internal immutable coordinator = vm.addr(COORDINATOR);
    address internal immutable medic = vm.addr(MEDIC);
    address internal immutable stranger = vm.addr(STRANGER);

    address internal constant ADMIN = address(0xAD01);
    address internal constant REGISTRAR = address(0xAD02);
    address internal constant STEWARD = address(0xAD03);
    address internal constant SUSPENDER = address(0xAD04);
    address internal constant MINTER = address(0xAD05);
    address internal constant RELAYER = address(0xAD06);

    AccessManager internal authority;
    MemberRegistry internal members;
    TwinRegistry internal twins;
    ConsentRegistry internal consents;
    SnapshotLedger internal snapshots;
    ModelLedger internal models;
    ReceiptLedger internal receipts;
    BlockMemory internal memories;
    Relay internal relay;
    Messages internal messages;

    /// @dev Contracts, roles and delays; nobody is enrolled.
    function deploy() internal {
        vm.warp(START);
        authority = new AccessManager(address(this));
        members = new MemberRegistry(address(authority), GENESIS);
        twins = new TwinRegistry(address(authority), GENESIS, RETIRE_DELAY, ITwinRegistry(address(0)));
        consents =
            new ConsentRegistry(GENESIS, twins, members, EMERGENCY_LENGTH, REVIEW_PERIOD, IConsentRegistry(address(0)));
        snapshots = new SnapshotLedger(GENESIS);
        messages = new Messages();
        models = new ModelLedger(members);
        receipts = new ReceiptLedger();
        memories = new BlockMemory();
        relay = new Relay(address(members), address(twins), address(consents), address(snapshots));

        _allow(address(members), MemberRegistry.enrol.selector, Role.REGISTRAR);
        _allow(address(members), MemberRegistry.setKinds.selector, Role.REGISTRAR);
        _allow(address(members), MemberRegistry.addGuardedKinds.selector, Role.STEWARD);
        _allow(address(members), MemberRegistry.reinstate.selector, Role.STEWARD);
        _allow(address(members), MemberRegistry.suspend.selector, Role.SUSPENDER);
        _allow(address(twins), TwinRegistry.mint.selector, Role.MINTER);
        authority.grantRole(Role.REGISTRAR, REGISTRAR, 0);
        authority.grantRole(Role.STEWARD, STEWARD, GOVERNANCE_DELAY);
        authority.grantRole(Role.SUSPENDER, SUSPENDER, 0);
        authority.grantRole(Role.MINTER, MINTER, 0);
        authority.grantRole(Role.ADMIN, ADMIN, GOVERNANCE_DELAY);
        authority.renounceRole(Role.ADMIN, address(this));
    }

    /// @dev The hospital, its clinician and gateway, a researcher of the clinic, an emergency medic, and twin 1.
    function populate() internal {
        enrol(HOSPITAL, address(0), 0);
        enrol(CLINIC, address(0), 0);
        enrol(CLINICIAN, hospital, kind(Kind.CLINICIAN));
        enrol(GATEWAY, hospital, kind(Kind.GATEWAY));
        enrol(RESEARCHER, clinic, kind(Kind.RESEARCHER));
        enrol(MEDIC, address(0), kind(Kind.CLINICIAN));
        addGuardedKinds(medic, kind(Kind.EMERGENCY));
        mint(PATIENT);
    }

    function _allow(address target, bytes4 selector, uint64 role) private {
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = selector;
        authority.setTargetFunctionRole(target, selectors, role);
    }

    // What the registries' people do

    /// @dev Enrols the holder of a key; its organisation agrees by its own call.
    function enrol(uint256 key, address organisation, uint16 kinds) internal {
        address member = vm.addr(key);
        MemberCard memory card = MemberCard(member, keccak256(abi.encode("key", member)), organisation, 0);
        if (organisation != address(0)) {
            vm.prank(organisation);
            members.agree(member, 0);
        }
        bytes memory signature = sign(key, members, messages.memberCard(card));
        vm.prank(REGISTRAR);
        members.enrol(card, signature, "", kinds);
    }

    function addGuardedKinds(address member, uint16 kinds) internal {
        steward(abi.encodeCall(members.addGuardedKinds, (member, kinds)));
    }

    /// @dev A steward's call of the MemberRegistry, at the end of its delay. The time stands afterwards where it stood.
    function steward(bytes memory call) internal {
        uint256 present = block.timestamp;
        schedule(call);
        vm.prank(STEWARD);
        authority.execute(address(members), call);
        vm.warp(present);
    }

    /// @dev A steward announces a call of the MemberRegistry and waits its delay.
    function schedule(bytes memory call) internal {
        vm.prank(STEWARD);
        authority.schedule(address(members), call, 0);
        vm.warp(block.timestamp + GOVERNANCE_DELAY);
    }

    function suspend(address member) internal {
        vm.prank(SUSPENDER);
        members.suspend(member);
    }

    function mint(uint256 key) internal returns (uint256) {
        address to = vm.addr(key);
        uint256 count = twins.balanceOf(to);
        bytes memory signature = sign(key, twins, messages.mint(to, count, soon()));
        vm.prank(MINTER);
        return twins.mint(to, count, soon(), signature);
    }

    /// @dev Both keys sign; a stranger carries it.
    function move(uint256 twin, uint256 fromKey, uint256 toKey) internal {
        (, uint32 counter) = twins.stateOf(twin);
        bytes32 message = messages.move(twin, vm.addr(toKey), counter, soon());
        bytes memory owners = sign(fromKey, twins, message);
        bytes memory recipients = sign(toKey, twins, message);
        vm.prank(RELAYER);
        twins.move(twin, vm.addr(toKey), counter, soon(), owners, recipients);
    }

    // What is signed and granted

    function sign(uint256 key, ITypedDomain domain, bytes32 structHash) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(key, MessageHashUtils.toTypedDataHash(domain.domainSeparator(), structHash));
        return abi.encodePacked(r, s, v);
    }

    /// @dev A deadline that is not too far ahead.
    function soon() internal view returns (uint40) {
        return time() + 10 minutes;
    }

    /// @dev A deadline that several people have time to sign before.
    function later() internal view returns (uint40) {
        return time() + 2 days;
    }

    function time() internal view returns (uint40) {
        return uint40(block.timestamp);
    }

    function kind(uint8 number) internal pure returns (uint16) {
        return uint16(uint256(1) << number);
    }

    function pack(Terms memory t) internal pure returns (Grant) {
        return packed(t);
    }

    /// @dev READ, WRITE and TRAIN of categories 0 and 3 for TREAT and HRESCH, for 30 days from now, of minutes 1,000 to
    /// 2,000.
    function broadTerms() internal view returns (Terms memory) {
        return Terms({
            categories: 1 | 8,
            purposes: uint32((uint256(1) << Purpose.TREAT) | (uint256(1) << Purpose.HRESCH)),
            notBeforeAt: time(),
            expiresAt: time() + 30 days,
            dataFrom: 1000,
            dataUntil: 2000,
            actions: 1 | 2 | 4
        });
    }

    /// @dev What a site says with an update.
    function contribution(uint32 model, uint32 round, uint32 cohort, uint32 epsilon)
        internal
        pure
        returns (Contribution)
    {
        return Contribution.wrap(uint128(model) << 96 | uint128(round) << 64 | uint128(cohort) << 32 | epsilon);
    }

    function emergencyTerms() internal view returns (Terms memory terms) {
        terms = broadTerms();
        terms.actions = uint8(uint256(1) << Action.EMERGENCY);
        terms.purposes = 0;
    }

    /// @dev READ of category 0 on twin 1 for TREAT, by the clinician under its own grant 0: `broadTerms` permit it.
    function someRequest() internal view returns (Request memory) {
        return Request({
            twin: 1,
            requester: clinician,
            grantee: clinician,
            number: 0,
            action: Action.READ,
            purpose: Purpose.TREAT,
            category: 0,
            from: 1000,
            until: 2000
        });
    }

    /// @dev Nothing to keep.
    function none() internal pure returns (Regrant[] memory) {
        return new Regrant[](0);
    }

    /// @dev A list of one slot, as it stands, to be kept.
    function keeping(address owner, uint256 twin, address grantee, uint8 number, Terms memory terms)
        internal
        view
        returns (Regrant[] memory keep)
    {
        uint16 revision = consents.grantOf(owner, twin, grantee, number).revision();
        keep = new Regrant[](1);
        keep[0] = Regrant(grantee, number, revision, pack(terms), "package");
    }

    function someCard(uint256 seed) internal pure returns (Card memory) {
        return Card({
            key: keccak256(abi.encode("key", seed)),
            roster: keccak256(abi.encode("roster", seed)),
            bits: keccak256(abi.encode("bits", seed)),
            custodyIndex: keccak256(abi.encode("custody index", seed)),
            recovery: keccak256(abi.encode("recovery", seed)),
            keyVersion: 1,
            rosterVersion: 2,
            custodyIndexVersion: uint32(seed % 1000),
            recoveryVersion: 4
        });
    }
}
