"""One custodian's order of work: each step, in order, and what whoever fails at it hears and leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from dtledger.client import Client, Terms
from dtledger.crypto import seal
from dtledger.custodian import core
from dtledger.custodian.core import FRESHNESS, MAX_SNAPSHOTS
from dtledger.custody import OwnerRequest, ReadRequest, SealedShare
from dtledger.errors import AccessDeniedError, IntegrityError
from dtledger.ledger import calls, messages, now
from dtledger.testing import MemoryKey, World
from dtledger.types import ZERO_ADDRESS, Digest, Period
from dtledger.vocabulary import Action, Kind, Purpose, Reason

from .asking import NO_CONSENT, Desk, heard, kept_keys

DAY = 86_400
OTHER = Digest(b"\7" * 32)


def steps(monkeypatch: pytest.MonkeyPatch, desk: Desk) -> list[str]:
    """The steps that the custodian takes from now on, by name."""
    taken: list[str] = []

    def spy(owner: Any, name: str, step: str) -> None:
        true = getattr(owner, name)

        def noted(*arguments: Any, **named: Any) -> Any:
            taken.append(step)
            return true(*arguments, **named)

        monkeypatch.setattr(owner, name, noted)

    spy(core.messages, "signer", "signature")
    spy(core.seal, "open_", "open")
    spy(now, "check", "rule")
    spy(core.seal, "seal_once", "seal")
    spy(desk.custodian.log, "by_nonce", "replay")
    spy(desk.custodian.log, "_take", "receipt")
    spy(desk.custodian, "_clock", "clock")
    return taken


def test_the_steps_come_in_their_order(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    request, shares = desk.request(), desk.shares()
    taken = steps(monkeypatch, desk)
    desk.custodian.open(request, shares)
    once = [step for place, step in enumerate(taken) if taken[place - 1 : place] != [step]]
    assert once == [
        "signature",
        "seal",  # to see whether one can seal to the request's key
        "clock",  # freshness
        "replay",
        "open",
        "rule",
        "replay",  # asked again, now that nobody else can write
        "receipt",
        "seal",
    ]


def test_what_is_made_of_a_one_use_key_is_not_kept(desk: Desk) -> None:
    before = kept_keys()
    for _ in range(3):
        desk.key = seal.SealKey.generate()
        assert desk.opened(desk.ask()) == len(desk.found)
    assert kept_keys() == before


# before the opening --------------------------------------------------------------------------------------------------


def in_order(desk: Desk) -> list[Digest]:
    return [each.digest for each in desk.found]


BEFORE: dict[str, tuple[str, Callable[[Desk], tuple[ReadRequest, Sequence[SealedShare]]]]] = {
    "a signature that is none": ("malformed", lambda desk: (replace(desk.request(), signature=b"x"), desk.shares())),
    "no signature": ("malformed", lambda desk: (replace(desk.request(), signature=b""), desk.shares())),
    "signed before it was changed": (
        "stranger",
        lambda desk: (replace(desk.request(), purpose=Purpose.HRESCH), desk.shares()),
    ),
    "signed by nobody known": ("stranger", lambda desk: (desk.request(MemoryKey("nobody")), desk.shares())),
    "too old": ("stale", lambda desk: (desk.request(at=desk.world.clock() - FRESHNESS - 1), desk.shares())),
    "from the future": ("stale", lambda desk: (desk.request(at=desk.world.clock() + FRESHNESS + 1), desk.shares())),
    "of before 1970": ("malformed", lambda desk: (replace(desk.request(), at=-1), desk.shares())),
    "of a time that no word holds": ("malformed", lambda desk: (replace(desk.request(), at=2**40), desk.shares())),
    "a nonce too short": ("malformed", lambda desk: (replace(desk.request(), nonce=bytes(31)), desk.shares())),
    "a nonce too long": ("malformed", lambda desk: (replace(desk.request(), nonce=bytes(33)), desk.shares())),
    "no snapshot": ("malformed", lambda desk: (desk.request(digests=()), [])),
    "a snapshot twice": (
        "malformed",
        lambda desk: (desk.request(digests=(in_order(desk)[0],) * 2), [desk.shares()[0]] * 2),
    ),
    "more snapshots than it takes": (
        "malformed",
        lambda desk: (
            desk.request(digests=tuple(number.to_bytes(32) for number in range(MAX_SNAPSHOTS + 1))),
            [SealedShare(Digest(number.to_bytes(32)), b"") for number in range(MAX_SNAPSHOTS + 1)],
        ),
    ),
    "a digest too short": (
        "malformed",
        lambda desk: (desk.request(digests=(bytes(31),)), [SealedShare(Digest(bytes(31)), b"")]),
    ),
    "two digests whose bytes are those of two others": (
        "malformed",
        lambda desk: (
            replace(desk.request(), digests=regrouped(desk)),
            [replace(share, digest=digest) for share, digest in zip(desk.shares(), regrouped(desk), strict=True)],
        ),
    ),
    "shares of other snapshots": (
        "malformed",
        lambda desk: (desk.request(), [replace(each, digest=OTHER) for each in desk.shares()]),
    ),
    "shares in another order": ("malformed", lambda desk: (desk.request(), desk.shares()[::-1])),
    "a share too few": ("malformed", lambda desk: (desk.request(), desk.shares()[1:])),
    "a share too many": ("malformed", lambda desk: (desk.request(), desk.shares() + desk.shares()[:1])),
    "no key": ("malformed", lambda desk: (desk.request(key=b""), desk.shares())),
    "a key too short": ("malformed", lambda desk: (desk.request(key=desk.key.public[:-1]), desk.shares())),
    "a key of X25519 alone": ("malformed", lambda desk: (desk.request(key=desk.key.public[-32:]), desk.shares())),
    "a key of ML-KEM alone": ("malformed", lambda desk: (desk.request(key=desk.key.public[:-32]), desk.shares())),
    "a key of low order": (
        "malformed",
        lambda desk: (desk.request(key=desk.key.public[:-32] + bytes(32)), desk.shares()),
    ),
    "a key that is not canonical": (
        "malformed",
        lambda desk: (desk.request(key=b"\xff" * 1184 + desk.key.public[-32:]), desk.shares()),
    ),
    "a slot that is none": ("malformed", lambda desk: (desk.request(number=8), desk.shares())),
    "to write": ("malformed", lambda desk: (desk.request(action=Action.WRITE), desk.shares())),
    "an emergency": ("malformed", lambda desk: (desk.request(action=Action.EMERGENCY), desk.shares())),
    "of nobody's grant": ("malformed", lambda desk: (desk.request(grantee=ZERO_ADDRESS), desk.shares())),
    "a twin below all": ("malformed", lambda desk: (replace(desk.request(), twin=-1), desk.shares())),
    "a twin above all": ("malformed", lambda desk: (replace(desk.request(), twin=2**256), desk.shares())),
}


def regrouped(desk: Desk) -> tuple[Digest, ...]:
    """The bytes of two digests, cut at another place: their hash in the signed message is the same."""
    one, other = in_order(desk)
    return Digest((one + other)[:31]), Digest((one + other)[31:])


@pytest.mark.parametrize("name", BEFORE)
def test_whoever_fails_before_the_opening_hears_no_consent_and_leaves_no_receipt(
    name: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    cause, make = BEFORE[name]
    request, shares = make(desk)
    taken = steps(monkeypatch, desk)
    with pytest.raises(AccessDeniedError) as caught:
        desk.custodian.open(request, shares)
    assert heard(caught.value) == NO_CONSENT
    assert not {"open", "rule", "receipt"} & set(taken)
    assert desk.custodian.turned_away == {cause: 1}
    assert not desk.custodian.log.entries
    monkeypatch.undo()
    assert desk.opened(desk.ask()) == 2, "the same request without its fault"


@pytest.mark.parametrize("off", [-FRESHNESS, -1, 0, 1, FRESHNESS])
def test_a_clock_that_is_off_by_no_more_than_the_freshness_is_no_fault(off: int, desk: Desk) -> None:
    assert desk.opened(desk.ask(desk.request(at=desk.world.clock() + off))) == 2


def test_a_malformed_signature_on_an_owner_s_request_is_no_consent(desk: Desk) -> None:
    world, patient = desk.world, desk.world.patient.address
    at = world.clock()
    for ask in (desk.custodian.twin_key, desk.custodian.receipts):
        for signature in (b"", bytes(65), b"\xff" * 65):
            with pytest.raises(AccessDeniedError) as caught:
                ask(OwnerRequest(world.twin, patient, at, signature))
            assert heard(caught.value) == NO_CONSENT
    digest = messages.receipts_request(world.ledger.deployment, world.twin, patient, desk.custodian.address, at)
    signature = world.patient.context.key.sign_digest(digest)
    assert desk.custodian.receipts(OwnerRequest(world.twin, patient, at, signature)) == []
    with pytest.raises(AccessDeniedError):
        desk.custodian.twin_key(OwnerRequest(world.twin, patient, at, signature))


# strangers by the rule -----------------------------------------------------------------------------------------------


def block(world: World, whom: Client) -> None:
    world.patient.consents.block(world.twin, whom.address)


def suspend(world: World, whom: Client) -> None:
    world.operator.members.suspend(whom.address)


def announce_retirement(world: World) -> None:
    world.ledger.send(calls.announce_retirement(world.twin), world.patient.context.key)


STRANGERS: dict[str, tuple[Reason, Callable[[World], Client | None]]] = {
    "never had a grant": (Reason.NO_GRANT, lambda world: world.join("curious", [Kind.CLINICIAN])),
    "of the same hospital": (Reason.NO_GRANT, lambda world: world.join("thief", [Kind.CLINICIAN], world.hospital)),
    "blocked": (Reason.BLOCKED, lambda world: block(world, world.clinician)),
    "its organisation is blocked": (Reason.BLOCKED, lambda world: block(world, world.hospital)),
    "suspended": (Reason.SUSPENDED, lambda world: suspend(world, world.clinician)),
    "its organisation is suspended": (Reason.SUSPENDED, lambda world: suspend(world, world.hospital)),
    "the twin is to be retired": (Reason.RETIRED, announce_retirement),
}


@pytest.mark.parametrize("name", STRANGERS)
def test_whom_the_rule_does_not_know_hears_the_same_and_leaves_a_receipt_of_the_denial(
    name: str, world: World, desk: Desk
) -> None:
    assert desk.opened(desk.ask()) == 2
    reason, prepare = STRANGERS[name]
    desk.who = prepare(world) or desk.who
    with pytest.raises(AccessDeniedError) as caught:
        desk.ask()
    assert heard(caught.value) == NO_CONSENT
    receipt = desk.custodian.log.entries[-1].receipt
    assert receipt.requester == desk.who.address
    assert [why for _, why in receipt.refused] == [reason] * 2
    assert receipt.permitted == 0
    assert not desk.custodian.turned_away


@pytest.mark.parametrize("name", ["never had a grant", "blocked", "suspended"])
def test_a_stranger_s_seal_that_does_not_open_tells_it_nothing_more(name: str, world: World, desk: Desk) -> None:
    spoilt = [replace(each, sealed=each.sealed[:-1]) for each in desk.shares()]
    with pytest.raises(IntegrityError, match="not sealed to this custodian"):
        desk.ask(shares=spoilt)
    desk.who = STRANGERS[name][1](world) or desk.who
    with pytest.raises(AccessDeniedError) as caught:
        desk.ask(shares=spoilt)
    assert heard(caught.value) == NO_CONSENT
    assert desk.custodian.turned_away == {"shares": 1, "stranger": 1}


def test_a_former_owner_is_a_stranger(world: World, desk: Desk) -> None:
    desk.who, desk.slot = world.patient, replace(desk.slot, grantee=world.patient.address)
    owner = desk.request(purpose=Purpose.PATRQT)
    assert desk.opened(desk.ask(owner)) == 2
    key = MemoryKey("heir")
    deadline = world.clock() + 60
    message = messages.move(world.ledger.deployment, world.twin, key.address, 0, deadline)
    call = calls.move(world.twin, key.address, 0, deadline, b"", key.sign_digest(message))
    world.ledger.send(call, world.patient.context.key)
    with pytest.raises(AccessDeniedError) as caught:
        desk.ask(desk.request(purpose=Purpose.PATRQT))
    assert heard(caught.value) == NO_CONSENT
    assert desk.custodian.turned_away == {"stranger": 1}
    desk.who, desk.slot = world.client(key), replace(desk.slot, grantee=key.address)
    assert desk.opened(desk.ask(desk.request(purpose=Purpose.PATRQT))) == 2, "the present owner reads the old data"


# the opening ---------------------------------------------------------------------------------------------------------


def test_a_share_of_another_custodian_does_not_open(desk: Desk) -> None:
    theirs = desk.world.custodians[1]
    mine, desk.custodian = desk.custodian, theirs
    shares, desk.custodian = desk.shares(), mine
    with pytest.raises(IntegrityError, match="not sealed to this custodian"):
        desk.ask(shares=shares)


def test_a_share_under_another_snapshot_s_digest_is_refused(desk: Desk) -> None:
    """The header inside says what it is: a share that is permitted cannot be asked for under another's name."""
    one, other = desk.shares()
    swapped = [replace(one, sealed=other.sealed, hash=None), replace(other, sealed=one.sealed, hash=None)]
    with pytest.raises(IntegrityError, match="not what was asked for"):
        desk.ask(shares=swapped)
    assert not desk.custodian.log.entries


def test_a_share_of_another_twin_is_refused(world: World, desk: Desk) -> None:
    twin, _ = world.operator.twins.mint(world.patient.twins.request_mint())
    world.patient.twins.set_up(twin, [each.address for each in world.custodians], 2)
    with pytest.raises(AccessDeniedError):
        desk.ask(desk.request(twin=twin))
    terms = Terms(
        ("glucose",), (Purpose.TREAT,), (Action.READ,), world.clock(), world.clock() + DAY, Period(0, 2**30 - 1)
    )
    slot, _ = world.patient.consents.grant(twin, world.clinician.address, terms)
    with pytest.raises(IntegrityError, match="not sealed to this custodian"):
        desk.ask(desk.request(twin=twin, number=slot.number))
    assert desk.opened(desk.ask()) == 2
