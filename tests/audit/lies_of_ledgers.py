"""Lies that no site can tell, since the contracts refuse them: the auditor's ledger tells what never was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from dtledger.ledger.events import KindsSet, Logged, RoundOpened, Suspended, UpdateCommitted
from tests.audit.lying import OTHER, Lies
from tests.audit.runs import EPSILON, Run

LIES = Lies()
lie = LIES.lie

# site: who committed it was an enrolled RESEARCHER then, and not suspended


def _meanwhile(run: Run, told: bool, event: Any) -> None:
    """In the block after the round was opened, before anybody committed, this came to pass."""
    number = run.ledger.view().rounds(1)[-1]
    run.commit(run.scene.sites[0])
    run.finish()

    def change(logged: Logged) -> Iterator[Logged]:
        yield logged
        if told and isinstance(logged.event, RoundOpened):
            yield Logged(replace(logged.place, block=number.block + 1), logged.at, event)

    run.rewrite(change)


@lie("the site was suspended", "site", "was suspended")
def _(run: Run, told: bool) -> None:
    run.open()
    _meanwhile(run, told, Suspended(run.scene.sites[0].address))


@lie("the site was no researcher any more", "site", "was no RESEARCHER")
def _(run: Run, told: bool) -> None:
    run.open()
    _meanwhile(run, told, KindsSet(run.scene.sites[0].address, 0))


@lie("the site's organisation was suspended", "site", "was suspended")
def _(run: Run, told: bool) -> None:
    institute, member = run.scene.institute()
    run.scene.patient("dora", institute)
    run.scene.sites.insert(0, member)
    run.open()
    _meanwhile(run, told, Suspended(institute.address))


# parent: it builds on what the round before made


@lie("an update builds on something else than its round", "parent", "it builds on")
def _(run: Run, told: bool) -> None:
    site = run.scene.sites[0]
    run.open()
    run.commit(site, record={"parent": OTHER} if told else {})
    run.finish()

    def change(logged: Logged) -> Iterator[Logged]:
        event = logged.event
        if told and isinstance(event, UpdateCommitted) and event.site == site.address:
            logged = replace(logged, event=replace(event, parent=OTHER))
        yield logged

    run.rewrite(change)


@lie("a round builds on what no round made", "parent", "round 2 starts from what no round made", number=2)
def _(run: Run, told: bool) -> None:
    run.whole()
    run.open()
    run.commit(run.scene.sites[0], record={"parent": OTHER} if told else {})
    run.finalise()

    def change(logged: Logged) -> Iterator[Logged]:
        event = logged.event
        if told and isinstance(event, RoundOpened | UpdateCommitted) and event.round == 2:
            logged = replace(logged, event=replace(event, parent=OTHER))
        yield logged

    run.rewrite(change)


# budget: the site's ε up to and with it is within the model's


def _spends(run: Run, told: bool, epsilon: int) -> None:
    """In the newest round the first site spends so much, if that is told, else as ever."""
    site, number = run.scene.sites[0], run.ledger.view().rounds(1)[-1].number
    run.commit(site, record={"epsilon": epsilon} if told else {})
    run.finish()

    def change(logged: Logged) -> Iterator[Logged]:
        event = logged.event
        if told and isinstance(event, UpdateCommitted) and (event.site, event.round) == (site.address, number):
            logged = replace(logged, event=replace(event, epsilon=epsilon))
        yield logged

    run.rewrite(change)


@lie("an update spends more than the budget", "budget", "ε 3.001 of 3 spent")
def _(run: Run, told: bool) -> None:
    run.open()
    _spends(run, told, 3001)


@lie("an update spends more than was left", "budget", "ε 3.001 of 3 spent", number=2)
def _(run: Run, told: bool) -> None:
    run.whole()
    run.open()
    _spends(run, told, 3001 - EPSILON)


@lie("an update spends nothing", "budget", "ε 0 of 3 spent")
def _(run: Run, told: bool) -> None:
    run.open()
    _spends(run, told, 0)
