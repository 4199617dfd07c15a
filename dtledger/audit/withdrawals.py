"""Whether consents under an aggregate were withdrawn since, as far as sites opened their rounds, and what became of
that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ..errors import CannotCheckError, IntegrityError
from ..ledger import Deployment, Model, Round, View
from ..models.opening import Opening
from ..models.remediation import affected_by, line_of
from ..models.withdrawal import Moved, Withdrawal, moved_of, withdrawal_of
from ..store import BlockStore
from ..types import Address


def withdrawn(
    deployment: Deployment,
    view: View,
    store: BlockStore,
    model: Model,
    number: Round,
    openings: Mapping[tuple[int, Address], Opening],
    name: Callable[[Address], str],
) -> str:
    """The evidence that nothing under a round's aggregate was withdrawn, or that it was remediated.

    Raises:
        IntegrityError: a withdrawal touches it, and nothing became of that.
        CannotCheckError: an update that it is made of was not opened, or not by its leaves.
    """
    withdrawals: list[Withdrawal] = []
    moves: list[Moved] = []
    unseen: list[str] = []
    for each in line_of(view, model.number, number.number):
        opened = view.round(model.number, each)
        assert opened is not None, "a line is made of rounds"
        for update in view.updates(model.number, each):
            opening = openings.get((each, update.site))
            if opening is None:
                unseen.append(f"round {each} by {name(update.site)}")
                continue
            for shown in opening.shown:
                bits = [proof.bit for proof in shown.bits]
                found = withdrawal_of(view, model, opened, update.site, shown.trained, bits)
                moved = moved_of(view, model, opened, update.site, shown.trained, bits)
                withdrawals += [found] if found else []
                moves += [moved] if moved else []
    touched = affected_by(deployment, view, store, model, withdrawals)
    affected = next((each for each in touched if each.round == number.number), None)
    if affected is not None and not affected.standing.remediated:
        raise IntegrityError(f"{affected.standing.value}: {_words(affected.withdrawals)}")
    if unseen:
        raise CannotCheckError(f"not opened to you: {', '.join(unseen)}")
    if affected is None:
        return "no consent under it was withdrawn" + _moved(moves)
    return f"{affected.standing.value} ({affected.reason}): {_words(affected.withdrawals)}" + _moved(moves)


def _words(withdrawals: Iterable[Withdrawal]) -> str:
    by_twin = {each.trained.twin: each for each in withdrawals}
    return ", ".join(f"twin {twin} ({each.reason.name}, block {each.block})" for twin, each in sorted(by_twin.items()))


def _moved(moves: Iterable[Moved]) -> str:
    """What no consent goes with any more, though nobody took it back."""
    by_twin = {each.trained.twin: each for each in moves}
    said = ", ".join(f"twin {twin} (block {each.block})" for twin, each in sorted(by_twin.items()))
    return f"; moved to another key, which gave none: {said}" if said else ""
