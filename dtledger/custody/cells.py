"""Lists of CBOR that somebody else wrote: cells of exactly the kinds that there should be, or it cannot be read.

>>> from dtledger.encoding import encode
>>> with readable("a greeting"):
...     cells_of(encode(["hello"]), int)
Traceback (most recent call last):
dtledger.errors.IntegrityError: a greeting cannot be read
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .. import encoding
from ..errors import IntegrityError


@contextmanager
def readable(what: str) -> Iterator[None]:
    """Whatever goes wrong inside, `what` cannot be read.

    Raises:
        IntegrityError: something did.
    """
    try:
        yield
    except (IntegrityError, ValueError, TypeError, OverflowError) as error:
        raise IntegrityError(f"{what} cannot be read") from error


def cells_of(data: bytes, *kinds: type) -> list[Any]:
    """The cells of an encoded list. Raises IntegrityError, ValueError: it is none of these kinds."""
    cells = encoding.decode(data)
    require_kinds(cells, kinds)
    assert isinstance(cells, list)
    return cells


def signed_cells(data: bytes, kinds: Sequence[type]) -> tuple[list[Any], bytes]:
    """The cells of the body of an encoded [body, signature], and the signature. Raises as `cells_of`."""
    body, signature = cells_of(data, list, bytes)
    require_kinds(body, kinds)
    return body, signature


def require_kinds(cells: Any, kinds: Sequence[type]) -> None:
    """Pass if `cells` is a list of values of exactly these kinds.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(cells, list) or [type(cell) for cell in cells] != list(kinds):
        raise ValueError("other cells than there should be")
