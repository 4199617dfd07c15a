// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Batch} from "../../../contracts/interfaces/ISnapshotLedger.sol";
import {Member, MemberCard} from "../../../contracts/interfaces/IMemberRegistry.sol";
import {Kind} from "../../../contracts/types/Vocabulary.sol";
import {World} from "../support/World.sol";
import {bound, vm} from "../support/Vm.sol";

/// @notice Twins, members and anchors, worked on by five keys at random; what each of them ever was is remembered.
contract RegistryHandler is World {
    uint256 private constant KEYS = 5;

    mapping(bytes32 what => uint256) public reached;

    // Twins
    mapping(uint256 twin => address) private _owner;
    mapping(uint256 twin => mapping(address key => bool)) private _former;
    mapping(uint256 twin => uint32) private _counter;
    mapping(bytes32 card => bool) private _seenCard;
    mapping(uint256 twin => bytes32) private _retiredAs;

    // Members
    mapping(address member => Member) private _member;
    mapping(address member => bytes32) private _key;

    // Anchors
    struct Anchor {
        address sender;
        bytes32 root;
        Batch batch;
    }

    Anchor[] private _anchors;
    mapping(address sender => uint64) private _receipts;

    constructor() {
        deploy();
        enrol(HOSPITAL, address(0), 0);
        _member[hospital] = members.memberOf(hospital);
        _key[hospital] = members.keyOf(hospital);
    }

    // Twins

    function mintTwin(uint256 seed) external {
        uint256 twin = mint(_anyKey(seed));
        _owner[twin] = vm.addr(_anyKey(seed));
        ++reached["minted"];
    }

    function setCard(uint256 seed) external {
        uint256 twin = _anyTwin(seed);
        if (twin == 0) return;
        bytes32 previous = twins.cardOf(twin);
        vm.prank(_owner[twin]);
        try twins.setCard(twin, previous, someCard(seed % 2)) {
            bytes32 card = twins.cardOf(twin);
            vm.assertTrue(!_seenCard[keccak256(abi.encode(twin, _owner[twin], card))], "a card's digest came back");
            _seenCard[keccak256(abi.encode(twin, _owner[twin], card))] = true;
            ++reached["card"];
        } catch {
            vm.assertTrue(_isRetired(twin), "an owner's card was refused");
        }
    }

    function moveTwin(uint256 seed) external {
        uint256 twin = _anyTwin(seed);
        if (twin == 0) return;
        uint256 toKey = _anyKey(seed >> 16);
        address to = vm.addr(toKey);
        try this.tryMove(twin, _keyOf(_owner[twin]), toKey) {
            vm.assertTrue(to != _owner[twin] && !_former[twin][to], "moved to a former owner");
            _former[twin][_owner[twin]] = true;
            _owner[twin] = to;
            ++reached["moved"];
        } catch {
            (uint40 retireAt,) = twins.stateOf(twin);
            vm.assertTrue(to == _owner[twin] || _former[twin][to] || retireAt != 0, "an owner's move was refused");
        }
    }

    function retireOrCancel(uint256 seed) external {
        uint256 twin = _anyTwin(seed);
        if (twin == 0) return;
        (uint40 retireAt,) = twins.stateOf(twin);
        if (_isRetired(twin)) _remember(twin);
        vm.startPrank(_owner[twin]);
        if (retireAt == 0) {
            twins.announceRetirement(twin);
        } else {
            try twins.cancelRetirement(twin) {
                vm.assertTrue(block.timestamp < retireAt, "a final retirement was cancelled");
            } catch {
                vm.assertTrue(block.timestamp >= retireAt, "an owner's cancellation was refused");
                ++reached["final"];
            }
        }
        vm.stopPrank();
        ++reached["retired"];
    }

    // Members

    function setMemberCard(uint256 seed) external {
        uint256 key = _anyKey(seed);
        address member = vm.addr(key);
        uint32 version = members.memberOf(member).version;
        address organisation = seed >> 8 & 1 == 0 ? address(0) : hospital;
        MemberCard memory card = MemberCard(member, keccak256(abi.encode(seed)), organisation, version);
        vm.prank(hospital);
        members.agree(member, version);
        bytes memory signature = sign(key, members, messages.memberCard(card));
        vm.prank(REGISTRAR);
        if (version == 0) members.enrol(card, signature, "", 0);
        else members.updateCard(card, signature, "");
        _key[member] = card.key;
        _member[member].version = version + 1;
        _member[member].organisation = organisation;
        ++reached["member"];
    }

    /// @dev Somebody else signs, or an old card comes again: nothing happens.
    function forgeMemberCard(uint256 seed) external {
        address member = vm.addr(_anyKey(seed));
        uint32 version = members.memberOf(member).version;
        MemberCard memory card = MemberCard(member, "forged", address(0), version);
        uint256 key = _anyKey(seed) == _anyKey(seed >> 8) ? HOSPITAL : _anyKey(seed >> 8);
        bytes memory signature = sign(key, members, messages.memberCard(card));
        vm.prank(REGISTRAR);
        (bool taken,) = address(members).call(abi.encodeCall(members.updateCard, (card, signature, "")));
        vm.prank(REGISTRAR);
        (bool enrolled,) = address(members).call(abi.encodeCall(members.enrol, (card, signature, "", 0)));
        vm.assertTrue(!taken && !enrolled, "a forged card was taken");
        ++reached["forged"];
    }

    function setKinds(uint256 seed, bool guarded) external {
        address member = vm.addr(_anyKey(seed));
        if (members.memberOf(member).version == 0) return;
        uint16 kinds = uint16(seed >> 16) & Kind.KNOWN_BITS;
        uint16 present = _member[member].kinds;
        if (guarded) {
            addGuardedKinds(member, kinds & Kind.GUARDED_BITS);
            _member[member].kinds = present | kinds & Kind.GUARDED_BITS;
        } else {
            vm.prank(REGISTRAR);
            (bool done,) = address(members).call(abi.encodeCall(members.setKinds, (member, kinds)));
            vm.assertTrue(done == (kinds & Kind.GUARDED_BITS & ~present == 0), "a registrar and a guarded kind");
            if (done) _member[member].kinds = kinds;
        }
        ++reached["kinds"];
    }

    // Anchors

    function anchor(uint256 seed, uint32 count) external {
        address sender = vm.addr(_anyKey(seed));
        bytes32 root = bytes32(bound(seed >> 8, 1, 8));
        bool before = snapshots.batchOf(sender, root).count != 0;
        bytes memory call = seed & 1 == 0
            ? abi.encodeCall(snapshots.anchorBatch, (root, count, bytes32(seed)))
            : _signedBatch(_anyKey(seed), root, count, bytes32(seed));
        vm.prank(seed & 1 == 0 ? sender : RELAYER);
        (bool done,) = address(snapshots).call(call);
        vm.assertTrue(done == (!before && count != 0), "an anchor taken or refused against its rule");
        if (done) _anchors.push(Anchor(sender, root, Batch(uint64(block.number), time(), count)));
        ++reached[done ? bytes32("anchored") : bytes32("anchored before")];
    }

    function _signedBatch(uint256 key, bytes32 root, uint32 count, bytes32 index) private view returns (bytes memory) {
        address sender = vm.addr(key);
        bytes32 history = snapshots.historyOf(sender);
        bytes32 message = messages.anchorBatch(sender, root, count, index, history, soon());
        bytes memory signature = sign(key, snapshots, message);
        return abi.encodeCall(snapshots.anchorBatchSigned, (sender, root, count, index, history, soon(), signature));
    }

    function anchorReceipts(uint256 seed, uint64 count) external {
        address sender = vm.addr(_anyKey(seed));
        bool full = _receipts[sender] == type(uint64).max;
        if (!full && seed >> 8 & 1 == 0) count = _receipts[sender] + uint64(seed >> 16 & 1);
        vm.prank(sender);
        (bool done,) = address(receipts).call(abi.encodeCall(receipts.anchorReceipts, (bytes32(seed), count, "last")));
        vm.assertTrue(done == (count > _receipts[sender]), "a log anchored or refused against its rule");
        if (done) _receipts[sender] = count;
        ++reached[done ? bytes32("log grown") : bytes32("log not grown")];
    }

    function pass(uint256 seed) external {
        vm.warp(block.timestamp + bound(seed, 1, 4 days));
        vm.roll(block.number + 1);
    }

    // What the invariants ask

    function requireTwins() external {
        for (uint256 twin = 1; twin <= twins.twinCount(); ++twin) {
            vm.assertEq(twins.ownerOf(twin), _owner[twin], "owner");
            (, uint32 counter) = twins.stateOf(twin);
            vm.assertTrue(counter >= _counter[twin], "a counter fell");
            _counter[twin] = counter;
            vm.assertTrue(twins.locked(twin), "a twin was unlocked");
            vm.assertTrue(!_former[twin][_owner[twin]] && !twins.wasOwner(twin, _owner[twin]), "a former owner's");
            if (_retiredAs[twin] != 0) vm.assertEq(_picture(twin), _retiredAs[twin], "a retired twin changed");
            else if (_isRetired(twin)) _remember(twin);
        }
        vm.assertEq(twins.ownerOrZero(twins.twinCount() + 1), address(0), "a twin beyond the count");
    }

    function requireMembers() external view {
        for (uint256 i = 0; i < KEYS; ++i) {
            address who = vm.addr(_anyKey(i));
            Member memory present = members.memberOf(who);
            vm.assertEq(members.keyOf(who), _key[who], "a key that the member did not sign");
            vm.assertEq(present.version, _member[who].version, "version");
            vm.assertEq(present.kinds, _member[who].kinds, "kinds");
            vm.assertEq(present.organisation, _member[who].organisation, "organisation");
            vm.assertTrue(present.organisation != who, "its own organisation");
        }
    }

    function requireAnchors() external view {
        for (uint256 i = 0; i < _anchors.length; ++i) {
            Batch memory batch = snapshots.batchOf(_anchors[i].sender, _anchors[i].root);
            vm.assertEq(keccak256(abi.encode(batch)), keccak256(abi.encode(_anchors[i].batch)), "an anchor changed");
        }
    }

    function requireReceipts() external view {
        for (uint256 i = 0; i < KEYS; ++i) {
            address who = vm.addr(_anyKey(i));
            vm.assertEq(receipts.anchorOf(who).count, _receipts[who], "a log that shrank, or is another's");
        }
    }

    function tryMove(uint256 twin, uint256 fromKey, uint256 toKey) external {
        move(twin, fromKey, toKey);
    }

    function _isRetired(uint256 twin) private view returns (bool) {
        (uint40 retireAt,) = twins.stateOf(twin);
        return retireAt != 0 && block.timestamp >= retireAt;
    }

    function _remember(uint256 twin) private {
        _retiredAs[twin] = _picture(twin);
    }

    function _picture(uint256 twin) private view returns (bytes32) {
        (uint40 retireAt, uint32 counter) = twins.stateOf(twin);
        return keccak256(abi.encode(twins.ownerOf(twin), twins.cardOf(twin), retireAt, counter));
    }

    function _anyTwin(uint256 seed) private view returns (uint256) {
        return twins.twinCount() == 0 ? 0 : bound(seed, 1, twins.twinCount());
    }

    function _anyKey(uint256 seed) private pure returns (uint256) {
        return 0x1000 + seed % KEYS;
    }

    function _keyOf(address who) private pure returns (uint256) {
        for (uint256 i = 0; i < KEYS; ++i) {
            if (vm.addr(_anyKey(i)) == who) return _anyKey(i);
        }
        return 0;
    }
}
