"""What the ledger's node says: the chain, its head, who one is there, and the custodians."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing

from ..._backend.evm import EvmLedger
from ..._backend.http_gateway import HttpGateway
from ..._backend.inquiries import heartbeats_left
from ..._backend.migrations import read_journal
from ..._backend.node import connect, identity
from ...config import DEVNET, Settings, redact_url
from ...encoding import sha256
from ...errors import DtledgerError, UnreachableError
from ...types import Address
from ...vocabulary import Kind
from ..embedded import Embedded, unlock_custodian
from ..opening import index_place
from ..services import Services
from .check import Check, State
from .machine import KeyFound

__all__ = [
    "account",
    "chain",
    "clock",
    "custodian",
    "custodians",
    "deployment",
    "head",
    "index",
    "member",
    "node",
    "relays",
]

TIMEOUT = 5.0
"""Seconds that a node may be silent."""

SKEW_SECONDS = 15
"""How far a head may lie ahead of this machine's clock before it is the clock that is wrong."""

HEARTBEATS = 1_000
"""A custodian that can pay for fewer is running low: with a reader a minute that is less than a day."""


def deployment(settings: Settings) -> Check:
    """The record of the contracts. Raises InputError if there is none, DtledgerError if it is not finished."""
    path = settings.deployment_path
    if settings.profile == DEVNET and not path.exists():
        raise DtledgerError("There is no devnet in this home yet.", hint="Make it: dtledger devnet up")
    journal = read_journal(path)
    if not journal.complete:
        raise DtledgerError(
            f"The deployment at {path} is not finished: some of its steps are still to be done.",
            hint="Run `dtledger deploy` again; it goes on where it stopped.",
        )
    return Check("deployment", State.OK, f"{journal.deployment().id}, finished")


def node(settings: Settings) -> Check:
    """Raises UnreachableError if it does not answer."""
    chain_id, _ = identity(connect(settings.rpc_url, TIMEOUT))
    return Check("node", State.OK, f"{redact_url(settings.rpc_url)} answers for chain {chain_id}")


def chain(ledger: EvmLedger) -> Check:
    """Raises ChainMismatchError if chain, genesis, code or governance are not the deployment's."""
    members = len(ledger.view().members())
    genesis = ledger.deployment.genesis.hex()[:16]
    return Check("chain", State.OK, f"genesis {genesis}… and the contracts' code as deployed; {members} members")


def index(settings: Settings, ledger: EvmLedger) -> Check:
    """The database of what was read of the ledger. Raises UnreachableError if it does not answer."""
    head = ledger.catch_up()
    return Check("index", State.OK, f"up to block {head.number}, in {index_place(settings, ledger.deployment)}")


def head(ledger: EvmLedger, limit: int, now: int) -> Check:
    """`limit` is the setting `max_head_age`, in seconds."""
    tip = ledger.tip()
    age = now - tip.head.at
    text = f"block {tip.head.number}, {max(age, 0)} s old"
    if tip.final.block != tip.head.number:
        text += f"; up to block {tip.final.block} final"
    if age <= limit:
        return Check("head", State.OK, text)
    if ledger.deployment.is_development:
        return Check("head", State.OK, f"{text}: an idle development chain; a custodian's heartbeat renews it")
    return Check(
        "head",
        State.WARNING,
        f"{text}, older than max_head_age ({limit} s)",
        "Normal on a chain that makes blocks only for transactions; else see whether the node is in step.",
    )


def clock(ledger: EvmLedger, now: int) -> Check:
    """This machine's clock against the newest block's, which only shows when it is behind."""
    ahead = ledger.head().at - now
    if ahead <= SKEW_SECONDS:
        return Check("clock", State.OK, "not behind the newest block")
    return Check(
        "clock",
        State.WARNING,
        f"the newest block is {ahead} s ahead of this machine's clock",
        "Set the clock, unless the chain's was moved on: grants begin and end by both.",
    )


