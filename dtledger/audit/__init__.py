"""Audit: named claims about what the ledger and the store show, one verdict each, with its evidence.

A claim passes, fails, or cannot be checked because its evidence is not to be had; the last is never a pass. Nothing is
believed that is not recomputed. `ModelAudit` looks at a view of a ledger that somebody trusts; `Audit` trusts nothing
but the hash of one block, and finds the same from a node as from a file (`Bundle`); `ReleaseAudit` asks not even a
ledger.

What an auditor reads to trust it: `proofs` and `chain` (what one hash proves), `known`, `counted` and `standing` (that
no event is left out), `twin`, `snapshot`, `model` and `facts` (the claims).
"""

from __future__ import annotations

from .answer import Asked, Audit, export, verify
from .bundle import Bundle
from .claims import Claim, Verdict, exit_code
from .given import Denied, Given, Named, Question, Receipts
from .model import ModelAudit
from .release import ReleaseAudit

__all__ = [
    "Asked",
    "Audit",
    "Bundle",
    "Claim",
    "Denied",
    "Given",
    "ModelAudit",
    "Named",
    "Question",
    "Receipts",
    "ReleaseAudit",
    "Verdict",
    "exit_code",
    "export",
    "verify",
]
