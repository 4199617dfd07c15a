"""A bundle is found out, whatever byte of it is changed, and says the same as the node that it was made from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from dtledger._backend.anvil import Anvil
from dtledger._backend.proof_source import NodeSource
from dtledger.audit import Asked, Audit, Bundle, Denied, Question, Verdict, exit_code, export, verify
from dtledger.audit.chain import Chain
from dtledger.audit.proofs import Header
from dtledger.encoding import sha256
from dtledger.errors import CannotCheckError, IntegrityError
from dtledger.ledger import calls
from dtledger.types import Address
from tests.audit.attacks import Lying
from tests.audit.chain_world import ChainWorld, from_file
from tests.audit.lies_of_nodes import reforged

pytestmark = [pytest.mark.anvil, pytest.mark.slow]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChainWorld]:
    folder = tmp_path_factory.mktemp("audit")
    with Anvil(folder / "anvil", state_interval=3600) as anvil, ChainWorld(anvil, folder, hours=2) as world:
        world.clinician.read(world.twin, "glucose", "TREAT")
        world.anchor_receipts()
        world.patient.consents.revoke(world.consent)
        yield world


@pytest.fixture(scope="module")
def bundle(world: ChainWorld) -> Bundle:
    denied = (Denied(world.clinician.address, world.ledger.head().number),)
    asked = world.asked(question=Question(twin=world.twin, denied=denied))
    return export(asked, world.source(), world.store)[0]


@pytest.fixture(scope="module")
def small(world: ChainWorld) -> Bundle:
    """Of one denial, without every block, and with one contract's code."""
    denied = (Denied(world.clinician.address, world.ledger.head().number),)
    asked = world.asked(
        question=Question(twin=world.twin, denied=denied, whole=False), given=replace(world.given(), lists={}, named=())
    )
    return export(asked, world.source(), world.store)[0]


def test_it_is_the_same_bytes_each_time_and_decodes_to_itself(bundle: Bundle) -> None:
    assert Bundle.decode(bundle.encode()).encode() == bundle.encode()


def test_every_byte_that_is_changed_is_found(small: Bundle) -> None:
    data = bytearray(small.encode())
    for place in range(len(data)):
        data[place] ^= 1 << place % 8
        with pytest.raises(IntegrityError):
            Bundle.decode(bytes(data))
        data[place] ^= 1 << place % 8
    assert Bundle.decode(bytes(data)).encode() == small.encode()


