"""Flower's own processes, on a real chain: the weights are those of the same apps in one process, with provenance and
without, and the ledger has every round."""

from __future__ import annotations

from pathlib import Path

import pytest

from dtledger.federated.grid import run_in_process
from dtledger.models.update import digest_of
from tests.federated import real_apps
from tests.federated.devnet import hospitals_on_a_chain
from tests.federated.processes import FlowerProcesses

pytestmark = [pytest.mark.flower, pytest.mark.slow, pytest.mark.anvil]

ROUNDS, SEED = 1, 42


def test_real_processes_make_the_weights_of_one_process(tmp_path: Path) -> None:
    with hospitals_on_a_chain(tmp_path / "home") as world:

        def settings(name: str, provenance: int) -> dict[str, str | int]:
            return {
                "home": str(world.home),
                "leader": "coordinator",
                "model": world.model(name),
                "provenance": provenance,
                "rounds": ROUNDS,
                "seed": SEED,
                "out": str(tmp_path / f"{name}.weights"),
            }

        with FlowerProcesses(tmp_path / "flower", 2) as flower:
            for name, provenance in (("real", 1), ("real-plain", 0)):
                flower.run("tests.federated.real_apps", settings(name, provenance))
        nodes = {place + 10: {"partition-id": place} for place in range(2)}
        for name, provenance in (("one", 1), ("one-plain", 0)):
            run_in_process(real_apps.server, real_apps.client, nodes, settings(name, provenance))
        real_apps.close()
        made = {path.stem: path.read_bytes() for path in tmp_path.glob("*.weights")}
        assert set(made) == {"real", "real-plain", "one", "one-plain"}
        assert len(set(made.values())) == 1
        view = world.people["coordinator"].context.view()
        (aggregate,) = [view.aggregate(1, number) for number in range(1, ROUNDS + 1)]
        assert aggregate is not None
        assert aggregate.aggregate == digest_of([made["real"]])
        assert [each.cohort for each in view.updates(1, ROUNDS)] == [4, 4]
