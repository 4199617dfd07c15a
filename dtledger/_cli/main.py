"""The group of all commands. A noun's module is imported when it is used, so that help comes at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click

from .. import __version__
from .command import fail_usage

NOUNS = {
    "demo": "From nothing to a consent and a refusal, in one command.",
    "devnet": "A development chain on this machine: up, status, down.",
    "deploy": "Put the contracts on a chain, or go on where that stopped.",
    "doctor": "Look at everything this profile needs, and say what to mend.",
    "config": "Settings, and where each comes from.",
    "completion": "Print the shell's completion script.",
    "help": "Explain a topic.",
    "key": "Keys: new, list, show, use, backup, restore.",
    "contact": "Whom you know: add, list, remove.",
    "member": "Members: card, enrol, find, show, list, suspend, rekey and more.",
    "twin": "Twins: mint, show, list, read, plot, access, export, inbox, guardians, move and more.",
    "consent": "Consents: grant, revoke, list, show, explain and more.",
    "emergency": "Emergencies: open, list, review.",
    "snapshot": "Snapshots: put, list, show, amend, adopt, verify.",
    "gateway": "Gateways: serve, status, token, unanchored.",
    "device": "Devices that sign: enrol, send, list, suspend.",
    "model": "Models: register, round, commit, list, show, open.",
    "audit": "Audits: twin, snapshot, model, report, export, verify.",
    "fhir": "FHIR R4: import, export.",
    "index": "What this machine has read of the ledger: status, rebuild, verify.",
    "custodian": "A custodian as a service: init, serve, status, receipts.",
}
"""Noun → one line. The module of the same name has a command of the same name."""


_AS_JSON = "dtledger.as_json"


@contextmanager
def _usage(*, as_json: bool) -> Iterator[None]:
    """A wrong command line, of whichever command, is told as JSON too when --json was given."""
    try:
        yield
    except click.UsageError as error:
        if not as_json:
            raise
        fail_usage(error)


class Nouns(click.Group):
    """The commands, imported when named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in NOUNS:
            return None
        module = import_module(f".{cmd_name}", __package__)
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def make_context(self, info_name: str | None, args: list[str], **extra: Any) -> click.Context:  # type: ignore[override]
        as_json = "--json" in args
        with _usage(as_json=as_json):
            context = super().make_context(info_name, args, **extra)
        context.meta[_AS_JSON] = as_json
        return context

    def invoke(self, ctx: click.Context) -> Any:
        with _usage(as_json=ctx.meta[_AS_JSON]):
            return super().invoke(ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        near = get_close_matches(args[0], NOUNS, n=1)
        if near and args[0] not in NOUNS and not args[0].startswith("-"):
            ctx.fail(f"No such command {args[0]!r}. Did you mean {near[0]!r}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(NOUNS.items()))


@click.command(cls=Nouns, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="dtledger")
def main() -> None:
    """Patient sovereignty over medical digital twins.

    A patient owns a twin, grants and revokes consent; custodians release keys only under live consent; everything
    that was written can be checked. Begin with `dtledger demo`.
    """
