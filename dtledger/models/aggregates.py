"""What an aggregate was made of, by its coordinator's record, held against the ledger."""

from __future__ import annotations

from ..encoding import CID
from ..errors import IntegrityError
from ..ledger import Aggregate, Deployment, Model, Round, View
from ..store import BlockStore
from ..vocabulary.numbers import number_of
from .update import AggregateRecord


def record_of(
    deployment: Deployment, view: View, store: BlockStore, model: Model, number: Round, made: Aggregate
) -> AggregateRecord:
    """The coordinator's record of the aggregate of a round.

    Raises:
        IntegrityError: it is not the coordinator's, says otherwise than the ledger, or names no update, one twice, or
            one that nobody committed in the round.
        UnreachableError: it is not to be had.
    """
    record, signer = AggregateRecord.read(deployment, store.get(CID(made.record)))
    said = (record.model, record.round, record.aggregate)
    if signer != model.coordinator or said != (number.model, number.number, made.aggregate):
        raise IntegrityError("the coordinator's record says otherwise than the ledger", party=model.coordinator)
    if not record.updates or len(set(record.updates)) != len(record.updates):
        raise IntegrityError("the aggregate names no update, or one twice", party=model.coordinator)
    committed = {(each.site, each.update) for each in view.updates(number.model, number.number)}
    if foreign := set(record.updates) - committed:
        raise IntegrityError(
            f"the aggregate names {number_of(len(foreign), 'update')} that nobody committed in the round",
            party=model.coordinator,
        )
    return record
