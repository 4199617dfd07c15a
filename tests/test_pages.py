"""The pages of somebody's first ten minutes: their commands, run as they stand, say what the pages say they do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.pages import ROOT, YOU, Command, WrittenFile, filled, loosely, parts, run, stop

NAMES = ("first-patient", "first-clinician", "first-auditor")


def text_of(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text()


@pytest.mark.anvil
@pytest.mark.parametrize("name", NAMES)
def test_each_command_of_a_page_says_what_the_page_says(name: str, tmp_path: Path) -> None:
    page = text_of(name)
    commands = [each for each in parts(page) if isinstance(each, Command)]
    try:
        said = run(page, tmp_path)
    finally:
        stop(tmp_path)
    assert len(said) == len(commands)
    for number, (command, (text, code)) in enumerate(zip(commands, said, strict=True)):
        assert loosely(text) == loosely(page[command.start : command.end]), command.words
        after = commands[number + 1].words if number + 1 < len(commands) else ""
        assert code == 0 or after == "echo $?", f"{command.words} ended with {code}"


@pytest.mark.parametrize("name", NAMES)
def test_a_page_begins_on_a_fresh_machine_and_is_linked_from_the_readme(name: str) -> None:
    first, *_ = (each.words for each in parts(text_of(name)) if isinstance(each, Command))
    assert first.startswith("export DTLEDGER_HOME=~/")
    assert f"docs/{name}.md" in (ROOT / "README.md").read_text()
    assert max(map(len, re.sub(r"```.*?```", "", text_of(name), flags=re.DOTALL).splitlines())) <= 120


# the runner -------------------------------------------------------------------------------------------------------

PAGE = """Words.

```console
$ echo one; echo two >&2
one
two
```

```python hello.py
print("hello")
```

```console
$ python hello.py
hello
$ export A=b && false
$ echo $? $A ~
1 b /home/you
```
"""


def test_a_page_is_one_session_of_commands_and_files(tmp_path: Path) -> None:
    assert [type(each) for each in parts(PAGE)] == [Command, WrittenFile, Command, Command, Command]
    assert run(PAGE.replace("hello.py", "~/hello.py"), tmp_path) == [
        ("one\ntwo\n", 0), ("hello\n", 0), ("", 1), (f"1 b {YOU}\n", 0),
    ]  # fmt: skip


def test_what_the_commands_say_now_is_written_where_it_differs(tmp_path: Path) -> None:
    page = PAGE.replace("hello.py", "~/hello.py")
    said = run(page, tmp_path)
    assert filled(page, said) == page
    assert filled(page.replace("\none\n", "\n1\n").replace("\nhello\n", "\n"), said) == page


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("block 12, 51,644 gas, 0x00aabbccdd", "block 9, 51,656 gas, 0x11aabbccdd"),
        ("twin  at 2026-11-28 01:09 +0000", "twin    at 2027-01-01 23:59 +0100"),
        ("bafyreicg5dmoy5wrvcrnon2wus6ylufqqjtu", "bafyreigumynorardoul42rlyqnxg25okykqx"),
        ("✓ read   1.90 s  the", "✓ read  12.03 s  the"),
        ("newest is 2 minutes old", "newest is 50 s old"),
        ("http://127.0.0.1:35577", "http://127.0.0.1:42699"),
    ],
)
def test_what_differs_from_run_to_run_is_the_same_loosely(one: str, other: str) -> None:
    assert loosely(one) == loosely(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pass  update  round 1, north", "fail  update  round 1, north"),
        ("2 twins, ε 0.5", "3 twins, ε 0.5"),
        ("Granted: 7/cardiology/0", "Granted: 7/cardiology/1"),
        ("one", "one\ntwo"),
        ("REVOKED", "EXPIRED"),
        ("121.0 mg/dL", "122.0 mg/dL"),
    ],
)
def test_what_matters_is_not(one: str, other: str) -> None:
    assert loosely(one) != loosely(other)


def test_every_page_of_the_kind_is_run() -> None:
    assert sorted(path.stem for path in (ROOT / "docs").glob("first-*.md")) == sorted(NAMES)
