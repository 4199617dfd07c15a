"""A poisoned site: its update is bounded, trimmed or outvoted, and it is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flwr.serverapp.strategy import FedAvg, FedMedian, FedTrimmedAvg

from dtledger.federated.privacy import differences, norm
from dtledger.federated.site import Answer
from dtledger.testing import World
from tests.federated.attacks import Liar
from tests.federated.scene import START, Scene, averaging

SITES = 5
POISON = 1000.0


class Poisoned(Liar):
    """Sends its update the wrong way round, many times over. It commits to what it sends: no record is at fault."""

    def commit(self, turn: Any, plan: Any, arrays: Any, metrics: Any) -> Answer:
        if self.lying(turn):
            arrays = {name: np.asarray(-POISON * each, each.dtype) for name, each in arrays.items()}
        return super().commit(turn, plan, arrays, metrics)


@pytest.fixture
def five(tmp_path: Path) -> Iterator[Scene]:
    with World(hours=1) as world:
        yield Scene(world, tmp_path, patients=[2] * SITES)


def run(scene: Scene, inner: Any, *, poisoned: bool, **options: Any) -> tuple[dict[str, Any], Any]:
    sites: list[Any] = scene.sites()
    if poisoned:
        client = scene.hospitals[2].client
        sites[2] = Poisoned(client, scene.model, scene.journal(client), privacy=scene.site(2).privacy)
        sites[2].scene, sites[2].lies = scene, [1]
    strategy = scene.strategy(inner, **options)
    made = scene.run(1, sites=sites, strategy=strategy)
    return made, strategy.reports[0]


def far(one: dict[str, Any], other: dict[str, Any]) -> float:
    return norm(differences(one, other))


def common(kind: type[FedAvg], **options: Any) -> FedAvg:
    return kind(min_train_nodes=SITES, min_available_nodes=SITES, fraction_evaluate=0.0, **options)


@pytest.mark.parametrize(
    ("inner", "options"),
    [
        (lambda: common(FedTrimmedAvg, beta=0.2), {}),
        (lambda: common(FedMedian), {}),
        (lambda: averaging(SITES), {"norm_bound": 1.0}),
    ],
    ids=["trimmed mean", "median", "norm bound"],
)
def test_a_poisoned_site_is_bounded_and_named(five: Scene, inner: Any, options: dict[str, Any]) -> None:
    honest, report = run(five, averaging(SITES), poisoned=False)
    assert (report.far, report.bounded) == ((), ())
    five.model = five.model_of("bounded")
    made, report = run(five, inner(), poisoned=True, **options)
    site = five.hospitals[2].client.address
    assert report.far == (site,)
    assert report.bounded == ((site,) if options else ())
    assert far(made, honest) < 0.5
    five.model = five.model_of("unbounded")
    spoiled, report = run(five, averaging(SITES), poisoned=True)
    assert far(spoiled, honest) > 50
    assert report.far == (site,)


def test_a_bound_leaves_those_within_it_as_they_are(five: Scene) -> None:
    made, _ = run(five, averaging(SITES), poisoned=False)
    five.model = five.model_of("bounded")
    bounded, report = run(five, averaging(SITES), poisoned=False, norm_bound=10.0)
    assert report.bounded == ()
    assert all(np.array_equal(made[name], bounded[name]) for name in START)


def test_of_two_nobody_can_say_who_is_far(scene: Scene) -> None:
    _, report = run(scene, averaging(2), poisoned=False)
    assert report.far == ()


def test_the_report_is_in_the_coordinators_journal(five: Scene) -> None:
    _, report = run(five, averaging(SITES), poisoned=True, norm_bound=1.0)
    kept = five.journal(five.coordinator).kept(five.model, 1)
    assert kept is not None
    assert kept.said["report"] == report.to_dict()
