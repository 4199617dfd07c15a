"""Tests of `tests/client`, taken as they are to run on five validators: all of a module but those that are left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import pytest

TIME = "nobody moves the validators' time, and it waits for hours or days"
ALL = "it asks for all that the ledger has, and other tests are on this one"
CLIENT = "it asks neither ledger nor custodians: the client refuses, or answers, by itself"
STILL = "it wants a clock that stands still"
FAULT = "it breaks custodians or blocks in memory: what breaks here is in test_services and test_validators"


def taken(module: ModuleType, left_out: Mapping[str, str], fixtures: tuple[str, ...] = ()) -> dict[str, Any]:
    """The module's tests and its `fixtures`, by name; those of `left_out` (a test, or Class.test) are skipped, each for
    the reason that stands there.

    Raises:
        LookupError: `left_out` names a test that the module does not have.
    """
    found = {name: each for name, each in vars(module).items() if name.startswith(("test_", "Test"))}
    for name, reason in left_out.items():
        outer, _, inner = name.partition(".")
        if inner:
            where = found[outer]
            if not hasattr(where, inner):
                raise LookupError(f"{module.__name__} has no {name}")
            found[outer] = type(outer, (where,), {inner: _skipped(reason, method=True), "__module__": where.__module__})
        else:
            if name not in found:
                raise LookupError(f"{module.__name__} has no {name}")
            found[name] = _skipped(reason)
    return {**found, **{name: getattr(module, name) for name in fixtures}}


def _skipped(reason: str, *, method: bool = False) -> Callable[..., None]:
    """In the place of a test."""

    def skip() -> None:
        pytest.skip(reason)

    def skip_method(self: object) -> None:
        pytest.skip(reason)

    return skip_method if method else skip
