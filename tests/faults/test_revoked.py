"""Revoked means refused: a clinician with its package and every block opens nothing that it had not fetched.

The clinician is a process of its own (see `tests/faults/revoked.py`); this one has the custodians and the patient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from dtledger.client.devnet import PROFILE
from dtledger.config import set_value
from dtledger.custodian import core
from dtledger.custody import CustodianPort
from dtledger.errors import DtledgerError
from dtledger.ledger import Slot, calls
from dtledger.types import Address, Digest
from dtledger.vocabulary import Reason
from tests.crash.deaths import FORKS
from tests.crash.scene import HOURS, TWIN, Scene, move_home
from tests.faults import revoked
from tests.faults.revoked import ATTEMPTS

pytestmark = pytest.mark.anvil

ALL = tuple(attempt.__name__ for attempt in ATTEMPTS)

WITH_CONSENT = (
    "asks_as_before", "asks_one_by_one", "sends_what_it_signed_before", "names_every_slot",
    "names_every_purpose_and_action", "uses_its_former_organisations_grant",
)  # fmt: skip
"""What opens everything as long as the consents stand."""

SOME = ("asks_as_before", "sends_what_it_signed_before", "uses_its_former_organisations_grant")


@dataclass(frozen=True)
class Trial:
    """What the clinician had fetched, and what each attempt opened afterwards."""

    fetched: set[Digest]
    opened: dict[str, set[Digest]]

    def opened_since(self, attempt: str) -> set[Digest]:
        return self.opened[attempt] - self.fetched


def clinicians_folder(scene: Scene, folder: Path) -> Path:
    """A copy of the home with the clinician's key alone, no custodian's file, and the store that everybody sees."""
    home = move_home(scene.home, folder)
    set_value(home, "store", f"directory:{scene.devnet.blocks}", profile=PROFILE)
    for part in ("custodians", "journal", "blocks", "ledger-cache"):
        _remove(home.root / part)
    for key in home.keys.glob("*.json"):
        if key.stem != "cardiology":
            key.unlink()
    assert not [each for each in home.root.rglob("*") if "custodian" in each.name]
    return home.root


def _remove(path: Path) -> None:
    for each in sorted(path.rglob("*"), reverse=True):
        each.unlink() if each.is_file() else each.rmdir()
    path.rmdir()


def try_out(scene: Scene, folder: Path, meanwhile: Callable[[], None], attempts: Sequence[str] = ALL) -> Trial:
    """Let the clinician fetch one snapshot, then `meanwhile` happens, then let it try."""
    here, there = FORKS.Pipe()
    process = FORKS.Process(target=revoked.run, args=(there, clinicians_folder(scene, folder), attempts))
    process.start()
    there.close()
    with here, scene.client("patient") as patient:
        fetched = _serve(here, patient.context.custodians, "fetched")
        meanwhile()
        here.send("go on")
        opened = _serve(here, patient.context.custodians, "done")
    process.join()
    assert process.exitcode == 0
    return Trial(fetched, opened)


def _serve(wire: Connection, custodians: Mapping[Address, CustodianPort], until: str) -> Any:
    """Answer as the custodians, until the clinician says that word."""
    while True:
        message = wire.recv()
        if message[0] == until:
            return message[1]
        custodian, request, shares = message
        try:
            wire.send(custodians[custodian].open(request, shares))
        except DtledgerError as error:
            wire.send(type(error)(error.message))


@contextmanager
def forgetful() -> Iterator[None]:
    """Custodians that do not ask the ledger."""
    judge, refuses = core.judge, core.contract_refuses
    core.judge = lambda *_: Reason.PERMITTED
    core.contract_refuses = lambda *_: None
    try:
        yield
    finally:
        core.judge, core.contract_refuses = judge, refuses


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "clinician"


def take_everything_back(scene: Scene) -> None:
    """The patient revokes the clinician's grant; the hospital, whose grant stands, dismisses the clinician."""
    with scene.client("patient") as patient, scene.client("hospital") as hospital:
        clinician = scene.address("cardiology")
        patient.consents.revoke(Slot(patient.address, TWIN, clinician, 0))
        hospital.context.ledger.send(calls.dismiss(clinician), hospital.context.key)
        view = patient.context.view()
        assert view.grant(patient.address, TWIN, hospital.address, 0).given
        assert view.member(clinician).organisation is None  # type: ignore[union-attr]


def test_nothing_opens_that_it_had_not_fetched(scene: Scene, folder: Path) -> None:
    trial = try_out(scene, folder, lambda: take_everything_back(scene))
    assert len(trial.fetched) == 1
    assert tuple(trial.opened) == ALL
    for name in trial.opened:
        assert trial.opened_since(name) == set(), name
    assert trial.opened["opens_what_it_kept"] == trial.fetched, "what it fetched it keeps: nobody can help that"


def test_the_same_attempts_under_consent_open_everything(scene: Scene, folder: Path) -> None:
    trial = try_out(scene, folder, lambda: None)
    opening = {name for name in trial.opened if len(trial.opened[name]) == HOURS}
    assert opening == set(WITH_CONSENT)


def test_custodians_that_do_not_ask_the_ledger_are_found_out(scene: Scene, folder: Path) -> None:
    with forgetful():
        trial = try_out(scene, folder, lambda: take_everything_back(scene), SOME)
    assert [len(trial.opened_since(name)) for name in SOME] == [HOURS - 1] * len(SOME)


@pytest.mark.parametrize("denial", ["revoke_all", "block", "suspend", "retire"])
def test_neither_does_anything_after_any_other_denial(scene: Scene, folder: Path, denial: str) -> None:
    def deny() -> None:
        with scene.client("patient") as patient, scene.client("operator") as operator:
            match denial:
                case "revoke_all":
                    patient.consents.revoke_all(TWIN)
                case "block":
                    patient.consents.block(TWIN, scene.address("cardiology"))
                case "suspend":
                    operator.members.suspend(scene.address("cardiology"))
                case "retire":
                    patient.context.ledger.send(calls.announce_retirement(TWIN), patient.context.key)

    trial = try_out(scene, folder, deny, SOME)
    for name in trial.opened:
        assert trial.opened_since(name) == set(), name
