"""Each error of the contracts has its class, which is told with that error's own arguments, and its test."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from web3.exceptions import ContractLogicError, Web3RPCError

from dtledger._backend.artifacts import Signature, artifact
from dtledger._backend.reverts import rejection_of
from dtledger.errors import LedgerRejection, UnreachableError
from dtledger.ledger import CONTRACTS
from dtledger.ledger.rejections import (
    REJECTIONS,
    InvalidTermsError,
    Rejection,
    RevertedError,
    rejection,
)

ERRORS: dict[str, Signature] = {each.name: each for name in CONTRACTS for each in artifact(name).errors.values()}

NOBODY_MEETS = {
    "AccessManagedInvalidAuthority": "only the AccessManager calls setAuthority, and no step of a deployment does",
    "AccessManagedRequiredDelay": "declared by OpenZeppelin, raised nowhere: a call that waits is NotScheduled",
    "AccessManagerBadConfirmation": "renouncing is the deployment's own last step",
    "AccessManagerInvalidInitialAdmin": "at construction alone",
    "AccessManagerLockedFunction": "of changes to the AccessManager's own functions",
    "AccessManagerLockedRole": "of changes to roles",
    "AccessManagerUnauthorizedAccount": "of changes to roles",
    "AccessManagerUnauthorizedConsume": "of a contract that poses as a managed one",
    "AddressEmptyCode": "of AccessManager.execute, which nothing here calls",
    "ERC721IncorrectOwner": "of transfers: a twin is Locked first",
    "ERC721InsufficientApproval": "of transfers: a twin is Locked first",
    "ERC721InvalidApprover": "of approvals: a twin is Locked first",
    "ERC721InvalidOperator": "of approvals: a twin is Locked first",
    "ERC721InvalidOwner": "of the zero address, whose signature mint refuses first",
    "ERC721InvalidReceiver": "of the zero address, whose signature mint and move refuse first",
    "ERC721InvalidSender": "of minting a number twice",
    "FailedCall": "of AccessManager.execute, which nothing here calls",
    "InsufficientBalance": "of AccessManager.execute, which nothing here calls",
    "SafeCastOverflowedUintDowncast": "of changes to roles",
}


def test_every_error_of_the_contracts_has_a_class_and_every_class_an_error() -> None:
    assert set(REJECTIONS) == set(ERRORS) - set(NOBODY_MEETS)
    assert set(NOBODY_MEETS) <= set(ERRORS)


def test_no_error_of_our_own_contracts_is_left_out() -> None:
    ours = {name for name in ERRORS if "_" in name}
    assert len(ours) > 30
    assert ours <= set(REJECTIONS)


@pytest.mark.parametrize("name", REJECTIONS)
def test_a_rejection_tells_the_arguments_of_its_error(name: str) -> None:
    values: dict[str, Any] = {
        argument: bytes(int(kind[5:] or 32)) if kind.startswith("bytes") else "0xAbc" if kind == "address" else 7
        for argument, kind in zip(ERRORS[name].names, ERRORS[name].types, strict=True)
    }
    found = rejection(name, values)
    assert isinstance(found, REJECTIONS[name])
    assert isinstance(found, LedgerRejection)
    assert found.evidence == values
    assert str(found).endswith((".", "`."))


def test_the_names_follow_the_contracts() -> None:
    for name, kind in REJECTIONS.items():
        assert issubclass(kind, Rejection)
        assert kind.solidity == name
        assert kind.__name__.endswith("Error")


def test_an_error_that_is_not_known_is_still_a_rejection() -> None:
    assert isinstance(rejection("Whatever", {"value": b"\1"}), RevertedError)
    assert "Whatever (value 0x01)" in str(rejection("Whatever", {"value": b"\1"}))


def test_each_rejection_is_met_by_a_test_on_both_ledgers() -> None:
    texts = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    met = set(re.findall(r"(?:refuses\(\s*|pytest\.raises\()(\w+)", texts))
    assert {kind.__name__ for kind in REJECTIONS.values()} - met == set()


@pytest.mark.parametrize("data", ["zzzzzzzz", "123456789", "{field}", "{field}" + "ff" * 32, "{field}" + "ff" * 5])
def test_a_revert_whose_data_are_none_is_a_revert_all_the_same(data: str) -> None:
    selectors = {each.name: key.hex() for key, each in artifact("ConsentRegistry").errors.items()}
    selector = selectors["ConsentRegistry_InvalidTerms"]
    assert type(rejection_of(ContractLogicError("reverted", data="0x" + data.format(field=selector)))) is RevertedError
    good = "0x" + selector + b"number".ljust(32, b"\0").hex()
    assert isinstance(rejection_of(ContractLogicError("reverted", data=good)), InvalidTermsError)


@pytest.mark.parametrize("error", ["text", None, {"data": 5}, []])
def test_an_error_of_any_form_is_one_of_ours(error: object) -> None:
    answer: Any = {"error": error}
    assert isinstance(rejection_of(Web3RPCError("no", rpc_response=answer)), UnreachableError)
