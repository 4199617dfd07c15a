// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {CarriedGrant, ICarriedConsents, SignedCarrying} from "../interfaces/ICarriedConsents.sol";
import {IConsentRegistry} from "../interfaces/IConsentRegistry.sol";
import {ITwinRegistry} from "../interfaces/ITwinRegistry.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {Grant} from "../types/Grant.sol";
import {ConsentSlots} from "./ConsentSlots.sol";

/// @title CarriedConsents
/// @notice The one call by which a twin comes over from the deployment before, with its grants and blocks. A ConsentRegistry
/// that has a predecessor makes this contract and runs its code on its own slots: both together are too large for one.
///
/// STATES. Twin, card, guardians, grants and blocks come in one transaction: there is no twin that left and did not
/// arrive, and none that arrived without its blocks.
///
/// AUTHORITY. The owner's one signature, which names this contract and each grant by its whole word and package. Anyone
/// may send it and pays.
///
/// TIME. A grant comes only if its slot in the predecessor still holds that word, of the epoch that stands there, and if
/// nothing was written to its slot here: what was revoked or given anew after the owner signed is passed over, and so is
/// everything if the owner revoked all that it gave here. Blocks are not signed for. They are those that stand in the
/// predecessor, and all of them, or nothing comes.
///
/// LIVENESS. A grantee that revokes what it holds stops nothing else.
///
/// Invariants: a grant that was carried is, to the last bit, one that its owner made there and nobody had ended. Nothing
/// that the predecessor denied on the twin by a revocation or a block is permitted here because it came.
contract CarriedConsents is ConsentSlots {
    ITwinRegistry private immutable TWINS;
    ITwinRegistry private immutable FORMER_TWINS;
    IConsentRegistry private immutable PREDECESSOR;

    constructor(ITwinRegistry twins, IConsentRegistry predecessor) {
        (TWINS, FORMER_TWINS, PREDECESSOR) = (twins, predecessor.TWINS(), predecessor);
        if (address(twins.PREDECESSOR()) != address(FORMER_TWINS)) {
            revert ICarriedConsents.ConsentRegistry_WrongPredecessor(address(predecessor));
        }
    }

    /// @notice See `ICarriedConsents`.
    function carry(SignedCarrying calldata message, address[] calldata blocked, bytes calldata signature) external {
        uint256 twin = message.twin;
        bytes32 grants = TypedData.hash(message.grants);
        FORMER_TWINS.depart(twin, grants, message.counter, message.deadline, signature);
        address owner = TWINS.arrive(twin);

        _carryBlocks(twin, blocked);
        uint24 epoch = PREDECESSOR.epochOf(owner, twin);
        bool revokedHere = _epochs[owner][twin] != 0;
        if (!revokedHere) _epochs[owner][twin] = epoch;
        emit ICarriedConsents.Carried(owner, twin, _epochs[owner][twin]);
        if (revokedHere) return;
        for (uint256 i = 0; i < message.grants.length; ++i) {
            _carryGrant(owner, twin, epoch, message.grants[i]);
        }
    }

    function _carryBlocks(uint256 twin, address[] calldata blocked) private {
        for (uint256 i = 0; i < blocked.length; ++i) {
            uint32 count = PREDECESSOR.blockCountOf(twin, blocked[i]);
            if (count % 2 == 1 && _blockCounts[twin][blocked[i]] == 0) _setBlockCount(twin, blocked[i], count);
        }
        (uint32 came, uint32 present) = (_blocked[twin], PREDECESSOR.blockedOn(twin));
        if (came != present) revert ICarriedConsents.ConsentRegistry_BlocksMissing(came, present);
    }

    function _carryGrant(address owner, uint256 twin, uint24 epoch, CarriedGrant calldata carried) private {
        (address grantee, uint8 number, Grant word) = (carried.grantee, carried.number, carried.grant);
        if (word.actions() == 0 || word.epoch() != epoch) return;
        Grant present = PREDECESSOR.grantOf(owner, twin, grantee, number);
        if (Grant.unwrap(present) != Grant.unwrap(word)) return;
        bytes32 key = _key(owner, twin, grantee, number);
        if (!_grants[key].isEmpty()) return;
        _grants[key] = word;
        emit IConsentRegistry.Granted(owner, twin, grantee, number, word, carried.package);
    }
}
