"""Proofs that a taker took in time stand in for a node that keeps no old states; nobody needs to believe them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dtledger._backend.anvil import Anvil
from dtledger._backend.proof_file import ProofFile
from dtledger._backend.proof_source import NodeSource
from dtledger._cli import proofs
from dtledger.audit import Asked, Audit, Claim, Denied, Given, Question, Verdict, export
from dtledger.audit.chain import LINE
from dtledger.audit.taking import KEPT_STATES, PATIENCE, ProofTaker, Taken
from dtledger.client import Terms
from dtledger.client.embedded import create_custodian
from dtledger.errors import CannotCheckError, IntegrityError
from dtledger.home import Home
from dtledger.ledger.events import Remembered
from dtledger.types import Address, Period
from dtledger.vocabulary import Action, Kind, Purpose
from tests.audit.attacks import Lying
from tests.audit.chain_world import DAY, ChainWorld, from_file

pytestmark = [pytest.mark.anvil, pytest.mark.slow]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChainWorld]:
    folder = tmp_path_factory.mktemp("audit")
    with Anvil(folder / "anvil", state_interval=3600) as anvil, ChainWorld(anvil, folder, hours=1) as world:
        yield world


@pytest.fixture
def kept(world: ChainWorld) -> Iterator[ProofFile]:
    """What is done to the chain is undone."""
    mark, file = world.anvil.rpc("evm_snapshot"), ProofFile(None)
    yield file
    file.close()
    world.anvil.rpc("evm_revert", mark)


def taker(world: ChainWorld, kept: ProofFile) -> ProofTaker:
    return ProofTaker(world.ledger, world.source, kept, world.operator.context.key, draw=lambda: 0)


def mine(world: ChainWorld, blocks: int) -> None:
    world.anvil.rpc("anvil_mine", hex(blocks))


def revoked(world: ChainWorld) -> int:
    """The block in which the clinician's consent ended."""
    return world.patient.consents.revoke(world.consent).block


def source(world: ChainWorld, nodes: Sequence[bytes] = ()) -> NodeSource:
    """The node, and what was taken of it."""
    made = [each.event for each in world.ledger.history().logged]
    return NodeSource(world.ledger.web3, None, [each.number for each in made if isinstance(each, Remembered)], nodes)


def asked(world: ChainWorld, block: int) -> Asked:
    """That the clinician had no permit at a block, without every block being looked at."""
    question = Question(twin=world.twin, denied=(Denied(world.clinician.address, block),), whole=False)
    return Asked(question, Given(), world.deployment)


def denial(claims: Sequence[Claim]) -> Claim:
    return next(each for each in claims if each.name == "denied")


def forgotten(world: ChainWorld, kept: ProofFile) -> int:
    """A revocation that a taker saw, and whose state the node has no more: its block."""
    block, taking = revoked(world), taker(world, kept)
    assert block in taking.step().blocks
    mine(world, PATIENCE)
    assert taking.step().remembered
    mine(world, 2 * KEPT_STATES)
    return block


def test_a_node_that_has_forgotten_a_state_shows_it_by_what_was_taken_in_time(
    world: ChainWorld, kept: ProofFile
) -> None:
    block = forgotten(world, kept)
    without = denial(list(Audit(asked(world, block), source(world), world.store).claims()))
    assert (without.verdict, "has no answer" in without.evidence) == (Verdict.CANNOT_CHECK, True)
    bundle, claims = export(asked(world, block), source(world, kept.nodes()), world.store)
    assert denial(claims).verdict is Verdict.PASS
    assert denial(claims).evidence.endswith("as storage has them")
    assert denial(from_file(bundle)).verdict is Verdict.PASS, "a file made of it needs no node at all"


