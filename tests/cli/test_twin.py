"""`twin show`, `list`, `read`, `plot` and `access`."""

from __future__ import annotations

import csv
import io
import shutil
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import Result

from dtledger._cli.demo.refusal import ask_custodians
from dtledger.client.devnet import OPERATOR
from dtledger.encoding import CID
from dtledger.ledger import calls
from dtledger.readings import Reading
from tests.cli.twins import DAY, Twin, address_of, complaint, copy_of, new_key, new_twin, said

if TYPE_CHECKING:
    from tests.cli.conftest import DevnetHome

pytestmark = pytest.mark.anvil

Run = Callable[..., Result]

CLINICIAN = ("--category", "glucose", "--purpose", "TREAT", "--key", "cardiology")
OWNER = ("--category", "glucose", "--purpose", "PATRQT", "--key", "patient")


@pytest.fixture(scope="module")
def twin(devnet_home: DevnetHome) -> Twin:
    """A twin with three hours of glucose that cardiology may read. No test of this module changes it."""
    made = new_twin(devnet_home)
    made.grant()
    return made


# show and list ---------------------------------------------------------------------------------------------------


def test_its_owner_sees_how_a_twin_stands(dtledger: Run, twin: Twin) -> None:
    told = said(dtledger("twin", "show", twin.number, "--key", "patient", "--json"))
    assert told["schema"] == "dtledger/twin/1"
    assert (told["mine"], told["owner"]["name"]) == (True, "patient")
    assert (told["card"]["version"], told["roster"]["threshold"]) == (1, 2)
    assert told["grants"] == {"live": 2, "not_live": 0}
    assert told["retire_at"] is None
    assert len(told["deployment_fingerprint"].split()) == 6
    newest = datetime.fromisoformat(told["newest"]["glucose"])
    assert newest.timestamp() == twin.readings[-1].minute * 60
    result = dtledger("twin", "show", twin.number, "--key", "patient")
    assert "2 of 3 open a snapshot: custodian-1, custodian-2, custodian-3" in result.stdout
    assert "no backup" in result.stderr
    assert "no guardians" in result.stderr
    assert told["backed_up_at"] is None


def test_a_grantee_sees_the_age_of_its_categories_and_a_stranger_of_none(dtledger: Run, twin: Twin) -> None:
    told = said(dtledger("twin", "show", twin.number, "--key", "cardiology", "--json"))
    assert (list(told["newest"]), told["mine"]) == (["glucose"], False)
    stranger = dtledger("twin", "show", twin.number, "--key", "operator")
    assert "none that this key can name" in stranger.stdout
    assert "no guardians" not in stranger.stderr


def test_old_data_are_called_stale(dtledger: Run, devnet_home: DevnetHome) -> None:
    old = new_twin(devnet_home, hours=1, ago=DAY)
    assert "glucose: newest 1 day old, STALE" in dtledger("twin", "show", old.number, "--key", "patient").stdout


def test_a_store_that_is_gone_hides_only_the_data(dtledger: Run, twin: Twin, tmp_path: Path) -> None:
    result = dtledger("twin", "show", twin.number, "--key", "patient")
    assert "glucose" in result.stdout
    empty = tmp_path / "blocks"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DTLEDGER_STORE", f"directory:{empty}")
        assert dtledger("twin", "show", twin.number, "--key", "patient").exit_code == 6, "the roster is a block too"


def test_a_twin_without_a_card_and_one_that_is_to_be_retired_say_so(dtledger: Run, devnet_home: DevnetHome) -> None:
    name = new_key(devnet_home)
    with devnet_home.client(name) as owner, devnet_home.client(OPERATOR) as operator:
        number, _ = operator.twins.mint(owner.twins.request_mint())
        assert "none: nothing can be written yet" in dtledger("twin", "show", number, "--key", name).stdout
        assert said(dtledger("twin", "list", "--key", name, "--json"))["twins"][0]["state"] == "no card"
        owner.twins.set_up(number, list(owner.context.custodians), 2)
        owner.context.ledger.send(calls.announce_retirement(number), owner.context.key)
    told = said(dtledger("twin", "show", number, "--key", name, "--json"))
    assert told["retire_at"] is not None
    assert "announced, and nothing can be read" in dtledger("twin", "show", number, "--key", name).stdout
    assert said(dtledger("twin", "list", "--key", name, "--json"))["twins"][0]["state"] == "retired"
    assert dtledger("twin", "read", number, *OWNER[:-1], name).exit_code == 3


