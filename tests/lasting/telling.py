"""What was read, seen and found, in plain values that a file can hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dtledger.audit import Claim
from dtledger.client import Client, Readings


def read(readings: Readings) -> list[Any]:
    return [
        [each.at.isoformat(), each.value, each.unit, each.quality, each.snapshot, each.corrected, each.superseded_by]
        for each in readings
    ]


def looked(patient: Client, twin: int, until: int) -> list[Any]:
    """Who looked up to that time, the newest first."""
    looks = patient.twins.who_looked(twin).require_whole().looks
    return [
        [each.at, each.requester, each.grantee, each.action.name, each.purpose.name, each.count, each.opened]
        for each in looks
        if each.at <= until
    ]


def audited(claims: Iterable[Claim]) -> list[Any]:
    return [[each.name, each.about, each.verdict.value] for each in claims]
