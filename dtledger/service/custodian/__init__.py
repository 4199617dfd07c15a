"""A custodian as a service: `dtledger custodian serve`."""

from __future__ import annotations