def test_a_damaged_index_is_said_and_hides_nothing_else(dtledger: Run, devnet_home: DevnetHome, tmp_path: Path) -> None:
    twin = new_twin(devnet_home, hours=1)
    with devnet_home.client("gateway") as gateway:
        newest = gateway.context.view().newest_batch(gateway.address)
        assert newest is not None
        root = str(CID(newest.index))
    blocks = Path(shutil.copytree(devnet_home.home.root / "blocks", tmp_path / "blocks"))
    next(each for each in blocks.rglob("*") if root in each.name).unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DTLEDGER_STORE", f"directory:{blocks}")
        result = dtledger("twin", "show", twin.number, "--key", "patient")
    assert result.exit_code == 0
    assert "the data cannot be looked at" in result.stderr
    assert "2 of 3 open a snapshot" in result.stdout


def test_a_twin_that_is_not_there_is_refused(dtledger: Run) -> None:
    assert "no twin 999" in complaint(dtledger("twin", "show", "999", "--key", "patient", "--json"), 2)["message"]


def test_with_several_twins_and_none_named_the_command_asks(dtledger: Run, twin: Twin) -> None:
    assert complaint(dtledger("twin", "show", "--key", "patient", "--json"), 2)["error"] == "UsageError"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DTLEDGER_TWIN", str(twin.number))
        assert said(dtledger("twin", "show", "--key", "patient", "--json"))["twin"] == twin.number


def test_the_list_has_ones_own_twins_and_those_one_has_a_grant_on(dtledger: Run, twin: Twin) -> None:
    own = said(dtledger("twin", "list", "--key", "patient", "--json"))["twins"]
    assert [each for each in own if each["twin"] == twin.number] == [
        {"twin": twin.number, "role": "owner", "owner": own[0]["owner"], "state": "ready", "grants": own_grants(twin)}
    ]
    theirs = said(dtledger("twin", "list", "--key", "cardiology", "--json"))["twins"]
    row = next(each for each in theirs if each["twin"] == twin.number)
    assert (row["role"], row["grants"]) == ("grantee", [f"{twin.number}/cardiology/0"])
    assert f"{twin.number}/cardiology/0" in dtledger("twin", "list", "--key", "cardiology").stdout


def own_grants(twin: Twin) -> list[str]:
    return [f"{twin.number}/gateway/0", f"{twin.number}/cardiology/0"]


def test_who_has_no_twin_is_told_how_to_get_one(dtledger: Run, devnet_home: DevnetHome) -> None:
    result = dtledger("twin", "list", "--key", new_key(devnet_home))
    assert (result.stdout, result.exit_code) == ("", 0)
    assert "twin mint" in result.stderr


# read ------------------------------------------------------------------------------------------------------------


def test_the_clinician_reads_every_value_back(dtledger: Run, twin: Twin) -> None:
    told = said(dtledger("twin", "read", twin.number, *CLINICIAN, "--json"))
    assert told["schema"] == "dtledger/readings/1"
    got = [(datetime.fromisoformat(each["at"]).timestamp(), each["value"], each["unit"]) for each in told["readings"]]
    assert got == [(each.seconds, each.value, each.unit) for each in twin.readings]
    assert told["custodians"] == {"asked": 3, "answered": 3}
    assert (told["faults"], told["refused"], told["uncounted"], told["stale"]) == ([], [], 0, False)
    assert 0 <= told["age"] < 3600


def test_the_table_has_local_time_and_the_measured_unit(dtledger: Run, twin: Twin) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DTLEDGER_TZ", "Asia/Tokyo")
        result = dtledger("twin", "read", twin.number, *CLINICIAN, "--since", "3h")
    first = result.stdout.splitlines()[0]
    assert "+0900" in first
    assert "mmol/L" in first
    assert "3 of 3 custodians answered" in result.stderr
    assert "STALE" not in result.stderr


def test_a_period_is_cut_to_the_minute(dtledger: Run, twin: Twin) -> None:
    since, until = (datetime.fromtimestamp(twin.readings[place].seconds).astimezone().isoformat() for place in (3, 7))
    told = said(dtledger("twin", "read", twin.number, *CLINICIAN, "--since", since, "--until", until, "--json"))
    assert [each["value"] for each in told["readings"]] == [each.value for each in twin.readings[3:7]]


def test_values_come_in_the_unit_that_is_asked_for(dtledger: Run, twin: Twin) -> None:
    words = ("twin", "read", twin.number, *CLINICIAN, "--json")
    converted = said(dtledger(*words, "--unit", "mg/dL"))["readings"][0]
    assert (round(converted["value"] / twin.readings[0].value, 4), converted["unit"]) == (18.0182, "mg/dL")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DTLEDGER_UNIT", "mg/dL")
        assert said(dtledger(*words))["readings"][0]["unit"] == "mg/dL"
        patch.setenv("DTLEDGER_UNIT", "kg")
        assert said(dtledger(*words))["readings"][0]["unit"] == "mmol/L", "kg is no unit of glucose"
    for wrong in ("kg", "furlongs"):
        assert dtledger(*words, "--unit", wrong).exit_code == 2


