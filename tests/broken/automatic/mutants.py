"""Mutants that a tool makes of a file, one small change each, and what is known of those that no test notices.

A survivor stands in `survivors.toml` with the reason why it is no mistake, or the run fails: who changes the code or
the tests either has a test that notices, or says why there can be none. It is known by its line, before and after, so
that lines may move; a line that stands in two places is explained once for each.
"""

from __future__ import annotations

import sys
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SURVIVORS = Path(__file__).with_name("survivors.toml")
_SAID = {False: "noticed ", True: "survived", None: "nonsense"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """`path` (from the checkout's top) as a tool rewrote it by its operator `by`."""

    path: str
    by: str
    text: str

    @property
    def change(self) -> tuple[str, str]:
        """The lines that it changes, without their margins: before and after."""
        before, after = ((ROOT / self.path).read_text().splitlines(), self.text.splitlines())
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
        before, after = before[same:], after[same:]
        while before and after and before[-1] == after[-1]:
            before, after = before[:-1], after[:-1]
        return "\n".join(map(str.strip, before)), "\n".join(map(str.strip, after))

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.path, *self.change)

    def __str__(self) -> str:
        before, after = self.change
        return f"{self.path} ({self.by})\n  - {before}\n  + {after}"


def explained(paths: Iterable[str]) -> Counter[tuple[str, str, str]]:
    """How many survivors of each change are explained, in these files.

    Raises:
        ValueError: one has no reason.
    """
    wanted = set(paths)
    rows = [row for row in tomllib.loads(SURVIVORS.read_text()).get("survivor", []) if row["file"] in wanted]
    for row in rows:
        if not row["reason"].strip():
            raise ValueError(f"a survivor has no reason: {row['before']}")
    return Counter((row["file"], row["before"], after) for row in rows for after in row["after"])


class Tally:
    """Counts verdicts, and tells each survivor that nobody explained; on stderr, how far it is of `expected`."""

    def __init__(self, paths: Iterable[str], expected: int) -> None:
        self._known = explained(paths)
        self._expected = expected
        self.killed = self.equivalent = self.unexplained = self.nonsense = 0

    def count(self, mutant: Mutant, survived: bool | None) -> None:
        """`survived` is None if no compiler takes it."""
        self._count(mutant, survived)
        done = self.killed + self.equivalent + self.unexplained + self.nonsense
        print(f"[{done}/{self._expected}] {_SAID[survived]} {mutant.path}: {mutant.change[1]}", file=sys.stderr)

    def _count(self, mutant: Mutant, survived: bool | None) -> None:
        if survived is None:
            self.nonsense += 1
        elif not survived:
            self.killed += 1
        elif self._known[mutant.key] > 0:
            self._known[mutant.key] -= 1
            self.equivalent += 1
        else:
            self.unexplained += 1
            print(f"survived, and nobody says why: {mutant}", flush=True)

    def close(self, whole: bool) -> int:
        """The command's exit code. After a `whole` run an explanation of what is noticed is a mistake too."""
        stale = sorted(self._known.elements()) if whole else []
        for _, before, after in stale:
            print(f"explained in {SURVIVORS.name}, and noticed:\n  - {before}\n  + {after}")
        total = self.killed + self.equivalent + self.unexplained
        print(
            f"{total} mutants: {self.killed} killed, {self.equivalent} explained survivors, {self.unexplained} others"
            + (f"; {self.nonsense} more that no compiler takes" if self.nonsense else "")
        )
        return 1 if self.unexplained or stale or not total else 0
