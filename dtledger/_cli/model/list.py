"""`model list`: which models there are."""

from __future__ import annotations

from ..app import App
from ..command import verb
from ..words import listed, table
from .plain import epsilon_words, plain_model


@verb("list", epilog="Example: dtledger model list")
def list_(app: App) -> None:
    """List every model on the ledger."""
    from ...client import trained_categories

    models, view = app.client.models.list(), app.client.context.view()
    rows = [
        [
            each.model.number,
            each.name,
            app.people.name(each.model.coordinator),
            listed(trained_categories(each.model)),
            len(view.rounds(each.model.number)),
            epsilon_words(each.model.budget),
        ]
        for each in models
    ]
    for line in table(["number", "name", "coordinator", "trained on", "rounds", "budget a site"], rows) if rows else []:
        app.show(line)
    if not rows:
        app.say("There is no model. A coordinator declares one: dtledger model register NAME")
    app.data("models", models=[plain_model(app, each) for each in models])
