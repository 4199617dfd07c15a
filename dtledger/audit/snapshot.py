"""The claims about one snapshot: its twin's `events` and `owner`, its stream's claims, and

- **anchored**: it stands in that stream, in a batch that its writer anchored, and counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..encoding import CID
from ..errors import IntegrityError
from ..snapshots.locating import Located
from ..snapshots.manifest import Manifest
from ..types import Digest
from .claims import Claim, Verdict, checked
from .standing import require_owner
from .twin import TwinAudit


class SnapshotAudit:
    """The audit of one snapshot of a twin."""

    def __init__(self, twin: TwinAudit, digest: Digest) -> None:
        self._of = twin
        self._digest = digest

    def claims(self) -> Iterator[Claim]:
        """Every claim."""
        of, about = self._of, f"snapshot {self._digest.hex()[:8]}"
        events = of.ground()
        yield events
        if events.verdict is not Verdict.PASS:
            return
        yield checked("owner", f"twin {of.twin}", partial(require_owner, of.chain, of.view, of.twin, str))
        found: list[Located] = []
        yield checked("anchored", about, partial(self._anchored, found))
        for located in found:
            yield from of.of_a_stream(located)

    def _anchored(self, streams: list[Located]) -> str:
        of = self._of
        manifest, writer = Manifest.read(of.deployment, of.store.get(CID(self._digest)))
        if manifest.twin != of.twin:
            raise IntegrityError(f"it is of twin {manifest.twin}", party=writer)
        located = next((each for each in of.finder.located.streams_of(writer) if each.label == manifest.stream), None)
        if located is None:
            raise IntegrityError("no anchored index of its writer has its stream", party=writer)
        streams.append(located)
        for group in of.finder.walk(located, manifest.period):
            for found in group:
                if found.digest == self._digest:
                    if found.counts is False:
                        raise IntegrityError("its writer had no right to write it", party=writer)
                    return f"number {manifest.sequence} of its stream, in block {found.batch.block}"
        raise IntegrityError("its stream has another snapshot in its place", party=writer)
