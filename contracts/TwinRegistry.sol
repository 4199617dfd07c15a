// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {Succession} from "./base/Succession.sol";
import {TypedDomain} from "./base/TypedDomain.sol";
import {IERC5192} from "./interfaces/IERC5192.sol";
import {Card, ITwinRegistry} from "./interfaces/ITwinRegistry.sol";
import {TypedData} from "./libraries/TypedData.sol";

/// @title TwinRegistry
/// @notice Who owns which twin: a non-transferable ERC-721 token (ERC-5192, always locked), its card, its move, its end.
///
/// STATES. A twin is minted once, with a number from 1 on. It is live, or its retirement is announced, or it is retired:
/// that is the announcement's delay passing, and no call. An announced twin counts as retired for every reader and does
/// not move; its owner or its guardians may cancel. A retired twin never changes again. Without a card nothing is to be
/// sealed to a twin; a move clears it. Freezes and moves by guardians: see `GuardedTwins`. Leaving for the deployment that
/// comes after: see `Succession`.
///
/// AUTHORITY. Minting takes the patient's signature and is paid for by a minter, who can do nothing else to the twin.
/// Everything else is the owner's, while its guardians do not freeze the twin: card and retirement by its message, a move
/// by its and the recipient's. A twin never returns to a former owner, so a key that was replaced because it leaked is
/// worth nothing again.
///
/// TIME. A signed call names what it replaces: the patient's number of twins, the digest of the card, the counter that
/// every other call raises. The card's digest is chained, so it never takes a value twice.
///
/// PRIVACY. The card holds digests of sealed or public-key blocks; only its own digest is stored, the rest is in events.
///
/// Invariants: exactly one owner a twin, from the mint on. Counters and the number of twins only rise. No twin is ever
/// transferred or approved by the calls of ERC-721. What a retired twin's views answer stays the same for ever.
contract TwinRegistry is Succession, AccessManaged {
    /// @inheritdoc ITwinRegistry
    uint40 public immutable RETIRE_DELAY;

    /// @notice The number of the newest twin that was minted here; before the first, the last that a predecessor may give.
    uint256 public twinCount;

    constructor(address authority, bytes32 genesis, uint40 retireDelay, ITwinRegistry predecessor)
        ERC721("dtledger twin", "TWIN")
        TypedDomain(genesis)
        Succession(predecessor)
        AccessManaged(authority)
    {
        RETIRE_DELAY = retireDelay;
        twinCount = LAST_BEFORE;
    }

    /// @inheritdoc ITwinRegistry
    function mint(address patient, uint256 count, uint40 deadline, bytes calldata signature)
        external
        restricted
        returns (uint256 twin)
    {
        _requireInTime(deadline);
        _requireSigned(patient, TypedData.mint(patient, count, deadline), signature);
        uint256 present = balanceOf(patient);
        if (count != present) revert TwinRegistry_StaleCount(count, present);
        twin = ++twinCount;
        if (twin > LAST_BEFORE + NUMBERS) revert TwinRegistry_NumbersSpent();
        _mint(patient, twin);
        emit Locked(twin);
    }

    /// @inheritdoc ITwinRegistry
    function setCard(uint256 twin, bytes32 previous, Card calldata card) external {
        address owner = _requireOwner(twin);
        _setCard(twin, owner, previous, card, TypedData.hash(card));
    }

    /// @inheritdoc ITwinRegistry
    function setCardSigned(
        uint256 twin,
        bytes32 previous,
        Card calldata card,
        uint40 deadline,
        bytes calldata signature
    ) external {
        _requireInTime(deadline);
        address owner = ownerOf(twin);
        bytes32 cardHash = TypedData.hash(card);
        _requireSigned(owner, TypedData.setCard(twin, previous, cardHash, deadline), signature);
        _setCard(twin, owner, previous, card, cardHash);
    }

    /// @inheritdoc ITwinRegistry
    function move(
        uint256 twin,
        address to,
        uint32 counter,
        uint40 deadline,
        bytes calldata ownerSignature,
        bytes calldata recipientSignature
    ) external {
        _requireInTime(deadline);
        address from = ownerOf(twin);
        bytes32 message = TypedData.moving(TypedData.MOVE, twin, to, counter, deadline);
        _requireOwnOrSigned(from, message, ownerSignature);
        _requireOwnOrSigned(to, message, recipientSignature);
        _requireCounter(_states[twin], counter);
        _requireNotFrozen(twin, _states[twin]);
        _moveTo(twin, from, to);
    }

    /// @inheritdoc ITwinRegistry
    function announceRetirement(uint256 twin) external {
        _requireOwner(twin);
        _announceRetirement(twin);
    }

    /// @inheritdoc ITwinRegistry
    function announceRetirementSigned(uint256 twin, uint32 counter, uint40 deadline, bytes calldata signature)
        external
    {
        _requireRetirementSigned(TypedData.ANNOUNCE_RETIREMENT, twin, counter, deadline, signature);
        _announceRetirement(twin);
    }

    /// @inheritdoc ITwinRegistry
    function cancelRetirement(uint256 twin) external {
        _requireOwner(twin);
        _requireNotFrozen(twin, _states[twin]);
        _cancelRetirement(twin);
    }

    /// @inheritdoc ITwinRegistry
    function cancelRetirementSigned(uint256 twin, uint32 counter, uint40 deadline, bytes calldata signature) external {
        _requireRetirementSigned(TypedData.CANCEL_RETIREMENT, twin, counter, deadline, signature);
        _requireNotFrozen(twin, _states[twin]);
        _cancelRetirement(twin);
    }

    /// @inheritdoc IERC5192
    function locked(uint256 twin) external view returns (bool) {
        _requireOwned(twin);
        return true;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 id) public view override returns (bool) {
        return id == type(IERC5192).interfaceId || super.supportsInterface(id);
    }

    /// @notice Always refused, as are both `safeTransferFrom`.
    function transferFrom(address, address, uint256) public pure override {
        revert TwinRegistry_Locked();
    }

    /// @notice Always refused.
    function approve(address, uint256) public pure override {
        revert TwinRegistry_Locked();
    }

    /// @notice Always refused.
    function setApprovalForAll(address, bool) public pure override {
        revert TwinRegistry_Locked();
    }

    function _setCard(uint256 twin, address owner, bytes32 previous, Card calldata card, bytes32 cardHash) private {
        bytes32 present = _cards[twin];
        if (previous != present) revert TwinRegistry_StaleCard(previous, present);
        _requireNotRetired(twin, _states[twin]);
        _requireNotFrozen(twin, _states[twin]);
        _cards[twin] = TypedData.chain(previous, cardHash);
        emit CardSet(twin, owner, previous, card);
    }

    function _announceRetirement(uint256 twin) private {
        State storage state = _states[twin];
        _requireNoRetirement(twin, state);
        _requireNotFrozen(twin, state);
        uint40 retireAt = _now() + RETIRE_DELAY;
        uint32 counter = ++state.counter;
        state.retireAt = retireAt;
        emit RetirementAnnounced(twin, retireAt, counter);
    }

    function _requireRetirementSigned(
        bytes32 kind,
        uint256 twin,
        uint32 counter,
        uint40 deadline,
        bytes calldata signature
    ) private view {
        _requireInTime(deadline);
        _requireSigned(ownerOf(twin), TypedData.counted(kind, twin, counter, deadline), signature);
        _requireCounter(_states[twin], counter);
    }
}
