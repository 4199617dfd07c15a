"""The bench measures every row that it lists, at tiny sizes here; how long anything takes is not asked."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dtledger._backend import kubo_node
from dtledger._backend.directory_store import DirectoryStore
from dtledger.errors import InputError, UnreachableError
from dtledger.readings import Reading, decode_readings, encode_readings
from dtledger.testing.memory_store import MemoryStore
from scripts.benchmarks import federated, gas, kubo, machine, pages, peers, record, rows, table
from scripts.benchmarks.__main__ import main
from scripts.benchmarks.bench import QUICK, Bench
from scripts.benchmarks.figures import (
    Missing,
    NotMeasuredError,
    Rival,
    Row,
    at_least,
    at_least_times,
    at_most,
    at_most_times,
    quantity,
    times,
)
from scripts.benchmarks.record import Taken
from scripts.benchmarks.timing import in_turns, rate
from scripts.benchmarks.unprotected import PAGE, Unprotected

EVERY = [*rows.ROWS, *rows.YEAR_ROWS]
ON_KUBO = [name for name in EVERY if name.endswith("-kubo")]


def names(text: str) -> list[str]:
    return [row["name"] for row in json.loads(text)["rows"]]


class TestARun:
    @pytest.mark.anvil
    @pytest.mark.slow
    def test_measures_every_row(self, capsys: pytest.CaptureFixture[str]) -> None:
        chosen = [name for name in EVERY if name not in ON_KUBO and name not in federated.LONG_ROWS]
        assert main(["--quick", "--json", *chosen]) == 0
        said = capsys.readouterr()
        report = json.loads(said.out)
        assert [row["name"] for row in report["rows"]] == chosen
        assert [name for name in chosen if f"/{len(chosen)}] {name}" not in said.err] == []
        for row in report["rows"]:
            assert row.get("figure", row) > 0 or row["name"].startswith(("revocation", "race")), row
            assert all(goal["reached"] is None for goal in row["goals"]), "tiny sizes were judged"
            assert row["rivals"] or row["name"].startswith(("load", "queue", "gas-grant-signed")), row

    @pytest.mark.anvil
    @pytest.mark.flower
    @pytest.mark.slow
    def test_measures_the_row_of_real_rounds(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--quick", "--json", *federated.LONG_ROWS]) == 0
        assert names(capsys.readouterr().out) == list(federated.LONG_ROWS)

    @pytest.mark.anvil
    @pytest.mark.slow
    def test_finds_no_permit_to_what_was_asked_after_a_revocation(self, capsys: pytest.CaptureFixture[str]) -> None:
        main(["--quick", "--json", "revocation"])
        (row,) = json.loads(capsys.readouterr().out)["rows"]
        assert "; 0 of " in row["beside"]

    @pytest.mark.anvil
    @pytest.mark.kubo
    @pytest.mark.slow
    def test_measures_the_rows_on_kubo(self, capsys: pytest.CaptureFixture[str]) -> None:
        try:
            kubo.find()
        except NotMeasuredError as lack:
            pytest.skip(str(lack))
        main(["--quick", "--json", *ON_KUBO])
        report = json.loads(capsys.readouterr().out)
        assert names(json.dumps(report)) == ON_KUBO
        assert all(row.get("figure", 0) > 0 for row in report["rows"])

    def test_says_why_a_row_was_not_measured(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DTLEDGER_IPFS", "")
        monkeypatch.setattr(kubo_node, "_BUILT", Path("/nowhere"))
        monkeypatch.setattr(shutil, "which", lambda _: None)
        assert main(["--quick", "--json", "put-kubo"]) == 0
        (row,) = json.loads(capsys.readouterr().out)["rows"]
        assert row["not_measured"].startswith("no kubo")

    def test_goes_on_after_a_row_that_fails_and_ends_with_1(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(_: Bench) -> Row:
            raise UnreachableError("no chain", hint="Start it.")

        monkeypatch.setattr(rows, "ROWS", {"hash": fails, "encrypt-small": rows.ROWS["encrypt-small"]})
        assert main(["--quick", "--json", "hash", "encrypt"]) == 1
        failed, measured = json.loads(capsys.readouterr().out)["rows"]
        assert (failed["not_measured"], failed["failed"]) == ("UnreachableError: no chain Start it.", True)
        assert measured["figure"] > 0

    def test_keeps_each_row_when_one_breaks_off(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Asked to end in the midst of a run, it shows what it has, and the file has it too."""

        def ends(_: Bench) -> Row:
            sys.exit(143)

        monkeypatch.setattr(rows, "ROWS", {"encrypt-small": rows.ROWS["encrypt-small"], "hash": ends})
        kept = tmp_path / "rows.json"
        with pytest.raises(SystemExit):
            main(["--quick", "--json", "--into", str(kept), "hash", "encrypt"])
        assert names(capsys.readouterr().out) == ["encrypt-small"]
        assert list(record.read(kept)) == ["encrypt-small"]

    def test_goes_on_after_a_fault_of_its_own(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(_: Bench) -> Row:
            raise AssertionError("the two sides differ")

        monkeypatch.setattr(rows, "ROWS", {"hash": fails})
        assert main(["--quick", "--json", "hash"]) == 1
        said = capsys.readouterr()
        assert json.loads(said.out)["rows"][0]["not_measured"] == "AssertionError: the two sides differ"
        assert "Traceback" in said.err

    def test_lists_its_rows(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--list"]) == 0
        assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(rows.every())

    def test_refuses_a_row_that_it_does_not_have(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["gaz"]) == 2
        assert "No row is called 'gaz'" in capsys.readouterr().err
        assert main(["hash", "--quick"]) == 0


class TestThePeers:
    @pytest.mark.anvil
    @pytest.mark.slow
    def test_are_measured_on_the_same_anvil(self) -> None:
        if not peers.installed():
            pytest.skip("the contracts of EAS and Ocean are not installed: scripts/bench gas installs them")
        with Bench(QUICK) as bench:
            found = peers.measure(bench.world())
        recorded = {each.name for each in gas.RECORDED.values() if each.source == gas.BEFORE}
        assert recorded <= set(found)
        assert min(found.values()) > 20_000
        assert found["EAS attest"] < found["EAS attest, by fields"]

    def test_of_before_stand_in_their_place_where_they_are_not_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(peers, "installed", lambda: False)
        (rival,) = gas.rivals(Bench(QUICK), ["EAS revoke", "EAS attest, signed"])
        assert (rival.name, rival.source) == ("EAS revoke", gas.BEFORE)
        monkeypatch.setattr(peers, "installed", lambda: True)
        bench = Bench(QUICK)
        bench.once("peers", lambda: {"EAS revoke": 70_000.0, "EAS attest, signed": 300_000.0})
        found = gas.rivals(bench, ["EAS revoke", "EAS attest, signed"])
        assert [(each.figure, each.source) for each in found] == [(70_000, ""), (300_000, "")]

    @pytest.mark.parametrize(
        ("asked", "wants"),
        [
            ("", True),
            ("--year --into rows.json", True),
            ("gas-grant", True),
            ("read gas --quick", True),
            ("read", False),
            ("--into rows.json read", False),
            ("--list", False),
            ("--pages", False),
            ("--growth docs/growth", False),
        ],
    )
    def test_are_wanted_where_gas_is_asked_for(self, asked: str, wants: bool, tmp_path: Path) -> None:
        text = (pages.ROOT / "scripts/bench").read_text()
        function = text[text.index("wants_peers() {") : text.index("\nsetup\n")]
        done = subprocess.run(["/bin/sh", "-euc", f"{function}\nif wants_peers {asked}; then exit 7; fi"], check=False)
        assert done.returncode == (7 if wants else 0)


class TestChoosing:
    def test_takes_a_whole_name_or_its_beginning(self) -> None:
        assert list(rows.choose(["hash"], year=False)) == ["hash"]
        assert list(rows.choose(["gas-grant"], year=False)) == ["gas-grant", "gas-grant-many", "gas-grant-signed"]

    def test_takes_a_year_only_where_it_is_asked_for(self) -> None:
        assert list(rows.choose([], year=False)) == list(rows.ROWS)
        assert list(rows.choose([], year=True)) == EVERY
        assert list(rows.choose(["year"], year=False)) == [name for name in EVERY if name.startswith("year-")]

    def test_refuses_a_name_cut_within_a_word(self) -> None:
        with pytest.raises(InputError, match="'ha'"):
            rows.choose(["ha"], year=False)


class TestAGoal:
    row = Row("a read", 100.0, "ms", rivals=(Rival("unprotected", 40.0),))

    def test_is_reached_at_its_limit(self) -> None:
        assert at_most(100, "ms").reached_by(self.row)
        assert not at_most(99, "ms").reached_by(self.row)
        assert at_least(100, "ms").reached_by(self.row)
        assert not at_least(101, "ms").reached_by(self.row)

    def test_may_be_a_multiple_of_a_rival(self) -> None:
        assert at_most_times(2.5, "unprotected").reached_by(self.row)
        assert not at_most_times(2, "unprotected").reached_by(self.row)
        assert at_least_times(2.5, "unprotected").reached_by(self.row)
        assert not at_least_times(3, "unprotected").reached_by(self.row)


def taken(row: Row | Missing, load: float = 0, *, judged: bool = True) -> Taken:
    return Taken(row, "2026-11-28T12:00:00+00:00", {"cpu": "a processor"}, load, judged=judged)


READ = Row("a read", 100.0, "ms", (at_most(99, "ms"),), (Rival("other", 5.0, "a paper"),), "beside")


class TestTheTable:
    measured = {  # noqa: RUF012
        "read": taken(READ),
        "put": taken(Missing("no disk"), 1.25),
        "revocation": taken(Missing("no chain", failed=True)),
    }

    def test_says_what_was_reached_and_what_was_missed(self) -> None:
        text = table.markdown(self.measured)
        assert "| `read` | a read<br>(beside) | 100 ms | ≤ 99 ms MISSED | other† 5 ms (20 ×) | 2026-11-28 |" in text
        assert "| `put` | not measured: no disk |  |  |  | 2026-11-28, loaded (1.2 cores) |" in text
        assert "MISSED" not in table.markdown({"read": taken(READ, judged=False)})

    def test_shows_the_same_to_people(self, capsys: pytest.CaptureFixture[str]) -> None:
        table.show(self.measured)
        shown = capsys.readouterr().out
        for text in (
            "read",
            "a read",
            "(beside)",
            "100 ms",
            "≤ 99 ms MISSED",
            "other† 5 ms (20 ×)",
            "no disk",
            "failed",
        ):
            assert text in shown

    def test_names_the_kind_of_machine_and_not_the_machine(self) -> None:
        assert set(machine.machine()) == {"cpu", "cores", "system", "python"}

    def test_load_is_what_cores_do_meanwhile(self) -> None:
        assert machine.load(0.02) >= 0

    @pytest.mark.parametrize(
        ("figure", "text"),
        [(51_668, "51,668 s"), (123.4, "123 s"), (12.34, "12.3 s"), (1.234, "1.23 s"), (0.0123, "0.012 s")],
    )
    def test_writes_about_three_digits(self, figure: float, text: str) -> None:
        assert quantity(figure, "s") == text

    def test_writes_small_ratios_as_fractions(self) -> None:
        assert [times(each) for each in (0, 0.001, 0.5, 3.25, 40)] == [
            "0.00 ×",
            "1/1,000 ×",
            "0.50 ×",
            "3.25 ×",
            "40 ×",
        ]


class TestTiming:
    def test_takes_turns_after_one_run_of_each(self) -> None:
        turns: list[str] = []
        in_turns(lambda: turns.append("ours"), lambda: turns.append("rival"), 2)
        assert turns == ["ours", "rival"] * 3

    def test_counts_what_the_work_says_it_did(self) -> None:
        ready: list[int] = []

        def work() -> int:
            assert ready.pop()
            return 7

        assert rate(work, 0.001, lambda: ready.append(1)) > 0


class TestTheUnprotectedRival:
    @pytest.mark.parametrize("count", [1, PAGE, PAGE + 1])
    def test_gives_back_what_was_put(self, count: int, tmp_path: Path) -> None:
        contents = [b"content %d" % place * 100 for place in range(count)]
        for store in (MemoryStore(), DirectoryStore(tmp_path)):
            rival = Unprotected(store)
            assert list(rival.contents(rival.put(contents))) == contents

    def test_cuts_what_is_longer_than_a_block(self) -> None:
        rival = Unprotected(MemoryStore())
        content = bytes(range(256)) * 2**13
        assert list(rival.contents(rival.put([content]))) == [content]

    def test_gives_readings_in_the_order_of_their_time(self) -> None:
        rival = Unprotected(MemoryStore())
        hours = [[Reading(at + step, 5.0, "mmol/L") for step in (0, 300)] for at in (7200, 3600)]
        contents = [encode_readings("glucose", hour) for hour in hours]
        found = rival.readings(rival.put(contents))
        assert [each.at.timestamp() for each in found] == [3600, 3900, 7200, 7500]
        assert len(decode_readings(contents[0]).readings) == 2
