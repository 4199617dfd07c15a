"""Streams of an owner's that no honest client writes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dtledger.client.keyrings import owner_keys
from dtledger.encoding import sha256
from dtledger.ledger import calls
from dtledger.readings import Reading, encode_readings
from dtledger.snapshots.staging import Staging
from dtledger.snapshots.writer import Draft, StreamHead, Target, seal_batch
from dtledger.types import ZERO_DIGEST, Digest, Period
from tests.cli.twins import Twin

if TYPE_CHECKING:
    from tests.cli.conftest import DevnetHome


def forge(
    home: DevnetHome,
    twin: Twin,
    *,
    owner: str = "patient",
    places: int = 1,
    torn: bool = False,
    anchor: bool = True,
    beside: bool = False,
) -> Digest:
    """Anchor a stream of the owner's that begins anew, past the journal; if `torn`, its second snapshot names another
    one as the one before it; if `beside`, it says that it goes on from nothing. Returns the last manifest's digest."""
    minute = twin.readings[0].minute if twin.readings else int(datetime.now(UTC).timestamp()) // 60
    with home.client(owner) as client:
        context = client.context
        keys = owner_keys(context.key.secrets.twin(context.deployment.id, twin.number))
        target = Target(twin.number, keys, client.twins.roster(twin.number))
        label = keys.label("glucose", client.address)
        blocks = Staging(context.store)
        content = encode_readings("glucose", [Reading(minute * 60, 5.0, "mmol/L")])
        drafts = [(target, Draft("glucose", Period(minute, minute), content))] * places
        newest = context.view().newest_batch(client.address)
        covers = newest.after if newest and not beside else ZERO_DIGEST
        if torn:
            first = seal_batch(context.deployment, blocks, context.key, None, covers, {}, drafts[:1])
            head = replace(first.heads[label], leaf=Digest(bytes(31) + b"\1"))
            client.context.ledger.send(calls.anchor_batch(first.root, 1, first.index.digest), context.key)
            covers = sha256(covers + first.root)
            sealed = seal_batch(context.deployment, blocks, context.key, first.index, covers, {label: head}, drafts[1:])
        else:
            sealed = seal_batch(context.deployment, blocks, context.key, None, covers, {label: StreamHead()}, drafts)
        blocks.flush()
        if anchor:
            count = len(sealed.written)
            client.context.ledger.send(calls.anchor_batch(sealed.root, count, sealed.index.digest), context.key)
    return sealed.written[-1].manifest.digest
