"""`emergency`: breaking the glass. Owners say who may: `twin emergency`."""

from __future__ import annotations

from ..command import noun
from .list import list_
from .open import open_
from .review import review

emergency_command = noun("emergency", "Emergencies: open a grant that sleeps, and look at it afterwards.")
for each in (open_, list_, review):
    emergency_command.add_command(each)

__all__ = ["emergency_command"]
