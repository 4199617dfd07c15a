"""How a twin's custody stands: which snapshots there are, and under which roster each is."""

from __future__ import annotations

from collections.abc import Iterator

from ..custody import TwinKey
from ..encoding import CID, sha256
from ..errors import DtledgerError, IntegrityError
from ..ledger import View
from ..snapshots.custody_index import brought
from ..snapshots.finder import Finder, Found
from ..snapshots.locating import Located
from ..snapshots.package import Keys
from ..snapshots.roster import Roster
from ..types import Address, Digest
from ..vocabulary import CATEGORIES, Kind
from .context import Context
from .keyrings import owner_keys
from .twins import Twins


class CustodyState:
    """What an owner sees of the custody of its twins."""

    def __init__(self, context: Context, twins: Twins) -> None:
        self._context = context
        self._twins = twins

    def is_behind(self, twin: int) -> bool:
        """Whether snapshots stand under a roster with other keys than the one in force, as far as the ledger alone
        tells it. Raises as `Twins.roster`."""
        view = self._context.view()
        present = self._twins.roster(twin)
        cards = view.cards(twin)
        index_card = brought(cards)
        if index_card is not None and index_card.card.roster == digest_of(present):
            return False
        first = next(each.block for each in cards if each.card.roster == cards[-1].card.roster)
        earlier = any(batch.block < first for who in view.writers(twin) for batch in view.batches(who))
        return earlier and any(not self._is_same(each.card.roster, present) for each in cards)

    def gone(self, twin: int) -> list[Address]:
        """The custodians of the roster in force that are none any more: not enrolled, suspended, or of another kind."""
        view = self._context.view()
        members = {each: view.member(each) for each in self._twins.roster(twin).custodians}
        return [
            each
            for each, member in members.items()
            if member is None or member.suspended or not member.kinds & Kind.CUSTODIAN.mask
        ]

    def lost(self, twin: int) -> list[Address]:
        """The custodians of the roster in force that lost the key which it names, and have another now: they open
        nothing that is shared under it. Who does not answer is not among them."""
        return [each.custodian for each in self._twins.roster(twin).keys if self._has_another(each, twin)]

    def _has_another(self, named: TwinKey, twin: int) -> bool:
        try:
            return self._twins.twin_key(named.custodian, twin).key != named.key
        except DtledgerError:
            return False

    def count(self, twin: int, roster: Digest) -> tuple[int, int]:
        """How many snapshots stand under another roster, of how many."""
        waiting = total = 0
        for _, _, groups in self.streams(twin, self._context.view(), {}):
            for group in groups:
                waiting += sum(needs(each, roster) for each in group)
                total += len(group)
        return waiting, total

    def streams(
        self, twin: int, view: View, left: dict[str, DtledgerError]
    ) -> Iterator[tuple[str, Located, Iterator[list[Found]]]]:
        """Each stream of the twin with its category; what of one cannot be walked is told in `left`."""
        context = self._context
        finder = Finder(context.deployment, view, context.store, twin, self.keys(twin))
        for each in CATEGORIES:
            for writer in finder.located.writers():
                try:
                    located = finder.located.newest(writer, each.name)
                except IntegrityError as fault:
                    left[writer] = fault
                    continue
                if located is not None:
                    yield each.name, located, _whole(finder, located, left)

    def written_since(self, twin: int, view: View) -> bool:
        now = self._context.view()
        return any(batch.block > view.block for who in now.writers(twin) for batch in now.batches(who))

    def keys(self, twin: int) -> Keys:
        return owner_keys(self._context.key.secrets.twin(self._context.deployment.origin, twin))

    def roster(self, digest: Digest) -> Roster:
        return Roster.decode(self._context.deployment, self._context.store.get(CID(digest)))

    def _is_same(self, digest: Digest, present: Roster) -> bool:
        """Whether a roster has the keys and the threshold of the present one; one that is not to be had has not."""
        try:
            roster = self.roster(digest)
        except DtledgerError:
            return False
        return is_alike(roster, present)


def _whole(finder: Finder, located: Located, left: dict[str, DtledgerError]) -> Iterator[list[Found]]:
    """A stream's snapshots, up to where it is at fault."""
    try:
        yield from finder.walk(located)
    except IntegrityError as fault:
        left[located.writer] = fault


def is_alike(one: Roster, other: Roster) -> bool:
    """Whether the same keys open what is shared under both."""
    first, second = ([(each.custodian, each.key) for each in roster.keys] for roster in (one, other))
    return (one.threshold, first) == (other.threshold, second)


def digest_of(roster: Roster) -> Digest:
    """The digest of a roster's block, as a twin card names it."""
    return sha256(roster.encode())


def needs(each: Found, roster: Digest) -> bool:
    """Whether it counts, and its custody stands under another roster."""
    return bool(each.counts) and each.roster != roster


__all__ = ["CustodyState", "digest_of", "is_alike", "needs"]