def test_of_an_organisation_each_members_permits_are_taken(world: ChainWorld, kept: ProofFile) -> None:
    """To a nurse nothing was ever granted; what she had is what her hospital had."""
    nurse = world.join("nurse", [Kind.CLINICIAN], world.hospital)
    mine(world, 2 * KEPT_STATES)
    now = world.clock()
    terms = Terms(("glucose",), (Purpose.TREAT,), (Action.READ,), now, now + DAY, Period(0, now // 60))
    slot, granted = world.patient.consents.grant(world.twin, world.hospital.address, terms)
    ended = world.patient.consents.revoke(slot).block
    taker(world, kept).step()
    mine(world, PATIENCE)
    taker(world, kept).step()
    mine(world, 2 * KEPT_STATES)
    found: list[Verdict] = []
    for block in (granted.block, ended):
        question = Question(twin=world.twin, denied=(Denied(nurse.address, block),), whole=False)
        audit = Audit(Asked(question, Given(), world.deployment), source(world, kept.nodes()), world.store)
        found.append(denial(list(audit.claims())).verdict)
    assert found == [Verdict.FAIL, Verdict.PASS]


def test_what_was_permitted_is_not_shown_to_have_been_denied_by_what_was_taken(
    world: ChainWorld, kept: ProofFile
) -> None:
    taking = taker(world, kept)
    block = next(each.place.block for each in reversed(world.ledger.history().logged)
                 if getattr(each.event, "grantee", None) == world.clinician.address)  # fmt: skip
    taking.step()
    mine(world, PATIENCE)
    taking.step()
    mine(world, 2 * KEPT_STATES)
    found = Audit(asked(world, block), source(world, kept.nodes()), world.store)
    assert denial(list(found.claims())).verdict is Verdict.FAIL


def test_what_was_taken_is_nodes_of_tries_and_a_wrong_one_is_none(world: ChainWorld, kept: ProofFile) -> None:
    block = forgotten(world, kept)
    nodes = kept.nodes()
    spoilt = [bytes([each[0]]) + bytes(len(each) - 1) for each in nodes]
    found = Audit(asked(world, block), source(world, spoilt), world.store)
    assert denial(list(found.claims())).verdict is Verdict.CANNOT_CHECK
    found = Audit(asked(world, block), source(world, [*spoilt, *nodes]), world.store)
    assert denial(list(found.claims())).verdict is Verdict.PASS


def test_a_block_is_remembered_once_for_all_that_happened_before_it(world: ChainWorld, kept: ProofFile) -> None:
    first, second = taker(world, kept), taker(world, ProofFile(None))
    mine(world, 2 * KEPT_STATES)
    revoked(world)
    world.patient.consents.block(world.twin, world.clinician.address)
    first.step()
    mine(world, PATIENCE - 2)
    assert not first.step().remembered, "its time has not come"
    mine(world, 2)
    assert first.step().remembered
    assert not second.step().remembered, "another's memory does"
    mine(world, PATIENCE)
    assert not first.step().remembered


def test_what_a_node_shows_wrongly_is_not_kept(world: ChainWorld, kept: ProofFile) -> None:
    mine(world, 2 * KEPT_STATES)
    block = revoked(world)

    def proof(number: int, contract: Address, slots: Sequence[int]) -> Sequence[bytes]:
        return world.source().proof(number - 1, contract, slots)

    lying = ProofTaker(world.ledger, lambda: Lying(world.source(), proof=proof), kept)  # type: ignore[arg-type]
    with pytest.raises(IntegrityError, match="is not its state"):
        lying.step()
    assert block not in kept.blocks()
    assert taker(world, kept).step().blocks == (block,)


def test_a_node_that_has_no_state_is_asked_again(world: ChainWorld, kept: ProofFile) -> None:
    mine(world, 2 * KEPT_STATES)
    block, away = revoked(world), [True]

    def proof(number: int, contract: Address, slots: Sequence[int]) -> Sequence[bytes]:
        if away[0]:
            raise CannotCheckError("Not now.")
        return world.source().proof(number, contract, slots)

    taking = ProofTaker(world.ledger, lambda: Lying(world.source(), proof=proof), kept)  # type: ignore[arg-type]
    assert taking.step() == Taken(missed=(block,))
    away[0] = False
    assert taking.step() == Taken(blocks=(block,))
    assert taking.step() == Taken(), "nothing new, and no node is asked"


def test_the_same_block_of_another_chain_is_taken_anew(world: ChainWorld, kept: ProofFile) -> None:
    mine(world, 2 * KEPT_STATES)
    mark = world.anvil.rpc("evm_snapshot")
    block = revoked(world)
    taker(world, kept).step()
    before = kept.blocks()[block]
    world.anvil.rpc("evm_revert", mark)
    world.anvil.rpc("evm_increaseTime", 60)
    assert revoked(world) == block
    assert taker(world, kept).step().blocks == (block,)
    assert kept.blocks()[block] != before


class Commands:
    """What a command has of a home with embedded custodians."""

    def __init__(self, world: ChainWorld, folder: Path) -> None:
        self.home = Home.locate(str(folder))
        self.home.prepare(self.home.custodians)
        self.ledger = world.ledger
        self.settings = SimpleNamespace(embedded=True)

    def takes(self, world: ChainWorld) -> list[bytes]:
        """What it has taken after a command that wrote."""
        proofs.take(cast(Any, self), world.patient)
        return proofs.taken(cast(Any, self))


def test_a_command_takes_what_it_wrote_as_the_custodians_of_its_home(
    world: ChainWorld, kept: ProofFile, tmp_path: Path
) -> None:
    custodian = create_custodian(Home.locate(str(tmp_path)), "custodian-1")
    world.anvil.fund(custodian.address)
    commands, block = Commands(world, tmp_path), revoked(world)
    assert commands.takes(world)
    mine(world, LINE)
    nodes = commands.takes(world)
    remembered = [each.event for each in world.ledger.history().logged if isinstance(each.event, Remembered)]
    assert len(remembered) == 1, "a custodian of the home paid for it"
    mine(world, 2 * KEPT_STATES)
    assert denial(list(Audit(asked(world, block), source(world), world.store).claims())).verdict is Verdict.CANNOT_CHECK
    found = denial(list(Audit(asked(world, block), source(world, nodes), world.store).claims()))
    assert (found.verdict, found.evidence.endswith("as storage has them")) == (Verdict.PASS, True)
    commands.settings.embedded = False
    assert proofs.taken(cast(Any, commands)) == [], "where custodians are services, it is theirs to take"


def test_a_command_that_cannot_take_ends_as_it_ended(
    world: ChainWorld, kept: ProofFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a home whose custodians' keys are gone, or whose node does not answer; the next one makes up for it."""
    commands = Commands(world, tmp_path)
    revoked(world)
    with monkeypatch.context() as patch:
        patch.setattr(NodeSource, "head", refuse)
        assert commands.takes(world) == []
    assert commands.takes(world)


def refuse(_: NodeSource) -> bytes:
    raise CannotCheckError("The node has no answer (by order of the test).")
