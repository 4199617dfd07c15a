// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Regrant} from "../../../contracts/interfaces/IConsentRegistry.sol";
import {
    SignedGrant,
    SignedGrantMany,
    SignedRecipient,
    SignedRevoke,
    SignedRevokeAll,
    SignedRevokeMany,
    SignedSlot
} from "../../../contracts/interfaces/ISignedConsents.sol";
import {Terms} from "../support/World.sol";
import {bound, vm} from "../support/Vm.sol";
import {ConsentHandler} from "./ConsentHandler.sol";

/// @notice The same people also sign messages, and a relayer who is nobody's friend holds them back, reorders them, and
/// sends them as often as it likes.
contract RelayHandler is ConsentHandler {
    enum Message {
        GRANT,
        GRANT_MANY,
        REVOKE,
        REVOKE_MANY,
        REVOKE_ALL,
        BLOCK,
        UNBLOCK,
        RETIRE,
        CANCEL
    }

    /// @dev A message in the relayer's hands. Those of many are about both slots of the grantee. One that revokes
    /// everything may keep the slot, if that is still permitted by the decision `keeps`.
    struct Held {
        Message kind;
        uint256 decision;
        uint256 keeps;
        uint40 deadline;
        address target;
        bytes call;
        address owner;
        uint256 twin;
        address grantee;
        uint8 number;
        Terms terms;
    }

    Held[] private _held;

    /// @dev Above every epoch that a message named which revokes everything.
    mapping(address owner => mapping(uint256 twin => uint24)) private _unnamed;

    // Signing: nothing reaches the chain

    function signGrant(uint256 seed, bool many) external {
        Held storage held = _hold(many ? Message.GRANT_MANY : Message.GRANT, seed);
        held.terms = _anyTerms(seed >> 64);
        uint24 epoch = consents.epochOf(held.owner, held.twin);
        if (many) {
            SignedRecipient[] memory to = new SignedRecipient[](NUMBERS);
            for (uint8 i = 0; i < NUMBERS; ++i) {
                to[i] = SignedRecipient(held.grantee, i, "package", _revision(held, i));
            }
            SignedGrantMany memory message =
                SignedGrantMany(held.owner, held.twin, pack(held.terms), to, epoch, held.deadline);
            bytes memory signature = sign(_keyOf(held.owner), consents, messages.grantMany(message));
            held.call = abi.encodeCall(consents.grantManySigned, (message, signature));
        } else {
            SignedGrant memory message = SignedGrant({
                owner: held.owner,
                twin: held.twin,
                grantee: held.grantee,
                number: held.number,
                terms: pack(held.terms),
                package: "package",
                revision: _revision(held, held.number),
                epoch: epoch,
                deadline: held.deadline
            });
            bytes memory signature = sign(_keyOf(held.owner), consents, messages.grant(message));
            held.call = abi.encodeCall(consents.grantSigned, (message, signature));
        }
    }

    /// @dev Names a revision above every one that a signed grant named: those named the present one at most.
    function signRevoke(uint256 seed, bool many) external {
        Held storage held = _hold(many ? Message.REVOKE_MANY : Message.REVOKE, seed);
        uint16 above = uint16(bound(seed >> 96, 1, 3));
        if (many) {
            SignedSlot[] memory named = new SignedSlot[](NUMBERS);
            for (uint8 i = 0; i < NUMBERS; ++i) {
                named[i] = SignedSlot(held.grantee, i, _revision(held, i) + above);
            }
            SignedRevokeMany memory message = SignedRevokeMany(held.owner, held.twin, named, held.deadline);
            bytes memory signature = sign(_keyOf(held.owner), consents, messages.revokeMany(message));
            held.call = abi.encodeCall(consents.revokeManySigned, (message, signature));
        } else {
            SignedRevoke memory message = SignedRevoke({
                owner: held.owner,
                twin: held.twin,
                grantee: held.grantee,
                number: held.number,
                revision: _revision(held, held.number) + above,
                deadline: held.deadline
            });
            bytes memory signature = sign(_keyOf(held.owner), consents, messages.revoke(message));
            held.call = abi.encodeCall(consents.revokeSigned, (message, held.owner, signature));
        }
    }

    /// @dev Names an epoch above every one that an older such message named, which may have kept something.
    function signRevokeAll(uint256 seed, bool keepOne) external {
        Held storage held = _hold(Message.REVOKE_ALL, seed);
        uint24 epoch = consents.epochOf(held.owner, held.twin) + uint24(bound(seed >> 96, 0, 2));
        if (epoch < _unnamed[held.owner][held.twin]) epoch = _unnamed[held.owner][held.twin];
        _unnamed[held.owner][held.twin] = epoch + 1;
        Regrant[] memory keep = none();
        SlotState storage slot = slots[_slot(held.owner, held.twin, held.grantee, held.number)];
        if (keepOne) {
            held.terms = _anyTerms(seed >> 64);
            keep = keeping(held.owner, held.twin, held.grantee, held.number, held.terms);
            if (slot.live) held.keeps = slot.permitted;
            _decide();
        }
        SignedRevokeAll memory message = SignedRevokeAll(held.owner, held.twin, keep, epoch, held.deadline);
        bytes memory signature = sign(_keyOf(held.owner), consents, messages.revokeAll(message));
        held.call = abi.encodeCall(consents.revokeAllSigned, (message, signature));
    }

    function signBlock(uint256 seed) external {
        Held storage held = _hold(Message.BLOCK, seed);
        uint32 count = consents.blockCountOf(held.twin, held.grantee) + 2;
        bytes32 message = messages.blockGrantee(held.twin, held.grantee, count, held.deadline);
        bytes memory signature = sign(_keyOf(ownerOf[held.twin]), consents, message);
        held.call = abi.encodeCall(consents.blockSigned, (held.twin, held.grantee, count, held.deadline, signature));
    }

    function signUnblock(uint256 seed) external {
        Held storage held = _hold(Message.UNBLOCK, seed);
        uint32 count = consents.blockCountOf(held.twin, held.grantee);
        bytes32 message = messages.unblockGrantee(held.twin, held.grantee, count, held.deadline);
        bytes memory signature = sign(_keyOf(ownerOf[held.twin]), consents, message);
        held.call = abi.encodeCall(consents.unblockSigned, (held.twin, held.grantee, count, held.deadline, signature));
    }

    function signRetirement(uint256 seed) external {
        Held storage held = _hold(Message.RETIRE, seed);
        held.target = address(twins);
        uint256 twin = held.twin;
        bool cancels = retirements[twin].on;
        if (cancels) held.kind = Message.CANCEL;
        (, uint32 counter) = twins.stateOf(twin);
        bytes memory signature = sign(
            _keyOf(ownerOf[twin]),
            twins,
            cancels
                ? messages.cancelRetirement(twin, counter, held.deadline)
                : messages.announceRetirement(twin, counter, held.deadline)
        );
        held.call = cancels
            ? abi.encodeCall(twins.cancelRetirementSigned, (twin, counter, held.deadline, signature))
            : abi.encodeCall(twins.announceRetirementSigned, (twin, counter, held.deadline, signature));
    }

    // Sending

    /// @dev Any of the last sixteen, which may be late, out of order, or sent before.
    function deliver(uint256 seed) external {
        if (_held.length != 0) _deliver(_held[_held.length - 1 - seed % (_held.length < 16 ? _held.length : 16)]);
    }

    /// @dev The newest or the one before that is about the slot that was touched last, or about a retirement.
    function deliverOfTheSameSlot(uint256 seed) external {
        uint256 skip = seed >> 8 & 1;
        for (uint256 i = _held.length; i != 0; --i) {
            Held storage held = _held[i - 1];
            bool ofTwin = held.kind == Message.RETIRE || held.kind == Message.CANCEL;
            if (!_isTouched(held.twin, held.grantee) && !(ofTwin && seed & 1 == 0)) continue;
            if (skip == 0) return _deliver(held);
            --skip;
        }
    }

    function _deliver(Held storage held) private {
        bool inTime = block.timestamp <= held.deadline;
        vm.prank(RELAYER);
        (bool landed,) = held.target.call(held.call);
        vm.assertTrue(inTime || !landed, "a message was taken after its deadline");
        if (landed) {
            _apply(held);
            _touch(held.twin, held.grantee, held.number);
            ++reached["landed"];
            if (held.decision < decisions) ++reached["landed late"];
        } else {
            ++reached["turned away"];
            if (inTime) _requireNothingOlderIsLeft(held);
        }
    }

    /// @dev A denial that is turned away leaves no grant or unblock standing that is older than itself.
    function _requireNothingOlderIsLeft(Held storage held) private {
        if (held.kind == Message.BLOCK && ownerOf[held.twin] == held.owner) {
            Flag storage flag = blocks[held.twin][held.grantee];
            vm.assertTrue(flag.on || flag.cleared > held.decision, "a denial left an older unblock standing");
            ++reached["denial turned away"];
        }
        bool all = held.kind == Message.REVOKE_ALL;
        if (!all && held.kind != Message.REVOKE) return;
        for (uint256 i = 0; i < 4; ++i) {
            for (uint8 number = 0; number < NUMBERS; ++number) {
                if (!all && (_anyGrantee(i) != held.grantee || number != held.number)) continue;
                SlotState storage slot = slots[_slot(held.owner, held.twin, _anyGrantee(i), number)];
                vm.assertTrue(!slot.live || slot.permitted > held.decision, "a denial left an older grant standing");
            }
        }
        ++reached["denial turned away"];
    }

    function _apply(Held storage held) private {
        if (held.kind == Message.REVOKE_ALL) return _applyToAll(held);
        if (held.kind == Message.BLOCK) return _set(blocks[held.twin][held.grantee], held.decision);
        if (held.kind == Message.UNBLOCK) return _clear(blocks[held.twin][held.grantee], held.decision);
        if (held.kind == Message.RETIRE) return _set(retirements[held.twin], held.decision);
        if (held.kind == Message.CANCEL) return _clear(retirements[held.twin], held.decision);
        bool many = held.kind == Message.GRANT_MANY || held.kind == Message.REVOKE_MANY;
        bool grants = held.kind == Message.GRANT || held.kind == Message.GRANT_MANY;
        for (uint8 number = 0; number < NUMBERS; ++number) {
            if (!many && number != held.number) continue;
            bytes32 slot = _slot(held.owner, held.twin, held.grantee, number);
            if (grants) _permit(slot, held.terms, held.decision);
            else if (!_passedOver(held, number)) _deny(slot, held.decision);
        }
    }

    /// @dev What it keeps is the decision after the one that ends everything.
    function _applyToAll(Held storage held) private {
        bytes32 slot = _slot(held.owner, held.twin, held.grantee, held.number);
        bool kept = held.keeps != 0 && slots[slot].live && slots[slot].permitted == held.keeps;
        _denyAll(held.owner, held.twin, held.decision);
        if (kept) _permit(slot, held.terms, held.decision + 1);
        if (held.keeps != 0) ++reached[kept ? bytes32("kept by message") : bytes32("passed over by message")];
    }

    /// @dev A message that revokes many passes over a slot that was decided anew: it may leave a newer grant there, and
    /// nothing else.
    function _passedOver(Held storage held, uint8 number) private view returns (bool) {
        if (held.kind != Message.REVOKE_MANY) return false;
        if (consents.grantOf(held.owner, held.twin, held.grantee, number).actions() == 0) return false;
        SlotState storage slot = slots[_slot(held.owner, held.twin, held.grantee, number)];
        vm.assertTrue(slot.permitted > held.decision, "a message that revokes many left an older grant standing");
        return true;
    }

    /// @dev Grants and revocations are signed by whoever's slot it is; the rest by the twin's owner.
    function _hold(Message kind_, uint256 seed) private returns (Held storage held) {
        held = _held.push();
        held.kind = kind_;
        held.decision = _decide();
        held.deadline = time() + uint40(bound(seed >> 128, 5 minutes, 1 hours));
        held.target = address(consents);
        (held.owner, held.twin, held.grantee, held.number) = _anySlot(seed);
        if (kind_ >= Message.BLOCK) held.owner = ownerOf[held.twin];
        ++reached["signed"];
    }

    function _revision(Held storage held, uint8 number) private view returns (uint16) {
        return consents.grantOf(held.owner, held.twin, held.grantee, number).revision();
    }
}
