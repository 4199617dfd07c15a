"""`model remediate`: a coordinator says what becomes of rounds under which consents were withdrawn."""

from __future__ import annotations

import click

from ..app import App
from ..command import verb
from .plain import find


@verb(
    "remediate",
    epilog='Examples: dtledger model remediate cgm-forecast --first 3 --retrain --reason "a consent of round 3" · '
    'dtledger model remediate cgm-forecast --first 3 --accept --reason "one of 4,000; the model is recalled in May"',
)
@click.argument("model")
@click.option("--first", type=click.IntRange(1), required=True, metavar="NUMBER", help="The first round it is of.")
@click.option(
    "--retrain/--accept",
    "retrained",
    default=None,
    help="Go back to what that round started from, and train anew; or leave in use what was made.",
)
@click.option("--reason", required=True, metavar="TEXT", help="Why, for everybody to read. Name no patient.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what it would do; sign nothing.")
def remediate(app: App, model: str, first: int, retrained: bool | None, reason: str, yes: bool, dry_run: bool) -> None:
    """Record what becomes of rounds under which consents were withdrawn, as the model's coordinator.

    It is of the rounds from --first to the newest that is finalised, and for what was withdrawn until now. With
    --retrain the next round starts from what --first started from; once it is finalised, what was withdrawn is in none
    of what the model goes on from. With --accept the aggregates stay in use. Neither makes weights forget that
    somebody has.
    """
    if retrained is None:
        raise click.UsageError("Say which: --retrain, or --accept.")
    named, models = find(app, model), app.client.models
    last = models.to_remediate(named.model, first, retrained)
    rounds = f"round {first}" if first == last else f"rounds {first} to {last}"
    app.say(
        f"This takes {named.name} back to what round {first} started from: nothing more is built on what {rounds} made."
        if retrained
        else f"This says that what {rounds} of {named.name} made stays in use, though consents under it were withdrawn."
    )
    told = {"model": named.model.number, "first": first, "last": last, "retrained": retrained, "reason": reason}
    if dry_run:
        app.say("Nothing was signed.")
        app.data("model-remediation", **told, sent=None, dry_run=True)
        return
    app.confirm("Record it?", yes=yes)
    _, receipt = models.remediate(named.model, first, retrained, reason)
    app.show(f"Recorded: {rounds} of {named.name} {'to be retrained' if retrained else 'accepted'}")
    app.data("model-remediation", **told, sent=app.sent(receipt), dry_run=False)
