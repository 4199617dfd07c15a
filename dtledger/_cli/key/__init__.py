"""`key`: who you are on the ledger. No secret is ever an argument; files and questions bring them."""

from __future__ import annotations

from ..command import noun
from .backup import backup
from .list import list_
from .new import new
from .restore import restore
from .show import show
from .use import use

key_command = noun("key", "Keys: who you are on the ledger. `dtledger help keys` says what a key file holds.")
for each in (new, list_, show, use, backup, restore):
    key_command.add_command(each)

__all__ = ["key_command"]
