"""Pages of `docs/` that are run: all the `console` blocks of a page are one session in one shell, in a home of its own.

A line that begins with `$ ` is a command, and what follows it is its output, stderr with stdout. A block whose opening
names a file (```python read.py) is that file, written when the session comes to it. A command that fails is followed by
`$ echo $?`, so that the reader sees the exit code and a failure that nobody meant is found.

Two outputs are the same if they are after `loosely`, which takes out what differs from one run to the next.

    python -m tests.pages FILE…       runs the pages, and writes what the commands say now into them
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
YOU = "/home/you"
"""What a page calls the folder that is the home of whoever runs it, and of the checkout in it."""

_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_END = "\x1e"

_LOOSE = [
    (re.compile(pattern, re.IGNORECASE), put)
    for pattern, put in (
        (r"0x[0-9a-f]{8,}", "0x0"),  # addresses, hashes, transactions
        (r"\bbaf[a-z2-7]{20,}", "bafy"),  # CIDs
        (r"\b31337-[0-9a-f]{16}-[0-9a-f]{8}", "31337"),  # deployments
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?( ?[+-]\d\d:?\d\d|Z)?", "TIME"),
        (r"\d{4}-\d\d-\d\d", "DAY"),
        (r"^\d+ TIME", "age TIME"),
        (r"\b[\d,]+ gas", "gas"),
        (r"\bblock \d+", "block"),
        (r"\b\d+\.\d+ ?s\b", "seconds"),  # durations
        (r"\b\d+ (s|minutes?|hours?) old", "old"),
        (r"127\.0\.0\.1:\d+", "127.0.0.1"),
        (r"^(fingerprint +)\S.*", r"\1words"),
        (r"\b\d+ snapshots?", "snapshots"),  # an hour more or less, by when the hour of the clock begins
        (r"\b(TREAT|PATRQT) +\d+ +\d+", r"\1"),  # the same, in a table: asked and opened
        (r"\b\d+ readings from", "readings from"),  # in the last 24 hours: one more or less, by when that is asked
        (r" +$", ""),
        (r" {2,}", "  "),  # columns, which are as wide as what stands in them
    )
]


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a page; `start` and `end` are where its output lies in the text."""

    words: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file that a page tells its reader to write."""

    name: str
    text: str


def parts(page: str) -> Iterator[Command | WrittenFile]:
    """The commands and files of a page, in order."""
    for block in _BLOCK.finditer(page):
        kind, name, text = block.groups()
        if name:
            yield WrittenFile(name, text)
        elif kind == "console":
            yield from _commands(text, block.start(3))


def _commands(text: str, place: int) -> Iterator[Command]:
    begun = None
    for line in text.splitlines(keepends=True):
        if line.startswith("$ "):
            if begun:
                yield Command(*begun, place)
            begun = (line[2:].rstrip("\n"), place + len(line))
        place += len(line)
    if begun:
        yield Command(*begun, place)


def run(page: str, folder: Path) -> list[tuple[str, int]]:
    """What each command of a page says, and its exit code. `folder` is the home folder of whoever runs it."""
    script = "".join(_step(part) for part in parts(page))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DTLEDGER_", "ETH_"))}
    environment = kept | {
        "HOME": str(folder),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "TZ": "UTC",
        "NO_COLOR": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        ["/bin/sh", "-c", script], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL, text=True, check=False,
    )  # fmt: skip
    said = re.findall(rf"(.*?){_END}(\d+)\n", done.stdout, re.DOTALL)
    return [(text.replace(str(ROOT), f"{YOU}/dtledger").replace(str(folder), YOU), int(code)) for text, code in said]


def _step(part: Command | WrittenFile) -> str:
    """Shell lines; each command finds in `$?` what the one before left there."""
    if isinstance(part, WrittenFile):
        return f"cat > {part.name} <<'END OF FILE'\n{part.text}END OF FILE\n(exit $code)\n"
    return f"{part.words}\ncode=$?; printf '\\036%d\\n' $code; (exit $code)\n"


def loosely(text: str) -> list[str]:
    """The lines of an output without what differs from one run to the next."""
    return [reduce(lambda line, each: each[0].sub(each[1], line), _LOOSE, line) for line in text.splitlines()]


def filled(page: str, said: list[tuple[str, int]]) -> str:
    """The page with these outputs in it, where they differ."""
    commands = [each for each in parts(page) if isinstance(each, Command)]
    for command, (text, _) in reversed(list(zip(commands, said, strict=True))):
        if loosely(page[command.start : command.end]) != loosely(text):
            page = page[: command.start] + text + page[command.end :]
    return page


def stop(folder: Path) -> None:
    """End the chain that a page started and left running."""
    from dtledger.client.devnet import Devnet
    from dtledger.home import Home

    for marker in folder.glob("*/devnet"):
        Devnet(Home(marker.parent, "page")).down()


def main() -> None:
    for path in map(Path, sys.argv[1:]):
        page = path.read_text()
        with tempfile.TemporaryDirectory() as name:
            try:
                said = run(page, Path(name))
            finally:
                stop(Path(name))
        path.write_text(filled(page, said))


if __name__ == "__main__":
    main()
