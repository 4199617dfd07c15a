"""`audit`: named claims, one verdict each."""

from __future__ import annotations

from ..command import noun
from .model import model
from .report import report

audit_command = noun("audit", "Audits: each claim passes, fails or cannot be checked. `dtledger help audit` explains.")
audit_command.add_command(model)
audit_command.add_command(report)

__all__ = ["audit_command"]
