"""`audit model`: whether what is said of a model is so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...errors import InputError
from ..app import App
from ..command import verb
from ..model.plain import chunks, plain_model

if TYPE_CHECKING:
    from ...client import NamedModel
    from ...models.opening import Opening
    from ...types import Address

AGGREGATE = "aggregate"
_COLOURS = {"pass": "green", "fail": "red", "cannot check": "yellow"}
_MOST_BYTES = 2**20


@verb(
    "model",
    epilog="Example: dtledger audit model cgm-forecast --opening bafy… --opening bafy… --files received",
)
@click.argument("model")
@click.option(
    "--opening", "openings", multiple=True, metavar="WORD|FILE", help="What a site showed you; may be repeated."
)
@click.option(
    "--files",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Updates and aggregates, as FOLDER/ROUND/SITE.EXT and FOLDER/ROUND/aggregate.EXT.",
)
def model(app: App, model: str, openings: Sequence[str], files: Path | None) -> None:
    """Check every claim about a model from the ledger, the store and what you were given, and believe nobody.

    A claim passes, fails or cannot be checked: without a site's opening (`model open`) nobody can say under whose
    consents it trained, and without a file not what was in it. SITE is a contact's name or an address. Exit code 4 if a
    claim fails, 6 if none fails and one cannot be checked.
    """
    from ...audit import ModelAudit, exit_code

    client = app.client
    named, context = client.models.find(model), client.context
    audit = ModelAudit(
        context.deployment,
        context.view(),
        context.store,
        named.model,
        [_opening(app, named, each) for each in openings],
        _files(app, files) if files else {},
        app.people.name,
    )
    with app.progress("checking") as progress:
        claims = []
        for claim in audit.claims():
            claims.append(claim)
            progress(len(claims), audit.count)
    width = max(len(each.about) for each in claims)
    for each in claims:
        verdict = click.style(f"{each.verdict.value:<12}", fg=_COLOURS[each.verdict.value])
        app.show(f"{verdict}  {each.name:<9}  {each.about:<{width}}  {each.evidence}")
    counted = Counter(each.verdict.value for each in claims)
    app.say(", ".join(f"{counted[each]} {each}" for each in _COLOURS))
    app.data(
        "audit-model",
        **plain_model(app, named),
        block=context.view().block,
        claims=[
            {"claim": each.name, "about": each.about, "verdict": each.verdict.value, "evidence": each.evidence}
            for each in claims
        ],
        **{each.replace(" ", "_"): counted[each] for each in _COLOURS},
    )
    click.get_current_context().exit(exit_code(claims))


def _opening(app: App, named: NamedModel, word: str) -> Opening:
    """The opening that a CID or a file holds.

    Raises:
        InputError: the file is too long, or it opens another model.
        IntegrityError: it is none, or not sealed to this key.
    """
    from ...encoding import CID
    from ...errors import IntegrityError
    from ...models.opening import Opening

    context = app.client.context
    path = Path(word)
    if path.is_file():
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"{word} is too long for an opening.")
        block = path.read_bytes()
    else:
        try:
            cid = CID.decode(word)
        except IntegrityError as error:
            raise InputError(
                f"{word!r} is no opening.", hint="Give the word that `dtledger model open` printed, or a file."
            ) from error
        block = context.store.get(cid)
    opening = _with_any(
        lambda key: Opening.open(context.deployment, block, app.client.address, key), context.key.secrets.seal_keys
    )
    if opening.model != named.model.number:
        raise InputError(f"{word} opens a round of model {opening.model}, not of {named.name}.")
    return opening


def _with_any(open_: Callable[[Any], Opening], keys: Iterable[Any]) -> Opening:
    from ...errors import IntegrityError

    fault: IntegrityError | None = None
    for key in keys:
        try:
            return open_(key)
        except IntegrityError as error:
            fault = fault or error
    assert fault is not None, "a key file has a key to seal to"
    raise fault


def _files(app: App, folder: Path) -> dict[tuple[int, Address | None], Callable[[], Iterable[bytes]]]:
    """The files of a folder, by round and site.

    Raises:
        InputError: one lies where no file should, or two are of one site's round.
    """
    found: dict[tuple[int, Address | None], Callable[[], Iterable[bytes]]] = {}
    for path in sorted(folder.glob("*/*")):
        number = path.parent.name
        if not path.is_file() or not (number.isascii() and number.isdigit()):
            raise InputError(
                f"{path} is no update.", hint=f"Lay files as {folder}/1/SITE.bin and {folder}/1/aggregate.bin."
            )
        site = None if path.stem == AGGREGATE else app.resolve(path.stem).address
        if (int(number), site) in found:
            raise InputError(f"Two files are the update of {path.stem} in round {number}.", hint="Keep one.")
        found[int(number), site] = partial(chunks, path)
    return found
