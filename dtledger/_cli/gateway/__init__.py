"""`gateway`: readings of many devices into snapshots of many twins, and what it carries for others."""

from __future__ import annotations

from ..command import noun
from .serve import serve_
from .status import status
from .token import token
from .unanchored import unanchored

gateway_command = noun("gateway", "A gateway: it takes devices' readings, and carries what others signed.")
for each in (serve_, status, token, unanchored):
    gateway_command.add_command(each)

__all__ = ["gateway_command"]
