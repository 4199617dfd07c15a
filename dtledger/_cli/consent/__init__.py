"""`consent`: what the owner of a twin lets others do with it."""

from __future__ import annotations

from ..command import noun
from .blocking import block, unblock
from .explain import explain
from .grant import grant
from .list import list_
from .renew import renew, reseal
from .request import request
from .respond import respond
from .revoke import revoke
from .revoke_all import revoke_all
from .show import show

consent_command = noun("consent", "Consents: who may do what with a twin. `dtledger help consent` explains.")
for each in (grant, revoke, revoke_all, renew, reseal, block, unblock, list_, show, explain, request, respond):
    consent_command.add_command(each)

__all__ = ["consent_command"]
