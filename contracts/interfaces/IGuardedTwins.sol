// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice What an owner's digest of guardians opens to (EIP-712 hash of the type of the same name).
/// @param needed How many of them act together.
/// @param addresses All of them, in ascending order.
/// @param salt Random, so that nobody finds out who they are by guessing.
struct Guardians {
    uint8 needed;
    address[] addresses;
    bytes32 salt;
}

/// @notice One guardian's signature over what several do together.
struct GuardianSignature {
    address guardian;
    bytes signature;
}

/// @title IGuardedTwins
/// @notice What an owner's guardians can do to a twin, together: freeze it, and bring it to another key.
///
/// Each of their calls carries the opening of the owner's digest and signatures of at least as many as it says, in
/// ascending order of their addresses, over one message that names the twin's counter.
interface IGuardedTwins {
    /// @notice The owner chose its guardians anew. What the former ones announced ends.
    event GuardiansSet(
        uint256 indexed twin, address indexed owner, bytes32 guardians, uint32 recoveryDelay, uint32 counter
    );
    /// @param retireAt When an announced retirement becomes final, put off to the end of the freeze; zero if none is.
    event Frozen(uint256 indexed twin, uint40 frozenUntil, uint40 retireAt, uint32 counter);
    event Unfrozen(uint256 indexed twin, uint32 counter);
    /// @param frozenUntil The end of the freeze: put off, if the move is binding.
    event MoveAnnounced(
        uint256 indexed twin, address indexed to, uint40 readyAt, bool binding, uint40 frozenUntil, uint32 counter
    );
    event MoveVetoed(uint256 indexed twin, uint32 counter);

    /// @notice A delay from 2 to 30 days, or zero if there are to be no guardians.
    error TwinRegistry_InvalidDelay(uint32 recoveryDelay);
    /// @notice These are not the guardians that the owner chose.
    error TwinRegistry_WrongGuardians(bytes32 opened, bytes32 present);
    /// @notice Signatures come in ascending order of their guardians, so nobody's counts twice.
    error TwinRegistry_NotAscending(address guardian);
    error TwinRegistry_NotGuardian(uint256 twin, address signer);
    error TwinRegistry_TooFewGuardians(uint256 signed, uint256 needed);
    error TwinRegistry_Frozen(uint256 twin, uint40 frozenUntil);
    error TwinRegistry_NotFrozen(uint256 twin);
    /// @notice Within a year of the former, only all guardians together freeze a twin again.
    error TwinRegistry_FrozenBefore(uint256 twin, uint40 frozenAt);
    error TwinRegistry_MoveNotAnnounced(uint256 twin);
    error TwinRegistry_MoveNotReady(uint256 twin, uint40 readyAt);
    /// @notice All guardians announced the move while the twin was frozen: while it is, nobody vetoes it.
    error TwinRegistry_MoveBinding(uint256 twin, address to);

    /// @notice As the owner, choose guardians: the salted digest of who they are.
    /// @param guardians `hash(Guardians)`, or zero for none.
    /// @param recoveryDelay Seconds from the announcement of a move by them to its end.
    function setGuardians(uint256 twin, bytes32 guardians, uint32 recoveryDelay) external;

    /// @notice `setGuardians`, signed by the owner (EIP-712 type `SetGuardians`).
    function setGuardiansSigned(
        uint256 twin,
        bytes32 guardians,
        uint32 recoveryDelay,
        uint32 counter,
        uint40 deadline,
        bytes calldata signature
    ) external;

    /// @notice Guardians freeze the twin (type `Freeze`): nothing on it is permitted and its owner changes nothing.
    function freeze(
        uint256 twin,
        uint32 counter,
        uint40 deadline,
        Guardians calldata guardians,
        GuardianSignature[] calldata signatures
    ) external;

    /// @notice Guardians end a freeze (type `Unfreeze`).
    function unfreeze(
        uint256 twin,
        uint32 counter,
        uint40 deadline,
        Guardians calldata guardians,
        GuardianSignature[] calldata signatures
    ) external;

    /// @notice Guardians announce that the twin moves to another key (type `AnnounceMove`), in place of a move that they
    /// announced before. On a frozen twin and by all of them the move is *binding*: it cannot be vetoed, and the freeze
    /// lasts until 30 days after it is ready.
    /// @param recipientSignature The recipient's over the same; may be empty if the recipient is the caller.
    function announceMove(
        uint256 twin,
        address to,
        uint32 counter,
        uint40 deadline,
        Guardians calldata guardians,
        GuardianSignature[] calldata signatures,
        bytes calldata recipientSignature
    ) external;

    /// @notice Do what was announced, once its delay is over. Anyone may.
    function completeMove(uint256 twin) external;

    /// @notice As the owner, veto an announced move.
    function vetoMove(uint256 twin) external;

    /// @notice `vetoMove`, signed by the owner (EIP-712 type `VetoMove`).
    function vetoMoveSigned(uint256 twin, uint32 counter, uint40 deadline, bytes calldata signature) external;

    /// @notice Guardians cancel the retirement while it is not final (type `RescueTwin`), frozen or not.
    function rescueTwin(
        uint256 twin,
        uint32 counter,
        uint40 deadline,
        Guardians calldata guardians,
        GuardianSignature[] calldata signatures
    ) external;

    /// @notice The owner's digest of guardians (zero: none), and the delay of a move by them in seconds.
    function guardiansOf(uint256 twin) external view returns (bytes32 guardians, uint32 recoveryDelay);

    /// @notice When the newest freeze under this owner began (zero: never), and when it ends or ended; zero if guardians
    /// ended it.
    function freezeOf(uint256 twin) external view returns (uint40 frozenAt, uint40 frozenUntil);

    /// @notice The move that guardians announced, when it can be completed, and whether it is binding; zero for none.
    function moveOf(uint256 twin) external view returns (address to, uint40 readyAt, bool binding);
}
