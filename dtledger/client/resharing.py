"""Sharing custody anew: onto another roster, without touching an anchored byte.

The owner opens the custody secret of each snapshot with the custodians that hold it, as it reads its own data, splits
the same secret by a fresh polynomial onto the new roster, and signs the new custody block; the manifest's commitment
proves that it is the same. One card then names the new roster and the custody index, so that no reader meets the one
without the other.

What is made is in the store, and noted in the key file, some pages at a time: whoever died goes on there. Former key
pairs stay until `retire` orders their end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ..encoding import CID
from ..errors import AccessDeniedError, DtledgerError, InputError, IntegrityError
from ..ledger import Receipt, View, calls
from ..ledger.events import Card
from ..snapshots import index
from ..snapshots.blame import Blocks
from ..snapshots.custody_block import seal_custody
from ..snapshots.finder import Found
from ..snapshots.index import Row
from ..snapshots.opening import Asking, custody_secrets
from ..snapshots.package import Keys
from ..snapshots.roster import Roster
from ..snapshots.staging import Staging
from ..types import ZERO_DIGEST, Address, Digest
from ..vocabulary import Action, Purpose
from .context import Context
from .custody_state import CustodyState, digest_of, is_alike, needs
from .resharing_notes import Notes
from .retiring import Retiring
from .twins import Twins

PASSES = 3
"""How often it looks for what was anchored meanwhile under the former roster."""


@dataclass(frozen=True, slots=True)
class ResharePlan:
    """What a re-share would do: `snapshots` of `total` stand under another roster than `roster`, which is `new` or the
    one in force."""

    roster: Roster
    new: bool
    snapshots: int
    total: int


@dataclass(slots=True)
class Reshared:
    """What a re-share did. `left` are snapshots, by digest, and writers' streams that stay as they are, each with what
    is wrong with it; `receipts` are the cards'."""

    roster: Roster
    snapshots: int = 0
    left: dict[str, DtledgerError] = field(default_factory=dict)
    receipts: list[Receipt] = field(default_factory=list)


