"""Snapshots as they lie: what there is, by whom, how large, and whether it holds together. Nothing is opened.

Whoever has keys sees names: the owner of every category, a grantee of those in its grants in force. The others'
streams are there for everybody, without a name, as outsiders see them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..encoding import CID
from ..errors import AccessDeniedError, CannotCheckError, IntegrityError
from ..ledger import Now
from ..snapshots.blame import Blocks
from ..snapshots.finder import Finder, Found
from ..snapshots.lineage import Lineage
from ..snapshots.lines import Doubled
from ..snapshots.locating import Located
from ..snapshots.manifest import Manifest
from ..snapshots.package import NO_KEYS, Keys
from ..types import Address, Digest, Period
from ..vocabulary import CATEGORIES, Action, Purpose, Reason
from .context import Context
from .deciding import Door, Question, judge
from .reading import Reader


@dataclass(frozen=True, slots=True)
class Listed:
    """One snapshot that is anchored, and its category, if a key at hand names it."""

    found: Found
    category: str | None


@dataclass(frozen=True, slots=True)
class StreamReport:
    """What was found in one stream. `error` is why it does not hold together; then the counts go up to there.

    `unchecked` are snapshots whose writer's right cannot be judged without the category's bit, `uncounted` those
    whose writer had none, `doubled` those whose number its writer had anchored before.
    """

    writer: Address
    label: Digest
    category: str | None
    snapshots: int = 0
    late: int = 0
    uncounted: int = 0
    unchecked: int = 0
    doubled: tuple[Doubled, ...] = ()
    error: IntegrityError | None = None


_ASKED = (Action.READ, Action.WRITE, Action.TRAIN)


@dataclass(frozen=True, slots=True)
class _Stream:
    located: Located
    category: str | None
    finder: Finder


class Snapshots:
    """Looks at the snapshots of twins as this key can."""

    def __init__(self, context: Context, reader: Reader) -> None:
        self._context = context
        self._reader = reader

    def categories(self, twin: int) -> list[str]:
        """The categories that this key can name on the twin."""
        return list(self._named_keys(self._context.now(), twin))

    def newest(self, twin: int) -> dict[str, int]:
        """Category → the last minute that its newest anchored snapshot covers, of those that this key can name."""
        context = self._context
        now = context.now()
        ends = {
            name: Finder(context.deployment, now.view, context.store, twin, keys).newest_minute(name)
            for name, keys in self._named_keys(now, twin).items()
        }
        return {name: end for name, end in ends.items() if end is not None}

    def periods(self, twin: int, category: str, period: Period | None = None) -> Iterator[Period]:
        """The data periods of a category's snapshots that overlap `period`, from the index alone. Raises as `list`."""
        context = self._context
        now = context.now()
        keys = self._require_name(self._named_keys(now, twin), twin, category)
        yield from Finder(context.deployment, now.view, context.store, twin, keys).periods(category, period)

    def list(
        self, twin: int, category: str | None = None, period: Period | None = None, *, unnamed: bool = False
    ) -> Iterator[list[Listed]]:
        """The anchored snapshots whose data overlap `period`, some at a time: of one category, or of all that this key
        can name. A key that can name none sees every stream; `unnamed` shows them to others too.

        Raises:
            AccessDeniedError: this key cannot name the category.
            IntegrityError: a block, row or signature is wrong; `.block` and `.party` name it.
            UnreachableError: the store does not answer or lacks a block.
        """
        for stream in self._streams(twin, category, unnamed=unnamed):
            for group in stream.finder.walk(stream.located, period):
                yield [Listed(found, stream.category) for found in group]

    def show(self, digest: Digest) -> Listed:
        """The snapshot of that manifest digest.

        Raises:
            CannotCheckError: it stands in no index that counts: not anchored, or not yet.
            BlockMissingError: the store does not have its manifest.
            IntegrityError: as `list`.
        """
        manifest, _ = Manifest.read(self._context.deployment, self._context.store.get(CID(digest)))
        for stream in self._streams(manifest.twin, None, unnamed=True):
            if stream.located.label != manifest.stream:
                continue
            for group in stream.finder.walk(stream.located, manifest.period):
                for found in group:
                    if found.digest == digest:
                        return Listed(found, stream.category)
        raise CannotCheckError(
            f"The snapshot {digest.hex()} stands in no anchored index of its writer.",
            hint="It is not anchored yet, its writer had no right to write to that twin, or another snapshot with its "
            "number was anchored first.",
        )

    def amendments(self, listed: Listed) -> Sequence[Listed]:
        """The snapshots that correct that one and may count. Raises as `list`."""
        manifest = listed.found.manifest
        groups = self.list(manifest.twin, listed.category, manifest.period, unnamed=True)
        found = (each for group in groups for each in group if each.found.manifest.corrects == listed.found.digest)
        return [each for each in found if each.found.counts is not False]

    def verify(
        self, twin: int, category: str | None = None, *, progress: Callable[[int, int], None] | None = None
    ) -> Iterator[StreamReport]:
        """Walk every stream whole that `list` would show: each block what its CID names, anchored, signed by its
        writer, in order, under a roster of the owner's, and nothing gone that an earlier index had. A report a stream;
        `progress` is told snapshots checked and snapshots in all, stream by stream.

        Raises:
            AccessDeniedError: this key cannot name the category.
            UnreachableError: the store does not answer or lacks a block, so there is no verdict.
        """
        finders = self._finders(twin, category)
        for name, finder in finders.items():
            for writer in finder.located.writers():
                try:
                    located = finder.located.last(writer, name)
                except IntegrityError as fault:
                    yield StreamReport(writer, finder.located.label(writer, name), name, error=fault)
                else:
                    if located is not None:
                        yield self._verify(twin, _Stream(located, name, finder), progress)
        if not finders:
            for stream in self._unnamed(twin, finders):
                yield self._verify(twin, stream, progress)

    def _verify(self, twin: int, stream: _Stream, progress: Callable[[int, int], None] | None) -> StreamReport:
        located, finder = stream.located, stream.finder
        digests: list[Digest] = []
        verdicts: Counter[str] = Counter()
        error: IntegrityError | None = None
        lineage = Lineage(Blocks(self._context.store), self._context.view(), twin, located)
        try:
            if stream.category and finder.located.newest(located.writer, stream.category) is None:
                raise IntegrityError(
                    "the newest index of a writer lacks a stream that an earlier one had", party=located.writer
                )
            for group in finder.walk(located):
                for found in group:
                    found.chunks()
                    self._require_corrected(found, stream)
                    digests.append(found.digest)
                    verdicts["late"] += found.late
                    verdicts["uncounted"] += found.counts is False
                    verdicts["unchecked"] += found.counts is None
                if progress:
                    progress(len(digests), located.count)
            lineage.require_whole(digests)
        except IntegrityError as fault:
            error = fault
        return StreamReport(
            located.writer,
            located.label,
            stream.category,
            len(digests),
            verdicts["late"],
            verdicts["uncounted"],
            verdicts["unchecked"],
            lineage.doubled,
            error,
        )

    def _require_corrected(self, found: Found, stream: _Stream) -> None:
        """An amendment corrects what some index has or had. Whether that counts, a read sees."""
        corrects = found.manifest.corrects
        if corrects is None or stream.category is None or not found.counts:
            return
        if stream.finder.whose(stream.category, corrects, found.manifest.period) is None:
            raise IntegrityError(
                "an amendment corrects what is no anchored snapshot of its twin, category and period",
                block=found.digest.hex(),
                party=found.writer,
            )

    def _streams(self, twin: int, category: str | None, *, unnamed: bool) -> Iterator[_Stream]:
        finders = self._finders(twin, category)
        for name, finder in finders.items():
            for writer in finder.located.writers():
                located = finder.located.newest(writer, name)
                if located is not None:
                    yield _Stream(located, name, finder)
        if category is None and len(finders) < len(CATEGORIES) and (unnamed or not finders):
            yield from self._unnamed(twin, finders)

    def _finders(self, twin: int, category: str | None) -> dict[str, Finder]:
        """Category → a finder whose keys name it: of that one, or of all that this key can name."""
        context = self._context
        now = context.now()
        if now.view.owner(twin) is None:
            raise AccessDeniedError(f"There is no twin {twin}.", reason=Reason.TWIN_UNKNOWN)
        named = self._named_keys(now, twin)
        if category is not None:
            named = {category: self._require_name(named, twin, category)}
        return {name: Finder(context.deployment, now.view, context.store, twin, keys) for name, keys in named.items()}

    def _unnamed(self, twin: int, named: Mapping[str, Finder]) -> Iterator[_Stream]:
        """The streams that none of these finders can name."""
        context = self._context
        finder = Finder(context.deployment, context.view(), context.store, twin, NO_KEYS)
        for located in finder.located.every_stream():
            if located.label not in {each.located.label(located.writer, name) for name, each in named.items()}:
                yield _Stream(located, None, finder)

    def _require_name(self, named: Mapping[str, Keys], twin: int, category: str) -> Keys:
        if category not in named:
            raise AccessDeniedError(
                f"This key has no grant in force that names the category {category} on twin {twin}.",
                reason=Reason.CATEGORY,
                hint="Ask the owner for one, or leave --category out: streams without a name are shown then.",
            )
        return named[category]

    def _named_keys(self, now: Now, twin: int) -> dict[str, Keys]:
        """Category → keys that name it: the owner's, or those of a grant in force."""
        doors, _ = self._reader.doors(now.view, twin)
        named: dict[str, Keys] = {}
        for door in doors:
            if door.keys is not None and self._is_in_force(door, twin, now):
                for each in door.keys.categories():
                    named.setdefault(each.name, door.keys)
        return named

    def _is_in_force(self, door: Door, twin: int, now: Now) -> bool:
        """Whether the rule permits what the grant says: one of its actions, for one of its purposes."""
        if door.record is None:
            return True
        grant = door.record.grant
        action = next((each for each in _ASKED if grant.actions & each.mask), Action.READ)
        purpose = next((each for each in Purpose if grant.purposes & each.mask), Purpose.TREAT)
        categories = (door.keys or NO_KEYS).categories()
        if not categories:  # none that this version knows a name for
            return False
        asked = Question(
            twin,
            self._context.key.address,
            action,
            None if action is Action.WRITE else purpose,
            categories[0].name,
            grant.data,
        )
        return judge(door, asked, grant.data, now).permits


__all__ = ["Listed", "Snapshots", "StreamReport"]
