"""What a command works with: settings, the client, and two streams. stdout is data, stderr is talk."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from ..errors import DtledgerError
from .output import write
from .words import visible

if TYPE_CHECKING:
    from .._backend.evm import EvmLedger
    from ..client import Client
    from ..config import Settings
    from ..contacts import Contact, Contacts
    from ..home import Home
    from ..keys import UnlockedKey
    from ..ledger import Receipt
    from ..store import BlockStore
    from .people import People

_LAST = 253_402_214_400
"""9999-12-31, where datetime ends: a grant may last longer, and is shown as if it did not."""


@dataclass
class App:
    """One run of one command. Everything costly is opened when it is first used, and closed at the end."""

    options: dict[str, Any] = field(default_factory=dict)
    home_option: str | None = None
    as_json: bool = False
    stack: ExitStack = field(default_factory=ExitStack, repr=False)
    wrote: bool = False
    """Whether something was sent to the ledger."""

    # what it works with --------------------------------------------------------------------------------------

    @cached_property
    def home(self) -> Home:
        from ..home import Home

        return Home.locate(self.home_option)

    @cached_property
    def settings(self) -> Settings:
        from ..config import Settings

        return Settings.load(self.home, self.options)

    @cached_property
    def client(self) -> Client:
        """The client of the chosen profile and key."""
        return self.client_of(None)

    def client_of(self, key: str | None, profile: str | None = None) -> Client:
        """A client with another key of this home, or of another profile."""
        from ..client.opening import open_client

        options = {**self.options, **({"key": key} if key else {}), **({"profile": profile} if profile else {})}
        client = open_client(
            options.pop("profile", None),
            options.pop("key", None),
            home=self.home,
            prompt=ask_secret,
            options=options,
        )
        self.stack.enter_context(client)
        if self.settings.embedded:
            self.stack.callback(self._take_proofs, client)
        return client

    def _take_proofs(self, client: Client) -> None:
        """As the custodians that are embedded here."""
        if self.wrote:
            from .proofs import take

            take(self, client)

    def unlocked(self, key: str) -> UnlockedKey:
        """Another key of this home, open."""
        from ..client.opening import unlock
        from ..config import Settings

        return unlock(Settings.load(self.home, {**self.options, "key": key}), ask_secret)

    @cached_property
    def ledger(self) -> EvmLedger:
        """The profile's ledger, to look at without a key; the client's, if one is open already."""
        from .._backend.evm import EvmLedger
        from ..client.opening import open_ledger

        if "client" in self.__dict__ and isinstance(self.client.context.ledger, EvmLedger):
            return self.client.context.ledger
        return self.stack.enter_context(open_ledger(self.settings))

    @cached_property
    def store(self) -> BlockStore:
        """The profile's block store, without a key."""
        from ..client.opening import open_store

        return self.stack.enter_context(open_store(self.settings))

    @cached_property
    def contacts(self) -> Contacts:
        """The home's contacts; cards are checked against the profile's deployment."""
        from .._backend.deployments import read_journal
        from ..client.members import card_check
        from ..contacts import Contacts

        path = self.settings.deployment_path
        check = card_check(read_journal(path).deployment()) if path.exists() else None
        return Contacts(self.home, check)

    @cached_property
    def people(self) -> People:
        """Names for addresses, and grants as they are written."""
        from .people import People

        return People(self)

    def resolve(self, text: str) -> Contact:
        """Whom a contact's name, an address or a card's path means."""
        return self.contacts.resolve(text)

    def twin(self, number: int | None) -> int:
        """The twin named, or the one that the settings name, or the key's only one."""
        if number is not None:
            return number
        chosen = self.settings.twin
        if chosen is not None:
            return chosen
        own = self.client.context.view().twins_of(self.client.address)
        if len(own) == 1:
            return own[0]
        raise click.UsageError("Which twin? Name its number, or `dtledger config set twin NUMBER`.")

    @cached_property
    def zone(self) -> tzinfo | None:
        """The zone that times are shown in: the setting, else this machine's."""
        return ZoneInfo(self.settings.tz) if self.settings.tz else None

    # talking -------------------------------------------------------------------------------------------------

    def show(self, text: str) -> None:
        """A line of data for people; nothing with --json."""
        if not self.as_json:
            write(visible(text, coloured=True))

    def data(self, schema: str, **values: Any) -> None:
        """One JSON object on stdout; nothing without --json."""
        if self.as_json:
            write(json.dumps({"schema": f"dtledger/{schema}/1", **values}, default=plain))

    def say(self, text: str) -> None:
        """Talk on stderr; nothing with --json."""
        if not self.as_json:
            click.echo(visible(text, coloured=True), err=True)

    def warn(self, text: str) -> None:
        """Say it as a warning."""
        self.say(f"{click.style('warning:', fg='yellow')} {text}")

    def sent(self, receipt: Receipt) -> dict[str, Any]:
        """Say what a transaction cost and which block took it; the same for JSON."""
        self.wrote = True
        self.say(click.style(f"block {receipt.block}, {receipt.gas:,} gas, {receipt.transaction}", dim=True))
        return {
            "transaction": receipt.transaction,
            "block": receipt.block,
            "at": rfc3339(receipt.at),
            "gas": receipt.gas,
        }

    def time(self, at: float | datetime) -> str:
        """A moment as a person reads it: local, with its offset."""
        moment = at if isinstance(at, datetime) else datetime.fromtimestamp(min(at, _LAST), UTC)
        return moment.astimezone(self.zone).strftime("%Y-%m-%d %H:%M %z")

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask before what cannot be undone; --yes answers.

        Raises:
            click.Abort: the answer was no, or nobody is there to answer.
        """
        if yes:
            return
        if self.as_json:
            raise click.UsageError("With --json nobody is asked; say --yes to go on, or --dry-run to look.")
        if not sys.stdin.isatty():
            raise click.UsageError("Nobody is there to answer; say --yes to go on, or --dry-run to look.")
        click.confirm(question, abort=True, err=True)

    @contextmanager
    def progress(self, label: str) -> Iterator[Callable[[int, int], None]]:
        """A bar on stderr for long work, if that is a terminal: call it with done and total."""
        if self.as_json or not sys.stderr.isatty():
            yield lambda done, total: None
            return
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(label, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)

    def fail(self, error: DtledgerError) -> None:
        """The error on stderr: a sentence and what to do next, or one JSON object."""
        if self.as_json:
            from .times import minutes

            report = {
                "schema": "dtledger/error/1",
                "error": type(error).__name__,
                "message": error.message,
                "hint": error.hint,
                "exit_code": error.exit_code,
            }
            reason = getattr(error, "reason", None)
            if reason is not None:
                report["reason"] = reason.name
            if permitted := error.evidence.get("permitted"):
                report["permitted"] = minutes(permitted)
            for name in ("block", "party"):
                if getattr(error, name, ""):
                    report[name] = getattr(error, name)
            if faults := error.evidence.get("faults"):
                report["faults"] = {who: fault.message for who, fault in faults.items()}
            click.echo(json.dumps(report, default=plain), err=True)
            return
        for name in ("block", "party"):
            if getattr(error, name, ""):
                error.message += f" [{name} {getattr(error, name)}]"
        click.echo(f"{click.style('error:', fg='red', bold=True)} {visible(error.message)}", err=True)
        for who, fault in error.evidence.get("faults", {}).items():
            click.echo(f"       {visible(f'{self.people.full(who)}: {fault.message}')}", err=True)
        if error.hint:
            click.echo(f"       {visible(error.hint)}", err=True)


def ask_secret(question: str) -> str:
    """Ask on the terminal without echo.

    Raises:
        KeyFileError: there is no terminal.
    """
    if not sys.stdin.isatty():
        from ..errors import KeyFileError

        raise KeyFileError(
            f"There is no terminal to ask on: {question.rstrip(': ')}?",
            hint="Let it come from a file; for a password, DTLEDGER_PASSWORD_FILE names it.",
        )
    answer: str = click.prompt(question.rstrip(": "), hide_input=True, err=True)
    return answer


def plain(value: Any) -> Any:
    """What JSON has no word for: bytes as hex, times as RFC 3339."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return str(value)


def rfc3339(at: float) -> str:
    """Unix seconds as JSON has them."""
    return datetime.fromtimestamp(min(at, _LAST), UTC).isoformat().replace("+00:00", "Z")