class Resharing(Retiring):
    """What an owner does with the custody of what was written before."""

    def __init__(self, context: Context, twins: Twins) -> None:
        self._context = context
        self._twins = twins
        self._notes = Notes(context)
        self.custody = CustodyState(context, twins)

    def plan(self, twin: int, custodians: Sequence[Address] = (), threshold: int | None = None) -> ResharePlan:
        """What `reshare` would do. The custodians are asked for their keys, and nothing else. Raises as `reshare`."""
        roster, new = self._target(twin, custodians, threshold)
        return ResharePlan(roster, new, *self.custody.count(twin, digest_of(roster)))

    def reshare(
        self,
        twin: int,
        custodians: Sequence[Address] = (),
        threshold: int | None = None,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> Reshared:
        """Share anew what stands under another roster: of these custodians and threshold (by default those of the
        roster in force), with the keys that they have now. Run again after a crash it goes on.

        Args:
            progress: told snapshots looked at and snapshots in all.

        Raises:
            AccessDeniedError: this key does not own the twin.
            InputError: it has no card yet, is retired, or that is no threshold.
            IntegrityError: custodians gave wrong shares, so that too few good ones are left; `.party` names one.
            UnreachableError: ledger, store or a custodian of the new roster does not answer, or too few that hold the
                shares.
        """
        roster, new = self._target(twin, custodians, threshold)
        done = Reshared(roster)
        for _ in range(PASSES):
            view = self._context.view()
            before = done.snapshots
            root = self._share_all(twin, view, roster, done, progress)
            if new or done.snapshots > before:
                done.receipts.append(self._set_card(twin, roster, root))
            self._notes.forget(twin)
            new = False
            if not self.custody.written_since(twin, view):
                break
        recovery = self._twins.keep_recovery(twin)
        done.receipts += [recovery] if recovery else []
        return done

    # the roster to come --------------------------------------------------------------------------------------

    def _target(self, twin: int, custodians: Sequence[Address], threshold: int | None) -> tuple[Roster, bool]:
        """The roster to share onto, and whether it is another than the one in force."""
        self._context.require_owner(twin)
        if self._context.view().retired(twin):
            raise InputError(f"Twin {twin} is retired, or is to be: nothing of it is shared anew.")
        present = self._twins.roster(twin)
        named = tuple(custodians) or present.custodians
        wanted = self._twins.draw_roster(twin, named, threshold or present.threshold, present.version + 1)
        if is_alike(wanted, present):
            return present, False
        return wanted, True

    def _set_card(self, twin: int, roster: Roster, root: CID | None) -> Receipt:
        context = self._context
        present = context.view().card(twin)
        assert present is not None, "a roster in force stands in a card"
        changes: dict[str, object] = {
            "roster": context.store.put(roster.encode(), "dag-cbor").digest,
            "roster_version": roster.version,
        }
        if root is not None:
            changes |= {"custody_index": root.digest, "custody_index_version": present.custody_index_version + 1}
        card: Card = replace(present, **changes)  # type: ignore[arg-type]
        return context.send(calls.set_card(twin, self._twins.card_digest(twin), card))

    # sharing -------------------------------------------------------------------------------------------------

    def _share_all(
        self,
        twin: int,
        view: View,
        roster: Roster,
        done: Reshared,
        progress: Callable[[int, int], None] | None,
    ) -> CID | None:
        """One pass over every stream; the root of the custody index, None if nothing needs one."""
        digest = digest_of(roster)
        blocks = Staging(self._context.store)
        root = self._notes.root(twin, digest)
        streams = list(self.custody.streams(twin, view, done.left))
        seen, total = 0, sum(located.count for _, located, _ in streams)
        for name, located, groups in streams:
            stream = index.find(Blocks(self._context.store), root, located.label) if root else None
            waiting: list[Row] = []
            for group in groups:
                fresh = [each for each in group if each.manifest.sequence >= (stream.count if stream else 0)]
                rows, shared = self._share(name, fresh, roster, digest, blocks, done)
                waiting += rows
                if any(each.reshared for each in fresh) or shared:
                    stream = index.append(blocks, stream, waiting)
                    waiting = []
                    root = index.update(blocks, root, {located.label: stream}, ZERO_DIGEST)
                    blocks.flush()
                    self._notes.keep(twin, digest, root)
                seen += len(group)
                if progress:
                    progress(seen, total)
        return root

    def _share(
        self, name: str, group: Sequence[Found], roster: Roster, digest: Digest, blocks: Staging, done: Reshared
    ) -> tuple[list[Row], int]:
        """The rows of some snapshots of a stream, those that need it under new custody, and how many these are."""
        context = self._context
        keys = self.custody.keys(group[0].manifest.twin) if group else None
        asked = [each for each in group if needs(each, digest)]
        secrets = self._open(name, asked, keys, done) if keys is not None and asked else {}
        rows = []
        for each in group:
            row = each.row
            if each.digest in secrets and keys is not None:
                custody = seal_custody(
                    context.deployment,
                    roster,
                    secrets[each.digest],
                    twin=each.manifest.twin,
                    writer=each.writer,
                    bit=keys.bits.bit_of(name),
                    period=each.manifest.period,
                    digest=each.digest,
                    generation=each.manifest.generation,
                )
                row = replace(row, custody=blocks.put(custody.sign(context.deployment, context.key)))
            rows.append(row)
        done.snapshots += len(secrets)
        return rows, len(secrets)

    def _open(self, name: str, asked: Sequence[Found], keys: Keys, done: Reshared) -> dict[Digest, bytes]:
        """The custody secrets of all but those that were written or sealed wrong, which are searched for by halving."""
        context = self._context
        me = context.key.address
        asking = Asking(context.key, me, 0, Action.READ, Purpose.PATRQT, context.clock())
        try:
            secrets, opened = custody_secrets(context.deployment, context.custodians, asking, asked, keys, name)
        except IntegrityError as fault:
            if fault.party in {share.custodian for each in asked for share in each.custody.shares}:
                raise
            if len(asked) == 1:
                done.left[asked[0].digest.hex()] = fault
                return {}
            half = len(asked) // 2
            return self._open(name, asked[:half], keys, done) | self._open(name, asked[half:], keys, done)
        for refused, reason in opened.refused.items():
            done.left[refused.hex()] = AccessDeniedError(f"The custodians refuse it: {reason.text}.", reason=reason)
        return secrets


__all__ = ["ResharePlan", "Reshared", "Resharing"]
