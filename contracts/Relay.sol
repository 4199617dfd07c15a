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
/// it or the transaction fails as a whole, so whoever sends that with too little cannot make one call look refused.
/// Calls go to this deployment's contracts alone, whose errors are short: no target's answer uses up the others' gas.
///
/// Invariant: whatever is carried with it and before it, a call has the effect and the reason that it would have alone.
contract Relay is IRelay {
    address public immutable MEMBERS;
    address public immutable TWINS;
    address public immutable CONSENTS;

    constructor(address members, address twins, address consents) {
        MEMBERS = members;
        TWINS = twins;
        CONSENTS = consents;
    }

    /// @inheritdoc IRelay
    function carry(Carried[] calldata calls) external returns (Outcome[] memory outcomes) {
        outcomes = new Outcome[](calls.length);
        for (uint256 i = 0; i < calls.length; ++i) {
            outcomes[i] = _carry(i, calls[i]);
        }
    }

    function _carry(uint256 place, Carried calldata it) private returns (Outcome memory) {
        if (it.target != CONSENTS && it.target != TWINS && it.target != MEMBERS) revert Relay_UnknownTarget(it.target);
        uint256 before = gasleft();
        (bool landed, bytes memory reason) = it.target.call{gas: it.gas}(it.data);
        uint256 left = gasleft();
        if (landed) return Outcome(true, before - left, "");
        // A call is given 63/64 of what is left at most (EIP-150). Had that been less than its own, there would be less
        // than 1/63 of its own left now.
        if (left < it.gas / 63) revert Relay_TooLittleGas(place);
        emit Refused(place, reason);
        return Outcome(false, before - left, reason);
    }
}
