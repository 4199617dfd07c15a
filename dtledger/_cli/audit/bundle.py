"""`audit export` and `audit verify`: an audit in a file, and the same audit from it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...errors import CannotCheckError, InputError
from ..app import App
from ..claims import show_claims
from ..command import verb
from ..model.plain import FILE
from .evidence import Evidence, code_of_sources, compile_option, digest_of, evidence_options
from .given import files_in, unsealed

if TYPE_CHECKING:
    from ...audit import Asked
    from ...ledger import Deployment
    from ...types import Digest

MOST_BYTES = 2**30
"""A longer file is no bundle that anybody made here."""


@verb("export", epilog="Example: dtledger audit export --twin 7 twin-7.bundle")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@click.option("--twin", type=click.IntRange(0), metavar="NUMBER", help="Audit this twin.")
@click.option("--snapshot", metavar="DIGEST", help="Only this snapshot of the twin, by its whole digest.")
@click.option("--model", metavar="NAME", help="Audit this model.")
@click.option("--opening", "openings", multiple=True, metavar="WORD|FILE", help="What a site showed you of the model.")
@evidence_options
def export(
    app: App,
    file: Path,
    twin: int | None,
    snapshot: str | None,
    model: str | None,
    openings: Sequence[str],
    **options: Any,
) -> None:
    """Make an audit and write all that it rests on into one file, so that anybody can make it again without a network.

    The file holds headers, proofs of state and of receipts, the blocks of the store (ciphertext as it lies),
    custodians' receipts, and what sites opened to you: who was trained on, if you name openings. No key to any reading
    is in it.
    """
    from ..._backend.files import write_atomically
    from ...audit import export as make

    if (twin is None) == (model is None):
        said = "Name a twin or a model." if twin is None else "Name a twin or a model, not both."
        raise InputError(said, hint="dtledger audit export --twin 7 FILE")
    evidence = Evidence(**options)
    if model is None:
        request = evidence.asked(app, app.twin(twin), digest_of(snapshot))
    else:
        request = _of_model(app, model, openings, evidence)
    bundle, claims = make(request, evidence.source(app), app.client.context.store)
    data = bundle.encode()
    write_atomically(file, data)
    shown = show_claims(app, claims)
    number, header = max(bundle.headers.items())
    hashed = _hash_of(header)
    app.say(
        f"{file}: {len(data):,} bytes, as of block {number}. Verify it against a head that you know from elsewhere:"
    )
    app.say(f"  dtledger audit verify {file} --head 0x{hashed.hex()}")
    app.data("audit-bundle", file=str(file), bytes=len(data), block=number, head=hashed, **shown)


@verb("verify", epilog="Example: dtledger audit verify twin-7.bundle --head 0x5c31…")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--head", metavar="HASH", help="The hash of the head, from a source that you trust.")
@click.option(
    "--online",
    is_flag=True,
    help="Instead: ask the profile's node for it; --rpc-url means that too.",
)
@click.option(
    "--deployment",
    type=FILE,
    metavar="FILE",
    help="The record of the contracts that you know, instead of the profile's.",
)
@click.option(
    "--files",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="A model's updates and aggregates, as for `audit model`.",
)
@compile_option
def verify(
    app: App, file: Path, head: str | None, online: bool, deployment: Path | None, files: Path | None, compiles: bool
) -> None:
    """Make the audit of a file again: no node, no store and no custodian is asked, and no key is needed.

    Pin the head, from a node or a person that you trust: a file can be made of any chain, so without --head or --online
    the claim `chain` cannot be checked. So can its contracts be anybody's: they are held against those of --deployment
    or of the profile, and without either the claim `deployment` cannot be checked. Exit code 4 if a claim fails, 6 if
    none fails and one cannot be checked.
    """
    from ...audit import Asked, Bundle, exit_code
    from ...audit import verify as check

    if head and online:
        raise click.UsageError("Choose one of --head and --online.")
    if file.stat().st_size > MOST_BYTES:
        raise InputError(f"{file} is too long for a bundle.")
    bundle = Bundle.decode(file.read_bytes())
    pinned = digest_of(head)
    if online or (head is None and "rpc_url" in app.options):
        pinned = _at_node(app, max(bundle.headers))
    known = _known(app, deployment)
    request = Asked(bundle.question, bundle.given, bundle.deployment, pinned, known=known)
    request = replace(request, files=files_in(app, files) if files else None)
    request = replace(request, expected=code_of_sources() if compiles else None)
    claims = check(bundle, request)
    shown = show_claims(app, claims)
    number, header = max(bundle.headers.items())
    app.data(
        "audit-verify",
        file=str(file),
        block=number,
        head=_hash_of(header),
        pinned=pinned is not None,
        contracts=dict(bundle.deployment.contracts),
        known=known is not None,
        **shown,
    )
    click.get_current_context().exit(exit_code(claims))


def _of_model(app: App, name: str, words: Sequence[str], evidence: Evidence) -> Asked:
    from ...audit import Asked, Given, Question
    from ..model.plain import find

    number = find(app, name).model.number
    given = Given(openings=tuple(unsealed(app, each) for each in words))
    question, deployment = Question(model=number, whole=evidence.whole), app.client.context.deployment
    request = Asked(question, given, deployment, digest_of(evidence.head))
    return replace(request, expected=code_of_sources() if evidence.compiles else None, name=app.people.name)


def _known(app: App, file: Path | None) -> Deployment | None:
    """The deployment whose record that file is, or that the profile names; None if neither is there.

    Raises:
        InputError: the file is none.
    """
    from ..._backend.deployments import read_deployment

    if file is not None:
        return read_deployment(file)
    with suppress(InputError):
        return read_deployment(app.settings.deployment_path)
    return None


def _at_node(app: App, number: int) -> Digest:
    """The hash that the profile's node has for a block. It is asked for nothing else, and needs no deployment."""
    from ..._backend.node import connect
    from ..._backend.proof_source import NodeSource
    from ...audit.proofs import Header

    (header,) = NodeSource(connect(app.settings.rpc_url)).headers(number, number)
    found = Header.read(header)
    if found.number != number:
        raise CannotCheckError(f"The node does not have block {number}.")
    return found.hash


def _hash_of(header: bytes) -> Digest:
    from ...audit.proofs import Header

    return Header.read(header).hash
