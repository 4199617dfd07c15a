"""Running `migrations/`: numbered, declarative steps, each done once, whatever dies in between.

A step creates a contract or calls one. Before a transaction is sent, its nonce and hash are written to the
deployment's journal; a run that finds them there looks at the chain first. The last step drops the deployer's roles,
and until that is on the chain clients refuse the deployment.

In a step's arguments `@Name` is a contract's address, `<Name` that of the predecessor's, zero in a first deployment,
`%Name.function` a selector, `$name` a variable of the plan or, in a step with `each`, of the row that it is repeated
for. A file with `when = "predecessor"` is for deployments that come after another, the others are for first ones.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import rlp
from eth_abi.abi import encode as abi_encode
from web3.exceptions import TransactionNotFound

from ..encoding import address, keccak
from ..errors import InputError
from ..ledger import RELAY, Deployment, Sender, Sent
from ..ledger.calls import MemberCard
from ..types import ZERO_ADDRESS, Address
from ..vocabulary.rights import GUARDED_KINDS
from .artifacts import artifact
from .deployments import Journal, read_deployment, read_journal
from .evm import EvmLedger
from .files import locked
from .node import connect, identity

__all__ = [
    "DELAYED_ROLES",
    "OF_SUCCESSOR",
    "ROLES",
    "WEEK",
    "Founder",
    "Journal",
    "Plan",
    "Step",
    "migration_files",
    "migration_steps",
    "read_deployment",
    "read_journal",
    "run",
]

ROLES = {"ADMIN": 0, "REGISTRAR": 1, "STEWARD": 2, "SUSPENDER": 3, "MINTER": 4}
DELAYED_ROLES = ("ADMIN", "STEWARD")
OF_SUCCESSOR = ("ADMIN", "MINTER")
"""The roles that a successor has of its own: its predecessor's govern the members of both."""
ARTIFACTS = {"MintManager": "AccessManager"}
"""What a contract is made of, if not of what has its name."""
HOUR = 3600
WEEK = 7 * 24 * HOUR


@dataclass(frozen=True, slots=True)
class Founder:
    """A founding member: its signed card, its organisation's signed agreement if it names one, its kinds."""

    card: MemberCard
    signature: bytes
    agreement: bytes
    kinds: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a deployment is to be. `governance` maps a role's name to its accounts; one that comes after `predecessor`
    has those of `OF_SUCCESSOR` alone, and founds no members.

    `founders` is asked once the contracts' addresses are known, since founders sign for them.
    """

    governance: Mapping[str, Sequence[Address]]
    founders: Callable[[Deployment], Sequence[Founder]]
    delay: int = WEEK
    retire_delay: int = WEEK
    emergency_length: int = 4 * HOUR
    review_period: int = 72 * HOUR
    predecessor: Deployment | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step as it is to be done: what it is called, and what it sends. A contract that it creates is known as
    `placed`."""

    migration: str
    name: str
    create: str = ""
    placed: str = ""
    call: str = ""
    arguments: tuple[Any, ...] = ()


def run(
    rpc_url: str, deployer: Sender, plan: Plan, folder: Path, progress: Callable[[Step, int], None] | None = None
) -> Journal:
    """Bring the chain behind `rpc_url` to the end of the migrations, from wherever it stands.

    `progress` is told each step done and its gas (0 if it had been done before).

    Raises:
        UnreachableError, LedgerRejection: a step failed; running again goes on there.
    """
    if any(deployer.address in accounts for accounts in plan.governance.values()):
        raise InputError(
            f"The deployer {deployer.address} cannot govern too: its last step drops its roles.",
            hint="Deploy with a key that is made for this and used for nothing else.",
        )
    chain_id, genesis = identity(connect(rpc_url))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = plan.predecessor
    if before is not None and (before.chain_id, before.genesis) != (chain_id, genesis):
        raise InputError(
            f"The predecessor is on chain {before.chain_id}, and the node serves another.",
            hint="A deployment stands beside its predecessor, on the same chain.",
        )
    path = folder / f"{chain_id}-{genesis.hex()[:16]}{_place_in_line(before)}.json"
    with locked(path):
        journal = (
            read_journal(path) if path.exists() else Journal.begun(path, chain_id, genesis, deployer.address, before)
        )
        if journal.complete and RELAY in journal.contracts:
            return journal
        if journal.deployer != deployer.address:
            raise InputError(
                f"This deployment was begun by {journal.deployer}.", hint="Choose that key with --key to go on."
            )
        runner = _Runner(rpc_url, deployer, plan, journal)
        for step in runner.steps():
            gas = runner.do(step)
            if progress:
                progress(step, gas)
        journal.complete = True
        journal.save()
        return journal


def _place_in_line(before: Deployment | None) -> str:
    place = 1
    while before is not None:
        place, before = place + 1, before.predecessor
    return f"-{place}" if place > 1 else ""


