"""What was promised of speed, cost and safety, each goal beside the figure that was measured last: the README's table.

A promise names a row of the bench and which of that row's goals it is; goal and figure are the row's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .figures import Missing, Row, quantity, times
from .record import Taken
from .table import table_of, when

_HEAD = ("what", "goal", "figure", "", "measured")


@dataclass(frozen=True, slots=True)
class Promise:
    what: str
    row: str
    goal: int = 0
    """Its place among the row's goals."""


PROMISES = (
    Promise("gas of a grant", "gas-grant"),
    Promise("… of a grant in the place of another", "gas-regrant"),
    Promise("… of a revocation", "gas-revoke"),
    Promise("… of each of 50 grants with shared terms", "gas-grant-many"),
    Promise("… of a grant that somebody else sends", "gas-grant-signed"),
    Promise("… of a patient's first twin", "gas-mint"),
    Promise("… of a twin's first card", "gas-card"),
    Promise("… of that, sent by somebody else", "gas-card-signed"),
    Promise("… of anchoring a batch of any size", "gas-anchor"),
    Promise("… of a site's update of a model", "gas-update"),
    Promise("… of a site's first", "gas-update-first"),
    Promise("calldata of a model's update, without its selector", "bytes-update"),
    Promise("an authorised read of 1 MiB from kubo, 2 of 3 custodians over HTTP, p50", "read-1mib-kubo"),
    Promise("… beside a read of the same bytes under one key", "read-1mib-kubo", 1),
    Promise("… of a fortnight of hourly glucose, p50", "read-fortnight-kubo"),
    Promise("… of a year of it", "year-kubo"),
    Promise("memory of that, beside half a year's", "year-memory"),
    Promise("access decisions of one custodian, on one core", "decisions"),
    Promise("from a revocation's receipt to the first denial", "revocation"),
    Promise("permits after a revocation, in 100,000 racing reads", "race-long"),
    Promise("readings through a gateway, a second of one core", "ingest"),
    Promise("consent changes of distinct patients that a gateway carries", "relay"),
    Promise("age of a twin's data, p99, in hourly batches", "age"),
    Promise("key derivation and encryption of 1 MiB", "encrypt-small"),
    Promise("… of 16 MiB", "encrypt-large"),
    Promise("a federated round with provenance", "federated-round"),
    Promise("offline verification of 1,000 claims of every kind", "audit-file"),
)


def reached(record: Mapping[str, Taken]) -> str:
    """The table, in Markdown, under a sentence that counts."""
    told = [_told(each, record.get(each.row)) for each in PROMISES]
    counts = {word: sum(verdict == word for _, _, _, verdict, _ in told) for word in ("met", "**MISSED**")}
    rest = len(told) - sum(counts.values())
    met, missed = (f"{count} {'is' if count == 1 else 'are'}" for count in counts.values())
    said = f"Of {len(told)} goals {met} met and {missed} missed"
    return said + (f"; {rest} not measured" if rest else "") + ".\n\n" + table_of(_HEAD, told)


def _told(promise: Promise, taken: Taken | None) -> tuple[str, str, str, str, str]:
    if taken is None or isinstance(taken.row, Missing):
        return (promise.what, "", "not measured", "", "")
    row = taken.row
    goal = row.goals[promise.goal]
    verdict = "met" if goal.reached_by(row) else "**MISSED**"
    return (promise.what, goal.text, _figure(row, goal.of), verdict, when(taken))


def _figure(row: Row, of: str) -> str:
    """The row's figure; where its goal is a ratio, that."""
    ratios = [times(row.ratio(each)) for each in row.rivals if each.name == of]
    return ratios[0] if ratios else quantity(row.figure, row.unit)
