"""The operator's page names every setting and every metric, and no other."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from dtledger.service.custodian.settings import ENTRIES, load_settings
from dtledger.service.custodian.state import State
from dtledger.service.custodian.watch import Watch
from dtledger.service.metrics import Metrics
from dtledger.testing import World

PAGE = (Path(__file__).parents[2] / "docs" / "custodian.md").read_text()


def table(heading: str) -> str:
    """The first cells of the table that begins so."""
    rows = PAGE[PAGE.index(f"| {heading} |") :].partition("\n\n")[0].splitlines()[2:]
    return " ".join(row.split("|")[1] for row in rows)


def test_every_setting_is_on_the_page_and_none_that_there_is_not() -> None:
    assert set(re.findall(r"`(\w+)`", table("setting"))) == {each.name for each in ENTRIES}


def test_every_metric_is_on_the_page_and_none_that_there_is_not(world: World) -> None:
    metrics = Metrics("custodian")
    state = SimpleNamespace(custodian=world.custodians[0], ledger=None, receipts=SimpleNamespace(count=0))
    watch = Watch(cast(State, state), metrics, world.clock, 1)
    watch._of_the_node = lambda: iter(())  # type: ignore[method-assign]
    there = set(re.findall(r"^# TYPE (\w+) ", metrics.text().decode(), re.MULTILINE))
    there = {each for each in there if not each.endswith(("_created", "_build"))}
    there |= {"dtledger_custodian_head_age_seconds", "dtledger_custodian_heartbeats_left"}
    assert set(re.findall(r"`(\w+)`", table("metric"))) == there


def test_the_example_is_a_configuration(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "custodian.toml"
    file.write_text(example)
    settings: Any = load_settings(file, {})
    assert settings["bind"] == ("10.0.0.5", 8701)
