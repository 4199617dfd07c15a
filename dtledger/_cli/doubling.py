"""Two snapshots with one number, as people and as JSON have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .app import App, rfc3339

if TYPE_CHECKING:
    from ..ledger import Batch
    from ..snapshots.lines import Doubled
    from ..types import Digest


def doubled_words(app: App, each: Doubled) -> str:
    """Both, by whom, and which counts."""
    return (
        f"{app.people.name(each.writer)} anchored two snapshots {each.number} of stream {each.label.hex()[:8]}: "
        f"{each.counted.hex()[:16]} in block {each.counted_in.block} counts, "
        f"{each.digest.hex()[:16]} in block {each.batch.block} does not"
    )


def doubled_plain(app: App, each: Doubled) -> dict[str, Any]:
    """Both for JSON."""
    return {
        "writer": app.people.plain(each.writer),
        "stream": each.label,
        "number": each.number,
        "counted": _plain(each.counted, each.counted_in),
        "other": _plain(each.digest, each.batch),
    }


def _plain(digest: Digest, batch: Batch) -> dict[str, Any]:
    return {"digest": digest, "anchored": {"block": batch.block, "at": rfc3339(batch.at), "root": batch.root}}
