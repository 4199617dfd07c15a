"""`config`: settings, where each comes from, and changing one."""

from __future__ import annotations

import click

from . import complete
from .app import App
from .command import noun

config_command = noun("config", "Settings, and where each comes from. `dtledger help settings` lists them.")


@config_command.command("show", epilog="Example: dtledger config show rpc_url")
@click.argument("names", metavar="[SETTING]...", nargs=-1, shell_complete=complete.settings)
@click.pass_obj
def show(app: App, names: tuple[str, ...]) -> None:
    """Show settings, each with what it was set by. Credentials in addresses are left out."""
    from ..config import ENTRIES
    from ..config.schema import entry

    chosen = [entry(name).name for name in names] or list(ENTRIES)
    rows = [row for row in app.settings.explain() if row[0] in chosen]
    app.say(f"home {app.home.root} ({app.home.source})")
    width = max(len(name) for name, _, _ in rows)
    longest = max(len(value) for _, value, _ in rows)
    for name, value, source in rows:
        app.show(f"{name:<{width}}  {value:<{longest}}  {click.style(source, dim=True)}")
    app.data(
        "config",
        home=app.home.root,
        home_source=app.home.source,
        settings=[
            {"name": name, "value": value or None, "source": source, "text": ENTRIES[name].text}
            for name, value, source in rows
        ],
    )


@config_command.command(
    "set",
    epilog="Examples: dtledger config set tz Europe/Vienna · dtledger config set rpc_url URL --profile hospital",
)
@click.argument("name", metavar="SETTING", shell_complete=complete.settings)
@click.argument("value")
@click.option("--dry-run", is_flag=True, help="Check it and write nothing.")
@click.pass_obj
def set_(app: App, name: str, value: str, dry_run: bool) -> None:
    """Set SETTING in the home's config.toml: of the profile --profile names, else for all profiles.

    A profile begins with its first setting. Nothing else in the file changes, comments neither.
    """
    from ..config import set_value

    full = set_value(app.home, name, value, profile=app.options.get("profile"), dry_run=dry_run)
    file = app.home.config_file
    app.show(f"{full} {'would be' if dry_run else 'is'} set in {file}.")
    overruled = "" if dry_run else _overruled(app, full)
    if overruled:
        app.warn(f"{overruled} says otherwise, and counts before it.")
    app.data("config-set", setting=full, file=file, dry_run=dry_run, overruled_by=overruled or None)


def _overruled(app: App, full: str) -> str:
    """What counts before the value that was just set; nothing if that one counts."""
    from ..config import Settings
    from ..config.documents import read_document

    *table, name = full.split(".")
    settings = Settings.load(app.home, {"profile": table[1]} if table else {})
    document = read_document(app.home.config_file)
    assert document is not None, "it was just written"
    source = settings.source(name)
    return "" if source == document.where(*table, name) else source
