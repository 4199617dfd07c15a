"""The claims about one twin. Of the twin:

- **events**: all that the registries ever said of it, of who had to do with it and of what they anchored, is at hand.
- **owner**: it was minted, and moved, as the events say, and its owner is who storage says.
- **card**: the cards that its owners set make the digest that storage has, so none is missing.
- **state**: slots, epochs and blocks in storage are what the events say, so no grant and no revocation is missing.
- **others**: nobody else bears on it. It is made where not every block is looked at, and cannot be checked then:
  storage counts what it has of somebody, and does not say of whom it has something.
- **roster**: of each roster that there ever was, every custodian signed its key.

Of each writer: **index**, what it anchored can be read. Of each stream:

- **stream**: it has no gap up to its writer's last batch, each snapshot is its writer's, and under a roster in force.
- **writer**: who wrote held WRITE when it was anchored.
- **category**: also for that very category, whose tag key the owner shows with a proof of what its bit means. That the
  tag key is of that category is the owner's word.

Of each custodian: **receipts**, its list is whole and as long as it anchored; and **digests**, what was asked for by
each request, where the owner shows it, is what its receipt has the root of. Of each receipt: **consent**, what it
opened was permitted at its block, and where it is shown each snapshot by its period, and by its category where that is
revealed; and **blocks**, those that receipts name are this chain's, where not every block is
looked at. Of each emergency: **review**, somebody who may reviewed it. Of a twin whose
retirement was announced: **erasure**, enough custodians signed that they destroyed their keys. As asked: **denied**,
somebody had no permit at a block.

What comes after a writer's last batch, or a custodian's last anchor, nobody can know.

Warning: of what category and period a snapshot is stands for its custodian in the share alone, and for the audit in
its stream. Where its writer sealed another one than it wrote, the custodian was deceived: the claim names both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from ..crypto import bits
from ..errors import CannotCheckError, IntegrityError
from ..ledger import Deployment, View
from ..ledger.records import CardRecord
from ..snapshots.blame import Blocks
from ..snapshots.finder import Finder
from ..snapshots.lineage import Lineage
from ..snapshots.locating import Located
from ..snapshots.standing import might_write
from ..store import BlockStore
from ..types import Address, Digest
from ..vocabulary.numbers import number_of
from .accounts import Accounts
from .chain import Chain
from .claims import Claim, Verdict, checked
from .consents import Snapshot, require_review
from .facts import StoredFacts, require_no_permit
from .gathered import Gathered
from .given import Denied, Given, Question
from .standing import require_cards, require_owner, require_state

_OTHERS = (
    "Whether somebody wrote whom nothing at hand names, by a grant to them or as a member of who has one: storage is "
    "asked about somebody by name, and only a look at every block shows everybody (--whole)."
)


class TwinAudit:
    """The audit of one twin, as of a chain's head. `view` is there once `ground` has passed."""

    def __init__(
        self,
        chain: Chain,
        deployment: Deployment,
        store: BlockStore,
        question: Question,
        given: Given,
        name: Callable[[Address], str] = str,
    ) -> None:
        self.chain = chain
        self.twin = question.twin
        self.store = store
        self.deployment = deployment
        self._question = question
        self._given = given
        self._name = name
        self._gathered = Gathered(chain, deployment, store, question, given)
        self._snapshots: dict[Digest, Snapshot] = {}

    def claims(self) -> Iterator[Claim]:
        """Every claim."""
        events = self.ground()
        yield from self._denials(known=events.verdict is Verdict.PASS)
        yield events
        if events.verdict is not Verdict.PASS:
            return
        yield from self._of_the_twin()
        for writer in self.finder.located.writers():
            yield from self._of_a_writer(writer)
        said = Accounts(self.chain, self._gathered, self._given, self._snapshots, self._name)
        for custodian in self._gathered.custodians():
            yield from said.of(custodian)
        yield from self._reviews()
        if self.view.retire_at(self.twin):
            yield checked("erasure", f"twin {self.twin}", self._erasure)

    def ground(self) -> Claim:
        """The claim `events`; if it passes, the twin can be looked at."""
        return checked("events", f"twin {self.twin}", self._gathered.gather)

    @property
    def view(self) -> View:
        return self._gathered.view

    @property
    def finder(self) -> Finder:
        return self._gathered.finder

    def _denials(self, *, known: bool) -> Iterator[Claim]:
        for each in self._question.denied:
            about = f"{self._name(each.who)} at block {each.block}"
            yield checked("denied", about, partial(self._denied, each, known))

    def _denied(self, said: Denied, known: bool) -> str:
        """From storage; of a block whose state no node has any more from the events, if all of them are `known`."""
        header, stored = self.chain.header(said.block), StoredFacts(self.chain, said.block)
        try:
            stored.gather(self.twin, said.who)
            return require_no_permit(stored, header, self.twin, said.who) + ", as storage has them"
        except CannotCheckError:
            if not known or self._gathered.in_doubt(said.who, said.block):
                raise
        then = self.view.earlier(said.block)
        return require_no_permit(then, header, self.twin, said.who) + ", as every event up to there says"

    # the twin ------------------------------------------------------------------------------------------------

    def _of_the_twin(self) -> Iterator[Claim]:
        about = f"twin {self.twin}"
        yield checked("owner", about, partial(require_owner, self.chain, self.view, self.twin, self._name))
        yield checked("card", about, self._cards)
        yield checked("state", about, partial(require_state, self.chain, self.view, self.twin))
        if not self.chain.is_whole:
            yield Claim("others", about, Verdict.CANNOT_CHECK, _OTHERS)
        for record in self._gathered.cards_by_roster():
            version = record.card.roster_version
            yield checked("roster", f"version {version} of {self._name(record.owner)}", partial(self._roster, record))

    def _cards(self) -> str:
        found = require_cards(self.chain, self.view, self.twin)
        if self._gathered.moves:
            said = ", ".join(map(str, self._gathered.moves))
            raise CannotCheckError(f"{found}; what its former owner set last before block {said} is not to be shown.")
        return found

    def _roster(self, record: CardRecord) -> str:
        roster = self._gathered.roster(record)
        if (roster.twin, roster.owner, roster.version) != (self.twin, record.owner, record.card.roster_version):
            raise IntegrityError("the card names a roster of another twin, owner or version")
        names = ", ".join(map(self._name, roster.custodians))
        return f"{roster.threshold} of {len(roster.keys)} since block {record.block}: {names}"

    # snapshots -----------------------------------------------------------------------------------------------

    def _of_a_writer(self, writer: Address) -> Iterator[Claim]:
        found: list[Located] = []

        def look() -> str:
            found.extend(self.finder.located.streams_of(writer))
            lost = self.finder.located.lost(writer)
            if lost:
                said = ", ".join(each.hex()[:8] for each in lost)
                raise IntegrityError(f"its newest index lacks streams that an earlier one had: {said}", party=writer)
            return f"{number_of(len(found), 'stream')} of the twin up to batch {len(self.view.batches(writer))}"

        yield checked("index", self._name(writer), look)
        for located in found:
            yield from self.of_a_stream(located)

    def of_a_stream(self, located: Located) -> Iterator[Claim]:
        """What is claimed of one stream."""
        about = f"{self._name(located.writer)}, stream {located.label.hex()[:8]}"
        named = next((each for each in self._given.named if each.label(located.writer) == located.label), None)
        located = replace(located, bit=named.proof.bit) if named else located
        walked: Counter[str] = Counter()
        snapshots: dict[Digest, Snapshot] = {}
        yield checked("stream", about, partial(self._stream, located, walked, snapshots))
        yield checked("writer", about, partial(self._writer, walked))

        def category() -> str:
            if named is None:
                raise CannotCheckError("Nobody showed which category the stream is of.")
            card = self.view.card(self.twin)
            if card is None:
                raise CannotCheckError("The twin has no card that says what its bits mean.")
            bits.verify(card.bits, named.proof)
            self._writer(walked)
            if walked["unnamed"]:
                raise IntegrityError(
                    f"its owner says of what category it is, and {walked['unnamed']:,} snapshots were "
                    "anchored by who had no right to write that: one of both is wrong"
                )
            return f"{number_of(walked['snapshots'], 'snapshot')} of what its owner says that it is, each permitted"

        claim = checked("category", about, category)
        yield claim
        bit = located.bit if claim.verdict is Verdict.PASS else None
        self._snapshots |= {digest: replace(each, bit=bit) for digest, each in snapshots.items()}

    def _stream(self, located: Located, walked: Counter[str], snapshots: dict[Digest, Snapshot]) -> str:
        digests: list[Digest] = []
        lineage = Lineage(Blocks(self.store), self.view, self.twin, located)
        for group in self.finder.walk(located):
            for found in group:
                found.chunks()
                digests.append(found.digest)
                snapshots[found.digest] = Snapshot(found.manifest.period)
                walked["late"] += found.late
                walked["doubtful"] += self._gathered.in_doubt(located.writer, found.batch.block)
                if found.counts is False:
                    period = found.manifest.period
                    held = might_write(self.view, self.twin, located.writer, found.batch, None, period)
                    walked["unnamed" if held else "uncounted"] += 1
        lineage.require_whole(digests)
        walked["snapshots"] = len(digests)
        count, block = number_of(len(digests), "snapshot"), located.batch.block
        said = f"{count} without a gap up to block {block}; what comes after is unknown"
        late = f", {walked['late']:,} anchored late" if walked["late"] else ""
        doubled = f", {len(lineage.doubled):,} doubled" if lineage.doubled else ""
        return said + late + doubled

    def _writer(self, walked: Counter[str]) -> str:
        if "snapshots" not in walked:
            raise CannotCheckError("The stream itself is at fault.")
        if walked["doubtful"]:
            raise CannotCheckError(
                f"What {walked['doubtful']:,} snapshots were written under is not known for certain."
            )
        if walked["uncounted"]:
            raise IntegrityError(f"{walked['uncounted']:,} snapshots were anchored by who had no right to write them")
        return f"{number_of(walked['snapshots'], 'snapshot')}, each permitted in the block that took it"

    # emergencies and the end ---------------------------------------------------------------------------------

    def _reviews(self) -> Iterator[Claim]:
        if (unopened := self._gathered.unopened) is not None:
            yield Claim("review", f"twin {self.twin}", Verdict.CANNOT_CHECK, unopened.message)
        for opening in self.view.openings():
            if opening.slot.twin == self.twin:
                look = partial(require_review, self.view, opening, self.chain.head.at, self._name)
                yield checked("review", f"emergency {opening.number}", look)

    def _erasure(self) -> str:
        final = self.view.retire_at(self.twin)
        if self.chain.head.at < final:
            raise CannotCheckError("The retirement is announced and not final yet.")
        signed = {each.custodian: each for each in self._given.destructions}
        for each in signed.values():
            each.verify(self.deployment, self.twin, each.custodian)
        rosters: Sequence[CardRecord] = self._gathered.cards_by_roster()
        for record in rosters:
            roster = self._gathered.roster(record)
            gone = [key for key in roster.keys if key.custodian in signed and signed[key.custodian].covers([key.key])]
            needed = len(roster.keys) - roster.threshold + 1
            if len(gone) < needed:
                raise CannotCheckError(
                    f"{len(gone)} of {needed} custodians that it takes signed for roster {record.card.roster_version}."
                )
        count = number_of(len(rosters), "roster")
        return f"final since {final} (unix seconds); enough custodians of {count} signed: their word"
