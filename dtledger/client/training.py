"""Training: under whose consents a site may train a round, and what it can show of them later.

A site's consents of a round are the TRAIN grants for the model's purpose and categories that stood at the end of the
block that opened it, given to the site or its organisation. What a grant's package held then can be opened for ever,
so a round can be opened to an auditor long after the grant ended.

The order of a commitment: leaves and record into the store, then the ledger. A crash before the ledger leaves blocks
that nothing names; after it nothing is missing, for salt and twins stand in the record, sealed to the site itself.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ..encoding import CID, block_cid
from ..errors import AccessDeniedError, CannotCheckError, InputError, IntegrityError
from ..ledger import GrantRecord, Model, Receipt, Round, Slot, View, calls
from ..ledger.calls import Contribution
from ..ledger.rejections.models import UnderCohortError
from ..models import consents
from ..models.opening import Opening, Shown
from ..models.pieces import lay
from ..models.standing import asked, lacks
from ..models.update import SALT_BYTES, Notes, Trained, UpdateRecord, commitment
from ..snapshots.package import Keys
from ..store import BlockMissingError
from ..types import Address
from ..vocabulary import CATEGORIES, Action, Category, Kind
from ..vocabulary.categories import CATEGORY_BITS
from . import turns
from .context import Context
from .deciding import grantees_of
from .keyrings import granted_keys, with_any


def trained_categories(model: Model) -> list[str]:
    """The names of the categories that a model is trained on; `category 30` for one that this version does not know."""
    names = {each.number: each.name for each in CATEGORIES}
    mask = model.categories
    return [names.get(each, f"category {each}") for each in range(CATEGORY_BITS) if mask >> each & 1]


@dataclass(frozen=True, slots=True)
class Plan:
    """The model's round that a commitment would be for, and the consents that it would stand on, a twin each."""

    model: Model
    round: Round
    shown: tuple[Shown, ...]

    @property
    def research(self) -> tuple[str, ...]:
        """The research terms of all these consents together, as they are written."""
        return tuple(sorted({term for each in self.shown if each.research for term in each.research.terms}))

    def require_cohort(self) -> None:
        """Raises:
        UnderCohortError: the model asks for more twins.
        """
        if len(self.shown) < self.model.minimum_cohort:
            raise UnderCohortError({"cohort": len(self.shown), "minimum": self.model.minimum_cohort})


@dataclass(frozen=True, slots=True)
class Drafted:
    """An update that can be committed: the record, its signed block, and the salt of the update's hash."""

    record: UpdateRecord
    block: bytes = field(repr=False)
    salt: bytes = field(repr=False)


