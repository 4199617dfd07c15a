"""`model`: who trained what, and under whose consents."""

from __future__ import annotations

from ..command import noun
from .affected import affected
from .commit import commit
from .export import export
from .list import list_
from .open import open_
from .openings import openings
from .register import register
from .remediate import remediate
from .round import round_
from .show import show
from .verify import verify

model_command = noun("model", "Models: rounds, updates and the consents under them. `dtledger help models` explains.")
for each in (register, round_, commit, list_, show, open_, openings, export, verify, affected, remediate):
    model_command.add_command(each)

__all__ = ["model_command"]
