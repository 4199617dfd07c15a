"""`index carried`: which twins of the deployment before have come over, and which have not."""

from __future__ import annotations

import click

from ...errors import InputError
from ..app import App
from ..command import verb

_SHOWN = 20


@verb("carried", epilog="Example: dtledger index carried --profile hospital-2   # the numbers of all: --json")
def carried(app: App) -> None:
    """Show how many twins of the deployment before have come over to this one, and which have not.

    Those that have not are read and written where they are. Only their owners can carry them over.
    """
    ledger = app.ledger
    history = ledger.history()
    if history.before is None:
        raise InputError(
            "No deployment comes before this one.", hint="Choose the profile of the one that twins are carried to."
        )
    head = ledger.head()
    before = history.before.at(head.number)
    here, there = app.settings.profile, ledger.deployment
    came: list[int] = []
    stay: list[int] = []
    elsewhere: list[int] = []
    ended: list[int] = []
    for twin in before.twins():
        left = before.successor(twin)
        if left == there.contracts["ConsentRegistry"]:
            came.append(twin)
        elif left is not None:
            elsewhere.append(twin)
        elif before.retired(twin):
            ended.append(twin)
        else:
            stay.append(twin)
    app.show(f"{len(came):,} of {len(came) + len(stay):,} twins have come over to {here}.")
    if stay:
        more = f" and {len(stay) - _SHOWN:,} more" if len(stay) > _SHOWN else ""
        numbers = ", ".join(map(str, stay[:_SHOWN]))
        app.show(f"{click.style('Not yet:', bold=True)} {numbers}{more}")
    if ended:
        app.say(f"{len(ended):,} are retired or to be, and do not come.")
    if elsewhere:
        app.say(f"{len(elsewhere):,} left for another deployment.")
    app.data(
        "index-carried",
        deployment=there.id,
        predecessor=there.predecessor.id if there.predecessor else None,
        block=head.number,
        carried=came,
        not_carried=stay,
        retired=ended,
        elsewhere=elsewhere,
    )
