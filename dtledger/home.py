"""Where a person's files lie: one folder, `--home`, else `$DTLEDGER_HOME`, else the platform's own.

    config.toml      profiles and defaults           (dtledger.config)
    keys/            NAME.json, one file a key       (dtledger.keys)
    contacts/        NAME.json, one file a contact   (dtledger.contacts)
    deployments/     which contracts on which chain
    custodians/      secrets of custodians that run here
    ledger-cache/    events read before; may be deleted at any time
    journal/         what was signed and sent from here

Nothing is made before something is written; what is made is open to its owner alone (0700). `keys` and `custodians`
are refused when others can reach them.

>>> home = Home.locate(env={"DTLEDGER_HOME": "/srv/dtledger"})
>>> home.keys.as_posix(), home.source
('/srv/dtledger/keys', 'environment DTLEDGER_HOME')
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from .errors import DtledgerError, InputError, KeyFileError

__all__ = ["Home", "check_name"]

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


def check_name(name: str, what: str) -> str:
    """`name`, if it may name a key, a contact, a profile or a deployment: it is part of a file's name.

    Raises:
        InputError: it may not; `what` is the word for the thing named.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{name!r} cannot be the name of a {what}.",
            hint="A name has 1 to 32 small letters, digits and hyphens, and does not begin with a hyphen.",
        )
    return name


@dataclass(frozen=True, slots=True)
class Home:
    """The folder, and what named it."""

    root: Path
    source: str

    @classmethod
    def locate(cls, option: str | os.PathLike[str] | None = None, env: Mapping[str, str] | None = None) -> Home:
        """The home that `option` names, else the environment (by default the process's), else the platform's."""
        named = os.environ if env is None else env
        if option is not None:
            return cls(_absolute(option), "option --home")
        if folder := named.get("DTLEDGER_HOME"):
            return cls(_absolute(folder), "environment DTLEDGER_HOME")
        return cls(platformdirs.user_data_path("dtledger", appauthor=False), "default")

    @property
    def config_file(self) -> Path:
        return self.root / "config.toml"

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def default_key_file(self) -> Path:
        """Holds the name of the key that `key use` chose."""
        return self.keys / "default"

    @property
    def contacts(self) -> Path:
        return self.root / "contacts"

    @property
    def deployments(self) -> Path:
        return self.root / "deployments"

    @property
    def custodians(self) -> Path:
        return self.root / "custodians"

    @property
    def ledger_cache(self) -> Path:
        return self.root / "ledger-cache"

    @property
    def openings(self) -> Path:
        """Holds the logs of what was opened to whom."""
        return self.root / "openings"

    @property
    def journal(self) -> Path:
        return self.root / "journal"

    def prepare(self, folder: Path) -> Path:
        """`folder`, the root or one inside it, made if need be; every folder made here is 0700.

        Raises:
            DtledgerError: it cannot be made.
            KeyFileError: it holds keys and others can reach it.
        """
        try:
            for each in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
                each.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise DtledgerError(
                f"The folder {folder} could not be made: {error.strerror}.",
                hint="Name another home by DTLEDGER_HOME, or make this one writable for your account.",
            ) from error
        return self.require_private(folder) if folder in (self.keys, self.custodians) else folder

    def require_private(self, folder: Path) -> Path:
        """`folder`, if it is not there or nobody but its owner (and the system's administrator) can reach into it.

        Raises:
            KeyFileError: others can.
        """
        try:
            mode = stat.S_IMODE(folder.stat().st_mode)
        except FileNotFoundError:
            return folder
        except OSError as error:
            raise KeyFileError(f"The folder {folder} cannot be opened: {error.strerror}.") from error
        if os.name == "posix" and mode & 0o077:
            raise KeyFileError(
                f"Others on this machine can reach into {folder}, which holds keys.",
                hint=f"Run: chmod 700 {folder}",
            )
        return folder


def _absolute(folder: str | os.PathLike[str]) -> Path:
    return Path(folder).expanduser().absolute()
