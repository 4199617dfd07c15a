"""A site's part of a round: whose consents count, what is read through the door, what is committed.

The order is what makes a crash harmless. The entry goes into the journal, then the commitment onto the ledger, then the
update out. Whoever is asked again for a round looks at the journal first: what was committed is sent again, the same to
the byte; what was kept and not committed is committed now. Without an entry the round is trained from the start.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

from .._backend.round_journal import Kept, RoundJournal
from ..client import Client, Plan, Readings
from ..client.training import Drafted
from ..encoding import block_cid
from ..errors import AccessDeniedError, CannotCheckError, IntegrityError
from ..ledger import Model, Round, Update
from ..ledger.rejections.models import AlreadyCommittedError, UnknownModelError
from ..models.opening import Opening, Shown
from ..models.standing import asked, lacks
from ..models.update import UpdateRecord, commitment
from ..types import Address, Digest
from ..vocabulary import Action, Kind
from .arrays import Arrays, decode_arrays, encode_arrays
from .privacy import Mechanism, Privacy, Stated, spends


@dataclass(frozen=True, slots=True)
class Cohort(Mapping[int, Mapping[str, Readings]]):
    """What was read for a round: the twins in the order of their numbers, of each its readings by category."""

    twins: Mapping[int, Mapping[str, Readings]] = field(repr=False)

    def __getitem__(self, twin: int) -> Mapping[str, Readings]:
        return self.twins[twin]

    def __iter__(self) -> Iterator[int]:
        return iter(self.twins)

    def __len__(self) -> int:
        return len(self.twins)


@dataclass(frozen=True, slots=True)
class Turn:
    """The round that a site was asked for, and the ε in thousandths that its update would spend."""

    model: Model
    round: Round
    epsilon: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a site sends: the arrays, what the app measured, the signed record, and the salt of its hash. Under a mask
    there is no salt; `opening` is there for a coordinator who is shown the round."""

    arrays: Arrays = field(repr=False)
    metrics: Mapping[str, Any]
    block: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    opening: bytes = field(default=b"", repr=False)


