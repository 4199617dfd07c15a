// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Guardians, GuardianSignature} from "../../../contracts/interfaces/IGuardedTwins.sol";
import {Purpose, Reason} from "../../../contracts/types/Vocabulary.sol";
import {Request} from "../../../contracts/interfaces/IConsentRegistry.sol";
import {bound, vm} from "../support/Vm.sol";
import {TwinLifeModel} from "./TwinLifeModel.sol";

/// @notice One twin after another, its owners, its guardians and whoever carries what they sign: early, late or twice.
contract GuardianHandler is TwinLifeModel {
    uint256 private constant KEYS = 6;

    /// @dev What guardians signed together, in a carrier's hands.
    struct Held {
        Act act;
        uint256 twin;
        uint256 mask;
        address to;
        bytes32 guardians;
        uint32 counter;
        uint40 deadline;
        bytes call;
    }

    Held[] private _held;
    bytes32 private _salt;
    bytes32 private _drawn;

    constructor() {
        deploy();
        _mintTwin(0);
    }

    // Whatever comes

    function anOwnerActs(uint256 seed) external {
        _ownerDoes(Act(bound(seed >> 8, uint256(Act.CARD), uint256(Act.CANCEL))), seed);
    }

    function guardiansAct(uint256 seed) external {
        _guardiansSign(Act(seed >> 8 & 3), seed);
        _deliver(_held[_held.length - 1]);
    }

    function guardiansSign(uint256 seed) external {
        _guardiansSign(Act(seed >> 8 & 3), seed);
    }

    /// @dev Any of the last eight, which may be late, out of order, or sent before.
    function deliver(uint256 seed) external {
        if (_held.length != 0) _deliver(_held[_held.length - 1 - seed % (_held.length < 8 ? _held.length : 8)]);
    }

    function anyoneCompletes() external {
        _do(Act.COMPLETE, false, address(0), RELAYER, abi.encodeCall(twins.completeMove, (twin)), true);
    }

    function pass(uint256 seed) external {
        vm.warp(block.timestamp + [uint256(1 hours), 1 days, 8 days, 31 days, 366 days][seed % 5]);
        if (isRetired()) ++reached["retired"];
    }

    function anotherTwin(uint256 seed) external {
        if (isRetired() || seed % 4 == 0) _mintTwin(seed);
    }

    // What seldom comes by itself, step by step, each looked at as any other

    function storyOfAStolenKey(uint256 seed) external {
        _freshTwin(seed);
        _together(Act.FREEZE, seed, TWO);
        _ownerDoes(Act.MOVE, seed);
        _together(Act.ANNOUNCE, seed, ALL);
        _ownerDoes(Act.VETO, seed);
        vm.warp(block.timestamp + (seed & 1 == 0 ? DELAY : DELAY + 30 days));
        _ownerDoes(Act.VETO, seed);
        _do(Act.COMPLETE, false, address(0), RELAYER, abi.encodeCall(twins.completeMove, (twin)), true);
    }

    function storyOfARetirement(uint256 seed) external {
        _freshTwin(seed);
        _ownerDoes(Act.RETIRE, seed);
        _together(Act.FREEZE, seed, TWO);
        _ownerDoes(Act.CANCEL, seed);
        vm.warp(block.timestamp + 10 days);
        _together(Act.RESCUE, seed, TWO);
        _together(Act.UNFREEZE, seed, TWO);
        _together(Act.FREEZE, seed, TWO);
        _together(Act.FREEZE, seed, ALL);
    }

    function storyOfAnEnd(uint256 seed) external {
        _freshTwin(seed);
        _together(Act.ANNOUNCE, seed, TWO);
        _ownerDoes(Act.RETIRE, seed);
        _together(Act.ANNOUNCE, seed, ALL);
        vm.warp(block.timestamp + RETIRE_DELAY);
        for (Act act = Act.CARD; act < Act.COMPLETE; act = Act(uint256(act) + 1)) {
            _ownerDoes(act, seed);
        }
        _together(Act.FREEZE, seed, ALL);
        _together(Act.RESCUE, seed, ALL);
    }

    // Parts

    function _freshTwin(uint256 seed) private {
        _mintTwin(seed);
        _do(Act.CHOOSE, false, address(0), life.owner, _choice(), true);
    }

    function _together(Act act, uint256 seed, uint256 mask) private {
        _sign(act, seed, mask);
        _deliver(_held[_held.length - 1]);
    }

    function _guardiansSign(Act act, uint256 seed) private {
        _sign(act, seed, [ALL, ALL, TWO, OTHER_TWO, 5, 1, 4, 0][seed >> 16 & 7]);
    }

    function _sign(Act act, uint256 seed, uint256 mask) private {
        Held storage held = _held.push();
        (held.act, held.twin, held.mask, held.counter) = (act, twin, mask, life.counter);
        held.to = vm.addr(_anyKey(seed >> 24));
        held.deadline = time() + uint40(bound(seed >> 32, 1 hours, 3 days));
        Guardians memory opened = guardiansSalted(_salt);
        held.guardians = messages.guardians(opened);
        held.call = _callOf(held, opened, _anyKey(seed >> 24));
    }

    function _callOf(Held storage held, Guardians memory opened, uint256 toKey) private view returns (bytes memory) {
        (uint256 id, uint32 counter, uint40 deadline) = (held.twin, held.counter, held.deadline);
        if (held.act == Act.ANNOUNCE) {
            bytes32 message = messages.announceMove(id, held.to, counter, deadline);
            GuardianSignature[] memory ofGuardians = signedBy(held.mask, message);
            bytes memory ofRecipient = sign(toKey, twins, message);
            return
                abi.encodeCall(twins.announceMove, (id, held.to, counter, deadline, opened, ofGuardians, ofRecipient));
        }
        if (held.act == Act.FREEZE) {
            GuardianSignature[] memory signatures = signedBy(held.mask, messages.freeze(id, counter, deadline));
            return abi.encodeCall(twins.freeze, (id, counter, deadline, opened, signatures));
        }
        if (held.act == Act.UNFREEZE) {
            GuardianSignature[] memory signatures = signedBy(held.mask, messages.unfreeze(id, counter, deadline));
            return abi.encodeCall(twins.unfreeze, (id, counter, deadline, opened, signatures));
        }
        GuardianSignature[] memory signed = signedBy(held.mask, messages.rescueTwin(id, counter, deadline));
        return abi.encodeCall(twins.rescueTwin, (id, counter, deadline, opened, signed));
    }

    /// @dev What is signed counts once, in time, by enough of the present guardians.
    function _deliver(Held storage held) private {
        bool enough = held.mask != 0 && held.mask & (held.mask - 1) != 0;
        bool timely = time() <= held.deadline && held.counter == life.counter && held.twin == twin;
        bool theirs = held.guardians == life.guardians;
        if (!timely) ++reached["late"];
        if (held.twin != twin) return;
        _do(held.act, held.mask == ALL, held.to, RELAYER, held.call, enough && timely && theirs);
    }

    /// @dev The owner, or now and then somebody else: a former owner, a guardian, a stranger.
    function _ownerDoes(Act act, uint256 seed) private {
        uint256 toKey = _anyKey(seed >> 24);
        address by = seed >> 16 & 7 != 0 ? life.owner : [vm.addr(_anyKey(seed >> 32)), guardian(0), stranger][seed % 3];
        bytes memory call;
        if (act == Act.CARD) call = abi.encodeCall(twins.setCard, (twin, twins.cardOf(twin), someCard(seed)));
        if (act == Act.CHOOSE) call = _choice();
        if (act == Act.DISMISS) call = abi.encodeCall(twins.setGuardians, (twin, 0, 0));
        if (act == Act.VETO) call = abi.encodeCall(twins.vetoMove, (twin));
        if (act == Act.RETIRE) call = abi.encodeCall(twins.announceRetirement, (twin));
        if (act == Act.CANCEL) call = abi.encodeCall(twins.cancelRetirement, (twin));
        if (act == Act.MOVE) {
            bytes memory signature = sign(toKey, twins, messages.move(twin, vm.addr(toKey), life.counter, soon()));
            call = abi.encodeCall(twins.move, (twin, vm.addr(toKey), life.counter, soon(), "", signature));
        }
        _do(act, false, vm.addr(toKey), by, call, by == life.owner);
    }

    function _choice() private returns (bytes memory) {
        _drawn = keccak256(abi.encode(_drawn));
        return abi.encodeCall(twins.setGuardians, (twin, messages.guardians(guardiansSalted(_drawn)), DELAY));
    }

    /// @dev Taken exactly if the table says so.
    function _do(Act act, bool all, address to, address by, bytes memory call, bool theirs) private {
        bool expected = theirs && _permits(act, all, to);
        vm.prank(by);
        (bool taken,) = address(twins).call(call);
        vm.assertTrue(taken == expected, string.concat(taken ? "taken: " : "refused: ", vm.toString(uint256(act))));
        bytes32 what = bytes32(uint256(act));
        if (taken) _apply(act, all, to);
        if (taken && act == Act.CHOOSE) _salt = _drawn;
        ++reached[taken ? what : what | bytes32(uint256(256))];
        if (isFrozen()) _requireNothingPermitted();
    }

    function _requireNothingPermitted() private view {
        Request memory request = someRequest();
        (request.twin, request.requester, request.purpose) = (twin, life.owner, Purpose.PATRQT);
        Reason reason = consents.check(request, time(), type(uint40).max);
        vm.assertTrue(reason == Reason.FROZEN || reason == Reason.RETIRED, "a permit on a frozen twin");
    }

    function _mintTwin(uint256 seed) private {
        twin = mint(_anyKey(seed));
        _begin(vm.addr(_anyKey(seed)), 0);
    }

    function _anyKey(uint256 seed) private pure returns (uint256) {
        return 0x1000 + seed % KEYS;
    }
}
