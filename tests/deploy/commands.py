"""Command lines of pages and deployment files: found, and tried on the command line's own parser, running nothing."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from dtledger._cli import main

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "scripts" / "deploy"

_ENDS = {"&&", "||", "|", ";", ">", ">>", "&"}


def accept(words: list[str]) -> None:
    """Pass if `dtledger WORDS` is a command with options, arguments and values that it takes.

    Raises:
        click.UsageError: it is not.
    """
    command: click.Command = main
    context = click.Context(main, info_name="dtledger")
    rest = list(words)
    while isinstance(command, click.Group):
        if not rest:
            raise click.UsageError("That is no command yet.")
        found = command.get_command(context, rest[0])
        if found is None:
            raise click.UsageError(f"There is no command {rest[0]!r}.")
        command, rest = found, rest[1:]
    if rest != ["--help"]:
        command.make_context(command.name, rest)


def in_blocks(page: str) -> Iterator[list[str]]:
    """The words after `dtledger` of each command in the shell blocks of a page."""
    for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            yield from in_line(line)


def mentioned(page: str) -> Iterator[list[str]]:
    """Those of each command between backticks, which may lack its arguments."""
    for text in re.findall(r"`(dtledger\s[^`]+)`", re.sub(r"```.*?```", "", page, flags=re.DOTALL)):
        yield shlex.split(text)[1:]


def in_line(line: str) -> Iterator[list[str]]:
    """Those of one line of a shell; what `docker compose run --rm SERVICE` gives to our image is one too."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = list(lexer)
    for place, word in enumerate(words):
        if Path(word).name == "dtledger" and (place == 0 or words[place - 1] in _ENDS or "=" in words[place - 1]):
            yield _until_end(words[place + 1 :])
        if word == "--rm" and words[:2] == ["docker", "compose"]:
            yield _until_end(words[place + 2 :])


def _until_end(words: list[str]) -> list[str]:
    place = next((place for place, word in enumerate(words) if word in _ENDS or re.fullmatch(r"\d?>>?", word)), None)
    found = words[:place]
    # `2>>FILE` comes as `2`, `>>`, `FILE`
    return found[:-1] if place is not None and found and found[-1] == "2" else found
