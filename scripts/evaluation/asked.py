"""What a verb is asked for, or why it cannot be had: before anything is measured."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from dtledger.errors import InputError

from . import baselines
from .baselines import AHEAD, ORDER
from .fitting import WARM
from .people import Person, people

LEAST = 2
"""People to train on: what is chosen, is chosen by leaving one of them out."""


def positive(text: str) -> int:
    """A whole number over 0, for argparse.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number over 0")
    return int(text)


def not_negative(text: str) -> int:
    """As `positive`, or 0."""
    return 0 if text == "0" else positive(text)


def file(text: str) -> Path:
    """A file that can be written, for argparse: what takes an hour is not lost for a folder that is not there.

    Raises:
        argparse.ArgumentTypeError: its folder is not there, or it is one.
    """
    path = Path(text)
    if path.is_dir() or not path.resolve().parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text} cannot be written: it is a folder, or its folder is not there")
    return path


def tested_on(test: Sequence[str], able: Callable[[Person], bool], needed: str) -> list[Person]:
    """The people of every `DIR:IDS` of whom something can be measured; who is left out is named on stderr.

    Raises:
        InputError: a folder does not hold them, two have one name, or nobody is left.
    """
    every = once([people(given) for given in test])
    found = [person for person in every if able(person)]
    left_out = ", ".join(person.name for person in every if person not in found)
    if not found:
        raise InputError(f"Nothing can be measured of {left_out}: {needed} is needed.")
    if left_out:
        print(f"left out: {left_out}: {needed} is needed", file=sys.stderr)
    return found


def trained_on(train: Sequence[str], tested: Sequence[Person] = ()) -> tuple[list[Person], list[Person]]:
    """The people of the first `DIR:IDS`, and of all further ones.

    Raises:
        InputError: a folder does not hold them, two have one name, or too few of whom something can be learned are left
            where one that is tested is left out.
    """
    main, *further = groups = [people(given) for given in train]
    once(groups)
    names = {person.name for person in main if _teaches(person)}
    if len(names) - bool(names & {person.name for person in tested}) < LEAST:
        raise InputError(
            f"The first --train has too few people: {LEAST} at least, of over a day each, without who is tested.",
            hint="Say --train FOLDER:1001,1002,1003 or 1001-1006.",
        )
    return main, [person for group in further for person in group]


def once(groups: Sequence[Sequence[Person]]) -> list[Person]:
    """All of them.

    Raises:
        InputError: two have one name.
    """
    every = [person for group in groups for person in group]
    if twice := [name for name, count in Counter(each.name for each in every).items() if count > 1]:
        raise InputError(f"Two of the people are called {twice[0]}.", hint="Name each once.")
    return every


def _teaches(person: Person) -> bool:
    """Whether there is something to learn spreads and AR(6) of."""
    readings = sum(int(np.sum(~np.isnan(each.glucose))) for each in person.segments)
    return readings > WARM + AHEAD[-1] and bool(len(baselines.origins(person, ORDER - 1).row))
