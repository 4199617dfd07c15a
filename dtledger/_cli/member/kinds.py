"""`member kinds`: what a member is. Plain kinds by a registrar at once, guarded ones by a steward after the delay."""

from __future__ import annotations

from typing import Any

import click

from ...errors import InputError
from ...vocabulary.rights import GUARDED_KINDS
from .. import complete
from ..app import App
from ..command import Verb
from ..words import KIND
from . import options
from .authority import make_or_announce, require_role
from .person import Person, kinds_in, mask_of


@click.command("kinds", cls=Verb, epilog="Example: dtledger member kinds cardiology --add RESEARCHER --key operator")
@click.argument("who", shell_complete=complete.contacts)
@click.option("--add", type=KIND, multiple=True, help="A kind to give; may be said several times.")
@click.option("--remove", type=KIND, multiple=True, help="A kind to take away; may be said several times.")
@click.option("--cancel", is_flag=True, help="Take back what this key announced.")
@options.yes
@options.dry_run
@click.pass_obj
def kinds(
    app: App, who: str, add: tuple[str, ...], remove: tuple[str, ...], cancel: bool, yes: bool, dry_run: bool
) -> None:
    """Give WHO kinds, or take them away. `dtledger help kinds` says what each means.

    CUSTODIAN and EMERGENCY are guarded: a steward announces them by the first call and gives them by a second one,
    when the governance delay is over.
    """
    from ...ledger import calls
    from ...ledger.rejections import NotEnrolledError

    person = Person(app, app.client.context.view(), app.resolve(who).address)
    if person.member is None:
        raise NotEnrolledError({"member": person.address})
    if not add and not remove:
        raise click.UsageError("Name what to change: --add KIND or --remove KIND.")
    given, taken = mask_of(add), mask_of(remove)
    guarded = given & GUARDED_KINDS
    if guarded and (given != guarded or taken):
        raise click.UsageError(f"Add {' and '.join(kinds_in(guarded))} in a command of its own: it waits a delay.")
    if cancel and not guarded:
        raise click.UsageError("Only guarded kinds are announced; the others change at once.")
    if guarded:
        call = calls.add_guarded_kinds(person.address, guarded)
        what = f"the kind {' and '.join(kinds_in(guarded))} for {person.name}"
        outcome = make_or_announce(app, call, what, cancel=cancel, yes=yes, dry_run=dry_run)
    else:
        outcome = _set(app, person, (person.member.kinds | given) & ~taken, yes=yes, dry_run=dry_run)
    app.data("member-kinds", address=person.address, **outcome, dry_run=dry_run)


def _set(app: App, person: Person, mask: int, *, yes: bool, dry_run: bool) -> dict[str, Any]:
    from ...ledger import calls

    require_role(app, calls.set_kinds(person.address, mask))
    if person.member is not None and mask == person.member.kinds:
        raise InputError(f"{person.name} is {', '.join(person.kinds) or 'of no kind'} already.")
    after = ", ".join(kinds_in(mask)) or "of no kind"
    app.say(f"{person.name} is {', '.join(person.kinds) or 'of no kind'}; it becomes {after}.")
    sent = None
    if not dry_run:
        app.confirm("Change it?", yes=yes)
        sent = app.sent(app.client.members.set_kinds(person.address, mask))
    app.show(f"{person.name} {'would be' if dry_run else 'is'} {after}.")
    return {"state": "done", "due_at": None, "kinds": kinds_in(mask), "sent": sent}
