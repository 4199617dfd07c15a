"""A snapshot as people and as JSON have it. A category that no key at hand names is its stream's label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .. import times
from ..app import App, rfc3339

if TYPE_CHECKING:
    from ...client import Listed
    from ...types import Digest


def category_words(category: str | None, label: bytes) -> str:
    """The category's name, or the beginning of the stream's label.

    >>> category_words(None, bytes(32))
    'stream 00000000'
    """
    return category or f"stream {label.hex()[:8]}"


def short(digest: bytes) -> str:
    """The beginning of a digest, enough to name a snapshot by."""
    return digest.hex()[:16]


def standing_words(told: dict[str, Any]) -> str:
    """What a reader should know of what `plain` tells: late, what it corrects or is corrected by, not counted; `-` for
    nothing."""
    words = [
        "late" if told["late"] else "",
        f"corrects {short(told['corrects'])}" if told["corrects"] else "",
        *(f"corrected by {short(digest)}" for digest in told["corrected_by"]),
        {True: "", False: "NOT COUNTED", None: "right unknown"}[told["counts"]],
    ]
    return ", ".join(word for word in words if word) or "-"


def plain(app: App, each: Listed, corrected_by: Sequence[Digest] = ()) -> dict[str, Any]:
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
        "corrected_by": list(corrected_by),
        "late": found.late,
        "counts": found.counts,
        "anchored": {"block": found.batch.block, "at": rfc3339(found.batch.at), "root": found.batch.root},
    }
