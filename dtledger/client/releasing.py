"""Releasing: what a coordinator signs of weights that it hands on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..errors import InputError
from ..ledger.rejections.models import NotCoordinatorError
from ..models.origin import Origin
from ..models.release import Release, Resource
from ..models.update import digest_of
from .context import Context
from .uses import NamedModel


def release_of(context: Context, named: NamedModel, number: int, files: Mapping[str, Iterable[bytes]]) -> Release:
    """The release of what a round was made into; `files` has the bytes of each, in pieces of any size, by name.

    Raises:
        InputError: the round is not finalised, a name cannot be one, or none of the files is the aggregate.
        NotCoordinatorError: this key does not coordinate the model.
        CannotCheckError, IntegrityError: the coordinator's record of the aggregate is not to be had, or not its own.
    """
    view, model = context.view(), named.model
    if model.coordinator != context.key.address:
        raise NotCoordinatorError({"model": model.number, "caller": context.key.address})
    opened = view.round(model.number, number)
    if opened is None or view.aggregate(model.number, number) is None:
        raise InputError(f"Round {number} of {named.name} is not finalised.", hint="Look with `dtledger model show`.")
    origin = Origin.of(context.deployment, view, context.store, model, opened)
    try:
        resources = [Resource(name, digest_of(chunks)) for name, chunks in sorted(files.items())]
        return Release(named.name, tuple(resources), origin)
    except ValueError as error:
        raise InputError(
            f"This is no release of round {number}: {error}.",
            hint="Name the file that `dtledger model round finalise` was given, byte for byte, and any others with it.",
        ) from error
