"""Devices that sign what they measure: what an owner enrols, what goes over the wire, and a sender to port.

`enrolment` is the owner's signed word on a device; `batch` is a gateway's side of the wire; `sender` is a device's, in
one file that needs nothing else of this package. docs/devices.md has the protocol for a second implementation.
"""

from __future__ import annotations
