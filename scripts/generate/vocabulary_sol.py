"""`contracts/types/Vocabulary.sol`, written from `dtledger.vocabulary`: one table of words for both languages.

>>> "enum Reason" in render()
True

Run as a script it writes the file; with `--check` it says whether the file is what it would write.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from enum import IntEnum
from pathlib import Path
from typing import Protocol

from dtledger.vocabulary import Action, Cause, Finding, Kind, Purpose, Reason
from dtledger.vocabulary.rights import GUARDED_KINDS

TARGET = Path(__file__).resolve().parents[2] / "contracts" / "types" / "Vocabulary.sol"

HEADER = """\
// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

// Written by scripts/generate/vocabulary_sol.py from dtledger/vocabulary. Change the words there, not here.
"""


class _Word(Protocol):
    """A member of one of the vocabulary's enums."""

    @property
    def name(self) -> str: ...
    @property
    def value(self) -> int: ...
    @property
    def text(self) -> str: ...


def render() -> str:
    """The whole file."""
    known_kinds = sum(kind.mask for kind in Kind)
    known_actions = sum(action.mask for action in Action)
    parts = [
        HEADER,
        _reasons(),
        _numbers(
            "Purpose",
            "What data is opened for (HL7 v3 PurposeOfUse). Bit n of a grant's `purposes` stands for number n.",
            Purpose,
            "uint8",
        ),
        _numbers(
            "Action",
            "What a grant lets its grantee do. Bit n of a grant's `actions` stands for number n.",
            Action,
            "uint8",
            [("KNOWN_BITS", known_actions, "the mask of all of them")],
        ),
        _numbers(
            "Kind",
            "What a member is. Bit n of a member's `kinds` stands for number n.",
            Kind,
            "uint16",
            [
                ("KNOWN_BITS", known_kinds, "the mask of all of them"),
                ("GUARDED_BITS", GUARDED_KINDS, "the mask of those that a registrar cannot give"),
            ],
        ),
        _numbers(
            "Cause",
            "Why an emergency is opened (HL7 v3 ActConsentInformationAccessOverrideReason).",
            Cause,
            "uint8",
            [("LAST", max(Cause), "the last of them")],
        ),
        _numbers(
            "Finding",
            "What a reviewer found of an opening.",
            Finding,
            "uint8",
            [("LAST", max(Finding), "the last of them")],
        ),
    ]
    return "\n".join(parts)


def _reasons() -> str:
    reasons = [reason for reason in Reason if reason.is_of_the_rule]
    if [reason.value for reason in reasons] != list(range(len(reasons))):
        raise ValueError("reasons must be numbered from 0 without a gap, as a Solidity enum is")
    last = len(reasons) - 1
    lines = [
        "/// @notice Why the rule permits or refuses, in the order in which it asks: the first that applies answers.",
        "enum Reason {",
    ]
    for reason in reasons:
        comma = "," if reason.value < last else ""
        lines.append(f"    {reason.name}{comma} // {reason.value}: {reason.text}")
    return "\n".join([*lines, "}", ""])


def _numbers(
    name: str,
    notice: str,
    words: type[IntEnum],
    width: str,
    masks: Iterable[tuple[str, int, str]] = (),
) -> str:
    lines = [f"/// @notice {notice}", f"library {name} {{"]
    members: Iterable[_Word] = words
    for word in members:
        lines.append(f"    uint8 internal constant {word.name} = {word.value}; // {word.text}")
    for label, mask, text in masks:
        lines.append(f"    {width} internal constant {label} = {mask:#x}; // {text}")
    return "\n".join([*lines, "}", ""])


def main(arguments: list[str]) -> int:
    """Write the file, or with `--check` compare it; 1 if it differs."""
    if "--check" in arguments:
        same = TARGET.is_file() and TARGET.read_text(encoding="utf-8") == render()
        if not same:
            sys.stderr.write(f"{TARGET.name} is not what the vocabulary says: run scripts/generate/vocabulary_sol.py\n")
        return 0 if same else 1
    TARGET.write_text(render(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
