// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Request} from "../../../contracts/interfaces/IConsentRegistry.sol";
import {Action, Kind} from "../../../contracts/types/Vocabulary.sol";
import {Terms, World} from "../support/World.sol";

/// @notice What people decided, in the order in which they decided it, told without a counter, word or key of the
/// contracts: slots are live or not, grantees blocked or not. It answers what ought to be permitted.
///
/// Each decision has a number, the next one in time. A signed message keeps the number of the moment when it was signed,
/// however late it lands.
abstract contract ConsentModel is World {
    struct SlotState {
        Terms terms;
        bool live;
        uint256 permitted; // the decision that permits, as far as one landed
        uint256 denied; // the newest decision that denies, of those that landed
    }

    struct Flag {
        bool on; // denies
        uint256 set; // the newest decision that set it, of those that landed
        uint256 cleared; // the decision that cleared it
    }

    uint256 internal decisions;

    mapping(bytes32 slot => SlotState) internal slots;
    mapping(uint256 twin => mapping(address grantee => Flag)) internal blocks;
    mapping(uint256 twin => Flag) internal retirements;
    mapping(uint256 twin => address) internal ownerOf;
    mapping(address member => bool) internal suspended;
    mapping(address member => uint16) internal kindsOf;
    mapping(address member => address) internal organisationOf;

    function _decide() internal returns (uint256) {
        return ++decisions;
    }

    function _slot(address owner, uint256 twin, address grantee, uint8 number) internal pure returns (bytes32) {
        return keccak256(abi.encode("slot", owner, twin, grantee, number));
    }

    function _permit(bytes32 slot, Terms memory terms, uint256 decision) internal {
        slots[slot].terms = terms;
        slots[slot].live = true;
        slots[slot].permitted = decision;
    }

    function _deny(bytes32 slot, uint256 decision) internal {
        slots[slot].live = false;
        if (decision > slots[slot].denied) slots[slot].denied = decision;
    }

    function _set(Flag storage flag, uint256 decision) internal {
        flag.on = true;
        if (decision > flag.set) flag.set = decision;
    }

    function _clear(Flag storage flag, uint256 decision) internal {
        flag.on = false;
        flag.cleared = decision;
    }

    /// @dev Whether people's decisions so far permit a request that is not the owner's, now.
    function _allows(Request memory r) internal view returns (bool) {
        address organisation = organisationOf[r.requester];
        if (retirements[r.twin].on) return false;
        if (suspended[r.requester] || suspended[organisation] || suspended[r.grantee]) return false;
        if (blocks[r.twin][r.requester].on || blocks[r.twin][organisation].on || blocks[r.twin][r.grantee].on) {
            return false;
        }
        if (r.grantee != r.requester && r.grantee != organisation) return false;
        SlotState storage slot = slots[_slot(ownerOf[r.twin], r.twin, r.grantee, r.number)];
        return slot.live && _covers(slot.terms, r) && _isOfKind(kindsOf[r.requester], r.action);
    }

    function _covers(Terms memory t, Request memory r) private view returns (bool) {
        if (block.timestamp < t.notBeforeAt || block.timestamp >= t.expiresAt) return false;
        if (t.actions & kind(Action.EMERGENCY) != 0 || t.actions & kind(r.action) == 0) return false;
        if (r.action != Action.WRITE && uint256(t.purposes) >> r.purpose & 1 == 0) return false;
        return uint256(t.categories) >> r.category & 1 == 1 && t.dataFrom <= r.from && r.until <= t.dataUntil;
    }

    function _isOfKind(uint16 kinds, uint8 action) private pure returns (bool) {
        if (action == Action.WRITE) return kinds & kind(Kind.GATEWAY) != 0;
        return action != Action.TRAIN || kinds & kind(Kind.RESEARCHER) != 0;
    }
}