def test_csv_has_one_row_a_reading(dtledger: Run, twin: Twin) -> None:
    rows = list(csv.DictReader(io.StringIO(dtledger("twin", "read", twin.number, *OWNER, "--csv").stdout)))
    assert [float(row["value"]) for row in rows] == [each.value for each in twin.readings]
    assert rows[0]["time"].endswith("+01:00"), "as its source said"
    assert dtledger("twin", "read", twin.number, *OWNER, "--csv", "--json").exit_code == 2


@pytest.mark.parametrize(
    ("words", "exit_code"),
    [
        (("--category", "glucose", "--key", "cardiology"), 2),
        (("--purpose", "TREAT", "--key", "cardiology"), 2),
        (("--category", "glucos", "--purpose", "TREAT", "--key", "cardiology"), 2),
        (("--category", "glucose", "--purpose", "FUN", "--key", "cardiology"), 2),
        ((*CLINICIAN, "--since", "yesterday"), 2),
        ((*CLINICIAN, "--since", "1h", "--until", "2h"), 2),
        ((*CLINICIAN, "--action", "TRAIN"), 3),
        (("--category", "meals", "--purpose", "TREAT", "--key", "cardiology"), 3),
        (("--category", "glucose", "--purpose", "HRESCH", "--key", "cardiology"), 3),
        (("--category", "glucose", "--purpose", "TREAT", "--key", "operator"), 3),
        (("--category", "glucose", "--purpose", "TREAT", "--key", "nobody"), 5),
        ((*CLINICIAN, "--rpc-url", "http://127.0.0.1:9"), 6),
    ],
)
def test_a_request_with_a_fault_ends_with_its_exit_code(
    dtledger: Run, twin: Twin, words: tuple[str, ...], exit_code: int
) -> None:
    complaint(dtledger("twin", "read", twin.number, *words, "--json"), exit_code)


def test_a_category_in_the_settings_is_meant_when_none_is_named(dtledger: Run, twin: Twin) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DTLEDGER_CATEGORY", "glucose")
        assert dtledger("twin", "read", twin.number, "--purpose", "treat", "--key", "cardiology").exit_code == 0


def test_what_lies_outside_the_grant_is_refused_whole_or_left_out(dtledger: Run, devnet_home: DevnetHome) -> None:
    twin = new_twin(devnet_home, hours=4)
    twin.grant(past=2 * 3600)  # one whole hour of it at least
    refused = complaint(dtledger("twin", "read", twin.number, *CLINICIAN, "--json"), 3)
    assert refused["reason"] == "PERIOD"
    assert "Permitted:" in refused["message"]
    assert refused["permitted"]["from"] < refused["permitted"]["until"]
    part = dtledger("twin", "read", twin.number, *CLINICIAN, "--partial")
    assert 0 < len(part.stdout.splitlines()) < len(twin.readings)
    assert "refused: " in part.stderr
    assert "(PERIOD)" in part.stderr
    told = said(dtledger("twin", "read", twin.number, *CLINICIAN, "--partial", "--json"))
    assert {each["reason"] for each in told["refused"]} == {"PERIOD"}
    assert dtledger("twin", "read", twin.number, *CLINICIAN, "--since", "1m").exit_code == 0


def test_a_category_without_a_snapshot_is_unknown_and_never_called_empty(dtledger: Run, twin: Twin) -> None:
    result = dtledger("twin", "read", twin.number, "--category", "meals", "--purpose", "PATRQT", "--key", "patient")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "is unknown" in result.stderr


# plot ------------------------------------------------------------------------------------------------------------


