"""ABIs and bytecode, from forge's build to the files that the wheel carries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CONTRACTS = (
    "AccessManager",
    "MemberRegistry",
    "TwinRegistry",
    "ConsentRegistry",
    "SnapshotLedger",
    "ReceiptLedger",
    "ModelLedger",
)


def render(root: Path) -> dict[Path, str]:
    """Path → text of each artifact. `forge build` must have run."""
    rendered = {}
    for name in CONTRACTS:
        built = json.loads((root / "out" / f"{name}.sol" / f"{name}.json").read_text())
        artifact = {
            "abi": built["abi"],
            "bytecode": built["bytecode"]["object"],
            "deployedBytecode": built["deployedBytecode"]["object"],
            "immutableReferences": _numbered(built["deployedBytecode"].get("immutableReferences", {})),
        }
        rendered[root / "dtledger" / "_artifacts" / f"{name}.json"] = json.dumps(artifact, indent=1) + "\n"
    return rendered


def _numbered(references: dict[str, Any]) -> dict[str, Any]:
    """The compiler's ids of the immutables depend on which other files it compiled in the same go: numbers instead, in
    the order of their first places."""
    in_order = sorted(references.values(), key=lambda places: min(place["start"] for place in places))
    return {str(number): places for number, places in enumerate(in_order)}
