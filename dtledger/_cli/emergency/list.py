"""`emergency list`: what was opened, and whether anybody looked at it."""

from __future__ import annotations

import click

from ..app import App
from ..command import verb
from ..words import table
from .plain import plain, row


@verb(
    "list",
    epilog="Examples: dtledger emergency list · dtledger emergency list --twin 7 --json · dtledger emergency list "
    "--overdue --all · dtledger emergency list --to-review --key auditor",
)
@click.option("--twin", type=click.IntRange(0), metavar="NUMBER", help="Only those on this twin.")
@click.option("--overdue", is_flag=True, help="Only those whose review is overdue.")
@click.option("--to-review", is_flag=True, help="Only those that this key may review.")
@click.option("--all", "every", is_flag=True, help="Everybody's, not only those that concern you.")
def list_(app: App, twin: int | None, overdue: bool, to_review: bool, every: bool) -> None:
    """List the emergencies that were opened: on your twins, by you or your organisation, and for you to review.

    Words stand below each, where they are sealed to you. An opening is waiting for its review, overdue, reviewed, or
    reviewed late.
    """
    from ...client import ReviewState

    emergencies = app.client.emergencies
    found = emergencies.openings(twin) if every else emergencies.concerning(twin)
    if to_review:
        found = [each for each in emergencies.reviewable() if twin in (None, each.opening.slot.twin)]
    if overdue:
        found = [each for each in found if each.state is ReviewState.OVERDUE]
    told = [plain(app, each) for each in found]
    if not found:
        app.say("No emergency was opened." if not overdue else "No review is overdue.")
    headings = ["opening", "time", "by", "grant", "cause", "open", "review"]
    lines = table(headings, [row(app, each) for each in found]) if found else []
    for line, said in zip(lines, [None, *told], strict=False):
        app.show(line)
        for words in _said(said) if said else ():
            app.show(f"         {words}")
    app.data("emergencies", openings=told)


def _said(told: dict[str, object]) -> list[str]:
    review = told["review"]
    words = [told["words"] or (f"(its words: {told['words_fault']})" if told["words_fault"] else None)]
    words += [review["words"]] if isinstance(review, dict) else []
    return [str(each) for each in words if each]
