"""What the profile's node, store and custodians are asked for an audit, and the options that say of what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...errors import AccessDeniedError, DtledgerError, InputError
from ..app import App
from ..model.plain import FILE
from ..proofs import taken
from ..words import CATEGORY
from .handed import destructions_of, nodes_of

if TYPE_CHECKING:
    from ..._backend.runtimes import Runtime
    from ...audit import Asked, Denied, Given, Named, Receipts
    from ...audit.given import Lists
    from ...audit.source import Source
    from ...types import Address, Digest

Command = Callable[..., Any]


compile_option = click.option(
    "--compile", "compiles", is_flag=True,
    help="Hold the code on the chain against this checkout's sources, compiled now, not against what is shipped.",
)  # fmt: skip


def evidence_options(command: Command) -> Command:
    """The options that every audit of a twin or snapshot has: those of `Evidence`."""
    for option in (
        click.option("--head", metavar="HASH", help="The head's hash, as you know it from elsewhere."),
        click.option(
            "--reveal",
            "reveals",
            multiple=True,
            type=CATEGORY,
            help="As the owner: show which streams are of it, and which snapshots each receipt is for.",
        ),
        click.option(
            "--denied", multiple=True, metavar="WHO@BLOCK", help="Show that somebody had no permit then; repeatable."
        ),
        click.option(
            "--proofs", type=FILE, multiple=True, metavar="FILE", help="What `custodian proofs` wrote; repeatable."
        ),
        click.option(
            "--statements", type=FILE, multiple=True, metavar="FILE", help="What `twin erase` wrote; repeatable."
        ),
        compile_option,
        click.option(
            "--whole/--part",
            default=None,
            help="Look at every block, or at those alone in which the index has events; whole up to 20,000 blocks.",
        ),
    ):
        command = option(command)
    return command


def digest_of(text: str | None) -> Digest | None:
    """The hash that a word is.

    Raises:
        InputError: it is none.
    """
    from ...types import Digest

    if text is None:
        return None
    try:
        found = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        found = b""
    if len(found) != 32:
        raise InputError(f"{text!r} is no hash.", hint="It has 64 hexadecimal digits.")
    return Digest(found)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The options of `evidence_options` as they were typed."""

    head: str | None = None
    reveals: Sequence[str] = ()
    denied: Sequence[str] = ()
    proofs: Sequence[Path] = ()
    statements: Sequence[Path] = ()
    compiles: bool = False
    whole: bool | None = None

    def asked(self, app: App, twin: int, snapshot: Digest | None = None) -> Asked:
        """The audit that the options ask for."""
        from ...audit import Asked, Question

        question = Question(
            twin=twin,
            snapshot=snapshot,
            denied=tuple(_denied(app, each) for each in self.denied),
            whole=self.whole,
        )
        shown = replace(given(app, twin, self.reveals), destructions=destructions_of(self.statements))
        expected = code_of_sources() if self.compiles else None
        head, deployment = digest_of(self.head), app.client.context.deployment
        return Asked(question, shown, deployment, head, expected=expected, name=app.people.name)

    def source(self, app: App) -> Source:
        """The profile's node, and what was taken of it in time."""
        return node_source(app, digest_of(self.head), [*taken(app), *nodes_of(self.proofs)])


def code_of_sources() -> Mapping[str, Runtime]:
    """What this checkout's sources compile to, here and now.

    Raises:
        InputError: there are no sources.
        CannotCheckError: there is no compiler.
    """
    from ..._backend import sources

    root = sources.checkout()
    if root is None:
        raise InputError("There are no sources here to compile.", hint="Run it in a checkout of dtledger.")
    return sources.compiled(root)


def node_source(app: App, head: Digest | None, nodes: Sequence[bytes] = ()) -> Source:
    """The profile's node, as an audit asks it, with nodes of tries that are at hand."""
    from ..._backend.hints import Hints
    from ..._backend.proof_source import NodeSource

    ledger = app.ledger
    return NodeSource(ledger.web3, head, nodes=nodes, hints=Hints.of(ledger.deployment, ledger.history()))


def given(app: App, twin: int, reveals: Sequence[str] = ()) -> Given:
    """What this key can show: of its own twins the custodians' lists, and which streams are of the named categories.

    Raises:
        InputError: a category is to be revealed of somebody else's twin.
    """
    from ...audit import Given

    context = app.client.context
    if context.view().owner(twin) != context.key.address:
        if reveals:
            raise InputError("Only the owner can show which streams are of a category.")
        return Given()
    lists = {each: _list(app, twin, each, shown=bool(reveals)) for each in app.client.twins.custodians(twin)}
    return Given(lists, named=tuple(_named(app, twin, each) for each in reveals))


def _list(app: App, twin: int, custodian: Address, *, shown: bool) -> Receipts | DtledgerError:
    """What a custodian says; where it is `shown`, with the digests that its receipts are for."""
    from ...audit import Receipts

    try:
        proof, receipts = app.client.twins.told(twin, custodian)
    except DtledgerError as error:
        return error
    return Receipts(tuple(receipts), proof, _digests(app, twin, custodian) if shown else None)


def _digests(app: App, twin: int, custodian: Address) -> Lists:
    try:
        return tuple(app.client.twins.digests(twin, custodian))
    except DtledgerError as error:
        return error


def _named(app: App, twin: int, category: str) -> Named:
    from ... import vocabulary
    from ...audit import Named
    from ...client.keyrings import owner_keys

    context = app.client.context
    keys = owner_keys(context.key.secrets.twin(context.deployment.origin, twin))
    try:
        return Named(keys.tags[vocabulary.category(category).number], keys.bits.prove(keys.bits.bit_of(category)))
    except (AccessDeniedError, KeyError) as error:
        raise InputError(f"This key does not know the category {category} of twin {twin}.") from error


def _denied(app: App, text: str) -> Denied:
    from ...audit import Denied

    who, at, block = text.rpartition("@")
    if at and block.isascii() and block.isdigit():
        with suppress(ValueError):
            return Denied(app.resolve(who).address, int(block))
    raise InputError(f"{text!r} is not WHO@BLOCK.", hint="Write cardiology@1200: a contact or address, and a block.")
