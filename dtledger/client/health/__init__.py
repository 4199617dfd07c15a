"""Whether a profile has all that it needs: each part looked at, what was found, and what to mend.

Nothing is changed, but for one block that is put into the store and removed again. A part that needs another which
failed is skipped and says so.

>>> Check("node", State.FAILED, "it does not answer", "Start it.", 6).state.value
'failed'
"""

from __future__ import annotations

from .check import Check, State, exit_code
from .doctor import Doctor

__all__ = ["Check", "Doctor", "State", "exit_code"]
