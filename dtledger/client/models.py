"""`Models`: what there are, the rounds that a coordinator leads, and a patient's look at who trained on them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from ..encoding import CID
from ..errors import CannotCheckError, InputError, IntegrityError
from ..ledger import Model, Receipt, Round, Update, calls
from ..ledger.events import ModelRegistered, RoundOpened
from ..models.card import ModelCard, is_number
from ..models.leaves import leaves_of
from ..models.opening import Opening
from ..models.release import Release
from ..models.remediation import RemediationRecord
from ..models.update import AggregateRecord, digest_of
from ..store import BlockMissingError
from ..types import Address, Digest
from ..vocabulary import Kind, Purpose, category
from . import turns
from .affected import Affection, affection_of, remediate
from .context import Context
from .releasing import release_of
from .training import newest_round
from .uses import NamedModel, Uses, uses_of


class Models:
    """Models on the ledger, as this key may lead, train, open or look at them."""

    def __init__(self, context: Context) -> None:
        self._context = context

    # looking -------------------------------------------------------------------------------------------------

    def list(self) -> list[NamedModel]:
        """Every model, by number."""
        return [self._named(each) for each in self._context.view().models()]

    def find(self, which: str | int, name: Callable[[Address], str] = str) -> NamedModel:
        """The model of that number or name. `name` says what to call a coordinator.

        Raises:
            InputError: there is none, or several of that name; the message tells their numbers.
        """
        known = self.list()
        number = which if isinstance(which, int) else int(which) if is_number(which) else None
        found = [each for each in known if (each.name == which if number is None else each.model.number == number)]
        if not found:
            names = ", ".join(dict.fromkeys(each.name for each in known)) or "none"
            raise InputError(f"There is no model {which!r}.", hint=f"Registered: {names}.")
        if len(found) > 1:
            several = ", ".join(f"{each.model.number} (of {name(each.model.coordinator)})" for each in found)
            raise InputError(f"Several models are called {which!r}.", hint=f"Name one by its number: {several}.")
        return found[0]

    def _named(self, model: Model) -> NamedModel:
        try:
            card, signer = ModelCard.read(self._context.deployment, self._context.store.get(CID(model.card)))
        except (BlockMissingError, IntegrityError):
            return NamedModel(model, None)
        return NamedModel(model, card if signer == model.coordinator else None)

    # leading: what begins with `to_` says what would be refused, before anybody is asked ------------------------

    def to_register(self, name: str) -> None:
        """Raises:
        LedgerRejection: this key is no active COORDINATOR.
        InputError: as `refuse_taken`.
        """
        turns.require_kind(self._context.view(), self._context.key.address, Kind.COORDINATOR)
        self.refuse_taken(name)

    def register(
        self, card: ModelCard, purpose: Purpose, categories: Collection[str], minimum_cohort: int, budget: int
    ) -> tuple[NamedModel, Receipt]:
        """Declare a model, as its coordinator. `budget` is what one site may spend on it: ε in thousandths.

        Raises:
            InputError: this coordinator has a model of that name already, or a category is unknown.
            LedgerRejection: this key is no active COORDINATOR, or the terms make no sense.
        """
        context = self._context
        self.refuse_taken(card.name)
        mask = 0
        for name in categories:
            try:
                mask |= 1 << category(name).number
            except ValueError as error:
                raise InputError(f"{error}.") from None
        block = context.store.put(card.sign(context.deployment, context.key), "dag-cbor").digest
        call = calls.register_model(purpose, mask, minimum_cohort, budget, block)
        receipt = context.ledger.send(call, context.key)
        number = receipt.the(ModelRegistered).model
        model = context.view().model(number)
        assert model is not None, "it was just registered"
        return NamedModel(model, card), receipt

    def refuse_taken(self, name: str) -> None:
        """Raises:
        InputError: this key coordinates a model of that name already.
        """
        if any(each.name == name and each.model.coordinator == self._context.key.address for each in self.list()):
            raise InputError(f"This key coordinates a model called {name!r} already.", hint="Choose another name.")

    def to_open(self, model: Model, start: Digest | None = None) -> Digest:
        """What the next round would start from. Raises as `open_round`."""
        turns.to_open(self._context.view(), self._context.key.address, model)
        return self._parent(model, start)

    def open_round(self, model: Model, start: Digest | None = None) -> tuple[Round, Receipt]:
        """Open the next round; `start` is SHA-256 of what the first one starts from.

        Raises:
            InputError: the first round has no start, or a later one has.
            LedgerRejection: a round is open, or this key is not the coordinator.
        """
        context, parent = self._context, self._parent(model, start)
        receipt = context.ledger.send(calls.open_round(model.number, parent), context.key)
        opened = context.view().round(model.number, receipt.the(RoundOpened).round)
        assert opened is not None, "it was just opened"
        return opened, receipt

    def _parent(self, model: Model, start: Digest | None) -> Digest:
        view = self._context.view()
        present, rounds = view.present(model.number), view.rounds(model.number)
        if present is None:
            if start is None:
                raise InputError(
                    "The first round needs what it starts from.", hint="Name the file of the first weights."
                )
            return start
        opened = view.aggregate(model.number, rounds[-1].number) is None
        if start is not None and (opened or start != present.aggregate):
            raise InputError("A later round starts from the aggregate before.", hint="Leave the file out.")
        return present.aggregate

    def to_finalise(self, model: Model, left_out: Collection[Address] = ()) -> tuple[Round, tuple[Update, ...]]:
        """The newest round, and its updates but for those of `left_out`.

        Raises:
            InputError: no round was opened, somebody of `left_out` has no update there, or all are left out.
            CannotCheckError, IntegrityError: a site's leaves are not to be had, or not what it committed to; `.party`.
        """
        view = self._context.view()
        newest = newest_round(view, model)
        turns.to_finalise(view, self._context.key.address, newest, model)
        updates = view.updates(model.number, newest.number)
        if strangers := set(left_out) - {each.site for each in updates}:
            raise InputError(f"{', '.join(sorted(strangers))} has no update in round {newest.number}.")
        used = tuple(each for each in updates if each.site not in left_out)
        if updates and not used:
            raise InputError(f"Every update of round {newest.number} is left out.", hint="An aggregate is of some.")
        for each in used:
            require_leaves(self._context, each)
        return newest, used

    def finalise(
        self, model: Model, aggregate: Iterable[bytes], left_out: Collection[Address] = ()
    ) -> tuple[AggregateRecord, Receipt]:
        """Close the newest round with what was made of its updates, but for those of `left_out`.

        Args:
            aggregate: its bytes, in pieces of any size.

        Raises:
            InputError: as `to_finalise`.
            LedgerRejection: the round is closed or empty, one more update came, or this key is not the coordinator.
        """
        context = self._context
        newest, used = self.to_finalise(model, left_out)
        record = AggregateRecord.of(model.number, newest.number, digest_of(aggregate), used)
        block = context.store.put(record.sign(context.deployment, context.key), "dag-cbor").digest
        every = len(used) + len(set(left_out))
        call = calls.finalise_aggregate(model.number, newest.number, record.aggregate, block, every)
        return record, context.ledger.send(call, context.key)

    def release(self, named: NamedModel, number: int, files: Mapping[str, Iterable[bytes]]) -> Release:
        """What this key would sign of the weights of a round. Raises as `releasing.release_of`."""
        return release_of(self._context, named, number, files)

    # what withdrawals touch ----------------------------------------------------------------------------------

    def affected(self, model: Model, openings: Sequence[Opening] = ()) -> Affection:
        """The aggregates that withdrawn consents touch, as far as this key knows by its own updates and by openings.
        Raises as `affected.affection_of`."""
        return affection_of(self._context, model, openings)

    def to_remediate(self, model: Model, first: int, retrained: bool) -> int:
        """The last round that a remediation would be of. Raises as `remediate`, but for the reason."""
        return turns.to_remediate(self._context.view(), self._context.key.address, model, first, retrained)

    def remediate(self, model: Model, first: int, retrained: bool, reason: str) -> tuple[RemediationRecord, Receipt]:
        """Say what became of rounds `first` to the newest that is finalised, under which consents were withdrawn: the
        model goes back to what `first` started from (`retrained`), or what they made stays in use; `reason` is public.

        Raises:
            InputError: the reason cannot be used.
            LedgerRejection: `first` is not finalised, a round is open, or this key is not the coordinator.
        """
        return remediate(self._context, model, first, retrained, reason)

    # a patient's look ----------------------------------------------------------------------------------------

    def used(self, twin: int) -> Uses:
        """The rounds that were trained on a twin, as its owner finds them. Raises as `uses.uses_of`."""
        return uses_of(self._context, self.list(), twin)


def require_leaves(context: Context, update: Update) -> None:
    """Pass if anybody can look into an update: for whom it was trained on, a patient must be able to look.

    Raises:
        CannotCheckError: its record or its leaves are not to be had; `.party` is the site.
        IntegrityError: they are not what the site committed to, or as many as it says.
    """
    hint = "Ask the site for them, or leave its update out: --without SITE."
    try:
        leaves = leaves_of(context.deployment, context.store, update)
    except BlockMissingError as error:
        raise CannotCheckError(
            f"Nobody can see whom the update of {update.site} was trained on: the store lacks {error.cid}.",
            hint=hint,
            party=update.site,
        ) from error
    except IntegrityError as error:
        error.party, error.hint = update.site, hint
        raise
    if len(leaves) != update.cohort:
        raise IntegrityError(
            f"{update.site} claims a cohort of {update.cohort} and shows {len(leaves)} leaves",
            party=update.site,
            hint=hint,
        )


__all__ = ["Models"]
