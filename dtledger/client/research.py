"""Research terms: what a TRAIN grant says of the use that may be made of the data, as whoever holds a key to it reads
them."""

from __future__ import annotations

from collections.abc import Iterable

from ..encoding import CID
from ..errors import CannotCheckError
from ..ledger import GrantRecord
from ..snapshots.research import opened_by_owner
from ..types import ZERO_DIGEST
from ..vocabulary import Action, UseTerm, known_term
from .context import Context
from .keyrings import granted_keys


def research_of(context: Context, record: GrantRecord) -> tuple[str, ...]:
    """The terms of a grant as they are written: as its owner keeps them, or its grantee has them in its package.

    Raises:
        UnreachableError, IntegrityError: they are not to be had, so nobody can say that there are none.
    """
    slot = record.slot
    if not record.grant.actions & Action.TRAIN.mask or record.package == ZERO_DIGEST:
        return ()
    if slot.owner != context.key.address:
        found = granted_keys(context, record).research
    else:
        block = context.store.get(CID(record.package))
        found = opened_by_owner(context.deployment, slot, block, context.key.secrets.seal_keys)
    return found.terms if found else ()


def understood(terms: Iterable[str]) -> tuple[UseTerm, ...]:
    """The terms, to be given again.

    Raises:
        CannotCheckError: this version does not know one of them, and would leave it out.
    """
    known = {each: known_term(each) for each in terms}
    for text, term in known.items():
        if term is None:
            raise CannotCheckError(f"This version does not know the research term {text}.", hint="Update dtledger.")
    return tuple(term for term in known.values() if term)
