"""`member`: who takes part. One file a verb."""

from __future__ import annotations

from ..command import noun
from .agree import agree
from .card import card
from .enrol import enrol
from .find import find
from .keyring import keyring
from .kinds import kinds
from .list import list_
from .reinstate import reinstate
from .rekey import rekey
from .show import show
from .suspend import suspend
from .update import update

member_command = noun("member", "Who takes part. `dtledger help who` says how a member comes to be one.")
for each in (card, agree, enrol, update, find, show, list_, kinds, suspend, reinstate, rekey, keyring):
    member_command.add_command(each)

__all__ = ["member_command"]
