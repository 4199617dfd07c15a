"""The claims about one model. Of the model:

- **card**: what it is called was signed by its coordinator.

Of each update:

- **site**: who committed it was an enrolled RESEARCHER then, and not suspended.
- **parent**: it builds on what the round before made.
- **budget**: the site's ε up to and with it is within the model's.
- **record**: the site's signed record says what the ledger says, and the leaves that it names make the consent root.
- **cohort**: as many twins as there are leaves, and not fewer than the model asks for.
- **update**: it is H(salt ‖ file). Needs the file, and the salt from the site's opening.
- **consents**: each leaf stands for a twin whose owner let the site train this model when the round was opened. Needs
  the opening.
- **twins**: no twin stands behind two leaves. Needs the opening.
- **terms**: the site's record names the research terms of all the consents, as their owners gave them. Needs the
  opening.
- **receipts**: custodians opened those twins to train, and no others. Needs the opening, and the custodians' receipts:
  it is made where receipts were given, and then of every update.

Of each round that was finalised:

- **aggregate**: its signed record names updates of the round, each once.
- **weights**: the file is what the aggregate names. Needs the file.
- **withdrawals**: no consent under it, or under a round that it builds on, was withdrawn since, or the coordinator
  recorded what became of that: an acceptance with its reason, or a retraining that is done. Needs the openings.

Of each remediation:

- **remediation**: its signed record says what the ledger says.

Warning: cohort and ε are what a site says of itself. What it trained on without a leaf, no ledger can show.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from ..custody import AccessReceipt
from ..encoding import CID
from ..errors import CannotCheckError, IntegrityError, UnreachableError
from ..ledger import Aggregate, Deployment, Model, Remediation, Round, Update, View
from ..models.aggregates import record_of as record_of_aggregate
from ..models.card import ModelCard
from ..models.leaves import is_opened, leaves_of
from ..models.leaves import record_of as record_of_site
from ..models.opening import Opening
from ..models.remediation import record_of
from ..models.standing import lacks
from ..models.update import commitment, digest_of
from ..store import BlockStore
from ..types import Address, Digest
from ..vocabulary import Kind
from ..vocabulary.numbers import number_of
from .claims import Claim, checked
from .receipts import compared
from .terms import terms_of
from .withdrawals import withdrawn

Files = Mapping[tuple[int, Address | None], Callable[[], Iterable[bytes]]]
"""The bytes of each file, in pieces: by round and site, or by round and None for the round's aggregate."""


