"""ABIs and bytecode, from forge's build to the files that the wheel carries."""

from __future__ import annotations

import json
from pathlib import Path

CONTRACTS = ("AccessManager", "MemberRegistry", "TwinRegistry", "ConsentRegistry", "SnapshotLedger")


def render(root: Path) -> dict[Path, str]:
    """Path → text of each artifact. `forge build` must have run."""
    rendered = {}
    for name in CONTRACTS:
        built = json.loads((root / "out" / f"{name}.sol" / f"{name}.json").read_text())
        artifact = {
            "abi": built["abi"],
            "bytecode": built["bytecode"]["object"],
            "deployedBytecode": built["deployedBytecode"]["object"],
            "immutableReferences": built["deployedBytecode"].get("immutableReferences", {}),
        }
        rendered[root / "dtledger" / "_artifacts" / f"{name}.json"] = json.dumps(artifact, indent=1) + "\n"
    return rendered
