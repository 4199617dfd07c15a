"""The table of a twin's states in docs/states.md names every call that changes one, and only errors and events that
there are. That the calls do what it says is tests/contracts/invariants/Guardians.t.sol's to show."""

from __future__ import annotations

import re
from pathlib import Path

from dtledger._backend.artifacts import artifact

PAGE = Path(__file__).resolve().parents[1] / "docs" / "states.md"
ABI = artifact("TwinRegistry").abi
OF_ERC_721 = {"approve", "safeTransferFrom", "setApprovalForAll", "setAuthority", "transferFrom"}
"""Always refused, or AccessManager's own."""

OF_FORM = {
    "InvalidDelay",
    "Locked",
    "NotAscending",
    "NotGuardian",
    "NotOwner",
    "StaleCard",
    "StaleCount",
    "StaleCounter",
    "TooFewGuardians",
    "WrongGuardians",
}
"""Errors of who calls and what the call says, whatever the state."""


def rows() -> list[list[str]]:
    section = PAGE.read_text().partition("## A twin\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def words(column: int) -> set[str]:
    return {word for row in rows() for word in re.findall(r"`(\w+)`", row[column])}


def declared(kind: str) -> set[str]:
    return {each["name"] for each in ABI if each["type"] == kind}


def test_every_call_that_changes_a_state_has_its_row() -> None:
    writing = {
        each["name"].removesuffix("Signed")
        for each in ABI
        if each["type"] == "function" and each["stateMutability"] not in ("view", "pure")
    }

    assert words(0) == writing - OF_ERC_721


def test_every_refusal_for_a_state_is_named_and_every_event() -> None:
    ours = {name.removeprefix("TwinRegistry_") for name in declared("error") if name.startswith("TwinRegistry_")}
    assert words(2) == ours - OF_FORM
    assert words(4) <= declared("event")
