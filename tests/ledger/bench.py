"""A ledger under test, real or in memory, with people to act on it and a clock that both obey."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from dtledger.errors import LedgerRejection
from dtledger.ledger import Call, Deployment, Ledger, Receipt, View, calls, messages
from dtledger.ledger.events import Card
from dtledger.policy import Grant
from dtledger.testing import Clock, MemoryChain, MemoryKey, MemoryLedger
from dtledger.types import ZERO_ADDRESS, Address, Digest, Head, Period
from dtledger.vocabulary import Action, Kind, Purpose

DAY = 86_400
GOVERNANCE_DELAY = DAY
RETIRE_DELAY = 2 * DAY

GOVERNANCE = {
    "ADMIN": "admin",
    "REGISTRAR": "registrar",
    "STEWARD": "steward",
    "SUSPENDER": "suspender",
    "MINTER": "minter",
}
PEOPLE = ("deployer", *GOVERNANCE.values(), "ann", "bob", "carrier", "clinician", "gateway", "hospital", "clinic")


@cache
def who(name: str) -> MemoryKey:
    """The same key for the same name, everywhere."""
    return MemoryKey(name, hashlib.sha256(name.encode()).digest())


def governance() -> dict[str, list[Address]]:
    return {role: [who(name).address] for role, name in GOVERNANCE.items()}


def digest(word: object) -> Digest:
    return Digest(hashlib.sha256(str(word).encode()).digest())


def card(version: int = 1) -> Card:
    key, roster, bits = (digest(f"{word} {version}") for word in ("key", "roster", "bits"))
    return Card(key, roster, bits, digest("index"), digest("recovery"), version, 1, 1, 1)


def terms(**changes: Any) -> Grant:
    """Glucose to treat, from 2001 to 2033."""
    fields = {
        "categories": 1 << 3,
        "purposes": Purpose.TREAT.mask,
        "not_before_at": 10**9,
        "expires_at": 2 * 10**9,
        "data": Period(1000, 2000),
        "actions": Action.READ.mask,
    }
    return Grant(**{**fields, **changes})


@dataclass
class Bench:
    """`arrange` is told the time of the next block before each transaction: each has a second of its own."""

    ledger: Ledger
    clock: Clock
    arrange: Callable[[int], None]
    poke: Callable[[str, tuple[Any, ...], int], None]
    """Sets a counter ("epoch", "blocks" or "twins") behind the contract's back, to where no test could count to."""

    @property
    def deployment(self) -> Deployment:
        return self.ledger.deployment

    @property
    def view(self) -> View:
        return self.ledger.view()

    @property
    def soon(self) -> int:
        """A deadline that a message may have."""
        return self.clock.at + 600

    def send(self, call: Call, by: str) -> Receipt:
        self.arrange(self.clock.advance(1))
        return self.ledger.send(call, who(by))

    def refuses(self, error: type[LedgerRejection], call: Call, by: str, **arguments: Any) -> None:
        """Assert that the call is refused so, with these arguments, and that nothing was written."""
        before = self.ledger.head()
        with pytest.raises(LedgerRejection) as caught:
            self.send(call, by)
        assert (type(caught.value), caught.value.evidence) == (error, arguments)
        assert self.ledger.head() == before

    # what most tests begin with --------------------------------------------------------------------------------

    def member_card(self, name: str, version: int = 0, organisation: str = "", key: str = "") -> calls.MemberCard:
        belongs_to = who(organisation).address if organisation else ZERO_ADDRESS
        return calls.MemberCard(who(name).address, digest(key or f"key of {name}"), belongs_to, version)

    def signed_card(self, fields: calls.MemberCard, by: str) -> bytes:
        return who(by).sign_digest(messages.member_card(self.deployment, fields))

    def agreement(self, organisation: str, member: str, version: int = 0) -> bytes:
        text = messages.agreement(self.deployment, who(organisation).address, who(member).address, version)
        return who(organisation).sign_digest(text)

    def enrol(self, name: str, *kinds: Kind, organisation: str = "") -> Receipt:
        fields = self.member_card(name, organisation=organisation)
        agreed = self.agreement(organisation, name) if organisation else b""
        mask = sum(kind.mask for kind in kinds)
        return self.send(calls.enrol(fields, self.signed_card(fields, name), agreed, mask), "registrar")

    def mint_call(self, patient: str, count: int = 0, signer: str = "", deadline: int = 0) -> Call:
        until = deadline or self.soon
        text = messages.mint(self.deployment, who(patient).address, count, until)
        return calls.mint(who(patient).address, count, until, who(signer or patient).sign_digest(text))

    def mint(self, patient: str, count: int = 0) -> int:
        """A new twin of the patient's; its number."""
        self.send(self.mint_call(patient, count), "minter")
        return max(self.view.twins_of(who(patient).address))

    def grant(self, twin: int, to: str, number: int = 0, by: str = "ann", **changes: Any) -> Receipt:
        return self.send(calls.grant(twin, who(to).address, number, terms(**changes), digest("package")), by)

    def announced(self, call: Call, by: str) -> None:
        """Announce a call that waits the delay, and wait it out."""
        self.send(calls.schedule(call), by)
        self.clock.advance(GOVERNANCE_DELAY)


def memory_bench(clock: Clock, deployment: Deployment | None = None, first: Head | None = None) -> Bench:
    chain = MemoryChain(
        governance(),
        delay=GOVERNANCE_DELAY,
        retire_delay=RETIRE_DELAY,
        clock=clock,
        deployment=deployment,
        first=first,
    )

    def poke(what: str, keys: tuple[Any, ...], value: int) -> None:
        chain.storage[(what, *keys)] = value

    return Bench(MemoryLedger(chain), clock, lambda at: None, poke)


def memory_line(clock: Clock) -> tuple[Bench, Bench]:
    """Two deployments of one line, in memory."""
    old = memory_bench(clock)
    assert isinstance(old.ledger, MemoryLedger)
    after = old.ledger.chain.succeed(governance(), delay=GOVERNANCE_DELAY, retire_delay=RETIRE_DELAY)
    return old, Bench(MemoryLedger(after), clock, lambda at: None, old.poke)
