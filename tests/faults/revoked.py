"""A clinician's process after revocation, which plays by no rule but arithmetic's.

It runs alone, in a folder with its key, its package and every block of the store; no custodian's file is within its
reach. Custodians are at the other end of a pipe, as they would be at the other end of a wire. Before the revocation it
reads one snapshot, and keeps everything that came by.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path

from dtledger.client import Client
from dtledger.client.keyrings import granted_keys, organisation_keys
from dtledger.crypto import content, seal, shamir
from dtledger.custody import RELEASE_CONTEXT, SHARE_CONTEXT, ReadRequest, Release, SealedShare, decode_release
from dtledger.errors import AccessDeniedError, IntegrityError
from dtledger.home import Home
from dtledger.ledger import GrantRecord, Slot
from dtledger.policy import SLOTS
from dtledger.snapshots.finder import Finder, Found
from dtledger.snapshots.package import Keys
from dtledger.testing.memory_key import MemoryKey
from dtledger.types import Address, Digest
from dtledger.vocabulary import Action, Purpose
from tests.crash.scene import TWIN, open_client

Shares = dict[Digest, dict[int, bytes]]


Message = tuple[Address, ReadRequest, tuple[SealedShare, ...]]
"""To which custodian, what is asked, and the shares to open."""


class Wire:
    """The custodians, at the other end."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open(self, custodian: Address, request: ReadRequest, shares: Sequence[SealedShare]) -> Release:
        self._connection.send((custodian, request, tuple(shares)))
        answer = self._connection.recv()
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Release)
        return answer


@dataclass
class Loot:
    """What the clinician held on to when it still might read."""

    asked: list[Message] = field(default_factory=list)
    signed: list[Message] = field(default_factory=list)
    """Requests for everything, signed and not sent."""
    releases: list[Release] = field(default_factory=list)
    one_use: list[seal.SealKey] = field(default_factory=list)
    secrets: list[bytes] = field(default_factory=list)


class Clinician:
    """Everything that it has, and everything that it tries. Each attempt returns the readings' snapshots it opened."""

    def __init__(self, client: Client, wire: Wire) -> None:
        self.client = client
        self.wire = wire
        self.loot = Loot()
        context = client.context
        self.deployment = context.deployment
        self.view = context.view()
        self.owner = self.view.owner(TWIN) or client.address
        self.hospital = self.view.member(client.address).organisation  # type: ignore[union-attr, assignment]
        self.records = {each: self._record(each) for each in (client.address, self.hospital)}
        self.keys: Keys = granted_keys(context, self.records[client.address])
        self.organisations = organisation_keys(context, self.hospital)
        self.found: list[Found] = self.look()

    def _record(self, grantee: Address) -> GrantRecord:
        record = self.view.record(Slot(self.owner, TWIN, grantee, 0))
        assert record is not None
        return record

    def look(self) -> list[Found]:
        """Every snapshot, from the store and the ledger."""
        context = self.client.context
        finder = Finder(context.deployment, context.view(), context.store, TWIN, self.keys)
        return [each for group in finder.find("glucose") for each in group]

    # asking --------------------------------------------------------------------------------------------------

    def request(
        self,
        found: Sequence[Found],
        grantee: Address,
        number: int = 0,
        purpose: Purpose = Purpose.TREAT,
        action: Action = Action.READ,
        key: MemoryKey | None = None,
    ) -> ReadRequest:
        one_use = seal.SealKey.generate()
        self.loot.one_use.append(one_use)
        signer = key or self.client.context.key
        digests = tuple(each.digest for each in found)
        fields = ReadRequest(
            TWIN, grantee, number, action, purpose, digests, one_use.public, secrets.token_bytes(32),
            self.client.context.clock(),
        )  # fmt: skip
        return fields.signed(signer.sign_digest(fields.to_sign(self.deployment)))

    def ask(
        self,
        found: Sequence[Found],
        grantee: Address | None = None,
        number: int = 0,
        purpose: Purpose = Purpose.TREAT,
        action: Action = Action.READ,
        key: MemoryKey | None = None,
    ) -> set[Digest]:
        """Ask every custodian, and open what they give."""
        request = self.request(found, grantee or self.client.address, number, purpose, action, key)
        return self.send(_messages(request, found))

    def fetch(self) -> set[Digest]:
        """Read the first snapshot, keep what was said, and sign a request for all of them."""
        request = self.request(self.found[:1], self.client.address)
        self.loot.asked = _messages(request, self.found[:1])
        later = self.request(self.found, self.client.address)
        self.loot.signed = _messages(later, self.found)
        return self.send(self.loot.asked)

    def send(self, messages: Iterable[Message]) -> set[Digest]:
        for address, request, shares in messages:
            try:
                self.loot.releases.append(self.wire.open(address, request, shares))
            except (AccessDeniedError, IntegrityError):
                continue
        return self.decrypt(self.shares())

    # opening -------------------------------------------------------------------------------------------------

    def shares(self) -> Shares:
        """Every share in every release that any one-use key opens."""
        shares: Shares = {each.digest: {} for each in self.found}
        for release in self.loot.releases:
            for one_use in self.loot.one_use:
                try:
                    opened = decode_release(seal.open_(one_use, release.sealed, RELEASE_CONTEXT))
                except IntegrityError:
                    continue
                for header, share in opened:
                    shares[header.digest][header.number] = share
        return shares

    def decrypt(self, shares: Shares) -> set[Digest]:
        """What these shares, and the secrets known so far, open."""
        opened = set()
        for each in self.found:
            known = shares[each.digest]
            if len(known) >= each.custody.threshold:
                some = dict(sorted(known.items())[: each.custody.threshold])
                self.loot.secrets.append(shamir.combine_many([some])[0])
            if any(self.opens(each, secret) for secret in self.loot.secrets):
                opened.add(each.digest)
        return opened

    def opens(self, found: Found, custody_secret: bytes) -> bool:
        """Whether this custody secret, with the package's leaf keys, opens the snapshot."""
        manifest = found.manifest
        context = manifest.context(self.deployment)
        ends = self.keys.deriver("glucose", manifest.generation).ends(manifest.period)
        key = content.derive_key(*ends, custody_secret, context)
        try:
            return bool(content.decrypt(key, found.chunks(), context))
        except IntegrityError:
            return False

    # what it tries -------------------------------------------------------------------------------------------

    def asks_as_before(self) -> set[Digest]:
        return self.ask(self.found)

    def asks_one_by_one(self) -> set[Digest]:
        return set().union(*(self.ask([each]) for each in self.found))

    def sends_the_old_request_again(self) -> set[Digest]:
        return self.send(self.loot.asked)

    def sends_the_old_request_with_other_shares(self) -> set[Digest]:
        """The signature covers the digest asked for: the shares that come with it are others'."""
        return self.send(
            (address, request, (replace(share, digest=request.digests[0]),))
            for address, request, _ in self.loot.asked
            for each in self.found[1:]
            for share in _sealed([each], _roster([each]).index(address))
        )

    def sends_what_it_signed_before(self) -> set[Digest]:
        return self.send(self.loot.signed)

    def names_every_slot(self) -> set[Digest]:
        mine = self.client.address
        return set().union(*(self.ask(self.found, mine, number) for number in range(SLOTS)))

    def names_every_purpose_and_action(self) -> set[Digest]:
        return set().union(
            *(self.ask(self.found, None, 0, purpose) for purpose in Purpose),
            self.ask(self.found, action=Action.TRAIN),
        )

    def says_that_it_is_the_owner(self) -> set[Digest]:
        return self.ask(self.found, self.owner, 0, Purpose.PATRQT) | self.ask(self.found, purpose=Purpose.PATRQT)

    def uses_its_former_organisations_grant(self) -> set[Digest]:
        return self.ask(self.found, self.hospital)

    def signs_with_a_key_of_nobody(self) -> set[Digest]:
        return self.ask(self.found, key=MemoryKey("nobody")) | self.ask(self.found, self.hospital, key=MemoryKey("no"))

    def opens_what_it_kept(self) -> set[Digest]:
        return self.decrypt(self.shares())

    def tries_every_key_on_every_share(self) -> set[Digest]:
        """Its own keys, its hospital's, and those that it made for single use, on shares sealed to custodians."""
        keys = [*self.client.context.key.secrets.seal_keys, *self.organisations, *self.loot.one_use]
        opened = set()
        for each in self.found:
            for share in each.custody.shares:
                for key in keys:
                    try:
                        seal.open_(key, share.sealed, SHARE_CONTEXT)
                    except IntegrityError:
                        continue
                    opened.add(each.digest)
        return opened

    def guesses_custody_secrets(self) -> set[Digest]:
        """Those of other snapshots, and whatever public bytes are at hand."""
        at_hand = [bytes(32), *self.loot.secrets]
        for each in self.found:
            at_hand += [share.hash for share in each.custody.shares]
            at_hand += [each.digest, each.manifest.commitment, each.manifest.previous]
        return {each.digest for each in self.found if any(self.opens(each, guess) for guess in at_hand)}


