// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IConsentRegistry} from "../../../contracts/interfaces/IConsentRegistry.sol";
import {Emergency, IEmergencies} from "../../../contracts/interfaces/IEmergencies.sol";
import {IGuardedTwins} from "../../../contracts/interfaces/IGuardedTwins.sol";
import {IMemberRegistry} from "../../../contracts/interfaces/IMemberRegistry.sol";
import {IModelLedger} from "../../../contracts/interfaces/IModelLedger.sol";
import {IReceiptLedger} from "../../../contracts/interfaces/IReceiptLedger.sol";
import {ISnapshotLedger} from "../../../contracts/interfaces/ISnapshotLedger.sol";
import {Card, ITwinRegistry} from "../../../contracts/interfaces/ITwinRegistry.sol";
import {Messages} from "./Messages.sol";
import {Log} from "./Vm.sol";

/// @notice What somebody knows who reads the events and never asks a contract.
contract EventReader {
    Messages private immutable MESSAGES = new Messages();

    /// @notice What was told of a place, by `place`.
    mapping(bytes32 place => bytes32 value) public told;

    function place(string memory what, bytes32 a, bytes32 b, bytes32 c, uint256 d) public pure returns (bytes32) {
        return keccak256(abi.encode(what, a, b, c, d));
    }

    function read(Log[] calldata logs) external {
        for (uint256 i = 0; i < logs.length; ++i) {
            bytes32[] calldata t = logs[i].topics;
            if (_readConsents(t, logs[i].data) || _readTwins(t, logs[i].data)) continue;
            if (t.length > 1 && _readGuardians(t, logs[i].data)) continue;
            if (!_readModels(t, logs[i].data)) _readMembers(t, logs[i].data);
        }
    }

    function _readConsents(bytes32[] calldata t, bytes calldata data) private returns (bool) {
        if (t[0] == IConsentRegistry.Granted.selector) {
            (uint8 number, bytes32 word,) = abi.decode(data, (uint8, bytes32, bytes32));
            told[place("grant", t[1], t[2], t[3], number)] = word;
        } else if (t[0] == IConsentRegistry.Revoked.selector) {
            (uint8 number, bytes32 word) = abi.decode(data, (uint8, bytes32));
            told[place("grant", t[1], t[2], t[3], number)] = word;
        } else if (t[0] == IConsentRegistry.AllRevoked.selector) {
            told[place("epoch", t[1], t[2], 0, 0)] = bytes32(data);
        } else if (t[0] == IConsentRegistry.Blocked.selector || t[0] == IConsentRegistry.Unblocked.selector) {
            told[place("blocks", t[1], t[2], 0, 0)] = bytes32(data);
        } else if (t[0] == IEmergencies.EmergencyOpened.selector) {
            Emergency memory said = abi.decode(data, (Emergency));
            told[place("opener", t[1], 0, 0, 0)] = t[3];
            told[place("review by", t[1], 0, 0, 0)] = bytes32(uint256(said.reviewBy));
            bytes32 slot = keccak256(abi.encode(said.owner, t[2], said.grantee, said.number));
            told[place("closes", slot, t[3], 0, said.revision)] = bytes32(uint256(said.closesAt));
        } else if (t[0] == IEmergencies.EmergencyReviewed.selector) {
            told[place("reviewed", t[1], 0, 0, 0)] = bytes32(uint256(1));
        } else {
            return false;
        }
        return true;
    }

    function _readTwins(bytes32[] calldata t, bytes calldata data) private returns (bool) {
        if (t[0] == IERC721.Transfer.selector) {
            told[place("owner", t[3], 0, 0, 0)] = t[2];
        } else if (t[0] == ITwinRegistry.CardSet.selector) {
            (bytes32 previous, Card memory card) = abi.decode(data, (bytes32, Card));
            told[place("card", t[1], 0, 0, 0)] = MESSAGES.chainedCard(previous, card);
        } else if (t[0] == ITwinRegistry.Moved.selector) {
            told[place("card", t[1], 0, 0, 0)] = 0;
            told[place("guardians", t[1], 0, 0, 0)] = 0;
            told[place("recoveryDelay", t[1], 0, 0, 0)] = 0;
            told[place("frozenAt", t[1], 0, 0, 0)] = 0;
            told[place("frozenUntil", t[1], 0, 0, 0)] = 0;
            told[place("move", t[1], 0, 0, 0)] = 0;
            told[place("counter", t[1], 0, 0, 0)] = bytes32(data);
        } else if (t[0] == ITwinRegistry.RetirementAnnounced.selector) {
            (bytes32 retireAt, bytes32 counter) = abi.decode(data, (bytes32, bytes32));
            told[place("retireAt", t[1], 0, 0, 0)] = retireAt;
            told[place("counter", t[1], 0, 0, 0)] = counter;
        } else if (t[0] == ITwinRegistry.RetirementCancelled.selector) {
            told[place("retireAt", t[1], 0, 0, 0)] = 0;
            told[place("counter", t[1], 0, 0, 0)] = bytes32(data);
        } else if (t[0] == ISnapshotLedger.BatchAnchored.selector) {
            (bytes32 count,) = abi.decode(data, (bytes32, bytes32));
            told[place("batch", t[1], t[2], 0, 0)] = count;
        } else if (t[0] == IReceiptLedger.ReceiptsAnchored.selector) {
            (, bytes32 count,) = abi.decode(data, (bytes32, bytes32, bytes32));
            told[place("receipts", t[1], 0, 0, 0)] = count;
        } else {
            return false;
        }
        return true;
    }

    function _readGuardians(bytes32[] calldata t, bytes calldata data) private returns (bool) {
        bytes32 counter = place("counter", t[1], 0, 0, 0);
        bytes32 frozenUntil = place("frozenUntil", t[1], 0, 0, 0);
        bytes32 announced = place("move", t[1], 0, 0, 0);
        if (t[0] == IGuardedTwins.GuardiansSet.selector) {
            told[place("guardians", t[1], 0, 0, 0)] = bytes32(data[:32]);
            told[place("recoveryDelay", t[1], 0, 0, 0)] = bytes32(data[32:64]);
            told[announced] = 0;
            told[counter] = bytes32(data[64:]);
        } else if (t[0] == IGuardedTwins.Frozen.selector) {
            told[frozenUntil] = bytes32(data[:32]);
            told[place("frozenAt", t[1], 0, 0, 0)] = bytes32(uint256(bytes32(data[:32])) - 30 days);
            told[place("retireAt", t[1], 0, 0, 0)] = bytes32(data[32:64]);
            told[counter] = bytes32(data[64:]);
        } else if (t[0] == IGuardedTwins.Unfrozen.selector) {
            told[frozenUntil] = 0;
            told[counter] = bytes32(data);
        } else if (t[0] == IGuardedTwins.MoveAnnounced.selector) {
            told[announced] = keccak256(abi.encodePacked(t[2], data[:64]));
            told[frozenUntil] = bytes32(data[64:96]);
            told[counter] = bytes32(data[96:]);
        } else if (t[0] == IGuardedTwins.MoveVetoed.selector) {
            told[announced] = 0;
            told[counter] = bytes32(data);
        } else {
            return false;
        }
        return true;
    }

    function _readModels(bytes32[] calldata t, bytes calldata data) private returns (bool) {
        if (t[0] == IModelLedger.ModelRegistered.selector) {
            told[place("model", t[1], 0, 0, 0)] = keccak256(abi.encode(t[2], data[:128]));
        } else if (t[0] == IModelLedger.RoundOpened.selector) {
            told[place("round", t[1], 0, 0, 0)] = t[2];
            told[place("open", t[1], 0, 0, 0)] = bytes32(uint256(1));
            told[place("updates", t[1], 0, 0, 0)] = 0;
            told[place("aggregate", t[1], 0, 0, 0)] = bytes32(data);
            told[place("parent", t[1], t[2], 0, 0)] = bytes32(data);
        } else if (t[0] == IModelLedger.UpdateCommitted.selector) {
            bytes32 updates = place("updates", t[1], 0, 0, 0);
            bytes32 spent = place("spent", t[1], t[3], 0, 0);
            told[updates] = bytes32(uint256(told[updates]) + 1);
            told[spent] = bytes32(uint256(told[spent]) + uint256(bytes32(data[160:])));
            told[place("committed", t[1], t[3], 0, 0)] = t[2];
        } else if (t[0] == IModelLedger.AggregateFinalised.selector) {
            told[place("open", t[1], 0, 0, 0)] = 0;
            told[place("aggregate", t[1], 0, 0, 0)] = bytes32(data);
        } else if (t[0] == IModelLedger.Remediated.selector) {
            bool retrained = uint256(bytes32(data[32:])) == 1;
            if (retrained) told[place("aggregate", t[1], 0, 0, 0)] = told[place("parent", t[1], t[2], 0, 0)];
        } else {
            return false;
        }
        return true;
    }

    function _readMembers(bytes32[] calldata t, bytes calldata data) private {
        if (t[0] == IMemberRegistry.Enrolled.selector) {
            (bytes32 kinds, bytes32 key) = abi.decode(data, (bytes32, bytes32));
            told[place("kinds", t[1], 0, 0, 0)] = kinds;
            _card(t[1], t[2], key, bytes32(uint256(1)));
        } else if (t[0] == IMemberRegistry.CardUpdated.selector) {
            (bytes32 key, bytes32 version) = abi.decode(data, (bytes32, bytes32));
            _card(t[1], t[2], key, version);
        } else if (t[0] == IMemberRegistry.KindsSet.selector) {
            told[place("kinds", t[1], 0, 0, 0)] = bytes32(data);
            _count(t[1]);
        } else if (t[0] == IMemberRegistry.Suspended.selector) {
            told[place("suspended", t[1], 0, 0, 0)] = bytes32(uint256(1));
            _count(t[1]);
        } else if (t[0] == IMemberRegistry.Reinstated.selector) {
            told[place("suspended", t[1], 0, 0, 0)] = 0;
            _count(t[1]);
        } else if (t[0] == IMemberRegistry.Dismissed.selector) {
            bytes32 organisation = place("organisation", t[1], 0, 0, 0);
            if (told[organisation] != t[2]) return;
            told[organisation] = 0;
            _count(t[1]);
        } else if (t[0] == IMemberRegistry.KeyringSet.selector) {
            told[place("keyring", t[1], 0, 0, 0)] = bytes32(data);
        }
    }

    function _card(bytes32 member, bytes32 organisation, bytes32 key, bytes32 version) private {
        told[place("organisation", member, 0, 0, 0)] = organisation;
        told[place("key", member, 0, 0, 0)] = key;
        told[place("version", member, 0, 0, 0)] = version;
        _count(member);
    }

    function _count(bytes32 member) private {
        bytes32 changes = place("changes", member, 0, 0, 0);
        told[changes] = bytes32(uint256(told[changes]) + 1);
    }
}
