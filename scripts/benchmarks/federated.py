"""What provenance costs a federated round: of the whole of a real one, of a site's own work, of its weights."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from dtledger.encoding import sha256
from dtledger.models.update import digest_of

from .bench import Bench
from .figures import NotMeasuredError, Rival, Row, at_least_times, at_most, at_most_times
from .timing import in_turns

SEED = 42


def _require() -> None:
    from dtledger.errors import InputError
    from dtledger.federated import require_extra

    try:
        require_extra()
    except InputError as lack:
        raise NotMeasuredError(lack.message) from None
    import flwr.common.logger  # noqa: F401 it sets a level of its own

    logging.getLogger("flwr").setLevel(logging.ERROR)


def hashing(bench: Bench) -> Row:
    """The canonical bytes of float32 weights, hashed as they are made, beside SHA-256 over bytes that lie there."""
    _require()
    import numpy as np

    from dtledger.federated.arrays import encode_arrays

    size = bench.sizes.plaintexts[1] << 20
    weights = {"w": np.random.default_rng(SEED).normal(size=size // 4).astype(np.float32)}
    data = weights["w"].tobytes()
    ours, bare = in_turns(lambda: digest_of(encode_arrays(weights)), lambda: sha256(data), bench.sizes.runs)
    what = f"canonical hashing of {size >> 20} MiB of float32 weights, p50"
    rivals = (Rival("bare SHA-256", size / bare.p50 / 2**30),)
    return Row(what, size / ours.p50 / 2**30, "GiB/s", (at_least_times(0.5, "bare SHA-256"),), rivals)


@dataclass(frozen=True, slots=True)
class _Rounds:
    """One round of the example's hospitals in one process, with provenance and without."""

    ours: Callable[[], object]
    plain: Callable[[], object]
    sites: int
    patients: int


def _in_process(bench: Bench) -> _Rounds:
    from dtledger.federated.hospitals.patients import breast_cancer
    from dtledger.testing import World
    from tests.federated.hospitals import HospitalWorld, run_plainly

    every = breast_cancer()
    folder = Path(bench.stack.enter_context(tempfile.TemporaryDirectory()))
    hospitals = HospitalWorld(bench.stack.enter_context(World(hours=1)), every, folder)
    model = hospitals.model("bench")
    sites = hospitals.sites(model)
    hospitals.run(SEED, 1, sites, model)  # reads every patient, once
    done = 1

    def ours() -> None:
        nonlocal done
        done += 1
        hospitals.run(SEED, done, sites, model, measured=False)

    return _Rounds(ours, lambda: run_plainly(every, SEED, 1, measured=False), len(sites), sum(map(_count, every)))


def _count(patients: Any) -> int:
    return len(patients.train)


def site(bench: Bench) -> Row:
    """What a site-round takes longer: consents judged, leaves, root, record, journal, commitment, and the
    coordinator's checks of it."""
    _require()
    rounds = bench.once("hospitals", lambda: _in_process(bench))
    ours, plain = in_turns(rounds.ours, rounds.plain, bench.sizes.runs)
    cost = (ours.p50 - plain.p50) / rounds.sites * 1000
    what = f"provenance of a site-round of {rounds.patients // rounds.sites} consents, in one process, p50"
    about = f"a round of {rounds.sites} sites: {ours.p50 * 1000:.0f} ms with it; ledger and store in memory"
    rival = Rival("the same site-round without it", plain.p50 / rounds.sites * 1000)
    return Row(what, cost, "ms", (at_most(100, "ms"),), (rival,), about)


def real(bench: Bench) -> Row:
    """A real round, SuperLink and SuperNodes, on a chain: plain and with provenance in turns."""
    _require()
    from tests.federated.devnet import hospitals_on_a_chain
    from tests.federated.processes import FlowerProcesses

    folder = Path(bench.stack.enter_context(tempfile.TemporaryDirectory()))
    took: dict[int, list[float]] = {0: [], 1: []}
    with hospitals_on_a_chain(folder / "home") as world, FlowerProcesses(folder / "flower", 2) as flower:
        for run in range(-1, bench.sizes.year_runs):  # the first of each is not counted
            for provenance in (run % 2, 1 - run % 2):
                settings: dict[str, str | int] = {
                    "home": str(world.home),
                    "leader": "coordinator",
                    "model": world.model(f"bench-{run + 1}-{provenance}"),
                    "provenance": provenance,
                    "rounds": 1,
                    "seed": SEED,
                    "out": str(folder / "weights"),
                }
                begun = perf_counter()
                flower.run("tests.federated.real_apps", settings)
                if run >= 0:
                    took[provenance].append(perf_counter() - begun)
    ours, plain = (sorted(took[each])[len(took[each]) // 2] for each in (1, 0))
    what = "a round of 2 sites with provenance, in Flower's own processes, median"
    about = f"{len(took[0])} runs each, in turns; on Anvil"
    return Row(what, ours, "s", (at_most_times(1.05, "plain Flower"),), (Rival("plain Flower", plain),), about)


ROWS = {"federated-hash": hashing, "federated-site": site}
LONG_ROWS = {"federated-round": real}