ATTEMPTS: tuple[Callable[[Clinician], set[Digest]], ...] = (
    Clinician.asks_as_before,
    Clinician.asks_one_by_one,
    Clinician.sends_the_old_request_again,
    Clinician.sends_the_old_request_with_other_shares,
    Clinician.sends_what_it_signed_before,
    Clinician.names_every_slot,
    Clinician.names_every_purpose_and_action,
    Clinician.says_that_it_is_the_owner,
    Clinician.uses_its_former_organisations_grant,
    Clinician.signs_with_a_key_of_nobody,
    Clinician.opens_what_it_kept,
    Clinician.tries_every_key_on_every_share,
    Clinician.guesses_custody_secrets,
)


def run(connection: Connection, home: Path, attempts: Sequence[str]) -> None:
    """The process: fetch one snapshot, wait while the world changes, try everything, tell what came of it."""
    assert not (home / "custodians").exists()
    with open_client(Home(home, "test"), "cardiology") as client:
        clinician = Clinician(client, Wire(connection))
        connection.send(("fetched", clinician.fetch()))
        assert connection.recv() == "go on"
        clinician.found = clinician.look()
        opened: dict[str, set[Digest]] = {}
        for attempt in (each for each in ATTEMPTS if each.__name__ in attempts):
            before, known = len(clinician.loot.releases), list(clinician.loot.secrets)
            opened[attempt.__name__] = attempt(clinician)
            clinician.loot.secrets = known
            del clinician.loot.releases[before:]
        connection.send(("done", opened))


def _roster(found: Sequence[Found]) -> list[Address]:
    return [share.custodian for share in found[0].custody.shares]


def _messages(request: ReadRequest, found: Sequence[Found]) -> list[Message]:
    return [(address, request, _sealed(found, place)) for place, address in enumerate(_roster(found))]


def _sealed(found: Sequence[Found], place: int) -> tuple[SealedShare, ...]:
    return tuple(SealedShare(each.digest, each.custody.shares[place].sealed) for each in found)