class ModelAudit:
    """The audit of one model as of one view of the ledger.

    Args:
        openings: those that sites made for this auditor; of this model's rounds alone.
        files: the updates and aggregates that are at hand.
        receipts: custodians' receipts of the sites' reads; None if they are not to be compared.
        name: what to call a site.
    """

    def __init__(
        self,
        deployment: Deployment,
        view: View,
        store: BlockStore,
        model: Model,
        openings: Sequence[Opening] = (),
        files: Files | None = None,
        name: Callable[[Address], str] = str,
        receipts: Sequence[AccessReceipt] | None = None,
    ) -> None:
        self._deployment = deployment
        self._view = view
        self._store = store
        self._model = model
        self._openings = {(each.round, each.site): each for each in openings if each.model == model.number}
        self._files = files or {}
        self._name = name
        self._receipts = receipts or ()
        self._of_an_update = dict(_OF_AN_UPDATE) | ({} if receipts is None else {"receipts": ModelAudit._receipts_of})

    @property
    def count(self) -> int:
        """How many claims there are."""
        view, number = self._view, self._model.number
        rounds = [each.number for each in view.rounds(number)]
        updates = sum(len(view.updates(number, each)) for each in rounds)
        made = sum(view.aggregate(number, each) is not None for each in rounds)
        return 1 + len(self._of_an_update) * updates + 3 * made + len(view.remediations(number))

    def claims(self) -> Iterator[Claim]:
        """Every claim, in the order of the ledger."""
        yield checked("card", "the model", self._card)
        spent: Counter[Address] = Counter()
        for number in self._view.rounds(self._model.number):
            for update in self._view.updates(number.model, number.number):
                spent[update.site] += update.epsilon
                about = f"round {number.number}, {self._name(update.site)}"
                for name, look in self._of_an_update.items():
                    yield checked(name, about, partial(look, self, number, update, spent[update.site]))
            made = self._view.aggregate(number.model, number.number)
            if made is not None:
                about = f"round {number.number}"
                yield checked("aggregate", about, partial(self._aggregate, number, made))
                yield checked("weights", about, partial(self._weights, number, made))
                yield checked("withdrawals", about, partial(self._withdrawn, number))
        for told in self._view.remediations(self._model.number):
            rounds = f"rounds {told.first} to {told.last}" if told.first < told.last else f"round {told.first}"
            yield checked("remediation", rounds, partial(self._remediation, told))

    # the model -----------------------------------------------------------------------------------------------

    def _card(self) -> str:
        card, signer = ModelCard.read(self._deployment, self._store.get(CID(self._model.card)))
        if signer != self._model.coordinator:
            raise IntegrityError(
                f"the card is signed by {self._name(signer)}, "
                f"not by the coordinator {self._name(self._model.coordinator)}"
            )
        return f"{card.name}, of {self._name(signer)}"

    # an update -----------------------------------------------------------------------------------------------

    def _site(self, number: Round, update: Update, spent: int) -> str:
        view = self._view.earlier(update.block)
        member = view.member(update.site)
        if member is None:
            raise IntegrityError(f"{self._name(update.site)} was not enrolled at block {update.block}")
        if not member.kinds & Kind.RESEARCHER.mask:
            raise IntegrityError(f"{self._name(update.site)} was no RESEARCHER at block {update.block}")
        organisation = view.member(member.organisation) if member.organisation else None
        if member.suspended or (organisation is not None and organisation.suspended):
            raise IntegrityError(f"{self._name(update.site)} was suspended at block {update.block}")
        return f"an enrolled RESEARCHER at block {update.block}"

    def _parent(self, number: Round, update: Update, spent: int) -> str:
        before = self._view.aggregate(number.model, number.base)
        beginning = None if number.base else self._view.rounds(number.model)[0].parent
        if number.parent != (before.aggregate if before else beginning):
            raise IntegrityError(f"round {number.number} starts from what no round made")
        if update.parent != number.parent:
            raise IntegrityError(f"it builds on 0x{update.parent.hex()}, the round on 0x{number.parent.hex()}")
        return "what the model started from" if before is None else f"the aggregate of round {number.base}"

    def _budget(self, number: Round, update: Update, spent: int) -> str:
        said = f"ε {spent / 1000:g} of {self._model.budget / 1000:g} spent"
        if spent > self._model.budget or update.epsilon == 0:
            raise IntegrityError(said)
        return said

    def _record(self, number: Round, update: Update, spent: int) -> str:
        leaves = leaves_of(self._deployment, self._store, update)
        delta = record_of_site(self._deployment, self._store, update).delta
        said = f", its ε holds at δ {delta:g}" if delta else ""
        return f"signed by the site; {len(leaves)} leaves under the consent root{said}"

    def _sound_leaves(self, update: Update) -> tuple[Digest, ...]:
        try:
            return leaves_of(self._deployment, self._store, update)
        except IntegrityError as error:  # which the claim `record` says
            raise CannotCheckError("the site's record, which names the leaves, is at fault") from error

    def _cohort(self, number: Round, update: Update, spent: int) -> str:
        leaves = len(self._sound_leaves(update))
        if update.cohort != leaves:
            raise IntegrityError(f"a cohort of {update.cohort} is claimed, there are {leaves} leaves")
        if leaves < self._model.minimum_cohort:
            raise IntegrityError(f"{number_of(leaves, 'twin')}, at least {self._model.minimum_cohort} are asked for")
        return f"{number_of(leaves, 'twin')}, at least {self._model.minimum_cohort}"

    def _update(self, number: Round, update: Update, spent: int) -> str:
        opening, file = self._opening(update), self._file(update.round, update.site)
        if commitment(opening.salt, file()) != update.update:
            raise IntegrityError("the file is not what was committed to")
        return f"the file is what 0x{update.update.hex()} commits to"

    def _consents(self, number: Round, update: Update, spent: int) -> str:
        opening = self._opening(update)
        opened = sorted(opening.leaf(self._deployment, each) for each in opening.shown)
        if list(self._sound_leaves(update)) != opened:
            raise IntegrityError("the opening does not have the leaves of the consent root")
        view, model = self._view, self._model
        lacking = [(each.trained.twin, lacks(view, model, number, update.site, each)) for each in opening.shown]
        if any(why for _, why in lacking):
            raise IntegrityError("; ".join(f"twin {twin}: {why}" for twin, why in lacking if why))
        return f"{number_of(len(opening.shown), 'consent')} stood at block {number.block}"

    def _twins(self, number: Round, update: Update, spent: int) -> str:
        counted = Counter(each.trained.twin for each in self._sound_opening(update).shown)
        doubled = [str(twin) for twin, count in sorted(counted.items()) if count > 1]
        if doubled:
            raise IntegrityError(f"counted more than once: twin {', '.join(doubled)}")
        return f"{number_of(len(counted), 'twin')}, each once"

    def _terms(self, number: Round, update: Update, spent: int) -> str:
        shown = self._sound_opening(update).shown
        try:
            record_of_site(self._deployment, self._store, update)
        except IntegrityError as error:  # which the claim `record` says
            raise CannotCheckError("the site's record, which names the terms, is at fault") from error
        return terms_of(self._deployment, self._view, self._store, number, update, shown)

    def _receipts_of(self, number: Round, update: Update, spent: int) -> str:
        twins = [each.trained.twin for each in self._sound_opening(update).shown]
        return compared(self._deployment, self._view, self._store, self._model, number, update, twins, self._receipts)

    def _opening(self, update: Update) -> Opening:
        opening = self._openings.get((update.round, update.site))
        if opening is None:
            raise CannotCheckError("the site has not opened this round to you")
        return opening

    def _sound_opening(self, update: Update) -> Opening:
        opening = self._opening(update)
        if not self._is_sound(update, opening):
            raise CannotCheckError("the site's opening, which names the twins, is at fault")
        return opening

    def _is_sound(self, update: Update, opening: Opening) -> bool:
        """Whether it has the update's leaves, as far as these are known."""
        try:
            return is_opened(self._deployment, self._store, update, opening)
        except (IntegrityError, UnreachableError):  # which the claim `record` says
            return True

    def _file(self, number: int, site: Address | None) -> Callable[[], Iterable[bytes]]:
        file = self._files.get((number, site))
        if file is None:
            raise CannotCheckError("the file is not at hand")
        return file

    # a round -------------------------------------------------------------------------------------------------

    def _aggregate(self, number: Round, made: Aggregate) -> str:
        record = record_of_aggregate(self._deployment, self._view, self._store, self._model, number, made)
        committed = self._view.updates(number.model, number.number)
        return f"{len(record.updates)} of {len(committed)} updates went into it"

    def _weights(self, number: Round, made: Aggregate) -> str:
        if digest_of(self._file(number.number, None)()) != made.aggregate:
            raise IntegrityError("the file is not what the aggregate names")
        return f"the file's SHA-256 is 0x{made.aggregate.hex()}"

    # what was withdrawn --------------------------------------------------------------------------------------

    def _withdrawn(self, number: Round) -> str:
        view, openings = self._view, {}
        for each in {opened for opened, _ in self._openings}:
            for update in view.updates(self._model.number, each):
                opening = self._openings.get((each, update.site))
                if opening is not None and self._is_sound(update, opening):
                    openings[each, update.site] = opening
        return withdrawn(self._deployment, view, self._store, self._model, number, openings, self._name)

    def _remediation(self, told: Remediation) -> str:
        record = record_of(self._deployment, self._store, self._model, told)
        return f"{'retrained' if told.retrained else 'accepted'} in block {told.block}: {record.reason}"


_OF_AN_UPDATE: dict[str, Callable[[ModelAudit, Round, Update, int], str]] = {
    "site": ModelAudit._site,
    "parent": ModelAudit._parent,
    "budget": ModelAudit._budget,
    "record": ModelAudit._record,
    "cohort": ModelAudit._cohort,
    "update": ModelAudit._update,
    "consents": ModelAudit._consents,
    "twins": ModelAudit._twins,
    "terms": ModelAudit._terms,
}
"""Each claim about an update, and what looks at it: given the round, the update, and the ε that its site has spent with
it. It returns the evidence, or raises as `checked` says."""
