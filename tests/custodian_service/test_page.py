"""The operators' page names every setting and every metric of a custodian, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from dtledger.service.custodian.settings import ENTRIES
from dtledger.testing import World
from tests.deploy.exported import OF_THE_NODE, families, of_a_custodian

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()


def table(heading: str) -> str:
    """The first cells of the table that begins so."""
    rows = PAGE[PAGE.index(f"| {heading} |") :].partition("\n\n")[0].splitlines()[2:]
    return " ".join(row.split("|")[1] for row in rows)


def test_every_setting_is_on_the_page_and_none_that_there_is_not() -> None:
    assert set(re.findall(r"`(\w+)`", table("setting"))) == {each.name for each in ENTRIES}


def test_every_metric_is_on_the_page_and_none_that_there_is_not(world: World) -> None:
    assert set(re.findall(r"`(\w+)`", table("metric"))) == families(of_a_custodian(world)) | OF_THE_NODE
