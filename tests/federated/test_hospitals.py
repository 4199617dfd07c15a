"""The worked example: its patients, its model, and that provenance changes neither."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from dtledger.errors import InputError
from dtledger.federated.hospitals import learning
from dtledger.federated.hospitals.patients import (
    Patients,
    breast_cancer,
    columns_of,
    heart_disease,
    readings_of,
    row_of,
)
from dtledger.readings import decode_readings, encode_readings
from dtledger.testing import World
from tests.federated.hospitals import HospitalWorld, run_plainly
from tests.federated.test_rounds import same

SEEDS = range(42, 47)
ENOUGH, NEAR = 0.78, 0.015


@pytest.fixture(scope="module")
def heart() -> list[Patients]:
    return heart_disease(Path(os.environ["DTLEDGER_DATA"]) / "federated" / "heart_disease")


class TestPatients:
    @pytest.mark.real_data
    def test_are_those_of_flamby(self, heart: list[Patients]) -> None:
        """740 of them, split as its table says; and of Switzerland all whom it trains on are ill."""
        counts = {each.hospital: (len(each.train), len(each.test)) for each in heart}
        assert counts == {"cleveland": (199, 104), "hungarian": (172, 89), "switzerland": (30, 16), "va": (85, 45)}
        assert all(row[-1] for row in heart[2].train)
        assert columns_of(heart[0].train).shape[1] == 13

    def test_of_the_wheel_are_four_hospitals_of_24(self) -> None:
        every = breast_cancer()
        assert [(len(each.train), len(each.test)) for each in every] == [(15, 9)] * 4
        assert len({row for each in every for row in each.rows}) == 96
        assert columns_of(every[0].train).shape[1] == 30

    def test_come_back_from_a_twin_as_they_were(self) -> None:
        row = breast_cancer()[0].train[0]
        content = decode_readings(encode_readings("lab", readings_of(row, 1_700_000_040)))
        assert row_of({"lab": content.readings}) == row  # type: ignore[dict-item]

    def test_are_asked_for_where_they_are(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="cannot be read"):
            heart_disease(tmp_path)


class TestTheModel:
    def test_learns(self) -> None:
        every = breast_cancer()
        weights = learning.train_pooled(every, 42)
        assert learning.pooled_accuracy(weights, every) > 0.8

    def test_scales_a_column_of_one_value_to_nothing(self) -> None:
        rows = [(1.0, 5.0, 0.0), (2.0, 5.0, 1.0)]
        given, _ = learning.Scale.of(rows).scaled(rows)
        assert np.array_equal(given[:, 1], [0, 0])


@pytest.mark.slow
def test_the_example_without_data_is_the_same_with_provenance_and_without(tmp_path: Path) -> None:
    every = [Patients(each.hospital, each.train[:5], each.test[:2]) for each in breast_cancer()]
    plain, counted = run_plainly(every, 42, 3)
    with World(hours=1) as world:
        hospitals = HospitalWorld(world, every, tmp_path)
        model = hospitals.model("risk")
        made, again = hospitals.run(42, 3, hospitals.sites(model), model)
    assert same(dict(made), dict(plain))
    assert counted == again


@pytest.mark.real_data
@pytest.mark.accuracy
def test_heart_disease_is_told_as_well_as_from_all_patients_in_one_place(heart: list[Patients], tmp_path: Path) -> None:
    """FLamby's split, protocol and metric, over its seeds, with provenance; its own table has FedAvg at .7480."""
    federated, pooled = [], []
    with World(hours=1) as world:
        hospitals = HospitalWorld(world, heart, tmp_path)
        for seed in SEEDS:
            model = hospitals.model(f"seed-{seed}")
            sites = hospitals.sites(model)
            made, (right, count) = hospitals.run(seed, learning.ROUNDS, sites, model)
            plain, counted = run_plainly(heart, seed, learning.ROUNDS)
            assert same(dict(made), dict(plain))
            assert (right, count) == counted == (counted[0], 254)
            federated.append(right / count)
            pooled.append(learning.pooled_accuracy(learning.train_pooled(heart, seed), heart))
    print(f"federated {np.mean(federated):.4f} {federated}, pooled {np.mean(pooled):.4f} {pooled}")
    assert np.mean(federated) >= ENOUGH
    assert abs(np.mean(federated) - np.mean(pooled)) <= NEAR
