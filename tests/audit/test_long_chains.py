"""A chain of 25,000 blocks is looked at where something happened: what storage counts shows that nothing is missing.

Each event that an index keeps to itself is missed; the same index without that fault leaves one claim open.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from dtledger._backend.anvil import Anvil
from dtledger._backend.hints import Hints
from dtledger._backend.node import connect
from dtledger._backend.proof_source import NodeSource
from dtledger.audit import Asked, Audit, Claim, Denied, Question, Verdict, exit_code, export
from dtledger.audit.source import Source
from dtledger.ledger import calls, messages
from dtledger.ledger.events import (
    BatchAnchored,
    CardSet,
    Granted,
    KindsSet,
    Logged,
    Remembered,
    Revoked,
)
from dtledger.ledger.records import Anchored
from dtledger.ledger.signed import SignedRevoke
from dtledger.types import Address, Digest
from dtledger.vocabulary import Kind
from tests.audit.attacks import Lying
from tests.audit.chain_world import ChainWorld, from_file
from tests.audit.test_bundles import _Pruned

pytestmark = [pytest.mark.anvil, pytest.mark.slow]

LONG = 25_000
SURE = {"others": Verdict.CANNOT_CHECK}
"""What is never known of a chain that is looked at in part."""


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChainWorld]:
    """A twin that is read, then 25,000 blocks of nothing, then its life goes on and ends with a revocation."""
    folder = tmp_path_factory.mktemp("audit")
    with Anvil(folder / "anvil", state_interval=3600) as anvil, ChainWorld(anvil, folder, hours=2) as world:
        world.clinician.read(world.twin, "glucose", "TREAT")
        world.remember()
        world.grow(LONG)
        kinds = Kind.CLINICIAN.mask
        for each in (kinds | Kind.RESEARCHER.mask, kinds):
            world.ledger.send(calls.set_kinds(world.clinician.address, each), world.operator.context.key)
        card = world.ledger.view().card(world.twin)
        assert card is not None
        world.patient.twins.change_card(world.twin, card)
        world.clinician.read(world.twin, "glucose", "TREAT")
        world.anchor_receipts()
        world.patient.consents.revoke(world.consent)
        world.remember()
        world.grow(300)
        yield world


@pytest.fixture
def world(grown: ChainWorld) -> Iterator[ChainWorld]:
    """What a test does to the chain is undone."""
    mark = grown.anvil.rpc("evm_snapshot")
    yield grown
    grown.anvil.rpc("evm_revert", mark)


def asked(world: ChainWorld, **fields: Any) -> Asked:
    head = world.ledger.head()
    denied = Denied(world.clinician.address, head.number)
    return world.asked(question=Question(twin=world.twin, denied=(denied,)), pinned=head.hash, **fields)


def telling(world: ChainWorld, keep: Callable[[Logged], bool]) -> NodeSource:
    """The node, and an index that keeps some events to itself."""
    told = [each for each in world.ledger.history().logged if keep(each)]
    return NodeSource(connect(world.anvil.url), hints=Hints(world.deployment, told))


def audited(world: ChainWorld, source: Source | None = None) -> list[Claim]:
    """The claims, of the node and of a file alike."""
    bundle, claims = export(asked(world), source or world.source(), world.store)
    assert from_file(bundle, asked(world))[:-1] == claims
    return claims


def verdicts(claims: Sequence[Claim]) -> dict[str, Verdict]:
    """The worst verdict on each kind of claim that does not pass."""
    order = [Verdict.FAIL, Verdict.CANNOT_CHECK]
    return {each.name: each.verdict for verdict in reversed(order) for each in claims if each.verdict is verdict}


def test_a_long_chain_is_audited_but_for_whom_nobody_names(world: ChainWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    assert world.ledger.head().number > LONG
    bundle, claims = export(asked(world), world.source(), world.store)
    assert verdicts(claims) == SURE
    every = "chain code denied events owner card state others roster index stream writer category"
    assert {each.name for each in claims} == {*every.split(), "receipts", "digests", "consent", "blocks"}
    assert exit_code(claims) == 6
    assert len(bundle.headers) < 400, "the lines to what happened, and none between"
    monkeypatch.setattr(socket, "socket", None)
    assert from_file(bundle, asked(world))[:-1] == claims


HIDDEN: dict[str, tuple[Callable[[Logged], bool], str]] = {
    "a revocation": (lambda each: isinstance(each.event, Revoked), "another grant"),
    "a card": (lambda each: isinstance(each.event, CardSet), "card of twin"),
    "what a registrar did to a member": (lambda each: isinstance(each.event, KindsSet), "changes of the member"),
    "a batch": (lambda each: isinstance(each.event, BatchAnchored), "another digest of the batches"),
}
"""What an index keeps to itself, the first of its kind that it could, and what tells."""


@pytest.mark.parametrize("what", HIDDEN)
def test_an_event_that_is_kept_back_is_missed(world: ChainWorld, what: str) -> None:
    matches, says = HIDDEN[what]
    logged = world.ledger.history().logged
    hidden = next(each for each in logged if matches(each) and each.place.block > 30)
    found = audited(world, telling(world, lambda each: each.place.block != hidden.place.block))
    assert verdicts(found)["events"] is Verdict.FAIL
    assert says in next(each.evidence for each in found if each.name == "events")
    assert verdicts(audited(world, telling(world, lambda each: True))) == SURE


def test_a_grant_that_is_kept_back_before_its_revocation_leaves_what_was_read_under_it_open(world: ChainWorld) -> None:
    """A revocation may skip numbers, and nobody sees that this one did not."""
    who = world.clinician.address
    found = audited(world, telling(world, lambda each: not (isinstance(each.event, Granted) and _is_to(each, who))))
    assert verdicts(found) == {**SURE, "consent": Verdict.CANNOT_CHECK}


def test_whom_nothing_names_is_not_missed_and_a_claim_says_so(world: ChainWorld) -> None:
    """An index keeps the gateway's grant to itself: its snapshots are not looked at, and no verdict says they were."""
    found = audited(world, telling(world, lambda each: not _is_to(each, world.gateway.address)))
    assert verdicts(found) == {**SURE, "consent": Verdict.CANNOT_CHECK}, "what was opened stands in no stream at hand"
    assert not {"index", "stream", "writer"} & {each.name for each in found}
    assert {"index", "stream", "writer"} <= {each.name for each in audited(world)}


