"""What a verb is asked for, or why it cannot be had: before anything is measured."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from dtledger.errors import InputError

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


def trained_on(train: Sequence[str], tested: Sequence[Person] = ()) -> tuple[list[Person], list[Person]]:
    """The people of the first `DIR:IDS`, and of all further ones.

    Raises:
        InputError: a folder does not hold them, two have one name, or too few are left where one that is tested is left
            out.
    """
    main, *further = (people(given) for given in train)
    others = [person for group in further for person in group]
    if twice := [name for name, count in Counter(each.name for each in (*main, *others)).items() if count > 1]:
        raise InputError(f"Two of the training people are called {twice[0]}.", hint="Name each once.")
    names = {person.name for person in main}
    if len(names) - bool(names & {person.name for person in tested}) < LEAST:
        raise InputError(
            f"The first --train has too few people: {LEAST} at least, without who is tested.",
            hint="Say --train FOLDER:1001,1002,1003 or 1001-1006.",
        )
    return main, others
