"""What is told of an erasure: who signed, who did not, whether it holds, what remains and who could link it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..app import App, rfc3339
from ..words import listed

if TYPE_CHECKING:
    from ...client import Erasure, RosterErased
    from ...types import Address

PROMISE = (
    "This is what they signed, and no proof: whoever kept a copy of a key or of a block can keep quiet about it. It "
    "holds if the number above of every roster destroyed every copy."
)


def tell_erasure(app: App, done: Erasure) -> None:
    people = app.people
    for who in done.signed:
        app.show(f"{people.name(who)} signed that it destroyed its keys")
    for who, error in done.unsigned.items():
        app.show(f"{people.name(who)} DID NOT SIGN: {error.message}")
    for each in done.rosters:
        app.show(_roster_words(app, each))
    app.show(f"blocks removed: {done.blocks.blocks:,}, of {done.blocks.snapshots:,} snapshots and all packages")
    if done.blocks.left:
        app.show(f"STILL IN THE STORE: {len(done.blocks.left):,} blocks")
        app.say("A gateway removes by itself what it wrote, soon after a retirement is final; --json names the blocks.")
    for who, error in done.blocks.faults.items():
        app.show(f"what {people.name(who) if who else 'a writer'} wrote could not be followed: {error.message}")
    app.show(f"a read that was tried: {done.read.message if done.read else 'WENT THROUGH'}")
    verdict = "holds, if they keep their word" if done.holds else "DOES NOT HOLD YET: run it again for those missing"
    app.show(f"The erasure of twin {done.twin} {click.style(verdict, bold=True)}.")
    app.say(PROMISE)
    for line in remains(app, done):
        app.say(f"remains: {line}")


def remains(app: App, done: Erasure) -> Iterator[str]:
    """What stays, and who can tell from it whose twin it was."""
    owners, writers, grantees = (_names(app, each) for each in (done.owners, done.writers, done.grantees))
    yield (
        f"on the ledger, for ever and for everybody: that twin {done.twin} was there and when it ended, the addresses "
        f"of its owners ({owners}), writers ({writers}) and grantees ({grantees}), and when grants and batches were "
        "made; no reading, no name"
    )
    yield "in the writers' indexes: the periods and CIDs of what was written, which lead to nothing in this store"
    yield "with custodians: their receipts of who looked and when, and with members the letters that they wrote"
    yield (
        "who knows whose address one of these is can still link the twin to a person; who ever had a package of it can "
        "still tell its categories' streams apart, and keeps what it read"
    )


def _names(app: App, addresses: Sequence[Address]) -> str:
    return listed(app.people.name(each) for each in addresses) if addresses else "none"


def _roster_words(app: App, each: RosterErased) -> str:
    whose = f"roster {each.version} of {app.people.name(each.owner)}"
    if each.error is not None:
        return f"{whose}: NOT TO BE HAD, so nobody was asked for it: {each.error.message}"
    so = "enough" if each.holds else "TOO FEW"
    return f"{whose}: {len(each.destroyed)} of {len(each.custodians)} destroyed theirs, {each.needed} must: {so}"


def plain_erasure(app: App, done: Erasure) -> dict[str, Any]:
    """The same for JSON, with the signed statements whole."""
    people = app.people
    return {
        "final_at": rfc3339(done.retired_at),
        "holds": done.holds,
        "signed": [
            {
                "custodian": people.plain(who),
                "keys": list(said.keys),
                "at": rfc3339(said.at),
                "block": said.block,
                "statement": said.encode(),
            }
            for who, said in done.signed.items()
        ],
        "unsigned": [
            {"custodian": people.plain(who), "error": type(error).__name__, "message": error.message}
            for who, error in done.unsigned.items()
        ],
        "rosters": [
            {
                "owner": people.plain(each.owner),
                "version": each.version,
                "threshold": each.threshold,
                "custodians": [people.plain(who) for who in each.custodians],
                "destroyed": [people.plain(who) for who in each.destroyed],
                "needed": each.needed,
                "holds": each.holds,
                "error": each.error.message if each.error else None,
            }
            for each in done.rosters
        ],
        "blocks": {
            "snapshots": done.blocks.snapshots,
            "removed": done.blocks.blocks,
            "left": [str(cid) for cid in done.blocks.left],
            "faults": {who: error.message for who, error in done.blocks.faults.items()},
        },
        "read": {"failed": done.read is not None, "message": done.read.message if done.read else None},
        "remains": list(remains(app, done)),
        "promise": PROMISE,
    }
