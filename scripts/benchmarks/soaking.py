"""A soak: a gateway, three custodians and readers as processes, for an hour or as long as is asked, and what they hold.

    scripts/test --soak [MINUTES]

A hub posts readings of five twins once a second, the gateway anchors them every minute, two readers read a day of
another twin again and again. Each minute (in a short soak a twelfth of it) memory, handles and latency are taken. They
are flat if the line through those after the first quarter, by least squares, rises over them by no more than `BOUNDS`.
"""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import linear_regression, mean, median
from time import monotonic, perf_counter

import requests

from dtledger.client.devnet import PROFILE
from dtledger.service.local import LocalGateway

from .storing import glucose
from .world import World, devnet_world

MINUTE = 60.0
LEAST_SAMPLES = 12
TWINS = 5
READERS = 2
HISTORY_HOURS = 24
_PAGE, _MIB = 4096, 2**20
_TOKEN = "a-token-of-the-soak"  # noqa: S105 of a world that ends with it


@dataclass(frozen=True, slots=True)
class Bound:
    """What a quantity may rise by over a soak: so much, or that part of its mean, whichever is more."""

    unit: str
    rise: float
    part: float


BOUNDS: Mapping[str, Bound] = {
    "memory": Bound("MiB", 8.0, 0.05),
    "handles": Bound("", 4.0, 0.0),
    "latency": Bound("ms", 10.0, 0.25),
}


@dataclass(slots=True)
class Series:
    """One quantity of one process: minutes since the start, and values."""

    what: str
    of: str
    times: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    @property
    def settled(self) -> tuple[Sequence[float], Sequence[float]]:
        """Without the first quarter, in which everything is met for the first time."""
        first = len(self.times) // 4
        return self.times[first:], self.values[first:]

    @property
    def rise(self) -> float:
        """What the line through them rises by, from the first that counts to the last."""
        times, values = self.settled
        return linear_regression(times, values).slope * (times[-1] - times[0]) if len(times) > 1 else 0.0

    @property
    def allowed(self) -> float:
        bound = BOUNDS[self.what]
        return max(bound.rise, bound.part * mean(self.settled[1]))

    @property
    def is_flat(self) -> bool:
        return self.rise <= self.allowed


@dataclass(slots=True)
class Latencies:
    """Milliseconds of what was done since they were taken last, by any thread; what failed is counted."""

    failures: int = 0
    _since: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, milliseconds: float) -> None:
        with self._lock:
            self._since.append(milliseconds)

    def take(self) -> float | None:
        """The median; None if nothing was done."""
        with self._lock:
            some, self._since = self._since, []
        return median(some) if some else None


def soak(minutes: float) -> tuple[list[Series], int]:
    """What was taken, and how many posts and reads failed."""
    with devnet_world() as world, ExitStack() as stack:
        gateway = stack.enter_context(_gateway(world))
        quiet = world.twin()
        world.gateway.writer.put(quiet.twin, "glucose", glucose(world, HISTORY_HOURS))
        live = [world.twin().twin for _ in range(TWINS)]
        over, posts, reads = threading.Event(), Latencies(), Latencies()
        readers = [stack.enter_context(_reader(world, quiet.twin, reads)) for _ in range(READERS)]
        stack.enter_context(_thread(over, lambda: _post(gateway.url, live, over, posts)))
        pids = {f"custodian {place}": each.pid for place, each in enumerate(world.custodians, 1)}
        pids |= {"gateway": gateway.pid, **{f"reader {place}": each.pid for place, each in enumerate(readers, 1)}}
        found = _watch(minutes, over, {name: pid for name, pid in pids.items() if pid}, posts, reads)
        over.set()
        return found, posts.failures + sum(each.poll() is not None for each in readers)


def _watch(
    minutes: float, over: threading.Event, pids: Mapping[str, int], posts: Latencies, reads: Latencies
) -> list[Series]:
    every = min(MINUTE, minutes * MINUTE / LEAST_SAMPLES)
    held = {(what, name): Series(what, name) for name in pids for what in ("memory", "handles")}
    taken = {name: Series("latency", name) for name in ("a post", "a read")}
    began, number = monotonic(), 1
    while monotonic() - began < minutes * MINUTE:
        over.wait(max(0.0, began + number * every - monotonic()))
        number += 1
        now = (monotonic() - began) / MINUTE
        for name, pid in pids.items():
            for what, value in (("memory", _resident(pid) / _MIB), ("handles", float(_handles(pid)))):
                _note(held[what, name], now, value)
        for name, latencies in (("a post", posts), ("a read", reads)):
            if (value := latencies.take()) is not None:
                _note(taken[name], now, value)
        print(f"{now:5.1f} min", ", ".join(_shown(each) for each in [*held.values(), *taken.values()]), file=sys.stderr)
    return [*held.values(), *taken.values()]


