"""Asking for consent and answering: what is granted is what was asked for or less, and what the ledger says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dtledger.client import Ask, Client, ConsentRequest, GrantState, RequestState, Terms
from dtledger.custody import KEPT_SECONDS, MOST_REQUESTS
from dtledger.errors import AccessDeniedError, InputError, UnreachableError
from dtledger.ledger import Call, Receipt, Sender
from dtledger.testing import Fault, World
from dtledger.testing.world import DAY
from dtledger.types import Period
from dtledger.vocabulary import Action, Kind, Purpose, Reason

pytestmark = pytest.mark.slow

WHY = "To see your nights before we change the dose."
ASK = Ask(("glucose", "meals"), (Purpose.TREAT, Purpose.COC), (Action.READ,), 30 * DAY, WHY)


@pytest.fixture
def world(dtledger_world: World) -> World:
    return dtledger_world


@pytest.fixture
def doctor(world: World) -> Client:
    return world.join("doctor", [Kind.CLINICIAN])


def ask(world: World, member: Client, ask: Ask = ASK, **how: Any) -> ConsentRequest:
    return member.consents.request(world.twin, ask, **how)[0]


def the(world: World, request: ConsentRequest) -> ConsentRequest:
    """As its owner reads it now."""
    return world.patient.consents.addressed(world.twin).the(request.id)


def state(member: Client) -> RequestState:
    """How the member's one request stands, as it sees that itself."""
    (request,) = member.consents.asked().requests
    return member.consents.request_state(request)


def whole(world: World, request: ConsentRequest) -> Terms:
    return request.ask.terms(world.clock())


# a request --------------------------------------------------------------------------------------------------------


def test_what_is_asked_comes_to_the_owner_as_it_was_written(world: World, doctor: Client) -> None:
    written = replace(ASK, data_from=7, data_until=11)
    request = ask(world, doctor, written)
    (read,) = world.patient.consents.pending(world.twin)
    assert (read.id, read.ask, read.member) == (request.id, written, doctor.address)
    assert (read.twin, read.owner, read.at) == (world.twin, world.patient.address, world.clock())
    assert state(doctor) is RequestState.PENDING


def test_asking_and_refusing_write_nothing_onto_the_ledger_and_nothing_into_the_store(
    world: World, doctor: Client
) -> None:
    before = len(world.ledger.history().logged), world.ledger.head(), len(world.store._blocks)
    request = ask(world, doctor)
    world.patient.consents.respond(the(world, request), reason="Not now.")
    assert (len(world.ledger.history().logged), world.ledger.head(), len(world.store._blocks)) == before


def test_a_request_reaches_its_owner_and_nobody_else(world: World, doctor: Client) -> None:
    ask(world, doctor)
    for other in (world.clinician, world.hospital, world.operator):
        assert other.consents.asked().requests == ()
        with pytest.raises(AccessDeniedError):
            other.consents.pending(world.twin)


