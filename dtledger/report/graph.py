"""A lineage drawn as SVG: rows from top to bottom, one box a node, a line where one went into another.

A verdict is a sign and a word in its box, never a colour alone. Without the page's style it is black on white.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from html import escape

from ..audit import Verdict
from .document import Edge, Node

_WIDTH, _HEIGHT, _GAP, _FALL = 210, 66, 22, 46
_ACROSS = 5
"""Boxes side by side: of more, a row goes on below."""
_FITS, _FITS_SMALL = 21, 30
"""Characters of a line in a box: of its name, and of what stands below."""

SIGNS = {Verdict.PASS: "✓", Verdict.FAIL: "✗", Verdict.CANNOT_CHECK: "?"}


def drawn(nodes: Sequence[Node], edges: Sequence[Edge]) -> str:
    """The picture, with a title and a description for who does not see it."""
    places, width, height = _laid(nodes)
    said = f"{len(nodes)} things and {len(edges)} steps from one to another. The table below says the same in words."
    lines = "".join(_line(*places[each.source], *places[each.target]) for each in edges)
    boxes = "".join(_box(each, *places[each.name]) for each in nodes)
    return (
        f'<svg role="img" aria-labelledby="lineage-title lineage-text" viewBox="0 0 {width} {height}" '
        f'style="max-width:{width}px" xmlns="http://www.w3.org/2000/svg">'
        f'<title id="lineage-title">What was made of what</title><desc id="lineage-text">{escape(said)}</desc>'
        f"<g>{lines}</g><g>{boxes}</g></svg>"
    )


def _laid(nodes: Sequence[Node]) -> tuple[dict[str, tuple[int, int]], int, int]:
    """Where each box begins, and how large the picture is."""
    rows: dict[int, list[Node]] = defaultdict(list)
    for each in nodes:
        rows[each.row].append(each)
    lines = [own[at : at + _ACROSS] for _, own in sorted(rows.items()) for at in range(0, len(own), _ACROSS)]
    across = max((len(each) for each in lines), default=1)
    width = across * (_WIDTH + _GAP) + _GAP
    places = {}
    for number, line in enumerate(lines):
        left = (width - len(line) * (_WIDTH + _GAP) + _GAP) // 2
        for place, each in enumerate(line):
            places[each.name] = (left + place * (_WIDTH + _GAP), _GAP + number * (_HEIGHT + _FALL))
    return places, width, len(lines) * (_HEIGHT + _FALL) - _FALL + 2 * _GAP


def _line(x: int, y: int, to_x: int, to_y: int) -> str:
    start, end = (x + _WIDTH // 2, y + _HEIGHT), (to_x + _WIDTH // 2, to_y)
    half = (start[1] + end[1]) // 2
    return (
        f'<path class="edge" fill="none" stroke="black" '
        f'd="M{start[0]} {start[1]}C{start[0]} {half} {end[0]} {half} {end[0]} {end[1] - 6}"/>'
        f'<path class="tip" d="M{end[0] - 5} {end[1] - 8}l5 8l5 -8z"/>'
    )


def _box(node: Node, x: int, y: int) -> str:
    kind = node.verdict.name.lower() if node.verdict else "none"
    words = f"{SIGNS[node.verdict]} {node.verdict.value}" if node.verdict else "not audited"
    texts = ((20, "name", node.title), (39, "detail", node.detail), (57, f"verdict {kind}", words))
    shape = f'x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="6"'
    return f'<g class="node {kind}"><rect fill="white" stroke="black" {shape}/>' + "".join(
        f'<text x="{x + 10}" y="{y + down}" class="{style}">{escape(_short(text, style))}</text>'
        for down, style, text in texts
        if text
    ) + "</g>"  # fmt: skip


def _short(text: str, style: str) -> str:
    """What fits into a line; of an address that does not, both ends: many begin alike."""
    fits = _FITS if style == "name" else _FITS_SMALL
    if len(text) <= fits:
        return text
    if text.startswith("0x"):
        return f"{text[:11]}…{text[-6:]}"
    return f"{text[: fits - 1]}…"
