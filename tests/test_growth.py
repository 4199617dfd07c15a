"""`scripts/bench --growth`: what is drawn of how audits, and all else, grow, and said of it in words."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from dtledger.errors import InputError
from scripts.benchmarks import growing, growth, growth_page, pages
from scripts.benchmarks.__main__ import main
from scripts.benchmarks.growing import Grew
from scripts.benchmarks.growth import Audited

pytestmark = pytest.mark.slow

ROWS = [Audited(168 * 2**step, 0.5 * 2**step, 0.1 * 4**step, 2**20 * 2**step) for step in range(4)]
"""Time on the chain and size in proportion, time from the file with the square."""


def test_exponents_are_told_in_words() -> None:
    assert growth.told(ROWS).endswith(
        "They grow with the history to the power of 1.00, 2.00 and 1.00; 1 is in proportion, 2 with its square."
    )


def test_the_picture_says_in_words_what_it_shows(tmp_path: Path) -> None:
    growth.draw(ROWS, tmp_path / "growth.svg")
    root = ElementTree.fromstring((tmp_path / "growth.svg").read_bytes())
    assert root.findtext("{http://www.w3.org/2000/svg}desc") == growth.told(ROWS)


def test_a_picture_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="SVG"):
        growth.require_svg(tmp_path / "growth.png")
    growth.require_svg(tmp_path / "growth.svg")


GREW = Grew(
    "2026-11-28T12:00:00+00:00", 0.1, {10**n: dict.fromkeys(growth_page.WORDS, 0.002 * 10**n) for n in range(4)}
)
"""Everything in proportion."""


@pytest.mark.anvil
def test_an_axis_is_measured_at_each_size_and_drawn_and_others_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    growing.write(tmp_path / growing.FILE, {"grants": GREW})
    chosen = ["twins", "snapshots"]
    assert main(["--quick", "--growth", str(tmp_path), "--most", "3", *chosen]) == 0
    said, found = capsys.readouterr().out, growing.read(tmp_path / growing.FILE)
    assert found.pop("grants") == GREW
    assert list(found) == chosen
    for axis, grew in found.items():
        assert list(grew.points) == [1, 3]
        assert all(set(point) == set(growth_page.WORDS) and min(point.values()) > 0 for point in grew.points.values())
        root = ElementTree.fromstring((tmp_path / f"{axis}.svg").read_bytes())
        assert root.findtext("{http://www.w3.org/2000/svg}desc") == growth_page.told(axis, grew)
        assert growth_page.told(axis, grew) in said


def test_how_all_grows_is_told_in_words() -> None:
    words = growth_page.told("grants", GREW)
    assert words.startswith(
        "From 1 to 1,000 grants on the twin, it takes to grant 2 ms to 2 s (to the power of 1.00); "
    )
    assert words.endswith("Measured on 2026-11-28.")
    assert growth_page.told("grants", Grew(GREW.at, 1.26, GREW.points)).endswith("beside other work (1.3 cores).")


def test_an_axis_that_does_not_grow_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--growth", str(tmp_path), "moons"]) == 2
    assert "Nothing grows that is called 'moons'." in capsys.readouterr().err
    (tmp_path / growing.FILE).write_text("{}")
    assert main(["--growth", str(tmp_path), "twins"]) == 2
    assert "growth.json is not what the bench writes" in capsys.readouterr().err


def test_the_pictures_that_are_committed_are_of_what_is_committed_beside_them() -> None:
    folder = pages.ROOT / "docs" / "growth"
    for axis, grew in growing.read(folder / growing.FILE).items():
        root = ElementTree.fromstring((folder / f"{axis}.svg").read_bytes())
        assert root.findtext("{http://www.w3.org/2000/svg}desc") == growth_page.told(axis, grew)
