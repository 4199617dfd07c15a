"""`scripts/evaluate fit`: the prior that the package ships."""

from __future__ import annotations

import argparse

from .fitting import Grams, fit
from .people import people
from .recording import record

TEXT = "a prior from all people that are given, as dtledger/data/glucose-prior.json has it"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--train", action="append", required=True, metavar="DIR:IDS", help="further ones count half")
    parser.add_argument("--name", default="shanghai", help="what the prior is called")


def run(options: argparse.Namespace) -> str:
    groups = [people(given) for given in options.train]
    grams = Grams(record([person for group in groups for person in group], announced=True))
    main, *further = ([person.name for person in group] for group in groups)
    prior = fit(grams, main, [name for group in further for name in group], options.name)
    print(f"{prior.name}: {len(grams.recordings)} people; people differ by {prior.deviation:g} in their terms")
    return prior.write()
