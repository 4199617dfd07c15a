"""Whether a site says under which research terms it trained, all of them and as they were given."""

from __future__ import annotations

from collections.abc import Sequence

from ..encoding import CID
from ..errors import IntegrityError
from ..ledger import Deployment, Round, Slot, Update, View
from ..models.leaves import record_of
from ..models.opening import Shown
from ..snapshots.research import commitment_of
from ..store import BlockStore


def terms_of(
    deployment: Deployment, view: View, store: BlockStore, number: Round, update: Update, shown: Sequence[Shown]
) -> str:
    """The evidence that what a site showed of its consents' research terms is what their packages have the hash of, and
    that its record names them all.

    Raises:
        IntegrityError: it is not.
        UnreachableError: record or packages are not to be had.
    """
    view, named = view.earlier(number.block), set[str]()
    for each in shown:
        trained, owner = each.trained, view.owner(each.trained.twin)
        slot = Slot(owner, trained.twin, trained.grantee, trained.number) if owner else None
        record = view.record(slot) if slot else None
        if slot is None or record is None or not record.grant.given:
            continue  # no consent at all, which another claim says
        there = commitment_of(store.get(CID(record.package)))
        if (each.research.commitment(deployment, slot) if each.research else None) != there:
            raise IntegrityError(f"twin {trained.twin}: other research terms are shown than its owner gave")
        named |= set(each.research.terms if each.research else ())
    if unsaid := named ^ set(record_of(deployment, store, update).research):
        raise IntegrityError(f"the site's record does not name the terms as they are: {', '.join(sorted(unsaid))}")
    return ", ".join(sorted(named)) or "none of the consents has any"