class Training:
    """A site's part in models: what it may train on, its commitments, and what it shows of them."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def plan(self, model: Model, twins: Collection[int] | None = None) -> Plan:
        """What a commitment to the newest round would stand on: `twins`, by default every twin whose consent counts.

        Raises:
            InputError: no round was opened.
            AccessDeniedError: one of `twins` gave no consent that stood at the round's block; `.evidence["twins"]`.
        """
        newest = newest_round(self._context.view(), model)
        consents = consents_of(self._context, model, newest)
        shown = tuple(each for each in consents if twins is None or each.trained.twin in twins)
        lacking = sorted(set(twins or ()) - {each.trained.twin for each in shown})
        if lacking or not shown:
            on = f" on twin {', '.join(map(str, lacking))}" if lacking else ""
            raise AccessDeniedError(
                f"No consent to train this model stood{on} when round {newest.number} was opened.",
                hint="A consent counts for the rounds that are opened after it.",
                twins=lacking,
            )
        return Plan(model, newest, shown)

    def require_turn(self, model: Model, epsilon: int) -> None:
        """What would be refused whatever was trained on, before anybody is asked.

        Raises:
            InputError: no round was opened.
            LedgerRejection: as `commit`, but for the cohort.
        """
        view = self._context.view()
        turns.to_commit(view, self._context.key.address, newest_round(view, model), model, epsilon)

    def commit(
        self,
        model: Model,
        update: Iterable[bytes],
        epsilon: int,
        twins: Collection[int] | None = None,
        delta: float = 0.0,
    ) -> tuple[UpdateRecord, Receipt]:
        """Commit to an update of the newest round, before it is sent to anybody.

        Args:
            update: its bytes, in pieces of any size.
            epsilon: the privacy that it spends: ε in thousandths.
            twins: on which it was trained, as in `plan`, whose errors it raises.
            delta: the δ at which that ε holds; 0 if there is none.

        Raises:
            LedgerRejection: out of turn, twice, over budget, under cohort, or this key is no active RESEARCHER.
        """
        return self.commit_to(self.plan(model, twins), update, epsilon, delta)

    def commit_to(
        self, plan: Plan, update: Iterable[bytes], epsilon: int, delta: float = 0.0
    ) -> tuple[UpdateRecord, Receipt]:
        """`commit`, on the consents of a plan. Raises as `commit`, but for what `plan` raises."""
        drafted = self.draft(plan, update, epsilon, delta)
        return drafted.record, self.send(drafted)

    def draft(self, plan: Plan, update: Iterable[bytes], epsilon: int, delta: float = 0.0) -> Drafted:
        """What `commit_to` would send, its blocks in the store: whoever keeps it can send it after a crash."""
        context, model, newest, shown = self._context, plan.model, plan.round, plan.shown
        salt = secrets.token_bytes(SALT_BYTES)
        site, deployment = context.key.address, context.deployment
        leaves = consents.ordered(
            consents.leaf(each.link, deployment.origin, model.number, newest.number, site, each.trained.twin)
            for each in shown
        )
        notes = Notes(salt, tuple(each.trained for each in shown))
        record = UpdateRecord(
            model=model.number,
            round=newest.number,
            update=commitment(salt, update),
            parent=newest.parent,
            consents=consents.root(leaves),
            leaves=context.store.put(consents.encode_leaves(leaves), "dag-cbor"),
            cohort=len(shown),
            epsilon=epsilon,
            notes=notes.sealed(deployment, model.number, newest.number, context.key.seal_key.public),
            research=plan.research,
            delta=delta,
        )
        block = record.sign(deployment, context.key)
        context.store.put(block, "dag-cbor")
        return Drafted(record, block, salt)

    def send(self, drafted: Drafted) -> Receipt:
        """Commit to what was drafted. Raises as `commit_to`."""
        record = drafted.record
        said = Contribution(record.model, record.round, record.cohort, record.epsilon)
        digest = block_cid(drafted.block).digest
        call = calls.commit_update(record.update, record.parent, record.consents, digest, said)
        return self._context.ledger.send(call, self._context.key)

    def open(self, model: Model, number: int, auditor: Address) -> CID:
        """Show one of this site's rounds to an auditor: its `opening`, sealed to the auditor's key, in the store under
        that CID. Raises as `opening`.

        Raises:
            CannotCheckError: the auditor is not enrolled, so there is no key to seal to.
            InputError: it is no AUDITOR.
        """
        return self.show(self.to_show(model, number, auditor), auditor)

    def show(self, opening: Opening, auditor: Address) -> CID:
        """Show an auditor what `to_show` made. Raises as `open`."""
        context = self._context
        block = opening.sealed(context.deployment, context.key, auditor, self._key_of(auditor))
        return lay(context.store, block)

    def to_show(self, model: Model, number: int, auditor: Address) -> Opening:
        """What `open` would show. Raises as it."""
        self._key_of(auditor)
        return self.opening(model, number)

    def _key_of(self, auditor: Address) -> bytes:
        public, member = self._context.public_key(auditor), self._context.view().member(auditor)
        if member is None or not member.is_a(Kind.AUDITOR):
            raise InputError(
                "Who was trained on is shown to an AUDITOR alone, and that member is none.",
                hint="A registrar makes somebody one: `dtledger member kinds WHO --add AUDITOR`.",
                auditor=auditor,
            )
        return public

    def opening(self, model: Model, number: int) -> Opening:
        """What this site can show of one of its rounds.

        Raises:
            InputError: this site has no update in that round.
            CannotCheckError: what the round was trained under is not to be had.
            IntegrityError: the record is not this key's.
        """
        context = self._context
        view, me = context.view(), context.key.address
        update = next((each for each in view.updates(model.number, number) if each.site == me), None)
        opened = view.round(model.number, number)
        if update is None or opened is None:
            raise InputError(f"This key committed no update in round {number}.", hint="Choose the site's with --key.")
        record, _ = UpdateRecord.read(context.deployment, context.store.get(CID(update.record)))
        notes = self.notes(record)
        shown = tuple(shown_again(context, model, opened, each) for each in notes.trained)
        return Opening(model.number, number, me, notes.salt, shown)

    def notes(self, record: UpdateRecord) -> Notes:
        """What this site kept to itself in a record, under its present key to seal to or a former one.

        Raises:
            IntegrityError: the record is another's.
        """
        context = self._context
        return with_any(
            context.key.secrets.seal_keys,
            lambda key: Notes.open(context.deployment, record.model, record.round, record.notes, key),
        )


def newest_round(view: View, model: Model) -> Round:
    """Raises:
    InputError: none was opened.
    """
    rounds = view.rounds(model.number)
    if not rounds:
        raise InputError("No round of this model was opened.", hint="Its coordinator opens one.")
    return rounds[-1]


def consents_of(context: Context, model: Model, number: Round) -> Iterator[Shown]:
    """Each twin that this key may train the round on, once, in the order of their numbers: its own grant before its
    organisation's.

    Raises:
        CannotCheckError: as `standing.asked`.
        UnreachableError: the store does not answer: a cohort is not smaller for that.
    """
    view = context.view().earlier(number.block)
    mine, (_, categories) = grantees_of(view, context.key.address), asked(model)
    records = [each for each in view.received(mine) if each.grant.actions & Action.TRAIN.mask]
    records.sort(key=lambda each: (each.slot.twin, mine.index(each.slot.grantee), each.slot.number))
    done: set[int] = set()
    for record in records:
        if record.slot.twin in done:
            continue
        try:
            shown = _shown(record, categories, granted_keys(context, record))
        except (AccessDeniedError, BlockMissingError, CannotCheckError, IntegrityError):
            continue  # what cannot be shown is not trained on
        if not lacks(view, model, number, context.key.address, shown):
            done.add(record.slot.twin)
            yield shown


def shown_again(context: Context, model: Model, number: Round, trained: Trained) -> Shown:
    """What a round's record says was trained on, with what proves it.

    Raises:
        CannotCheckError: no such grant stood at the round's block.
        AccessDeniedError: its package tells no bit of one of the model's categories.
        IntegrityError, UnreachableError: the package cannot be opened.
    """
    view = context.view().earlier(number.block)
    owner = view.owner(trained.twin)
    record = view.record(Slot(owner, trained.twin, trained.grantee, trained.number)) if owner else None
    if record is None or not record.grant.given:
        raise CannotCheckError(f"No grant on twin {trained.twin} stood when round {number.number} was opened.")
    return _shown(record, asked(model)[1], granted_keys(context, record))


def _shown(record: GrantRecord, categories: Sequence[Category], keys: Keys) -> Shown:
    slot = record.slot
    proofs = tuple(keys.bits.prove(keys.bits.bit_of(each.name)) for each in categories)
    return Shown(Trained(slot.twin, slot.grantee, slot.number), keys.link, proofs, keys.research)
