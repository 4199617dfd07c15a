"""What a transaction costs: by forge (tests/contracts/Gas.t.sol, realistic data), and the same calls on Anvil."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from dtledger._backend.foundry import require

from .bench import Bench
from .figures import NotMeasuredError, Rival, Row, at_most
from .gas_on_anvil import measure

ROOT = Path(__file__).parents[2]
BEFORE = "measured before, on the same Anvil"

_EAS = Rival("EAS attest", 272_119, BEFORE)
_EAS_REVOKE = Rival("EAS revoke", 70_700, BEFORE)
_EAS_TIMESTAMP = Rival("EAS timestamp", 45_869, BEFORE)
_EAS_TIMESTAMPS = Rival("EAS timestamp, 50 at once", 25_000, BEFORE)
_OCEAN_NFT = Rival("Ocean data NFT", 567_920, BEFORE)
_OCEAN_DATA = Rival("Ocean setNewData", 74_858, BEFORE)
_ROMEL = Rival("Romel 2025, grant", 78_000, "published")

_ROWS: Mapping[str, tuple[str, str, str, int, int, tuple[Rival, ...]]] = {
    # row: what, forge's group and name, in how many it is divided, limit, rivals
    "gas-grant": ("a grant", "ConsentRegistry", "grant", 1, 55_000, (_ROMEL, _EAS)),
    "gas-regrant": ("a grant in the place of another", "ConsentRegistry", "grant, again", 1, 38_000, (_ROMEL, _EAS)),
    "gas-revoke": ("a revocation", "ConsentRegistry", "revoke", 1, 32_000, (_EAS_REVOKE,)),
    "gas-grant-many": (
        "one of 50 grants with shared terms",
        "ConsentRegistry",
        "grantMany of 50",
        50,
        28_500,
        (_EAS_TIMESTAMPS, _EAS),
    ),
    "gas-grant-signed": ("a grant that a relayer sends", "ConsentRegistry", "grantSigned", 1, 72_000, (_EAS,)),
    "gas-mint": ("a patient's first twin", "TwinRegistry", "mint, a patient's first", 1, 105_000, (_OCEAN_NFT,)),
    "gas-card": ("a twin's first card", "TwinRegistry", "setCard, first", 1, 60_000, (_OCEAN_DATA,)),
    "gas-card-signed": (
        "a twin's first card that a relayer sends",
        "TwinRegistry",
        "setCardSigned, first",
        1,
        75_000,
        (_OCEAN_DATA,),
    ),
    "gas-anchor": ("an anchor of a batch of any size", "SnapshotLedger", "anchorBatch", 1, 54_000, (_EAS_TIMESTAMP,)),
    "gas-update": ("a site's update of a model", "ModelLedger", "commitUpdate", 1, 52_000, (_EAS,)),
    "gas-update-first": (
        "a site's first update of a model",
        "ModelLedger",
        "commitUpdate, a site's first",
        1,
        71_000,
        (_EAS,),
    ),
}


def row(bench: Bench, name: str) -> Row:
    what, group, snapshot, parts, limit, rivals = _ROWS[name]
    forge = bench.once("gas", _forge)
    anvil = bench.once("gas-anvil", lambda: measure(bench.world()))
    return Row(
        what,
        forge[group][snapshot] / parts,
        "gas",
        (at_most(limit, "gas"),),
        rivals,
        f"on Anvil {anvil[snapshot] / parts:,.0f}",
    )


def _forge() -> dict[str, dict[str, int]]:
    """Group → name → gas. The committed snapshots stay as they are: these are of the contracts as they are now.

    Raises:
        NotMeasuredError: the contracts do not build, or a limit in the test is exceeded.
    """
    with tempfile.TemporaryDirectory(prefix="dtledger-bench-") as folder:
        environment = {**os.environ, "FOUNDRY_SNAPSHOTS": folder, "FOUNDRY_GAS_SNAPSHOT_CHECK": "false"}
        command = [str(require("forge")), "test", "--isolate", "--match-contract", "^GasTest$"]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = next((line for line in (done.stderr + done.stdout).splitlines() if line.strip()), "no reason")
            raise NotMeasuredError(f"forge fails: {reason.strip()}")
        groups = {path.stem: json.loads(path.read_text()) for path in Path(folder).glob("*.json")}
    return {group: {name: int(gas) for name, gas in each.items()} for group, each in groups.items()}


ROWS: dict[str, Callable[[Bench], Row]] = {name: partial(row, name=name) for name in _ROWS}
