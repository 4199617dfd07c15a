// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ConsentRegistry} from "../../../contracts/ConsentRegistry.sol";
import {IConsentRegistry, Regrant, Request} from "../../../contracts/interfaces/IConsentRegistry.sol";
import {IMemberRegistry, Member} from "../../../contracts/interfaces/IMemberRegistry.sol";
import {ITwinRegistry} from "../../../contracts/interfaces/ITwinRegistry.sol";
import {Grant} from "../../../contracts/types/Grant.sol";
import {Reason} from "../../../contracts/types/Vocabulary.sol";
import {vm} from "../support/Vm.sol";

/// @notice Stands in for both registries: one owner of every twin, every account an enrolled member of every kind.
contract Everything {
    address private immutable OWNER;

    constructor(address owner) {
        OWNER = owner;
    }

    function ownerOrZero(uint256) external view returns (address) {
        return OWNER;
    }

    function ownerOf(uint256) external view returns (address) {
        return OWNER;
    }

    function stateOf(uint256) external pure returns (uint40, uint32) {
        return (0, 0);
    }

    function freezeOf(uint256) external pure returns (uint40, uint40) {
        return (0, 0);
    }

    function memberOf(address) external pure returns (Member memory member) {
        (member.kinds, member.version) = (type(uint16).max, 1);
    }
}

/// @notice The registry itself, from any word in a slot: what a revocation, a block and a revocation of everything do to
/// what `check` answers, whoever asks for what. Halmos runs what begins with `check`: scripts/test --halmos.
contract ConsentProofs {
    address private constant OWNER = address(0xA11CE);

    ConsentRegistry private _consents;

    function setUp() external {
        address registries = address(new Everything(OWNER));
        _consents = new ConsentRegistry(
            "genesis",
            ITwinRegistry(registries),
            IMemberRegistry(registries),
            4 hours,
            72 hours,
            IConsentRegistry(address(0))
        );
    }

    function check_a_revoked_grant_never_permits(
        Grant terms,
        bool byGrantee,
        Request calldata request,
        uint40 earliest,
        uint40 latest
    ) external {
        _granted(terms, request);
        vm.prank(byGrantee ? request.grantee : OWNER);
        _consents.revoke(OWNER, request.twin, request.grantee, request.number);
        _refused(request, earliest, latest);
    }

    function check_a_revocation_of_everything_ends_each(
        Grant terms,
        Request calldata request,
        uint40 earliest,
        uint40 latest
    ) external {
        _granted(terms, request);
        vm.prank(OWNER);
        _consents.revokeAll(request.twin, new Regrant[](0));
        _refused(request, earliest, latest);
    }

    function check_a_block_beats_every_grant(Grant terms, Request calldata request, uint40 earliest, uint40 latest)
        external
    {
        _granted(terms, request);
        vm.prank(OWNER);
        _consents.blockGrantee(request.twin, request.grantee);
        _refused(request, earliest, latest);
    }

    /// @dev Whatever somebody else writes into a slot of its own, the owner's stays as it is.
    function check_nobody_else_writes_what_is_read(
        address other,
        Grant terms,
        Request calldata request,
        uint40 earliest,
        uint40 latest
    ) external {
        vm.assume(other != OWNER);
        vm.prank(other);
        _consents.grant(request.twin, request.grantee, request.number, terms, "package");
        _refused(request, earliest, latest);
    }

    function _granted(Grant terms, Request calldata request) private {
        vm.prank(OWNER);
        _consents.grant(request.twin, request.grantee, request.number, terms, "package");
    }

    function _refused(Request calldata request, uint40 earliest, uint40 latest) private view {
        assert(_consents.check(request, earliest, latest) != Reason.PERMITTED);
    }
}
