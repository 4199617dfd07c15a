"""What a `twin-state` snapshot holds: all that a forecast needs, to the last bit.

Canonical DAG-CBOR, as every block. `model` is a name, a version and a digest of all that other people taught: numbers
go on meaning the same only under the same model. `arrays` has each array of the twin's memory under its name
(`state.mean`, `state.factor`, the covariance's root, `state` rows 4 and 5 the gains, `day.sums`, `on_board`,
`personal.terms`, …) as its shape and bytes, eight for each number: IEEE 754 binary64, big-endian. `at` (unix seconds),
`innovation`, `nis` and `flags` are of the newest reading.

`untold` takes out what a forecast does not need: the readings that a twin remembers to go on by.

>>> from .prior import NEWBORN
>>> from . import twin
>>> memory = twin.expect(NEWBORN, twin.start(NEWBORN, 1), np.zeros(1)).take(np.array([150.0])).memory
>>> model = glucose_model(NEWBORN)
>>> written = encode_state(model, untold(memory), at=1_800_000_000, innovation=10.0, nis=0.03, flags=["unverified"])
>>> found = decode_state(written, model)
>>> bool((found.memory.state.factor == memory.state.factor).all()), found.flags
(True, ('unverified',))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import partial
from math import prod
from typing import Any

import numpy as np

from ..encoding import decode, encode, sha256
from ..errors import IntegrityError
from ..types import Digest
from . import past, twin, vitals
from .factors import Array
from .keeper import FORM, Keeper
from .prior import Prior

__all__ = [
    "LONGEST_FLAG",
    "MOST_FLAGS",
    "SCHEMA",
    "VITALS",
    "Model",
    "StateSnapshot",
    "decode_state",
    "encode_state",
    "encode_states",
    "glucose_model",
    "keeper_model",
    "untold",
]

SCHEMA = "dtledger/twin-state/1"
MOST_FLAGS = 32
LONGEST_FLAG = 64


@dataclass(frozen=True, slots=True)
class Model:
    """What a memory is of. `start` makes one of nothing, with the shapes that such a memory has."""

    name: str
    version: int
    digest: Digest
    start: Callable[[int], Any]


def glucose_model(prior: Prior) -> Model:
    """A glucose twin's under a prior."""
    return Model(prior.name, prior.version, sha256(prior.write().encode()), partial(twin.start, prior))


def keeper_model(keeper: Keeper) -> Model:
    """A kept glucose twin's (`keeper.Memory`): the twin's own part is its `twin`."""
    known = f"{FORM} {keeper.prior.write()}{keeper.thresholds.write()}"
    return Model(f"kept-{keeper.prior.name}", keeper.prior.version, sha256(known.encode()), keeper.start)


VITALS = Model("vitals", 1, sha256(repr((vitals.PROCESS, vitals.SENSOR)).encode()), vitals.start)
"""Vital signs'."""


@dataclass(frozen=True, slots=True)
class StateSnapshot:
    """One twin's memory (of `twin`, `keeper` or `vitals`), and how its newest reading lay, `at` unix seconds:
    `innovation` in mg/dL, None where there was none."""

    memory: Any
    at: int | None
    innovation: float | None
    nis: float | None
    flags: tuple[str, ...]


def encode_state(
    model: Model,
    memory: Any,
    *,
    at: int | None = None,
    innovation: float | None = None,
    nis: float | None = None,
    flags: Sequence[str] = (),
) -> bytes:
    """The content of a snapshot of one twin.

    Raises:
        ValueError: the memory is of several twins, or a flag is no short text.
    """
    if memory.at.shape != (1,):
        raise ValueError("a snapshot is of one twin")
    return encode_states(model, [StateSnapshot(memory, at, innovation, nis, tuple(flags))], memory)[0]


def encode_states(model: Model, told: Sequence[StateSnapshot], memory: Any) -> list[bytes]:
    """The contents of snapshots of several twins, whose memories lie side by side in `memory`. Raises as
    `encode_state`."""
    sides = [
        (name, [*array.shape[:-1], 1], np.ascontiguousarray(np.moveaxis(array, -1, 0), dtype=">f8"))
        for name, array in _arrays(memory)
    ]
    found = []
    for place, each in enumerate(told):
        flags = each.flags
        if len(flags) > MOST_FLAGS or not all(one.isprintable() and 0 < len(one) <= LONGEST_FLAG for one in flags):
            raise ValueError(f"at most {MOST_FLAGS} flags, each of at most {LONGEST_FLAG} characters")
        arrays = {name: {"shape": shape, "value": side[place : place + 1].tobytes()} for name, shape, side in sides}
        content = {"schema": SCHEMA, "model": _said(model), "arrays": arrays, "at": each.at}
        found.append(encode(content | {"innovation": each.innovation, "nis": each.nis, "flags": list(flags)}))
    return found


def decode_state(data: bytes, model: Model) -> StateSnapshot:
    """What `encode_state` wrote under the same model.

    Raises:
        IntegrityError: the bytes are not exactly that, or of another model.
    """
    content = decode(data)
    try:
        if content["schema"] != SCHEMA:
            raise ValueError("another schema")
        if content["model"] != _said(model):
            raise IntegrityError("a twin's state is of another model, and cannot be gone on with under this one")
        memory = _filled(model.start(1), content["arrays"])
        at, innovation, nis, flags = (content[name] for name in ("at", "innovation", "nis", "flags"))
        found = StateSnapshot(memory, at, innovation, nis, tuple(flags))
        again = encode_state(model, memory, at=at, innovation=innovation, nis=nis, flags=found.flags)
        if again != data:
            raise ValueError("not canonical")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise IntegrityError(f"a snapshot's content is not a twin's state of the form {SCHEMA}") from error
    return found


def untold(memory: twin.Memory) -> twin.Memory:
    """The memory without readings: neither those that lags are made of, nor the forecasts that wait for theirs. What is
    left of them is what a forecast begins from: the newest value, and its changes over half an hour. A forecast of it
    is the same to the last bit; to be gone on with, a twin needs the whole."""
    origins, times = np.zeros_like(memory.origins), np.full_like(memory.origin_times, past.LONG_AGO)
    origins[:, -1], times[-1] = memory.origins[:, -1], memory.origin_times[-1]
    nothing = past.start(len(memory.at))
    return replace(memory, past=replace(nothing, slow=memory.past.slow), origins=origins, origin_times=times)


def _said(model: Model) -> dict[str, Any]:
    return {"name": model.name, "version": model.version, "digest": model.digest}


def _arrays(part: Any, prefix: str = "") -> Iterator[tuple[str, Array]]:
    for field in fields(part):
        value = getattr(part, field.name)
        if is_dataclass(value):
            yield from _arrays(value, f"{prefix}{field.name}.")
        else:
            yield prefix + field.name, value


def _filled(part: Any, arrays: dict[str, Any], prefix: str = "") -> Any:
    """`part` with each of its arrays from `arrays`; the shapes must be its own."""
    found = {}
    for field in fields(part):
        value, name = getattr(part, field.name), prefix + field.name
        if is_dataclass(value):
            found[field.name] = _filled(value, arrays, name + ".")
            continue
        written = arrays[name]
        if tuple(written["shape"]) != value.shape or len(written["value"]) != 8 * prod(value.shape):
            raise ValueError("an array of another shape")
        found[field.name] = np.frombuffer(written["value"], dtype=">f8").astype(value.dtype).reshape(value.shape)
    return replace(part, **found)
