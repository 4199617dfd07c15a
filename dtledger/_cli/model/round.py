"""`model round`: a coordinator opens a round, and finalises what was made of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from .. import complete
from ..app import App
from ..command import noun, verb
from .plain import FILE, chunks, epsilon_words, find, plain_round, twins_words, updates_words

round_ = noun("round", "A model's rounds, led by its coordinator: open, finalise.")


@verb(
    "open",
    epilog="Examples: dtledger model round open cgm-forecast --from first.bin · dtledger model round open cgm-forecast",
)
@click.argument("model")
@click.option("--from", "start", type=FILE, metavar="FILE", help="What the first round starts from: the first weights.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what it would do; sign nothing.")
def open_(app: App, model: str, start: Path | None, yes: bool, dry_run: bool) -> None:
    """Open a model's next round. The consents that stand at the end of its block are those that count.

    The first round starts from a file, whose hash alone is told; each later one from the aggregate before.
    """
    from ...client import digest_of

    named = find(app, model)
    digest = digest_of(chunks(start)) if start else None
    app.client.models.to_open(named.model, digest)
    number = len(app.client.context.view().rounds(named.model.number)) + 1
    app.say(f"This opens round {number} of {named.name}: sites train under the consents that stand then.")
    if dry_run:
        app.say("Nothing was signed.")
        app.data("model-round", model=named.model.number, round=number, sent=None, dry_run=True)
        return
    app.confirm("Open it?", yes=yes)
    opened, receipt = app.client.models.open_round(named.model, digest)
    app.show(f"Opened: round {opened.number} of {named.name}, in block {opened.block} at {app.time(opened.at)}")
    told = plain_round(app, opened, [], None)
    app.data("model-round", model=named.model.number, **told, sent=app.sent(receipt), dry_run=False)


@verb("finalise", epilog="Example: dtledger model round finalise cgm-forecast --file round-1.bin")
@click.argument("model")
@click.option("--file", type=FILE, required=True, metavar="FILE", help="What was made of the updates: the new weights.")
@click.option(
    "--without",
    multiple=True,
    metavar="SITE",
    shell_complete=complete.contacts,
    help="Whose update did not go into it; may be repeated.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what it would do; sign nothing.")
def finalise(app: App, model: str, file: Path, without: Sequence[str], yes: bool, dry_run: bool) -> None:
    """Close a model's round with what was made of its updates. Which went into it is told; the weights are not."""
    models, people = app.client.models, app.people
    named = find(app, model)
    left_out = [app.resolve(each).address for each in without]
    number, updates = models.to_finalise(named.model, left_out)
    app.say(f"This closes round {number.number} of {named.name} with {file}, made of {updates_words(len(updates))}:")
    for each in updates:
        app.say(f"  {people.described(each.site)}: {twins_words(each.cohort)}, {epsilon_words(each.epsilon)}")
    if dry_run:
        app.say("Nothing was signed.")
        app.data("model-round", model=named.model.number, round=number.number, sent=None, dry_run=True)
        return
    app.confirm("Finalise it?", yes=yes)
    record, receipt = models.finalise(named.model, chunks(file), left_out)
    app.show(
        f"Finalised: round {record.round} of {named.name}, {updates_words(len(updates))}, in block {receipt.block}"
    )
    view = app.client.context.view()
    made = view.aggregate(record.model, record.round)
    told = plain_round(app, number, view.updates(record.model, record.round), made)
    app.data("model-round", model=record.model, **told, sent=app.sent(receipt), dry_run=False)


for each in (open_, finalise):
    round_.add_command(each)