def member(ledger: EvmLedger, found: KeyFound) -> Check:
    """Whether the key is enrolled, as what, and with the key to seal to that its file has."""
    view = ledger.view()
    present = view.member(found.address) if found.address else None
    if present is None or found.address is None:
        return Check("member", State.OK, "this key is not enrolled: enough for a patient, not for others")
    if present.suspended:
        return Check("member", State.WARNING, "this key is suspended", "Ask a steward: dtledger member reinstate")
    if found.key and view.key_digest(found.address) != sha256(found.key.seal_key.public):
        return Check(
            "member",
            State.WARNING,
            "the ledger names another key to seal to than this key file has: new grants will not open",
            "Run: dtledger member rekey",
        )
    kinds = ", ".join(each.name for each in Kind if present.kinds & each.mask)
    of = f" of {present.organisation}" if present.organisation else ""
    return Check("member", State.OK, f"enrolled{f' as {kinds}' if kinds else ''}{of}")


def account(settings: Settings, ledger: EvmLedger, found: KeyFound) -> Check:
    """Whether the key can pay for transactions, or need not."""
    if found.address is None:
        return Check("account", State.SKIPPED, "not looked at: the key's address is not known before it is unlocked")
    left = heartbeats_left(ledger, found.address)
    if left is None:
        return Check("account", State.OK, "transactions are free on this chain")
    if left < 1 and settings.relays:
        return Check("account", State.OK, "empty: the relays carry what this key signs")
    if left < 1:
        return Check("account", State.WARNING, "this key cannot pay for a transaction", _fund(ledger))
    return Check("account", State.OK, f"can pay for about {left:,} of the smallest transactions")


def relays(settings: Settings) -> Check:
    """The relays of the profile. Raises UnreachableError if none of them answers."""
    silent: list[str] = []
    for url in settings.relays:
        try:
            with closing(HttpGateway(url, TIMEOUT)) as gateway:
                gateway.status()
        except DtledgerError as error:
            silent.append(f"{redact_url(url)} ({error.message})")
    answer = len(settings.relays) - len(silent)
    if not answer:
        raise UnreachableError(f"None of the relays answers: {'; '.join(silent)}.", hint="Ask their operators.")
    return _of_several("relays", f"{answer} of {len(settings.relays)} answer", silent)


def custodians(settings: Settings, ledger: EvmLedger, now: Callable[[], int]) -> Check:
    """The custodians of the profile. Raises DtledgerError if there are none, or none that answers."""
    if not settings.embedded:
        return _services(settings, ledger)
    here = Embedded(settings.home, ledger, now, settings.max_head_age)
    if not here:
        raise DtledgerError("There is no custodian in this home.", hint="Run: dtledger devnet up")
    text = f"{len(here)} in this process: a show of the second lock, for development only"
    return Check("custodians", State.OK, text)


def _services(settings: Settings, ledger: EvmLedger) -> Check:
    services = Services(settings.custodians, ledger.deployment)
    answer = len(services)
    silent = [f"{redact_url(url)} ({error.message})" for url, error in services.faults.items()]
    if not answer:
        raise UnreachableError(f"None of the custodians answers: {'; '.join(silent)}.")
    return _of_several("custodians", f"{answer} of {len(settings.custodians)} answer, as services", silent)


def _of_several(name: str, text: str, silent: Sequence[str]) -> Check:
    if not silent:
        return Check(name, State.OK, text)
    return Check(name, State.WARNING, f"{text}; not {'; '.join(silent)}", "Ask their operators.")


def custodian(settings: Settings, ledger: EvmLedger, name: str) -> Check:
    """One embedded custodian: unlocks, enrolled, and able to pay for heartbeats."""
    address: Address = unlock_custodian(settings.home, name).address
    present = ledger.view().member(address)
    if present is None or present.suspended or not present.kinds & Kind.CUSTODIAN.mask:
        state = "suspended" if present and present.suspended else "not enrolled as CUSTODIAN"
        return Check(name, State.WARNING, f"{address} is {state}", "Let governance mend that, or leave it out.")
    left = heartbeats_left(ledger, address)
    if left is None:
        return Check(name, State.OK, f"{address}, enrolled; its heartbeats are free")
    if left < 1:
        return Check(name, State.FAILED, f"{address} cannot pay for a heartbeat", _fund(ledger), 1)
    if left < HEARTBEATS:
        return Check(name, State.WARNING, f"{address} can pay for {left} heartbeats", _fund(ledger))
    return Check(name, State.OK, f"{address}, enrolled, with money for {left:,} heartbeats")


def _fund(ledger: EvmLedger) -> str:
    return "Run: dtledger devnet up" if ledger.deployment.is_development else "Send it some of the chain's currency."
