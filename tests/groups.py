"""Says, above pytest's closing line, which groups of tests did not run and what they lack.

A group is a marker with a condition: ``real_data`` reads the folder that ``DTLEDGER_DATA`` names, ``mutation``,
``network`` and ``accuracy`` run where a variable of their name is set. Tests that skip themselves for a reason of their
own are counted under their marker too.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

GROUPS = {
    "real_data": "recordings: set DTLEDGER_DATA to the folder that holds them (docs/data.md)",
    "accuracy": "some minutes: set DTLEDGER_ACCURACY, and DTLEDGER_DATA",
    "flower": "a minute or two, and 2 GB: set DTLEDGER_FLOWER to start Flower's own processes",
    "mutation": "an hour: scripts/test --mutation makes each deliberate mistake, and sees that it is noticed",
    "network": "five validators: scripts/test --network builds and starts them where Go is; half an hour",
    "mosquitto": "an MQTT broker: apt-get install mosquitto",
    "postgres": "a PostgreSQL server: apt-get install postgresql, and psycopg (dtledger[postgresql])",
    "kubo": "a kubo daemon: scripts/kubo builds one where Go is on the PATH",
}


SLOW = ("custodian_service", "federated", "gateway", "network", "service", "services")
"""Folders whose tests are all slow: they run services over HTTP, or rounds of Flower."""


BEHIND = ("accuracy", "flower", "mutation", "network")
"""Groups that run where a variable of their name is set."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A folder of slow tests alone is left out without being imported."""
    return True if collection_path.name in SLOW and "not slow" in config.option.markexpr else None


@pytest.hookimpl(tryfirst=True)  # before `-m` looks at the markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name in SLOW:
            item.add_marker(pytest.mark.slow)
        if item.path.parent.name == "network":
            item.add_marker(pytest.mark.network)
        for marker in BEHIND:
            if item.get_closest_marker(marker) and not _is_set(marker):
                item.add_marker(pytest.mark.skip(reason=f"DTLEDGER_{marker.upper()} is not set"))
    if Path(os.environ.get("DTLEDGER_DATA") or "/nowhere").is_dir():
        return
    for item in items:
        if item.get_closest_marker("real_data"):
            item.add_marker(pytest.mark.skip(reason="DTLEDGER_DATA names no folder"))


def _is_set(group: str) -> bool:
    return bool(os.environ.get(f"DTLEDGER_{group.upper()}"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = Counter(
        group for report in terminalreporter.stats.get("skipped", []) for group in GROUPS if group in report.keywords
    )
    for group, count in skipped.items():
        if group in BEHIND and _is_set(group):  # it ran, and leaves some out by name
            continue
        tests = "test" if count == 1 else "tests"
        terminalreporter.write_line(f"{count} {group} {tests} did not run, for want of {GROUPS[group]}.")
