"""Erasing a twin: announced, waited for, and then what others did of it, each signed by who says so.

What makes data unreadable is that custodians destroy their key pairs: a roster's snapshots need t of n of them, so they
are gone when n - t + 1 destroyed every copy. Blocks are removed besides. That all copies are gone nobody can prove: it
is the custodians' signed promise, and `Erasure` says which of them gave it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..custody import Destruction
from ..encoding import CID
from ..errors import DtledgerError, InputError
from ..ledger import Receipt, calls, messages
from ..ledger.events import Granted
from ..ledger.records import CardRecord
from ..snapshots.erasing import Erased, Eraser
from ..snapshots.package import NO_KEYS
from ..snapshots.roster import Roster
from ..types import ZERO_DIGEST, Address
from ..vocabulary import CATEGORIES, STATES, Purpose
from .context import Context
from .keyrings import owner_keys
from .reading import Reader
from .twins import Twins


@dataclass(frozen=True, slots=True)
class RosterErased:
    """One roster that the twin had, and who of it destroyed the pair that it names. `error` is why the roster is not to
    be had; then nothing is known of it."""

    owner: Address
    version: int
    threshold: int = 0
    custodians: tuple[Address, ...] = ()
    destroyed: tuple[Address, ...] = ()
    error: DtledgerError | None = None

    @property
    def needed(self) -> int:
        """How many must have destroyed theirs."""
        return len(self.custodians) - self.threshold + 1

    @property
    def holds(self) -> bool:
        """Whether those who are left are too few to open anything."""
        return self.error is None and len(self.destroyed) >= self.needed


@dataclass(frozen=True, slots=True)
class Erasure:
    """What became of a twin. `read` is how a read that was tried afterwards failed; None would mean that it did not."""

    twin: int
    retired_at: int
    signed: dict[Address, Destruction]
    unsigned: dict[Address, DtledgerError]
    rosters: tuple[RosterErased, ...]
    blocks: Erased
    read: DtledgerError | None
    owners: tuple[Address, ...] = ()
    writers: tuple[Address, ...] = ()
    grantees: tuple[Address, ...] = ()
    packages: int = field(default=0)

    @property
    def holds(self) -> bool:
        """Whether enough custodians of every roster signed that they destroyed what they had, and nothing was read."""
        return bool(self.rosters) and all(each.holds for each in self.rosters) and self.read is not None


class Erasing:
    """What an owner does to end a twin."""

    def __init__(self, context: Context, twins: Twins, reader: Reader) -> None:
        self._context = context
        self._twins = twins
        self._reader = reader

    def final_at(self, twin: int) -> int:
        """When the twin's retirement is (or was) final, in unix seconds; 0 if none is announced."""
        return self._context.view().retire_at(twin)

    def is_final(self, twin: int) -> bool:
        """Whether the twin's retirement is over, so that keys may be destroyed."""
        return 0 < self.final_at(twin) <= self._context.now().latest

    def announce(self, twin: int) -> Receipt:
        """Announce that the twin is to be retired: from that block on nobody reads it, its owner neither.

        Raises:
            AccessDeniedError: this key does not own the twin.
            RetirementAnnouncedError: it is announced already.
        """
        self._context.require_owner(twin)
        return self._context.send(calls.announce_retirement(twin))

    def cancel(self, twin: int) -> Receipt:
        """Take the announcement back: everything is as it was.

        Raises:
            AccessDeniedError: this key does not own the twin.
            RetirementNotAnnouncedError: none is announced.
            RetiredError: it is final.
        """
        self._context.require_owner(twin)
        return self._context.send(calls.cancel_retirement(twin))

    def finish(self, twin: int, progress: Callable[[int, int], None] | None = None) -> Erasure:
        """Have the keys destroyed and the blocks removed, and try to read. May be done again, for those who did not
        answer; what is done stays done, and is signed anew.

        Raises:
            AccessDeniedError: this key does not own the twin.
            InputError: its retirement is not final yet.
            UnreachableError: the ledger or the store does not answer; do it again.
        """
        self._context.require_owner(twin)
        if not self.is_final(twin):
            raise InputError(f"The retirement of twin {twin} is not final.", hint="Announce it, and wait until it is.")
        context = self._context
        view = context.view()
        rosters = [(record, self._roster(record)) for record in _latest_of_rosters(view.cards(twin))]
        named = [each for _, roster in rosters if isinstance(roster, Roster) for each in roster.custodians]
        answers = {custodian: self._destroy(twin, custodian) for custodian in dict.fromkeys(named)}
        signed = {who: answer for who, answer in answers.items() if isinstance(answer, Destruction)}
        blocks, packages = self._erase(twin, progress)
        granted = [each.grantee for each in self._granted(twin)]
        return Erasure(
            twin,
            view.retire_at(twin),
            signed,
            {who: answer for who, answer in answers.items() if not isinstance(answer, Destruction)},
            tuple(_verdict(record, roster, signed) for record, roster in rosters),
            blocks,
            self._try_to_read(twin),
            tuple(view.owners(twin)),
            tuple(view.writers(twin)),
            tuple(dict.fromkeys(granted)),
            packages,
        )

    def forget(self, twin: int) -> None:
        """Let the key file forget the twin's secrets: nothing of it is opened with this key again."""
        deployment = self._context.deployment.origin
        self._context.key.update(lambda held: held.without_twin(deployment, twin))

    # parts ---------------------------------------------------------------------------------------------------

    def _destroy(self, twin: int, custodian: Address) -> Destruction | DtledgerError:
        context = self._context
        try:
            port = context.custodian(custodian)
            order = self._twins.request(messages.destroy_order, twin, custodian)
            return port.destroy(order).verify(context.deployment, twin, custodian)
        except DtledgerError as error:
            return error

    def _roster(self, record: CardRecord) -> Roster | DtledgerError:
        try:
            return Roster.decode(self._context.deployment, self._context.store.get(CID(record.card.roster)))
        except DtledgerError as error:
            return error

    def _erase(self, twin: int, progress: Callable[[int, int], None] | None) -> tuple[Erased, int]:
        """Snapshots, then every package and recovery package. Rosters stay: they say whose promise it is."""
        context = self._context
        view, held = context.view(), context.key.secrets
        known = held.has_twin(context.deployment.origin, twin)
        keys = owner_keys(held.twin(context.deployment.origin, twin)) if known else NO_KEYS
        eraser = Eraser(context.deployment, view, context.store, twin, keys)
        erased = eraser.erase(progress)
        packages = [CID(each.package) for each in self._granted(twin)]
        recovery = [CID(each.card.recovery) for each in view.cards(twin) if each.card.recovery != ZERO_DIGEST]
        eraser.remove([*packages, *recovery], erased)
        return erased, len(packages)

    def _granted(self, twin: int) -> list[Granted]:
        """What its owners granted: anybody may write a grant of their own on it, and name any block as its package."""
        owners = self._context.view().owners(twin)
        events = (each.event for each in self._context.ledger.history().logged)
        return [each for each in events if isinstance(each, Granted) and each.twin == twin and each.owner in owners]

    def _try_to_read(self, twin: int) -> DtledgerError | None:
        """How reading as the owner fails, of the first category that does not."""
        for name in (each.name for each in CATEGORIES if each.name not in STATES):
            try:
                self._reader.read(twin, name, Purpose.PATRQT)
            except DtledgerError as error:
                failed = error
            else:
                return None
        return failed


def _latest_of_rosters(cards: list[CardRecord]) -> list[CardRecord]:
    """One card of each roster that there ever was."""
    return list({record.card.roster: record for record in cards}.values())


def _verdict(record: CardRecord, roster: Roster | DtledgerError, signed: dict[Address, Destruction]) -> RosterErased:
    version = record.card.roster_version
    if not isinstance(roster, Roster):
        return RosterErased(record.owner, version, error=roster)
    destroyed = tuple(
        each.custodian for each in roster.keys if each.custodian in signed and signed[each.custodian].covers([each.key])
    )
    return RosterErased(record.owner, version, roster.threshold, roster.custodians, destroyed)
