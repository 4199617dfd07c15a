"""`consent explain`: what the rule would say, why, and what would change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ...errors import DtledgerError
from ...vocabulary import Action, Reason
from .. import complete, times
from ..app import App
from ..command import verb
from ..words import CATEGORY, PURPOSE, Code, category_option, period_words
from .plain import research_lines

if TYPE_CHECKING:
    from ...client import Decision
    from ...types import Address


@verb(
    "explain",
    epilog="Examples: dtledger consent explain --who cardiology --category glucose --purpose TREAT · "
    "dtledger consent explain --who gateway --category glucose --action WRITE",
)
@click.option("--who", metavar="WHO", shell_complete=complete.contacts, help="By default yourself; the owner: anybody.")
@click.option("--category", type=CATEGORY, help="What.")
@click.option("--purpose", type=PURPOSE, help="What for. Reading and training need one.")
@click.option(
    "--action",
    type=Code(["READ", "WRITE", "TRAIN"]),
    default="READ",
    show_default=True,
    help="What to do with it.",
)
@click.option("--since", metavar="TIME", help="Data from when: 24h, 2026-11-02. By default of this minute.")
@click.option("--until", metavar="TIME", help="Data up to when; a day counts whole.")
@click.option("--twin", type=click.IntRange(0), metavar="NUMBER", help="Which twin, if you have several.")
def explain(
    app: App,
    who: str | None,
    category: str | None,
    purpose: str | None,
    action: str,
    since: str | None,
    until: str | None,
    twin: int | None,
) -> None:
    """Say whether a request would be permitted now, on which grant, why not, and what would change it.

    No custodian is asked and no receipt is left. The grant that gets furthest in the rule is named. The exit code is
    0 whatever the answer is.
    """
    number = app.twin(twin)
    client = app.client
    now = client.context.clock()
    requester = app.resolve(who).address if who else client.address
    decision = client.explain(
        number,
        category_option(app, category),
        purpose,
        who=requester,
        since=times.beginning(since, now, app.zone) if since else None,
        until=times.end(until, now, app.zone) - 1 if until else now if since else None,
        action=action,
    )
    verdict = click.style("permitted", fg="green") if decision.permits else click.style("refused", fg="red")
    question = decision.question
    purpose_words = f" {question.purpose.text}" if question.purpose else ""
    app.show(
        f"{app.people.described(requester)}, {question.action.name} {question.category} of twin {number}"
        f"{purpose_words}: {verdict}"
    )
    app.show(f"  because    {decision.reason.text} ({decision.reason.name})")
    app.show(f"  data       {period_words(app, question.period)}")
    if decision.record:
        app.show(f"  grant      {app.people.grant(decision.record.slot)}, which gets furthest")
    obligations = _obligations(app, decision)
    for line in research_lines(obligations):
        app.show(line)
    change = remedy(app, decision)
    if change:
        app.show(f"  to change  {change}")
    app.data("decision", **_plain(app, decision, requester), research=list(obligations), remedy=change)


def _obligations(app: App, decision: Decision) -> tuple[str, ...]:
    """The research terms of the grant that is asked to train on, where this key can read them."""
    from ...client.research import research_of

    if decision.record is None or decision.question.action is not Action.TRAIN:
        return ()
    try:
        return research_of(app.client.context, decision.record)
    except DtledgerError as error:
        app.say(f"Its research terms cannot be read with this key: {error.message}")
        return ()


def _plain(app: App, decision: Decision, requester: Address) -> dict[str, Any]:
    question = decision.question
    return {
        "permits": decision.permits,
        "reason": decision.reason.name,
        "text": decision.reason.text,
        "twin": question.twin,
        "requester": app.people.plain(requester),
        "action": question.action.name,
        "purpose": question.purpose.name if question.purpose else None,
        "category": question.category,
        "data": times.minutes(question.period),
        "grant": app.people.grant(decision.record.slot) if decision.record else None,
    }


def remedy(app: App, decision: Decision) -> str | None:
    """What would turn a refusal into a permit, and who can do it."""
    question, record, reason = decision.question, decision.record, decision.reason
    if decision.permits:
        return None
    if question.requester == app.client.context.view().owner(question.twin) and question.action is Action.READ:
        return "an owner reads its own data for the purpose PATRQT"
    contact = app.people.contact(question.requester)
    who = (contact and contact.name) or question.requester
    purpose = f" --purpose {question.purpose.name}" if question.purpose else ""
    action = "" if question.action.name == "READ" else f" --action {question.action.name}"
    grant = (
        f"dtledger consent grant --twin {question.twin} --to {who} --category {question.category}{purpose}{action} "
        "--for 30d"
    )
    name = app.people.grant(record.slot) if record else ""
    by_owner = f"the owner grants it: {grant}"
    words = {
        Reason.TWIN_UNKNOWN: "name another twin",
        Reason.RETIRED: "the owner cancels the retirement while it is not final",
        Reason.FROZEN: "the freeze ends",
        Reason.NOT_ENROLLED: "it makes a card (`dtledger member card`), and a registrar enrols it: `member enrol CARD`",
        Reason.SUSPENDED: "whoever governs the registry reinstates it: dtledger member reinstate",
        Reason.BLOCKED: f"the owner lifts the block: dtledger consent unblock {who} --twin {question.twin}",
        Reason.EXPIRED: f"the owner renews it: dtledger consent renew {name} --for 30d",
        Reason.KIND: "a registrar gives it the kind that the action needs: dtledger help kinds",
        Reason.EMERGENCY_CLOSED: "an emergency is opened on the grant",
    }
    if reason is Reason.NOT_YET and record:
        return f"wait until {app.time(record.grant.not_before_at)}"
    if reason is Reason.PERIOD and record:
        return f"ask for data of {period_words(app, record.grant.data)}; or {by_owner} --history LENGTH"
    return words.get(reason, by_owner)
