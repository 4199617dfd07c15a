"""An alert asks for what a service tells, and the operators' page has a section of it."""

from __future__ import annotations

import inspect
import re
import shutil
import subprocess
from typing import Any

import pytest

from dtledger.custodian import core, limits
from dtledger.testing import World
from tests.deploy.commands import DEPLOY, ROOT
from tests.deploy.exported import OF_THE_NODE, endpoints, names, of_a_custodian, of_a_gateway
from tests.deploy.plain_yaml import parse

RULES: list[dict[str, Any]] = [
    rule for group in parse((DEPLOY / "alerts.yml").read_text())["groups"] for rule in group["rules"]
]
PAGE = (ROOT / "docs" / "operations.md").read_text()
SCRAPED = parse((DEPLOY / "prometheus.yml").read_text())


def labels(name: str) -> set[str]:
    """What the rules compare that label with."""
    found = re.findall(rf'\b{name}!?=~?"([^"]*)"', " ".join(rule["expr"] for rule in RULES))
    return {word for each in found for word in each.split("|")}


def test_each_metric_is_one_that_a_service_exports(world: World) -> None:
    there = names(of_a_custodian(world)) | OF_THE_NODE | names(of_a_gateway())
    for rule in RULES:
        asked = set(re.findall(r"\bdtledger_\w+", rule["expr"]))
        assert asked <= there, rule["alert"]
        assert asked or "up{" in rule["expr"], rule["alert"]


def test_each_metric_of_a_node_is_one_that_the_watch_makes() -> None:
    from dtledger.service.custodian.watch import Watch

    source = inspect.getsource(Watch._of_the_node)
    made = {f"dtledger_custodian_{each}" for each in re.findall(r"_prefix\}_(\w+)", source)}
    assert made == OF_THE_NODE


def test_each_label_can_be_what_it_is_compared_with() -> None:
    assert labels("endpoint") <= endpoints()
    assert labels("cause") <= set(re.findall(r'_count\("(\w+)"\)', inspect.getsource(core)))
    assert labels("limit") == {limits.SNAPSHOTS_A_DAY, limits.RECEIPTS_A_MINUTE}
    assert labels("job") == {each["job_name"] for each in SCRAPED["scrape_configs"]}
    assert labels("status") <= {"500", "503", "507", "5.."}


def test_each_has_a_section_of_the_page_in_the_same_order_that_says_what_to_look_at_and_do() -> None:
    sections = re.findall(
        r"^### (\w+)\n(.*?)(?=^###? |\Z)", PAGE.partition("## What to watch")[2], re.MULTILINE | re.DOTALL
    )
    assert [name for name, _ in sections] == [rule["alert"] for rule in RULES]
    for name, text in sections:
        assert re.search(r"^\n\w.*?\n\n- Look: .*\n- Do: ", text, re.DOTALL), name


def test_each_is_for_a_page_or_a_ticket() -> None:
    assert {rule["labels"]["severity"] for rule in RULES} == {"page", "ticket"}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not here")
@pytest.mark.parametrize("words", [["rules", "alerts.yml"], ["config", "--syntax-only", "prometheus.yml"]])
def test_prometheus_own_tool_takes_them(words: list[str]) -> None:
    command = ["promtool", "check", *words]
    done = subprocess.run(command, cwd=DEPLOY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
