// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Opening} from "../../contracts/interfaces/IEmergencies.sol";
import {Member, MemberCard} from "../../contracts/interfaces/IMemberRegistry.sol";
import {Model, Standing} from "../../contracts/interfaces/IModelLedger.sol";
import {Grant} from "../../contracts/types/Grant.sol";
import {Kind} from "../../contracts/types/Vocabulary.sol";
import {EventReader} from "./support/EventReader.sol";
import {Guarding} from "./support/Guarding.sol";
import {vm} from "./support/Vm.sol";

/// @notice Events rebuild every state: whoever reads them all, and asks no contract, knows what the contracts answer.
contract EventsTest is Guarding {
    uint256 private constant CALLS = 60;

    EventReader private reader;

    function setUp() external {
        reader = new EventReader();
        vm.recordLogs();
        deploy();
        populate();
        mint(OTHER_PATIENT);
        enrol(COORDINATOR, address(0), kind(Kind.COORDINATOR) | kind(Kind.RESEARCHER) | kind(Kind.AUDITOR));
    }

    /// forge-config: default.fuzz.runs = 32
    function testFuzz_events_rebuild_every_state(uint256 seed) external {
        for (uint256 i = 0; i < CALLS; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            // What is refused leaves no event and no trace, so it may happen.
            try this.act(seed) {} catch {}
        }
        reader.read(vm.getRecordedLogs());
        for (uint256 twin = 1; twin <= 3; ++twin) {
            _requireTwin(twin);
        }
        for (uint256 i = 0; i < 6; ++i) {
            _requireMember(_anyone(i));
        }
        for (uint256 root = 0; root < 4; ++root) {
            uint256 count = snapshots.batchOf(gateway, bytes32(root)).count;
            vm.assertEq(_told("batch", _word(gateway), bytes32(root)), bytes32(count), "batch");
        }
        for (uint32 model = 1; model <= models.modelCount(); ++model) {
            _requireModel(model);
        }
        for (uint64 opening = 1; opening <= consents.openingCount(); ++opening) {
            _requireOpening(opening);
        }
        uint256 receiptCount = receipts.anchorOf(gateway).count;
        vm.assertEq(_told("receipts", _word(gateway), 0), bytes32(receiptCount), "receipts");
    }

    /// @dev Some call of some contract by whoever may make it.
    function act(uint256 seed) external {
        uint256 what = seed % 31;
        uint256 twin = 1 + (seed >> 8) % 2;
        address who = _anyone(seed >> 16);
        uint8 number = uint8((seed >> 24) % 2);
        address owner = twins.ownerOf(twin);
        bytes32 card = twins.cardOf(twin);
        bytes32 keyring = members.keyringOf(hospital);
        if (what < 8 || what == 21) vm.prank(owner);
        else if (what < 10) vm.prank(hospital);
        else if (what < 11) vm.prank(gateway);
        if (what == 0) consents.grant(twin, who, number, pack(broadTerms()), "package");
        if (what == 1) consents.revoke(owner, twin, who, number);
        if (what == 2) consents.revokeAll(twin, none());
        if (what == 3) consents.blockGrantee(twin, who);
        if (what == 4) consents.unblockGrantee(twin, who);
        if (what == 5) twins.announceRetirement(twin);
        if (what == 6) twins.cancelRetirement(twin);
        if (what == 7) twins.setCard(twin, card, someCard(seed));
        if (what == 8) members.dismiss(who);
        if (what == 9) members.setKeyring(bytes32(seed), keyring);
        if (what == 10) snapshots.anchorBatch(bytes32((seed >> 32) % 4), uint32(seed >> 64), "index");
        if (what == 11) move(twin, owner == patient ? PATIENT : OTHER_PATIENT, STRANGER);
        if (what == 12) suspend(who);
        if (what == 13) steward(abi.encodeCall(members.reinstate, (who)));
        if (what == 14) addGuardedKinds(who, 4);
        if (what == 15) _updateCard(who, seed);
        if (what == 21) consents.grant(twin, medic, 0, pack(emergencyTerms()), "package");
        if (what > 22) _guard(what - 3, seed);
        else if (what == 22) _breakGlass(twin, uint64(seed >> 8));
        else if (what == 20) _anchorReceipts(uint64(seed >> 8) % 64);
        else if (what > 15 && what < 20) _train(what, seed >> 8 & 7 == 0 ? 2 : 1, seed);
    }

    /// @dev Of twin 1, by as many guardians as the seed says.
    function _guard(uint256 what, uint256 seed) private {
        uint256 mask = seed >> 32 & 7;
        if (what < 22) choose();
        if (what == 22) this.freeze(mask);
        if (what == 23) this.unfreeze(mask);
        if (what == 24) this.announceMove(mask, seed >> 40 & 1 == 0 ? STRANGER : OTHER_PATIENT);
        if (what == 25) this.rescue(mask);
        if (what == 26) vm.prank(twins.ownerOf(1));
        if (what == 26) twins.vetoMove(1);
        if (what == 27) vm.warp(block.timestamp + 8 days);
        if (what == 27) twins.completeMove(1);
    }

    /// @dev What comes next in a model's life: a round is finalised once it has an update and `what` says so.
    function _train(uint256 what, uint32 number, uint256 seed) private {
        Model memory model = models.modelOf(number);
        bool again = model.open && (what != 16 || model.updates == 0);
        vm.prank(again && seed >> 40 & 1 == 0 ? researcher : coordinator);
        if (model.coordinator == address(0)) {
            models.register(8, uint32(seed) | 1, 1, 100, "card");
        } else if (again) {
            models.commitUpdate(
                "update", model.aggregate, "consents", "record", contribution(number, model.round, 1, 7)
            );
        } else if (model.open) {
            models.finaliseAggregate(number, model.round, bytes32(seed), "record", model.updates);
        } else if (model.round != 0 && what == 16) {
            models.retrain(number, 1 + uint32(seed >> 48) % model.round, "record");
        } else {
            models.openRound(number, model.aggregate == 0 ? bytes32("parent") : model.aggregate);
        }
    }

    /// @dev Opened while that may be, else reviewed.
    function _breakGlass(uint256 twin, uint64 seed) private {
        if (consents.unreviewedOf(medic) < 3 && seed & 1 == 0) {
            vm.prank(medic);
            consents.openEmergency(twin, medic, 0, 1, "text");
        } else {
            vm.prank(coordinator);
            consents.reviewEmergency(1 + seed % 4, 1, "text");
        }
    }

    function _anchorReceipts(uint64 count) private {
        vm.prank(gateway);
        receipts.anchorReceipts("root", count, "last");
    }

    /// @dev The hospital agrees, if the member joins it.
    function _updateCard(address who, uint256 seed) private {
        uint32 version = members.memberOf(who).version;
        address organisation = seed >> 32 & 1 == 0 ? hospital : address(0);
        vm.prank(hospital);
        members.agree(who, version);
        vm.prank(who);
        members.updateCard(MemberCard(who, bytes32(seed), organisation, version), "", "");
    }

    function _requireTwin(uint256 twin) private view {
        bytes32 id = bytes32(twin);
        vm.assertEq(_told("owner", id, 0), _word(twins.ownerOrZero(twin)), "owner");
        vm.assertEq(_told("card", id, 0), twins.cardOf(twin), "card");
        (uint40 retireAt, uint32 counter) = twins.stateOf(twin);
        vm.assertEq(_told("retireAt", id, 0), bytes32(uint256(retireAt)), "retireAt");
        vm.assertEq(_told("counter", id, 0), bytes32(uint256(counter)), "counter");
        _requireGuarded(twin, id);
        for (uint256 i = 0; i < 6; ++i) {
            address who = _anyone(i);
            uint256 count = consents.blockCountOf(twin, who);
            vm.assertEq(_told("blocks", id, _word(who)), bytes32(count), "blocks");
            _requireConsents(patient, twin, who);
            _requireConsents(otherPatient, twin, who);
            _requireConsents(stranger, twin, who);
        }
    }

    function _requireGuarded(uint256 twin, bytes32 id) private view {
        (bytes32 digest, uint32 delay) = twins.guardiansOf(twin);
        vm.assertEq(_told("guardians", id, 0), digest, "guardians");
        vm.assertEq(_told("recoveryDelay", id, 0), bytes32(uint256(delay)), "recoveryDelay");
        (uint40 frozenAt, uint40 frozenUntil) = twins.freezeOf(twin);
        vm.assertEq(_told("frozenAt", id, 0), bytes32(uint256(frozenAt)), "frozenAt");
        vm.assertEq(_told("frozenUntil", id, 0), bytes32(uint256(frozenUntil)), "frozenUntil");
        (address to, uint40 readyAt, bool binding) = twins.moveOf(twin);
        bytes32 announced = keccak256(abi.encode(to, readyAt, binding));
        vm.assertEq(_told("move", id, 0), readyAt == 0 ? bytes32(0) : announced, "move");
    }

    function _requireConsents(address owner, uint256 twin, address who) private view {
        uint256 epoch = consents.epochOf(owner, twin);
        vm.assertEq(_told("epoch", _word(owner), bytes32(twin)), bytes32(epoch), "epoch");
        for (uint8 number = 0; number < 2; ++number) {
            uint256 word = Grant.unwrap(consents.grantOf(owner, twin, who, number));
            bytes32 place = reader.place("grant", _word(owner), bytes32(twin), _word(who), number);
            vm.assertEq(reader.told(place), bytes32(word), "grant");
        }
    }

    function _requireOpening(uint64 number) private view {
        Opening memory opening = consents.openingOf(number);
        bytes32 id = bytes32(uint256(number));
        vm.assertEq(_told("opener", id, 0), _word(opening.opener), "opener");
        vm.assertEq(_told("review by", id, 0), bytes32(uint256(opening.reviewBy)), "review by");
        vm.assertEq(_told("reviewed", id, 0), bytes32(uint256(opening.reviewed ? 1 : 0)), "reviewed");
        for (uint256 twin = 1; twin <= 2; ++twin) {
            address owner = twins.ownerOf(twin);
            bytes32 slot = keccak256(abi.encode(owner, twin, medic, uint8(0)));
            uint256 revision = consents.grantOf(owner, twin, medic, 0).revision();
            bytes32 closes = reader.told(reader.place("closes", slot, _word(medic), 0, revision));
            vm.assertEq(closes, bytes32(uint256(consents.factsOf(twin, medic, medic, 0).closesAt)), "closes");
        }
    }

    function _requireModel(uint32 number) private view {
        Model memory model = models.modelOf(number);
        bytes32 id = bytes32(uint256(number));
        bytes memory terms = abi.encode(model.purpose, model.categories, model.minimumCohort, model.budget);
        vm.assertEq(_told("model", id, 0), keccak256(abi.encode(_word(model.coordinator), terms)), "terms");
        vm.assertEq(_told("round", id, 0), bytes32(uint256(model.round)), "round");
        vm.assertEq(_told("open", id, 0), bytes32(uint256(model.open ? 1 : 0)), "open");
        vm.assertEq(_told("updates", id, 0), bytes32(uint256(model.updates)), "updates");
        vm.assertEq(_told("aggregate", id, 0), model.aggregate, "aggregate");
        for (uint256 i = 0; i < 2; ++i) {
            address site = [coordinator, researcher][i];
            Standing memory standing = models.standingOf(number, site);
            vm.assertEq(_told("committed", id, _word(site)), bytes32(uint256(standing.round)), "committed");
            vm.assertEq(_told("spent", id, _word(site)), bytes32(uint256(standing.spent)), "spent");
        }
    }

    function _requireMember(address who) private view {
        Member memory member = members.memberOf(who);
        vm.assertEq(_told("version", _word(who), 0), bytes32(uint256(member.version)), "version");
        vm.assertEq(_told("kinds", _word(who), 0), bytes32(uint256(member.kinds)), "kinds");
        vm.assertEq(_told("suspended", _word(who), 0), bytes32(uint256(member.suspended ? 1 : 0)), "suspended");
        vm.assertEq(_told("organisation", _word(who), 0), _word(member.organisation), "organisation");
        vm.assertEq(_told("changes", _word(who), 0), bytes32(uint256(member.changes)), "changes");
        vm.assertEq(_told("key", _word(who), 0), members.keyOf(who), "key");
        vm.assertEq(_told("keyring", _word(who), 0), members.keyringOf(who), "keyring");
    }

    function _told(string memory what, bytes32 a, bytes32 b) private view returns (bytes32) {
        return reader.told(reader.place(what, a, b, 0, 0));
    }

    function _word(address who) private pure returns (bytes32) {
        return bytes32(uint256(uint160(who)));
    }

    function _anyone(uint256 seed) private view returns (address) {
        return [clinician, gateway, researcher, medic, hospital, stranger][seed % 6];
    }
}
