"""What the page on training shows runs as it stands: a round of two hospitals over its apps."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dtledger.encoding import CID
from dtledger.federated.arrays import Arrays
from dtledger.federated.grid import run_in_process
from dtledger.models.update import UpdateRecord
from tests.federated.scene import START, Scene

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "training.md").read_text()
BLOCKS = dict(re.findall(r"```python (\S+)\n(.*?)```", PAGE, re.DOTALL))


def fit(weights: Arrays, patients: Sequence[Sequence[float]]) -> Arrays:
    """What the page leaves to its reader."""
    mean = np.float32(np.mean([each[0] for each in patients]))
    return {**weights, "b": np.asarray(weights["b"] + mean, np.float32)}


@pytest.fixture
def apps(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The page's blocks, executed; their keys are the scene's."""
    ours = ModuleType("ours")
    ours.__dict__.update(fit=fit, first_weights=lambda: START)
    monkeypatch.setitem(sys.modules, "ours", ours)
    monkeypatch.setenv("HOME", str(tmp_path))
    keys = {f"{number}": each.client for number, each in enumerate(scene.hospitals)}
    keys["coordinator"] = scene.coordinator
    names: dict[str, Any] = {}
    for text in BLOCKS.values():
        exec(text, names)
        names["Client"] = SimpleNamespace(open=lambda profile, key: keys[key])
    return names


def test_its_apps_train_a_round_and_each_update_says_at_which_delta(
    scene: Scene, apps: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes = {10 + number: {"key": f"{number}"} for number in range(len(scene.hospitals))}
    run_in_process(apps["server"], apps["app"], nodes, {"model": scene.model, "rounds": 1})
    assert capsys.readouterr().out.split("\n")[0] == "1 used 2 refused ()"
    context = scene.coordinator.context
    updates = context.view().updates(scene.model, 1)
    assert len(updates) == 2
    for each in updates:
        record, _ = UpdateRecord.read(context.deployment, context.store.get(CID(each.record)))
        assert record.delta == 1e-5
    kept = {each.suffix for each in (tmp_path / "rounds" / "0").iterdir() if not each.name.startswith(".")}
    assert kept == {".round", ".weights"}, "what the page says that is backed up"
