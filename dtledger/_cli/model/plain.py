"""Models as options, words and plain values."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...errors import InputError
from ...vocabulary.numbers import number_of
from ..app import App, rfc3339
from ..words import listed

if TYPE_CHECKING:
    from ...client import NamedModel
    from ...ledger import Aggregate, Model, Remediation, Round, Update
    from ...models.release import Release

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_MIB = 2**20


class Epsilon(click.ParamType[int]):
    """ε as people write it, in thousandths.

    >>> Epsilon().convert("0.25", None, None)
    250
    """

    name = "ε"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        whole, _, part = str(value).partition(".")
        if not (whole + part).isascii() or not (whole + part).isdigit() or len(part) > 3 or len(whole) > 6:
            self.fail(f"{value!r} is no ε: a number like 0.5, with at most three places.", param, ctx)
        thousandths = int(whole or 0) * 1000 + int(part.ljust(3, "0"))
        if thousandths == 0:
            self.fail("ε is more than 0.", param, ctx)
        return thousandths


EPSILON = Epsilon()


def twins_words(count: int) -> str:
    """
    >>> twins_words(1), twins_words(1000)
    ('1 twin', '1,000 twins')
    """
    return number_of(count, "twin")


def updates_words(count: int) -> str:
    return number_of(count, "update")


def find(app: App, which: str) -> NamedModel:
    """The model that a command names. Raises as `Models.find`."""
    return app.client.models.find(which, app.people.name)


def epsilon_words(thousandths: int) -> str:
    """
    >>> epsilon_words(1250)
    'ε 1.25'
    """
    return f"ε {thousandths / 1000:g}"


def chunks(path: Path) -> Iterator[bytes]:
    """A file's bytes, a MiB at a time.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            while chunk := file.read(_MIB):
                yield chunk
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error


def purpose_words(model: Model) -> tuple[str, str]:
    """Code and words of a model's purpose. Anybody who coordinates can name one that this version does not know."""
    from ...vocabulary import Purpose

    try:
        purpose = Purpose(model.purpose)
    except ValueError:
        return f"purpose {model.purpose}", "for a purpose that this version does not know"
    return purpose.name, purpose.text


def terms_words(named: NamedModel) -> str:
    """A model's terms as a sentence ends with them."""
    from ...client import trained_categories

    model = named.model
    code, words = purpose_words(model)
    return (
        f"trained {words} ({code}) on {listed(trained_categories(model))}; a site trains on at least "
        f"{twins_words(model.minimum_cohort)} a round and spends at most {epsilon_words(model.budget)} altogether"
    )


def plain_model(app: App, named: NamedModel) -> dict[str, Any]:
    from ...client import trained_categories

    model = named.model
    return {
        "model": model.number,
        "name": named.card.name if named.card else None,
        "about": named.card.about if named.card else None,
        "coordinator": app.people.plain(model.coordinator),
        "purpose": purpose_words(model)[0],
        "categories": trained_categories(model),
        "minimum_cohort": model.minimum_cohort,
        "budget": model.budget / 1000,
        "registered_at": rfc3339(model.at),
    }


def plain_update(app: App, update: Update) -> dict[str, Any]:
    return {
        "site": app.people.plain(update.site),
        "update": update.update,
        "consents": update.consents,
        "record": update.record,
        "cohort": update.cohort,
        "epsilon": update.epsilon / 1000,
        "block": update.block,
        "at": rfc3339(update.at),
    }


def plain_round(app: App, number: Round, updates: list[Update], made: Aggregate | None) -> dict[str, Any]:
    return {
        "round": number.number,
        "parent": number.parent,
        "block": number.block,
        "at": rfc3339(number.at),
        "updates": [plain_update(app, each) for each in updates],
        "aggregate": {"aggregate": made.aggregate, "block": made.block, "at": rfc3339(made.at)} if made else None,
    }


def plain_remediation(told: Remediation) -> dict[str, Any]:
    return {
        "first": told.first,
        "last": told.last,
        "retrained": told.retrained,
        "record": told.record,
        "block": told.block,
        "at": rfc3339(told.at),
    }


def plain_release(app: App, release: Release) -> dict[str, Any]:
    origin = release.origin
    return {
        "name": release.name,
        "files": [{"name": each.name, "sha256": each.digest} for each in release.resources],
        "deployment": origin.deployment,
        "model": origin.model,
        "coordinator": app.people.plain(origin.coordinator),
        "round": origin.round,
        "parent": origin.parent,
        "aggregate": origin.aggregate,
        "cohort": origin.cohort,
        "research": list(origin.research),
        "updates": [
            {
                "site": app.people.plain(each.site),
                "update": each.update,
                "consents": each.consents,
                "record": each.record,
                "cohort": each.cohort,
                "epsilon": each.epsilon / 1000,
                "spent": each.spent / 1000,
                "delta": each.delta,
                "used": each.used,
            }
            for each in origin.updates
        ],
    }
