"""What `scripts/mutate` says of mutants: what no test notices fails it, unless the reason is written down."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from tests.broken.automatic import mutants, policy
from tests.broken.automatic.mutants import ROOT, Mutant, Tally

SOUND = (ROOT / policy.PATH).read_text()
NINE = Mutant(policy.PATH, "NumberReplacer", SOUND.replace("SLOTS = 8", "SLOTS = 9"))
EXPLANATION = """
[[survivor]]
file = "dtledger/policy.py"
before = "SLOTS = 8"
after = ["SLOTS = 9"]
reason = "a cat has them"
"""


@pytest.fixture
def survivors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in place of the real one, with one explanation."""
    path = tmp_path / "survivors.toml"
    path.write_text(EXPLANATION)
    monkeypatch.setattr(mutants, "SURVIVORS", path)
    return path


def verdict(survived: bool, whole: bool = False) -> int:
    tally = Tally([policy.PATH], 1)
    tally.count(NINE, survived)
    return tally.close(whole)


def test_every_explanation_is_of_a_line_that_is_there_and_changes_it() -> None:
    for row in tomllib.loads(mutants.SURVIVORS.read_text()).get("survivor", []):
        lines = {line.strip() for line in (ROOT / row["file"]).read_text().splitlines()}
        assert set(row["before"].splitlines()) <= lines, row
        assert row["before"] not in row["after"]


def test_a_survivor_fails_the_run_until_it_is_explained(survivors: Path) -> None:
    assert verdict(survived=True) == 0
    survivors.write_text(EXPLANATION.replace("= 9", "= 10"))
    assert verdict(survived=True) == 1


def test_a_line_in_two_places_is_explained_for_each(survivors: Path) -> None:
    tally = Tally([policy.PATH], 1)
    tally.count(NINE, survived=True)
    tally.count(NINE, survived=True)
    assert (tally.equivalent, tally.unexplained) == (1, 1)


def test_an_explanation_without_a_reason_is_none(survivors: Path) -> None:
    survivors.write_text(EXPLANATION.replace("a cat has them", " "))
    with pytest.raises(ValueError, match="no reason"):
        verdict(survived=True)


def test_an_explanation_of_what_is_noticed_fails_a_whole_run(survivors: Path) -> None:
    assert verdict(survived=False, whole=True) == 1
    assert verdict(survived=False, whole=False) == 0
    assert verdict(survived=True, whole=True) == 0


def test_a_run_without_mutants_fails() -> None:
    assert Tally([policy.PATH], 1).close(whole=False) == 1


def test_what_no_compiler_takes_is_no_mutant_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally([policy.PATH], 2)
    tally.count(NINE, None)
    assert tally.close(whole=False) == 1
    tally.count(NINE, survived=False)
    assert tally.close(whole=False) == 0
    told = capsys.readouterr()
    assert "1 mutants: 1 killed, 0 explained survivors, 0 others; 1 more that no compiler takes" in told.out
    assert "[1/2] nonsense dtledger/policy.py: SLOTS = 9" in told.err
    assert "[2/2] noticed  dtledger/policy.py: SLOTS = 9" in told.err


@pytest.mark.slow
def test_the_rule_as_it_is_survives_and_a_mistake_in_it_does_not() -> None:
    same = replace(NINE, text=SOUND.replace("purpose is Purpose.PATRQT", "purpose == Purpose.PATRQT"))
    assert dict(policy.judged([NINE, same])) == {NINE: False, same: True}
