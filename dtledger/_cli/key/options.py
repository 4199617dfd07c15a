"""What the verbs of `key` share: files as arguments, and where passwords come from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..app import App, ask_secret

if TYPE_CHECKING:
    from ...keys import Passwords

FILE = click.Path(path_type=Path, dir_okay=False)


def passwords(app: App) -> Passwords:
    from ...keys import Passwords

    return Passwords(app.settings.password_file, ask_secret)
