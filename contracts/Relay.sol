// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Carried, IRelay, Outcome} from "./interfaces/IRelay.sol";

/// @title Relay
/// @notice Carries signed calls of many people in one transaction.
///
/// STATES. None: it keeps nothing, holds nothing and takes no value.
///
/// AUTHORITY. Anyone may have anything carried. The contracts see this one as the caller, and what a caller alone may do
/// is nothing here: it is no member and owns no twin, so that what it makes happen is what a message's signer signed.
/// Whoever gives it something by their own signature, a twin or a grant, gives that to everybody.
///
/// TIME. That of the contracts it calls.
///
/// PRIVACY. Which messages came together, and through whom.
///
/// LIVENESS. A call that is refused, or takes all the gas that it may, stops no other. It has the gas that was named for
/// it or the transaction fails as a whole, so what is carried before it takes nothing of that. Whoever sends the
/// transaction names the gas: too little makes a true call look refused, and `Refused` proves nothing of its signer's.
/// Calls go to this deployment's contracts alone, whose errors are short: no target's answer uses up the others' gas.
///
/// Invariant: wherever it is carried, a call has the effect and the reason that it would have alone, on the state that
/// the calls before it left, with the gas that was named for it.
contract Relay is IRelay {
    /// @dev What may be taken before the call has its own: 2,600 where its target is cold; beside this a gas for each byte,
    /// which is brought into memory.
    uint256 private constant _OWN_GAS = 5_000;

    address public immutable MEMBERS;
    address public immutable TWINS;
    address public immutable CONSENTS;
    address public immutable SNAPSHOTS;

    constructor(address members, address twins, address consents, address snapshots) {
        MEMBERS = members;
        TWINS = twins;
        CONSENTS = consents;
        SNAPSHOTS = snapshots;
    }

    /// @inheritdoc IRelay
    function carry(Carried[] calldata calls) external returns (Outcome[] memory outcomes) {
        outcomes = new Outcome[](calls.length);
        for (uint256 i = 0; i < calls.length; ++i) {
            outcomes[i] = _carry(i, calls[i]);
        }
    }

    function _carry(uint256 place, Carried calldata it) private returns (Outcome memory) {
        if (it.target != CONSENTS && it.target != TWINS && it.target != MEMBERS && it.target != SNAPSHOTS) {
            revert Relay_UnknownTarget(it.target);
        }
        uint256 before = gasleft();
        // Of what is left a call is given 63/64 at most (EIP-150), and less would not show: it may fail early for want
        // of gas, with a reason that looks like any other.
        if (before < (it.gas + _OWN_GAS + it.data.length) * 64 / 63) revert Relay_TooLittleGas(place);
        (bool landed, bytes memory reason) = it.target.call{gas: it.gas}(it.data);
        uint256 left = gasleft();
        if (landed) return Outcome(true, before - left, "");
        emit Refused(place, reason);
        return Outcome(false, before - left, reason);
    }
}
