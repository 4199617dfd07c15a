"""What goes between coordinator and sites besides the weights, as Flower's records.

A request for training names model and round in its configuration. A reply to it carries the signed record of the
update, and the salt of its hash, under `PROVENANCE`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from flwr.app import Array, ArrayRecord, ConfigRecord, Message, MetricRecord, RecordDict

from ..errors import InputError, IntegrityError
from .arrays import Arrays
from .site import Answer

PROVENANCE = "dtledger-provenance"
MODEL, ROUND = "dtledger-model", "dtledger-round"


@dataclass(frozen=True, slots=True)
class Attached:
    """What a reply carries of its provenance."""

    block: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    opening: bytes = field(repr=False)


def arrays_of(content: RecordDict) -> dict[str, Any]:
    """The arrays of a message.

    Raises:
        InputError: it does not hold one record of arrays that numpy reads.
    """
    return arrays_in(the_arrays(content)[1])


def the_arrays(content: RecordDict) -> tuple[str, ArrayRecord]:
    """Key and record of a message's arrays. Raises as `arrays_of`."""
    records = content.array_records
    if len(records) != 1:
        raise InputError(f"A message about training holds one record of arrays, not {len(records)}.")
    (found,) = records.items()
    return found


def arrays_in(record: ArrayRecord) -> dict[str, Any]:
    """The arrays of a record, by name. Raises as `arrays_of`."""
    try:
        arrays = {name: array.numpy() for name, array in record.items()}
    except Exception as error:  # numpy parses what a stranger wrote, and raises what it comes upon: no list is whole
        raise InputError("The arrays of a message cannot be read.") from error
    if not all(isinstance(each, np.ndarray) for each in arrays.values()):
        raise InputError("The arrays of a message are none, but an archive.")
    return arrays


def record_of(arrays: Arrays) -> ArrayRecord:
    """Arrays as Flower sends them."""
    return ArrayRecord({name: Array(each) for name, each in arrays.items()})


def metrics_of(content: RecordDict) -> dict[str, dict[str, Any]]:
    """Every record of metrics, as plain values."""
    return {key: dict(record) for key, record in content.metric_records.items()}


def asked_round(content: RecordDict) -> int:
    """The round that a request names.

    Raises:
        InputError: it names none.
    """
    for record in content.config_records.values():
        if isinstance(number := record.get(ROUND), int):
            return number
    raise InputError("The coordinator names no round: its strategy is not wrapped by `Provenance`.")


def reply_with(answer: Answer, request: Message, key: str, *, masked: bool) -> Message:
    """The reply that an answer makes, its arrays under `key`. Under a mask the salt stays with the site."""
    attached: dict[str, bytes] = {"record": answer.block}
    if not masked:
        attached["salt"] = answer.salt
    if answer.opening:
        attached["opening"] = answer.opening
    content = RecordDict({key: record_of(answer.arrays), PROVENANCE: ConfigRecord(dict(attached))})
    for name, metrics in answer.metrics.items():
        content[name] = MetricRecord(dict(metrics))
    return Message(content, reply_to=request)


def attached_to(content: RecordDict) -> Attached:
    """What a reply carries of its provenance.

    Raises:
        IntegrityError: nothing, or something else.
    """
    said: Mapping[str, Any] = content.config_records.get(PROVENANCE, {})
    values = [said.get("record"), said.get("salt", b""), said.get("opening", b"")]
    if not values[0] or not all(isinstance(each, bytes) for each in values):
        raise IntegrityError("the reply carries no record of its update")
    return Attached(*values)
