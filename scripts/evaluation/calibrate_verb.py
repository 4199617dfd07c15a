"""`scripts/evaluate calibrate`: the gate's thresholds that the package ships."""

from __future__ import annotations

import argparse

from .asked import trained_on
from .detecting import train

TEXT = "a gate's thresholds from all people that are given, as dtledger/data/glucose-gate.json has them"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--train", action="append", required=True, metavar="DIR:IDS", help="further ones count half")


def run(options: argparse.Namespace) -> str:
    (trained,) = train(*trained_on(options.train), [], announced=True)
    for nominal, level in trained.thresholds.levels:
        print(f"nominal {nominal:.0%} of two hours: score {level:.2f}")
    return trained.thresholds.write()
