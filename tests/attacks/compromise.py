"""The table in docs/threats.md of what opens when a party loses all that it holds: measured, and written by this.

    python -m tests.attacks.compromise       measures, and writes the table into the page

Each row is an attacker with everything that its parties hold, with every block of the store that there ever was and
with the whole ledger; where the parties are people, it has asked every custodian in their name. What opens is what it
has decrypted then (`attacker.opened`). A row of several attackers (each set of t − 1 custodians) has what any of them
opens. The last column is the same attacker with what it lacks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from .compromise_rows import ROWS, Party
from .compromise_story import Part, Story, told

PAGE = Path(__file__).resolve().parents[2] / "docs" / "threats.md"
BEGIN, END = "<!-- measured by tests/attacks/compromise.py -->\n", "<!-- end -->\n"
QUEUE = "queue"
NOTHING, EVERYTHING, EVERY_SNAPSHOT = "nothing", "everything", "every snapshot"


def measured(story: Story, attackers: Iterable[Party], *more: str) -> frozenset[str]:
    """The words for all that any of them opens. A part of several snapshots is open if one of them is."""
    found = set()
    for attacker in attackers:
        opened = story.opened(*attacker, *more)
        found |= {part.value for part, digests in story.parts.items() if digests & opened}
        found |= {QUEUE} if story.waiting(*attacker, *more) else set()
    return frozenset(found)


def in_words(words: frozenset[str]) -> str:
    every = [part.value for part in Part]
    if words >= {*every, QUEUE}:
        return EVERYTHING
    if words >= set(every):
        return EVERY_SNAPSHOT
    return ", ".join(word for word in (*every, QUEUE) if word in words) or NOTHING


def lines(story: Story) -> Iterator[str]:
    """The table, in Markdown."""
    everything = frozenset({*(part.value for part in Part), QUEUE})
    yield "| party | what it holds | what opens | what does not | why | with what it lacks |"
    yield "|---|---|---|---|---|---|"
    for row in ROWS:
        opens = measured(story, row.attackers)
        more = f"{row.lacking}: {in_words(measured(story, row.attackers, *row.lacks))}" if row.lacks else ""
        cells = (row.party, row.holds, in_words(opens), in_words(everything - opens), row.why, more)
        yield f"| {' | '.join(cells)} |"


def filled(page: str, story: Story) -> str:
    """The page with the table as it is measured now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + "\n" + "\n".join(lines(story)) + "\n\n" + END + after


def main() -> None:
    with told() as story:
        PAGE.write_text(filled(PAGE.read_text(), story))


if __name__ == "__main__":
    main()
