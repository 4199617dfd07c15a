"""The world of `dtledger.testing` on a real chain, so that what its state and receipts prove can be looked at."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dtledger._backend import migrations
from dtledger._backend.anvil import Anvil
from dtledger._backend.evm import EvmLedger
from dtledger._backend.hints import Hints
from dtledger._backend.migrations import Founder, Plan
from dtledger._backend.node import connect
from dtledger._backend.proof_source import NodeSource
from dtledger.audit import Asked, Bundle, Claim, Given, Named, Receipts, verify
from dtledger.audit.proofs import Header
from dtledger.client import Client, make_card
from dtledger.client.keyrings import owner_keys
from dtledger.custodian import Custodian, MemoryReceipts, MemoryTwinKeys
from dtledger.ledger import Deployment, calls
from dtledger.testing import MemoryKey, MemoryStore, NextDeployment, World
from dtledger.testing.world import glucose
from dtledger.types import Address
from dtledger.vocabulary import Kind, category

ROLES = ("ADMIN", "REGISTRAR", "STEWARD", "SUSPENDER", "MINTER")
DAY = 86_400


def from_file(bundle: Bundle, asked: Asked | None = None) -> list[Claim]:
    """The claims of a bundle, written and read again. Where `asked` pins no head, the file's own is pinned: the claims
    are then the node's, but for the words by whom the head was named."""
    asked = asked or Asked(bundle.question, bundle.given, bundle.deployment)
    known = asked.known or bundle.deployment
    if asked.pinned is not None:
        return _own(verify(Bundle.decode(bundle.encode()), replace(asked, known=known)), asked)
    head = Header.read(bundle.headers[max(bundle.headers)]).hash
    found = _own(verify(Bundle.decode(bundle.encode()), replace(asked, pinned=head, known=known)), asked)
    return [replace(each, evidence=each.evidence.replace(", pinned", ", as its node has it")) for each in found]


def _own(claims: list[Claim], asked: Asked) -> list[Claim]:
    """Without the claim that a node's audit does not make: that the contracts are the auditor's own."""
    return [each for each in claims if each.name != "deployment" or asked.known]


class ChainClock:
    """This machine's time, and what was added to it, on the chain as well."""

    def __init__(self, anvil: Anvil) -> None:
        self._anvil = anvil
        self._ahead = 0

    def __call__(self) -> int:
        return int(time.time()) + self._ahead

    @property
    def at(self) -> int:
        return self()

    def advance(self, seconds: int) -> int:
        self._ahead += seconds
        self._anvil.rpc("evm_increaseTime", seconds)
        return self()


