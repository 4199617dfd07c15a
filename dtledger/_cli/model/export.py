"""`model export`: a coordinator signs the weights that it hands on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from ...errors import InputError
from ..app import App
from ..command import verb
from ..consent.plain import research_lines
from ..member.files import write_public
from .plain import FILE, chunks, find, plain_release, twins_words, updates_words


@verb("export", epilog="Example: dtledger model export cgm-forecast --round 3 --weights round-3.bin")
@click.argument("model")
@click.option("--round", "number", type=click.IntRange(1), required=True, metavar="NUMBER", help="Whose weights.")
@click.option(
    "--weights",
    "files",
    type=FILE,
    multiple=True,
    required=True,
    metavar="FILE",
    help="What the round was made into; may be repeated, for what goes with it.",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="[MODEL-ROUND.dsse.json]")
@click.option("--replace", is_flag=True, help="Replace the file if it is there.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what it would do; sign nothing.")
def export(
    app: App, model: str, number: int, files: Sequence[Path], out: Path | None, replace: bool, yes: bool, dry_run: bool
) -> None:
    """Sign where a round's weights come from, as the model's coordinator: a file to hand on with them.

    It names the weights by their hashes, the round, the updates and the consent roots under them, cohorts and privacy
    (an in-toto statement in a DSSE envelope). Whoever has both checks them with `dtledger model verify`, offline.
    """
    named = find(app, model)
    by_name = {each.name: each for each in files}
    if len(by_name) < len(files):
        raise InputError(
            "Two files have one name.", hint="Rename one: a release names files as they lie in one folder."
        )
    release = app.client.models.release(named, number, {name: chunks(path) for name, path in by_name.items()})
    path = out or Path(f"{named.name.replace(' ', '-')}-{number}.dsse.json")
    used = sum(each.used for each in release.origin.updates)
    app.say(
        f"This signs {', '.join(sorted(by_name))} as what round {number} of {named.name} was made into: of "
        f"{updates_words(used)}, on {twins_words(release.origin.cohort)}. All that it says is public."
    )
    for line in research_lines(release.origin.research):
        app.say(line)
    told = plain_release(app, release)
    if dry_run:
        app.say("Nothing was signed.")
        app.data("model-release", **told, file=None, dry_run=True)
        return
    app.confirm("Sign it?", yes=yes)
    write_public(path, release.sign(app.client.context.key), replace=replace)
    app.show(f"Signed: {path}")
    app.say(f"Hand it on with the weights; whoever uses them runs: dtledger model verify {path}")
    app.data("model-release", **told, file=path, dry_run=False)
