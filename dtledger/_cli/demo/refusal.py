"""A client that does not ask the rule itself: it goes to the custodians with the package and blocks that it has."""

from __future__ import annotations

from ...client import Client
from ...client.keyrings import granted_keys
from ...ledger import GrantRecord
from ...snapshots.finder import Finder
from ...snapshots.opening import Asking, open_snapshots
from ...vocabulary import Action, Purpose


def ask_custodians(client: Client, twin: int, record: GrantRecord) -> list[str]:
    """Each custodian's answer to a request for one snapshot under a grant that was revoked."""
    context = client.context
    keys = granted_keys(context, record)
    finder = Finder(context.deployment, context.view(), context.store, twin, keys)
    found = next(finder.find("glucose"))[-1:]
    asking = Asking(context.key, record.slot.grantee, record.slot.number, Action.READ, Purpose.TREAT, context.clock())
    opened = open_snapshots(context.deployment, context.custodians, asking, found, keys, "glucose")
    assert not opened.plaintexts, "a revoked grant opened a snapshot"
    return [each.refused[0][1].name for each in opened.receipts]
