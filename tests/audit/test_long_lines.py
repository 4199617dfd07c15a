"""A twin that came from another deployment, on a chain that is too long to be looked at whole: what each deployment's
storage counts shows that nothing is missing of either."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from dtledger._backend.anvil import Anvil
from dtledger._backend.hints import Hints
from dtledger._backend.node import connect
from dtledger._backend.proof_source import NodeSource
from dtledger._backend.runtimes import shipped
from dtledger.audit import Asked, Claim, Given, Question, Receipts, Verdict, export, line, verify
from dtledger.client import Client
from dtledger.ledger import Deployment
from dtledger.ledger.events import Arrived, Blocked, CardSet, Carried, Departed, Granted, Logged, Revoked
from dtledger.testing import MemoryKey, NextDeployment
from tests.audit.chain_world import ChainWorld, from_file
from tests.audit.test_long_chains import LONG, SURE, verdicts

pytestmark = [pytest.mark.anvil, pytest.mark.slow]

Keep = Callable[[Logged], bool]


@dataclass(frozen=True)
class Scene:
    """A world whose patient moved on."""

    world: ChainWorld
    after: NextDeployment
    patient: Client

    @property
    def deployment(self) -> Deployment:
        return self.after.ledger.deployment

    def source(self, there: Keep = lambda _: True, before: Keep = lambda _: True) -> NodeSource:
        """The node, and an index of both deployments that keeps some events of each to itself."""
        history, url = self.after.ledger.history(), self.world.anvil.url
        assert history.before is not None
        former = Hints(self.world.deployment, filter(before, history.before.logged))
        return NodeSource(connect(url), hints=Hints(self.deployment, filter(there, history.logged), former))

    def asked(self, **fields: Any) -> Asked:
        lists = {}
        for custodian in self.after.custodians:
            proof, receipts = self.patient.twins.told(self.world.twin, custodian.address)
            lists[custodian.address] = Receipts(tuple(receipts), proof)
        given, head = Given(lists, named=(self.world.named("glucose"),)), self.after.ledger.head()
        return Asked(Question(twin=self.world.twin), given, self.deployment, head.hash, **fields)

    def audited(self, source: NodeSource | None = None) -> list[Claim]:
        """The claims, of the node and of a file alike."""
        bundle, claims = export(self.asked(), source or self.source(), self.world.store)
        assert from_file(bundle, self.asked())[:-1] == claims
        return claims


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A twin is read and somebody blocked, then come 25,000 blocks of nothing, then it is carried over, with its card,
    its block and its grants, and its life goes on where it came to."""
    folder = tmp_path_factory.mktemp("audit")
    with Anvil(folder / "anvil", state_interval=3600) as anvil, ChainWorld(anvil, folder, hours=2) as world:
        world.clinician.read(world.twin, "glucose", "TREAT")
        stranger = MemoryKey("stranger").address
        for denies in (world.patient.consents.block, world.patient.consents.unblock, world.patient.consents.block):
            denies(world.twin, stranger)
        world.remember()
        world.grow(LONG)
        after = world.succeed()
        patient = after.client(world.patient)
        luggage = world.patient.succession.luggage(world.twin, patient.context)
        world.patient.succession.carry(luggage, patient.context)
        after.client(world.clinician).read(world.twin, "glucose", "TREAT")
        card = after.ledger.view().card(world.twin)
        assert card is not None
        patient.twins.change_card(world.twin, card)
        for custodian in after.custodians:
            custodian.anchor()
        patient.consents.revoke(world.consent)
        world.remember()
        world.grow(300)
        yield Scene(world, after, patient)


def test_both_deployments_of_a_long_chain_are_audited(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    hints = Hints.of(scene.deployment, scene.after.ledger.history())
    source = NodeSource(connect(scene.world.anvil.url), hints=hints)
    bundle, claims = export(scene.asked(), source, scene.world.store)
    assert verdicts(claims) == SURE
    assert {"card", "state", "roster", "stream", "writer", "receipts", "consent"} <= {each.name for each in claims}
    assert len(bundle.headers) < 600, "the lines to what happened, and none between"
    monkeypatch.setattr(socket, "socket", None)
    assert from_file(bundle, scene.asked())[:-1] == claims


BEFORE: dict[str, tuple[type, str, str]] = {
    "a grant": (Granted, "events", "another grant"),
    "its last card": (CardSet, "events", "the cards are not those"),
    "its last block": (Blocked, "events", "another count of blocks"),
    "that it left": (Departed, "events", "as the twin's counter"),
}
THERE: dict[str, tuple[type, str, str]] = {
    "that it came": (Arrived, "events", "there is no twin"),
    "a card": (CardSet, "card", "the cards are not those"),
    "a revocation": (Revoked, "events", "another grant"),
}
"""The last event of its kind that an index keeps to itself with all of its block, the claim that fails, and why."""


def without(logged: Sequence[Logged], kind: type) -> Keep:
    hidden = [each for each in logged if isinstance(each.event, kind)][-1].place.block
    return lambda each: each.place.block != hidden


def require_missed(claims: Sequence[Claim], name: str, says: str) -> None:
    assert verdicts(claims)[name] is Verdict.FAIL
    assert says in next(each.evidence for each in claims if each.name == name)


@pytest.mark.parametrize("what", BEFORE)
def test_what_is_kept_back_of_the_deployment_before_is_missed(scene: Scene, what: str) -> None:
    kind, name, says = BEFORE[what]
    before = without(scene.world.ledger.history().logged, kind)
    require_missed(scene.audited(scene.source(before=before)), name, says)


@pytest.mark.parametrize("what", THERE)
def test_what_is_kept_back_of_the_deployment_that_it_came_to_is_missed(scene: Scene, what: str) -> None:
    kind, name, says = THERE[what]
    there = without(scene.after.ledger.history().logged, kind)
    require_missed(scene.audited(scene.source(there=there)), name, says)


def test_consents_that_came_are_missed_though_their_twin_is_told(scene: Scene) -> None:
    logged = scene.after.ledger.history().logged
    came = next(each.place.block for each in logged if isinstance(each.event, Carried))
    consents = (Carried, Granted, Blocked)
    there: Keep = lambda each: each.place.block != came or not isinstance(each.event, consents)  # noqa: E731
    require_missed(scene.audited(scene.source(there=there)), "events", "another")
    assert verdicts(scene.audited(scene.source())) == SURE


def test_storage_of_other_sources_is_not_read(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another version of the contracts counts, this package does not know."""
    other = {name: replace(made, code=made.code + b"\0") for name, made in shipped().items()}
    monkeypatch.setattr(line, "shipped", lambda: other)
    claims = scene.audited()
    assert verdicts(claims)["events"] is Verdict.CANNOT_CHECK
    assert "made from other sources" in next(each.evidence for each in claims if each.name == "events")


def test_a_file_that_names_another_deployment_before_fails(scene: Scene) -> None:
    bundle, _ = export(scene.asked(), scene.source(), scene.world.store)
    assert scene.deployment.predecessor is not None
    contracts = {**scene.deployment.predecessor.contracts, "TwinRegistry": scene.patient.address}
    other = replace(scene.deployment, predecessor=replace(scene.deployment.predecessor, contracts=contracts))
    for known, verdict in ((other, Verdict.FAIL), (scene.deployment, Verdict.PASS)):
        claims = verify(bundle, scene.asked(known=known))
        assert next(each.verdict for each in claims if each.name == "deployment") is verdict
