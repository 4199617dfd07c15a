"""`model verify`: whether weights are what their release says, for whoever uses them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...errors import InputError
from .. import complete
from ..app import App
from ..claims import show_claims
from ..command import verb
from ..consent.plain import research_lines
from .plain import FILE, chunks, plain_release

if TYPE_CHECKING:
    from ...ledger import View
    from ...models.release import Release

_MOST_BYTES = 2**23


@verb(
    "verify",
    epilog="Examples: dtledger model verify cgm-forecast-3.dsse.json · "
    "dtledger model verify cgm-forecast-3.dsse.json --by coordinator --ledger",
)
@click.argument("release", type=FILE)
@click.option(
    "--files",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where the weights lie. [beside the release]",
)
@click.option("--by", metavar="WHO", shell_complete=complete.contacts, help="Who must have signed it.")
@click.option("--ledger", "ask", is_flag=True, help="Ask the profile's ledger and store too.")
def verify(app: App, release: Path, folder: Path | None, by: str | None, ask: bool) -> None:
    """Check weights against their release: who signed it, and that each file is the one that was released.

    It needs no key, no network and no account. With --ledger it is compared with the ledger too: that its signer
    coordinates the model, and that round, aggregate, updates and consent roots are there. Exit code 4 if a claim fails,
    6 if none fails and one cannot be checked. Without --by, see for yourself whether you know who signed.
    """
    from ...audit import ReleaseAudit, exit_code

    beside, who = folder or release.parent, app.resolve(by).address if by else None

    def file(name: str) -> Iterable[bytes] | None:
        path = beside / name
        with suppress(OSError):  # a name that no file can have here
            return chunks(path) if path.is_file() else None
        return None

    if release.stat().st_size > _MOST_BYTES:
        raise InputError(f"{release} is too long for a release.")
    audit = ReleaseAudit(b"".join(chunks(release)), file, who, app.people.full)
    claims, warnings = list(audit.claims()), list[str]()
    if ask:
        view = app.ledger.view()
        claims += audit.on_ledger(app.ledger.deployment, view, app.store)
        warnings += _remediations(audit.release, view)
    told = plain_release(app, audit.release) if audit.release else {}
    app.data("model-verified", **told, ledger=ask, remediations=warnings, **show_claims(app, claims))
    for warning in warnings:
        app.warn(warning)
    for line in research_lines(audit.release.origin.research if audit.release else ()):
        app.say(line)
    click.get_current_context().exit(exit_code(claims))


def _remediations(release: Release | None, view: View) -> list[str]:
    """What the coordinator said since became of the released round, under which consents were withdrawn."""
    if release is None:
        return []
    return [
        f"consents under round {release.origin.round} were withdrawn, its coordinator said in block {told.block}: "
        + ("it is to be retrained from before." if told.retrained else "it stays in use.")
        for told in view.remediations(release.origin.model)
        if told.covers(release.origin.round)
    ]