def test_a_plot_fits_the_terminal_and_names_the_unit(dtledger: Run, twin: Twin) -> None:
    for width in ("60", "100"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("COLUMNS", width)
            result = dtledger("twin", "plot", twin.number, *CLINICIAN)
        assert result.exit_code == 0
        assert max(map(len, result.stdout.splitlines())) <= int(width)
        assert f"glucose of twin {twin.number}, mmol/L, times at {time.strftime('%z')}" in result.stdout
        assert "\x1b" not in result.stdout


def test_a_plot_passes_the_same_door(dtledger: Run, twin: Twin) -> None:
    assert dtledger("twin", "plot", twin.number, *CLINICIAN[:-1], "operator").exit_code == 3
    assert len(said(dtledger("twin", "plot", twin.number, *OWNER, "--json"))["readings"]) == len(twin.readings)


def test_without_values_nothing_is_drawn_and_one_value_is_enough(dtledger: Run, devnet_home: DevnetHome) -> None:
    twin = new_twin(devnet_home, hours=0)
    words = ("twin", "plot", twin.number, "--category", "meals", "--purpose", "PATRQT", "--key", "patient")
    assert (dtledger(*words).exit_code, dtledger(*words).stdout) == (0, "")
    with devnet_home.client("gateway") as gateway:
        gateway.writer.put(twin.number, "meals", [Reading(int(time.time()) // 60 * 60, 45.0, "g")])
    assert f"meals of twin {twin.number}, g" in dtledger(*words).stdout


# access ----------------------------------------------------------------------------------------------------------


def test_the_owner_sees_who_looked(dtledger: Run, devnet_home: DevnetHome) -> None:
    twin = new_twin(devnet_home, hours=2)
    assert dtledger("twin", "access", twin.number, "--key", "patient").stdout == "", "nobody yet"
    twin.grant()
    dtledger("twin", "read", twin.number, *CLINICIAN)
    dtledger("twin", "read", twin.number, *OWNER)
    told = said(dtledger("twin", "access", twin.number, "--key", "patient", "--json"))
    owner, clinician = told["looks"]
    assert (owner["requester"]["name"], owner["grant"]) == ("patient", None), "the newest first"
    assert clinician["requester"]["name"] == "cardiology"
    assert (clinician["grant"], clinician["categories"]) == (f"{twin.number}/cardiology/0", ["glucose"])
    assert clinician["asked"] == clinician["opened"] > 0
    assert len(clinician["custodians"]) == 3
    assert [each["receipts"] for each in told["custodians"]] == [2, 2, 2]
    shown = dtledger("twin", "access", twin.number, "--key", "patient")
    assert "cardiology" in shown.stdout
    assert "TREAT" in shown.stdout
    assert "(owner)" in shown.stdout
    assert "custodian-1: 2 receipts" in shown.stderr
    later = said(dtledger("twin", "access", twin.number, "--key", "patient", "--since", "2099-01-01", "--json"))
    assert later["looks"] == []


def test_a_client_that_does_not_ask_the_rule_is_refused_and_leaves_its_receipt(
    dtledger: Run, devnet_home: DevnetHome
) -> None:
    twin = new_twin(devnet_home, hours=1)
    slot = twin.grant()
    with devnet_home.client("patient") as patient, devnet_home.client("cardiology") as clinician:
        record = clinician.context.view().record(slot)
        assert record is not None
        patient.consents.revoke(slot)
        assert ask_custodians(clinician, twin.number, record) == ["REVOKED"] * 3
    (look,) = said(dtledger("twin", "access", twin.number, "--key", "patient", "--json"))["looks"]
    assert (look["opened"], look["refused"]) == (0, {"REVOKED": look["asked"]})
    assert "1 REVOKED" in dtledger("twin", "access", twin.number, "--key", "patient").stdout


def test_only_the_owner_sees_who_looked(dtledger: Run, twin: Twin) -> None:
    assert dtledger("twin", "access", twin.number, "--key", "cardiology").exit_code == 3
    assert dtledger("twin", "access", twin.number, "--key", "patient").exit_code == 0


def test_a_custodian_that_is_gone_is_named_and_hides_nothing(
    dtledger: Run, devnet_home: DevnetHome, tmp_path: Path
) -> None:
    twin = new_twin(devnet_home, hours=1)
    dtledger("twin", "read", twin.number, *OWNER)
    home = copy_of(devnet_home, tmp_path)
    (home / "custodians" / "keys" / "custodian-3.json").unlink()
    told = said(dtledger("twin", "access", twin.number, "--key", "patient", "--json", "--home", home))
    assert len(told["looks"]) == 1
    assert len(told["looks"][0]["custodians"]) == 2
    assert sum(each["fault"] is not None for each in told["custodians"]) == 1
    read = dtledger("twin", "read", twin.number, *OWNER, "--home", home)
    assert read.exit_code == 0
    assert "2 of 3 custodians answered" in read.stderr
    assert "warning" in read.stderr


def test_a_receipt_taken_out_of_a_list_is_found_and_ends_with_4(
    dtledger: Run, devnet_home: DevnetHome, tmp_path: Path
) -> None:
    twin = new_twin(devnet_home, hours=1)
    for _ in range(3):
        dtledger("twin", "read", twin.number, *OWNER)
    home = copy_of(devnet_home, tmp_path)
    whole = dtledger("twin", "access", twin.number, "--key", "patient", "--home", home)
    assert whole.exit_code == 0
    (log,) = (home / "custodians" / "custodian-2").glob("receipts-*.log")
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:-2] + lines[-1:]))
    broken = dtledger("twin", "access", twin.number, "--key", "patient", "--home", home)
    assert broken.exit_code == 4
    assert "its list is broken" in broken.stderr
    assert len(broken.stdout.splitlines()) == len(whole.stdout.splitlines()), "the others' lists are shown"
    assert address_of(devnet_home, "patient") not in broken.stdout
    shutil.rmtree(home)
