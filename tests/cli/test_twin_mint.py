"""`twin mint`: on one machine, on two, and after a crash between its two transactions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import Result

from dtledger.client.devnet import OPERATOR, Devnet
from tests.cli.twins import complaint, copy_of, new_key, said

if TYPE_CHECKING:
    from tests.cli.conftest import DevnetHome

pytestmark = pytest.mark.anvil

Run = Callable[..., Result]


def twins_of(home: DevnetHome, name: str) -> list[int]:
    with home.client(name) as client:
        return client.context.view().twins_of(client.address)


def threshold_of(home: DevnetHome, name: str, twin: int) -> tuple[int, int]:
    with home.client(name) as client:
        roster = client.twins.roster(twin)
        return roster.threshold, len(roster.custodians)


def test_the_operator_beside_pays_and_a_majority_of_all_custodians_holds_the_shares(
    dtledger: Run, devnet_home: DevnetHome
) -> None:
    ann = new_key(devnet_home)
    told = said(dtledger("twin", "mint", "--key", ann, "--json"))
    assert told["schema"] == "dtledger/twin-minted/1"
    assert twins_of(devnet_home, ann) == [told["twin"]]
    assert threshold_of(devnet_home, ann, told["twin"]) == (2, 3) == (told["threshold"], len(told["custodians"]))
    assert told["sent"]["mint"]["gas"] > 0 < told["sent"]["card"]["gas"]
    assert {each["name"] for each in told["custodians"]} == {"custodian-1", "custodian-2", "custodian-3"}


def test_a_second_twin_of_one_key_must_be_asked_for(dtledger: Run, devnet_home: DevnetHome, tmp_path: Path) -> None:
    ann = new_key(devnet_home)
    first = said(dtledger("twin", "mint", "--key", ann, "--json"))["twin"]
    for words in ((), ("--request-out", tmp_path / "ann.json"), ("--dry-run",)):
        refused = complaint(dtledger("twin", "mint", "--key", ann, *words, "--json"), 2)
        assert f"owns twin {first} already" in refused["message"]
        assert "--another" in refused["hint"]
    second = said(dtledger("twin", "mint", "--key", ann, "--another", "--json"))["twin"]
    assert twins_of(devnet_home, ann) == [first, second]


def test_a_dry_run_says_what_it_would_do_and_sends_nothing(dtledger: Run, devnet_home: DevnetHome) -> None:
    ann = new_key(devnet_home)
    result = dtledger("twin", "mint", "--key", ann, "--dry-run")
    assert result.exit_code == 0
    assert "2 of 3 custodians" in result.stderr
    assert twins_of(devnet_home, ann) == []


def test_custodians_and_threshold_can_be_chosen(dtledger: Run, devnet_home: DevnetHome) -> None:
    ann = new_key(devnet_home)
    with devnet_home.client(ann) as client:
        one, two, _ = client.context.custodians
    words = ("twin", "mint", "--key", ann, "--custodian", one, "--custodian", two)
    assert complaint(dtledger(*words, "--threshold", "3", "--json"), 2)["message"].startswith("3 of 2 custodians")
    twin = said(dtledger(*words, "--threshold", "1", "--json"))["twin"]
    assert threshold_of(devnet_home, ann, twin) == (1, 2)


def test_an_unknown_custodian_is_never_somebody_new(dtledger: Run, devnet_home: DevnetHome) -> None:
    ann = new_key(devnet_home)
    result = dtledger("twin", "mint", "--key", ann, "--custodian", "nobody")
    assert result.exit_code == 2
    assert "nobody" in result.stderr
    assert twins_of(devnet_home, ann) == []


def test_the_operators_own_key_is_no_patient_unless_it_says_so(dtledger: Run, devnet_home: DevnetHome) -> None:
    refused = complaint(dtledger("twin", "mint", "--key", OPERATOR, "--json"), 2)
    assert "--key" in refused["hint"]
    twin = said(dtledger("twin", "mint", "--key", OPERATOR, "--minter", OPERATOR, "--json"))["twin"]
    assert twin in twins_of(devnet_home, OPERATOR)


def test_without_a_minter_in_the_home_it_names_the_request(
    dtledger: Run, devnet_home: DevnetHome, tmp_path: Path
) -> None:
    ann = new_key(devnet_home)
    home = copy_of(devnet_home, tmp_path)
    (home / "keys" / f"{OPERATOR}.json").unlink()
    refused = complaint(dtledger("twin", "mint", "--key", ann, "--home", home, "--json"), 2)
    assert "--request-out" in refused["hint"]
    assert dtledger("twin", "mint", "--key", ann, "--home", devnet_home.home.root).exit_code == 0


def test_who_has_not_the_role_cannot_mint(dtledger: Run, devnet_home: DevnetHome) -> None:
    ann = new_key(devnet_home)
    assert dtledger("twin", "mint", "--key", ann, "--minter", "gateway").exit_code == 1
    assert dtledger("twin", "mint", "--key", ann, "--minter", OPERATOR).exit_code == 0


def test_only_one_way_at_a_time(dtledger: Run) -> None:
    assert dtledger("twin", "mint", "--request-out", "a", "--request", "b").exit_code == 2


def test_what_stopped_between_mint_and_card_goes_on(dtledger: Run, devnet_home: DevnetHome) -> None:
    poor = new_key(devnet_home, funded=False)
    failed = dtledger("twin", "mint", "--key", poor)
    (twin,) = twins_of(devnet_home, poor)
    assert failed.exit_code != 0, "a patient without money cannot set the card"
    Devnet(devnet_home.home).fund()
    result = dtledger("twin", "mint", "--key", poor, "--dry-run")
    assert f"Twin {twin} would be ready." in result.stdout
    assert said(dtledger("twin", "mint", "--key", poor, "--json"))["twin"] == twin
    assert twins_of(devnet_home, poor) == [twin], "no second twin"
    assert threshold_of(devnet_home, poor, twin) == (2, 3)


# two machines ----------------------------------------------------------------------------------------------------


def test_on_two_machines_the_patient_asks_the_minter_sends_and_the_patient_sets_the_card(
    dtledger: Run, devnet_home: DevnetHome, tmp_path: Path
) -> None:
    ann, file = new_key(devnet_home), tmp_path / "ann.mint.json"
    asked = said(dtledger("twin", "mint", "--key", ann, "--request-out", file, "--json"))
    assert asked["schema"] == "dtledger/mint-requested/1"
    assert json.loads(file.read_text())["patient"] == asked["patient"]
    assert "Nothing was sent." in dtledger("twin", "mint", "--key", OPERATOR, "--request", file, "--dry-run").stdout
    assert twins_of(devnet_home, ann) == []
    twin = said(dtledger("twin", "mint", "--key", OPERATOR, "--request", file, "--json"))["twin"]
    done = dtledger("twin", "mint", "--key", ann)
    assert f"Twin {twin} is ready." in done.stdout
    again = dtledger("twin", "mint", "--key", OPERATOR, "--request", file)
    assert again.exit_code == 1, "a request makes one twin"
    assert twins_of(devnet_home, ann) == [twin]


def test_a_request_is_written_over_an_older_one_and_over_nothing_else(
    dtledger: Run, devnet_home: DevnetHome, tmp_path: Path
) -> None:
    ann, file = new_key(devnet_home), tmp_path / "ann.mint.json"
    for _ in range(2):
        assert dtledger("twin", "mint", "--key", ann, "--request-out", file).exit_code == 0
    other = tmp_path / "diary.txt"
    other.write_text("dear diary")
    assert dtledger("twin", "mint", "--key", ann, "--request-out", other).exit_code == 2
    assert other.read_text() == "dear diary"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema": "dtledger/other/1"}, "is no request"),
        ({"patient": "0x12"}, "is no request"),
        ({"signature": None}, "is no request"),
        ({"deployment": "1-00-00"}, "for the deployment 1-00-00"),
        ({"deadline": 1}, "was good until"),
    ],
)
def test_a_request_that_is_damaged_foreign_or_old_is_refused(
    dtledger: Run, devnet_home: DevnetHome, tmp_path: Path, change: dict[str, object], words: str
) -> None:
    ann, file = new_key(devnet_home), tmp_path / "ann.mint.json"
    dtledger("twin", "mint", "--key", ann, "--request-out", file)
    whole = file.read_text()
    file.write_text(json.dumps(json.loads(whole) | change))
    assert words in complaint(dtledger("twin", "mint", "--key", OPERATOR, "--request", file, "--json"), 2)["message"]
    file.write_text(whole)
    assert dtledger("twin", "mint", "--key", OPERATOR, "--request", file).exit_code == 0


def test_a_request_that_is_not_there_is_said_to_be_missing(dtledger: Run, tmp_path: Path) -> None:
    result = dtledger("twin", "mint", "--key", OPERATOR, "--request", tmp_path / "none.json")
    assert result.exit_code == 2
    assert "cannot be read" in result.stderr
