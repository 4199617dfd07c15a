"""Lineage: whether a stream still holds all that its writer's earlier indexes had, and what is doubled in it.

Each index holds the beginning of what the newest one has, as far as the batches reach from which it goes on. What one
that does not go on from all before it has of its own under a number that counted already is doubled. One that says that
it does, and has another row there, changed what was anchored.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..encoding import CID
from ..errors import IntegrityError
from ..ledger import View
from ..types import Digest
from . import index
from .blame import Blocks, blaming
from .lines import Doubled, Forks, lines
from .locating import Located


class Lineage:
    """Compares one stream of the twin with each index of its writer up to its own."""

    def __init__(self, blocks: Blocks, view: View, twin: int, located: Located) -> None:
        self._blocks = blocks
        self._batches = view.batches(located.writer)[: located.batch.place + 1]
        self._located = located
        self._forks = Forks(view, blocks, twin)

    @property
    def doubled(self) -> tuple[Doubled, ...]:
        """What was found doubled, in the order of the ledger."""
        return tuple(sorted(self._forks.found.values(), key=lambda each: (each.batch.place, each.number)))

    def require_whole(self, digests: Sequence[Digest]) -> None:
        """Pass if `digests`, by number those of the manifests that count, are all and what each index before had.

        Raises:
            IntegrityError: some are missing or were changed; `.block` and `.party` name it.
        """
        located = self._located
        if len(digests) != located.count:
            raise IntegrityError(
                f"a stream should have {located.count} snapshots and has {len(digests)}",
                block=str(located.lines[-1].stream.top),
                party=located.writer,
            )
        counted = dict(enumerate(digests))
        for place in range(len(self._batches)):
            with blaming(located.writer):
                last = self._last_rows(place)
            if any(digest != counted.get(number) for number, digest in last.items() if digest not in self._forks.found):
                raise IntegrityError(
                    "an index lacks or changes what an earlier one of the same writer had",
                    block=str(CID(located.batch.index)),
                    party=located.writer,
                )

    def _last_rows(self, place: int) -> dict[int, Digest]:
        """The digests on the last page that the index of that batch has of the stream, by number; each names the one
        before it, so what lies before them need not be looked at."""
        batch, located = self._batches[place], self._located
        before, stream = index.look(self._blocks, CID(batch.index), located.label)
        if stream is None:
            return {}
        if before != batch.before:
            known = lines(self._blocks, self._batches[: place + 1], located.label)
            self._forks.see(located.writer, located.label, known)
        link = list(index.links(self._blocks, stream))[-1]
        rows = link.read(self._blocks.get(link.cid)).rows
        return {number: row.manifest.digest for number, row in enumerate(rows, start=link.first)}
