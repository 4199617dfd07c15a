"""`model open`: a site shows an auditor under whose consents it trained."""

from __future__ import annotations

import click

from .. import complete
from ..app import App
from ..command import verb
from ..consent.plain import research_lines
from ..opening_log import note
from .plain import find, twins_words


@verb("open", epilog="Example: dtledger model open cgm-forecast --round 1 --to auditor")
@click.argument("model")
@click.option("--round", "number", type=click.IntRange(1), required=True, metavar="NUMBER", help="Which round.")
@click.option("--to", required=True, metavar="WHO", shell_complete=complete.contacts, help="The auditor: an AUDITOR.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what it would do; show nothing.")
def open_(app: App, model: str, number: int, to: str, yes: bool, dry_run: bool) -> None:
    """Show one of this site's rounds to an auditor: which twins, under which grants, and the salt of the update.

    It is signed, sealed to that auditor's key alone, put into the store (in several blocks if it is long), and noted in
    this home's log (`dtledger model openings`). Hand the auditor the word that is printed:
    dtledger audit model MODEL --opening WORD.
    """
    named = find(app, model)
    auditor = app.resolve(to).address
    told = {"model": named.model.number, "round": number, "auditor": app.people.plain(auditor)}
    opening = app.client.training.to_show(named.model, number, auditor)
    cohort = len(opening.shown)
    app.say(
        f"This shows {app.people.described(auditor)} the {twins_words(cohort)} that round {number} of {named.name} was "
        "trained on here, and under which grants."
    )
    terms = {term for each in opening.shown if each.research for term in each.research.terms}
    for line in research_lines(sorted(terms)):
        app.say(line)
    if dry_run:
        app.say("Nothing was shown.")
        app.data("model-opening", **told, opening=None, dry_run=True)
        return
    app.confirm("Show it?", yes=yes)
    word = str(app.client.training.show(opening, auditor))
    note(app, "shown", opening, auditor, word)
    app.show(word)
    app.data("model-opening", **told, opening=word, dry_run=False)
