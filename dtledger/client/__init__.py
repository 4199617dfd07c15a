"""The SDK: one object for a patient, a clinician's app, a gateway or an operator, whoever holds the key."""

from __future__ import annotations

from ..models.card import ModelCard
from ..models.update import digest_of
from .access import Access, Look
from .asks import Ask, ConsentAnswer, ConsentRequest, RequestState
from .consents import Consents, RevokedAll
from .context import Context, Identity
from .core import Client
from .deciding import Decision, Question
from .emergencies import Emergencies, ReviewState, Told, sleeping_terms
from .erasing import Erasing, Erasure, RosterErased
from .following import Refresh
from .forecasting import Ahead, Forecasts, Interval, TwinForecast
from .guardian_acts import GuardianAct
from .guardian_shares import Guardian, GuardianKeys, GuardianShare
from .guardians import BroughtBack, TwinGuardians
from .handover import Acceptance, Handover
from .inbox import Inbox, Item, ItemKind
from .keyrings import publish_keyring
from .members import Members, card_check, make_card
from .models import Models
from .post import Delivery
from .reading import Reader
from .readings import Amendment, Readings, TwinReading
from .recovery import RecoveryState
from .regaining import Recovered
from .rekeying import Rekeyed
from .requests import Requests, Response
from .resharing import Reshared, ResharePlan, Resharing
from .revoking import Fetched, RevocationReceipt, Revoking
from .snapshots import Listed, Snapshots, StreamReport
from .succession import Luggage, Stays, Succession
from .terms import GrantState, Terms, writing_terms
from .training import Plan, Training, trained_categories
from .twins import MintRequest, Twins
from .uses import NamedModel, Use, Uses
from .writing import PutResult, Writer

__all__ = [
    "Acceptance",
    "Access",
    "Ahead",
    "Amendment",
    "Ask",
    "BroughtBack",
    "Client",
    "ConsentAnswer",
    "ConsentRequest",
    "Consents",
    "Context",
    "Decision",
    "Delivery",
    "Emergencies",
    "Erasing",
    "Erasure",
    "Fetched",
    "Forecasts",
    "GrantState",
    "Guardian",
    "GuardianAct",
    "GuardianKeys",
    "GuardianShare",
    "Handover",
    "Identity",
    "Inbox",
    "Interval",
    "Item",
    "ItemKind",
    "Listed",
    "Look",
    "Luggage",
    "Members",
    "MintRequest",
    "ModelCard",
    "Models",
    "NamedModel",
    "Plan",
    "PutResult",
    "Question",
    "Reader",
    "Readings",
    "Recovered",
    "RecoveryState",
    "Refresh",
    "Rekeyed",
    "RequestState",
    "Requests",
    "ResharePlan",
    "Reshared",
    "Resharing",
    "Response",
    "ReviewState",
    "RevocationReceipt",
    "RevokedAll",
    "Revoking",
    "RosterErased",
    "Snapshots",
    "Stays",
    "StreamReport",
    "Succession",
    "Terms",
    "Told",
    "Training",
    "TwinForecast",
    "TwinGuardians",
    "TwinReading",
    "Twins",
    "Use",
    "Uses",
    "Writer",
    "card_check",
    "digest_of",
    "make_card",
    "publish_keyring",
    "sleeping_terms",
    "trained_categories",
    "writing_terms",
]
