"""The federated demo's patients: a twin for each, a grant to the hospital that has it, and what was measured of it.

A patient's key is drawn here and ends with the run, but for one whom the story follows: seven hundred files would say
nothing more. A second run finds the twins by the hospitals' own lists.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..._backend.files import write_atomically
from ...client import Client, Terms
from ...client.context import Identity
from ...client.parts import Part
from ...errors import InputError
from ...federated.hospitals.patients import CATEGORY, Patients, Row, breast_cancer, heart_disease, readings_of
from ...testing import MemoryKey
from ...types import Address, Period
from ...vocabulary import Action, Purpose

YEAR = 365 * 86_400
THRESHOLD = 2


@dataclass(frozen=True, slots=True)
class Admitted:
    """The twins of one hospital's patients: those whom it trains on, those whom it measures a model on."""

    train: tuple[int, ...]
    test: tuple[int, ...]


class Admitting:
    """Admits patients to one hospital after another.

    Args:
        operator: mints.
        hospital: writes what was measured, all of it in one batch.
        fund: gives an address play money.
        folder: where the hospitals' lists are.
    """

    def __init__(
        self, operator: Client, hospital: Client, fund: Callable[[Address], object], folder: Path, name: str
    ) -> None:
        self._operator = operator
        self._hospital = hospital
        self._fund = fund
        self._list = folder / f"{name}.json"
        self.gas = 0

    def listed(self) -> Admitted | None:
        """Whom the hospital admitted already."""
        if not self._list.exists():
            return None
        held = json.loads(self._list.read_text())
        return Admitted(tuple(held["train"]), tuple(held["test"]))

    def admit(self, patients: Patients, first: Identity | None, done: Callable[[], None]) -> Admitted:
        """All of a hospital's patients; `first` is the key of the first whom it trains on, `done` hears of each."""
        parts = []
        for place, row in enumerate(patients.rows):
            key = first if first is not None and not place else MemoryKey(f"{patients.hospital}-{place}")
            parts.append(self._twin(key, row))
            done()
        faults = [each for each in self._hospital.writer.put_batch(parts) if each is not None]
        if faults:
            raise faults[0]
        twins = [each.twin for each in parts]
        admitted = Admitted(tuple(twins[: len(patients.train)]), tuple(twins[len(patients.train) :]))
        written = json.dumps({"train": admitted.train, "test": admitted.test})
        write_atomically(self._list, written.encode())
        return admitted

    def _twin(self, key: Identity, row: Row) -> Part:
        """A patient's twin with its grant, and what is to be written of it."""
        self._fund(key.address)
        context = self._operator.context
        patient = Client(context.ledger, context.store, context.custodians, key)
        twin, receipt = self._operator.twins.mint(patient.twins.request_mint())
        self.gas += receipt.gas + patient.twins.set_up(twin, list(context.custodians), THRESHOLD).gas
        now = context.clock()
        data = Period(0, (now + YEAR) // 60)
        actions = (Action.WRITE, Action.TRAIN)
        terms = Terms((CATEGORY,), (Purpose.HRESCH,), actions, now, now + YEAR, data)
        self.gas += patient.consents.grant(twin, self._hospital.address, terms, 0)[1].gas
        return Part(twin, CATEGORY, tuple(readings_of(row, now // 60 * 60 - 3600)))


def patients_at_hand() -> tuple[str, list[Patients]]:
    """Whose patients they are, and they: heart disease where the folder of recordings is, else breast cancer.

    Raises:
        InputError: DTLEDGER_DATA names a folder that lacks them.
    """
    named = os.environ.get("DTLEDGER_DATA")
    if not named:
        return "the breast cancer data in scikit-learn", breast_cancer()
    folder = Path(named) / "federated" / "heart_disease"
    if not folder.is_dir():
        raise InputError(f"There is no {folder}.", hint="Unset DTLEDGER_DATA to go without it.")
    return "the UCI heart disease data", heart_disease(folder)
