"""`scripts/bench`: measures the chosen rows, one after another, and prints them as one table."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dtledger.errors import DtledgerError, InputError

from . import growth, table
from .bench import FULL, QUICK, Bench, Sizes
from .figures import Measured, Missing, NotMeasuredError, Row
from .rows import ROWS, YEAR_ROWS, choose


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.list:
        print("\n".join([*ROWS, *(f"{name}  (--year)" for name in YEAR_ROWS)]))
        return 0
    if options.growth is not None:
        return _grow(options.growth, QUICK if options.quick else FULL)
    try:
        chosen = choose(options.names, year=options.year)
    except InputError as error:
        print(f"error: {error.message}\n       {error.hint}", file=sys.stderr)
        return 2
    about = table.machine()
    measured = measure(chosen, QUICK if options.quick else FULL)
    show(measured, about, options)
    return int(any(isinstance(row, Missing) and row.failed for row in measured.values()))


def _grow(path: Path, sizes: Sizes) -> int:
    """How audits grow with a twin's history, drawn."""
    try:
        growth.require_svg(path)
    except InputError as error:
        print(f"error: {error.message}\n       {error.hint}", file=sys.stderr)
        return 2
    with Bench(sizes) as bench:
        rows = growth.measure(bench)
    growth.draw(rows, path)
    print(growth.told(rows))
    return 0


def show(measured: Measured, about: dict[str, str | float], options: argparse.Namespace) -> None:
    judged = not options.quick
    if options.json:
        print(table.as_json(measured, about, judged=judged))
        return
    print(table.headline(about) + ("" if judged else "; tiny sizes: nothing is judged"))
    if options.markdown:
        print("\n" + table.markdown(measured, judged=judged))
    else:
        table.show(measured, judged=judged)


def measure(chosen: Mapping[str, Callable[[Bench], Row]], sizes: Sizes) -> dict[str, Row | Missing]:
    """By name. Whatever was started for it has ended."""
    measured: dict[str, Row | Missing] = {}
    with Bench(sizes) as bench:
        for place, (name, row) in enumerate(chosen.items(), 1):
            print(f"[{place}/{len(chosen)}] {name}", end="", file=sys.stderr, flush=True)
            try:
                measured[name] = row(bench)
            except NotMeasuredError as lack:
                measured[name] = Missing(str(lack))
            except DtledgerError as error:
                measured[name] = Missing(f"{type(error).__name__}: {error.message} {error.hint}".strip(), failed=True)
            print(f"  {table.figure(measured[name])}", file=sys.stderr)
    return measured


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("scripts/bench", description="Measure what dtledger promises: docs/bench.md.")
    parser.add_argument("names", nargs="*", metavar="ROW", help="rows, by name or by the beginning of their names")
    parser.add_argument("--list", action="store_true", help="print the names of all rows and stop")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: to see that it works; judges nothing")
    parser.add_argument("--year", action="store_true", help="also the rows of a year of hourly snapshots")
    parser.add_argument("--growth", type=Path, metavar="FILE.svg", help="instead draw how audits grow with history")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object on stdout")
    form.add_argument("--markdown", action="store_true", help="a Markdown table, as in docs/bench.md")
    return parser


def _end(number: int, _: object) -> None:
    """Asked to end: leave every `with`, so that no chain and no kubo stays behind."""
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    sys.exit(main())
