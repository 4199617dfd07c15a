"""Lies that a site can tell of its record, its cohort and its update; those of its consents: `lies_of_consents`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from dtledger import encoding
from dtledger.ledger.events import Logged, ModelRegistered
from dtledger.models import consents
from dtledger.types import Digest
from tests.audit.lying import OTHER, Lies, Make
from tests.audit.runs import EPSILON, Run

LIES = Lies()
lie = LIES.lie

# record: the signed record says what the ledger says, and its leaves make the consent root ----------------------------

SHUT = ("cohort", "consents", "terms")
"""What cannot be checked where the record is at fault."""


def _records(**fault: Any) -> Make:
    """The first site's record is like that, all of it else as it should be."""

    def make(run: Run, told: bool) -> None:
        run.open()
        how = {name: value(run) if callable(value) else value for name, value in fault.items()}
        run.commit(run.scene.sites[0], **(how if told else {}))
        run.finish()

    return make


for _name, _fault in {
    "another model": {"model": 2},
    "another round": {"round": 2},
    "another update": {"update": OTHER},
    "another parent": {"parent": OTHER},
    "another consent root": {"consents": OTHER},
    "another cohort": {"cohort": 3},
    "another ε": {"epsilon": EPSILON - 1},
}.items():
    lie(f"the record names {_name}", "record", "says otherwise", SHUT)(_records(record=_fault))

lie("the record is signed by another site", "record", "says otherwise", SHUT)(
    _records(signer=lambda run: run.scene.sites[1])
)
lie("the record is no record", "record", "form body and signature", SHUT)(_records(block=encoding.encode({})))
lie("other leaves are shown than make the root", "record", "do not make the consent root", SHUT[:2])(
    _records(stored=consents.encode_leaves([OTHER]))
)
lie("the leaves are out of order", "record", "malformed", SHUT[:2])(
    _records(stored=consents.encode_leaves([OTHER, Digest(b"\1" * 32)]))
)


# cohort: as many twins as there are leaves, and not fewer than the model asks for -------------------------------------


@lie("more twins are claimed than there are leaves", "cohort", "a cohort of 3 is claimed, there are 2 leaves")
def _(run: Run, told: bool) -> None:
    run.open()
    run.commit(run.scene.sites[0], cohort=3 if told else 2)
    run.finish()


@lie("fewer twins are claimed than there are leaves", "cohort", "a cohort of 1 is claimed, there are 2 leaves")
def _(run: Run, told: bool) -> None:
    run.open()
    run.commit(run.scene.sites[0], cohort=1 if told else 2)
    run.finish()


@lie("fewer twins than the model asks for", "cohort", "1 twin, at least 2 are asked for")
def _(run: Run, told: bool) -> None:
    """The contract refuses it, so the ledger lies of the model's terms."""
    site = run.scene.sites[0]
    run.open()
    run.commit(site, run.shown(site)[: 1 if told else 2])
    run.finish()

    def change(logged: Logged) -> Iterator[Logged]:
        event = logged.event
        yield replace(logged, event=replace(event, minimum_cohort=2)) if isinstance(event, ModelRegistered) else logged

    run.rewrite(change)


# update: it is H(salt ‖ file) -----------------------------------------------------------------------------------------


@lie("the file was changed", "update", "not what was committed to")
def _(run: Run, told: bool) -> None:
    run.whole()
    if told:
        run.files[1, run.scene.sites[0].address] += b"!"


@lie("the file is another site's", "update", "not what was committed to")
def _(run: Run, told: bool) -> None:
    run.whole()
    one, other = run.scene.sites
    if told:
        run.files[1, one.address] = run.files[1, other.address]


@lie("the salt is another", "update", "not what was committed to")
def _(run: Run, told: bool) -> None:
    run.open()
    run.commit(run.scene.sites[0], opening={"salt": OTHER} if told else {})
    run.finish()
