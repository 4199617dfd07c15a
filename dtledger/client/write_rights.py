"""May it be written? What the rule says of this key, before a batch is anchored and as of the block that took it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..errors import AccessDeniedError
from ..ledger import GrantRecord, Slot, View
from ..ledger.now import Now
from ..policy import Request, check
from ..snapshots.package import Keys
from ..types import ZERO_DIGEST, Digest, Period
from ..vocabulary import Action, Reason
from .context import Context
from .deciding import grantees_of
from .keyrings import granted_keys, owner_keys

MOST_PACKAGES = 4096
"""That are kept open."""


class WriteRights:
    """The right of this key to write to twins."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._keys: dict[tuple[Slot, Digest], Keys] = {}

    def require(self, twin: int, category: str, periods: Sequence[Period], now: Now | None = None) -> Keys:
        """The keys to write with, if one grant (or ownership) permits every period; as of the ledger's head, unless
        whoever asks of many twins has looked at it already.

        Raises:
            AccessDeniedError: none does; `.evidence["refused"]` lists the periods.
        """
        context = self._context
        view = context.view() if now is None else now.view
        owner = view.owner(twin)
        if owner == context.key.address:
            return owner_keys(context.key.secrets.written(context.deployment.origin, twin))
        if owner is None:
            raise AccessDeniedError(f"There is no twin {twin}.", reason=Reason.TWIN_UNKNOWN)
        furthest: tuple[Reason, list[Period]] | None = None
        for record in self._grants(view, twin):
            keys = self._keys_of(record)
            refused = self._refused(record, keys, category, periods, now or context.now())
            if not refused:
                return keys
            worst = min(reason for reason, _ in refused)
            if furthest is None or worst >= furthest[0]:
                furthest = worst, [period for _, period in refused]
        raise refusal(twin, category, *(furthest or (Reason.NO_GRANT, [])))

    def judge(self, view: View, twin: int, bit: int, period: Period, at: int) -> Reason:
        """The answer of the grant that gets furthest, or of ownership."""
        if view.owner(twin) == self._context.key.address and view.card(twin) is not None:
            return Reason.OWNER
        reasons = [self._ask(view, record, bit, period, at) for record in self._grants(view, twin)]
        return max(reasons, key=lambda reason: (reason.permits, reason), default=Reason.NO_GRANT)

    def _keys_of(self, record: GrantRecord) -> Keys:
        """The keys of a grant's package, opened once: a newer package has another digest, and whether the grant stands
        is asked anew each time."""
        place = record.slot, record.package
        found = self._keys.get(place)
        if found is None:
            found = granted_keys(self._context, record)
            if len(self._keys) >= MOST_PACKAGES:
                self._keys.clear()
            self._keys[place] = found
        return found

    def _grants(self, view: View, twin: int) -> Iterator[GrantRecord]:
        owner = view.owner(twin)
        for grantee in grantees_of(view, self._context.key.address) if owner else []:
            for record in view.slots_of(owner, twin, grantee):  # type: ignore[arg-type]
                if record.grant.actions & Action.WRITE.mask and record.package != ZERO_DIGEST:
                    yield record

    def _refused(
        self, record: GrantRecord, keys: Keys, category: str, periods: Sequence[Period], now: Now
    ) -> list[tuple[Reason, Period]]:
        try:
            bit = keys.bits.bit_of(category)
        except AccessDeniedError:  # the rule may have a reason before this one, which depends on no category
            asked = [(self._ask(now.view, record, 0, period, now.latest), period) for period in periods]
            return [(Reason.CATEGORY if each.permits else min(each, Reason.CATEGORY), at) for each, at in asked]
        reasons = [(self._ask(now.view, record, bit, period, now.latest), period) for period in periods]
        return [(reason, period) for reason, period in reasons if not reason.permits]

    def _ask(self, view: View, record: GrantRecord, bit: int, period: Period, at: int) -> Reason:
        """The rule's answer to writing under one grant."""
        slot, me = record.slot, self._context.key.address
        return check(view, Request(slot.twin, me, slot.grantee, slot.number, Action.WRITE, None, bit, period), at, at)


def refusal(twin: int, category: str, reason: Reason, refused: list[Period]) -> AccessDeniedError:
    """Writing is refused for that reason."""
    return AccessDeniedError(
        f"Writing {category} to twin {twin} is refused: {reason.text} ({reason.name}).",
        reason=reason,
        hint="Ask the twin's owner for a grant that covers it.",
        refused=refused,
    )
