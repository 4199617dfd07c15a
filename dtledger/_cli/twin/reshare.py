"""`twin reshare`: what was written before comes under other custodians, or under the keys that they have now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ...errors import DtledgerError
from .. import complete
from ..app import App
from ..command import verb
from ..words import listed

if TYPE_CHECKING:
    from ...custody import Destruction
    from ...snapshots.roster import Roster
    from ...types import Address


@verb(
    "reshare",
    epilog="Examples: dtledger twin reshare 7 --key ann   # a custodian lost its keys and is back · dtledger twin "
    "reshare 7 --custodian north --custodian south --key ann   # another set · dtledger twin reshare 7 "
    "--retire --key ann   # a day later",
)
@click.argument("twin", type=click.IntRange(0), required=False)
@click.option(
    "--custodian",
    "custodians",
    multiple=True,
    metavar="WHO",
    shell_complete=complete.contacts,
    help="Who holds shares from now on; may be repeated. By default those who do.",
)
@click.option("--threshold", type=click.IntRange(1, 255), help="How many of them open it. By default as many as now.")
@click.option("--retire", is_flag=True, help="Instead: let former custodians destroy what they held, and sign so.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would be shared anew or destroyed; sign and send nothing.")
def reshare(
    app: App,
    twin: int | None,
    custodians: Sequence[str],
    threshold: int | None,
    retire: bool,
    yes: bool,
    dry_run: bool,
) -> None:
    """Share a twin's second lock anew: onto other custodians, or onto the keys that the same ones have now.

    As many custodians as are needed now must answer, and all that are to hold it then. What was written stays as it
    was anchored; one new card names the custodians and where their shares lie. If this is interrupted, run it again
    and it goes on. A day later, --retire orders those who hold nothing that is needed any more to destroy their keys.
    """
    if retire and (custodians or threshold):
        raise click.UsageError("--retire goes alone.")
    number = app.twin(twin)
    app.client.context.require_owner(number)
    if retire:
        _retire(app, number, yes=yes, dry_run=dry_run)
        return
    resharing = app.client.resharing
    named = tuple(dict.fromkeys(app.resolve(each).address for each in custodians))
    plan = resharing.plan(number, named, threshold)
    app.say(f"{_words(app, plan.roster)}.")
    app.say(f"{plan.snapshots:,} of {plan.total:,} snapshots are to be shared anew.")
    if dry_run or not (plan.new or plan.snapshots):
        app.show("Nothing was signed." if dry_run else "Nothing is to be done.")
        _tell(app, number, plan.roster, snapshots=plan.snapshots, left=[], sent=[], dry_run=dry_run)
        return
    app.confirm(f"Share twin {number} anew?", yes=yes)
    with app.progress("sharing anew") as progress:
        done = resharing.reshare(number, named, threshold, progress=progress)
    for what, fault in done.left.items():
        app.warn(f"{what} stays as it was: {fault}")
    app.show(f"{done.snapshots:,} snapshots of twin {number} are shared anew.")
    app.say(f"From tomorrow on, former keys can go: dtledger twin reshare {number} --retire")
    left = [{"what": what, "error": fault.message} for what, fault in done.left.items()]
    sent = [app.sent(each) for each in done.receipts]
    _tell(app, number, done.roster, snapshots=done.snapshots, left=left, sent=sent, dry_run=False)


def _retire(app: App, twin: int, *, yes: bool, dry_run: bool) -> None:
    former = app.client.resharing.former(twin)
    for custodian, keys in former.items():
        app.say(f"{app.people.name(custodian)} has {len(keys)} key pairs that nothing needs any more.")
    if dry_run:
        app.show("Nothing was signed.")
        would = [{"custodian": app.people.plain(custodian), "keys": list(keys)} for custodian, keys in former.items()]
        app.data("twin-retired-keys", twin=twin, custodians=would, dry_run=True)
        return
    app.confirm(f"Let former custodians of twin {twin} destroy the keys that nothing needs any more?", yes=yes)
    said = app.client.resharing.retire(twin)
    for custodian, answer in said.items():
        app.show(f"{app.people.name(custodian)}: {_answer_words(answer)}")
    if not said:
        app.show("There is none.")
    app.data(
        "twin-retired-keys",
        twin=twin,
        custodians=[_plain_answer(app, custodian, answer) for custodian, answer in said.items()],
        dry_run=False,
    )


def _answer_words(answer: Destruction | DtledgerError) -> str:
    if isinstance(answer, DtledgerError):
        return f"{click.style('NOT', fg='red', bold=True)} {answer}"
    return f"signed that it destroyed {len(answer.keys)} key pairs"


def _plain_answer(app: App, custodian: Address, answer: Destruction | DtledgerError) -> dict[str, Any]:
    failed = isinstance(answer, DtledgerError)
    return {
        "custodian": app.people.plain(custodian),
        "destroyed": [] if isinstance(answer, DtledgerError) else list(answer.keys),
        "error": answer.message if isinstance(answer, DtledgerError) else None,
        "signed": not failed,
    }


def _words(app: App, roster: Roster) -> str:
    names = listed(app.people.name(each) for each in roster.custodians)
    return f"Roster {roster.version}: {names}; {roster.threshold} of them open it"


def _tell(app: App, twin: int, roster: Roster, **done: Any) -> None:
    custodians = [app.people.plain(each) for each in roster.custodians]
    plain = {"version": roster.version, "threshold": roster.threshold, "custodians": custodians}
    app.data("twin-reshared", twin=twin, roster=plain, **done)
