// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

// The authority is OpenZeppelin's AccessManager as it stands; this import makes it part of the build.
// forge-lint: disable-next-line(unused-import)
import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";

/// @title Role
/// @notice The roles of the AccessManager that governs enrolment, kinds, suspension, reinstatement and minting, and
/// nothing else.
///
/// AUTHORITY. `check` permits only if the owner made the grant that it names; the registry can take away and give back,
/// never add. No role, and no set of roles, can write a grant, a card, a block or an anchor of anyone else.
///
/// TIME. ADMIN and STEWARD act after an execution delay, under an event at its beginning. The others act at once.
library Role {
    uint64 internal constant ADMIN = 0; // changes roles; delayed
    uint64 internal constant REGISTRAR = 1; // enrol, setKinds
    uint64 internal constant STEWARD = 2; // addGuardedKinds, reinstate; delayed
    uint64 internal constant SUSPENDER = 3; // suspend
    uint64 internal constant MINTER = 4; // mint
}
