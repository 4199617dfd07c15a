"""What a transaction costs: by forge (tests/contracts/Gas.t.sol, realistic data), and the same calls on Anvil."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from dtledger._backend.foundry import require

from . import peers
from .bench import Bench
from .figures import NotMeasuredError, Rival, Row, at_most
from .gas_on_anvil import measure

ROOT = Path(__file__).parents[2]
BEFORE = "measured before, on the same Anvil"
RECORDED = {
    "EAS attest": Rival("EAS attest", 272_119, BEFORE),
    "EAS revoke": Rival("EAS revoke", 70_700, BEFORE),
    "EAS timestamp": Rival("EAS timestamp", 45_869, BEFORE),
    "EAS timestamp, 50 at once": Rival("EAS timestamp, 50 at once", 25_000, BEFORE),
    "Ocean data NFT": Rival("Ocean data NFT", 567_920, BEFORE),
    "Ocean setNewData": Rival("Ocean setNewData", 74_858, BEFORE),
    "Romel 2025, grant": Rival("Romel 2025, grant", 78_000, "published"),
}
"""By name, for where the peers' contracts are not installed; that of a paper is run by nobody here."""

_ROWS: Mapping[str, tuple[str, str, str, int, int, tuple[str, ...]]] = {
    # row: what, forge's group and name, in how many it is divided, limit, rivals
    "gas-grant": (
        "a grant",
        "ConsentRegistry",
        "grant",
        1,
        55_000,
        ("Romel 2025, grant", "EAS attest", "EAS attest, by fields"),
    ),
    "gas-regrant": (
        "a grant in the place of another",
        "ConsentRegistry",
        "grant, again",
        1,
        38_000,
        ("Romel 2025, grant", "EAS attest"),
    ),
    "gas-revoke": ("a revocation", "ConsentRegistry", "revoke", 1, 32_000, ("EAS revoke",)),
    "gas-grant-many": (
        "one of 50 grants with shared terms",
        "ConsentRegistry",
        "grantMany of 50",
        50,
        28_500,
        ("EAS attest, 50 at once", "EAS timestamp, 50 at once"),
    ),
    "gas-grant-signed": (
        "a grant that a relayer sends",
        "ConsentRegistry",
        "grantSigned",
        1,
        72_000,
        ("EAS attest, signed",),
    ),
    "gas-mint": ("a patient's first twin", "TwinRegistry", "mint, a patient's first", 1, 105_000, ("Ocean data NFT",)),
    "gas-card": ("a twin's first card", "TwinRegistry", "setCard, first", 1, 60_000, ("Ocean setNewData",)),
    "gas-card-signed": (
        "a twin's first card that a relayer sends",
        "TwinRegistry",
        "setCardSigned, first",
        1,
        75_000,
        ("Ocean setNewData",),
    ),
    "gas-anchor": ("an anchor of a batch of any size", "SnapshotLedger", "anchorBatch", 1, 54_000, ("EAS timestamp",)),
    "gas-update": ("a site's update of a model", "ModelLedger", "commitUpdate", 1, 52_000, ("EAS attest",)),
    "gas-update-first": (
        "a site's first update of a model",
        "ModelLedger",
        "commitUpdate, a site's first",
        1,
        71_000,
        ("EAS attest",),
    ),
}


def row(bench: Bench, name: str) -> Row:
    what, group, snapshot, parts, limit, names = _ROWS[name]
    forge = bench.once("gas", _forge)
    anvil = bench.once("gas-anvil", lambda: measure(bench.world()))
    return Row(
        what,
        forge[group][snapshot] / parts,
        "gas",
        (at_most(limit, "gas"),),
        rivals(bench, names),
        f"on Anvil {anvil[snapshot] / parts:,.0f}",
    )


def rivals(bench: Bench, names: Iterable[str]) -> tuple[Rival, ...]:
    """Those of these names that were measured here and now, else before."""
    found = bench.once("peers", lambda: peers.measure(bench.world())) if peers.installed() else {}
    measured = {name: Rival(name, gas) for name, gas in found.items()}
    known = {**RECORDED, **measured}
    return tuple(known[name] for name in names if name in known)


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
