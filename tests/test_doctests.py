"""Every example in a docstring does what it says, and what it names of dtledger is there."""

from __future__ import annotations

import doctest
import pkgutil
import re
from importlib import import_module
from pathlib import Path

import pytest

import dtledger

pytestmark = pytest.mark.slow

MODULES = [
    each.name
    for each in pkgutil.walk_packages(dtledger.__path__, "dtledger.")
    if not each.name.endswith(("__main__", ".plugin"))
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_true(name: str) -> None:
    module = import_module(name)
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0
    for named in re.findall(r"`(dtledger(?:\.\w+)+)`", Path(str(module.__file__)).read_text()):
        pkgutil.resolve_name(named)


@pytest.mark.slow
def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    count = sum(len(test.examples) for name in MODULES for test in finder.find(import_module(name)))
    assert count > 60
