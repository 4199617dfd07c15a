"""The resources of a file: one alone, or those of a bundle, each with where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..importers.source import open_source
from .element import Element
from .strict import read_json, refuse

BUNDLES = frozenset({"batch", "collection", "document", "message", "searchset", "transaction"})
"""Kinds of bundles that hold resources as they stand. A history holds former ones too, a response none."""


def read_file(file: Any) -> Any:
    """The JSON of a file (a path or a binary stream; perhaps gzipped).

    Raises:
        InputError: it cannot be read, is larger than `importers.MAX_FILE_BYTES`, or no JSON that is safe to read.
    """
    with open_source(file) as source:
        return read_json("".join(source.lines()))


def resources_in(value: Any) -> Iterator[Element]:
    """Every resource of a file, in order.

    Raises:
        InputError: it is no resource, or a bundle of a kind that is not read.
    """
    resource = Element.root(value)
    if resource.path != "Bundle":
        yield resource
        return
    kind = resource.needed("type")
    if kind not in BUNDLES:
        refuse(resource.at("type"), f"bundles that are read are {', '.join(sorted(BUNDLES))}")
    for entry in resource.elements("entry"):
        inner = entry.element("resource")
        if inner is None:
            if entry.has("request"):
                refuse(entry.path, "it takes a resource away, which nothing here does")
            continue
        inner.resource_type  # noqa: B018 refused here if it names none
        yield inner
