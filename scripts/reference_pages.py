"""The pages of the API reference: one a public module. Run by `scripts/reference`."""

from __future__ import annotations

import pkgutil
import sys
import warnings
from pathlib import Path

import pdoc
import pdoc.render

import dtledger


def modules() -> list[str]:
    """Every module whose names are for others: no part of its path begins with an underscore."""
    every = (each.name for each in pkgutil.walk_packages(dtledger.__path__, "dtledger."))
    return ["dtledger", *(name for name in every if not any(part.startswith("_") for part in name.split(".")))]


def write(folder: Path, names: list[str]) -> None:
    warnings.simplefilter("ignore")  # of libraries that are imported on the way
    pdoc.render.configure(docformat="google", show_source=False, footer_text="dtledger")
    pdoc.pdoc(*names, output_directory=folder)


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2:] or modules())
