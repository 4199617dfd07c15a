"""`model openings`: what was opened to whom, as this home's keys have kept account of it."""

from __future__ import annotations

from datetime import datetime

from ...types import Address
from ..app import App
from ..command import verb
from ..opening_log import lines
from ..words import table


@verb("openings", epilog="Example: dtledger model openings")
def openings(app: App) -> None:
    """List each opening that a key of this home showed (`model open`) or was shown (`audit model --opening`).

    Who was trained on is health data, so both sides keep account of it, in the home. A line that was taken out or
    changed is an error.
    """
    told = lines(app)
    rows = [
        [
            app.time(datetime.fromisoformat(each["at"])),
            each["did"],
            each["model"],
            each["round"],
            app.people.name(Address(each["site"])),
            app.people.name(Address(each["auditor"])),
            each["twins"],
            each["opening"],
        ]
        for each in told
    ]
    head = ["at", "did", "model", "round", "site", "auditor", "twins", "opening"]
    for line in table(head, rows) if rows else []:
        app.show(line)
    if not rows:
        app.say("Nothing was opened by a key of this home, or to one.")
    app.data("model-openings", openings=told)
