"""`scripts/evaluate fit`: the prior that the package ships."""

from __future__ import annotations

import argparse

from .asked import trained_on
from .fitting import Grams, fit
from .recording import record

TEXT = "a prior from all people that are given, as dtledger/data/glucose-prior.json has it"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--train", action="append", required=True, metavar="DIR:IDS", help="further ones count half")
    parser.add_argument("--name", default="shanghai", help="what the prior is called")


def run(options: argparse.Namespace) -> str:
    main, others = trained_on(options.train)
    grams = Grams(record([*main, *others], announced=True))
    prior = fit(grams, [each.name for each in main], [each.name for each in others], options.name)
    print(f"{prior.name}: {len(grams.recordings)} people; people differ by {prior.deviation:g} in their terms")
    return prior.write()
