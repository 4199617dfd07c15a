"""Requests in plain language, and for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from ...errors import DtledgerError, IntegrityError
from .. import times
from ..app import App, rfc3339
from .plain import data_words, warned, who_what

if TYPE_CHECKING:
    from ...client import ConsentRequest, Delivery, Terms
    from ...types import Address


def asked_words(app: App, request: ConsentRequest, terms: Terms) -> str:
    """What would be granted if the whole of a request were granted now."""
    from ...ledger import Slot

    slot = Slot(request.owner, request.twin, request.member, 0)
    return f"{who_what(app, slot, terms)}: {data_words(app, terms)}"


def show_request(app: App, request: ConsentRequest) -> None:
    """One request with its answer, as either of its parties should read it."""
    from ...client import RequestState

    state = app.client.consents.request_state(request)
    terms = request.ask.terms(app.client.context.clock())
    length = times.span(request.ask.seconds)
    app.show(f"{request.id}  {state.value}")
    app.show(f"  asked    {app.time(request.at)} by {app.people.described(request.member)}")
    app.show(f"  for      {asked_words(app, request, terms)} (for {length}, if it is granted now)")
    app.show(f"  because  {request.ask.reason}")
    if request.answer:
        why = f": {request.answer.reason}" if request.answer.reason else ""
        app.show(f"  answer   {'yes' if request.answer.yes else 'no'}, {app.time(request.answer.at)}{why}")
    if state is RequestState.PENDING:
        app.show(f"  until    {app.time(request.expires_at)} it can be answered")
    if record := app.client.consents.granted_on(request):
        app.show(f"  grant    {app.people.grant(record.slot)}, {app.client.consents.state(record).value}")


def plain_request(app: App, request: ConsentRequest) -> dict[str, Any]:
    """A request for JSON."""
    consents, ask, answer = app.client.consents, request.ask, request.answer
    record = consents.granted_on(request)
    return {
        "request": request.id,
        "state": consents.request_state(request).value,
        "twin": request.twin,
        "owner": request.owner,
        "member": app.people.plain(request.member),
        "at": rfc3339(request.at),
        "answerable_until": rfc3339(request.expires_at),
        "categories": list(ask.categories),
        "purposes": [each.name for each in ask.purposes],
        "actions": [each.name for each in ask.actions],
        "seconds": ask.seconds,
        "data": {
            "from": None if ask.data_from is None else times.minute_at(ask.data_from),
            "until": None if ask.data_until is None else times.minute_at(ask.data_until),
        },
        "reason": ask.reason,
        "answer": answer and {"yes": answer.yes, "reason": answer.reason, "at": rfc3339(answer.at)},
        "grant": app.people.grant(record.slot) if record else None,
    }


def show_requests(app: App, twins: Sequence[int] | None, only: int | None = None) -> None:
    """What waits for an answer on these twins of one's own; without them, what one asked oneself, `only` on one twin
    if that is named."""
    consents = app.client.consents
    accounts = [consents.addressed(twin) for twin in twins] if twins is not None else [consents.asked()]
    requests = [each for account in accounts for each in account.requests]
    faults = {who: fault for account in accounts for who, fault in account.faults.items()}
    if twins is not None:
        requests = [each for each in requests if consents.waits(each)]
    requests = [each for each in requests if only in (None, each.twin)]
    for each in requests:
        show_request(app, each)
        if twins is not None:
            app.say(f"  To answer: dtledger consent respond {each.id} --twin {each.twin} --yes (or --no)")
    if not requests:
        app.say("No request waits for your answer." if twins is not None else "You asked nothing in the last 30 days.")
    warnings = warned(app, (_fault(app, who, each) for who, each in faults.items()))
    app.data("requests", requests=[plain_request(app, each) for each in requests], warnings=warnings)


def own_twins(app: App, twin: int | None) -> list[int]:
    """The twin named, or all of one's own.

    Raises:
        AccessDeniedError: this key does not own it.
    """
    if twin is None:
        return app.client.context.view().twins_of(app.client.address)
    app.client.context.require_owner(twin)
    return [twin]


def find(app: App, twins: Sequence[int], name: str) -> ConsentRequest:
    """The request of that name on one of these twins; what may hide it is said. Raises as `Requests.the`."""
    from ...client import Requests

    accounts = [app.client.consents.addressed(twin) for twin in twins]
    faults = {who: fault for account in accounts for who, fault in account.faults.items()}
    warned(app, (_fault(app, who, each) for who, each in faults.items()))
    return Requests(tuple(each for account in accounts for each in account.requests), faults).the(name)


def delivered(app: App, delivery: Delivery) -> dict[str, Any]:
    """Say how many custodians keep a letter; the same for JSON."""
    count = len(delivery.taken)
    app.say(click.style(f"{count} of {count + len(delivery.faults)} custodians keep it", dim=True))
    return {"kept_by": [app.people.plain(each) for each in delivery.taken], "not_kept_by": _plain(app, delivery.faults)}


def _plain(app: App, faults: Mapping[Address, DtledgerError]) -> list[dict[str, Any]]:
    return [{**app.people.plain(who), "why": each.message} for who, each in faults.items()]


def _fault(app: App, who: Address, error: DtledgerError) -> str:
    broken = "cannot be believed or read" if isinstance(error, IntegrityError) else "are not to be had"
    return f"letters of {app.people.full(who)} {broken}: {error.message}"