class ChainWorld(World):
    """A `World` on Anvil, which is somebody else's to stop. No time is too long for its custodians."""

    def __init__(self, anvil: Anvil, folder: Path, *, hours: int = 6) -> None:
        self.anvil = anvil
        self.clock = ChainClock(anvil)  # type: ignore[assignment]
        self._clients: list[Client] = []
        self._names: dict[Address, str] = {}
        self._keys: dict[MemoryKey, MemoryTwinKeys] = {}
        self.store = MemoryStore()
        operator, deployer = MemoryKey("operator"), MemoryKey("deployer")
        keys = [MemoryKey(f"custodian-{number}") for number in (1, 2, 3)]
        for key in (operator, deployer, *keys):
            anvil.fund(key.address)

        def founders(deployment: Deployment) -> Sequence[Founder]:
            cards = [make_card(deployment, key, key.name, 0) for key in keys]
            for card in cards:
                self.store.put(card.public_key, "raw")
            return [Founder(card.card, card.signature, b"", Kind.CUSTODIAN.mask) for card in cards]

        self._folder = folder / "deployments"
        plan = Plan({role: [operator.address] for role in ROLES}, founders, DAY, DAY)
        self.deployment = migrations.run(anvil.url, deployer, plan, self._folder).deployment()
        self.ledger = EvmLedger(anvil.url, self.deployment)  # type: ignore[assignment]
        for key in keys:
            self._names[key.address] = key.name
            self._keys[key] = MemoryTwinKeys()
        self._custodians = self._custodians_of(self.deployment)
        self.operator = self.client(operator)
        self.patient = self.client(MemoryKey("patient"))
        self.hospital = self.join("hospital")
        self.clinician = self.join("clinician", [Kind.CLINICIAN], self.hospital)
        self.gateway = self.join("gateway", [Kind.GATEWAY])
        self.twin = self._mint(2)
        self.readings = glucose(self.clock.at - hours * 3600 - 600, hours * 12)
        self.consent = self._consent()

    def _custodians_of(self, deployment: Deployment) -> dict[Address, Any]:
        """Those of this world at work for a deployment, with the same key pairs and a log for each."""
        return {
            key.address: Custodian(
                key, EvmLedger(self.anvil.url, deployment), keys, MemoryReceipts(), self.clock, max_head_age=10**9
            )
            for key, keys in self._keys.items()
        }

    def succeed(self) -> NextDeployment:
        deployer = MemoryKey("next deployer")
        self.anvil.fund(deployer.address)
        roles = {role: [self.operator.address] for role in migrations.OF_SUCCESSOR}
        plan = Plan(roles, lambda _: (), DAY, DAY, predecessor=self.deployment)
        deployment = migrations.run(self.anvil.url, deployer, plan, self._folder).deployment()
        ledger: Any = EvmLedger(self.anvil.url, deployment)
        return NextDeployment(ledger, self._custodians_of(deployment), self._clients)

    def client(self, key: Any) -> Client:
        self.anvil.fund(key.address)
        return super().client(key)

    def _enrol(self, key: MemoryKey, kinds: list[Kind], organisation: Client | None = None) -> None:
        if organisation is None:
            card, agreement = make_card(self.deployment, key, key.name, 0), b""
        else:
            address = organisation.address
            card = make_card(self.deployment, key, key.name, 0, address, self._names[address])
            agreement = organisation.members.agree(card)
        self._names[key.address] = key.name
        self.store.put(card.public_key, "raw")
        call = calls.enrol(card.card, card.signature, agreement, sum(kind.mask for kind in kinds))
        self.ledger.send(call, self.operator.context.key)

    # what an audit needs -----------------------------------------------------------------------------------------

    def anchor_receipts(self) -> None:
        """Every custodian anchors its log."""
        for custodian in self.custodians:
            custodian.anchor()

    def source(self) -> NodeSource:
        """The node, as an auditor asks it."""
        return NodeSource(connect(self.anvil.url), hints=Hints.of(self.deployment, self.ledger.history()))

    def grow(self, blocks: int) -> None:
        """So many blocks in which nothing happens; the chain's time stands still meanwhile."""
        self.anvil.rpc("anvil_mine", hex(blocks), timeout=600.0)

    def remember(self) -> None:
        """Let the chain remember its newest block."""
        self.ledger.send(calls.remember(), self.operator.context.key)

    def given(self) -> Given:
        """What the patient shows: the custodians' lists with what was asked for, and what glucose is called."""
        lists = {}
        for custodian in self._custodians:
            proof, receipts = self.patient.twins.told(self.twin, custodian)
            asked = tuple(self.patient.twins.digests(self.twin, custodian))
            lists[custodian] = Receipts(tuple(receipts), proof, asked)
        return Given(lists, named=(self.named("glucose"),))

    def named(self, name: str) -> Named:
        """What the patient reveals of a category."""
        keys = owner_keys(self.patient.context.key.secrets.twin(self.deployment.id, self.twin))
        return Named(keys.tags[category(name).number], keys.bits.prove(keys.bits.bit_of(name)))

    def asked(self, **fields: Any) -> Asked:
        """An audit by the patient's evidence, of what `question` says."""
        return Asked(**{"given": self.given(), "deployment": self.deployment, **fields})
