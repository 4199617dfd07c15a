"""`twin export`: everything that is held about a patient, for the patient."""

from __future__ import annotations

from pathlib import Path

import click

from ..app import App
from ..command import verb
from ..people import SignedNames


@verb(
    "export",
    epilog="Examples: dtledger twin export 7 --to my-data · dtledger twin export 7 --to my-data.zip",
)
@click.argument("twin", type=click.IntRange(0), required=False)
@click.option("--to", required=True, type=click.Path(path_type=Path), metavar="FOLDER|FILE.zip",
              help="A new folder, or one file if it ends in .zip.")  # fmt: skip
@click.option(
    "--partial", is_flag=True, help="Write what there is if something cannot be had, and say what is missing."
)
def export(app: App, twin: int | None, to: Path, partial: bool) -> None:
    """Give you everything that is held about your twin: for reading, and for other programs.

    Values of each category as a table and as FHIR; consents with a receipt each; who looked, with the custodians'
    signed receipts; requests, emergencies, rounds of models; fingerprints of all that was written; and a README. The
    readings themselves leave receipts, as any read does. Others are in it by their addresses and by the names on the
    cards that they signed, not by what you call them.

    Either all of it is there at the end, or nothing: what cannot be had or does not hold together stops it. With
    --partial it is left out, told in the README, and ends with its exit code. The copy is not encrypted. Whoever kills
    it outright leaves a hidden folder beside it (.FOLDER.….tmp), which the next export of that name takes away.
    """
    from ..._backend.folders import write_folder, write_zip
    from ...errors import InputError
    from .held import Held

    number = app.twin(twin)
    app.client.context.require_owner(number)
    app.people = SignedNames(app)
    if to.exists() or to.is_symlink():
        raise InputError(f"There is something at {to} already.", hint="Name another place, or take it away.")
    held = Held(app, number, strict=not partial)
    files = held.files()
    (write_zip if to.suffix == ".zip" else write_folder)(to, files)
    for each in held.missing:
        app.say(f"{click.style('missing:', fg='yellow')} {each}")
    app.show(f"Written: {len(files)} files to {to}")
    app.say("It is not encrypted: keep it where nobody else reads it.")
    app.data("twin-exported", twin=number, to=to, files=sorted(files), missing=held.missing)
    if held.error:
        click.get_current_context().exit(held.error.exit_code)
