"""`audit`: named claims, one verdict each."""

from __future__ import annotations

from ..command import noun
from .bundle import export, verify
from .model import model
from .report import report
from .twin import snapshot, twin

audit_command = noun("audit", "Audits: each claim passes, fails or cannot be checked. `dtledger help audit` explains.")
for each in (twin, snapshot, model, report, export, verify):
    audit_command.add_command(each)

__all__ = ["audit_command"]