class Site:
    """One site of one model.

    Args:
        twins: whom of those who consent it trains on; by default all.
        privacy: the noise of its updates, or the ε that it states.
        fresh: read every twin anew in each round. Else a twin's readings stay in memory while its consent stands: for
            data that do not grow.
        shows: open each round to the coordinator too, who must be an AUDITOR.
    """

    def __init__(
        self,
        client: Client,
        model: int,
        journal: RoundJournal,
        *,
        privacy: Privacy,
        twins: Collection[int] | None = None,
        fresh: bool = True,
        shows: bool = False,
    ) -> None:
        self.client = client
        self.privacy = privacy
        self._number = model
        self._journal = journal
        self._chosen = None if twins is None else frozenset(twins)
        self._fresh = fresh
        self._shows = shows
        self._held: dict[int, Mapping[str, Readings]] = {}

    def __repr__(self) -> str:
        return f"Site({self.address}, model={self._number})"

    @property
    def address(self) -> Address:
        return self.client.address

    @property
    def model(self) -> int:
        """The model's number."""
        return self._number

    def kept(self, number: int) -> Callable[[], Iterator[bytes]]:
        """The bytes of what this site committed to in a round, in one piece: what an auditor asks for.

        Raises:
            CannotCheckError: this journal does not have them; whoever calls for them may get an IntegrityError.
        """
        kept = self._journal.kept(self._number, number)
        if kept is None:
            raise CannotCheckError(f"This journal has no update of round {number}.")
        return lambda: iter([kept.weights()])

    def held(self) -> AbstractContextManager[None]:
        """One answer at a time, of all processes of this site: of two that train at once the ledger would refuse one,
        and the journal might keep that one.

        Raises:
            DtledgerError: another one has taken over half a minute.
        """
        return self._journal.held()

    # a turn --------------------------------------------------------------------------------------------------

    def turn(self, number: int, start: Digest) -> Turn | Answer:
        """What a site may do in the round `number` that starts from `start`; what it answered, if it has.

        Raises:
            IntegrityError: the round is not the newest, or does not start from that; or another machine with this key
                committed to it.
            LedgerRejection: it may not commit: out of turn, twice, over budget, or no active RESEARCHER.
            CannotCheckError: this journal lacks a round that spent privacy.
            AccessDeniedError: the round is to be shown to a coordinator who is no AUDITOR.
        """
        view = self.client.context.view()
        model = self._model()
        rounds = view.rounds(model.number)
        if not rounds or rounds[-1].number != number:
            raise IntegrityError(f"round {number} is not the newest of the model", party=model.coordinator)
        newest = rounds[-1]
        if newest.parent != start:
            raise IntegrityError(
                f"round {number} starts from other weights than the coordinator sent", party=model.coordinator
            )
        kept = self._journal.kept(model.number, number)
        if kept is not None:
            return self._again(model, newest, kept)
        if self._shows:
            self._auditor_key(model)
        epsilon = self._epsilon(model)
        self.client.training.require_turn(model, epsilon)
        return Turn(model, newest, epsilon)

    def _model(self) -> Model:
        model = self.client.context.view().model(self._number)
        if model is None:
            raise UnknownModelError({"model": self._number})
        return model

    def _epsilon(self, model: Model) -> int:
        """What the next update claims."""
        if isinstance(self.privacy, Stated):
            return self.privacy.epsilon
        view = self.client.context.view()
        before = []
        for each in view.rounds(model.number):
            if any(update.site == self.address for update in view.updates(model.number, each.number)):
                kept = self._journal.kept(model.number, each.number)
                if kept is None or not kept.said["mechanism"]:
                    raise CannotCheckError(
                        f"This journal does not say how round {each.number} was blurred, so ε cannot be composed.",
                        hint="Bring the journal of this site's rounds back from its backup.",
                    )
                before.append(Mechanism.from_list(kept.said["mechanism"]))
        return spends(before, self.privacy, view.spent(model.number, self.address))

    # reading -------------------------------------------------------------------------------------------------

    def cohort(self, turn: Turn) -> tuple[Plan, Cohort]:
        """Whom the round is trained on, and their readings: each twin whose consent stood when it was opened, stands
        now, and whose readings the custodians release for training. Whoever is not among them is not counted.

        Raises:
            AccessDeniedError: no consent stood.
            UnderCohortError: too few are left.
            UnreachableError: ledger, store or too many custodians do not answer: a cohort is not smaller for that.
        """
        plan = self.client.training.plan(turn.model)
        chosen = [each for each in plan.shown if self._chosen is None or each.trained.twin in self._chosen]
        read = self._gather(plan, chosen)
        plan = replace(plan, shown=tuple(each for each in chosen if each.trained.twin in read))
        plan.require_cohort()
        return plan, Cohort(read)

    def look(self, twins: Collection[int]) -> Cohort:
        """The readings of twins whose consent stood when the newest round was opened and stands now: to measure a model
        on those whom it was not trained on. Raises as `cohort`."""
        plan = self.client.training.plan(self._model())
        return Cohort(self._gather(plan, [each for each in plan.shown if each.trained.twin in twins]))

    def _gather(self, plan: Plan, chosen: Sequence[Shown]) -> dict[int, Mapping[str, Readings]]:
        now, model, read = self.client.context.now(), plan.model, {}
        today = replace(plan.round, block=now.view.block, at=now.latest)
        for gone in self._held.keys() - {each.trained.twin for each in plan.shown}:
            del self._held[gone]
        for shown in chosen:
            twin = shown.trained.twin
            held = self._held.pop(twin, None)
            if held is None:
                held = self._from_door(model, twin)
            elif lacks(now.view, model, today, self.address, shown):
                continue
            if held is not None:
                read[twin] = held
        if not self._fresh:
            self._held |= read
        return read

    def _from_door(self, model: Model, twin: int) -> Mapping[str, Readings] | None:
        """None if its consent stands no more, or there is nothing to read."""
        purpose, categories = asked(model)
        read = {}
        for each in categories:
            try:
                read[each.name] = self.client.reader.read(twin, each.name, purpose, action=Action.TRAIN)
            except AccessDeniedError:
                return None  # withdrawn since the round was opened
        return read if any(map(len, read.values())) else None

    # committing ----------------------------------------------------------------------------------------------

    def commit(self, turn: Turn, plan: Plan, arrays: Arrays, metrics: Mapping[str, Any]) -> Answer:
        """Commit to what was trained. `metrics` is what goes with it and is not committed to.

        Raises:
            LedgerRejection: as `turn`.
        """
        training, model, number = self.client.training, turn.model, turn.round.number
        drafted = training.draft(plan, encode_arrays(arrays), turn.epsilon, self.privacy.delta)
        mechanism = [] if isinstance(self.privacy, Stated) else self.privacy.mechanism.to_list()
        said = {"record": drafted.block, "salt": drafted.salt, "mechanism": mechanism, "metrics": dict(metrics)}
        self._journal.keep(model.number, number, said, encode_arrays(arrays))
        training.send(drafted)
        opening = Opening(model.number, number, self.address, drafted.salt, plan.shown)
        return self._answer(model, arrays, metrics, drafted, opening)

    def _again(self, model: Model, number: Round, kept: Kept) -> Answer:
        """The answer that the journal has, committed if a crash came before that."""
        context, training = self.client.context, self.client.training
        block, salt = kept.said["record"], kept.said["salt"]
        (record, signer), weights = UpdateRecord.read(context.deployment, block), kept.weights()
        if signer != self.address or commitment(salt, [weights]) != record.update:
            raise IntegrityError(f"the journal's update of round {number.number} is not what this key made")
        drafted, arrays = Drafted(record, block, salt), decode_arrays(weights)
        committed = self._committed(model, number)
        if committed is None:
            try:
                training.require_turn(model, record.epsilon)
                training.send(drafted)
            except AlreadyCommittedError:  # sent before the crash, and in a block only now
                pass
            committed = self._committed(model, number)
        if committed is None or committed.record != block_cid(block).digest:
            raise IntegrityError(f"another machine with this key committed to round {number.number}")
        opening = training.opening(model, number.number) if self._shows else None
        return self._answer(model, arrays, kept.said["metrics"], drafted, opening)

    def _committed(self, model: Model, number: Round) -> Update | None:
        updates = self.client.context.view().updates(model.number, number.number)
        return next((each for each in updates if each.site == self.address), None)

    def _answer(
        self, model: Model, arrays: Arrays, metrics: Mapping[str, Any], drafted: Drafted, opening: Opening | None
    ) -> Answer:
        sealed = b""
        if self._shows and opening is not None:
            context, public = self.client.context, self._auditor_key(model)
            sealed = opening.sealed(context.deployment, context.key, model.coordinator, public)
        return Answer(arrays, metrics, drafted.block, drafted.salt, sealed)

    def _auditor_key(self, model: Model) -> bytes:
        """The key to seal an opening to. Raises as `turn`."""
        context = self.client.context
        member = context.view().member(model.coordinator)
        if member is None or not member.is_a(Kind.AUDITOR):
            raise AccessDeniedError(
                "Whom a round was trained on is shown to an AUDITOR alone, and the coordinator is none."
            )
        return context.public_key(model.coordinator)
