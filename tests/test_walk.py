"""docs/walk.md names functions that are there, in the order in which a reading comes by them."""

from __future__ import annotations

import ast
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from itertools import chain
from json import dumps
from pathlib import Path
from types import FrameType

import pytest

from dtledger.client import Terms, writing_terms
from dtledger.gateway.intake import Intake
from dtledger.gateway.pump import Pump
from dtledger.gateway.queue import Limits, ReadingQueue
from dtledger.gateway.rights import Rights
from dtledger.gateway.senders import Sender
from dtledger.importers import read_file
from dtledger.testing import World
from dtledger.types import Period
from dtledger.vocabulary import Action, Purpose

ROOT = Path(__file__).resolve().parents[1]
DAY = 86_400
ROW = re.compile(r"^\| \[([\w/.]+)\]\(\.\./\1\) \| `([\w.]+)` \| \S.* \|$")

Step = tuple[str, str]
"""File and symbol."""


@cache
def sections() -> dict[str, list[Step]]:
    found: dict[str, list[Step]] = {}
    for part in (ROOT / "docs" / "walk.md").read_text().split("\n## ")[1:]:
        title, *lines = part.splitlines()
        rows = [line for line in lines if line.startswith("| [")]
        found[title] = [(row[1], row[2]) for line in rows if (row := ROW.match(line))]
        assert len(found[title]) == len(rows), title
    return found


@cache
def symbols(path: str) -> set[str]:
    """Functions of a file, and methods as Class.method."""
    text = (ROOT / path).read_text()
    if path.endswith(".sol"):
        return set(re.findall(r"\bfunction (\w+)\(", text))
    found = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{each.name}" for each in node.body if isinstance(each, ast.FunctionDef)}
    return found


@contextmanager
def watched() -> Iterator[list[Step]]:
    """The calls of functions that the walk names, in their order, while inside."""
    named = set(chain.from_iterable(sections().values()))
    files = {str(ROOT / path): path for path, _ in named}
    calls: list[Step] = []

    def see(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and (path := files.get(frame.f_code.co_filename)):
            step = path, frame.f_code.co_qualname
            if step in named:
                calls.append(step)

    before = sys.getprofile()
    threading.setprofile(see)
    sys.setprofile(see)
    try:
        yield calls
    finally:
        sys.setprofile(before)
        threading.setprofile(None)


def first_out_of_turn(steps: list[Step], calls: list[Step]) -> Step | None:
    """The first step that is not called after the one before it."""
    waiting = iter(calls)
    return next((step for step in steps if step not in waiting), None)


def on_the_way(*titles: str) -> list[Step]:
    return [step for title in titles for step in sections()[title] if not step[0].endswith(".sol")]


@pytest.fixture
def world() -> Iterator[World]:
    with World(hours=1) as world:
        yield world


def granted_and_read(world: World, since: int) -> None:
    now = world.clock.at
    terms = Terms(
        ("glucose",), (Purpose.HRESCH,), (Action.READ,), now, now + DAY, Period(since // 60, now // 60 + 1440)
    )
    world.patient.consents.grant(world.twin, world.clinician.address, terms)
    readings = world.clinician.read(world.twin, "glucose", "HRESCH", since=since)
    assert [each.value for each in readings] == [5.4, 5.6]
    assert any(world.patient.twins.access(world.twin).values())


def test_every_function_that_it_names_is_there() -> None:
    for path, symbol in chain.from_iterable(sections().values()):
        assert symbol in symbols(path), f"{path} has no {symbol}"
    assert "nowhere" not in symbols("dtledger/policy.py")


def test_a_reading_comes_by_them_from_a_file(world: World, tmp_path: Path) -> None:
    world.clock.advance(3600)
    start = world.clock.at - 600
    times = [datetime.fromtimestamp(start + 300 * each, UTC).isoformat() for each in range(2)]
    file = tmp_path / "sensor.csv"
    file.write_text(f"time,glucose (mmol/L)\n{times[0]},5.4\n{times[1]},5.6\n")
    allow_writing(world, start)
    with watched() as calls:
        world.gateway.writer.put(world.twin, "glucose", read_file(file).readings)
        granted_and_read(world, start)
    steps = on_the_way("From a file", "Encrypted and anchored", "Consent", "Read", "Who looked")
    assert first_out_of_turn(steps, calls) is None


def test_a_reading_comes_by_them_from_a_device(world: World, tmp_path: Path) -> None:
    world.clock.advance(3600)
    start = world.clock.at - 600
    rows = [[datetime.fromtimestamp(start + 300 * each, UTC).isoformat(), (5.4, 5.6)[each]] for each in range(2)]
    post = dumps({"twin": world.twin, "category": "glucose", "unit": "mmol/L", "readings": rows}).encode()
    allow_writing(world, start)
    context = world.gateway.context
    queue = ReadingQueue(tmp_path / "queue.db", context.key, context.clock, Limits(2**20, 0))
    try:
        with watched() as calls:
            Intake(context, queue, Rights(context)).take(post, Sender("hub", b"", None))
            world.clock.advance(7200)
            Pump(context, world.gateway.writer, queue).step()
            granted_and_read(world, start)
    finally:
        queue.close()
    steps = on_the_way("Or from a device", "Encrypted and anchored", "Consent", "Read", "Who looked")
    assert first_out_of_turn(steps, calls) is None


def allow_writing(world: World, start: int) -> None:
    terms = writing_terms(["glucose"], world.clock.at, 30 * DAY, back_to=start // 60)
    world.patient.consents.grant(world.twin, world.gateway.address, terms)


def test_a_step_out_of_turn_would_be_found() -> None:
    one, two, three = ("a", "1"), ("a", "2"), ("a", "3")
    assert first_out_of_turn([one, two, three], [one, three, two, three]) is None
    assert first_out_of_turn([one, two, three], [two, one, three]) == two
