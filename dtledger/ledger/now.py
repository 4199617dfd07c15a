"""When and where a decision is made: the newest block, the state that is final, and the span between chain and clock.

A chain whose blocks can still be thrown away gives two states. Both must permit: a grant counts when it is final, a
revocation at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..policy import Request, check
from ..types import Head
from ..vocabulary import Reason
from .view import View


@dataclass(frozen=True, slots=True)
class Tip:
    """What a node has: its newest block, the state there, and the state at the newest final block (the same one where
    blocks are final at once)."""

    head: Head
    view: View
    final: View


@dataclass(frozen=True, slots=True)
class Now:
    """One decision's place in time: a node's tip, and the earlier and the later of its time and the clock's."""

    tip: Tip
    earliest: int
    latest: int

    @classmethod
    def of(cls, tip: Tip, clock: int) -> Now:
        """`clock` in unix seconds."""
        return cls(tip, min(clock, tip.head.at), max(clock, tip.head.at))

    @property
    def view(self) -> View:
        return self.tip.view

    def check(self, request: Request) -> Reason:
        """The rule's answer at the head; where that permits, the answer at the final block."""
        reason = check(self.tip.view, request, self.earliest, self.latest)
        if not reason.permits or self.tip.final.block == self.tip.view.block:
            return reason
        return check(self.tip.final, request, self.earliest, self.latest)
