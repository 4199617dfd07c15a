"""What a `twin-state` snapshot holds: all that a forecast needs, to the last bit.

Canonical DAG-CBOR, as every block. `model` is the prior's name, version and digest: numbers go on meaning the same only
under the same prior. `arrays` has each array of the twin's memory under its name (`state.mean`, `state.factor`, the
covariance's root, `state` rows 4 and 5 the gains, `day.sums`, `on_board`, `personal.terms`, …) as its shape and bytes,
eight for each number: IEEE 754 binary64, big-endian. `innovation`, `nis` and `flags` are of the newest reading.

>>> from .prior import NEWBORN
>>> from . import twin
>>> memory = twin.expect(NEWBORN, twin.start(NEWBORN, 1), np.zeros(1)).take(np.array([150.0])).memory
>>> found = decode_state(encode_state(NEWBORN, memory, innovation=10.0, nis=0.03, flags=["unverified"]), NEWBORN)
>>> bool((found.memory.state.factor == memory.state.factor).all()), found.flags
(True, ('unverified',))
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from math import prod
from typing import Any

import numpy as np

from ..encoding import decode, encode, sha256
from ..errors import IntegrityError
from . import twin
from .factors import Array
from .prior import Prior
from .twin import Memory

__all__ = ["SCHEMA", "StateSnapshot", "decode_state", "encode_state"]

SCHEMA = "dtledger/twin-state/1"
MOST_FLAGS = 32
LONGEST_FLAG = 64


@dataclass(frozen=True, slots=True)
class StateSnapshot:
    """One twin's memory, and how its newest reading lay: `innovation` in mg/dL, None where there was none."""

    memory: Memory
    innovation: float | None
    nis: float | None
    flags: tuple[str, ...]


def encode_state(
    prior: Prior,
    memory: Memory,
    *,
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
    if len(flags) > MOST_FLAGS or not all(each.isprintable() and 0 < len(each) <= LONGEST_FLAG for each in flags):
        raise ValueError(f"at most {MOST_FLAGS} flags, each of at most {LONGEST_FLAG} characters")
    arrays = {
        name: {"shape": list(array.shape), "value": array.astype(">f8").tobytes()} for name, array in _arrays(memory)
    }
    content = {"schema": SCHEMA, "model": _model(prior), "arrays": arrays}
    return encode(content | {"innovation": innovation, "nis": nis, "flags": list(flags)})


def decode_state(data: bytes, prior: Prior) -> StateSnapshot:
    """What `encode_state` wrote under the same prior.

    Raises:
        IntegrityError: the bytes are not exactly that, or of another model.
    """
    content = decode(data)
    try:
        if content["schema"] != SCHEMA:
            raise ValueError("another schema")
        if content["model"] != _model(prior):
            raise IntegrityError("a twin's state is of another model, and cannot be gone on with under this one")
        memory = _filled(twin.start(prior, 1), content["arrays"])
        found = StateSnapshot(memory, content["innovation"], content["nis"], tuple(content["flags"]))
        again = encode_state(prior, memory, innovation=found.innovation, nis=found.nis, flags=found.flags)
        if again != data:
            raise ValueError("not canonical")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise IntegrityError(f"a snapshot's content is not a twin's state of the form {SCHEMA}") from error
    return found


def _model(prior: Prior) -> dict[str, Any]:
    return {"name": prior.name, "version": prior.version, "digest": sha256(prior.write().encode())}


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
        found[field.name] = np.frombuffer(written["value"], dtype=">f8").astype(np.float64).reshape(value.shape)
    return replace(part, **found)
