"""`scripts/bench`: measures the chosen rows, one after another, and shows them as one table."""

from __future__ import annotations

import argparse
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from dtledger.errors import DtledgerError, InputError

from . import growing, growth, growth_page, machine, pages, record, table
from .bench import FULL, QUICK, Bench, Sizes
from .figures import Missing, NotMeasuredError, Row
from .record import Record, Taken
from .rows import NETWORK_ROWS, ROWS, YEAR_ROWS, choose, every


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.list:
        print(
            "\n".join(
                [
                    *ROWS,
                    *(f"{name}  (--year)" for name in YEAR_ROWS),
                    *(f"{name}  (--network)" for name in NETWORK_ROWS),
                ]
            )
        )
        return 0
    if options.pages:
        print("\n".join(pages.write()))
        return 0
    sizes = QUICK if options.quick else FULL
    try:
        if options.growth is not None:
            return _grow(options, sizes)
        chosen = choose(options.names, year=options.year, network=options.network)
        if options.into is not None:
            _require_fit(options.into, judged=not options.quick)
    except InputError as error:
        print(f"error: {error.message}\n       {error.hint}", file=sys.stderr)
        return 2
    measured: Record = {}
    with Bench(sizes) as bench:
        try:
            for name, taken in measure(bench, chosen):
                measured[name] = taken
                if options.into is not None:
                    _keep(options.into, name, taken)
        finally:  # before what was started ends, which takes a while
            show(measured, options)
    return int(any(isinstance(each.row, Missing) and each.row.failed for each in measured.values()))


def _grow(options: argparse.Namespace, sizes: Sizes) -> int:
    """How audits grow with a twin's history (a picture), or all that people do with the world (a folder)."""
    path: Path = options.growth
    if path.suffix:
        growth.require_svg(path)
        with Bench(sizes) as bench:
            rows = growth.measure(bench)
        growth.draw(rows, path)
        print(growth.told(rows))
        return 0
    growing.run(sizes, path, options.names, most=options.most)
    grown = growing.read(path / growing.FILE)
    growth_page.write(path, grown)
    print("\n".join(growth_page.told(axis, grew) for axis, grew in grown.items()))
    return 0


def show(measured: Record, options: argparse.Namespace) -> None:
    if options.json:
        print(record.as_json(measured))
        return
    print(table.headline(machine.machine()) + ("; tiny sizes: nothing is judged" if options.quick else ""))
    if options.markdown:
        print("\n" + table.markdown(measured))
    else:
        table.show(measured)


def measure(bench: Bench, chosen: Mapping[str, Callable[[Bench], Row]]) -> Iterator[tuple[str, Taken]]:
    """Each row by name, as soon as it is measured."""
    about, judged, load = machine.machine(), bench.sizes is FULL, bench.sizes.lasting / 6
    before = machine.load(load)
    for place, (name, row) in enumerate(chosen.items(), 1):
        print(f"[{place}/{len(chosen)}] {name}", end="", file=sys.stderr, flush=True)
        at = datetime.now(UTC).isoformat(timespec="seconds")
        found = _measured(bench, row)
        after = machine.load(load)
        print(f"  {table.figure(found)}", file=sys.stderr)
        yield name, Taken(found, at, about, max(before, after), judged=judged)
        before = after


def _measured(bench: Bench, row: Callable[[Bench], Row]) -> Row | Missing:
    try:
        return row(bench)
    except NotMeasuredError as lack:
        return Missing(str(lack))
    except DtledgerError as error:
        return Missing(f"{type(error).__name__}: {error.message} {error.hint}".strip(), failed=True)
    except Exception as error:  # noqa: BLE001 what ails one row takes no other
        traceback.print_exc()
        return Missing(f"{type(error).__name__}: {error}", failed=True)


def _require_fit(path: Path, *, judged: bool) -> None:
    """Pass if rows of this size may go into the file.

    Raises:
        InputError: it is no record, or holds rows of full sizes, whose place tiny ones would take.
    """
    if any(each.judged for each in record.read(path).values()) and not judged:
        raise InputError(f"{path.name} holds rows of full sizes.", hint="Name another file for --quick.")


def _keep(path: Path, name: str, taken: Taken) -> None:
    if not record.merge(path, name, taken, list(every())):
        print(f"{path.name} keeps the {name} that it has", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("scripts/bench", description="Measure what dtledger promises: docs/bench.md.")
    parser.add_argument("names", nargs="*", metavar="ROW", help="rows, by name or by the beginning of their names")
    parser.add_argument("--list", action="store_true", help="print the names of all rows and stop")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: to see that it works; judges nothing")
    parser.add_argument("--year", action="store_true", help="also the rows of a year of hourly snapshots")
    parser.add_argument("--into", type=Path, metavar="FILE.json", help="also write each row into FILE, once measured")
    parser.add_argument("--network", action="store_true", help="the rows on five validators, and no others")
    parser.add_argument("--growth", type=Path, metavar="FOLDER", help="instead draw how all slows as the world grows")
    parser.add_argument("--most", type=int, default=10**9, metavar="N", help="with --growth: no size beyond N")
    parser.add_argument("--pages", action="store_true", help="instead write pages anew from docs/bench.json")
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
