"""`scripts/bench --growth`: what is drawn of how audits grow, and said of it in words."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from dtledger.errors import InputError
from scripts.benchmarks import growth
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