@pytest.mark.parametrize(
    "change",
    [
        {"categories": ()},
        {"categories": ("glucos",)},
        {"categories": ("glucose", "glucose")},
        {"purposes": ()},
        {"actions": ()},
        {"actions": (Action.READ, Action.EMERGENCY)},
        {"actions": (Action.WRITE,)},
        {"seconds": 0},
        {"seconds": 101 * 366 * DAY},
        {"reason": " "},
        {"reason": "a" * 501},
        {"reason": "two\nlines"},
        {"data_from": 9, "data_until": 8},
        {"data_from": -1},
        {"data_until": 9},
        {"data_from": 2**33},
    ],
)
def test_what_makes_no_request_is_refused_before_it_is_written(change: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        replace(ASK, **change)


def test_the_longest_request_fits_into_a_letter(world: World, doctor: Client) -> None:
    from dtledger.vocabulary import CATEGORIES

    longest = Ask(
        tuple(each.name for each in CATEGORIES),
        tuple(Purpose),
        (Action.READ, Action.WRITE, Action.TRAIN),
        30 * DAY,
        "\U0001f600" * 500,
    )
    assert the(world, ask(world, doctor, longest)).ask == longest
    short = ask(world, doctor)
    assert {len(each.for_owner) for each in (short.letter, doctor.consents.asked().requests[0].letter)} == {5232}


def test_a_stranger_can_ask_for_nothing(world: World) -> None:
    with pytest.raises(AccessDeniedError) as caught:
        ask(world, world.operator)
    assert caught.value.reason is Reason.NOT_ENROLLED


def test_an_owner_asks_nobody(world: World, doctor: Client) -> None:
    twin, _ = world.operator.twins.mint(doctor.twins.request_mint())
    with pytest.raises(InputError, match="has no card"):
        world.clinician.consents.request(twin, ASK)
    doctor.twins.set_up(twin, [each.address for each in world.custodians], 2)
    with pytest.raises(InputError, match="ask nobody"):
        doctor.consents.request(twin, ASK)
    world.clinician.consents.request(twin, ASK)


# an answer --------------------------------------------------------------------------------------------------------


def test_a_yes_is_an_ordinary_grant(world: World, doctor: Client) -> None:
    request = ask(world, doctor, replace(ASK, data_from=world.readings[0].minute))
    done = world.patient.consents.respond(the(world, request), whole(world, request), reason="Gladly.")
    assert done.slot is not None
    assert done.receipt is not None
    assert len(doctor.read(world.twin, "glucose", "TREAT")) == len(world.readings)
    (asked,) = doctor.consents.asked().requests
    assert asked.answer is not None
    assert (asked.answer.yes, asked.answer.reason) == (True, "Gladly.")
    assert state(doctor) is RequestState.GRANTED
    assert world.patient.consents.pending(world.twin) == []
    granted = doctor.consents.granted_on(asked)
    assert granted is not None
    assert granted.slot == done.slot
    world.patient.consents.revoke(done.slot)
    granted = doctor.consents.granted_on(asked)
    assert granted is not None
    assert doctor.consents.state(granted) is GrantState.REVOKED


def test_a_no_is_told_with_its_reason_and_can_become_a_yes_and_a_no_again(world: World, doctor: Client) -> None:
    """All within one second of the clock: the newest counts all the same."""
    request = ask(world, doctor)
    consents = world.patient.consents
    consents.respond(the(world, request), reason="Not before my holidays.")
    (asked,) = doctor.consents.asked().requests
    assert asked.answer is not None
    assert (asked.answer.yes, asked.answer.reason) == (False, "Not before my holidays.")
    assert state(doctor) is RequestState.DENIED
    assert consents.pending(world.twin) == []
    assert not doctor.explain(world.twin, "glucose", "TREAT").permits
    slot = consents.respond(the(world, request), whole(world, request)).slot
    assert state(doctor) is RequestState.GRANTED
    assert doctor.explain(world.twin, "glucose", "TREAT").permits
    assert slot is not None
    consents.revoke(slot)
    consents.respond(the(world, request), reason="I changed my mind.")
    assert state(doctor) is RequestState.DENIED
    consents.respond(the(world, request), whole(world, request))
    assert state(doctor) is RequestState.GRANTED


def test_an_answer_may_give_less_and_never_more(world: World, doctor: Client) -> None:
    now = world.clock()
    request = the(world, ask(world, doctor, replace(ASK, data_from=now // 60 - 600)))
    asked = whole(world, request)
    longer = replace(asked, expires_at=asked.expires_at + 1)
    more = {
        "categories": replace(asked, categories=("glucose", "sleep")),
        "purposes": replace(asked, purposes=(Purpose.HRESCH,)),
        "actions": replace(asked, actions=(Action.READ, Action.TRAIN)),
        "time": replace(longer, data=asked.data),
        "data": replace(asked, data=Period(asked.data.start - 1, asked.data.end)),
    }
    for name, terms in more.items():
        with pytest.raises(InputError, match=f"more than was asked for: {name}\\."):
            world.patient.consents.respond(request, terms)
    assert state(doctor) is RequestState.PENDING, "nothing was answered"
    less = Terms(("glucose",), (Purpose.TREAT,), (Action.READ,), now, now + DAY, Period(now // 60, now // 60 + 60))
    world.patient.consents.respond(request, less)
    assert doctor.explain(world.twin, "glucose", "TREAT").permits
    assert not doctor.explain(world.twin, "meals", "TREAT").permits


def test_whoever_answers_past_the_hour_gives_what_was_shown(world: World, doctor: Client) -> None:
    request = the(world, ask(world, doctor))
    shown = whole(world, request)
    world.clock.advance(3600)
    world.patient.consents.respond(request, shown)
    assert state(doctor) is RequestState.GRANTED


def test_a_yes_that_is_in_force_is_not_given_twice(world: World, doctor: Client) -> None:
    request = ask(world, doctor)
    slot = world.patient.consents.respond(the(world, request), whole(world, request)).slot
    with pytest.raises(InputError, match="in force"):
        world.patient.consents.respond(the(world, request), whole(world, request))
    assert slot is not None
    assert [each.slot for each in doctor.consents.received()] == [slot]
    world.patient.consents.revoke(slot)
    assert world.patient.consents.respond(the(world, request), whole(world, request)).slot == slot


def test_a_yes_that_broke_off_before_its_grant_waits_and_is_given_once(
    world: World, doctor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = ask(world, doctor)

    def die(call: Call, sender: Sender) -> Receipt:
        raise UnreachableError("the node is gone")

    with monkeypatch.context() as patch:
        patch.setattr(world.ledger, "send", die)
        with pytest.raises(UnreachableError):
            world.patient.consents.respond(the(world, request), whole(world, request))
    assert state(doctor) is RequestState.AGREED, "told for what it is: no grant"
    assert not doctor.explain(world.twin, "glucose", "TREAT").permits
    (again,) = world.patient.consents.pending(world.twin)
    world.patient.consents.respond(again, whole(world, again))
    assert state(doctor) is RequestState.GRANTED
    assert len(doctor.consents.received()) == 1


def test_a_yes_that_no_custodian_takes_grants_nothing(world: World, doctor: Client) -> None:
    request = the(world, ask(world, doctor))
    for each in world.custodians:
        each.fault = Fault.DEAD
    with pytest.raises(UnreachableError):
        world.patient.consents.respond(request, whole(world, request))
    assert doctor.consents.received() == []


# time, numbers, custodians ----------------------------------------------------------------------------------------


def test_an_expired_request_can_be_refused_and_not_granted(world: World, doctor: Client) -> None:
    request = ask(world, doctor, lasts=DAY)
    world.clock.advance(DAY - 1)
    assert state(doctor) is RequestState.PENDING
    world.clock.advance(1)
    assert state(doctor) is RequestState.EXPIRED
    assert world.patient.consents.pending(world.twin) == []
    with pytest.raises(InputError, match="expired"):
        world.patient.consents.respond(the(world, request), whole(world, request))
    world.patient.consents.respond(the(world, request))
    assert state(doctor) is RequestState.DENIED


def test_a_month_later_nobody_has_a_request_any_more(world: World, doctor: Client) -> None:
    ask(world, doctor, lasts=KEPT_SECONDS)
    world.clock.advance(KEPT_SECONDS - 1)
    assert len(world.patient.consents.pending(world.twin)) == 1
    world.clock.advance(1)
    assert world.patient.consents.addressed(world.twin).requests == doctor.consents.asked().requests == ()
    ask(world, doctor)
    assert [len(each.mail.of_twin(world.twin)) for each in world.custodians] == [1, 1, 1]
    with pytest.raises(InputError, match="at most 30 days"):
        ask(world, doctor, lasts=KEPT_SECONDS + 1)


def test_one_member_may_ask_three_times_a_month_however_often_it_is_refused(world: World, doctor: Client) -> None:
    for _ in range(MOST_REQUESTS):
        world.patient.consents.respond(the(world, ask(world, doctor, lasts=60)))
    with pytest.raises(AccessDeniedError, match="asked 3 times"):
        ask(world, doctor)
    ask(world, world.clinician)
    world.clock.advance(KEPT_SECONDS)
    ask(world, doctor)


@pytest.mark.parametrize("dead", [0, 1, 2])
def test_one_custodian_that_answers_is_enough(world: World, doctor: Client, dead: int) -> None:
    others = [each for each in world.custodians if each is not world.custodians[dead]]
    for each in others:
        each.fault = Fault.DEAD
    request, delivery = doctor.consents.request(world.twin, ASK)
    assert (delivery.taken, set(delivery.faults)) == (
        (world.custodians[dead].address,),
        {each.address for each in others},
    )
    for each in others:
        each.fault = None
    account = world.patient.consents.addressed(world.twin)
    assert (len(account.requests), account.faults) == (1, {})
    world.patient.consents.respond(account.the(request.id))
    assert state(doctor) is RequestState.DENIED


def test_silence_of_all_custodians_is_never_an_empty_list(world: World, doctor: Client) -> None:
    ask(world, doctor)
    for each in world.custodians:
        each.fault = Fault.DEAD
    for attempt in (
        lambda: world.patient.consents.pending(world.twin),
        doctor.consents.asked,
        lambda: ask(world, doctor),
    ):
        with pytest.raises(UnreachableError):
            attempt()
    world.custodians[0].fault = None
    account = world.patient.consents.addressed(world.twin)
    assert len(account.requests) == 1
    assert set(account.faults) == {each.address for each in world.custodians[1:]}


def test_an_answer_is_in_nobody_s_way_when_a_custodian_missed_it(world: World, doctor: Client) -> None:
    """The newest answer counts, whichever custodian has it."""
    request = ask(world, doctor)
    world.patient.consents.respond(the(world, request))
    world.custodians[0].fault = Fault.DEAD
    world.patient.consents.respond(the(world, request), whole(world, request))
    world.custodians[0].fault = None
    assert state(doctor) is RequestState.GRANTED
    assert world.patient.consents.pending(world.twin) == []


def test_a_key_that_was_changed_since_opens_what_was_sealed_to_the_former_one(world: World, doctor: Client) -> None:
    from dtledger.crypto.seal import SealKey

    request = ask(world, doctor)
    for client in (world.patient, doctor):
        client.context.key.update(lambda held: held.with_seal_key(SealKey.generate()))
    world.patient.consents.respond(the(world, request))
    assert state(doctor) is RequestState.DENIED


@pytest.mark.parametrize("reason", [Reason.BLOCKED, Reason.SUSPENDED], ids=["blocked", "suspended"])
@pytest.mark.parametrize("whose", ["its own", "its organisation's"])
def test_who_is_blocked_or_suspended_meanwhile_is_not_shown_and_not_granted(
    world: World, reason: Reason, whose: str
) -> None:
    nurse = world.join("nurse", [Kind.CLINICIAN], world.hospital)
    request = the(world, ask(world, nurse))
    who = (nurse if whose == "its own" else world.hospital).address
    if reason is Reason.BLOCKED:
        world.patient.consents.block(world.twin, who)
    else:
        world.operator.members.suspend(who)
    assert world.patient.consents.addressed(world.twin).requests == ()
    for attempt in (
        lambda: world.patient.consents.respond(request, whole(world, request)),
        lambda: ask(world, nurse),
    ):
        with pytest.raises(AccessDeniedError) as caught:
            attempt()
        assert caught.value.reason is reason


def test_who_is_unblocked_is_shown_and_can_be_granted_to_again(world: World, doctor: Client) -> None:
    request = ask(world, doctor)
    world.patient.consents.block(world.twin, doctor.address)
    world.patient.consents.unblock(world.twin, doctor.address)
    world.patient.consents.respond(the(world, request), whole(world, request))
    assert state(doctor) is RequestState.GRANTED


def test_data_that_would_begin_after_the_grant_has_ended_cannot_be_asked_for(world: World, doctor: Client) -> None:
    beyond = (world.clock() + ASK.seconds) // 60
    with pytest.raises(InputError, match="end before they begin"):
        ask(world, doctor, replace(ASK, data_from=beyond + 1))
    ask(world, doctor, replace(ASK, data_from=beyond))
