"""Who owns each twin, by looks at the ledger that are a minute old at most."""

from __future__ import annotations

from ..errors import UnreachableError
from ..types import Address
from .rights import Look, Looks

MOST_KNOWN = 65_536
"""Twins whose owners are kept in memory."""


class Owners:
    """The owners of twins, for any thread."""

    def __init__(self, looks: Looks) -> None:
        self._looks = looks
        self._known: dict[int, tuple[int, Address | None]] = {}

    def present(self, twin: int) -> Address | None:
        """The one of now, None of no twin.

        Raises:
            UnreachableError: the ledger does not answer.
        """
        return self._note(twin, self._looks.ask())

    def owns(self, twin: int, owner: Address) -> bool:
        """Whether that is the one, by a look that is a minute old at most.

        Raises:
            UnreachableError: the ledger does not answer.
        """
        known = self._known.get(twin)
        if known and self._looks.good(known[0]):
            return known[1] == owner
        return self._note(twin, self._looks.kept()) == owner or self._note(twin, self._looks.fresh()) == owner

    def may_be(self, twin: int, owner: Address) -> bool:
        """The same; while the ledger is away, whether it was when it was asked last, and if it never was, yes."""
        try:
            return self.owns(twin, owner)
        except UnreachableError:
            known = self._known.get(twin)
            return known is None or known[1] == owner

    def _note(self, twin: int, look: Look) -> Address | None:
        owner = look.now.view.owner(twin)
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[twin] = look.at, owner
        return owner
