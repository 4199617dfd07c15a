"""One fixed conversation, byte for byte: both implementations make it, and the protocol's page shows it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dtledger.device import cost
from dtledger.device.batch import MOST_BYTES, MOST_READINGS, Code, read_batch
from tests import vectors
from tests.device.vectors import conversation

PAGE = (Path(__file__).parents[2] / "docs" / "devices.md").read_text()
VECTOR = vectors.load("device.json")


def test_the_vector_is_what_both_sides_make() -> None:
    assert json.loads(json.dumps(conversation())) == VECTOR


@pytest.mark.parametrize("number", [0, 1])
def test_a_message_of_the_vector_says_its_readings(number: int) -> None:
    said = VECTOR["batches"][number]
    batch = read_batch(bytes.fromhex(said["message"]))
    batch.verify(bytes.fromhex(VECTOR["device_key"]))
    marks = {"": [], "below-range": [1]}
    found = [[run.channel, at, value, *marks[mark]] for run in batch.runs for at, value, mark in run.timed()]
    assert sorted(found) == sorted(said["readings"])
    assert (batch.number, batch.twin, batch.device.hex()) == (number + 1, 7, VECTOR["device"])


def test_the_page_shows_the_vector() -> None:
    shown = re.sub(r"\s+", "", PAGE)
    for each in (VECTOR["device_key"], VECTOR["gateway_key"], VECTOR["enrolment"], VECTOR["enrolment_digest"]):
        assert each in shown
    for said in VECTOR["batches"]:
        assert said["message"] in shown
        assert said["answer"] in shown


def test_the_page_has_every_code_and_every_bound() -> None:
    rows = {int(number): (name, text) for number, name, text in re.findall(r"\| (\d+) \| ([A-Z]+) \| (.+?) \|", PAGE)}
    assert rows == {int(each): (each.name, each.text) for each in Code}
    assert f"{MOST_BYTES:,} bytes" in PAGE
    assert f"{MOST_READINGS:,} readings" in PAGE


def test_the_page_has_the_costs_that_the_command_prints() -> None:
    assert "\n".join(cost.table()) in PAGE
