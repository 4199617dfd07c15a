"""A custodian that opened by a block long past is found out, and one whose account makes no sense is at fault."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dtledger.audit.consents import BEHIND, Opened, Snapshot, require_consent
from dtledger.client.keyrings import owner_keys
from dtledger.crypto.bits import BitMap
from dtledger.custody import AccessReceipt
from dtledger.errors import CannotCheckError, IntegrityError
from dtledger.testing import World
from dtledger.types import Period
from dtledger.vocabulary import Action


class Timed:
    """The blocks of a world, by what an audit asks of them: the receipt's, and when it was made."""

    def __init__(self, world: World, receipt: AccessReceipt) -> None:
        self._told = [(each.place.block, each.at) for each in world.ledger.history().logged]
        self.head = SimpleNamespace(number=self._told[-1][0])
        self._receipt = receipt

    def header(self, number: int, reach: int) -> Any:
        at = max(at for block, at in self._told if block <= number)
        return SimpleNamespace(at=at, hash=self._receipt.block_hash)

    def block_at(self, at: int) -> int:
        return max((block for block, made in self._told if made <= at), default=0)


@pytest.fixture
def read(dtledger_world: World) -> tuple[World, AccessReceipt]:
    """What a custodian says of the clinician's read."""
    world = dtledger_world
    world.clinician.read(world.twin, "glucose", "TREAT")
    custodian = next(iter(world.patient.twins.custodians(world.twin)))
    return world, world.patient.twins.told(world.twin, custodian)[1][0]


def said(world: World, receipt: AccessReceipt, opened: Opened | None = None) -> str:
    timed = Timed(world, receipt)
    past = timed.block_at(receipt.at - BEHIND)
    return require_consent(cast(Any, timed), world.ledger.view(), receipt, past, (), None, str, opened)


def shown(world: World) -> tuple[list[Snapshot], BitMap]:
    """What was read, as its stream has it and its owner reveals it."""
    bits = owner_keys(world.patient.context.key.secrets.twin(world.ledger.deployment.id, world.twin)).bits
    every = [each.found for group in world.patient.snapshots.list(world.twin) for each in group]
    return [Snapshot(each.manifest.period, bits.bit_of("glucose")) for each in every], bits


def test_what_was_opened_by_a_block_before_the_revocation_long_after_it_had_no_consent(
    read: tuple[World, AccessReceipt],
) -> None:
    world, receipt = read
    world.patient.consents.revoke(world.consent)
    revoked = world.ledger.history().logged[-1].at
    assert "snapshots to" in said(world, replace(receipt, at=revoked + BEHIND - 1))
    with pytest.raises(IntegrityError, match="REVOKED"):
        said(world, replace(receipt, at=revoked + BEHIND))


def test_what_was_opened_of_another_category_or_period_than_the_grants_had_no_consent(
    read: tuple[World, AccessReceipt],
) -> None:
    world, receipt = read
    snapshots, bits = shown(world)
    assert len(snapshots) == receipt.permitted
    assert "each within its period and categories" in said(world, receipt, Opened(snapshots, 0))
    start = snapshots[0].period.start
    for lie, reason in (
        (replace(snapshots[0], bit=bits.bit_of("sleep")), "CATEGORY"),
        (replace(snapshots[0], period=Period(start - 1, start)), "PERIOD"),
    ):
        with pytest.raises(IntegrityError, match=f"^1 snapshot .*{reason}. So their streams have them") as refused:
            said(world, receipt, Opened([lie, *snapshots[1:]], 0))
        assert refused.value.party == receipt.custodian


def test_what_is_not_shown_is_not_said_to_be_within_the_grant(read: tuple[World, AccessReceipt]) -> None:
    world, receipt = read
    snapshots, _ = shown(world)
    unrevealed = [replace(each, bit=None) for each in snapshots]
    assert "of which category and period is not shown" in said(world, receipt)
    assert "each within its period, 0 shown to be" in said(world, receipt, Opened(unrevealed, 0))
    with pytest.raises(CannotCheckError, match="2 of them are is not at hand"):
        said(world, receipt, Opened(snapshots[2:], 2))
    world.patient.read(world.twin, "glucose", "PATRQT")
    own = world.patient.twins.told(world.twin, receipt.custodian)[1][-1]
    assert "as the owner" in said(world, own, Opened((), 1)), "to whom all is open, whatever it is of"


def test_a_receipt_of_a_request_that_nobody_can_make_is_its_custodians_fault(
    read: tuple[World, AccessReceipt],
) -> None:
    world, receipt = read
    for lie in ({"slot": 9}, {"action": Action.EMERGENCY}, {"at": -1}):
        with pytest.raises(IntegrityError, match="nobody can make") as refused:
            said(world, replace(receipt, **cast(Any, lie)))
        assert refused.value.party == receipt.custodian
    assert "snapshots to" in said(world, receipt)
