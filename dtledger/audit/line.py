"""A twin in a line of deployments, on a chain that is looked at in part: what each one's storage counts of it.

A twin that came from another deployment has its past there: it was counted there until it left, and what left is where
it begins here.
"""

from __future__ import annotations

from collections.abc import Sequence

from .._backend.runtimes import shipped
from ..encoding import keccak
from ..errors import CannotCheckError, IntegrityError
from ..ledger.events import Arrived
from ..types import Address
from .chain import Chain
from .counted import NEW, Gap, Life, moves_in_doubt, require_twin
from .known import Known
from .standing import require_cards, require_owner

_READ = ("TwinRegistry", "ConsentRegistry")
"""The contracts of a deployment before whose storage is asked; the others are this one's."""


class Line:
    """What is in doubt of a twin: `gaps` are where denials skipped numbers, `moves` the blocks of moves before which a
    card may be left out.

    Raises:
        IntegrityError: an event is left out that bears on these parties.
        CannotCheckError: the twin came from a deployment whose storage this package does not know.
    """

    def __init__(self, known: Known, twin: int, parties: Sequence[Address]) -> None:
        self.gaps: list[Gap] = []
        self.moves: list[int] = []
        self._twin = twin
        self._parties = parties
        self._count(known)

    def _count(self, known: Known) -> Life:
        chain, history, twin, former = known.chain, known.history(), self._twin, NEW
        came = any(isinstance(each.event, Arrived) and each.event.twin == twin for each in history.logged)
        if came and known.before is not None:
            before = known.before.chain
            _require_readable(before)
            former = self._count(known.before)
            left = known.before.history().at(chain.head.number)
            require_owner(before, left, twin, str)
            require_cards(before, left, twin)
        view = history.at(chain.head.number)
        self.moves += moves_in_doubt(chain, history.logged, twin, former)
        life, gaps = require_twin(chain, history.logged, view, twin, self._parties, former)
        self.gaps += gaps
        return life


def _require_readable(chain: Chain) -> None:
    """Pass if the deployment before has the code of this package's sources, so that its storage lies where the layout
    says. Of a chain that is looked at whole nothing is read there."""
    for contract in _READ:
        code = chain.code(contract)
        if keccak(code) != chain.account(contract).code_hash:
            raise IntegrityError(f"the code that is shown of the {contract} before is not the account's")
        if not shipped()[contract].matches(code):
            raise CannotCheckError(
                f"The {contract} before, of {chain.deployment.id}, was made from other sources: what its storage "
                "counts is not known. Look at every block (--whole)."
            )
