"""ABIs, bytecode and storage layouts, from forge's build to the files that the wheel carries."""

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
    "BlockMemory",
    "Relay",
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
            "storage": _layout(built["storageLayout"]),
        }
        rendered[root / "dtledger" / "_artifacts" / f"{name}.json"] = json.dumps(artifact, indent=1) + "\n"
    return rendered


def _layout(built: dict[str, Any]) -> dict[str, Any]:
    """Variable → its slot and, of a struct or of a mapping (of mappings) to one, each field's slot, offset and size in
    bytes. The compiler's ids of types are left out: they depend on what it compiled in the same go."""
    types = built["types"] or {}
    found = {}
    for each in built["storage"]:
        kind = types[each["type"]]
        while "value" in kind:
            kind = types[kind["value"]]
        fields = {
            member["label"]: [
                int(member["slot"]),
                member["offset"],
                int(types[member["type"]]["numberOfBytes"]),
            ]
            for member in kind.get("members", [])
        }
        found[each["label"]] = {"slot": int(each["slot"]), "fields": fields}
    return found


def _numbered(references: dict[str, Any]) -> dict[str, Any]:
    """The compiler's ids of the immutables depend on which other files it compiled in the same go: numbers instead, in
    the order of their first places."""
    in_order = sorted(references.values(), key=lambda places: min(place["start"] for place in places))
    return {str(number): places for number, places in enumerate(in_order)}
