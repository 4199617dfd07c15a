// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {TypedDomain} from "./base/TypedDomain.sol";
import {IERC5192} from "./interfaces/IERC5192.sol";
import {Card, ITwinRegistry} from "./interfaces/ITwinRegistry.sol";
import {TypedData} from "./libraries/TypedData.sol";

/// @title TwinRegistry
/// @notice Who owns which twin: a non-transferable ERC-721 token (ERC-5192, always locked), its card, its move, its end.
///
/// STATES. A twin is minted once, with a number from 1 on. It is live, or its retirement is announced, or it is retired:
/// that is the announcement's delay passing, and no call. An announced twin counts as retired for every reader and does
/// not move; its owner may cancel. A retired twin never changes again. Without a card nothing is to be sealed to a twin;
/// a move clears it.
///
/// AUTHORITY. Minting takes the patient's signature and is paid for by a minter, who can do nothing else to the twin.
/// Everything else is the owner's: card and retirement by its message, a move by its and the recipient's. A twin
/// never returns to a former owner, so a key that was replaced because it leaked is worth nothing again.
///
/// TIME. A signed call names what it replaces: the patient's number of twins, the digest of the card, the counter that
/// each move, announcement and cancellation raises. The card's digest is chained, so it never takes a value twice.
///
/// PRIVACY. The card holds digests of sealed or public-key blocks; only its own digest is stored, the rest is in events.
///
/// Invariants: exactly one owner a twin, from the mint on. Counters and the number of twins only rise. No twin is ever
/// transferred or approved by the calls of ERC-721. What a retired twin's views answer stays the same for ever.
contract TwinRegistry is ITwinRegistry, IERC5192, ERC721, TypedDomain, AccessManaged {
    /// @dev One slot: when the announced retirement is final, and the counter that signed calls name.
    struct State {
        uint40 retireAt;
        uint32 counter;
    }

    /// @inheritdoc ITwinRegistry
    uint40 public immutable RETIRE_DELAY;

    /// @notice How many twins there are; the newest has this number.
    uint256 public twinCount;

    mapping(uint256 twin => bytes32) private _cards;
    mapping(uint256 twin => State) private _states;
    mapping(uint256 twin => mapping(address key => bool)) private _former;

    constructor(address authority, bytes32 genesis, uint40 retireDelay)
        ERC721("dtledger twin", "TWIN")
        TypedDomain(genesis)
        AccessManaged(authority)
    {
        RETIRE_DELAY = retireDelay;
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
        bytes32 message = TypedData.move(twin, to, counter, deadline);
        _requireOwnOrSigned(from, message, ownerSignature);
        _requireOwnOrSigned(to, message, recipientSignature);

        State storage state = _states[twin];
        _requireCounter(state, counter);
        if (state.retireAt != 0) revert TwinRegistry_RetirementAnnounced(twin, state.retireAt);
        _former[twin][from] = true;
        if (_former[twin][to]) revert TwinRegistry_FormerOwner(twin, to);

        delete _cards[twin];
        state.counter = counter + 1;
        _update(to, twin, address(0));
        emit Moved(twin, from, to, counter + 1);
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
        _cancelRetirement(twin);
    }

    /// @inheritdoc ITwinRegistry
    function cancelRetirementSigned(uint256 twin, uint32 counter, uint40 deadline, bytes calldata signature) external {
        _requireRetirementSigned(TypedData.CANCEL_RETIREMENT, twin, counter, deadline, signature);
        _cancelRetirement(twin);
    }

    /// @inheritdoc ITwinRegistry
    function cardOf(uint256 twin) external view returns (bytes32) {
        return _cards[twin];
    }

    /// @inheritdoc ITwinRegistry
    function stateOf(uint256 twin) external view returns (uint40 retireAt, uint32 counter) {
        State memory state = _states[twin];
        return (state.retireAt, state.counter);
    }

    /// @inheritdoc ITwinRegistry
    function ownerOf(uint256 twin) public view override(ITwinRegistry, ERC721) returns (address) {
        return super.ownerOf(twin);
    }

    /// @inheritdoc ITwinRegistry
    function ownerOrZero(uint256 twin) external view returns (address) {
        return _ownerOf(twin);
    }

    /// @inheritdoc ITwinRegistry
    function wasOwner(uint256 twin, address key) external view returns (bool) {
        return _former[twin][key];
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
        _requireNotRetired(twin, _states[twin].retireAt);
        _cards[twin] = TypedData.chain(previous, cardHash);
        emit CardSet(twin, owner, previous, card);
    }

    function _announceRetirement(uint256 twin) private {
        State storage state = _states[twin];
        if (state.retireAt != 0) revert TwinRegistry_RetirementAnnounced(twin, state.retireAt);
        // forge-lint: disable-next-line(unsafe-typecast) 40 bits of seconds last for 34,000 years
        uint40 retireAt = uint40(block.timestamp) + RETIRE_DELAY;
        uint32 counter = ++state.counter;
        state.retireAt = retireAt;
        emit RetirementAnnounced(twin, retireAt, counter);
    }

    function _cancelRetirement(uint256 twin) private {
        State storage state = _states[twin];
        if (state.retireAt == 0) revert TwinRegistry_RetirementNotAnnounced(twin);
        _requireNotRetired(twin, state.retireAt);
        state.retireAt = 0;
        emit RetirementCancelled(twin, ++state.counter);
    }

    function _requireRetirementSigned(
        bytes32 kind,
        uint256 twin,
        uint32 counter,
        uint40 deadline,
        bytes calldata signature
    ) private view {
        _requireInTime(deadline);
        _requireSigned(ownerOf(twin), TypedData.retirement(kind, twin, counter, deadline), signature);
        _requireCounter(_states[twin], counter);
    }

    function _requireOwner(uint256 twin) private view returns (address owner) {
        owner = ownerOf(twin);
        if (msg.sender != owner) revert TwinRegistry_NotOwner(twin, msg.sender);
    }

    function _requireCounter(State storage state, uint32 counter) private view {
        if (counter != state.counter) revert TwinRegistry_StaleCounter(counter, state.counter);
    }

    function _requireNotRetired(uint256 twin, uint40 retireAt) private view {
        if (retireAt != 0 && block.timestamp >= retireAt) revert TwinRegistry_Retired(twin, retireAt);
    }
}
