"""What finds commands finds them, and refuses what `dtledger` would."""

from __future__ import annotations

import click
import pytest

from tests.deploy.commands import accept, in_blocks, in_line, mentioned

PAGE = """
Words with `dtledger doctor --profile hospital` and `not one`.

```sh
A=b dtledger key new ann >one 2>>two    # a comment
cd / && /opt/dtledger/bin/dtledger custodian status \\
  --config c.toml | less
docker compose -f compose.yaml run --rm north custodian init
```
"""


def test_every_command_of_a_page_is_found() -> None:
    assert list(in_blocks(PAGE)) == [
        ["key", "new", "ann"],
        ["custodian", "status", "--config", "c.toml"],
        ["custodian", "init"],
    ]
    assert list(mentioned(PAGE)) == [["doctor", "--profile", "hospital"]]


def test_what_is_no_command_is_not() -> None:
    assert list(in_line("install -d dtledger /opt/dtledger && systemctl start dtledger")) == []


@pytest.mark.parametrize(
    "words",
    [
        ["custodian"],
        ["custodian", "begin"],
        ["custodian", "serve", "--configuration", "c.toml"],
        ["custodian", "serve", "c.toml"],
        ["custodian", "serve", "--config"],
        ["twin", "reshare", "seven"],
    ],
)
def test_a_command_that_there_is_not_is_refused(words: list[str]) -> None:
    with pytest.raises(click.UsageError):
        accept(words)


def test_one_that_there_is_is_accepted() -> None:
    accept(["custodian", "serve", "--config", "c.toml"])
    accept(["twin", "reshare", "7"])
