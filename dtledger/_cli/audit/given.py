"""What an auditor was given: openings, and files in folders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import InputError, IntegrityError
from ..app import App
from ..model.plain import chunks
from ..opening_log import note

if TYPE_CHECKING:
    from ...client import NamedModel
    from ...models.opening import Opening
    from ...types import Address

AGGREGATE = "aggregate"
_MOST_BYTES = 2**20

Files = dict[tuple[int, "Address | None"], Callable[[], Iterable[bytes]]]


def openings_of(app: App, named: NamedModel, words: Sequence[str]) -> list[Opening]:
    """The openings that CIDs or files hold.

    Raises:
        InputError: one is none, is not for this key, opens another model, or two open the same.
        IntegrityError: one is signed, and not in due form.
        DtledgerError: the log of openings cannot be written.
    """
    from ...models.pieces import whole

    found: dict[tuple[int, Address], Opening] = {}
    for word in words:
        opening = _opened(app, word, whole(app.client.context.store, _block(app, word)))
        if opening.model != named.model.number:
            raise InputError(f"{word} opens a round of model {opening.model}, not of {named.name}.")
        if (opening.round, opening.site) in found:
            whose = f"round {opening.round} by {app.people.name(opening.site)}"
            raise InputError(f"Two openings are of {whose}.", hint="Name one; a second audit looks at the other.")
        note(app, "read", opening, app.client.address, word)
        found[opening.round, opening.site] = opening
    return list(found.values())


def _block(app: App, word: str) -> bytes:
    from ...encoding import CID

    path = Path(word)
    if path.is_file():
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"{word} is too long for an opening.")
        return b"".join(chunks(path))
    try:
        cid = CID.decode(word)
    except IntegrityError as error:
        raise InputError(
            f"{word!r} is no opening.", hint="Give the word that `dtledger model open` printed, or a file."
        ) from error
    return app.client.context.store.get(cid)


def _opened(app: App, word: str, block: bytes) -> Opening:
    """The opening in a block, under this key to seal to or a former one. Until a seal opens nobody can say whether the
    block was meant for somebody else or damaged, and nobody is to blame."""
    from ...models.opening import Opening

    context = app.client.context
    for key in context.key.secrets.seal_keys:
        try:
            return Opening.open(context.deployment, block, app.client.address, key)
        except IntegrityError as error:
            if error.party:
                raise
    raise InputError(
        f"{word} is no opening for this key.",
        hint="Choose the auditor's key with --key, or ask the site for its word again: dtledger model open … --to YOU",
    )


def unsealed(app: App, word: str) -> bytes:
    """What a site signed and sealed to this key, to be shown to others.

    Raises:
        InputError: it is none, or not for this key.
    """
    from ...models.opening import Opening

    context, block = app.client.context, _block(app, word)
    for key in context.key.secrets.seal_keys:
        with suppress(IntegrityError):
            return Opening.unsealed(context.deployment, block, app.client.address, key)
    raise InputError(f"{word} is no opening for this key.", hint="Choose the auditor's key with --key.")


def files_in(app: App, folder: Path) -> Files:
    """The files of a folder, as FOLDER/ROUND/SITE.EXT, by round and site. What begins with a dot is left alone.

    Raises:
        InputError: one lies where no file should, or two are of one site's round.
    """
    found: Files = {}
    for path in _visible(folder):
        if not path.is_dir() or not (path.name.isascii() and path.name.isdigit()):
            raise _misplaced(path, folder)
        for file in _visible(path):
            if not file.is_file():
                raise _misplaced(file, folder)
            site = None if file.stem == AGGREGATE else app.resolve(file.stem).address
            if (int(path.name), site) in found:
                raise InputError(f"Two files are the update of {file.stem} in round {path.name}.", hint="Keep one.")
            found[int(path.name), site] = partial(chunks, file)
    return found


def _visible(folder: Path) -> list[Path]:
    try:
        return sorted(each for each in folder.iterdir() if not each.name.startswith("."))
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror}.") from error


def _misplaced(path: Path, folder: Path) -> InputError:
    return InputError(
        f"{path} lies where no update should.",
        hint=f"Lay files as {folder}/1/SITE.bin and {folder}/1/{AGGREGATE}.bin; the 1 is the round.",
    )


def unused(app: App, named: NamedModel, openings: Iterable[Opening], files: Files) -> list[str]:
    """What was given and is of no update or aggregate of the model, in words."""
    view, number = app.client.context.view(), named.model.number
    rounds = [each.number for each in view.rounds(number)]
    updates = {(each, update.site) for each in rounds for update in view.updates(number, each)}
    made = {(each, None) for each in rounds if view.aggregate(number, each)}
    return [
        *(f"opening of round {each.round} by {app.people.name(each.site)}" for each in openings
          if (each.round, each.site) not in updates),
        *(f"file of round {at} by {app.people.name(site) if site else 'its coordinator'}" for at, site in files
          if (at, site) not in updates | made),
    ]  # fmt: skip
