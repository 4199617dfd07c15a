// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Guarding} from "../support/Guarding.sol";
import {vm} from "../support/Vm.sol";

/// @notice The table of docs/states.md ("A twin"), once more: what each call needs and what it leaves.
abstract contract TwinLifeModel is Guarding {
    /// @dev What guardians sign, and what an owner does. COMPLETE is anyone's.
    enum Act {
        FREEZE,
        UNFREEZE,
        ANNOUNCE,
        RESCUE,
        CARD,
        CHOOSE,
        DISMISS,
        MOVE,
        VETO,
        RETIRE,
        CANCEL,
        COMPLETE
    }

    struct Life {
        address owner;
        bytes32 card;
        bytes32 guardians;
        uint32 counter;
        uint40 retireAt;
        uint40 frozenAt;
        uint40 frozenUntil;
        address to;
        uint40 readyAt;
        bool binding;
    }

    Life internal life;
    uint256 internal twin;

    mapping(bytes32 what => uint256) public reached;

    mapping(uint256 twin => mapping(address key => bool)) internal _owned;

    function isFrozen() public view returns (bool) {
        return time() < life.frozenUntil;
    }

    function isRetired() public view returns (bool) {
        return life.retireAt != 0 && time() >= life.retireAt;
    }

    /// @dev Whether the present state permits the act, to those whose act it is. `to` is where a move leads.
    function _permits(Act act, bool all, address to) internal view returns (bool) {
        if (act == Act.UNFREEZE) return isFrozen();
        if (act == Act.FREEZE) {
            bool rested = life.frozenAt == 0 || time() >= life.frozenAt + 365 days;
            return !isRetired() && !isFrozen() && (all || rested);
        }
        if (act == Act.RESCUE) return life.retireAt != 0 && !isRetired();
        if (act == Act.ANNOUNCE) return life.retireAt == 0 && !_owned[twin][to];
        if (act == Act.COMPLETE) return life.readyAt != 0 && time() >= life.readyAt && life.retireAt == 0;
        if (act == Act.VETO) return life.readyAt != 0 && !isRetired() && !(life.binding && isFrozen());
        if (isFrozen() || isRetired()) return false;
        if (act == Act.MOVE) return life.retireAt == 0 && !_owned[twin][to];
        if (act == Act.RETIRE) return life.retireAt == 0;
        if (act == Act.CANCEL) return life.retireAt != 0;
        return true;
    }

    /// @dev What the act leaves.
    function _apply(Act act, bool all, address to) internal {
        bool frozen = isFrozen();
        if (act != Act.CARD) ++life.counter;
        if (act == Act.FREEZE) {
            (life.frozenAt, life.frozenUntil) = (time(), time() + 30 days);
            if (life.retireAt != 0 && life.retireAt < life.frozenUntil) {
                life.retireAt = life.frozenUntil;
                ++reached["retirement put off"];
            }
        } else if (act == Act.UNFREEZE) {
            life.frozenUntil = 0;
        } else if (act == Act.ANNOUNCE) {
            (life.to, life.readyAt, life.binding) = (to, time() + DELAY, all && frozen);
            if (life.binding) life.frozenUntil = time() + DELAY + 30 days;
            if (life.binding) ++reached["binding"];
        } else if (act == Act.RETIRE) {
            life.retireAt = time() + RETIRE_DELAY;
        } else if (act == Act.RESCUE || act == Act.CANCEL) {
            life.retireAt = 0;
        } else if (act == Act.VETO || act == Act.CHOOSE || act == Act.DISMISS) {
            (life.to, life.readyAt, life.binding) = (address(0), 0, false);
        } else if (act == Act.COMPLETE || act == Act.MOVE) {
            _begin(act == Act.MOVE ? to : life.to, life.counter);
            if (frozen) ++reached["moved out of a freeze"];
        }
        if (act == Act.CHOOSE || act == Act.DISMISS) (life.guardians,) = twins.guardiansOf(twin);
        if (act == Act.CARD) life.card = twins.cardOf(twin);
    }

    /// @dev A new owner begins with nothing but the counter.
    function _begin(address owner, uint32 counter) internal {
        delete life;
        (life.owner, life.counter) = (owner, counter);
        _owned[twin][owner] = true;
    }

    /// @notice The contract answers as the table says.
    function requireAsTheTableSays() external view {
        if (twin == 0) return;
        vm.assertEq(twins.ownerOf(twin), life.owner, "owner");
        vm.assertEq(twins.cardOf(twin), life.card, "card");
        (uint40 retireAt, uint32 counter) = twins.stateOf(twin);
        vm.assertEq(retireAt, life.retireAt, "retireAt");
        vm.assertEq(counter, life.counter, "counter");
        (bytes32 digest, uint32 delay) = twins.guardiansOf(twin);
        vm.assertEq(digest, life.guardians, "guardians");
        vm.assertEq(delay, digest == 0 ? 0 : DELAY, "delay");
        (uint40 frozenAt, uint40 frozenUntil) = twins.freezeOf(twin);
        vm.assertEq(frozenAt, life.frozenAt, "frozenAt");
        vm.assertEq(frozenUntil, life.frozenUntil, "frozenUntil");
        (address to, uint40 readyAt, bool binding) = twins.moveOf(twin);
        vm.assertEq(to, life.to, "to");
        vm.assertEq(readyAt, life.readyAt, "readyAt");
        vm.assertTrue(binding == life.binding, "binding");
        vm.assertTrue(!isFrozen() || !isRetired(), "frozen and retired");
        vm.assertTrue(frozenUntil <= time() + DELAY + 30 days, "a freeze without an end");
    }
}
