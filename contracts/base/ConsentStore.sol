// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IConsentRegistry, Regrant} from "../interfaces/IConsentRegistry.sol";
import {ITwinRegistry} from "../interfaces/ITwinRegistry.sol";
import {Bits} from "../libraries/Bits.sol";
import {Rule} from "../libraries/Rule.sol";
import {Grant, Grants} from "../types/Grant.sol";
import {Action} from "../types/Vocabulary.sol";
import {ConsentSlots} from "./ConsentSlots.sol";

/// @title ConsentStore
/// @notice The slots, epochs and block counts, and the only ways to write them. Who may is asked by those who call here.
///
/// Every write moves a counter on, so none is without effect: a grant or revocation raises its slot's revision, revoking
/// everything raises the epoch, a block or unblock raises the count. Counters stop at their last value and deny there.
abstract contract ConsentStore is IConsentRegistry, ConsentSlots {
    /// @inheritdoc IConsentRegistry
    ITwinRegistry public immutable TWINS;

    constructor(ITwinRegistry twins) {
        TWINS = twins;
    }

    /// @inheritdoc IConsentRegistry
    function blockedOn(uint256 twin) external view returns (uint32) {
        return _blocked[twin];
    }

    /// @dev Writes terms that `_requireTerms` passed into a slot, at the owner's present epoch.
    function _grant(
        address owner,
        uint256 twin,
        uint24 epoch,
        address grantee,
        uint8 number,
        Grant terms,
        bytes32 package
    ) internal {
        _requireSlot(grantee, number);
        bytes32 key = _key(owner, twin, grantee, number);
        uint16 revision = _grants[key].revision();
        if (revision >= Grants.LAST_REVISION - 1) revert ConsentRegistry_SlotSpent(grantee, number);
        Grant word = terms.standing(revision + 1, epoch);
        _grants[key] = word;
        emit Granted(owner, twin, grantee, number, word, package);
    }

    /// @dev Leaves in a slot its epoch and the revision after `revision`, which is at or above the present one.
    function _revoke(address owner, uint256 twin, address grantee, uint8 number, uint16 revision) internal {
        if (number >= Rule.SLOTS) revert ConsentRegistry_InvalidTerms("number");
        bytes32 key = _key(owner, twin, grantee, number);
        uint16 next = revision == Grants.LAST_REVISION ? revision : revision + 1;
        Grant word = _grants[key].revoked(next);
        _grants[key] = word;
        emit Revoked(owner, twin, grantee, number, word);
    }

    /// @dev Moves the epoch to the one after `epoch`, which is at or above the present one: that ends every grant of the
    /// owner's on the twin. Then grants the kept ones again. Only their own words are refused, before anything is asked of
    /// the slots: what stands there others may change, and that must not stop a revocation.
    function _revokeAllBut(address owner, uint256 twin, uint24 epoch, Regrant[] calldata keep) internal {
        uint24 ended = _epochs[owner][twin];
        uint24 next = epoch == Grants.LAST_EPOCH ? epoch : epoch + 1;
        _epochs[owner][twin] = next;
        emit AllRevoked(owner, twin, next);
        for (uint256 i = 0; i < keep.length; ++i) {
            Regrant calldata kept = keep[i];
            _requireSlot(kept.grantee, kept.number);
            _requireTerms(kept.terms);
            if (next == Grants.LAST_EPOCH || !_stood(owner, twin, ended, kept)) continue;
            _grant(owner, twin, next, kept.grantee, kept.number, kept.terms, kept.package);
        }
    }

    /// @dev Moves the count to the first odd one after `count`, which is at or above the present one.
    function _block(uint256 twin, address grantee, uint32 count) internal {
        if (count != type(uint32).max) count += count % 2 == 0 ? 1 : 2;
        _setBlockCount(twin, grantee, count);
    }

    /// @dev The last count is odd, hence blocked for ever; an unblock that would reach it is refused.
    function _unblock(uint256 twin, address grantee) internal {
        uint32 count = _blockCounts[twin][grantee];
        if (count >= type(uint32).max - 1) revert ConsentRegistry_BlockSpent(twin, grantee);
        if (count % 2 == 1) --_blocked[twin];
        count += count % 2 == 0 ? 2 : 1;
        _blockCounts[twin][grantee] = count;
        emit Unblocked(twin, grantee, count);
    }

    function _revisionOf(address owner, uint256 twin, address grantee, uint8 number) internal view returns (uint16) {
        return _grants[_key(owner, twin, grantee, number)].revision();
    }

    function _requireRevision(address owner, uint256 twin, address grantee, uint8 number, uint16 named) internal view {
        uint16 present = _revisionOf(owner, twin, grantee, number);
        if (named != present) revert ConsentRegistry_StaleRevision(named, present);
    }

    /// @dev Whether a slot holds the grant that its owner means to keep, of the epoch that ended, and takes one more.
    function _stood(address owner, uint256 twin, uint24 ended, Regrant calldata kept) private view returns (bool) {
        Grant word = _grants[_key(owner, twin, kept.grantee, kept.number)];
        if (word.actions() == 0 || word.epoch() != ended) return false;
        return word.revision() == kept.revision && kept.revision < Grants.LAST_REVISION - 1;
    }

    function _requireSlot(address grantee, uint8 number) private pure {
        if (grantee == address(0)) revert ConsentRegistry_InvalidTerms("grantee");
        if (number >= Rule.SLOTS) revert ConsentRegistry_InvalidTerms("number");
    }

    /// @dev Refuses to grant at the last epoch, where no grant permits.
    function _requireEpochLeft(address owner, uint256 twin, uint24 epoch) internal pure {
        if (epoch == Grants.LAST_EPOCH) revert ConsentRegistry_EpochSpent(owner, twin);
    }

    /// @dev Refuses terms that no request could meet, or that say what the vocabulary does not know.
    function _requireTerms(Grant terms) internal pure {
        uint8 actions = terms.actions();
        if (actions == 0 || actions & ~Action.KNOWN_BITS != 0) revert ConsentRegistry_InvalidTerms("actions");
        bool opens = Bits.has(actions, Action.READ) || Bits.has(actions, Action.TRAIN);
        if (opens && terms.purposes() == 0) revert ConsentRegistry_InvalidTerms("purposes");
        if (terms.categories() == 0) revert ConsentRegistry_InvalidTerms("categories");
        if (terms.notBeforeAt() >= terms.expiresAt()) revert ConsentRegistry_InvalidTerms("expiresAt");
        if (terms.dataFrom() > terms.dataUntil() || terms.dataUntil() >= Rule.MINUTES) {
            revert ConsentRegistry_InvalidTerms("dataUntil");
        }
        if (terms.counters() != 0) revert ConsentRegistry_InvalidTerms("counters");
    }
}
