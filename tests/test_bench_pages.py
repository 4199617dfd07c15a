"""The bench's record of rows, and the pages that are written from it: they say what docs/bench.json says."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from dtledger.errors import InputError
from scripts.benchmarks import pages, promises, record, scale
from scripts.benchmarks.__main__ import main
from scripts.benchmarks.figures import Missing, Rival, Row, at_least_times, at_most, quantity
from scripts.benchmarks.record import Taken
from scripts.benchmarks.rows import every

MACHINE = {"cpu": "a processor", "cores": 2, "system": "Linux", "python": "3.11"}
FIGURES = record.read(pages.FIGURES)


def taken(figure: float, load: float | None = 0.0, *, judged: bool = True) -> Taken:
    goals, rivals = (
        (at_most(50, "ms"), at_least_times(0.5, "EAS")),
        (Rival("EAS", 100), Rival("a paper's", 90, "2025")),
    )
    return Taken(
        Row("a grant", figure, "ms", goals, rivals, "beside"),
        "2026-11-28T12:00:00+00:00",
        MACHINE,
        load,
        judged=judged,
    )


MISSING = Taken(Missing("no kubo"), "2026-11-28T12:00:00+00:00", MACHINE, 0.0)


class TestARecord:
    def test_gives_back_what_was_merged_into_it_in_the_bench_s_order(self, tmp_path: Path) -> None:
        kept = tmp_path / "rows.json"
        for name, each in (("b", taken(40)), ("strange", taken(1)), ("a", MISSING)):
            assert record.merge(kept, name, each, ["a", "b"])
        assert record.read(kept) == {"a": MISSING, "b": taken(40), "strange": taken(1)}
        assert list(record.read(kept)) == ["a", "b", "strange"]

    def test_takes_the_newer_of_two_rows_but_nothing_for_something(self, tmp_path: Path) -> None:
        kept = tmp_path / "rows.json"
        record.merge(kept, "a", taken(40), ["a"])
        assert record.merge(kept, "a", taken(41, None), ["a"])
        assert not record.merge(kept, "a", MISSING, ["a"])
        assert record.read(kept) == {"a": taken(41, None)}

    def test_says_of_each_goal_whether_it_was_reached_if_the_row_is_judged(self) -> None:
        (row,) = json.loads(record.as_json({"a": taken(49)}))["rows"]
        assert [(goal["text"], goal["reached"]) for goal in row["goals"]] == [
            ("≤ 50 ms", True),
            ("≥ 0.5 × EAS", False),
        ]
        assert [rival["ratio"] for rival in row["rivals"]] == [0.49, 49 / 90]
        (row,) = json.loads(record.as_json({"a": taken(49, judged=False)}))["rows"]
        assert [goal["reached"] for goal in row["goals"]] == [None, None]

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "dtledger/bench/1", "rows": []}'])
    def test_refuses_a_file_of_another_kind(
        self, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        other = tmp_path / "other.json"
        other.write_text(text)
        with pytest.raises(InputError, match="no record of this bench"):
            record.read(other)
        assert main(["--quick", "--into", str(other), "hash"]) == 2
        assert "other.json is no record" in capsys.readouterr().err
        assert other.read_text() == text

    def test_of_full_sizes_takes_no_tiny_ones(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        kept = tmp_path / "rows.json"
        record.merge(kept, "a", taken(40), ["a"])
        assert main(["--quick", "--into", str(kept), "hash"]) == 2
        assert "rows.json holds rows of full sizes" in capsys.readouterr().err
        record.merge(kept, "a", taken(40, judged=False), ["a"])
        assert main(["--quick", "--into", str(kept), "hash"]) == 0
        assert list(record.read(kept)) == ["hash", "a"]


class TestTheLastFigures:
    def test_are_of_rows_that_the_bench_has(self) -> None:
        assert [name for name in FIGURES if name not in every()] == []
        assert all(each.judged for each in FIGURES.values())

    @pytest.mark.parametrize("name", pages.PARTS)
    def test_are_what_the_pages_say(self, name: str) -> None:
        page = (pages.ROOT / name).read_text()
        assert pages.filled(page, pages.PARTS[name], FIGURES) == page, "run scripts/bench --pages"

    def test_a_page_that_says_something_else_is_noticed(self) -> None:
        page, figures = (pages.ROOT / "README.md").read_text(), dict(FIGURES)
        figures["gas-grant"] = taken(1)
        assert pages.filled(page, pages.PARTS["README.md"], figures) != page

    def test_each_promise_is_a_goal_of_a_row(self) -> None:
        for promise in promises.PROMISES:
            assert promise.row in every(), promise
            found = FIGURES.get(promise.row)
            assert found is None or isinstance(found.row, Missing) or promise.goal < len(found.row.goals), promise


class TestThePages:
    def test_count_what_is_met_and_missed_and_mark_what_was_measured_beside_other_work(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told = [
            promises.Promise("a grant", "a"),
            promises.Promise("… beside EAS", "a", 1),
            promises.Promise("a read", "b"),
        ]
        monkeypatch.setattr(promises, "PROMISES", told)
        assert promises.reached({"a": taken(49, 1.5)}).splitlines() == [
            "Of 3 goals 1 is met and 1 is missed; 1 not measured.",
            "",
            "| what | goal | figure |  | measured |",
            "| --- | --- | ---: | --- | --- |",
            "| a grant | ≤ 50 ms | 49 ms | met | 2026-11-28, loaded (1.5 cores) |",
            "| … beside EAS | ≥ 0.5 × EAS | 0.49 × | **MISSED** | 2026-11-28, loaded (1.5 cores) |",
            "| a read |  | not measured |  |  |",
        ]

    def test_do_not_mark_what_is_counted_and_not_timed(self) -> None:
        counted = replace(taken(49, 1.5), row=Row("a grant", 49, "gas"))
        assert (taken(49, 1.5).loaded, taken(49, None).loaded, counted.loaded) == (True, True, False)

    def test_are_written_between_their_markers(self, tmp_path: Path) -> None:
        (tmp_path / "docs").mkdir()
        for name, parts in pages.PARTS.items():
            marked = "".join(f"<!-- bench: {part} -->\nold\n<!-- bench: end -->\n" for part in parts)
            (tmp_path / name).write_text(f"before\n{marked}after\n")
        assert pages.write(tmp_path) == [*pages.PARTS, *pages.WHOLE]
        assert pages.write(tmp_path) == []
        page = (tmp_path / "README.md").read_text()
        assert page.startswith(f"before\n<!-- bench: goals -->\n\nOf {len(promises.PROMISES)} goals")
        assert page.endswith("|\n\n<!-- bench: end -->\nafter\n")
        assert "old" not in page

    def test_without_their_markers_are_refused(self) -> None:
        with pytest.raises(ValueError, match="no place for goals"):
            pages.filled("nothing here", pages.PARTS["README.md"], FIGURES)


class TestTheArithmetic:
    def test_is_what_the_last_figures_give(self) -> None:
        for name, page in pages.WHOLE.items():
            assert (pages.ROOT / name).read_text() == page(FIGURES), "run scripts/bench --pages"

    def test_names_each_row_that_it_rests_on_and_follows_its_figure(self) -> None:
        page = scale.page(FIGURES)
        named = set(re.findall("`([a-z0-9-]+)`", page)) - {"code"}
        assert named
        assert named <= set(FIGURES)
        for name in named:
            row = FIGURES[name].row
            assert isinstance(row, Row)
            doubled = replace(FIGURES[name], row=replace(row, figure=2 * row.figure))
            assert scale.page({**FIGURES, name: doubled}) != page, name
            assert f"| `{name}` | {quantity(row.figure, row.unit)} |" in page

    def test_needs_every_row(self) -> None:
        with pytest.raises(ValueError, match="lacks the row gas-anchor"):
            scale.page({})

    def test_says_formulas_whose_results_it_shows(self) -> None:
        two, three, five = (scale.Term(value, str(value)) for value in (2, 3, 5))
        for term, value, text in (
            ((two + three) * five, 25, "(2 + 3) × 5"),
            (two * three + five, 11, "2 × 3 + 5"),
            (five / (two * three), 5 / 6, "5 / (2 × 3)"),
            (five / two / three, 5 / 6, "5 / 2 / 3"),
            (two + three + five, 10, "2 + 3 + 5"),
        ):
            assert (term.value, term.text) == (value, text)

    def test_is_printed(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert scale.main([str(pages.FIGURES)]) == 0
        assert capsys.readouterr().out == scale.page(FIGURES)
