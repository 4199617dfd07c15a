"""What ten million patients would need, reckoned from the figures of the bench: the page docs/scale.md.

    python -m scripts.benchmarks.scale docs/bench.json

Every number is an expression (`Term`) of rows of the bench, of assumptions, and of numbers above it; text and value
come from the same expression, so the page cannot say one formula and show another's result.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from .figures import Row, quantity
from .record import Record, read
from .table import table_of, when

HOUR, DAY, YEAR = 3_600, 86_400, 31_536_000
_PREFIXES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True, slots=True)
class Term:
    """A number and how it is written in the formulas of others.

    >>> seconds = Term(3_600, "seconds of an hour")
    >>> told = (Term(10, "patients") + Term(2, "others")) * Term(300, "`gas`") / seconds
    >>> told.value, told.text
    (1.0, '(patients + others) × `gas` / seconds of an hour')
    """

    value: float
    text: str
    form: Literal["", "+", "×"] = ""

    def __add__(self, other: Term) -> Term:
        return Term(self.value + other.value, f"{self.text} + {other.text}", "+")

    def __mul__(self, other: Term) -> Term:
        return Term(self.value * other.value, f"{self._within('+')} × {other._within('+')}", "×")

    def __truediv__(self, other: Term) -> Term:
        return Term(self.value / other.value, f"{self._within('+')} / {other._within('+×')}", "×")

    def _within(self, forms: str) -> str:
        return f"({self.text})" if self.form and self.form in forms else self.text


@dataclass
class Page:
    """Lines as they are reckoned, and the rows that they rest on."""

    figures: Record
    lines: list[tuple[str, ...]] = field(default_factory=list)
    used: list[str] = field(default_factory=list)

    def row(self, name: str) -> Term:
        """A row's figure.

        Raises:
            ValueError: it was not measured.
        """
        taken = self.figures.get(name)
        if taken is None or not isinstance(taken.row, Row):
            raise ValueError(f"the record lacks the row {name}")
        if name not in self.used:
            self.used.append(name)
        return Term(taken.row.figure, f"`{name}`")

    def say(self, name: str, term: Term, unit: str) -> Term:
        """A line; the number under its name, for those below."""
        self.lines.append((name, _told(term.value, unit), term.text))
        return Term(term.value, name)

    def table(self) -> str:
        lines, self.lines = self.lines, []
        return table_of(("what", "figure", "from"), lines)

    def sources(self) -> str:
        rows = [(f"`{each}`", *self._source(each)) for each in self.used]
        return table_of(("row", "figure", "measured"), rows)

    def _source(self, name: str) -> tuple[str, str]:
        taken = self.figures[name]
        assert isinstance(taken.row, Row), "`row` has seen it"
        return quantity(taken.row.figure, taken.row.unit), when(taken)


def _told(value: float, unit: str) -> str:
    """About three digits; bytes and gas by thousands."""
    if unit in ("B", "gas/s"):
        scale, prefix = next(((scale, prefix) for scale, prefix in _PREFIXES if value >= scale), (1, ""))
        return quantity(value / scale, f"{prefix}{unit}" if unit == "B" else f"{prefix} {unit}".strip())
    return quantity(value, unit).strip()


PATIENTS = Term(10_000_000, "patients")
GATEWAY = Term(1_000, "twins of a gateway")
GRANTS = Term(10, "grants a year")
REVOCATIONS = Term(2, "revocations a year")
READS = Term(2, "reads a day")
SNAPSHOTS = Term(336, "snapshots of a fortnight")
READINGS = Term(12, "readings an hour")
BLOCK_GAS = Term(30_000_000, "gas of a block")
BLOCK = Term(2, "seconds of a block")
STATE = Term(300, "bytes of a word in the state")
COPIES = Term(3, "copies")
EUROS_A_CORE = Term(240, "€ of a core a year")
EUROS_A_TERABYTE = Term(240, "€ of a terabyte a year")
TERABYTE = Term(1e12, "bytes of a terabyte")
ASSUMED: Sequence[tuple[Term, str]] = (
    (PATIENTS, "each with one twin, of one category, a snapshot an hour, its state beside it"),
    (GATEWAY, "a batch an hour"),
    (GRANTS, "of each patient, sent by a relay"),
    (REVOCATIONS, "of each patient"),
    (READS, "of each twin, by whoever treats it, of a fortnight each"),
    (READINGS, "a sensor's, one every five minutes"),
    (BLOCK_GAS, "what Anvil is run with; a consortium sets its own"),
    (BLOCK, "of a chain of five validators whose blocks are final at once"),
    (STATE, "a word, its key and its part of the tree, in a node's database: not measured here"),
    (COPIES, "of each block in the stores"),
    (EUROS_A_CORE, "rented: 20 a month"),
    (EUROS_A_TERABYTE, "rented: 20 a month"),
)


def page(figures: Record) -> str:
    """The whole page, in Markdown.

    Raises:
        ValueError: the record lacks a row.
    """
    on, hour, day, year = Page(figures), Term(HOUR, "3,600 s"), Term(DAY, "86,400 s"), Term(YEAR, "31,536,000 s")

    batches = on.say("batches anchored", PATIENTS / GATEWAY / hour, "/s")
    grants = on.say("grants", PATIENTS * GRANTS / year, "/s")
    revocations = on.say("revocations", PATIENTS * REVOCATIONS / year, "/s")
    minted = on.say("twins minted, in the first year", PATIENTS / year, "/s")
    anchoring = on.say("gas of anchors", batches * on.row("gas-anchor"), "gas/s")
    consenting = on.say(
        "gas of consents",
        grants * on.row("gas-grant-signed") + revocations * on.row("gas-revoke"),
        "gas/s",
    )
    minting = on.say("gas of mints and cards", minted * (on.row("gas-mint") + on.row("gas-card-signed")), "gas/s")
    load = on.say("gas of all", anchoring + consenting + minting, "gas/s")
    room = on.say("gas that the chain has", BLOCK_GAS / BLOCK, "gas/s")
    hundred = Term(100, "100 %")
    share = on.say("part of the chain", load / room * hundred, "%")
    least = on.say(
        "twins of a gateway below which anchors alone would fill it",
        PATIENTS * on.row("gas-anchor") / hour / room,
        "",
    )
    chain = on.table()

    events = on.say("events of a year", (batches + grants + revocations + minted + minted) * year, "")
    kept = on.say(
        "transactions and logs of a year",
        (batches * on.row("bytes-anchor") + (grants + revocations + minted + minted) * on.row("bytes-grant")) * year,
        "B",
    )
    state = on.say("state of a year", (batches + grants + minted + minted) * year * STATE, "B")
    disk = on.say("a node's disk, each year", kept + state, "B")
    node = on.table()

    on.say("an index on disk, each year", events * on.row("bytes-index"), "B")
    memory = on.say("the same, folded in memory", events * on.row("bytes-memory"), "B")
    hours = on.say("to read a year's events from a node, once", events / on.row("index") / hour, "h")
    index = on.table()

    twin_year = on.say("a patient's year", on.row("bytes-stored") * year / hour, "B")
    stored = on.say("all patients' year", PATIENTS * twin_year, "B")
    copied = on.say("with its copies", stored * COPIES, "B")
    storage = on.table()

    readings = on.say("readings", PATIENTS * READINGS / hour, "/s")
    gateways = on.say("cores of gateways", readings / on.row("ingest"), "")
    reads = on.say("reads", PATIENTS * READS / day, "/s")
    decisions = on.say("decisions of each of a roster's custodians", reads * SNAPSHOTS, "/s")
    on.say("cores for the rule, of each", decisions / on.row("decisions"), "")
    thousand = Term(1000, "1,000 ms")
    custodians = on.say(
        "cores for keys: all three custodians and the reader", decisions * on.row("release-fortnight") / thousand, ""
    )
    on.say("custodians at each place of a roster, asked for one snapshot at a time", reads / on.row("requests"), "")
    work = on.table()

    cost = on.say("storage, for a patient's year", copied / TERABYTE * EUROS_A_TERABYTE / PATIENTS, "€")
    cores = on.say("computing, for a patient's year", (gateways + custodians) * EUROS_A_CORE / PATIENTS, "€")
    costs = on.table()
    return _PAGE.format(
        assumed=table_of(
            ("what", "figure", "which"), [(each.text, f"{each.value:,.0f}", words) for each, words in ASSUMED]
        ),
        chain=chain,
        node=node,
        index=index,
        storage=storage,
        work=work,
        costs=costs,
        sources=on.sources(),
        hours=_told(hours.value, "h"),
        memory=_told(memory.value, "B"),
        share=_told(share.value, "%"),
        least=_told(least.value, ""),
        disk=_told(disk.value, "B"),
        stored=_told(stored.value, "B"),
        cores=_told(gateways.value + custodians.value, ""),
        cents=_told(100 * (cost.value + cores.value), "cents"),
    )


_PAGE = """# Ten million patients

