"""`scripts/evaluate detect`."""

from __future__ import annotations

import argparse
import math
from typing import Any

from .asked import positive, tested_on, trained_on
from .detecting import evaluate, train
from .goals import Goals
from .windows import has_windows

TEXT = "false data in two hours of readings, beside a plain NIS test, with thresholds of other people"
MOST = {"0.01": 0.02, "0.05": 0.075}
"""The share of clean windows with a false alarm, by nominal share."""
SUSPECT = 0.03
OTHERS = ("plain", "second")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--train", action="append", required=True, metavar="DIR:IDS", help="further ones count half")
    parser.add_argument(
        "--test", action="append", required=True, metavar="DIR:IDS", help="who is trained on too is left out in turn"
    )
    parser.add_argument("--seeds", type=positive, default=20, metavar="N", help="of each attack that is drawn")
    parser.add_argument("--cgm-alone", action="store_true", help="without meals and insulin")


def run(options: argparse.Namespace) -> dict[str, Any]:
    test, goals = tested_on(options.test, has_windows, "two hours after a day of readings, without a gap,"), Goals()
    main, others = trained_on(options.train, test)
    announced = not options.cgm_alone
    trained = train(main, others, test, announced)
    found = evaluate(trained, test, announced, options.seeds, options.seed)
    show(found)
    judge(found, goals)
    print("\n".join(["", *goals.lines]))
    return {"verb": "detect", "seed": options.seed, "seeds": options.seeds, **found, "goals": goals.rows}


def show(found: dict[str, Any]) -> None:
    false = found["false"]
    print(f"\nFalse alarms in {len(found['windows']['person']):,} clean windows, nominal 1 and 5 %; plain NIS:")
    for kind in ("all", "lows", "fast changes", "meals", "none of these", "second"):
        if false.get(kind, {}).get("windows"):
            name = "with fingersticks" if kind == "second" else kind
            print(f"  {name:<36} {false[kind].get('windows', 0):>6,}  {_both(false[kind])}")
    print(f"  {'plain NIS':<44}{_both(false['plain'])}")
    for name, each in false["people"].items():
        print(f"  {name:<44}{each['0.01']:.3f}          {each['0.05']:.3f}")
    print(f"  {'alarms a day':<44}{false['a day']['0.01']:.3f}          {false['a day']['0.05']:.3f}")
    for told, shares in found["lived"].items():
        print(f"  clean time {told}: " + ", ".join(f"{name} {share:.2%}" for name, share in shares.items()))
    print(f"\n{'Found, nominal 1 and 5 %':<40}{'plain NIS':>40}{'with fingersticks':>21}")
    for name, row in found["attacks"].items():
        rest = f"{row['plain']['0.01']:.3f} {row['plain']['0.05']:.3f}" if "plain" in row else ""
        second = (
            f"{row['second']['0.01']:.3f} {row['second']['0.05']:.3f}" if row.get("second", {}).get("windows") else ""
        )
        print(f"  {name:<38}{_both(row)}  {rest:<14}{second}   {row['why']}")
    for share, row in found["mimics"].items():
        print(f"  mimic, {share} of a deviation a reading: {_both(row)}  moves {row['moved']:.0f} mg/dL in two hours")


def judge(found: dict[str, Any], goals: Goals) -> None:
    for nominal, most in MOST.items():
        goals.at_most(f"false alarms at a nominal {float(nominal):.0%}", found["false"]["all"][nominal], most)
    for name, row in found["attacks"].items():
        if row.get("least") and not math.isnan(row["0.01"]):
            for nominal, least in zip(MOST, row["least"], strict=True):
                goals.at_least(f"{name} at {float(nominal):.0%}", row[nominal], least)
    goals.at_most("clean time that is suspect", found["lived"]["alone"]["suspect"], SUSPECT)


def _both(row: dict[str, Any]) -> str:
    return " ".join(
        f"{row[nominal]:.3f} ({row[f'{nominal} interval'][0]:.2f}-{row[f'{nominal} interval'][1]:.2f})"
        for nominal in MOST
    )
