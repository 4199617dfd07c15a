"""Who is to hold the shares of the second lock: the options of `mint`, and of `move` for its recipient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from ...errors import InputError
from .. import complete
from ..app import App

if TYPE_CHECKING:
    from ...types import Address


@dataclass(frozen=True, slots=True)
class Custody:
    """Who is to hold the shares of the second lock, and how many of them are needed."""

    custodians: tuple[Address, ...]
    threshold: int

    @classmethod
    def chosen(cls, app: App, named: Sequence[str], threshold: int | None) -> Custody:
        """Those named, else all of the profile's; by default a majority opens."""
        people = tuple(dict.fromkeys(app.resolve(each).address for each in named))
        custodians = people or tuple(app.client.context.custodians)
        if not custodians:
            raise InputError("The profile names no custodian.", hint="Set them: `dtledger config set custodians …`.")
        needed = threshold if threshold is not None else len(custodians) // 2 + 1
        if needed > len(custodians):
            raise InputError(
                f"{needed} of {len(custodians)} custodians can never answer.",
                hint="Lower --threshold, or name more of them.",
            )
        return cls(custodians, needed)

    def plain(self, app: App) -> dict[str, Any]:
        return {"threshold": self.threshold, "custodians": [app.people.plain(each) for each in self.custodians]}


def custody_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--custodian` and `--threshold`."""
    who = click.option(
        "--custodian",
        "custodians",
        multiple=True,
        metavar="WHO",
        shell_complete=complete.contacts,
        help="Who holds shares of the second lock; may be repeated. By default all of the profile's.",
    )
    needed = click.option(
        "--threshold", type=click.IntRange(1, 255), help="How many custodians open it. By default a majority."
    )
    return who(needed(command))
