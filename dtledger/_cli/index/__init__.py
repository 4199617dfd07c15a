"""`index`: what this machine has read of the ledger, so that each block is read once."""

from __future__ import annotations

from ..command import noun
from .carried import carried
from .rebuild import rebuild
from .status import status
from .verify import verify

index_command = noun("index", "What this machine has read of the ledger. It can be thrown away and made anew.")
for each in (status, rebuild, verify, carried):
    index_command.add_command(each)

__all__ = ["index_command"]
