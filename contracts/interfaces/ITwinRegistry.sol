// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IGuardedTwins} from "./IGuardedTwins.sol";

/// @notice What an owner sets for a twin: digests of blocks, each with its version (EIP-712 type of the same name).
/// @param key The owner's public encryption key.
/// @param roster The custodians and their keys for this twin.
/// @param bits Merkle root of the commitments to what each category bit means.
/// @param custodyIndex The owner's custody index.
/// @param recovery The recovery package.
struct Card {
    bytes32 key;
    bytes32 roster;
    bytes32 bits;
    bytes32 custodyIndex;
    bytes32 recovery;
    uint32 keyVersion;
    uint32 rosterVersion;
    uint32 custodyIndexVersion;
    uint32 recoveryVersion;
}

/// @title ITwinRegistry
/// @notice Who owns which twin: a non-transferable token, its card, its move and its end.
interface ITwinRegistry is IGuardedTwins {
    event CardSet(uint256 indexed twin, address indexed owner, bytes32 previous, Card card);
    event RetirementAnnounced(uint256 indexed twin, uint40 retireAt, uint32 counter);
    event RetirementCancelled(uint256 indexed twin, uint32 counter);
    event Moved(uint256 indexed twin, address indexed from, address indexed to, uint32 counter);
    event Departed(uint256 indexed twin, address indexed successor, uint32 counter);
    event Arrived(
        uint256 indexed twin,
        address indexed owner,
        bytes32 guardians,
        uint32 recoveryDelay,
        uint40 frozenAt,
        uint32 counter
    );

    /// @notice A twin is not transferred or approved: its owner moves it, with both keys.
    error TwinRegistry_Locked();
    error TwinRegistry_NotOwner(uint256 twin, address caller);
    error TwinRegistry_StaleCount(uint256 named, uint256 present);
    error TwinRegistry_StaleCard(bytes32 named, bytes32 present);
    error TwinRegistry_StaleCounter(uint32 named, uint32 present);
    error TwinRegistry_FormerOwner(uint256 twin, address to);
    error TwinRegistry_RetirementAnnounced(uint256 twin, uint40 retireAt);
    error TwinRegistry_RetirementNotAnnounced(uint256 twin);
    error TwinRegistry_Retired(uint256 twin, uint40 retireAt);
    /// @notice No predecessor gives a twin that number.
    error TwinRegistry_NotBefore(uint256 twin);
    /// @notice The twin's owner did not sign in the predecessor that it leaves for the caller.
    error TwinRegistry_NotSuccessor(uint256 twin, address caller);
    /// @notice The numbers of this deployment are used up.
    error TwinRegistry_NumbersSpent();

    /// @notice Mint a patient's twin. Restricted to minters, who pay and can do nothing else to it.
    /// @param count The number of twins that the patient owns now.
    /// @param signature The patient's (EIP-712 type `Mint`).
    function mint(address patient, uint256 count, uint40 deadline, bytes calldata signature)
        external
        returns (uint256 twin);

    /// @notice As the owner, replace the twin's card.
    /// @param previous What `cardOf` answers now.
    function setCard(uint256 twin, bytes32 previous, Card calldata card) external;

    /// @notice `setCard`, signed by the owner (EIP-712 type `SetCard`).
    function setCardSigned(
        uint256 twin,
        bytes32 previous,
        Card calldata card,
        uint40 deadline,
        bytes calldata signature
    ) external;

    /// @notice Move the twin to another key of its owner, or to a new owner, unless it is frozen. Card and guardians are
    /// cleared. Anyone may carry it.
    /// @param counter The twin's present counter.
    /// @param ownerSignature The owner's (EIP-712 type `Move`); may be empty if the owner is the caller.
    /// @param recipientSignature The recipient's over the same; may be empty if the recipient is the caller.
    function move(
        uint256 twin,
        address to,
        uint32 counter,
        uint40 deadline,
        bytes calldata ownerSignature,
        bytes calldata recipientSignature
    ) external;

    /// @notice As the owner, announce that the twin retires after the delay. It counts as retired from now on.
    function announceRetirement(uint256 twin) external;

    /// @notice `announceRetirement`, signed by the owner (EIP-712 type `AnnounceRetirement`).
    function announceRetirementSigned(uint256 twin, uint32 counter, uint40 deadline, bytes calldata signature) external;

    /// @notice As the owner, cancel the retirement while it is not final.
    function cancelRetirement(uint256 twin) external;

    /// @notice `cancelRetirement`, signed by the owner (EIP-712 type `CancelRetirement`).
    function cancelRetirementSigned(uint256 twin, uint32 counter, uint40 deadline, bytes calldata signature) external;

    /// @notice Let the twin go to the deployment of which the caller is the ConsentRegistry. From then on it is retired
    /// here, and nothing of it changes again.
    /// @param grants EIP-712's hash of the grants that go with it.
    /// @param counter The twin's present counter.
    /// @param signature The owner's (EIP-712 type `Depart`, with the caller as successor).
    function depart(uint256 twin, bytes32 grants, uint32 counter, uint40 deadline, bytes calldata signature) external;

    /// @notice As the contract that the twin left its predecessor for, bring it here under its number, with its owner,
    /// card and guardians. The card's content is told by the predecessor's events alone.
    function arrive(uint256 twin) external returns (address owner);

    /// @notice The contract that the twin left for, or zero.
    function successorOf(uint256 twin) external view returns (address);

    /// @notice The twins of the deployment before; zero for a first one.
    function PREDECESSOR() external view returns (ITwinRegistry);

    /// @notice The greatest number that a predecessor may give a twin; zero for a first deployment.
    function LAST_BEFORE() external view returns (uint256);

    /// @notice How many twins a deployment numbers at most.
    function NUMBERS() external view returns (uint256);

    /// @notice The chained digest of the twin's card and all before it under this owner; zero without a card.
    /// It is keccak256(previous ‖ EIP-712 hash of the card), so it never takes an earlier value again.
    function cardOf(uint256 twin) external view returns (bytes32);

    /// @notice When an announced retirement becomes final (zero if none is announced), and the counter: how often
    /// anything but the card was changed so far.
    function stateOf(uint256 twin) external view returns (uint40 retireAt, uint32 counter);

    /// @notice The twin's owner; reverts if there is no such twin.
    function ownerOf(uint256 twin) external view returns (address);

    /// @notice The twin's owner, or zero if there is no such twin.
    function ownerOrZero(uint256 twin) external view returns (address);

    /// @notice True if the key owned the twin once and does no more: it never will again.
    function wasOwner(uint256 twin, address key) external view returns (bool);

    /// @notice Seconds between the announcement of a retirement and its end.
    function RETIRE_DELAY() external view returns (uint40);
}
