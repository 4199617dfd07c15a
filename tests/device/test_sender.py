"""The reference sender: what it keeps is enough after any crash, and it believes its gateway alone."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtledger.device import sender
from dtledger.device.batch import Answers, Code, digest_of, read_batch
from dtledger.device.sender import Device, Measurement, runs

NOW = 1_800_000_000
Opened = Callable[[], Device]
GATEWAY = Answers(b"the gateway's seed".ljust(32))
CHANNELS = [["glucose", "mmol/L", 1, ""], ["heart-rate", "/min", 0, ""]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "device.state"
    Device.make(path, b"the device's seed".ljust(32), GATEWAY.public, b"enrolment".ljust(32), 7, NOW - 86_400, CHANNELS)
    return path


@pytest.fixture
def opened(path: Path) -> Iterator[Opened]:
    """Opens the device; it is closed at the end, however the test ends."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(Device(path)))


measurements = st.lists(
    st.tuples(st.integers(0, 1), st.integers(NOW - 10_000, NOW), st.integers(-1000, 1000), st.integers(0, 2)),
    min_size=1,
    max_size=60,
    unique_by=lambda row: row[:2],
)


@given(measurements)
def test_what_it_signs_is_read_as_what_was_measured(rows: list[tuple[int, int, int, int]]) -> None:
    """By the gateway's own decoder, which shares no line with it."""
    marks = ("", "below-range", "above-range")
    given_: list[Measurement] = [row if row[3] else row[:3] for row in rows]
    body = cbor2.dumps([1, bytes(16), 7, 1, bytes(32), NOW, runs(sorted(given_, key=lambda row: row[:2]), NOW)])
    batch = read_batch(body + bytes(64))
    found = {(run.channel, *each) for run in batch.runs for each in run.timed()}
    assert found == {(channel, at, number, marks[mark]) for channel, at, number, mark in rows}


def test_equal_steps_are_one_run() -> None:
    assert runs([(0, NOW - 600 + 300 * each, each) for each in range(3)], NOW) == [[0, 600, 300, [0, 1, 2]]]


def test_its_file_is_its_own(opened: Opened, path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    device = opened()
    device.sign([(0, NOW, 50)], NOW)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(BlockingIOError):
        opened()
    device.close()
    opened().close()


def test_the_batch_under_way_is_on_its_disk_before_it_is_sent(opened: Opened) -> None:
    device = opened()
    message = device.sign([(0, NOW, 50)], NOW)
    device.close()
    again = opened()
    assert again.pending == message
    with pytest.raises(ValueError, match="not acknowledged"):
        again.sign([(0, NOW + 1, 51)], NOW + 1)
    again.hear(GATEWAY.sign(digest_of(message), Code.TAKEN))
    again.close()
    last = opened()
    assert (last.number, last.head, last.last, last.pending) == (1, digest_of(message), [NOW, 0], b"")
    last.close()


@pytest.mark.parametrize("code", [each for each in Code if each.refuses])
def test_a_refusal_moves_nothing_and_drops_only_what_will_never_be_taken(opened: Opened, code: Code) -> None:
    device = opened()
    message = device.sign([(0, NOW, 50)], NOW)
    assert device.hear(GATEWAY.sign(digest_of(message), code)) == (code, 0)
    assert (device.number, bool(device.pending)) == (0, code < 32)
    device.close()


def test_an_answer_that_is_not_the_gateway_s_is_not_believed(opened: Opened) -> None:
    """Whoever can publish at the broker would let a device forget what nobody has."""
    device = opened()
    message = device.sign([(0, NOW, 50)], NOW)
    good = GATEWAY.sign(digest_of(message), Code.TAKEN)
    forged = Answers(b"a thief's seed".ljust(32)).sign(digest_of(message), Code.TAKEN)
    other = GATEWAY.sign(digest_of(b"another batch" + bytes(64)), Code.TAKEN)
    for answer in (forged, other, good[:-1] + bytes([good[-1] ^ 1]), b"", bytes(100), good[:-64]):
        with pytest.raises(ValueError, match="answer"):
            device.hear(answer)
        assert (device.number, device.pending) == (0, message)
    device.hear(good)
    assert device.number == 1
    device.close()


def test_it_needs_no_other_file_of_dtledger() -> None:
    source = Path(sender.__file__).read_text()
    imported = {
        (each.module or "." * each.level) if isinstance(each, ast.ImportFrom) else name.name
        for each in ast.walk(ast.parse(source))
        if isinstance(each, ast.Import | ast.ImportFrom)
        for name in each.names
    }
    outside = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names
    assert outside == {"cbor2", "cryptography", "paho"}
    assert len(source.splitlines()) < 260


@pytest.mark.slow
def test_alone_in_a_folder_it_says_that_nobody_answers(opened: Opened, path: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.py"
    alone.write_text(Path(sender.__file__).read_text())
    command = [sys.executable, "-I", str(alone), str(path), "http://127.0.0.1:9"]
    done = subprocess.run(command, input=f"0 {NOW} 54\n", capture_output=True, text=True, check=False)
    assert "ConnectionRefusedError" in done.stderr
    device = opened()
    assert device.pending
    device.close()


def test_a_write_that_dies_leaves_what_was_there(opened: Opened, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = opened()
    before = path.read_bytes()
    for step in ("fsync", "replace"):
        with monkeypatch.context() as dying:

            def die(*_: object) -> None:
                raise KeyboardInterrupt

            dying.setattr(os, step, die)
            with pytest.raises(KeyboardInterrupt):
                device.sign([(0, NOW, 50)], NOW)
        device.pending = b""
        assert path.read_bytes() == before
    device.sign([(0, NOW, 50)], NOW)
    assert path.read_bytes() != before
    device.close()
