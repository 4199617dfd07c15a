"""`twin move`: to another key of the home, and to somebody else's by two files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import Result

from tests.cli.twins import address_of, complaint, new_key, new_twin, said

if TYPE_CHECKING:
    from tests.cli.conftest import DevnetHome

pytestmark = pytest.mark.anvil

Run = Callable[..., Result]


def owner_of(home: DevnetHome, twin: int) -> str | None:
    with home.client("patient") as client:
        return client.context.view().owner(twin)


def readable(home: DevnetHome, key: str, twin: int) -> int:
    with home.client(key) as client:
        return len(client.read(twin, "glucose", "PATRQT"))


def test_to_another_key_of_the_home_in_one_command_with_everything(dtledger: Run, devnet_home: DevnetHome) -> None:
    twin, ann = new_twin(devnet_home), new_key(devnet_home)
    twin.grant()
    looked = dtledger("twin", "move", twin.number, "--key", "patient", "--to", ann, "--dry-run")
    assert "for good, and all that is granted on it ends" in looked.stderr
    assert owner_of(devnet_home, twin.number) == address_of(devnet_home, "patient")
    told = said(dtledger("twin", "move", twin.number, "--key", "patient", "--to", ann, "--yes", "--json"))
    assert (told["schema"], told["with_secrets"]) == ("dtledger/twin-moved/1", True)
    assert set(told["sent"]) == {"move", "card"}
    assert readable(devnet_home, ann, twin.number) == len(twin.readings)
    shown = said(dtledger("twin", "show", twin.number, "--key", ann, "--json"))
    assert (shown["mine"], shown["generation"], shown["grants"]["live"]) == (True, 1, 0)


def test_to_another_key_without_the_secrets(dtledger: Run, devnet_home: DevnetHome) -> None:
    twin, ann = new_twin(devnet_home), new_key(devnet_home)
    words = ("twin", "move", twin.number, "--key", "patient", "--to", ann, "--without-secrets")
    assert "reads nothing that was written before" in dtledger(*words, "--yes").stderr
    assert readable(devnet_home, ann, twin.number) == 0


def test_what_stopped_between_move_and_card_goes_on(dtledger: Run, devnet_home: DevnetHome) -> None:
    twin, ann = new_twin(devnet_home), new_key(devnet_home)
    with devnet_home.client("patient") as patient, devnet_home.client(ann) as heir:
        patient.twins.move(heir.twins.accept_move(twin.number))
    result = dtledger("twin", "move", twin.number, "--key", "patient", "--to", ann, "--yes")
    assert "already: going on with it" in result.stderr
    assert readable(devnet_home, ann, twin.number) == len(twin.readings)
    assert dtledger("twin", "move", twin.number, "--key", "patient", "--to", ann, "--yes").exit_code == 0


def test_never_back_to_a_former_owner(dtledger: Run, devnet_home: DevnetHome) -> None:
    twin, ann = new_twin(devnet_home), new_key(devnet_home)
    assert dtledger("twin", "move", twin.number, "--key", "patient", "--to", ann, "--yes").exit_code == 0
    words = ("twin", "move", twin.number, "--key", ann, "--yes", "--json", "--to")
    assert "cannot go back to its former owner" in complaint(dtledger(*words, "patient"), 2)["message"]
    assert said(dtledger(*words, new_key(devnet_home)))["sent"]


# by files --------------------------------------------------------------------------------------------------------


def test_by_two_files_to_somebody_on_another_machine(dtledger: Run, devnet_home: DevnetHome, tmp_path: Path) -> None:
    twin, bea = new_twin(devnet_home), new_key(devnet_home)
    accepted, handover = tmp_path / "bea.json", tmp_path / "twin.json"
    asked = said(dtledger("twin", "move", twin.number, "--key", bea, "--accept-out", accepted, "--json"))
    assert asked["schema"] == "dtledger/twin-acceptance/1"
    words = ("twin", "move", "--key", "patient", "--accepted", accepted)
    assert "Nothing was sent." in dtledger(*words, "--handover-out", handover, "--dry-run").stdout
    assert not handover.exists()
    told = said(dtledger(*words, "--handover-out", handover, "--yes", "--json"))
    assert told["to"]["address"] == asked["to"] == owner_of(devnet_home, twin.number)
    assert dtledger("twin", "move", "--key", bea, "--handover", handover, "--dry-run").exit_code == 0
    said(dtledger("twin", "move", "--key", bea, "--handover", handover, "--json"))
    assert readable(devnet_home, bea, twin.number) == len(twin.readings)
    assert dtledger("twin", "move", "--key", bea, "--handover", handover).exit_code == 0, "again it is found done"


def test_without_the_secrets_the_new_owner_sets_its_card_by_mint(
    dtledger: Run, devnet_home: DevnetHome, tmp_path: Path
) -> None:
    twin, bea = new_twin(devnet_home), new_key(devnet_home)
    accepted = tmp_path / "bea.json"
    dtledger("twin", "move", twin.number, "--key", bea, "--accept-out", accepted)
    result = dtledger("twin", "move", "--key", "patient", "--accepted", accepted, "--without-secrets", "--yes")
    assert "dtledger twin mint --key NAME" in result.stderr
    assert said(dtledger("twin", "mint", "--key", bea, "--json"))["twin"] == twin.number
    assert readable(devnet_home, bea, twin.number) == 0


def test_a_new_owner_is_given_the_secrets_only_if_that_is_said(
    dtledger: Run, devnet_home: DevnetHome, tmp_path: Path
) -> None:
    twin, bea = new_twin(devnet_home), new_key(devnet_home)
    accepted, handover = tmp_path / "bea.json", tmp_path / "twin.json"
    dtledger("twin", "move", twin.number, "--key", bea, "--accept-out", accepted)
    words = ("twin", "move", "--key", "patient", "--accepted", accepted, "--yes", "--json")
    assert "--without-secrets" in complaint(dtledger(*words), 2)["hint"]
    assert dtledger(*words, "--with-secrets").exit_code == 2, "and where they go"
    assert dtledger(*words, "--without-secrets", "--handover-out", handover).exit_code == 2
    assert owner_of(devnet_home, twin.number) == address_of(devnet_home, "patient")
    assert said(dtledger(*words, "--handover-out", handover))["with_secrets"] is True


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"schema": "dtledger/other/1"}, 2, "nobody's consent"),
        ({"to": "0x12"}, 2, "nobody's consent"),
        ({"signature": None}, 2, "nobody's consent"),
        ({"deployment": "1-00-00"}, 2, "for the deployment 1-00-00"),
        ({"deadline": 1}, 4, "did not sign"),
    ],
)
def test_an_acceptance_that_is_damaged_foreign_or_changed_moves_nothing(
    dtledger: Run,
    devnet_home: DevnetHome,
    tmp_path: Path,
    change: dict[str, Any],
    code: int,
    words: str,
) -> None:
    twin, bea, accepted = new_twin(devnet_home, hours=0), new_key(devnet_home), tmp_path / "bea.json"
    dtledger("twin", "move", twin.number, "--key", bea, "--accept-out", accepted)
    whole = accepted.read_text()
    accepted.write_text(json.dumps(json.loads(whole) | change))
    run = ("twin", "move", "--key", "patient", "--accepted", accepted, "--without-secrets", "--yes", "--json")
    assert words in complaint(dtledger(*run), code)["message"]
    accepted.write_text(whole)
    assert said(dtledger(*run))["sent"]


def test_a_hand_over_that_is_none_is_refused_and_no_other_file_is_written_over(
    dtledger: Run, devnet_home: DevnetHome, tmp_path: Path
) -> None:
    twin, bea = new_twin(devnet_home, hours=0), new_key(devnet_home)
    accepted, diary = tmp_path / "bea.json", tmp_path / "diary.txt"
    diary.write_text("dear diary")
    assert dtledger("twin", "move", twin.number, "--key", bea, "--accept-out", diary).exit_code == 2
    dtledger("twin", "move", twin.number, "--key", bea, "--accept-out", accepted)
    words = ("twin", "move", "--key", "patient", "--accepted", accepted, "--yes", "--json")
    assert "hands no twin over" in complaint(dtledger(*words, "--handover-out", diary), 2)["message"]
    assert "hands no twin over" in complaint(dtledger("twin", "move", "--handover", accepted, "--json"), 2)["message"]
    assert diary.read_text() == "dear diary"
    missing = dtledger("twin", "move", "--handover", tmp_path / "none.json")
    assert missing.exit_code == 2
    assert "cannot be read" in missing.stderr


def test_one_way_at_a_time(dtledger: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    assert dtledger("twin", "move", "1").exit_code == 2
    assert dtledger("twin", "move", "1", "--to", "ann", "--accepted", file).exit_code == 2
    assert dtledger("twin", "move", "1", "--to", "ann", "--handover-out", file).exit_code == 2
