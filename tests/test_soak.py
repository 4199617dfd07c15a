"""A soak says what rises and what does not; how long anything takes is not asked here."""

from __future__ import annotations

import random
import threading

import pytest

from scripts.benchmarks import pacing
from scripts.benchmarks.flatness import BOUNDS, Series, Soaked
from scripts.benchmarks.pacing import turns
from scripts.benchmarks.soaking import main

MINUTES = [float(minute) for minute in range(60)]


def series(what: str, slope: float, noise: float = 0.0, mean: float = 100.0) -> Series:
    """An hour's samples, one a minute, that rise by `slope` a minute."""
    draw = random.Random(1)
    return Series(what, "gateway", MINUTES, [mean + slope * each + draw.uniform(-noise, noise) for each in MINUTES])


@pytest.mark.parametrize("what", BOUNDS)
def test_what_stays_is_flat_and_what_rises_is_not(what: str) -> None:
    still, rising = series(what, 0.0, noise=1.0), series(what, 1.0, noise=1.0)
    assert not Soaked([still]).faults
    assert "flat: nothing rises" in str(Soaked([still]))
    assert Soaked([still, rising]).faults
    assert str(Soaked([still, rising])).endswith(f"not flat: {what} of gateway rises")


def test_what_rises_in_the_first_third_alone_is_flat() -> None:
    assert Series("memory", "gateway", MINUTES, [50.0 + 4 * min(each, 20.0) for each in MINUTES]).is_flat
    assert not Series("memory", "gateway", MINUTES, [50.0 + 4 * min(each, 30.0) for each in MINUTES]).is_flat


def test_two_kilobytes_kept_of_each_request_are_found_in_an_hour() -> None:
    each_minute = 60 * 2 / 1024  # MiB: so many requests, and KiB of each
    assert not series("memory", each_minute, noise=0.5, mean=110.0).is_flat
    assert series("memory", each_minute / 4, noise=0.5, mean=110.0).is_flat


def test_what_falls_is_flat() -> None:
    assert not Soaked([series("latency", -1.0)]).faults


def test_a_failure_silence_and_a_pace_that_was_not_kept_are_no_pass() -> None:
    still = series("memory", 0.0)
    assert "2 times: read: UnreachableError" in str(Soaked([still], failed={"read: UnreachableError": 2}))
    assert "no latency of a read" in str(Soaked([still, Series("latency", "a read")]))
    assert not Soaked([still], paced={"reads": (3_500, 3_600)}).faults
    assert Soaked([still], paced={"reads": (3_400, 3_600)}).faults == ["reads fell behind: 3,400 in 3,600 turns"]


def test_how_many_requests_a_custodian_answered_is_said_and_its_memory_beside_them() -> None:
    memory = Series("memory", "custodian 1", MINUTES, [100 + each / 10 for each in MINUTES])
    answered = Series("requests", "custodian 1", MINUTES, [60 * each for each in MINUTES])
    assert (
        "custodian 1 answered 3,540 requests, 2,340 of them after the warm-up: 1.71 KiB of memory a request"
        in str(Soaked([memory], [answered])).splitlines()
    )


class Clock(threading.Event):
    """Time that passes while it is waited for, and over after so many seconds."""

    def __init__(self, end: float) -> None:
        super().__init__()
        self.now, self._end = 0.0, end

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0.0
        return self.now >= self._end


@pytest.mark.parametrize(
    ("takes", "begun"),
    [(0.5, [1, 3, 5, 7, 9]), (2.0, [1, 3, 5, 7, 9]), (2.5, [1, 5, 9])],
    ids=["short", "just", "long"],
)
def test_turns_keep_their_pace_and_catch_up_with_nothing(
    takes: float, begun: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(10.0)
    monkeypatch.setattr(pacing, "monotonic", lambda: clock.now)
    found = []
    for _ in turns(clock, 2.0, 1.0):
        found.append(clock.now)
        clock.now += takes
    assert found == begun


@pytest.mark.anvil
@pytest.mark.slow
def test_a_tiny_one_takes_everything_of_everybody(capsys: pytest.CaptureFixture[str]) -> None:
    main(["0.3"])
    said = capsys.readouterr().out.splitlines()
    for name in ("custodian 1", "custodian 3", "gateway", "reader 2"):
        assert sum(f" {name}" in line for line in said) == 2
    for name in ("a post", "a read"):
        assert sum(line.startswith("latency") and name in line for line in said) == 1
    assert any(line.startswith("custodian 1 answered") and "answered 0" not in line for line in said)
    assert said[-1].startswith(("flat:", "not flat:"))
    assert "times:" not in said[-1]
