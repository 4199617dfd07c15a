"""`model show`: a model's terms, rounds, updates and aggregates."""

from __future__ import annotations

import click

from ..app import App
from ..command import verb
from .plain import epsilon_words, find, plain_model, plain_remediation, plain_round, terms_words, twins_words


@verb("show", epilog="Example: dtledger model show cgm-forecast")
@click.argument("model")
def show(app: App, model: str) -> None:
    """Show a model: its terms, and of each round who committed what. `audit model` checks it."""
    named, view, people = find(app, model), app.client.context.view(), app.people
    number = named.model.number
    app.show(f"{named.name}, model {number} of {people.full(named.model.coordinator)}")
    if named.card and named.card.about:
        app.show(f"  {named.card.about}")
    app.show(f"  {terms_words(named)}")
    told = []
    for each in view.rounds(number):
        updates, made = view.updates(number, each.number), view.aggregate(number, each.number)
        state = f"finalised in block {made.block}: 0x{made.aggregate.hex()}" if made else "open"
        app.show(f"round {each.number}, opened in block {each.block} at {app.time(each.at)}, {state}")
        for update in updates:
            spent = epsilon_words(update.epsilon)
            app.show(f"  {people.name(update.site)}: {twins_words(update.cohort)}, {spent}, 0x{update.update.hex()}")
        told.append(plain_round(app, each, updates, made))
    remediations = view.remediations(number)
    for became in remediations:
        how = "to be retrained" if became.retrained else "accepted"
        app.show(f"rounds {became.first} to {became.last}: {how}, in block {became.block}")
    became_of = [plain_remediation(each) for each in remediations]
    app.data("model", **plain_model(app, named), rounds=told, remediations=became_of)
