"""Pictures of readings: what they show, that they say it in words too, and that nothing is told by colour alone."""

from __future__ import annotations

import io
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest

from dtledger._cli.picture import file, terminal
from dtledger._cli.picture.file import MOST_POINTS
from dtledger._cli.picture.scene import Expected, Scene, told
from dtledger.client import TwinReading
from dtledger.errors import InputError

pytestmark = pytest.mark.slow

VIENNA = ZoneInfo("Europe/Vienna")
BEGIN = datetime(2026, 11, 2, 7, 0, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"


def readings(
    values: Sequence[float], *, begin: datetime = BEGIN, step: float = 300, **quality: range
) -> list[TwinReading]:
    """One each five minutes; `quality` names the places that have that word."""
    return [
        TwinReading(
            (begin + timedelta(seconds=step * place)).astimezone(VIENNA),
            value,
            "mmol/L",
            next((word for word, places in quality.items() if place in places), ""),
            "",
        )
        for place, value in enumerate(values)
    ]


def scene(values: Sequence[float] = (5.0, 6.0, 12.0, 3.0), **changes: Any) -> Scene:
    quality = {word: changes.pop(word) for word in ("suspect", "unverified") if word in changes}
    whole: dict[str, Any] = {
        "title": "glucose of twin 7, mmol/L",
        "category": "glucose",
        "unit": "mmol/L",
        "zone": VIENNA,
        "readings": readings(values, **quality),
        "band": (3.9, 10.0),
        "age": 600,
    }
    return Scene(**(whole | changes))


def ahead(minutes: int, mean: float) -> Expected:
    at = (BEGIN + timedelta(minutes=15 + minutes)).astimezone(VIENNA)
    return Expected(at, mean, ((50, mean - 0.3, mean + 0.3), (80, mean - 0.6, mean + 0.6), (95, mean - 1, mean + 1)))


def svg(*scenes: Scene) -> ElementTree.Element:
    return ElementTree.fromstring(file.drawn(scenes, "svg"))


def texts(root: ElementTree.Element) -> list[str]:
    return ["".join(each.itertext()).strip() for each in root.iter(f"{SVG}text")]


class TestWords:
    def test_say_from_when_to_when_what_lies_where_and_how_old_it_is(self) -> None:
        assert told(scene()) == (
            "Glucose of twin 7, mmol/L: 4 readings from 2026-11-02 08:00:00 +0100 to 2026-11-02 08:15:00 +0100, "
            "between 3.0 and 12.0 mmol/L, the last 3.0 mmol/L. The twin's newest reading is 10 minutes old. 2 lie in "
            "the target range of 3.9 to 10.0, 1 below and 1 above it."
        )

    def test_say_stale_where_it_is(self) -> None:
        assert "is 3 hours old; that is STALE." in told(scene(age=3 * 3600, stale=True))
        assert "STALE" not in told(scene())

    def test_of_one_reading_are_one_sentence(self) -> None:
        one = told(scene([5.0], band=None, age=None))
        assert one == "Glucose of twin 7, mmol/L: one reading, 5.0 mmol/L at 2026-11-02 08:00 +0100."

    def test_name_each_stretch_that_is_not_to_be_relied_on(self) -> None:
        said = told(scene([5.0] * 40, suspect=range(4, 7), unverified=range(7, 9)))
        assert (
            "3 are set aside by the gateway (suspect): from 2026-11-02 08:20 +0100 to 2026-11-02 08:30 +0100." in said
        )
        assert "2 are followed, and nobody vouches for them (unverified): from 2026-11-02 08:35 +0100 to" in said

    def test_of_many_stretches_name_the_first_and_count_the_others(self) -> None:
        said = told(scene([5.0] * 60, suspect=range(0, 60, 2)))
        assert "30 are set aside" in said
        assert "in 27 more stretches" in said

    def test_say_what_is_expected_with_its_intervals_and_what_the_twin_holds_for_true(self) -> None:
        drawn = scene([5.0] * 4, state=[ahead(-15, 5.1)], forecast=[ahead(15, 5.5), ahead(30, 6.0)])
        said = told(drawn).replace("\N{NO-BREAK SPACE}", " ")
        assert "The twin's own state at its newest is 5.1 mmol/L (50 %: 4.8 to 5.4; 80 %: 4.5 to 5.7; 95 %" in said
        assert "Expected at 2026-11-02 08:30:00 +0100 is 5.5 mmol/L (50 %: 5.2 to 5.8; 80 %: 4.9 to 6.1; 95 %" in said
        assert said.count("Expected at") == 2


class TestSvg:
    def test_reads_itself_aloud_its_title_and_all_that_it_shows(self) -> None:
        root = svg(scene())
        assert root.get("role") == "img"
        ids = (root.get("aria-labelledby") or "").split()
        title, desc = (next(each for each in root if each.get("id") == name) for name in ids)
        assert (title.tag, desc.tag) == (f"{SVG}title", f"{SVG}desc")
        assert title.text == "glucose of twin 7, mmol/L"
        assert desc.text == told(scene())

    def test_shows_the_same_words_below(self) -> None:
        assert told(scene()).split(": ")[1] in " ".join(texts(svg(scene())))

    def test_names_the_unit_and_the_clock_on_its_axes(self) -> None:
        words = texts(svg(scene()))
        assert {"glucose (mmol/L)", "local time, at +0100 from UTC"} <= set(words)
        assert "08:00" in words, "and not 07:00, which it is in UTC"

    def test_names_both_offsets_where_clocks_were_turned(self) -> None:
        turned = readings([5.0] * 40, begin=datetime(2026, 10, 25, 0, 0, tzinfo=UTC))
        assert "local time, at +0200 and +0100 from UTC" in texts(svg(scene(readings=turned)))

    @pytest.mark.parametrize("stale", [True, False])
    def test_shows_stale_where_it_is(self, stale: bool) -> None:
        assert ("STALE" in texts(svg(scene(stale=stale)))) is stale

    def test_tells_each_part_by_a_word_and_a_form_and_never_by_colour_alone(self) -> None:
        drawn = scene(
            [5.0] * 4, suspect=range(1), unverified=range(1, 2), state=[ahead(-15, 5)], forecast=[ahead(15, 5)]
        )
        words = texts(svg(drawn))
        assert {"readings", "suspect", "unverified", "target range", "twin's state, 95 %", "expected"} <= set(words)
        assert {"expected, 50 %", "expected, 80 %", "expected, 95 %"} <= set(words)
        forms = [(hatch, marker) for _, hatch, marker, _ in file._STRETCHES.values()]
        assert len({hatch for hatch, _ in forms}) == len({marker for _, marker in forms}) == len(forms)
        assert {"suspect", "unverified", "expected"}.isdisjoint(texts(svg(scene())))

    def test_is_the_same_bytes_for_the_same_scene(self) -> None:
        assert file.drawn([scene()], "svg") == file.drawn([scene()], "svg")

    @pytest.mark.parametrize("unit", ["$x_1$", "<script>", "a&b", "\\frac", "$"])
    def test_shows_a_unit_that_is_none_as_it_is_written(self, unit: str) -> None:
        odd = [replace(each, unit=unit) for each in readings([5.0, 6.0])]
        assert f"glucose ({unit})" in texts(svg(scene(readings=odd, unit=unit, title=unit, band=None)))

    def test_of_two_units_has_an_axis_for_each(self) -> None:
        other = scene(readings=[replace(each, unit="mg/dL") for each in readings([90.0])], unit="mg/dL", band=None)
        assert {"glucose (mmol/L)", "glucose (mg/dL)"} <= set(texts(svg(scene(), other)))


class TestPng:
    def test_says_what_it_shows_in_its_metadata(self) -> None:
        from PIL import Image

        with Image.open(io.BytesIO(file.drawn([scene()], "png"))) as image:
            assert image.format == "PNG"
            assert image.info["Description"] == told(scene())
            assert image.info["Title"] == "glucose of twin 7, mmol/L"
            assert image.width == round(file.WIDTH * file.DOTS)

    def test_is_the_same_bytes_for_the_same_scene(self) -> None:
        assert file.drawn([scene()], "png") == file.drawn([scene()], "png")


class TestLines:
    def test_are_broken_where_readings_are_missing(self) -> None:
        some = readings([5.0] * 10)
        _, whole = file._line(scene(readings=some))
        _, broken = file._line(scene(readings=some[:4] + some[7:]))
        assert not any(map(math.isnan, whole))
        assert sum(map(math.isnan, broken)) == 1

    def test_of_a_long_signal_are_thinned_and_keep_every_extreme(self) -> None:
        values = [math.sin(place) for place in range(10 * MOST_POINTS)]
        values[12_345], values[54_321] = 9.0, -9.0
        times, thin = file._line(scene(readings=readings(values, step=0.004)))
        assert len(thin) <= MOST_POINTS
        assert (max(thin), min(thin)) == (9.0, -9.0)
        assert times == sorted(times)

    def test_of_a_forecast_begin_at_the_newest_reading_unless_that_is_not_to_be_relied_on(self) -> None:
        forecast = [ahead(15, 5.5)]
        assert len(file._joined(scene(forecast=forecast))) == 2
        assert file._joined(scene(forecast=forecast, suspect=range(3, 4))) == forecast
        assert file._joined(scene()) == []


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(InputError, match=r"pip install 'dtledger\[plot\]'"):
        file.drawn([scene()], "svg")
    monkeypatch.undo()
    assert file.drawn([scene()], "svg")


def test_in_the_terminal_what_is_not_to_be_relied_on_and_what_is_expected_have_signs_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    plain = terminal.drawn(scene([5.0] * 20))
    drawn = terminal.drawn(
        scene([5.0] * 20, suspect=range(5, 8), unverified=range(9, 12), forecast=[ahead(90, 6.0), ahead(120, 6.5)])
    )
    assert {"x", "^", "o"} <= set(drawn)
    assert "^" not in plain
    assert "times at +0100" in drawn
