"""dtledger: a ledger of consent over medical digital twins.

The SDK in five lines:

    from dtledger import Client
    with Client.open(profile="hospital", key="cardiology") as client:
        readings = client.read(twin=7, category="glucose", purpose="TREAT", since="24h")
        print(readings.age, readings[-1].at, readings[-1].value, readings[-1].unit)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client import Client, Decision, Readings, TwinReading
    from .errors import (
        AccessDeniedError,
        BusyError,
        CannotCheckError,
        ChainMismatchError,
        DtledgerError,
        HeadTooOldError,
        InputError,
        IntegrityError,
        KeyFileError,
        LedgerRejection,
        LimitPassedError,
        UnreachableError,
    )
    from .vocabulary import Action, Kind, Purpose, Reason

__version__ = "0.1.0"

_HOMES = {
    "AccessDeniedError": "errors",
    "Action": "vocabulary",
    "BusyError": "errors",
    "CannotCheckError": "errors",
    "ChainMismatchError": "errors",
    "Client": "client",
    "Decision": "client",
    "DtledgerError": "errors",
    "HeadTooOldError": "errors",
    "InputError": "errors",
    "IntegrityError": "errors",
    "KeyFileError": "errors",
    "LimitPassedError": "errors",
    "Kind": "vocabulary",
    "LedgerRejection": "errors",
    "Purpose": "vocabulary",
    "Readings": "client",
    "Reason": "vocabulary",
    "TwinReading": "client",
    "UnreachableError": "errors",
}

__all__ = [
    "AccessDeniedError",
    "Action",
    "BusyError",
    "CannotCheckError",
    "ChainMismatchError",
    "Client",
    "Decision",
    "DtledgerError",
    "HeadTooOldError",
    "InputError",
    "IntegrityError",
    "KeyFileError",
    "Kind",
    "LedgerRejection",
    "LimitPassedError",
    "Purpose",
    "Readings",
    "Reason",
    "TwinReading",
    "UnreachableError",
]


def __getattr__(name: str) -> Any:
    """Import a public name at its first use, so that `dtledger --help` need not wait for web3."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
