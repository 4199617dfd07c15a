"""`twin freeze`, `twin unfreeze`, `twin rescue`: what guardians do at once."""

from __future__ import annotations

from pathlib import Path

from ..app import App
from ..command import verb
from .together import act_together, options


@verb(
    "freeze",
    epilog="Examples: dtledger twin freeze ann.freeze.json --guardians ann.guardians.json --key bea   # begins · "
    "dtledger twin freeze ann.freeze.json --key cem   # is enough: sends it",
)
@options
def freeze(app: App, file: Path, opening: Path | None, everyone: bool, yes: bool, dry_run: bool) -> None:
    """As guardians, freeze a twin at once: its owner's key may be in wrong hands.

    The first begins FILE with the owner's file of guardians, each hands it to the next, and the one with whom there are
    enough sends it. Nobody reads or writes the twin then, and its owner sets no card, no guardians, no retirement and
    moves nothing, until as many guardians end it or 30 days are over. Again within a year takes all of them (--all).
    """
    act_together(app, "Freeze", file, opening, everyone=everyone, yes=yes, dry_run=dry_run)


@verb("unfreeze", epilog="Example: dtledger twin unfreeze ann.unfreeze.json --guardians ann.guardians.json --key bea")
@options
def unfreeze(app: App, file: Path, opening: Path | None, everyone: bool, yes: bool, dry_run: bool) -> None:
    """As guardians, end a freeze. FILE goes from one to the next, as with `twin freeze`."""
    act_together(app, "Unfreeze", file, opening, everyone=everyone, yes=yes, dry_run=dry_run)


@verb("rescue", epilog="Example: dtledger twin rescue ann.rescue.json --guardians ann.guardians.json --key bea")
@options
def rescue(app: App, file: Path, opening: Path | None, everyone: bool, yes: bool, dry_run: bool) -> None:
    """As guardians, cancel the retirement of a twin while it is not final. FILE goes from one to the next."""
    act_together(app, "RescueTwin", file, opening, everyone=everyone, yes=yes, dry_run=dry_run)
