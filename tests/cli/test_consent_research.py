"""`consent grant --research`: terms of use are said before signing, shown afterwards, and reach who uses weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.models import Run, Study, update, weights
from tests.cli.twins import complaint, new_twin, said

pytestmark = pytest.mark.anvil

TRAIN = ("--action", "TRAIN", "--purpose", "HRESCH", "--category", "glucose", "--for", "30d", "--key", "patient")


def test_terms_go_from_the_grant_to_whoever_uses_the_weights(dtledger: Run, study: Study, tmp_path: Path) -> None:
    twin = new_twin(study.world, hours=0).number
    grant = ("consent", "grant", "--twin", twin, "--to", "south", *TRAIN, "--research", "npuncu", "--research", "TS")
    told = said(dtledger(*grant, "--yes", "--json"))
    assert [(each["term"], each["obligation"]) for each in told["research"]] == [
        ("DUO:0000018", True), ("DUO:0000025", False),
    ]  # fmt: skip
    assert "for no commerce" in told["sentence"]
    name = told["grant"]
    try:
        for key in ("patient", "south"):
            shown = dtledger("consent", "show", name, "--key", key).stdout
            assert "(NPUNCU, DUO:0000018); an obligation: nothing enforces it" in shown
            assert "(TS, DUO:0000025); kept: the grant ends" in shown
        receipt = dtledger("consent", "show", name, "--receipt", "--key", "patient").stdout
        assert "not-for-profit organisations alone, for no commerce (whoever trains is bound to it" in receipt
        told = said(dtledger("consent", "show", name, "--receipt", "--key", "patient", "--json"))
        assert [each["term"] for each in told["research"]] == ["DUO:0000018", "DUO:0000025"]
        assert said(dtledger("consent", "show", name, "--receipt", "--key", "north", "--json"))["research"] is None
        other = dtledger("consent", "show", name, "--key", "north")
        assert (other.exit_code, "DUO" in other.stdout) == (0, False)
        assert "cannot be read with this key" in other.stderr
        words = ("--who", "south", "--action", "TRAIN", "--purpose", "HRESCH", "--category", "glucose", "--twin", twin)
        explained = said(dtledger("consent", "explain", *words, "--json", "--key", "patient"))
        assert explained["research"] == ["DUO:0000018", "DUO:0000025"]
        model, file = study.opened(), tmp_path / "weights.bin"
        file.write_bytes(update("south", 1))
        commit = ("model", "commit", model, "--file", file, "--epsilon", "0.5", "--twin", twin, "--key", "south")
        assert said(dtledger(*commit, "--yes", "--json"))["research"] == ["DUO:0000018", "DUO:0000025"]
        study.finalised(study.committed(model, ["north"]))
        opened = dtledger("model", "open", model, "--round", "1", "--to", "auditor", "--dry-run", "--key", "south")
        assert "(NPUNCU, DUO:0000018)" in opened.stderr
        file.write_bytes(weights(1))
        out = tmp_path / "release.dsse.json"
        export = ("model", "export", model, "--round", "1", "--weights", file, "--out", out, "--key", "coordinator")
        assert dtledger(*export, "--yes").exit_code == 0
        verified = dtledger("model", "verify", out)
        assert "an obligation: nothing enforces it" in verified.stderr
        assert said(dtledger("model", "verify", out, "--json"))["research"] == ["DUO:0000018", "DUO:0000025"]
    finally:
        assert dtledger("consent", "revoke", name, "--yes", "--key", "patient").exit_code == 0
    told = said(dtledger("consent", "show", name, "--receipt", "--key", "patient", "--json"))
    assert [each["term"] for each in told["research"]] == ["DUO:0000018", "DUO:0000025"], "what was taken back had them"
    assert dtledger("twin", "export", twin, "--to", tmp_path / "mine", "--key", "patient").exit_code == 0
    consents = json.loads((tmp_path / "mine" / "consents.json").read_text())
    given = next(each for each in consents["grants"] if each["grantee"]["name"] == "south")
    assert given["research"] == ["DUO:0000018", "DUO:0000025"]
    lost = {each["path"] for each in consents["lost_in_fhir"] if each["grant"] == given["grant"]}
    assert lost == {"actions", "research"}
    receipts = [each.read_text() for each in (tmp_path / "mine" / "consents").iterdir()]
    assert any("for no commerce" in each for each in receipts)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--research", "NOTHING"), "unknown term"),
        (("--research", "DS"), "which disease"),
        (("--research", "CC"), "purpose of care"),
        (("--research", "NCU", "--action", "READ"), "go with a grant to train"),
    ],
)
def test_terms_with_one_fault_are_refused(dtledger: Run, study: Study, words: tuple[str, ...], told: str) -> None:
    twin = new_twin(study.world, hours=0).number
    base = ("consent", "grant", "--twin", twin, "--to", "south", "--dry-run")
    train = tuple(each for each in TRAIN if "--action" not in words or each not in ("--action", "TRAIN"))
    refused = complaint(dtledger(*base, *train, *words, "--json"), 2)
    assert told in refused["message"] + refused["hint"]
    assert dtledger(*base, *TRAIN, "--research", "NCU").exit_code == 0
