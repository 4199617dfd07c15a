"""A soak: a gateway, three custodians and readers as processes, for an hour or as long as is asked, and what they hold.

    scripts/test --soak [MINUTES]

A hub posts readings of five twins once a second, the gateway anchors them every minute, two readers read a day of
another twin, each every two seconds: so each custodian answers one request of 24 snapshots a second, which leaves a
machine of two cores time enough for latencies to say something. Each minute (in a short soak a twelfth of it) memory,
handles and latency are taken; `flatness` says what of them is flat.
"""

from __future__ import annotations

import hashlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import monotonic, perf_counter
from typing import Any

import requests

from dtledger.client.devnet import PROFILE
from dtledger.service.local import LocalGateway

from .flatness import BOUNDS, Series, Soaked
from .machine import busy_seconds
from .pacing import turns
from .soak_reader import PAUSE
from .storing import glucose
from .world import World, devnet_world

MINUTE = 60.0
LEAST_SAMPLES = 12
TWINS = 5
READERS = 2
POST_PAUSE = 1.0
HISTORY_HOURS = 24
_PAGE, _MIB = 4096, 2**20
_TOKEN = "a-token-of-the-soak"  # noqa: S105 of a world that ends with it
_ANSWERED = re.compile(r'^dtledger_custodian_requests_total\{endpoint="/v1/open",.*\} (\S+)$', re.MULTILINE)


@dataclass(slots=True)
class Work:
    """What is done at a pace, by any thread: milliseconds since they were taken last, how often, and what failed."""

    pause: float
    done: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    _since: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, milliseconds: float) -> None:
        with self._lock:
            self.done += 1
            self._since.append(milliseconds)

    def fail(self, why: str) -> None:
        with self._lock:
            self.failed[why] += 1

    def take(self) -> float | None:
        """The median; None if nothing was done."""
        with self._lock:
            some, self._since = self._since, []
        return median(some) if some else None


def soak(minutes: float) -> Soaked:
    with devnet_world() as world, ExitStack() as stack:
        gateway = stack.enter_context(_gateway(world))
        quiet = world.twin()
        world.gateway.writer.put(quiet.twin, "glucose", glucose(world, HISTORY_HOURS))
        live = [world.twin().twin for _ in range(TWINS)]
        over, posts, reads = threading.Event(), Work(POST_PAUSE), Work(PAUSE / READERS)
        readers = [
            stack.enter_context(_reader(world, quiet.twin, place * PAUSE / READERS, reads)) for place in range(READERS)
        ]
        stack.enter_context(_thread(over, lambda: _post(gateway.url, live, over, posts)))
        custodians = {f"custodian {place}": each for place, each in enumerate(world.custodians, 1)}
        pids = {name: each.pid for name, each in custodians.items()}
        pids |= {"gateway": gateway.pid, **{f"reader {place}": each.pid for place, each in enumerate(readers, 1)}}
        watch = _Watch(
            {name: pid for name, pid in pids.items() if pid},
            {name: each.url for name, each in custodians.items()},
            {"post": posts, "read": reads},
        )
        return watch.run(minutes, over)


