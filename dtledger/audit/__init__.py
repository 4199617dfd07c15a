"""Audit: named claims about what the ledger and the store show, one verdict each, with its evidence.

A claim passes, fails, or cannot be checked because its evidence is not to be had; the last is never a pass. Nothing is
believed that is not recomputed, and nobody is asked but a ledger and a store; of a release not even they.
"""

from __future__ import annotations

from .claims import Claim, Verdict, exit_code
from .model import ModelAudit
from .release import ReleaseAudit

__all__ = ["Claim", "ModelAudit", "ReleaseAudit", "Verdict", "exit_code"]