@pytest.mark.parametrize("part", range(8))
def test_a_byte_that_is_changed_with_the_sum_over_it_changes_what_is_found(bundle: Bundle, part: int) -> None:
    """Whoever changes it makes the sum anew: then a claim no longer says what it said."""
    body = bundle.encode()[:-32]
    expected = [(each.name, each.about, each.verdict) for each in from_file(bundle)]
    assert {verdict for _, _, verdict in expected} == {Verdict.PASS}
    for place in range(part * 61, len(body), len(body) // 12):
        changed = bytearray(body)
        changed[place] ^= 1 << place % 8
        try:
            found = from_file(Bundle.decode(bytes(changed) + sha256(bytes(changed))))
        except IntegrityError:
            continue
        assert [(each.name, each.about, each.verdict) for each in found] != expected, place


@pytest.mark.parametrize("part", ["headers", "nodes", "blocks", "codes"])
def test_what_is_taken_out_is_missed_and_what_is_put_in_is_told(bundle: Bundle, part: str) -> None:
    held = getattr(bundle, part)
    less = held[1:] if isinstance(held, list) else dict(list(held.items())[1:])
    assert any(each.verdict is not Verdict.PASS for each in from_file(replace(bundle, **{part: less})))
    if part == "nodes":
        found = from_file(replace(bundle, nodes=[*bundle.nodes, b"\xc2\x80\x80"]))
        assert [each.name for each in found if each.verdict is Verdict.FAIL] == ["bundle"]


def test_a_bundle_of_another_twin_says_so(world: ChainWorld, bundle: Bundle) -> None:
    other = replace(bundle, question=replace(bundle.question, twin=world.twin + 1, denied=()))
    assert {each.name for each in verify(other) if each.verdict is Verdict.FAIL} >= {"events"}


def test_another_head_than_the_pinned_one_is_refused(world: ChainWorld, bundle: Bundle) -> None:
    asked = world.asked(question=bundle.question)
    right = Chain(world.source(), world.deployment).head
    found = verify(bundle, replace(asked, pinned=right.hash, known=world.deployment))
    assert [each for each in found if each.verdict is not Verdict.PASS] == []
    found = verify(bundle, replace(asked, pinned=right.parent))
    assert found[0].verdict is Verdict.FAIL


def test_without_a_pinned_head_a_files_chain_cannot_be_checked(bundle: Bundle) -> None:
    """Whoever makes a file can make its chain too: here everything in it is right, and nobody else says so."""
    head = Header.read(bundle.headers[max(bundle.headers)])
    pin = Asked(bundle.question, bundle.given, bundle.deployment, head.hash, known=bundle.deployment)
    unpinned, pinned = verify(bundle, replace(pin, pinned=None)), verify(bundle, pin)
    assert [each.name for each in unpinned if each.verdict is not Verdict.PASS] == ["chain"]
    assert unpinned[0].verdict is Verdict.CANNOT_CHECK
    assert f"block {head.number} is 0x{head.hash.hex()}" in unpinned[0].evidence, "it says what to pin"
    assert (exit_code(unpinned), exit_code(pinned)) == (6, 0)
    assert unpinned[1:] == pinned[1:]


def test_contracts_that_nobody_knows_cannot_be_checked(bundle: Bundle) -> None:
    """The same code stands wherever somebody put it, and nobody consented to anything there."""
    head = Header.read(bundle.headers[max(bundle.headers)])
    pin = Asked(bundle.question, bundle.given, bundle.deployment, head.hash)
    unknown, known = verify(bundle, pin), verify(bundle, replace(pin, known=bundle.deployment))
    assert [each.name for each in unknown if each.verdict is not Verdict.PASS] == ["deployment"]
    assert unknown[1].verdict is Verdict.CANNOT_CHECK
    assert bundle.deployment.contracts["ConsentRegistry"] in unknown[1].evidence
    assert (exit_code(unknown), exit_code(known)) == (6, 0)
    contracts = {**bundle.deployment.contracts, "ConsentRegistry": bundle.deployment.contracts["TwinRegistry"]}
    other = replace(bundle.deployment, contracts=contracts)
    assert exit_code(verify(bundle, replace(pin, known=other))) == 4


def test_a_remembered_block_proves_what_was_long_before_it(world: ChainWorld) -> None:
    """Without the headers between: the memory of blocks has the hash of one near it."""
    key = world.operator.context.key
    block = world.ledger.head().number
    world.ledger.send(calls.remember(), key)
    mark = world.ledger.head().number
    world.anvil.rpc("anvil_mine", hex(300))
    world.ledger.send(calls.remember(), key)
    denied = (Denied(world.clinician.address, world.ledger.head().number), Denied(world.gateway.address, block))
    question = Question(twin=world.twin, denied=denied[:1], whole=False)
    source = world.source()
    chain = Chain(source, world.deployment, whole=False)
    assert chain.header(block).hash == world.ledger.web3.eth.get_block(block)["hash"]
    assert len(chain.numbers) < 5, "the head, the remembered block and the one before it"
    claims = list(Audit(world.asked(question=question), source, world.store).claims())
    assert [each.verdict for each in claims if each.name == "denied"] == [Verdict.PASS]
    assert mark > block


def test_who_had_a_permit_is_not_shown_to_have_had_none(world: ChainWorld) -> None:
    view = world.ledger.view()
    granted = next(
        each.place.block
        for each in world.ledger.history().logged
        if getattr(each.event, "grantee", None) == world.clinician.address
    )
    assert view.owner(world.twin) == world.patient.address
    denied = (Denied(world.clinician.address, granted), Denied(world.clinician.address, granted - 1))
    question = Question(twin=world.twin, denied=denied)
    claims = list(Audit(world.asked(question=question), world.source(), world.store).claims())
    assert [each.verdict for each in claims if each.name == "denied"] == [Verdict.FAIL, Verdict.PASS]
    found = list(Audit(world.asked(question=question), _Pruned(world.source()), world.store).claims())
    told = [(each.verdict, each.evidence) for each in found if each.name == "denied"]
    assert [verdict for verdict, _ in told] == [Verdict.FAIL, Verdict.PASS]
    assert told[1][1].endswith("as every event up to there says")
    part = replace(question, whole=False)
    found = list(Audit(world.asked(question=part), _Pruned(world.source()), world.store).claims())
    assert [each.verdict for each in found if each.name == "denied"] == [Verdict.FAIL, Verdict.PASS]
    untold = NodeSource(world.ledger.web3)
    found = list(Audit(world.asked(question=part), _Pruned(untold), world.store).claims())
    assert {each.verdict for each in found if each.name == "denied"} == {Verdict.CANNOT_CHECK}


class _Pruned(Lying):
    """A node that keeps no state but the newest."""

    def proof(self, number: int, contract: Address, slots: Sequence[int]) -> Sequence[bytes]:
        if number < Header.read(self.head()).number:
            raise CannotCheckError("That state is gone.")
        return self._source.proof(number, contract, slots)


def test_a_block_that_the_chain_does_not_remember_so_is_refused(world: ChainWorld) -> None:
    world.ledger.send(calls.remember(), world.operator.context.key)
    remembered = world.ledger.head().number - 1
    world.anvil.rpc("anvil_mine", hex(300))
    source = world.source()
    other = reforged(source.headers(remembered, remembered)[0], 11, b"\1")
    lying = Lying(source, headers=lambda first, last: [other] if first == remembered else source.headers(first, last))
    assert Chain(source, world.deployment, whole=False).header(remembered).number == remembered
    with pytest.raises(IntegrityError, match="not the one that the chain remembers"):
        Chain(lying, world.deployment, whole=False).header(remembered)


def test_code_that_is_not_the_accounts_is_refused(bundle: Bundle) -> None:
    """Somebody puts a contract of the right code into a file in the place of another one."""
    contracts = dict(bundle.deployment.contracts)
    codes = {**bundle.codes, contracts["ReceiptLedger"]: bundle.codes[contracts["ReceiptLedger"]] + b"\0"}
    failed = [each for each in verify(replace(bundle, codes=codes)) if each.verdict is Verdict.FAIL]
    assert [(each.name, each.about) for each in failed] == [("code", "ReceiptLedger")]
    assert "not the account's" in failed[0].evidence
