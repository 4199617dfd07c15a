"""A coordinator's rounds: opened from what the ledger has, finalised once, and gone on with after a crash.

The aggregate goes into the journal, with the updates that it is of, then onto the ledger, then to the next round. So an
aggregate on the ledger is in the journal whole, and one that is in the journal alone is finalised before anything else:
no round is aggregated twice. A round that was open when its coordinator died is asked for again; a site that had
committed to it sends the same.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from .._backend.round_journal import Kept, RoundJournal
from ..client import Client
from ..errors import CannotCheckError, IntegrityError
from ..ledger import Model, Round
from ..ledger.rejections.models import RoundFinalisedError, StaleUpdatesError, UnknownModelError
from ..models.update import AggregateRecord, digest_of
from ..types import Address, Digest
from .arrays import Arrays, decode_arrays, encode_arrays

__all__ = ["Coordinator", "RoundJournal", "RoundReport"]

TRIES = 8
"""How often a finalisation is sent anew because one more update came meanwhile."""


@dataclass(frozen=True, slots=True)
class RoundReport:
    """What a coordinator did with a round's replies. `refused` says of each reply that it did not take, by its site's
    address or, where that is not known, by its node, why; `bounded` are the sites whose updates were scaled down, `far`
    those whose updates lie far from the others'."""

    number: int
    used: tuple[Address, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    bounded: tuple[Address, ...] = ()
    far: tuple[Address, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "used": list(self.used),
            "refused": [list(each) for each in self.refused],
            "bounded": list(self.bounded),
            "far": list(self.far),
        }


class Coordinator:
    """The rounds of one model that this key leads."""

    def __init__(self, client: Client, model: int, journal: RoundJournal) -> None:
        self.client = client
        self._number = model
        self._journal = journal

    @property
    def model(self) -> Model:
        """The model, as the ledger has it.

        Raises:
            UnknownModelError: there is none of that number.
        """
        model = self.client.context.view().model(self._number)
        if model is None:
            raise UnknownModelError({"model": self._number})
        return model

    def start(self, initial: Arrays) -> Arrays:
        """What the next round starts from: the present aggregate, which after a retraining is an earlier one; before
        there is one, and if the model goes back to before it, `initial`.

        Raises:
            CannotCheckError: the journal lacks the weights of the newest aggregate.
            IntegrityError: the first round was opened on other weights than `initial`.
        """
        self.settle()
        view = self.client.context.view()
        if self._newest() is None:
            return initial
        present = view.present(self._number)
        assert present is not None, "a round was opened"
        if not present.base:
            if digest_of(encode_arrays(initial)) != present.aggregate:
                raise IntegrityError("the model's first round starts from other weights")
            return initial
        kept = self._journal.kept(self._number, present.base)
        if kept is None or kept.digest != present.aggregate:
            raise CannotCheckError(
                f"This journal does not hold the weights of round {present.base}'s aggregate.",
                hint="Bring the journal of this coordinator's rounds back from its backup.",
            )
        return decode_arrays(kept.weights())

    def done(self) -> int:
        """How many rounds have their aggregate on the ledger."""
        view, newest = self.client.context.view(), self._newest()
        if newest is None:
            return 0
        return newest.number - (view.aggregate(newest.model, newest.number) is None)

    def open(self, start: Arrays) -> Round:
        """The round that starts from `start`: a new one, or the one that a crash left open.

        Raises:
            IntegrityError: the round that is open starts from something else.
            InputError: the ledger's newest aggregate is something else.
            LedgerRejection: this key is not the coordinator.
        """
        self.settle()
        digest = digest_of(encode_arrays(start))
        newest = self._newest()
        if newest is not None and self.client.context.view().aggregate(newest.model, newest.number) is None:
            if newest.parent != digest:
                raise IntegrityError(f"round {newest.number} is open and starts from other weights")
            return newest
        return self.client.models.open_round(self.model, digest)[0]

    def finalise(self, number: Round, aggregate: Arrays, report: RoundReport) -> None:
        """Commit the aggregate that was made of the updates of the sites that the report has as `used`.

        Raises:
            RoundFinalisedError: the round has an aggregate.
            LedgerRejection, InputError: as `Models.finalise`.
        """
        context, data = self.client.context, list(encode_arrays(aggregate))
        signed = self._record(number, digest_of(data), report.used).sign(context.deployment, context.key)
        said = {"report": report.to_dict(), "signed": signed}
        with self._journal.held():
            self._settle()  # what another process of this coordinator made of the round meanwhile
            if self.client.context.view().aggregate(number.model, number.number) is not None:
                raise RoundFinalisedError({"model": number.model, "round": number.number})
            self._journal.keep(number.model, number.number, said, data)
            self._settle()

    def settle(self) -> None:
        """Commit the aggregate that the journal has of a round that is open, if there is one. Raises as `finalise`."""
        with self._journal.held():
            self._settle()

    def _settle(self) -> None:
        newest = self._newest()
        if newest is None or self.client.context.view().aggregate(newest.model, newest.number) is not None:
            return
        kept = self._journal.kept(newest.model, newest.number)
        if kept is not None:
            self._require_own(newest, kept)
            self._finalise(newest, kept)

    def _require_own(self, number: Round, kept: Kept) -> None:
        """Whoever can write the journal's files, and has no key, finalises nothing.

        Raises:
            IntegrityError: the entry is not what this key signed when it was made.
        """
        match kept.said:
            case {"signed": bytes(signed), "report": {"used": [*used]}}:
                record, signer = AggregateRecord.read(self.client.context.deployment, signed)
                if signer == self.client.address and record == self._record(number, kept.digest, used):
                    return
        raise IntegrityError(f"the journal's aggregate of round {number.number} is not what this key made")

    def _record(self, number: Round, digest: bytes, used: Collection[Address]) -> AggregateRecord:
        updates = self.client.context.view().updates(number.model, number.number)
        theirs = [each for each in updates if each.site in used]
        return AggregateRecord.of(number.model, number.number, Digest(digest), theirs)

    def _finalise(self, number: Round, kept: Kept) -> None:
        weights = kept.weights()
        for attempt in range(TRIES):
            try:
                self.client.models.finalise(self.model, [weights], self._left_out(number, kept.said["report"]["used"]))
                return
            except RoundFinalisedError:  # sent before the crash, and in a block only now
                made = self.client.context.view().aggregate(number.model, number.number)
                if made is None or made.aggregate != kept.digest:
                    raise
                return
            except StaleUpdatesError:
                if attempt == TRIES - 1:
                    raise

    def _left_out(self, number: Round, used: Collection[Address]) -> list[Address]:
        """By site: whoever reads the ledger can commit to the very hash that another site committed to."""
        updates = self.client.context.view().updates(number.model, number.number)
        return [each.site for each in updates if each.site not in used]

    def _newest(self) -> Round | None:
        rounds = self.client.context.view().rounds(self._number)
        return rounds[-1] if rounds else None
