"""`model` and `twin models`: who trained what, under whose consents, and what is refused before anybody is asked."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from dtledger.client.devnet import Devnet
from dtledger.encoding import CID
from dtledger.models.update import UpdateRecord
from dtledger.vocabulary import Kind
from tests.cli.models import START, Run, Study, update, weights
from tests.cli.twins import address_of, complaint, new_key, new_twin, said

pytestmark = pytest.mark.anvil

TERMS = ("--purpose", "HRESCH", "--category", "glucose", "--cohort", "2", "--epsilon", "1.25")
NAMES = (f"night-low-{number}" for number in itertools.count())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "update.bin"
    path.write_bytes(update("north", 1))
    return path


def block(study: Study) -> int:
    with study.client("auditor") as auditor:
        return auditor.context.view().block


def names_in(told: Any) -> set[str]:
    """Every `name` that stands beside an address."""
    if isinstance(told, dict):
        own = {told["name"]} if set(told) == {"address", "name"} else set()
        return own.union(*map(names_in, told.values()))
    return set().union(*map(names_in, told)) if isinstance(told, list) else set()


# register --------------------------------------------------------------------------------------------------------


def test_a_model_is_declared_with_terms_that_everybody_can_read(dtledger: Run, study: Study) -> None:
    name = next(NAMES)
    told = said(
        dtledger(
            "model", "register", name, *TERMS, "--about", "Lows at night", "--yes", "--json", "--key", "coordinator"
        )
    )
    assert (told["schema"], told["name"], told["purpose"], told["categories"]) == (
        "dtledger/model/1", name, "HRESCH", ["glucose"],
    )  # fmt: skip
    assert (told["minimum_cohort"], told["budget"], told["dry_run"]) == (2, 1.25, False)
    assert min(told["sent"]["gas"], told["sent"]["block"]) > 0
    shown = dtledger("model", "show", name, "--key", "auditor").stdout
    assert f"{name}, model {told['model']} of coordinator (0x" in shown
    assert "Lows at night" in shown
    assert "(HRESCH) on glucose; a site trains on at least 2 twins a round and spends at most ε 1.25" in shown
    again = said(dtledger("model", "show", told["model"], "--json", "--key", "auditor"))
    assert {**told, "rounds": [], "remediations": []} == {**again, "sent": told["sent"], "dry_run": False}


@pytest.mark.parametrize(
    ("words", "exit_code", "told"),
    [
        (("--epsilon", "0"), 2, "more than 0"),
        (("--epsilon", "0.0005"), 2, "three places"),
        (("--epsilon", "-1"), 2, "three places"),
        (("--epsilon", "1e3"), 2, "three places"),
        (("--epsilon", "٣"), 2, "three places"),
        (("--epsilon", ""), 2, "three places"),
        (("--epsilon", "."), 2, "three places"),
        (("--cohort", "0"), 2, "range"),
        (("--purpose", "HRESH"), 2, "Did you mean HRESCH?"),
        (("--category", "glucos"), 2, "Did you mean glucose?"),
        (("--about", "two\nlines"), 2, "one line"),
        (("--key", "north"), 1, "is no COORDINATOR"),
        (("--key", "patient"), 1, "not an enrolled member"),
    ],
)
def test_terms_with_one_fault_declare_nothing(
    dtledger: Run, study: Study, words: tuple[str, ...], exit_code: int, told: str
) -> None:
    good = ("model", "register", next(NAMES), *TERMS, "--key", "coordinator")
    refused = complaint(dtledger(*good, *words, "--dry-run", "--json"), exit_code)
    assert told in refused["message"] + refused["hint"]
    assert dtledger(*good, "--dry-run").exit_code == 0


@pytest.mark.parametrize("name", ["a/b", "Upper", "-x", "x" * 33, "7"])
def test_a_name_that_cannot_be_typed_or_would_be_a_number_is_refused(dtledger: Run, study: Study, name: str) -> None:
    complaint(dtledger("model", "register", *TERMS, "--dry-run", "--json", "--key", "coordinator", "--", name), 2)


def test_a_coordinator_has_one_model_of_a_name(dtledger: Run, study: Study) -> None:
    name = study.model()
    refused = complaint(dtledger("model", "register", name, *TERMS, "--yes", "--json", "--key", "coordinator"), 2)
    assert "already" in refused["message"]


# which model -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [("model", "show"), ("model", "commit", "--epsilon", "1"), ("model", "round", "open"), ("audit", "model"),
     ("model", "round", "finalise"), ("model", "open", "--round", "1", "--to", "auditor")],
    ids=lambda words: " ".join(words[:3]),
)  # fmt: skip
def test_a_model_that_is_not_there_is_named_with_those_that_are(
    dtledger: Run, study: Study, file: Path, words: tuple[str, ...]
) -> None:
    known = study.model()
    more = ("--file", file) if {"commit", "finalise"} & set(words) else ()
    for which in ("nothing", "9" * 5000, "999"):
        refused = complaint(dtledger(*words, *more, which, "--json", "--key", "coordinator"), 2)
        assert "There is no model" in refused["message"]
        assert known in refused["hint"]


def test_of_two_models_with_one_name_each_is_found_by_its_number(dtledger: Run, study: Study) -> None:
    other, name = new_key(study.world), study.model()
    with study.client(other) as client, study.client("operator") as operator:
        operator.members.enrol(client.members.card("another coordinator"), [Kind.COORDINATOR])
    study.model(name, key=other)
    refused = complaint(dtledger("model", "show", name, "--json", "--key", "auditor"), 2)
    assert "(of coordinator)" in refused["hint"]
    assert f"(of {other})" in refused["hint"], "a key of this home has a name too"
    numbers = [each for each in refused["hint"].replace(":", "").split() if each.isdigit()]
    assert [said(dtledger("model", "show", each, "--json", "--key", "auditor"))["name"] for each in numbers] == [
        name
    ] * 2


def test_the_list_names_every_model_and_who_coordinates_it(dtledger: Run, study: Study) -> None:
    name = study.model()
    told = said(dtledger("model", "list", "--json", "--key", "north"))
    assert told["schema"] == "dtledger/models/1"
    (listed,) = [each for each in told["models"] if each["name"] == name]
    assert listed["coordinator"]["name"] == "coordinator"
    (line,) = [each for each in dtledger("model", "list", "--key", "north").stdout.splitlines() if f" {name} " in each]
    assert "coordinator" in line
    assert "0x" not in line


# rounds ----------------------------------------------------------------------------------------------------------


def test_a_round_starts_from_a_file_and_the_next_from_what_was_made(dtledger: Run, study: Study, file: Path) -> None:
    name = study.model()
    file.write_bytes(START)
    words = ("model", "round", "open", name, "--yes", "--json", "--key", "coordinator")
    opened = said(dtledger(*words, "--from", file))
    assert (opened["schema"], opened["round"], opened["updates"], opened["aggregate"]) == (
        "dtledger/model-round/1", 1, [], None,
    )  # fmt: skip
    study.committed(name)
    file.write_bytes(weights(1))
    made = said(dtledger("model", "round", "finalise", name, "--file", file, "--yes", "--json", "--key", "coordinator"))
    assert names_in(made["updates"]) == {"north", "south"}
    assert said(dtledger(*words))["parent"] == made["aggregate"]["aggregate"]


def test_an_update_can_be_left_out_of_what_is_made(dtledger: Run, study: Study, file: Path) -> None:
    words = ("model", "round", "finalise", study.committed(), "--file", file, "--without", "south")
    result = dtledger(*words, "--yes", "--key", "coordinator")
    assert "made of 1 update:\n  north: 2 twins, ε 0.5" in result.stderr
    assert "south" not in result.stderr
    assert "1 update, in block" in result.stdout


@pytest.mark.parametrize(
    ("state", "words", "exit_code", "told"),
    [
        ("model", ("open",), 2, "Name the file"),
        ("opened", ("open",), 1, "Finalise it first"),
        ("finalised", ("open", "--from", "FILE"), 2, "Leave the file out"),
        ("finalised", ("open", "--key", "north"), 1, "is no COORDINATOR"),
        ("model", ("finalise", "--file", "FILE"), 2, "No round"),
        ("opened", ("finalise", "--file", "FILE"), 1, "Wait until a site commits"),
        ("finalised", ("finalise", "--file", "FILE"), 1, "`dtledger model round open`"),
        ("committed", ("finalise", "--file", "FILE", "--key", "north"), 1, "is no COORDINATOR"),
        ("committed", ("finalise", "--file", "FILE", "--without", "auditor"), 2, "no update in round 1"),
        ("committed", ("finalise", "--file", "FILE", "--without", "nobody"), 2, "no contact"),
        ("committed", ("finalise", "--file", "missing.bin"), 2, "does not exist"),
        ("committed", ("finalise", "--file", "FOLDER"), 2, "is a directory"),
    ],
)
def test_a_round_out_of_turn_is_refused_before_anybody_is_asked(
    dtledger: Run, study: Study, file: Path, state: str, words: tuple[str, ...], exit_code: int, told: str
) -> None:
    name = getattr(study, state)()
    before = block(study)
    verb, *rest = (str({"FILE": file, "FOLDER": file.parent}.get(each, each)) for each in words)
    result = dtledger("model", "round", verb, name, "--key", "coordinator", *rest, "--dry-run", "--json")
    refused = complaint(result, exit_code)
    assert told in refused["message"] + refused["hint"]
    assert block(study) == before


# commit ----------------------------------------------------------------------------------------------------------


def test_a_site_commits_under_the_consents_of_its_own_patients(dtledger: Run, study: Study, file: Path) -> None:
    name = study.opened()
    words = ("model", "commit", name, "--file", file, "--epsilon", "0.25", "--key", "north")
    looked = said(dtledger(*words, "--dry-run", "--json"))
    assert (looked["schema"], looked["twins"], looked["sent"]) == (
        "dtledger/model-update/1", study.twins("north"), None,
    )  # fmt: skip
    told = said(dtledger(*words, "--yes", "--json"))
    assert (told["round"], told["cohort"], told["epsilon"]) == (1, 2, 0.25)
    shown = said(dtledger("model", "show", name, "--json", "--key", "auditor"))
    (committed,) = shown["rounds"][0]["updates"]
    assert (committed["update"], committed["site"]["name"], committed["cohort"]) == (told["update"], "north", 2)
    lines = dtledger("model", "show", name, "--key", "auditor").stdout.splitlines()
    assert lines[-1].startswith("  north: 2 twins, ε 0.25, 0x")
    assert lines[-2].endswith(", open")


def test_a_site_may_name_the_twins(dtledger: Run, study: Study, file: Path) -> None:
    twin = study.twins("north")[1]
    words = ("model", "commit", study.opened(), "--file", file, "--epsilon", "1", "--twin", twin, "--key", "north")
    result = dtledger(*words, "--yes")
    assert "trained on 1 twin under their consents, ε 1 (1 of 3 by then)" in result.stderr
    assert result.stdout.endswith(", 1 twin, ε 1\n")


@pytest.mark.parametrize(
    ("words", "exit_code", "told"),
    [
        (("--epsilon", "3.001"), 1, "What is spent stays spent"),
        (("--epsilon", "no"), 2, "three places"),
        (("--file", "missing.bin"), 2, "does not exist"),
        (("--twin", "1"), 3, "on twin 1"),
        (("--key", "coordinator"), 1, "is no RESEARCHER"),
        (("--key", "patient"), 1, "not an enrolled member"),
    ],
)
def test_a_commitment_with_one_fault_is_refused_before_anybody_is_asked(
    dtledger: Run, study: Study, file: Path, words: tuple[str, ...], exit_code: int, told: str
) -> None:
    good = ("model", "commit", study.opened(), "--file", file, "--epsilon", "3", "--key", "north")
    before = block(study)
    refused = complaint(dtledger(*good, *words, "--dry-run", "--json"), exit_code)
    assert told in refused["message"] + refused["hint"]
    assert block(study) == before
    assert dtledger(*good, "--dry-run").exit_code == 0


@pytest.mark.parametrize(
    ("state", "exit_code", "told"),
    [
        ("model", 2, "Its coordinator opens one"),
        ("committed", 1, "A round takes one update of a site"),
        ("finalised", 1, "Its coordinator opens the next one"),
    ],
)
def test_a_commitment_out_of_turn_is_refused(
    dtledger: Run, study: Study, file: Path, state: str, exit_code: int, told: str
) -> None:
    words = ("--file", file, "--epsilon", "0.5", "--yes", "--json", "--key", "north")
    refused = complaint(dtledger("model", "commit", getattr(study, state)(), *words), exit_code)
    assert told in refused["message"] + refused["hint"]


def test_fewer_twins_than_the_model_asks_for_are_refused(dtledger: Run, study: Study, file: Path) -> None:
    words = ("--file", file, "--epsilon", "0.5", "--json", "--key", "north")
    refused = complaint(dtledger("model", "commit", study.opened(cohort=3), *words, "--yes"), 1)
    assert "2 twins, the model takes 3" in refused["message"]
    assert "consent" in refused["hint"]
    assert dtledger("model", "commit", study.opened(cohort=2), *words, "--yes").exit_code == 0


def test_a_consent_given_after_the_round_was_opened_counts_for_the_next(
    dtledger: Run, study: Study, file: Path
) -> None:
    twin, name = new_twin(study.world, hours=0).number, study.opened()
    study.consent("patient", twin, "south")
    words = ("model", "commit", name, "--file", file, "--epsilon", "0.5", "--twin", twin, "--key", "south")
    refused = complaint(dtledger(*words, "--yes", "--json"), 3)
    assert refused["hint"] == "A consent counts for the rounds that are opened after it."
    study.finalised(study.committed(name, ["north"]))
    study.opened(name)
    assert dtledger(*words, "--yes").exit_code == 0
    shown = dtledger("twin", "models", twin, "--key", "patient").stdout
    assert [line.split()[:3] for line in shown.splitlines()[1:]] == [[name, "2", "south"]]


# open ------------------------------------------------------------------------------------------------------------


def test_an_opening_says_whom_it_shows_what_and_is_a_word(dtledger: Run, study: Study) -> None:
    words = ("model", "open", study.committed(), "--round", "1", "--to", "auditor", "--key", "north")
    looked = dtledger(*words, "--dry-run")
    assert (looked.exit_code, looked.stdout) == (0, "")
    assert "This shows auditor the 2 twins" in looked.stderr
    assert "0x" not in looked.stderr
    assert dtledger(*words, "--yes").stdout.startswith("bafy")
    told = said(dtledger(*words, "--yes", "--json"))
    assert (told["schema"], told["auditor"]["name"], told["round"]) == ("dtledger/model-opening/1", "auditor", 1)
    assert told["opening"].startswith("bafy")


@pytest.mark.parametrize(
    ("words", "exit_code", "told"),
    [
        (("--round", "2"), 2, "no update in round 2"),
        (("--round", "0"), 2, "range"),
        (("--to", "nobody"), 2, "no contact"),
        (("--to", "cardiology"), 2, "AUDITOR alone"),
        (("--to", "0x00000000000000000000000000000000000000aa"), 6, "not enrolled"),
        (("--key", "south"), 2, "Choose the site's with --key"),
    ],
)
def test_an_opening_with_one_fault_shows_nothing(
    dtledger: Run, study: Study, words: tuple[str, ...], exit_code: int, told: str
) -> None:
    good = ("model", "open", study.committed(sites=["north"]), "--round", "1", "--to", "auditor", "--key", "north")
    refused = complaint(dtledger(*good, *words, "--dry-run", "--json"), exit_code)
    assert told in refused["message"] + refused["hint"]
    assert dtledger(*good, "--dry-run").exit_code == 0


# asking ----------------------------------------------------------------------------------------------------------


def writing(study: Study, verb: str, file: Path) -> tuple[object, ...]:
    """A command that would succeed."""
    coordinator, north = ("--key", "coordinator"), ("--key", "north")
    match verb:
        case "register":
            return ("model", "register", next(NAMES), *TERMS, *coordinator)
        case "round open":
            return ("model", "round", "open", study.model(), "--from", file, *coordinator)
        case "round finalise":
            return ("model", "round", "finalise", study.committed(), "--file", file, *coordinator)
        case "commit":
            return ("model", "commit", study.opened(), "--file", file, "--epsilon", "1", *north)
    return ("model", "open", study.committed(), "--round", "1", "--to", "auditor", *north)


@pytest.mark.parametrize("verb", ["register", "round open", "round finalise", "commit", "open"])
def test_nothing_is_signed_by_a_dry_run_or_where_nobody_can_answer(
    dtledger: Run, study: Study, file: Path, verb: str
) -> None:
    words = writing(study, verb, file)
    before, blocks = block(study), set(Devnet(study.home).blocks.rglob("*"))
    told = said(dtledger(*words, "--dry-run", "--json"))
    assert told["dry_run"] is True
    assert "Nothing was" in dtledger(*words, "--dry-run").stderr
    for asked in (dtledger(*words), dtledger(*words, "--json")):
        assert asked.exit_code == 2
        assert "--yes" in asked.stderr
    assert (block(study), set(Devnet(study.home).blocks.rglob("*"))) == (before, blocks)
    assert dtledger(*words, "--yes").exit_code == 0


# twin models -----------------------------------------------------------------------------------------------------


def test_a_patient_finds_each_round_and_what_was_made_of_it(dtledger: Run, study: Study) -> None:
    name, (twin, other) = study.finalised(), study.twins("north")
    told = said(dtledger("twin", "models", "--json", "--key", "north-1"))
    assert (told["schema"], told["twin"], told["unseen"]) == ("dtledger/twin-models/1", twin, 0)
    (use,) = [each for each in told["rounds"] if each["name"] == name]
    made = said(dtledger("model", "show", name, "--json", "--key", "auditor"))["rounds"][0]
    assert use["aggregate"] == made["aggregate"]["aggregate"]
    assert (use["round"], use["site"]["name"]) == (1, "north")
    (line,) = [each for each in dtledger("twin", "models", "--key", "north-1").stdout.splitlines() if name in each]
    assert line.split()[1:3] == ["1", "north"]
    assert f"0x{use['aggregate'][2:18]}…" in line
    study.opened(name)
    with study.client("north") as site:
        site.training.commit(site.models.find(name).model, [b"on the other alone"], 500, [other])
    assert [
        each["round"] for each in said(dtledger("twin", "models", "--json", "--key", "north-1"))["rounds"]
        if each["name"] == name
    ] == [1]  # fmt: skip
    assert "not finalised" in dtledger("twin", "models", "--key", "north-2").stdout


def test_a_twin_that_nothing_was_trained_on_is_said_to_be_so(dtledger: Run, study: Study) -> None:
    result = dtledger("twin", "models", study.world.twin, "--key", "patient")
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"No update says that it was trained on twin {study.world.twin}." in result.stderr


def test_another_s_twin_or_none_is_not_looked_for(dtledger: Run, study: Study) -> None:
    complaint(dtledger("twin", "models", study.world.twin, "--json", "--key", "north-1"), 5)
    assert "no twin 999" in complaint(dtledger("twin", "models", "999", "--json", "--key", "north-1"), 2)["message"]


def test_an_update_that_cannot_be_looked_into_is_no_clean_answer(dtledger: Run, study: Study) -> None:
    name = study.committed(sites=["south"])
    with study.client("south") as south:
        view, number = south.context.view(), south.models.find(name).model.number
        (made,) = view.updates(number, 1)
        record, _ = UpdateRecord.read(south.context.deployment, south.context.store.get(CID(made.record)))
    (lost,) = [each for each in Devnet(study.home).blocks.rglob("*") if each.name.startswith(str(record.leaves))]
    kept = lost.read_bytes()
    lost.unlink()
    try:
        result = dtledger("twin", "models", "--key", "north-1")
        assert result.exit_code == 6
        assert "1 update of south cannot be looked into" in result.stderr
    finally:
        lost.write_bytes(kept)
    assert dtledger("twin", "models", "--key", "north-1").exit_code == 0
    assert address_of(study.world, "south") not in result.stderr
