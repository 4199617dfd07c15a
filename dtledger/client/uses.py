"""Uses: which rounds were trained on a twin. Its owner derives the leaf that would stand for it, and looks for it in
the public leaves of every update.

Warning: a leaf that a site made with another link key than the package's, or data that it used without a leaf, is not
found so. Behind the former an auditor to whom the round is opened still sees the twin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..crypto.tags import link_key
from ..errors import CannotCheckError, IntegrityError
from ..keys import TwinSecrets
from ..ledger import Aggregate, Deployment, Model, Update, View
from ..models import consents
from ..models.card import ModelCard
from ..models.leaves import leaves_of
from ..models.remediation import Affected, affected_by
from ..models.withdrawal import Withdrawal
from ..store import BlockMissingError
from ..types import Address, Digest
from .affected import withdrawn_by_owner
from .context import Context
from .deciding import grantees_of


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model and its card; None if the store lacks the card or it is not the coordinator's."""

    model: Model
    card: ModelCard | None

    @property
    def name(self) -> str:
        return self.card.name if self.card else f"model {self.model.number}"


@dataclass(frozen=True, slots=True)
class Use:
    """A round that was trained on a twin: the site's update in it, the aggregate that it went into, if any, and whether
    the consent was withdrawn since."""

    model: NamedModel
    update: Update
    aggregate: Aggregate | None
    withdrawal: Withdrawal | None = None


@dataclass(frozen=True, slots=True)
class Uses:
    """What a patient found. `unseen` are updates whose leaves are not to be had: they may have used the twin.
    `affected` are the aggregates that the patient's withdrawals touch, with those that were built on them."""

    found: tuple[Use, ...]
    unseen: tuple[Update, ...]
    affected: tuple[tuple[NamedModel, Affected], ...] = ()

    def standing(self, use: Use) -> Affected | None:
        """How the aggregate of a use stands; None if nothing that it was trained under was withdrawn."""
        at = (use.model.model.number, use.update.round)
        return next((each for named, each in self.affected if (named.model.number, each.round) == at), None)


def uses_of(context: Context, models: Sequence[NamedModel], twin: int) -> Uses:
    """The rounds of these models that were trained on the twin.

    Raises:
        KeyFileError: this key holds no secrets of the twin.
    """
    view, secrets = context.view(), context.key.secrets.twin(context.deployment.origin, twin)
    found: list[Use] = []
    unseen: list[Update] = []
    affected: list[tuple[NamedModel, Affected]] = []
    for named in models:
        withdrawals = []
        for each in view.rounds(named.model.number):
            made = view.aggregate(each.model, each.number)
            for update in view.updates(each.model, each.number):
                own = dict(_own_leaves(context.deployment, view.earlier(each.block), secrets, twin, update))
                try:
                    leaves = leaves_of(context.deployment, context.store, update)
                except (BlockMissingError, CannotCheckError, IntegrityError):
                    unseen.append(update)
                    continue
                grantees = {own[leaf] for leaf in own.keys() & leaves}
                if grantees:
                    gone = withdrawn_by_owner(context, view, named.model, each, update.site, twin, grantees)
                    withdrawals += [gone] if gone else []
                    found.append(Use(named, update, made, gone))
        touched = affected_by(context.deployment, view, context.store, named.model, withdrawals)
        affected += [(named, each) for each in touched]
    return Uses(tuple(found), tuple(unseen), tuple(affected))


def _own_leaves(
    deployment: Deployment, view: View, secrets: TwinSecrets, twin: int, update: Update
) -> Iterator[tuple[Digest, Address]]:
    """The leaves that stand for the twin in a site's round, under each generation and each grantee that it may have
    trained under; with that grantee."""
    for generation, secret in secrets.generations.items():
        for grantee in grantees_of(view, update.site):
            link = link_key(secret, generation, twin, grantee)
            yield consents.leaf(link, deployment.origin, update.model, update.round, update.site, twin), grantee
