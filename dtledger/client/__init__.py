"""The SDK: one object for a patient, a clinician's app, a gateway or an operator, whoever holds the key."""

from __future__ import annotations

from .consents import Consents, Terms, writing_terms
from .context import Context, Identity
from .core import Client
from .keyrings import publish_keyring
from .members import Members, card_check, make_card
from .reading import Decision, Reader, Readings, TwinReading
from .twins import MintRequest, Twins
from .writing import PutResult, Writer

__all__ = [
    "Client",
    "Consents",
    "Context",
    "Decision",
    "Identity",
    "Members",
    "MintRequest",
    "PutResult",
    "Reader",
    "Readings",
    "Terms",
    "TwinReading",
    "Twins",
    "Writer",
    "card_check",
    "make_card",
    "publish_keyring",
    "writing_terms",
]
