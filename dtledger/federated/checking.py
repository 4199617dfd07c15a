"""What a coordinator looks at before it takes an update: each fault refuses that update and no other.

Against the ledger: the record is signed by a site that committed to this very record in this round, from what the round
starts from. Against the store: the leaves make the consent root, as many as the cohort. Against the reply: the arrays
are what the commitment says. With an opening: every consent stood when the round was opened, as an auditor judges it.

Warning: without an opening nobody but an auditor sees whether the leaves stand for consents. What a site trained on
beside its cohort nobody sees.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from ..client import Client
from ..encoding import block_cid
from ..errors import IntegrityError
from ..ledger import Model, Round, Update
from ..models.leaves import leaves_of
from ..models.opening import Opening
from ..models.standing import lacks
from ..models.update import SALT_BYTES, UpdateRecord, commitment
from ..types import Address
from .arrays import Arrays, encode_arrays
from .privacy import norm


@dataclass(frozen=True, slots=True)
class Checked:
    """An update that may be aggregated. `distance` is how far it lies from what the round started from (L2)."""

    update: Update
    arrays: Arrays = field(repr=False)
    distance: float

    @property
    def site(self) -> Address:
        return self.update.site


def committed(client: Client, number: Round, block: bytes) -> Update:
    """The update on the ledger that a reply's record is of.

    Raises:
        IntegrityError: the record is forged, of another round, or not what its site committed to.
    """
    context = client.context
    record, site = UpdateRecord.read(context.deployment, block)
    if (record.model, record.round) != (number.model, number.number):
        raise IntegrityError(f"the record is of round {record.round} of model {record.model}", party=site)
    updates = context.view().updates(number.model, number.number)
    update = next((each for each in updates if each.site == site), None)
    if update is None:
        raise IntegrityError("the site committed to no update of this round", party=site)
    if update.record != block_cid(block).digest or not record.says(update):
        raise IntegrityError("the record is not what the site committed to", party=site)
    if update.parent != number.parent:
        raise IntegrityError("the update builds on something else than the round", party=site)
    return update


def require_once(update: Update, taken: Collection[Address]) -> None:
    """Raises:
    IntegrityError: the site's update was taken already.
    """
    if update.site in taken:
        raise IntegrityError("the site's update came twice", party=update.site)


def require_leaves(client: Client, model: Model, update: Update) -> tuple[bytes, ...]:
    """The leaves of an update's consent root.

    Raises:
        IntegrityError: they do not make the root, or are not as many as the cohort.
        CannotCheckError, BlockMissingError, UnreachableError: they are not to be had.
    """
    leaves = leaves_of(client.context.deployment, client.context.store, update)
    if len(leaves) != update.cohort or update.cohort < model.minimum_cohort:
        raise IntegrityError(
            f"a cohort of {update.cohort} is claimed, there are {len(leaves)} leaves", party=update.site
        )
    return leaves


def require_equal(update: Update, salt: bytes, arrays: Arrays) -> None:
    """Raises:
    IntegrityError: the arrays are not what the site committed to.
    """
    if len(salt) != SALT_BYTES or commitment(salt, encode_arrays(arrays)) != update.update:
        raise IntegrityError("the arrays are not what the site committed to", party=update.site)


def require_consents(
    client: Client, model: Model, number: Round, update: Update, leaves: Collection[bytes], opening: bytes
) -> None:
    """Raises:
    IntegrityError: the opening is missing or another's, does not have the leaves, has a twin twice, or one without a
        consent that stood.
    """
    context = client.context
    if not opening:
        raise IntegrityError("the site does not show whom it trained on", party=update.site)
    shown = Opening.open(context.deployment, opening, client.address, context.key.seal_key)
    if (shown.model, shown.round, shown.site) != (number.model, number.number, update.site):
        raise IntegrityError("the opening is of another round or site", party=update.site)
    if sorted(shown.leaf(context.deployment, each) for each in shown.shown) != list(leaves):
        raise IntegrityError("the opening does not have the leaves of the consent root", party=update.site)
    if any(count > 1 for count in Counter(each.trained.twin for each in shown.shown).values()):
        raise IntegrityError("a twin is counted twice", party=update.site)
    view = context.view()
    for each in shown.shown:
        if why := lacks(view, model, number, update.site, each):
            raise IntegrityError(f"twin {each.trained.twin}: {why}", party=update.site)


def distance_from(start: Arrays, update: Update, arrays: Arrays) -> float:
    """How far the arrays lie from what the round started from.

    Raises:
        IntegrityError: they are other arrays, or hold what is no finite number.
    """
    if [(name, each.shape, each.dtype) for name, each in arrays.items()] != [
        (name, each.shape, each.dtype) for name, each in start.items()
    ]:
        raise IntegrityError("the update has other arrays than the model", party=update.site)
    if not all(np.isfinite(each).all() for each in arrays.values()):
        raise IntegrityError("the update holds what is no finite number", party=update.site)
    return norm({name: np.asarray(each.astype(np.float64) - start[name]) for name, each in arrays.items()})
