"""What pages say of the figures of `docs/bench.json`, written into them between two markers.

A page's part NAME begins after `<!-- bench: NAME -->` and ends before `<!-- bench: end -->`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from dtledger._backend.files import write_atomically

from . import growing, growth_page, promises, record, scale, table
from .record import Record, Taken

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / "docs" / "bench.json"
GROWTH = ROOT / "docs" / "growth" / growing.FILE

PARTS: Mapping[str, Mapping[str, Callable[[Record], str]]] = {
    "README.md": {"goals": promises.reached},
    "docs/bench.md": {"figures": lambda figures: f"{machines(figures)}\n\n{table.markdown(figures)}"},
    "docs/growth.md": {"pictures": lambda _: growth_page.pictures(growing.read(GROWTH))},
}
"""Page → part → what stands there."""
WHOLE: Mapping[str, Callable[[Record], str]] = {"docs/scale.md": scale.page}
"""Pages that are written as a whole."""


def write(root: Path = ROOT) -> list[str]:
    """Write every part and page anew; the names of the pages that changed."""
    figures = record.read(FIGURES)
    fresh = {name: filled((root / name).read_text(), parts, figures) for name, parts in PARTS.items()}
    fresh |= {name: page(figures) for name, page in WHOLE.items()}
    changed = [name for name, page in fresh.items() if not (root / name).exists() or (root / name).read_text() != page]
    for name in changed:
        write_atomically(root / name, fresh[name].encode(), mode=0o644)
    return changed


def filled(page: str, parts: Mapping[str, Callable[[Record], str]], figures: Record) -> str:
    """The page with each of its parts as the figures have it.

    Raises:
        ValueError: the page lacks the markers of a part.
    """
    for name, part in parts.items():
        markers = re.compile(rf"(<!-- bench: {name} -->\n).*?(<!-- bench: end -->)", re.DOTALL)
        found = markers.search(page)
        if found is None:
            raise ValueError(f"the page has no place for {name}")
        page = f"{page[: found.end(1)]}\n{part(figures)}\n\n{page[found.start(2) :]}"
    return page


def machines(figures: Mapping[str, Taken]) -> str:
    """On what they were measured."""
    heads = dict.fromkeys(table.headline(each.machine) for each in figures.values())
    return "; ".join(heads) + "."
