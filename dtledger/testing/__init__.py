"""Everything that an app's tests need, with no chain, no network and no file.

A `World` is a patient with a twin, a clinician who may read it, a gateway that wrote it, and three custodians. Nothing
in it is pretended but the chain and the store: keys, signatures, seals, shares and the rule are the real ones.

>>> from dtledger.errors import AccessDeniedError
>>> from dtledger.testing import World
>>> with World() as world:
...     readings = world.clinician.read(world.twin, "glucose", "TREAT", since="24h")
...     print(readings.age, readings[-1].at, readings[-1].value, readings[-1].unit)
...     _ = world.patient.consents.revoke(world.consent)
...     try:
...         world.clinician.read(world.twin, "glucose", "TREAT")
...     except AccessDeniedError as error:
...         print(error.reason.name)
60 2026-01-01 11:59:00+00:00 7.8 mmol/L
REVOKED

With pytest, the fixture `dtledger_world` is one. Time moves by `world.clock.advance(seconds)`; custodians, ledger and
store fail to order (see `World`).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .clock import Clock
    from .custodians import Fault, WorldCustodian
    from .memory_chain import MemoryChain
    from .memory_key import MemoryKey
    from .memory_ledger import MemoryLedger
    from .memory_store import MemoryStore
    from .world import NextDeployment, World

__all__ = [
    "Clock",
    "Fault",
    "MemoryChain",
    "MemoryKey",
    "MemoryLedger",
    "MemoryStore",
    "NextDeployment",
    "World",
    "WorldCustodian",
]

_HOMES = {
    "Clock": "clock",
    "Fault": "custodians",
    "MemoryChain": "memory_chain",
    "MemoryKey": "memory_key",
    "MemoryLedger": "memory_ledger",
    "MemoryStore": "memory_store",
    "NextDeployment": "world",
    "World": "world",
    "WorldCustodian": "custodians",
}


def __getattr__(name: str) -> Any:
    """Names are imported when they are asked for: the pytest plugin lies in this package, and every run loads it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
