"""A snapshot as people and as JSON have it. A category that no key at hand names is its stream's label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import times
from ..app import App, rfc3339

if TYPE_CHECKING:
    from ...client import Listed


def category_words(category: str | None, label: bytes) -> str:
    """The category's name, or the beginning of the stream's label.

    >>> category_words(None, bytes(32))
    'stream 00000000'
    """
    return category or f"stream {label.hex()[:8]}"


def standing_words(each: Listed) -> str:
    """What a reader should know of it: late, corrected, not counted; `-` for nothing."""
    found = each.found
    words = [
        "late" if found.late else "",
        "correction" if found.manifest.corrects else "",
        {True: "", False: "NOT COUNTED", None: "right unknown"}[found.counts],
    ]
    return ", ".join(word for word in words if word) or "-"


def plain(app: App, each: Listed) -> dict[str, Any]:
    """One snapshot for JSON. `counts` is null where no key at hand tells whether its writer had the right."""
    found, manifest = each.found, each.found.manifest
    return {
        "digest": found.digest,
        "twin": manifest.twin,
        "category": each.category,
        "stream": manifest.stream,
        "sequence": manifest.sequence,
        **times.minutes(manifest.period),
        "writer": app.people.plain(found.writer),
        "size": found.size,
        "generation": manifest.generation,
        "corrects": manifest.corrects,
        "late": found.late,
        "counts": found.counts,
        "anchored": {"block": found.batch.block, "at": rfc3339(found.batch.at), "root": found.batch.root},
    }
