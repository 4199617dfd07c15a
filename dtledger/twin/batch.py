"""Twins side by side: a memory of several from memories of one, some out of many, and back; and all their numbers as
one table, a column a twin.

A memory is a dataclass of arrays with the twins along the last axis, and of further ones (`twin.Memory`,
`denoising.Memory`, `filter.State`). No number is changed on the way.

>>> from .prior import NEWBORN
>>> from . import twin
>>> one, two = twin.start(NEWBORN, 1), twin.start(NEWBORN, 2)
>>> three = join([one, two])
>>> three.at.shape, of(three, np.array([2])).state.factor.shape
((3,), (6, 6, 1))
>>> again = unpack(one, pack(three)[:, :2])
>>> bool((again.state.factor == of(three, np.array([0, 1])).state.factor).all())
True
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from .factors import Array

__all__ = ["Twins", "join", "of", "pack", "put", "unpack", "where"]

Twins = npt.NDArray[np.intp]
"""Places of twins in a memory."""

Memory = TypeVar("Memory")


def join(memories: Sequence[Memory]) -> Memory:
    """All of them side by side, in this order."""
    joined: Memory = _each(lambda *arrays: np.concatenate(arrays, axis=-1), *memories)
    return joined


def of(memory: Memory, twins: Twins) -> Memory:
    """Those of some of the twins."""
    some: Memory = _each(lambda array: np.take(array, twins, axis=-1), memory)
    return some


def put(memory: Memory, twins: Twins, some: Memory) -> Memory:
    """All, with `some` in the places of those twins."""

    def with_some(array: Any, new: Any) -> Any:
        changed = array.copy()
        changed[..., twins] = new
        return changed

    changed: Memory = _each(with_some, memory, some)
    return changed


def where(wanted: npt.NDArray[np.bool_], some: Memory, others: Memory) -> Memory:
    """Of the twins that are `wanted` some, of the rest others."""
    chosen: Memory = _each(lambda *arrays: np.where(wanted, *arrays), some, others)
    return chosen


def pack(memory: Any) -> Array:
    """All numbers of each twin: (numbers, twins)."""
    return np.concatenate(_rows(memory))


def unpack(like: Memory, columns: Array) -> Memory:
    """What was packed, where `like` is a memory of one twin of that kind.

    Raises:
        ValueError: there are more numbers or fewer than such a memory has.
    """
    lengths = [len(rows) for rows in _rows(like)]
    if sum(lengths) != len(columns):
        raise ValueError("a memory of another shape")
    parts = iter(np.split(columns, np.cumsum(lengths)[:-1]))
    memory: Memory = _each(
        lambda array: next(parts).reshape(*array.shape[:-1], columns.shape[1]).astype(array.dtype, copy=False), like
    )
    return memory


def _rows(memory: Any) -> list[Array]:
    """Each array as rows of one number."""
    found: list[Array] = []

    def lay(array: Any) -> Any:
        found.append(array.reshape(-1, array.shape[-1]))
        return array

    _each(lay, memory)
    return found


def _each(change: Callable[..., Any], *parts: Any) -> Any:
    first = parts[0]
    if is_dataclass(first) and not isinstance(first, type):
        names = [field.name for field in fields(first)]
        return type(first)(**{name: _each(change, *(getattr(part, name) for part in parts)) for name in names})
    if isinstance(first, tuple):
        return tuple(_each(change, *each) for each in zip(*parts, strict=True))
    return change(*parts)
