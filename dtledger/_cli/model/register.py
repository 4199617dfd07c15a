"""`model register`: declare a model."""

from __future__ import annotations

from collections.abc import Sequence

import click

from ..app import App
from ..command import verb
from ..words import CATEGORY_OR_ALL, PURPOSE, categories_option, listed
from .plain import EPSILON, epsilon_words, plain_model, twins_words


@verb(
    "register",
    epilog="Example: dtledger model register cgm-forecast --purpose HRESCH --category glucose --cohort 5 --epsilon 3",
)
@click.argument("name")
@click.option("--purpose", type=PURPOSE, required=True, help="What for; the consents that count name it.")
@click.option(
    "--category", "categories", type=CATEGORY_OR_ALL, multiple=True, required=True, help="On what; may be repeated."
)
@click.option("--cohort", type=click.IntRange(1, 2**32 - 1), required=True, help="Least twins a site trains on.")
@click.option("--epsilon", type=EPSILON, required=True, help="Most privacy that one site spends on the model: ε.")
@click.option("--about", default="", metavar="TEXT", help="In words, for everybody to read.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what it would do; sign nothing.")
def register(
    app: App,
    name: str,
    purpose: str,
    categories: Sequence[str],
    cohort: int,
    epsilon: int,
    about: str,
    yes: bool,
    dry_run: bool,
) -> None:
    """Declare a model, as its coordinator. Its name and terms are public, and stand for ever.

    Sites then train it round by round (`model round`), each under the consents of its own patients (`model commit`).
    """
    from ...client import ModelCard
    from ...vocabulary import Purpose

    card, meant, names = ModelCard(name, about), Purpose[purpose.upper()], categories_option(categories)
    app.client.models.to_register(name)
    app.say(
        f"This declares the model {name}, trained {meant.text} ({meant.name}) on {listed(names)}; a site trains on at "
        f"least {twins_words(cohort)} a round and spends at most {epsilon_words(epsilon)} altogether. "
        "All of this is public."
    )
    if dry_run:
        app.say("Nothing was signed.")
        app.data("model", model=None, name=name, sent=None, dry_run=True)
        return
    app.confirm("Register it?", yes=yes)
    named, receipt = app.client.models.register(card, meant, names, cohort, epsilon)
    app.show(f"Registered: {name}, model {named.model.number}")
    app.data("model", **plain_model(app, named), sent=app.sent(receipt), dry_run=False)
