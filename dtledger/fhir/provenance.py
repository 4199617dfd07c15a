"""Provenance of snapshots and of models: what the ledger says of where something comes from.

Sources: FHIR R4 4.0.1, Provenance.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..ledger import Aggregate, Model, Round, Update
from ..types import Address, Digest, Period
from .codes import PARTICIPATION, URI, concept
from .names import Names

_LIFECYCLE = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
_AGENT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


@dataclass(frozen=True, slots=True)
class Anchored:
    """A snapshot as the ledger has it. `by_owner` says whether its writer owned the twin, `at` is when it was anchored
    (unix seconds), `corrects` the digest of the one that it corrects."""

    digest: Digest
    twin: int
    category: str | None
    period: Period
    writer: Address
    by_owner: bool
    at: int
    block: int
    corrects: Digest | None = None


def of_snapshot(found: Anchored, names: Names) -> dict[str, Any]:
    """Who wrote a snapshot, of which minutes, when it was anchored, and what it corrects."""
    entities = [_entity("revision", names.snapshot(found.corrects.hex()))] if found.corrects else []
    return {
        "resourceType": "Provenance",
        "id": f"snapshot-{found.digest.hex()[:40]}",
        "target": [
            names.identified(
                "List", names.snapshot(found.digest.hex()), f"{found.category or 'data'} of twin {found.twin}"
            )
        ],
        "occurredPeriod": {"start": _time(found.period.start * 60), "end": _time(found.period.end * 60 + 59)},
        "recorded": _time(found.at),
        "policy": [names.urn("block", found.block)],
        "activity": concept(_LIFECYCLE, "UPDATE" if found.corrects else "CREATE"),
        "agent": [
            {
                "type": concept(_AGENT, "author", "Author"),
                "who": names.owner(found.writer) if found.by_owner else names.reference("Device", found.writer),
            }
        ],
        **({"entity": entities} if entities else {}),
    }


def of_round(
    model: Model, name: str, number: Round, updates: Iterable[Update], made: Aggregate | None, names: Names
) -> dict[str, Any]:
    """What a round of a model was made of: the aggregate before, and each site's update."""
    updates = list(updates)
    target = names.urn("model", model.number, "round", number.number)
    agents = [{"type": concept(PARTICIPATION, "CST"), "who": names.reference("Organization", model.coordinator)}]
    agents += [
        {"type": concept(_AGENT, "author", "Author"), "who": names.reference("Organization", each.site)}
        for each in updates
    ]
    entities = [_entity("derivation", f"urn:dtledger:aggregate:{number.parent.hex()}")]
    entities += [_entity("source", f"urn:dtledger:update:{each.update.hex()}") for each in updates]
    return {
        "resourceType": "Provenance",
        "id": f"model-{model.number}-round-{number.number}",
        "target": [names.identified("Basic", target, f"{name}, round {number.number}")],
        "occurredPeriod": {"start": _time(number.at), **({"end": _time(made.at)} if made else {})},
        "recorded": _time(made.at if made else number.at),
        "activity": concept(_LIFECYCLE, "CREATE"),
        "agent": agents,
        "entity": entities,
    }


def _entity(role: str, uri: str) -> dict[str, Any]:
    return {"role": role, "what": {"identifier": {"system": URI, "value": uri}}}


def _time(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
