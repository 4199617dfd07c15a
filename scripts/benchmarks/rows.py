"""Every row by name, in the order in which they are shown, and what has no row yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from dtledger.errors import InputError

from . import (
    auditing,
    deciding,
    encryption,
    federated,
    gas,
    granting,
    ingesting,
    loading,
    models,
    network,
    queueing,
    racing,
    reading,
    relaying,
    releasing,
    revoking,
    roots,
    weighing,
)
from .bench import Bench
from .figures import Row

ROWS: Mapping[str, Callable[[Bench], Row]] = {
    **gas.ROWS,
    **encryption.ROWS,
    **releasing.ROWS,
    **deciding.ROWS,
    **granting.ROWS,
    **reading.ROWS,
    **revoking.ROWS,
    **racing.ROWS,
    **loading.ROWS,
    **models.ROWS,
    **roots.ROWS,
    **federated.ROWS,
    **auditing.ROWS,
    **ingesting.ROWS,
    **weighing.ROWS,
    **relaying.ROWS,
    **queueing.ROWS,
}
YEAR_ROWS: Mapping[str, Callable[[Bench], Row]] = {
    **reading.YEAR_ROWS,
    **racing.LONG_ROWS,
    **loading.LONG_ROWS,
    **federated.LONG_ROWS,
    **auditing.YEAR_ROWS,
}
NETWORK_ROWS: Mapping[str, Callable[[Bench], Row]] = network.ROWS
"""On five validators."""


def every() -> dict[str, Callable[[Bench], Row]]:
    """All of them."""
    return {**ROWS, **YEAR_ROWS, **NETWORK_ROWS}


def choose(names: Iterable[str], *, year: bool, network: bool = False) -> dict[str, Callable[[Bench], Row]]:
    """The rows of these names, or whose names begin with them and a hyphen; without names all, those of a year if
    `year`, or those on a network if `network`.

    Raises:
        InputError: no row has such a name.
    """
    names, there = list(names), every()
    chosen = {name for name in there if any(f"{name}-".startswith(f"{each}-") for each in names)}
    for each in names:
        if not any(f"{name}-".startswith(f"{each}-") for name in there):
            raise InputError(f"No row is called {each!r}.", hint=f"There are {', '.join(there)}.")
    if not names:
        chosen = {*NETWORK_ROWS} if network else {*ROWS, *(YEAR_ROWS if year else ())}
    return {name: measure for name, measure in there.items() if name in chosen}
