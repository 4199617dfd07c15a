"""`model commit`: a site says what it trained, and under how many consents, before it sends anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from ..app import App
from ..command import verb
from ..consent.plain import research_lines
from .plain import EPSILON, FILE, chunks, epsilon_words, find, twins_words


@verb("commit", epilog="Example: dtledger model commit cgm-forecast --file update.bin --epsilon 0.5")
@click.argument("model")
@click.option("--file", type=FILE, required=True, metavar="FILE", help="The update, as it will be sent.")
@click.option("--epsilon", type=EPSILON, required=True, help="The privacy that it spends: ε.")
@click.option("--delta", type=click.FloatRange(0, 1, max_open=True), default=0.0, metavar="NUMBER",
              help="The δ at which that ε holds; it goes into your signed record. [0: none]")  # fmt: skip
@click.option(
    "--twin",
    "twins",
    type=click.IntRange(0),
    multiple=True,
    metavar="NUMBER",
    help="On which it was trained; may be repeated. [all whose consent counts]",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what it would do; sign nothing.")
def commit(
    app: App, model: str, file: Path, epsilon: int, delta: float, twins: Sequence[int], yes: bool, dry_run: bool
) -> None:
    """Commit to an update of a model's open round, as a site, before it is sent to anybody.

    The ledger gets a salted hash of the file, a root over one leaf a twin that only patient and site can derive, how
    many twins there are and the privacy that was spent. Each twin's owner must have let this site (or its organisation)
    TRAIN, for the model's purpose and on all its categories, when the round was opened.
    """
    training = app.client.training
    named = find(app, model)
    training.require_turn(named.model, epsilon)
    plan = training.plan(named.model, twins or None)
    plan.require_cohort()
    spent = app.client.context.view().spent(named.model.number, app.client.address) + epsilon
    app.say(
        f"This commits {file} to round {plan.round.number} of {named.name}: trained on {twins_words(len(plan.shown))} "
        f"under their consents, {epsilon_words(epsilon)} ({spent / 1000:g} of {named.model.budget / 1000:g} by then)"
        f"{f', δ {delta:g}' if delta else ''}."
    )
    for line in research_lines(plan.research):
        app.say(line)
    chosen = [each.trained.twin for each in plan.shown]
    told = {
        "model": named.model.number,
        "round": plan.round.number,
        "twins": chosen,
        "cohort": len(plan.shown),
        "epsilon": epsilon / 1000,
        "delta": delta,
        "research": list(plan.research),
    }
    if dry_run:
        app.say(f"Twins: {', '.join(map(str, chosen))}. Nothing was signed.")
        app.data("model-update", **told, update=None, consents=None, sent=None, dry_run=True)
        return
    app.confirm("Commit to it?", yes=yes)
    record, receipt = training.commit_to(plan, chunks(file), epsilon, delta)
    app.show(f"Committed: 0x{record.update.hex()}, {twins_words(record.cohort)}, {epsilon_words(record.epsilon)}")
    app.data(
        "model-update", **told, update=record.update, consents=record.consents, sent=app.sent(receipt), dry_run=False
    )
