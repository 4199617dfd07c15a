"""A soak says what rises and what does not; how long anything takes is not asked here."""

from __future__ import annotations

import random

import pytest

from scripts.benchmarks.soaking import BOUNDS, Series, main, passes, told


def series(what: str, slope: float, noise: float = 0.0, mean: float = 100.0) -> Series:
    """An hour's samples, one a minute, that rise by `slope` a minute."""
    draw = random.Random(1)
    times = [float(minute) for minute in range(60)]
    return Series(what, "gateway", times, [mean + slope * each + draw.uniform(-noise, noise) for each in times])


@pytest.mark.parametrize("what", BOUNDS)
def test_what_stays_is_flat_and_what_rises_is_not(what: str) -> None:
    still, rising = series(what, 0.0, noise=1.0), series(what, 1.0, noise=1.0)
    assert passes([still], 0)
    assert "flat: nothing rises" in told([still], 0)
    assert not passes([still, rising], 0)
    assert told([still, rising], 0).endswith(f"not flat: {what} of gateway rises")


def test_what_rises_at_the_start_alone_is_flat() -> None:
    values = [50.0 + 4 * min(minute, 12) for minute in range(60)]
    assert Series("memory", "gateway", [float(each) for each in range(60)], values).is_flat


def test_what_falls_is_flat() -> None:
    assert series("latency", -1.0).is_flat


def test_a_failure_and_silence_are_no_pass() -> None:
    still = series("memory", 0.0)
    assert not passes([still], 1)
    assert "1 posts or readers failed" in told([still], 1)
    assert not passes([still, Series("latency", "a read")], 0)
    assert "no latency of a read" in told([still, Series("latency", "a read")], 0)


@pytest.mark.anvil
@pytest.mark.slow
def test_a_tiny_one_takes_everything_of_everybody(capsys: pytest.CaptureFixture[str]) -> None:
    main(["0.3"])
    said = capsys.readouterr().out.splitlines()
    for name in ("custodian 1", "custodian 3", "gateway", "reader 2"):
        assert sum(name in line for line in said) >= 2
    assert any(line.startswith("latency   a post") for line in said)
    assert said[-1].startswith(("flat:", "not flat:"))
    assert "failed" not in said[-1].replace("nothing failed", "")
