"""Who owns each twin, by looks at the ledger that are a minute old at most."""

from __future__ import annotations

from ..client import Context
from ..errors import UnreachableError
from ..types import Address
from .intake import RIGHT_SECONDS

MOST_KNOWN = 65_536
"""Twins whose owners are kept in memory."""


class Owners:
    """The owners of twins, for any thread."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: dict[int, tuple[int, Address | None]] = {}
        self._away_until = 0

    def of(self, twin: int) -> Address | None:
        """The present one, None of no twin.

        Raises:
            UnreachableError: the ledger does not answer.
        """
        now, known = self._context.clock(), self._known.get(twin)
        if known is None or not 0 <= now - known[0] < RIGHT_SECONDS:
            known = now, self._context.view().owner(twin)
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[twin] = known
        return known[1]

    def may_be(self, twin: int, owner: Address) -> bool:
        """Whether that is the present one; while the ledger is away, whether it was when it was asked last, and if it
        never was, yes."""
        now = self._context.clock()
        if not 0 < self._away_until - now <= RIGHT_SECONDS:
            try:
                return self.of(twin) == owner
            except UnreachableError:
                self._away_until = now + RIGHT_SECONDS
        known = self._known.get(twin)
        return known is None or known[1] == owner
