"""`audit model`: every claim a verdict, from the ledger and from what the auditor was given, and exit codes apart."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from dtledger._cli.demo.dishonest import Dishonest
from dtledger.encoding import CID
from dtledger.models.opening import Opening
from tests.cli.models import SITES, Run, Study, update
from tests.cli.twins import address_of, complaint, new_key, new_twin

pytestmark = pytest.mark.anvil


@pytest.fixture(scope="module")
def model(study: Study) -> str:
    """A model with one round, finalised."""
    return study.finalised()


@pytest.fixture(scope="module")
def openings(study: Study, model: str) -> dict[str, str]:
    return {site: study.opening(model, site) for site in SITES}


@pytest.fixture
def files(study: Study, tmp_path: Path) -> Path:
    return study.files(tmp_path / "received")


@pytest.fixture
def audit(dtledger: Run, model: str) -> Run:
    """Run ``audit model`` as the auditor; a later --key counts."""

    def run(*words: object) -> Result:
        return dtledger("audit", "model", model, "--key", "auditor", *words)

    return run


def opened(openings: dict[str, str]) -> list[str]:
    return [word for each in openings.values() for word in ("--opening", each)]


def verdicts(result: Result, exit_code: int) -> dict[tuple[str, str], str]:
    """What is no pass, by claim and what it is about."""
    assert result.exit_code == exit_code, result.output
    told = json.loads(result.stdout)
    counted = Counter(each["verdict"] for each in told["claims"])
    assert [told[each.replace(" ", "_")] for each in ("pass", "fail", "cannot check")] == [
        counted[each] for each in ("pass", "fail", "cannot check")
    ]
    return {(each["claim"], each["about"]): each["verdict"] for each in told["claims"] if each["verdict"] != "pass"}


# verdicts --------------------------------------------------------------------------------------------------------


def test_with_both_openings_and_every_file_all_claims_pass(audit: Run, openings: dict[str, str], files: Path) -> None:
    result = audit(*opened(openings), "--files", files)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert len(lines) == 1 + 2 * 9 + 3
    assert all(line.startswith("pass ") for line in lines)
    assert "22 pass, 0 fail, 0 cannot check" in result.stderr
    told = json.loads(audit(*opened(openings), "--files", files, "--json").stdout)
    assert (told["schema"], told["coordinator"]["name"], told["unused"]) == (
        "dtledger/audit-model/1",
        "coordinator",
        [],
    )
    assert {each["about"] for each in told["claims"]} == {"the model", "round 1, north", "round 1, south", "round 1"}
    assert all(set(each) == {"claim", "about", "verdict", "evidence"} for each in told["claims"])


def test_names_are_shown_for_addresses(audit: Run, study: Study, openings: dict[str, str], files: Path) -> None:
    result = audit(*opened(openings), "--files", files)
    assert not [each for each in (*SITES, "coordinator") if address_of(study.world, each) in result.output]


def test_without_an_opening_nothing_is_a_pass_that_needs_one(audit: Run, openings: dict[str, str], files: Path) -> None:
    needing = {(claim, "round 1, south"): "cannot check" for claim in ("update", "consents", "twins", "terms")}
    needing["withdrawals", "round 1"] = "cannot check"
    assert verdicts(audit("--opening", openings["north"], "--files", files, "--json"), 6) == needing


def test_without_files_nobody_can_say_what_was_in_them(audit: Run, openings: dict[str, str]) -> None:
    assert verdicts(audit(*opened(openings), "--json"), 6) == {
        ("update", "round 1, north"): "cannot check",
        ("update", "round 1, south"): "cannot check",
        ("weights", "round 1"): "cannot check",
    }


@pytest.mark.parametrize(
    ("name", "claim"),
    [("north", ("update", "round 1, north")), ("aggregate", ("weights", "round 1"))],
)
def test_a_changed_file_fails_its_own_claim_with_exit_code_4(
    audit: Run, openings: dict[str, str], files: Path, name: str, claim: tuple[str, str]
) -> None:
    path = files / "1" / f"{name}.bin"
    path.write_bytes(path.read_bytes() + b"!")
    words = (*opened(openings), "--files", files, "--json")
    assert verdicts(audit(*words), 4) == {claim: "fail"}
    path.write_bytes(path.read_bytes()[:-1])
    assert verdicts(audit(*words), 0) == {}


def test_a_failure_counts_before_what_cannot_be_checked(audit: Run, openings: dict[str, str], files: Path) -> None:
    (files / "1" / "north.bin").write_bytes(b"another")
    found = verdicts(audit("--opening", openings["north"], "--files", files, "--json"), 4)
    assert Counter(found.values()) == {"fail": 1, "cannot check": 5}


def test_a_patient_who_never_consented_and_one_counted_twice_are_found(
    dtledger: Run, study: Study, files: Path
) -> None:
    model, stranger = study.opened(), new_twin(study.world, hours=0).number
    words: list[Any] = ["audit", "model", model, "--files", files, "--key", "auditor", "--json"]
    with study.client("auditor") as auditor:
        context = auditor.context
        for site, lie in (("north", "stranger"), ("south", "twice")):
            with study.client(site) as client:
                liar = Dishonest(client, client.models.find(model).model)
                liar = liar.with_a_stranger(stranger) if lie == "stranger" else liar.with_one_twice()
                liar.commit([update(site, 1)], 500)
                key = context.key.seal_key.public
                block = liar.opening().sealed(context.deployment, client.context.key, auditor.address, key)
            words += ["--opening", str(context.store.put(block, "dag-cbor"))]
    study.finalised(model)
    found = verdicts(dtledger(*words), 4)
    assert found == {("consents", "round 1, north"): "fail", ("twins", "round 1, south"): "fail"}


def test_a_model_without_a_round_has_its_card_to_check(dtledger: Run, study: Study) -> None:
    result = dtledger("audit", "model", study.model(), "--key", "auditor")
    assert result.exit_code == 0
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [["pass", "card"]]


def test_rounds_are_told_apart(dtledger: Run, study: Study, tmp_path: Path) -> None:
    model = study.finalised()
    study.finalised(study.committed(study.opened(model)))
    shown = [word for site in SITES for each in (1, 2) for word in ("--opening", study.opening(model, site, each))]
    both = study.files(tmp_path / "both", (1, 2))
    words = ("audit", "model", model, *shown, "--files", both, "--json", "--key", "auditor")
    assert verdicts(dtledger(*words), 0) == {}
    shutil.copy(both / "1" / "north.bin", both / "2" / "north.bin")
    assert verdicts(dtledger(*words), 4) == {("update", "round 2, north"): "fail"}


# openings --------------------------------------------------------------------------------------------------------


def test_an_opening_may_be_a_file_too(
    audit: Run, study: Study, openings: dict[str, str], files: Path, tmp_path: Path
) -> None:
    handed = tmp_path / "north.opening"
    with study.client("auditor") as auditor:
        handed.write_bytes(auditor.context.store.get(CID.decode(openings["north"])))
    words = ("--opening", handed, "--opening", openings["south"], "--files", files, "--json")
    assert verdicts(audit(*words), 0) == {}


def test_an_opening_for_somebody_else_is_said_to_be_so(audit: Run, study: Study, model: str, files: Path) -> None:
    theirs = study.opening(model, "north", to="ethics")
    refused = complaint(audit("--opening", theirs, "--json"), 2)
    assert "no opening for this key" in refused["message"]
    assert "--key" in refused["hint"]
    assert audit("--opening", theirs, "--key", "ethics").exit_code == 6


def test_an_opening_of_another_model_is_refused(audit: Run, study: Study, model: str) -> None:
    other = study.committed(sites=["north"])
    word = study.opening(other, "north")
    assert f"not of {model}" in complaint(audit("--opening", word, "--json"), 2)["message"]


def test_two_openings_of_one_round_are_not_chosen_between(audit: Run, study: Study, model: str) -> None:
    words = [word for _ in range(2) for word in ("--opening", study.opening(model, "north"))]
    assert "round 1 by north" in complaint(audit(*words, "--json"), 2)["message"]


@pytest.mark.parametrize(
    ("word", "exit_code"),
    [
        ("bafyfoo", 2),
        ("", 2),
        ("missing.opening", 2),
        ("bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy", 6),
        ("GARBAGE", 2),
        ("LONG", 2),
    ],
)
def test_a_word_that_is_no_opening_is_refused(audit: Run, tmp_path: Path, word: str, exit_code: int) -> None:
    named = tmp_path / "handed"
    if word in ("GARBAGE", "LONG"):
        named.write_bytes(b"garbage" if word == "GARBAGE" else bytes(2**20 + 1))
    refused = complaint(audit("--opening", named if named.exists() else word, "--json"), exit_code)
    assert refused["message"]


def test_a_block_of_the_store_that_is_no_opening_is_refused(audit: Run, study: Study, model: str) -> None:
    card = CID(study.named(model).model.card)
    assert "no opening" in complaint(audit("--opening", str(card), "--json"), 2)["message"]


def test_an_opening_by_who_committed_nothing_is_said_to_be_of_no_use(audit: Run, study: Study, model: str) -> None:
    stranger = new_key(study.world)
    with study.client("auditor") as auditor, study.client(stranger) as liar:
        context = auditor.context
        opening = Opening(study.named(model).model.number, 1, liar.address, bytes(32), ())
        block = opening.sealed(context.deployment, liar.context.key, auditor.address, context.key.seal_key.public)
        word = str(context.store.put(block, "dag-cbor"))
    result = audit("--opening", word)
    assert result.exit_code == 6
    assert f"opening of round 1 by {stranger}" in result.stderr
    assert json.loads(audit("--opening", word, "--json").stdout)["unused"] == [f"opening of round 1 by {stranger}"]


# files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["north.bin", "one/north.bin", "1/deeper/north.bin", "1/nobody.bin", "1/south.txt"],
)
def test_a_folder_that_is_laid_out_otherwise_is_refused_with_how_it_should_be(
    audit: Run, files: Path, path: str
) -> None:
    assert audit("--files", files).exit_code == 6
    (files / path).parent.mkdir(exist_ok=True)
    (files / path).write_bytes(b"x")
    refused = complaint(audit("--files", files, "--json"), 2)
    assert refused["hint"]


def test_what_a_machine_hides_in_folders_is_left_alone(audit: Run, openings: dict[str, str], files: Path) -> None:
    for place in (files, files / "1"):
        (place / ".DS_Store").write_bytes(b"x")
    assert audit(*opened(openings), "--files", files).exit_code == 0


def test_a_site_that_is_no_contact_may_be_an_address(
    audit: Run, study: Study, openings: dict[str, str], files: Path
) -> None:
    (files / "1" / "north.bin").rename(files / "1" / f"{address_of(study.world, 'north')}.bin")
    assert audit(*opened(openings), "--files", files).exit_code == 0


def test_a_file_of_what_nobody_committed_is_said_to_be_of_no_use(audit: Run, files: Path) -> None:
    (files / "2").mkdir()
    for name in ("south", "aggregate"):
        (files / "2" / f"{name}.bin").write_bytes(b"x")
    told = json.loads(audit("--files", files, "--json").stdout)
    assert told["unused"] == ["file of round 2 by its coordinator", "file of round 2 by south"]


def test_a_folder_that_is_not_there_is_refused(audit: Run, tmp_path: Path) -> None:
    complaint(audit("--files", tmp_path / "missing", "--json"), 2)