Arithmetic, not a measurement: nobody ran this. Each number is a formula of rows of the [bench](bench.md) (in
`code`; their figures stand at the end), of what is assumed here, and of numbers above it. The page is written by
`scripts/bench --pages` from [bench.json](bench.json), and a test sees that it says what that file gives.

## What breaks first

**The index.** Every client and every custodian reads all events of the whole deployment, and keeps them folded in its
memory: {hours} of reading and {memory} for each year of ten million patients, on a patient's laptop too. The chain has
room ({share} of it is used), as long as a gateway anchors for more than {least} twins at once; a node's disk grows by
{disk} a year; the rest is machines side by side: {cores} cores of gateways and custodians, {stored} of ciphertext a
year.

So ten million patients are many deployments (a region's, a group of hospitals': contracts, custodians and index of
its own, on one chain or several) and not one: a hundred thousand patients to a deployment divide all numbers of an
index by a hundred. That works as things stand, a profile for each, and nothing reads across them. Clients that ask an
index with state proofs, instead of keeping one, are not built.

## What is assumed

{assumed}

## The chain

{chain}

Not counted: receipt roots and heartbeats of custodians (one transaction now and then for each), models, guardians,
emergencies.

## A validator's disk

{node}

## The index of each client and custodian

{index}

## The block store

{storage}

## Gateways and custodians

{work}

## What it costs

{costs}

That is {cents} for a patient and year, without people, networks, offices, backups and the chain's validators.

## The rows that it rests on

{sources}
"""


def main(arguments: Sequence[str]) -> int:
    (path,) = arguments
    print(page(read(Path(path))), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
