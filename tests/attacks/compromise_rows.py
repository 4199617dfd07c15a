"""The attackers of the compromise table: who they are, what they hold, and what they lack."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

from .compromise_story import COUNT, THRESHOLD

Party = tuple[str, ...]
"""Names of the story's parties who are one attacker."""


@dataclass(frozen=True)
class Row:
    """`attackers` are alternatives. `lacks` are parties whose secrets, added to each, open more; `lacking` says what
    that is. `shut` if they may decrypt nothing of the store, whatever is measured."""

    party: str
    attackers: tuple[Party, ...]
    holds: str
    why: str
    lacks: Party = ()
    lacking: str = ""
    shut: bool = field(default=False)


def sets(name: str, count: int, of: int = COUNT, *more: str) -> tuple[Party, ...]:
    """Each choice of so many, with `more` of the others."""
    return tuple((*chosen, *more) for chosen in combinations([f"{name} {each}" for each in range(1, of + 1)], count))


T = tuple(f"custodian {number}" for number in range(1, THRESHOLD + 1))
OTHERS = (
    "store",
    "index",
    "gateway at rest",
    "gateway",
    "relayer",
    "registrar",
    "administrator",
    "emergency insider, before",
    "revoked grantee",
    "traffic",
    *(f"guardian {number}" for number in (1, 2, 3)),
    *(f"former custodian {number}" for number in range(1, COUNT + 1)),
    *(f"backup of custodian {number}" for number in range(1, COUNT + 1)),
)
"""Everybody but live grantees, the owner and the custodians."""

