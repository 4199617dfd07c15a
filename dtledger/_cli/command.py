"""`Verb`: a command with the options that every command has, and one place where errors become exit codes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any, NoReturn

import click

from ..errors import DtledgerError
from . import complete
from .app import App
from .output import OutputError, abandon

COMMON = {
    "as_json": click.Option(["--json", "as_json"], is_flag=True, help="One JSON object on stdout; errors as JSON."),
    "profile": click.Option(
        ["--profile"], metavar="NAME", help="The profile to use.", shell_complete=complete.profiles
    ),
    "rpc_url": click.Option(["--rpc-url"], metavar="URL", help="The Ethereum node, instead of the profile's."),
    "key": click.Option(
        ["--key"], metavar="NAME", help="The key to use: a name, or a keystore file.", shell_complete=complete.keys
    ),
    "home": click.Option(["--home"], metavar="FOLDER", help="The home, instead of $DTLEDGER_HOME."),
}


class Verb(click.Command):
    """A command whose callback gets an `App` first. It exits with the code of the error that it raises."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params = [*self.params, *COMMON.values()]

    def invoke(self, ctx: click.Context) -> Any:
        given = {name: ctx.params.pop(name) for name in COMMON}
        options = {name: given[name] for name in ("profile", "rpc_url", "key") if given[name] is not None}
        app = App(options, given["home"], given["as_json"])
        ctx.obj = app
        if os.environ.get("NO_COLOR"):  # https://no-color.org; click does not look at it
            ctx.color = False
        try:
            with app.stack:
                return super().invoke(ctx)
        except DtledgerError as error:
            app.fail(error)
            if isinstance(error, OutputError):
                abandon()
            ctx.exit(error.exit_code)
        except BrokenPipeError:  # whoever read has read enough
            abandon()
            ctx.exit(0)

    def get_short_help_str(self, limit: int = 45) -> str:
        """The first sentence whole: a list of commands wraps it, and cuts nothing off."""
        return super().get_short_help_str(max(limit, 200))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples one a line, however long: they are there to be copied."""
        title, colon, examples = (self.epilog or "").partition(": ")
        if not (colon and title.startswith("Example")):
            super().format_epilog(ctx, formatter)
            return
        with formatter.section(title):
            for each in examples.split(" · "):
                formatter.write(f"{'':>{formatter.current_indent}}{each}\n")


def fail_usage(error: click.UsageError) -> NoReturn:
    """A wrong command line as one JSON object on stderr."""
    report = {
        "schema": "dtledger/error/1",
        "error": "UsageError",
        "message": error.format_message(),
        "hint": "",
        "exit_code": error.exit_code,
    }
    click.echo(json.dumps(report), err=True)
    raise click.exceptions.Exit(error.exit_code) from error


class Noun(click.Group):
    """A noun's verbs."""

    command_class = Verb

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb; whoever names none that there is hears which there are."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if getattr(error, "possibilities", None):  # click names the nearest
                raise
            known = ", ".join(self.list_commands(ctx))
            raise click.UsageError(f"{error.message.removesuffix('.')}. There is: {known}.", ctx) from None


def noun(name: str, text: str) -> Noun:
    """The group of a noun; `text` is its help."""
    return Noun(name, help=text, context_settings={"help_option_names": ["-h", "--help"]})


def verb(name: str, epilog: str | None = None) -> Callable[[Callable[..., Any]], Verb]:
    """A command of its own: one that stands alone, or a verb in a file of its own. `epilog` shows examples, with
    ` · ` between them."""

    def wrap(function: Callable[..., Any]) -> Verb:
        command = click.command(name, cls=Verb, epilog=epilog)(click.pass_obj(function))
        assert isinstance(command, Verb)
        return command

    return wrap
