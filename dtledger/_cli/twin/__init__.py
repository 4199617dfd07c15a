"""`twin`: a patient's twin as a whole, from minting it to seeing who looked."""

from __future__ import annotations

from ..command import noun
from .access import access
from .carry import carry
from .emergency import emergency
from .erase import erase
from .export import export
from .forecast import forecast
from .freeze import freeze, rescue, unfreeze
from .guardians import guardians
from .inbox import inbox
from .list import list_
from .mint import mint
from .models import models
from .move import move
from .plot import plot
from .read import read
from .recover import recover
from .rekey import rekey
from .reshare import reshare
from .show import show

_VERBS = (
    mint,
    show,
    list_,
    read,
    plot,
    forecast,
    access,
    inbox,
    models,
    export,
    emergency,
    rekey,
    reshare,
    move,
    carry,
    erase,
)
_GUARDED = (guardians, freeze, unfreeze, recover, rescue)

twin_command = noun("twin", "A patient's digital twin. `dtledger help start` says what comes first.")
for each in (*_VERBS, *_GUARDED):
    twin_command.add_command(each)

__all__ = ["twin_command"]
