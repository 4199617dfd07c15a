"""What storage says is held against the events: one word that is another fails the claim that it is about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from dtledger._backend.anvil import Anvil
from dtledger.audit import Audit, Question, Verdict
from dtledger.audit import facts as places
from dtledger.audit.chain import Chain
from dtledger.audit.facts import StoredFacts
from dtledger.audit.layout import mapped
from dtledger.client import writing_terms
from dtledger.types import Address
from tests.audit.attacks import Lying
from tests.audit.chain_world import ChainWorld

pytestmark = [pytest.mark.anvil, pytest.mark.slow]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChainWorld]:
    folder = tmp_path_factory.mktemp("standing")
    with Anvil(folder / "anvil", state_interval=3600) as anvil, ChainWorld(anvil, folder, hours=1) as world:
        yield world


def poked(world: ChainWorld, what: str) -> tuple[str, int]:
    """A contract, and the slot that a change of that kind needs."""
    twin, owner, who = world.twin, world.patient.address, world.clinician.address
    return {
        "owner": ("TwinRegistry", mapped("TwinRegistry", "_owners", twin)),
        "counter": ("TwinRegistry", mapped("TwinRegistry", "_states", twin)),
        "card": ("TwinRegistry", mapped("TwinRegistry", "_cards", twin)),
        "grant": ("ConsentRegistry", places._grant(owner, twin, who, 0)),
        "epoch": ("ConsentRegistry", mapped("ConsentRegistry", "_epochs", owner, twin)),
        "blocks": ("ConsentRegistry", mapped("ConsentRegistry", "_blockCounts", twin, who)),
    }[what]


CLAIMS = {"owner": "owner", "counter": "owner", "card": "card", "grant": "state", "epoch": "state", "blocks": "state"}


@pytest.mark.parametrize("what", CLAIMS)
def test_storage_that_says_otherwise_than_the_events_fails_the_claim(world: ChainWorld, what: str) -> None:
    """The chain is made to hold a word that nobody wrote, as if an event of it had been withheld."""
    mark = world.anvil.rpc("evm_snapshot")
    contract, slot = poked(world, what)
    value = (1 << 48) + 7 if what == "counter" else 7
    place = "0x" + slot.to_bytes(32).hex()
    world.anvil.rpc("anvil_setStorageAt", world.deployment.contracts[contract], place, "0x" + value.to_bytes(32).hex())
    world.anvil.rpc("anvil_mine", "0x1")
    claims = list(Audit(world.asked(question=Question(twin=world.twin)), world.source(), world.store).claims())
    world.anvil.rpc("evm_revert", mark)
    assert {each.name for each in claims if each.verdict is Verdict.FAIL} == {CLAIMS[what]}
    claims = list(Audit(world.asked(question=Question(twin=world.twin)), world.source(), world.store).claims())
    assert {each.verdict for each in claims} == {Verdict.PASS}


def test_facts_of_storage_are_those_of_the_events(world: ChainWorld) -> None:
    """The layout says where each stands: the same questions have the same answers."""
    view, twin, owner = world.ledger.view(), world.twin, world.patient.address
    facts = StoredFacts(Chain(world.source(), world.deployment), world.ledger.head().number)

    def answers(each: Any) -> list[Any]:
        people = [world.clinician.address, world.gateway.address, world.hospital.address, owner]
        return [
            each.owner(twin),
            each.owner(twin + 1),
            each.retired(twin),
            each.frozen_until(twin),
            [each.member(who) for who in people],
            [each.blocked(twin, who) for who in people],
            [each.grant(owner, twin, who, number) for who in people for number in range(8)],
            each.epoch(owner, twin),
            each.closes_at(owner, twin, people[0], 0, people[0]),
        ]

    assert answers(facts) == answers(view)


def test_a_node_is_asked_for_all_grants_at_once(world: ChainWorld) -> None:
    """Each question costs a real node a round trip, and Anvil a trie of all that the contract holds."""

    def proofs() -> int:
        asked, source = list[int](), world.source()

        def proof(number: int, contract: Address, slots: Sequence[int]) -> Sequence[bytes]:
            asked.append(number)
            return source.proof(number, contract, slots)

        asking = Lying(source, proof=proof)
        claims = list(Audit(world.asked(question=Question(twin=world.twin)), asking, world.store).claims())
        assert {each.verdict for each in claims} == {Verdict.PASS}
        return len(asked)

    few, terms = proofs(), writing_terms(["glucose"], world.clock.at, 3600)
    for number in range(1, 8):
        world.patient.consents.grant(world.twin, world.gateway.address, terms, number)
    assert proofs() <= few + 1
