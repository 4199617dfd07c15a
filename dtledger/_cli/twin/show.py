"""`twin show`: how a twin stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ...errors import DtledgerError, InputError
from .. import times
from ..app import App, rfc3339
from ..command import verb
from . import standing

if TYPE_CHECKING:
    from ...ledger import AnnouncedMove, TwinState
    from ...ledger.records import CardRecord
    from ...snapshots.roster import Roster
    from ...types import Address


@verb("show", epilog="Example: dtledger twin show 7")
@click.argument("twin", type=click.IntRange(0), required=False)
def show(app: App, twin: int | None) -> None:
    """Show a twin: owner, card, custodians, retirement, grants, and how old its newest data are.

    What the data are called and how old they are is shown for the categories that this key can name: the owner's
    all, a grantee's those of its grants in force. The deployment's six words are the same for everybody on it.
    """
    from ...contacts import fingerprint

    number = app.twin(twin)
    client, people = app.client, app.people
    view = client.context.view()
    owner = view.owner(number)
    if owner is None:
        raise InputError(f"There is no twin {number}.", hint="`dtledger twin list` shows those you have to do with.")
    cards = [each for each in view.cards(number) if each.owner == owner]
    present = view.card(number)
    roster = client.twins.roster(number) if present else None
    records = client.consents.records(number)
    live = [each for each in records if client.consents.is_live(each, view)]
    now = client.context.clock()
    newest = _newest(app, number)
    state = view.state(number)
    retire_at = view.retire_at(number)
    generation, cut = standing.generation(app, number, mine=owner == client.address)
    recovery = standing.recovery(app, number)

    deployment = client.context.deployment
    words = fingerprint(deployment.contracts["ConsentRegistry"], deployment.genesis)

    app.show(f"twin        {number}")
    app.show(f"deployment  {deployment.id} ({words}), profile {app.settings.profile}")
    app.show(f"owner       {people.name(owner)}" + (f", {owner}" if people.name(owner) != owner else ""))
    app.show(f"card        {_card_words(app, cards) if present else 'none: nothing can be written yet'}")
    behind, gone = _custody(app, number, roster, mine=owner == client.address)
    if roster:
        names = ", ".join(people.name(each) for each in roster.custodians)
        app.show(f"custodians  {roster.threshold} of {len(roster.custodians)} open a snapshot: {names}")
    if generation is not None:
        app.show(f"generation  {generation}" + (": not announced to everybody, run `twin rekey` again" if cut else ""))
    if recovery is not None:
        app.show(f"recovery    {standing.recovery_words(recovery)}")
    elif state.recovery_delay and owner == client.address:
        app.show(f"recovery    {standing.NO_RECOVERY}")
    app.show(
        f"left        for the deployment whose consents are at {state.successor}: nothing is permitted here any more"
        if state.successor
        else f"retirement  {_retirement_words(app, retire_at, now)}"
    )
    over = sum(each.grant.given for each in records) - len(live)
    app.show(f"grants      {len(live)} in force" + (f", {over} that permit nothing" if over else ""))
    for name, minute in newest.items():
        app.show(f"data        {name}: newest {_age_words(name, now - minute * 60)}")
    if not newest:
        app.show("data        none that this key can name")
    app.show(f"guardians   {_guardian_words(app, state, now)}")
    backed_up_at = client.context.key.secrets.backed_up_at if owner == client.address else None
    loss = standing.loss_words(bool(state.recovery_delay), recovery)
    if owner == client.address and backed_up_at is None and loss:
        app.warn(
            f"no backup holds all that this key needs, and {loss}.\n"
            "         Make one, and keep it elsewhere: dtledger key backup --to FILE"
        )
    app.data(
        "twin",
        twin=number,
        owner=people.plain(owner),
        mine=owner == client.address,
        deployment=deployment.id,
        deployment_fingerprint=words,
        card=_plain_card(cards),
        roster=_plain_roster(app, roster),
        generation=generation,
        rekeying=cut,
        reshare=behind,
        custodians_gone=[people.plain(each) for each in gone],
        recovery=standing.plain_recovery(recovery),
        retire_at=rfc3339(retire_at) if retire_at else None,
        successor=state.successor,
        grants={"live": len(live), "not_live": over},
        newest={name: times.minute_at(minute) for name, minute in newest.items()},
        guarded=bool(state.recovery_delay),
        frozen_until=rfc3339(state.frozen_until) if state.is_frozen(now) else None,
        move=_plain_move(app, state.move),
        backed_up_at=rfc3339(backed_up_at) if backed_up_at else None,
    )


def _custody(app: App, twin: int, roster: Roster | None, *, mine: bool) -> tuple[bool, list[Address]]:
    """Whether snapshots stand under another roster, and which custodians are none any more; an owner is told."""
    if roster is None:
        return False, []
    custody = app.client.resharing.custody
    behind, gone = custody.is_behind(twin), custody.gone(twin)
    if mine and gone:
        names = ", ".join(app.people.name(each) for each in gone)
        app.warn(f"no custodian any more: {names}. Name others: dtledger twin reshare {twin} --custodian WHO")
    if mine and behind:
        app.warn(f"what was written before is held by a former roster: dtledger twin reshare {twin}")
    return behind, gone


def _newest(app: App, twin: int) -> dict[str, int]:
    """What is not to be had (no store, a damaged index) is said, and hides nothing else."""
    try:
        return app.client.snapshots.newest(twin)
    except DtledgerError as error:
        app.warn(f"the data cannot be looked at: {error}")
        return {}


def _card_words(app: App, cards: list[CardRecord]) -> str:
    newest = cards[-1]
    card = newest.card
    versions = (
        f"key {card.key_version}, roster {card.roster_version}, custody index {card.custody_index_version}, "
        f"recovery {card.recovery_version}"
    )
    return f"version {len(cards)} ({versions}), set {app.time(newest.at)} in block {newest.block}"


def _plain_card(cards: list[CardRecord]) -> dict[str, Any] | None:
    if not cards:
        return None
    card = cards[-1].card
    return {
        "version": len(cards),
        "block": cards[-1].block,
        "at": rfc3339(cards[-1].at),
        "key_version": card.key_version,
        "roster_version": card.roster_version,
        "custody_index_version": card.custody_index_version,
        "recovery_version": card.recovery_version,
    }


def _plain_roster(app: App, roster: Roster | None) -> dict[str, Any] | None:
    if roster is None:
        return None
    custodians = [app.people.plain(each) for each in roster.custodians]
    return {"version": roster.version, "threshold": roster.threshold, "custodians": custodians}


def _retirement_words(app: App, retire_at: int, now: int) -> str:
    if not retire_at:
        return "none announced"
    tense = "final since" if retire_at <= now else "announced, and nothing can be read; final from"
    return f"{tense} {app.time(retire_at)}"


def _guardian_words(app: App, state: TwinState, now: int) -> str:
    words = [f"a move by them waits {times.span(state.recovery_delay)}" if state.recovery_delay else "none"]
    if state.is_frozen(now):
        words.append(f"FROZEN until {app.time(state.frozen_until)}")
    if state.move:
        veto = "cannot be vetoed" if state.move.binding and state.is_frozen(now) else "dtledger twin recover veto"
        words.append(f"MOVES to {app.people.name(state.move.to)} from {app.time(state.move.ready_at)} on ({veto})")
    return "; ".join(words)


def _plain_move(app: App, move: AnnouncedMove | None) -> dict[str, Any] | None:
    if move is None:
        return None
    return {"to": app.people.plain(move.to), "ready_at": rfc3339(move.ready_at), "binding": move.binding}


def _age_words(name: str, seconds: int) -> str:
    from ...vocabulary import category

    return f"{times.span(max(seconds, 0))} old" + (", STALE" if category(name).is_stale(seconds) else "")
