"""`device`: devices that sign what they measure, as their twin's owner and as the device itself."""

from __future__ import annotations

from ..command import noun
from .enrol import enrol
from .list import list_
from .send import send
from .suspend import suspend

device_command = noun("device", "Devices that sign what they measure: bound to a twin by its owner, and a sender.")
for each in (enrol, send, list_, suspend):
    device_command.add_command(each)

__all__ = ["device_command"]
