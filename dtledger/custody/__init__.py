"""What a custodian is to a client: it gives a key for a twin to the twin's owner, opens shares under consent, and keeps
letters between owners and those who ask for consent.

Two speak it: `dtledger.custodian.Custodian` in the process, and `dtledger._backend.http_custodian` over HTTP. Clients
bring each custodian its own sealed shares; custodians fetch nothing.
"""

from __future__ import annotations

from .destruction import Destruction
from .identity import CustodianIdentity
from .letters import KEPT_SECONDS, MOST_REQUESTS, Letter, LetterKind, refusal
from .port import CustodianPort, LettersRequest, OwnerRequest, ReadRequest, Release, TwinKey, is_distant
from .probe import Probe, ProbeReply
from .receipt_map import ReceiptMap, ReceiptProof
from .receipts import NOTHING_BEFORE, AccessReceipt
from .recovery import GUARDIAN_CONTEXT, RecoveryHeader, ShareKind
from .retiring import RetireOrder
from .shares import (
    RELEASE_CONTEXT,
    SHARE_CONTEXT,
    SNAPSHOT,
    SealedShare,
    ShareHeader,
    decode_release,
    encode_release,
)

__all__ = [
    "GUARDIAN_CONTEXT",
    "KEPT_SECONDS",
    "MOST_REQUESTS",
    "NOTHING_BEFORE",
    "RELEASE_CONTEXT",
    "SHARE_CONTEXT",
    "SNAPSHOT",
    "AccessReceipt",
    "CustodianIdentity",
    "CustodianPort",
    "Destruction",
    "Letter",
    "LetterKind",
    "LettersRequest",
    "OwnerRequest",
    "Probe",
    "ProbeReply",
    "ReadRequest",
    "ReceiptMap",
    "ReceiptProof",
    "RecoveryHeader",
    "Release",
    "RetireOrder",
    "SealedShare",
    "ShareHeader",
    "ShareKind",
    "TwinKey",
    "decode_release",
    "encode_release",
    "is_distant",
    "refusal",
]