class _Watch:
    """Who is looked at each minute: processes by their numbers, custodians by their metrics, work by its latencies."""

    def __init__(self, pids: Mapping[str, int], urls: Mapping[str, str], work: Mapping[str, Work]) -> None:
        self._pids, self._urls, self._work = pids, urls, work
        self._held = {(what, name): Series(what, name) for name in pids for what in ("memory", "handles")}
        self._took = {name: Series("latency", f"a {name}") for name in work}
        self._answered = {name: Series("requests", name) for name in urls}
        self._ended: set[str] = set()

    def run(self, minutes: float, over: threading.Event) -> Soaked:
        every = min(MINUTE, minutes * MINUTE / LEAST_SAMPLES)
        done = {name: each.done for name, each in self._work.items()}
        began, busy, number = monotonic(), busy_seconds(), 1
        while monotonic() - began < minutes * MINUTE:
            over.wait(max(0.0, began + number * every - monotonic()))
            number += 1
            self._look((monotonic() - began) / MINUTE)
        passed = monotonic() - began
        return Soaked(
            [*self._held.values(), *self._took.values()],
            list(self._answered.values()),
            {f"{name}s": (each.done - done[name], int(passed / each.pause)) for name, each in self._work.items()},
            Counter({f"{name}: {why}": n for name, each in self._work.items() for why, n in each.failed.items()})
            + Counter(f"{name} ended" for name in self._ended),
            (busy_seconds() - busy) / passed,
        )

    def _look(self, now: float) -> None:
        for name, pid in self._pids.items():
            try:
                resident, handles = _resident(pid), _handles(pid)
            except OSError:
                self._ended.add(name)
                continue
            self._held["memory", name].note(now, resident / _MIB)
            self._held["handles", name].note(now, float(handles))
        for name, work in self._work.items():
            if (value := work.take()) is not None:
                self._took[name].note(now, value)
        for name, url in self._urls.items():
            with suppress(requests.RequestException):
                self._answered[name].note(now, _answered(url))
        shown = (_shown(each) for each in [*self._held.values(), *self._took.values(), *self._answered.values()])
        print(f"{now:5.1f} min", ", ".join(shown), file=sys.stderr)


def _shown(series: Series) -> str:
    bound = BOUNDS.get(series.what)
    unit = bound.unit if bound else f" {series.what}"
    return f"{series.of} {series.values[-1]:.0f}{unit}" if series.values else f"{series.of} -"


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


def _handles(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _answered(url: str) -> float:
    """Requests to open shares that the custodian there has answered, with whatever."""
    with requests.Session() as session:
        session.trust_env = False
        return sum(map(float, _ANSWERED.findall(session.get(f"{url}/metrics", timeout=30).text)))


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
def _reader(world: World, twin: int, phase: float, reads: Work) -> Iterator[subprocess.Popen[str]]:
    """A process that reads (`soak_reader`), and a thread that hears how long that takes."""
    command = [sys.executable, "-m", "scripts.benchmarks.soak_reader", str(world.devnet.home.root), str(twin)]
    process = subprocess.Popen([*command, str(phase)], stdout=subprocess.PIPE, text=True)

    heard = threading.Event()

    def hear() -> None:
        assert process.stdout is not None
        with process.stdout as told:
            for line in told:
                try:
                    reads.add(float(line))
                except ValueError:
                    reads.fail(line.strip())
                heard.set()
        heard.set()  # it ended, and one that did is counted

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


def _post(url: str, twins: Sequence[int], over: threading.Event, posts: Work) -> None:
    """As a hub does, a twin after the other."""
    with requests.Session() as session:
        session.trust_env = False
        for number, _ in enumerate(turns(over, POST_PAUSE)):
            body: dict[str, Any] = {
                "twin": twins[number % len(twins)],
                "category": "glucose",
                "unit": "mmol/L",
                "readings": [[datetime.now(UTC).isoformat(), 5 + number % 40 / 10]],
            }
            begun = perf_counter()
            try:
                answer = session.post(
                    f"{url}/v1/readings", json=body, headers={"authorization": f"Bearer {_TOKEN}"}, timeout=60
                )
            except requests.RequestException as error:
                posts.fail(type(error).__name__)
                continue
            if answer.status_code == 202:
                posts.add((perf_counter() - begun) * 1000)
            else:
                posts.fail(str(answer.status_code))


def main(arguments: Sequence[str]) -> int:
    """
    Returns:
        1 if something is not flat.
    """
    found = soak(float(arguments[0]) if arguments else 60.0)
    print(found)
    return 1 if found.faults else 0


def _end(number: int, _: object) -> None:
    """Asked to end: leave every `with`, so that no process stays behind."""
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    sys.exit(main(sys.argv[1:]))