ROWS = (
    Row(
        "IPFS node",
        (("store",),),
        "every block: manifests, custody, packages, indexes",
        "content is under both locks; no secret stands in a block",
        ("owner",),
        "the owner's key file",
        shut=True,
    ),
    Row(
        "index",
        (("index",),),
        "the ledger cache: every event",
        "the ledger holds digests and words of consent, no secret",
        ("owner",),
        "the owner's key file",
        shut=True,
    ),
    Row(
        "gateway at rest",
        (("gateway at rest",),),
        "its disk: key file, queue, journal; not the password",
        "key file and queue are encrypted; the journal holds marks and digests",
        ("gateway",),
        "its password",
        shut=True,
    ),
    Row(
        "gateway running",
        (("gateway",),),
        "its open key: covers of what it writes, the queue's key; it asks",
        "WRITE opens no custody, and custody secrets are forgotten; what waits is its own to write",
        T,
        "t custodians",
        shut=True,
    ),
    Row(
        "relayer",
        (("relayer",),),
        "its account; every call that it carried; it asks",
        "what it carries is signed and public",
        ("owner",),
        "the owner's key file",
        shut=True,
    ),
    Row(
        "registrar",
        (("registrar",),),
        "its key; a clinician and researcher whom it enrolled asks",
        "who is enrolled has no grant: the giver is in a grant's key",
        ("owner",),
        "the owner's key file",
        shut=True,
    ),
    Row(
        "AccessManager admin",
        (("administrator",),),
        "every role; a member of every kind, EMERGENCY and CUSTODIAN too, asks",
        "governance takes away and gives back, never adds; a kind gives nobody a share",
        ("owner",),
        "the owner's key file",
        shut=True,
    ),
    Row(
        "emergency insider, before opening",
        (("emergency insider, before",),),
        "an EMERGENCY member's key: the cover of a grant that sleeps; it asks",
        "EMERGENCY_CLOSED: the opening is an event first",
        ("emergency insider, after",),
        "an opening",
        shut=True,
    ),
    Row(
        "emergency insider, after opening",
        (("emergency insider, after",),),
        "the same, and an opening for four hours",
        "it may read its window; owner and reviewers see the opening, every release leaves a receipt",
        ("owner",),
        "the owner's key file",
    ),
    Row(
        "live grantee",
        (("live grantee",),),
        "its key: its package's cover; what it fetched; it asks",
        "consent permits it, and no more",
        ("owner",),
        "the owner's key file",
    ),
    Row(
        "revoked grantee",
        (("revoked grantee",),),
        "its key: the cover of before; what it fetched; it asks",
        "custodians refuse; what was read is not taken back",
        T,
        "t custodians",
        shut=True,
    ),
    Row(
        "recorded traffic, a grantee's key taken later",
        (("traffic", "revoked grantee's key"),),
        "every body between it and the custodians; its key, after the revocation",
        "answers are sealed to a one-use key that is gone (and TLS is around them)",
        ("one-use keys",),
        "the one-use keys",
        shut=True,
    ),
    Row(
        "each custodian",
        sets("custodian", 1),
        "its key and its pairs for the twin; it asks the others",
        "fewer than t shares, and no cover",
        ("owner",),
        "the owner's key file",
        shut=True,
    ),
    Row(
        "t − 1 custodians",
        sets("custodian", THRESHOLD - 1),
        "their keys and pairs; they ask the others",
        "fewer than t shares, and no cover",
        ("owner",),
        "the owner's key file",
        shut=True,
    ),
    Row(
        "t − 1 custodians with everybody but live grantees and the owner",
        sets("custodian", THRESHOLD - 1, COUNT, *OTHERS),
        "all of the rows above but the live grantee's and the opened emergency's; all guardians, all former custodians",
        "every cover there is but the live ones, and no t shares; the queue and the fetched are the gateway's and the "
        "revoked grantee's",
        ("custodian 1", "custodian 2", "custodian 3"),
        "one custodian more",
        shut=True,
    ),
    Row(
        "t custodians",
        sets("custodian", THRESHOLD),
        "their keys and pairs",
        "custody secrets, and no cover",
        ("owner's tree",),
        "the owner's tree",
        shut=True,
    ),
    Row(
        "t custodians with a revoked grantee",
        sets("custodian", THRESHOLD, COUNT, "revoked grantee"),
        "both locks, of its window",
        "a cover is not taken back; a rekey ends what it covers",
        ("owner's tree",),
        "the owner's tree",
    ),
    Row(
        "t custodians with the gateway",
        sets("custodian", THRESHOLD, COUNT, "gateway"),
        "both locks, of all that it writes",
        "its cover is of what it may write",
        (),
    ),
    Row(
        "t custodians' backups with the gateway",
        sets("backup of custodian", THRESHOLD, COUNT, "gateway"),
        "keys with their passwords, receipts, letters",
        "pairs are in no backup, and are derived from nothing",
        T,
        "their pairs",
        shut=True,
    ),
    Row(
        "custodians' disks at rest, with the gateway running",
        (("custodians' disks at rest", "gateway"),),
        "every file of all custodians, no password; every cover",
        "key files are encrypted, pairs under a key in them",
        T,
        "their passwords",
        shut=True,
    ),
    Row(
        "t of a former roster, after the re-share, with a revoked grantee",
        sets("pairs kept by former custodian", THRESHOLD, COUNT, "revoked grantee"),
        "pairs that are not destroyed yet, or a copy of before",
        "their custody blocks are still in the store",
        ("owner's tree",),
        "the owner's tree",
    ),
    Row(
        "t of a former roster, after the re-share, with the gateway",
        sets("pairs kept by former custodian", THRESHOLD, COUNT, "gateway"),
        "the same, with a cover of everything",
        "what is written after the re-share is sealed to others",
        T,
        "t custodians of today",
    ),
    Row(
        "a former roster, after it retired its keys, with the gateway",
        ((*tuple(f"former custodian {number}" for number in range(1, COUNT + 1)), "gateway"),),
        "what they have left: their own keys",
        "the pairs are destroyed; a copy that somebody kept is the row above",
        tuple(f"pairs kept by former custodian {number}" for number in range(1, THRESHOLD + 1)),
        "the pairs",
        shut=True,
    ),
    Row(
        "m guardians",
        sets("guardian", 2, 3),
        "their keys: shares of the recovery package",
        "the package needs custodians too; a move to a key of theirs waits, and the owner may veto it",
        T,
        "t custodians",
        shut=True,
    ),
    Row(
        "m guardians with t − 1 custodians",
        tuple((*m, *t) for m in sets("guardian", 2, 3) for t in sets("custodian", THRESHOLD - 1)),
        "the same, and fewer than t RECOVERY shares",
        "either lock alone opens nothing",
        T,
        "one custodian more",
        shut=True,
    ),
    Row(
        "m − 1 guardians with all custodians",
        sets("guardian", 1, 3, *(f"custodian {number}" for number in range(1, COUNT + 1))),
        "fewer than m shares, all RECOVERY shares",
        "either lock alone opens nothing",
        ("guardian 1", "guardian 2"),
        "one guardian more",
        shut=True,
    ),
    Row(
        "m guardians with t custodians",
        tuple((*m, *t) for m in sets("guardian", 2, 3) for t in sets("custodian", THRESHOLD)),
        "the recovery package: the twin's secrets of every generation",
        "that is what recovery is; whoever has guardians trusts them so far",
    ),
    Row(
        "m guardians with t of a former roster",
        tuple((*m, *t) for m in sets("guardian", 2, 3) for t in sets("pairs kept by former custodian", THRESHOLD)),
        "the recovery packages of before the re-share; pairs that are not destroyed, or a copy",
        "former packages are still in the store; what came after is sealed to others",
        T,
        "t custodians of today",
    ),
    Row(
        "m guardians who took the twin, and the owner did not veto it",
        (("guardians' key",),),
        "a key of theirs that owns the twin; it asks, and recovers",
        "the ledger shows the move for days before it is made; the owner's veto ends it",
        ("gateway",),
        "the gateway running",
    ),
    Row(
        "owner",
        (("owner",),),
        "the twin's secrets; it asks",
        "the owner reads its own data, under a receipt; the queue is its gateway's until it is written",
        ("gateway",),
        "the gateway running",
    ),
)