def _is_to(logged: Logged, who: Address) -> bool:
    return getattr(logged.event, "grantee", None) == who


def test_a_batch_that_is_told_otherwise_is_missed(world: ChainWorld) -> None:
    """Its time, its index, its order: the digest is over all of it."""
    source = world.source()

    def changed(change: Callable[[list[Anchored]], list[Anchored]]) -> Source:
        return Lying(source, anchored=lambda sender: change(list(source.anchored(sender))))  # type: ignore[return-value]

    for lie in (
        lambda told: [replace(each, at=each.at - 60) for each in told],
        lambda told: [replace(each, index=Digest(b"\7" * 32)) for each in told],
        lambda told: [*told, *told[:1]],
    ):
        assert verdicts(audited(world, changed(lie)))["events"] is Verdict.FAIL
    assert verdicts(audited(world, changed(lambda told: told))) == SURE


def test_what_nothing_leads_to_cannot_be_checked(world: ChainWorld) -> None:
    """Of the beginning no block is remembered: its events cannot be shown."""
    first = min(each.event.number for each in world.ledger.history().logged if isinstance(each.event, Remembered))
    assert first < LONG
    found = audited(world, telling(world, lambda each: not isinstance(each.event, Remembered)))
    assert verdicts(found)["events"] is Verdict.CANNOT_CHECK
    assert "Nothing leads" in next(each.evidence for each in found if each.name == "events")


def test_a_block_that_is_said_to_be_remembered_and_is_not_leads_nowhere(world: ChainWorld) -> None:
    source = world.source()
    for lie, verdict in ((lambda number: number, Verdict.FAIL), (lambda number: None, Verdict.CANNOT_CHECK)):
        found = audited(world, Lying(source, remembered=lie))  # type: ignore[arg-type]
        assert verdicts(found)["events"] is verdict
    assert verdicts(audited(world, Lying(source, remembered=source.remembered))) == SURE  # type: ignore[arg-type]


def revoked(world: ChainWorld, above: int) -> int:
    """The block of a signed revocation that names a number so far above the slot's."""
    slot = world.consent
    present = world.ledger.view().record(slot)
    assert present is not None
    named, soon = present.grant.revision + above, world.ledger.head().at + 600
    message = SignedRevoke(slot.owner, slot.twin, slot.grantee, slot.number, named, soon)
    signature = world.patient.context.key.sign_digest(messages.revoke(world.deployment, message))
    call = calls.revoke_signed(message, slot.owner, signature)
    return world.ledger.send(call, world.operator.context.key).block


@pytest.mark.parametrize("above", [0, 9])
def test_what_a_denial_skipped_is_not_judged(world: ChainWorld, above: int) -> None:
    """Something may have been granted and ended there; without a skip that somebody had no permit is shown."""
    block = revoked(world, above) - 100
    world.remember()
    denied = (Denied(world.clinician.address, block),)
    request = replace(asked(world), question=Question(twin=world.twin, denied=denied))
    claims = list(Audit(request, _Pruned(world.source()), world.store).claims())
    assert verdicts(claims) == ({**SURE, "denied": Verdict.CANNOT_CHECK} if above else SURE)


def test_a_receipt_whose_block_nothing_leads_to_is_judged_by_number_and_time(world: ChainWorld) -> None:
    # the last, since custodians forget no receipt when the chain is put back
    world.grow(2_000)
    world.patient.read(world.twin, "glucose", "PATRQT")
    world.grow(2_000)
    world.anchor_receipts()
    world.remember()
    found = audited(world)
    assert verdicts(found) == {**SURE, "blocks": Verdict.CANNOT_CHECK}
    assert "of 1 of 3 receipts" in next(each.evidence for each in found if each.name == "blocks")