class _Runner:
    def __init__(self, rpc_url: str, deployer: Sender, plan: Plan, journal: Journal) -> None:
        self._ledger = EvmLedger(rpc_url, Deployment(journal.chain_id, journal.genesis, {}), unfinished=True)
        self._deployer = deployer
        self._plan = plan
        self._journal = journal

    def steps(self) -> Iterator[Step]:
        """Every step, in order; rows of `each` are made when their turn comes."""
        for source, raws in migration_steps(succeeds=self._plan.predecessor is not None):
            for raw in raws:
                for row in self._rows(raw.get("each")):
                    yield Step(
                        migration=source.name,
                        name=Template(raw["name"]).safe_substitute(row),
                        create=raw.get("create", ""),
                        placed=raw.get("as", raw.get("create", "")),
                        call=raw.get("call", ""),
                        arguments=tuple(self._value(each, row) for each in raw["arguments"]),
                    )

    def _rows(self, each: str | None) -> list[dict[str, Any]]:
        if each is None:
            return [{}]
        if each == "governance":
            return [
                {
                    "role": ROLES[role],
                    "account": account,
                    "delay": self._plan.delay if role in DELAYED_ROLES else 0,
                }
                for role, accounts in self._plan.governance.items()
                for account in accounts
                if self._plan.predecessor is None or role in OF_SUCCESSOR
            ]
        founders = self._plan.founders(self._journal.deployment())
        if each == "founders":
            return [
                {
                    "member": each.card.member,
                    "card": (each.card.member, each.card.key, each.card.organisation, each.card.version),
                    "signature": each.signature,
                    "agreement": each.agreement,
                    "kinds": each.kinds & ~GUARDED_KINDS,
                }
                for each in founders
            ]
        guarded = [(each.card.member, each.kinds & GUARDED_KINDS) for each in founders]
        return [{"member": member, "kinds": kinds} for member, kinds in guarded if kinds]

    def _value(self, raw: Any, row: Mapping[str, Any]) -> Any:
        if isinstance(raw, list):
            return [self._value(each, row) for each in raw]
        if not isinstance(raw, str):
            return raw
        kind, name = raw[:1], raw[1:]
        if kind == "@":
            return self._journal.contracts[name]
        if kind == "<":
            return self._plan.predecessor.contracts[name] if self._plan.predecessor else ZERO_ADDRESS
        if kind == "%":
            contract, function = name.split(".")
            return artifact(contract).functions[function].selector[:4]
        known = {
            **ROLES,
            "deployer": self._deployer.address,
            "genesis": self._journal.genesis,
            "retire_delay": self._plan.retire_delay,
            "emergency_length": self._plan.emergency_length,
            "review_period": self._plan.review_period,
            **row,
        }
        return known[name]

    def do(self, step: Step) -> int:
        """Do the step unless it is done; returns its gas."""
        record = self._journal.steps.get(step.name, {})
        if record.get("done"):
            return 0
        receipt = self._mined(record)
        if receipt is None:
            receipt = self._send(step)
        if step.create:
            created = address(_creation_address(self._deployer.address, self._journal.steps[step.name]["nonce"]))
            self._note(step.placed, created)
            self._journal.block = self._journal.block or receipt["blockNumber"]
            if step.placed == "ConsentRegistry" and self._plan.predecessor is not None:
                self._note("CarriedConsents", address(_creation_address(created, 1)))
        self._journal.steps[step.name]["done"] = True
        self._journal.save()
        return int(receipt["gasUsed"])

    def _note(self, name: str, created: Address) -> None:
        self._journal.contracts[name] = created
        self._journal.code[name] = keccak(bytes(self._ledger.web3.eth.get_code(created)))  # type: ignore[arg-type]

    def _mined(self, record: Mapping[str, Any]) -> Any | None:
        """The receipt of a transaction that an earlier run sent, if a block took it."""
        if "transaction" not in record:
            return None
        try:
            receipt = self._ledger.web3.eth.get_transaction_receipt(record["transaction"])
        except TransactionNotFound:
            return None
        return receipt if receipt["status"] == 1 else None

    def _send(self, step: Step) -> Any:
        if step.create:
            built = artifact(step.create)
            transaction: dict[str, Any] = {"data": built.bytecode + abi_encode(built.constructor, step.arguments)}
        else:
            contract, function = step.call.split(".")
            data = artifact(ARTIFACTS.get(contract, contract)).functions[function].encode(step.arguments)
            transaction = {"to": self._journal.contracts[contract], "data": data}

        def note(sent: Sent) -> None:
            self._journal.steps[step.name] = {"nonce": sent.nonce, "transaction": f"0x{sent.hashes[-1].hex()}"}
            self._journal.save()

        done = self._ledger.send_raw(transaction, self._deployer, before_sending=note)
        return self._ledger.web3.eth.get_transaction_receipt(done.transaction)  # type: ignore[arg-type]


def _creation_address(deployer: Address, nonce: int) -> str:
    """Where a contract lands: the last twenty bytes of keccak(rlp([sender, nonce])) (Yellow Paper, 7)."""
    return "0x" + keccak(rlp.encode([bytes.fromhex(deployer[2:]), nonce]))[12:].hex()


def migration_steps(*, succeeds: bool) -> Iterator[tuple[Any, list[dict[str, Any]]]]:
    """The steps of a first deployment, or of one that comes after another, file by file."""
    for source in migration_files():
        raw = tomllib.loads(source.read_text())
        if (raw.get("when") == "predecessor") == succeeds:
            yield source, raw["step"]


def migration_files() -> list[Any]:
    """The migrations in their order: from the wheel, or from the checkout."""
    packaged = resources.files("dtledger").joinpath("_migrations")
    folder: Any = packaged if packaged.is_dir() else Path(__file__).resolve().parents[2] / "migrations"
    return sorted((each for each in folder.iterdir() if each.name.endswith(".toml")), key=lambda each: each.name)
