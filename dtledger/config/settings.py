"""The settings of one command, each with its source."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..home import Home, check_name
from .check import PROJECT_FILE, check_home, check_project, profiles, read_value
from .documents import Document, read_document
from .schema import DEVNET, EMBEDDED, ENTRIES, Entry, entry

__all__ = ["Setting", "Settings"]


@dataclass(frozen=True, slots=True)
class Setting:
    """A value and where it came from, such as `environment DTLEDGER_TZ`."""

    value: Any = field(repr=False)
    source: str


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. Those that a profile must name raise InputError when it names none."""

    home: Home
    values: Mapping[str, Setting]

    @classmethod
    def load(
        cls,
        home: Home,
        options: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> Settings:
        """The settings of this moment.

        Args:
            options: by setting name, what the command line gave; None is the same as not given.
            env: the environment, by default the process's.
            folder: the working folder, by default the process's.

        Raises:
            InputError: a file, variable or option holds something that cannot be used; it is named.
        """
        folder = (folder or Path.cwd()).absolute()
        env = os.environ if env is None else env
        own = read_document(home.config_file) or Document(home.config_file)
        check_home(own, home.root)
        project = _find_project(folder)
        if project:
            check_project(project)
        loader = _Loader(home, options or {}, env, folder, own, project)
        profile = loader.find(ENTRIES["profile"], None)
        known = profiles(own)
        if profile.value not in known:
            near = get_close_matches(profile.value, known, 1)
            meant = f"Did you mean {near[0]}? " if near else ""
            raise InputError(
                f"There is no profile {profile.value!r}, which {profile.source} names.",
                hint=f"{meant}Known: {', '.join(known)}; a profile is a table [profiles.NAME] in {own.path}.",
            )
        values = {name: loader.find(each, profile.value) for name, each in ENTRIES.items() if name != "profile"}
        return cls(home, {"profile": profile, **values})

    def source(self, name: str) -> str:
        """Where the value of that setting came from."""
        return self.values[entry(name).name].source

    def explain(self) -> list[tuple[str, str, str]]:
        """(name, value, source) of every setting, as `config show` prints them: credentials in URLs are left out."""
        return [
            (name, "" if setting.value is None else ENTRIES[name].show(setting.value), setting.source)
            for name, setting in self.values.items()
        ]

    @property
    def profile(self) -> str:
        return str(self.values["profile"].value)

    @property
    def rpc_url(self) -> str:
        return str(self._required("rpc_url"))

    @property
    def store(self) -> str:
        """`directory:PATH`, a multiaddr, or `gateway:URL`."""
        return str(self._required("store"))

    @property
    def deployment(self) -> str:
        """A name in `home.deployments`, or the path of a file."""
        return str(self._required("deployment"))

    @property
    def deployment_path(self) -> Path:
        """The file that it names."""
        named = self.deployment
        return Path(named) if named.endswith(".json") or "/" in named else self.home.deployments / f"{named}.json"

    @property
    def index(self) -> str | None:
        """The URL of a PostgreSQL database, or None: a file in `home.ledger_cache`."""
        return self._optional("index")

    @property
    def custodians(self) -> tuple[str, ...]:
        """The custodians' URLs; none if they are `embedded`."""
        value = self._required("custodians")
        return () if value == EMBEDDED else tuple(value)

    @property
    def relays(self) -> tuple[str, ...]:
        """The relays' URLs, in the order in which they are asked."""
        return tuple(self.values["relays"].value)

    @property
    def embedded(self) -> bool:
        """Whether the custodians run in this process."""
        return bool(self._required("custodians") == EMBEDDED)

    @property
    def key(self) -> str:
        """A key's name, or the path of a keystore file: what `KeyStore.open` takes."""
        return str(self._required("key"))

    @property
    def password_file(self) -> Path | None:
        value = self.values["password_file"].value
        return None if value is None else Path(value)

    @property
    def max_head_age(self) -> int:
        """Seconds."""
        return int(self.values["max_head_age"].value)

    @property
    def finality(self) -> str | None:
        """`INSTANT`, `FINALIZED`, or None: the former on a development chain alone."""
        return self._optional("finality")

    @property
    def tz(self) -> str | None:
        """An IANA name, or None: the system's zone."""
        return self._optional("tz")

    @property
    def unit(self) -> str | None:
        """A UCUM code, or None: each category's own."""
        return self._optional("unit")

    @property
    def category(self) -> str | None:
        return self._optional("category")

    @property
    def twin(self) -> int | None:
        value = self.values["twin"].value
        return None if value is None else int(value)

    def _optional(self, name: str) -> str | None:
        value = self.values[name].value
        return None if value is None else str(value)

    def _required(self, name: str) -> Any:
        value = self.values[name].value
        if value is not None:
            return value
        if name == "key":
            raise InputError(
                f"No key is named, and none is in use in {self.home.root}.",
                hint="Name one by --key, or make one: dtledger key new NAME",
            )
        raise InputError(
            f"The profile {self.profile} names no {name} ({ENTRIES[name].text}).",
            hint=f"Run: dtledger config set profiles.{self.profile}.{name} VALUE",
        )


@dataclass(frozen=True, slots=True)
class _Loader:
    home: Home
    options: Mapping[str, Any]
    env: Mapping[str, str]
    folder: Path
    own: Document
    project: Document | None

    def find(self, each: Entry, profile: str | None) -> Setting:
        return next(self._candidates(each, profile))

    def _candidates(self, each: Entry, profile: str | None) -> Iterator[Setting]:
        name = each.name
        option = self.options.get(name)
        if option is not None:
            source = f"option --{name.replace('_', '-')}"
            value = each.parse(option) if isinstance(option, str) else option
            yield Setting(read_value(each, value, self.folder, source), source)
        for variable, parse in each.variables.items():
            if text := self.env.get(variable):
                source = f"environment {variable}"
                yield Setting(read_value(each, parse(text), self.folder, source), source)
        if self.project and name in self.project.data:
            source = self.project.where(name)
            yield Setting(read_value(each, self.project.data[name], self.project.path.parent, source), source)
        table = self.own.data.get("profiles", {}).get(profile, {})
        for keys, holder in ((("profiles", str(profile), name), table), ((name,), self.own.data)):
            if name in holder:
                source = self.own.where(*keys)
                yield Setting(read_value(each, holder[name], self.home.root, source), source)
        if name == "key" and (chosen := _chosen_key(self.home)):
            yield Setting(chosen, "dtledger key use")
        if profile == DEVNET and each.devnet is not None:
            yield Setting(each.read(each.devnet, self.home.root), f"default of {DEVNET}")
        yield Setting(each.default, "not set" if each.default is None else "default")


def _find_project(folder: Path) -> Document | None:
    for each in (folder, *folder.parents):
        if document := read_document(each / PROJECT_FILE):
            return document
    return None


def _chosen_key(home: Home) -> str | None:
    try:
        name = home.default_key_file.read_text("ascii").strip()
        return check_name(name, "key")
    except (OSError, UnicodeDecodeError):
        return None