def _note(series: Series, at: float, value: float) -> None:
    series.times.append(at)
    series.values.append(value)


def _shown(series: Series) -> str:
    return f"{series.of} {series.values[-1]:.0f}{BOUNDS[series.what].unit}" if series.values else f"{series.of} -"


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


def _handles(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


# who is at work -----------------------------------------------------------------------------------------------


@contextmanager
def _gateway(world: World) -> Iterator[LocalGateway]:
    with tempfile.TemporaryDirectory(prefix="dtledger-soak-") as folder:
        gateway = LocalGateway(Path(folder))
        gateway.prepare([f"hub {hashlib.sha256(_TOKEN.encode()).hexdigest()}"], batch_seconds=60, free_bytes=0)
        gateway.start(world.devnet.home.root, PROFILE, "gateway")
        try:
            gateway.wait()
            yield gateway
        finally:
            gateway.stop()


@contextmanager
def _reader(world: World, twin: int, latencies: Latencies) -> Iterator[subprocess.Popen[str]]:
    """A process that reads (`soak_reader`), and a thread that hears how long that takes."""
    command = [sys.executable, "-m", "scripts.benchmarks.soak_reader", str(world.devnet.home.root), str(twin)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    heard = threading.Event()

    def hear() -> None:
        assert process.stdout is not None
        with process.stdout as told:
            for line in told:
                latencies.add(float(line))
                heard.set()
        heard.set()  # it ended, and a reader that did is counted

    listening = threading.Thread(target=hear)
    listening.start()
    try:
        heard.wait()
        yield process
    finally:
        process.terminate()
        process.wait()
        listening.join()


@contextmanager
def _thread(over: threading.Event, work: Callable[[], None]) -> Iterator[None]:
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _post(url: str, twins: Sequence[int], over: threading.Event, latencies: Latencies) -> None:
    """As a hub does, once a second, a twin after the other."""
    with requests.Session() as session:
        session.trust_env = False
        number = 0
        while not over.wait(1.0):
            at = datetime.now(UTC).isoformat()
            body = {
                "twin": twins[number % len(twins)],
                "category": "glucose",
                "unit": "mmol/L",
                "readings": [[at, 5 + number % 40 / 10]],
            }
            number += 1
            begun = perf_counter()
            answer = session.post(
                f"{url}/v1/readings", json=body, headers={"authorization": f"Bearer {_TOKEN}"}, timeout=60
            )
            latencies.add((perf_counter() - begun) * 1000)
            latencies.failures += answer.status_code != 202


# the verdict --------------------------------------------------------------------------------------------------


def told(found: Sequence[Series], failures: int) -> str:
    """A table and a verdict."""
    lines = [f"{'what':<9} {'of':<12} {'first':>8} {'last':>8} {'mean':>8} {'rise':>8} {'allowed':>8}"]
    for each in found:
        if not each.values:
            lines.append(f"{each.what:<9} {each.of:<12} nothing was taken")
            continue
        values = each.settled[1]
        figures = (values[0], values[-1], mean(values), each.rise, each.allowed)
        cells = " ".join(f"{figure:8.1f}" for figure in figures)
        lines.append(
            f"{each.what:<9} {each.of:<12} {cells} {BOUNDS[each.what].unit:<3} {'' if each.is_flat else 'RISES'}"
        )
    rising = [f"{each.what} of {each.of}" for each in found if each.values and not each.is_flat]
    silent = [f"{each.what} of {each.of}" for each in found if not each.values]
    bad = [*(f"{each} rises" for each in rising), *(f"no {each}" for each in silent)]
    bad += [f"{failures} posts or readers failed"] * bool(failures)
    return "\n".join([*lines, f"not flat: {'; '.join(bad)}" if bad else "flat: nothing rises, and nothing failed"])


def passes(found: Sequence[Series], failures: int) -> bool:
    return not failures and all(each.values and each.is_flat for each in found)


def main(arguments: Sequence[str]) -> int:
    found, failures = soak(float(arguments[0]) if arguments else 60.0)
    print(told(found, failures))
    return 0 if passes(found, failures) else 1


def _end(number: int, _: object) -> None:
    """Asked to end: leave every `with`, so that no process stays behind."""
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    sys.exit(main(sys.argv[1:]))
