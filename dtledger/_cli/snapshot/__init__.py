"""`snapshot`: the encrypted refreshes of a twin: writing them, looking at them, correcting and checking them."""

from __future__ import annotations

from ..command import noun
from .adopt import adopt
from .amend import amend
from .list import list_
from .put import put
from .show import show
from .verify import verify

snapshot_command = noun("snapshot", "Snapshots: what is written to a twin, encrypted and anchored, one an hour.")
for each in (put, list_, show, amend, adopt, verify):
    snapshot_command.add_command(each)

__all__ = ["snapshot_command"]
