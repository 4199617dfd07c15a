// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {ITypedDomain} from "../interfaces/ITypedDomain.sol";
import {TypedData} from "../libraries/TypedData.sol";

/// @title TypedDomain
/// @notice The EIP-712 domain of a contract and the two questions asked of every signed call.
///
/// STATES. None: the domain is fixed at construction. Its salt is the chain's genesis hash, so that a signature for one
/// chain is worth nothing on another with the same chain id. The separator follows the chain id, should it change.
///
/// AUTHORITY. A message counts if its signer signed it: by ECDSA, or by ERC-1271 if the signer is a contract. No nonce
/// is stored; each message names the present value of what it changes, so it can be used once at most.
///
/// TIME. A message lives until its deadline, which is at most `MESSAGE_LIFE` ahead when it is used. What several sign one
/// after another may have longer.
abstract contract TypedDomain is ITypedDomain {
    string private constant NAME = "dtledger";
    string private constant VERSION = "1";

    /// @notice The longest that a signed message may have to live, in seconds.
    uint256 public constant MESSAGE_LIFE = 1 hours;

    bytes32 private immutable GENESIS;
    uint256 private immutable FIRST_CHAIN_ID;
    bytes32 private immutable FIRST_SEPARATOR;

    constructor(bytes32 genesis) {
        GENESIS = genesis;
        FIRST_CHAIN_ID = block.chainid;
        FIRST_SEPARATOR = _separator(genesis);
    }

    /// @inheritdoc ITypedDomain
    function domainSeparator() public view returns (bytes32) {
        return block.chainid == FIRST_CHAIN_ID ? FIRST_SEPARATOR : _separator(GENESIS);
    }

    /// @notice The domain as ERC-5267 describes it: all five fields, no extension.
    function eip712Domain()
        external
        view
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        )
    {
        return (hex"1f", NAME, VERSION, block.chainid, address(this), GENESIS, new uint256[](0));
    }

    /// @dev Refuses a message that is past its deadline, or whose deadline is too far ahead.
    function _requireInTime(uint40 deadline) internal view {
        _requireWithin(deadline, MESSAGE_LIFE);
    }

    /// @dev As `_requireInTime`, of a message that may live another while.
    function _requireWithin(uint40 deadline, uint256 life) internal view {
        if (block.timestamp > deadline) revert TypedDomain_DeadlinePassed(deadline);
        if (deadline > block.timestamp + life) revert TypedDomain_DeadlineTooFar(deadline);
    }

    /// @dev Refuses a message that `signer` did not sign.
    function _requireSigned(address signer, bytes32 structHash, bytes calldata signature) internal view {
        bytes32 digest = MessageHashUtils.toTypedDataHash(domainSeparator(), structHash);
        if (!SignatureChecker.isValidSignatureNowCalldata(signer, digest, signature)) {
            revert TypedDomain_WrongSignature(signer);
        }
    }

    /// @dev As `_requireSigned`, but the caller's own message needs no signature: the transaction is one.
    function _requireOwnOrSigned(address signer, bytes32 structHash, bytes calldata signature) internal view {
        if (msg.sender != signer) _requireSigned(signer, structHash, signature);
    }

    function _separator(bytes32 genesis) private view returns (bytes32) {
        return keccak256(
            abi.encode(
                TypedData.DOMAIN,
                keccak256(bytes(NAME)),
                keccak256(bytes(VERSION)),
                block.chainid,
                address(this),
                genesis
            )
        );
    }
}
