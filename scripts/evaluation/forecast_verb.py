"""`scripts/evaluate forecast`."""

from __future__ import annotations

import argparse
from typing import Any

from .asked import tested_on, trained_on
from .forecasting import evaluate, has_origins
from .goals import Goals

TEXT = "forecasts of 15, 30 and 60 minutes beside persistence and AR(6), on the same origins"
INPUTS = {"announced": (0.98, 0.97, 0.95), "cgm": (0.985, 0.975, 0.95)}
AIMS = (0.965, 0.945, 0.91)
WINKLER = (0.96, 0.94, 0.92)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--train", action="append", required=True, metavar="DIR:IDS", help="further ones count half")
    parser.add_argument(
        "--test", action="append", required=True, metavar="DIR:IDS", help="who is trained on too is left out in turn"
    )
    parser.add_argument(
        "--inputs", choices=["both", *INPUTS], default="both", help="with meals and insulin, or without"
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    test, goals = tested_on(options.test, has_origins, "three hours without a gap, and an hour after them"), Goals()
    main, others = trained_on(options.train, test)
    found: dict[str, Any] = {"verb": "forecast", "seed": options.seed}
    for name in INPUTS if options.inputs == "both" else [options.inputs]:
        result = found[name] = evaluate(main, others, test, announced=name == "announced")
        show(name, result)
        judge(name, result, goals)
    print("\n".join(["", *goals.lines]))
    return found | {"goals": goals.rows}


def show(name: str, result: dict[str, Any]) -> None:
    print(f"\n{'with meals and insulin' if name == 'announced' else 'CGM alone'}, {result['origins']:,} origins")
    print("         min   RMSE  AR(6)  persistence  ratio   50 %  80 %  95 %   Winkler ratio")
    for who, scores in {"all": result["all"], **result["each"]}.items():
        for horizon, row in scores.items():
            covered = "  ".join(f"{row['coverage'][level]:4.1f}" for level in ("50", "80", "95"))
            print(
                f"{who:>8} {horizon:>3}  {row['rmse']:5.2f}  {row['ar6']:5.2f}  {row['persistence']:11.2f}"
                f"  {row['ratio']:.3f}   {covered}   {row['winkler_ratio']:.3f}"
            )


def judge(name: str, result: dict[str, Any], goals: Goals) -> None:
    for place, (horizon, row) in enumerate(result["all"].items()):
        what = f"{name}, {horizon} min"
        aim = AIMS[place] if name == "announced" else None
        goals.at_most(f"{what}: RMSE of AR(6)'s", row["ratio"], INPUTS[name][place], aim)
        goals.at_most(f"{what}: Winkler score of 80 % of AR(6)'s", row["winkler_ratio"], WINKLER[place])
        for level, covered in row["coverage"].items():
            goals.within(f"{what}: coverage of {level} %", covered, int(level) - 2, int(level) + 2)
            worst = max(abs(e[horizon]["coverage"][level] - int(level)) for e in result["each"].values())
            goals.at_most(f"{what}: worst subject's miss of {level} %", worst, 4)
    goals.at_least(f"{name}: of subjects, better at 60 min", result["better_at_60"] / len(result["each"]), 5 / 6)
    goals.within(f"{name}: mean NIS", result["nis"]["all"], 0.8, 1.25)
