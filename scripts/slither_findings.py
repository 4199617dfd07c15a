"""Slither over the contracts: every finding is one of `slither.toml`'s, and each of those is found. Run by
`scripts/check --slither`, with Slither's own Python."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SILENCED = ROOT / "scripts" / "slither.toml"

Finding = tuple[str, str]
"""Detector, and the function or variable that it is about."""


def found() -> dict[Finding, str]:
    """Each finding, and what Slither says of it."""
    command = [
        str(Path(sys.executable).with_name("slither")),
        ".",
        "--json",
        "-",
        "--filter-paths",
        "scripts/node_modules|tests",
    ]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        told = json.loads(ran.stdout)
    except ValueError:
        told = {"success": False, "error": ran.stderr}
    if not told["success"]:
        sys.exit(f"Slither did not run: {told['error']}")
    rows = told["results"].get("detectors", [])
    return {(row["check"], _about(row["description"])): row["description"].strip() for row in rows}


def _about(description: str) -> str:
    about = re.match(r"(?:Variable |Function |Reentrancy in |Low level call in )?(\w+\.\w+|\w+(?= \())", description)
    return about[1] if about else description


def silenced() -> set[Finding]:
    rows = tomllib.loads(SILENCED.read_text())["silenced"]
    if not all(row["reason"].strip() for row in rows):
        sys.exit("A finding is silenced without a reason.")
    return {(row["detector"], where) for row in rows for where in row["where"]}


def main() -> None:
    findings, known = found(), silenced()
    for finding in sorted(findings.keys() - known):
        print(f"{finding[0]}: {findings[finding]}")
    for detector, where in sorted(known - findings.keys()):
        print(f"{detector}: {where} is silenced in {SILENCED.name} and not found any more")
    print(f"{len(findings)} findings, {len(findings.keys() & known)} of them silenced with a reason")
    sys.exit(1 if findings.keys() ^ known else 0)


if __name__ == "__main__":
    main()
