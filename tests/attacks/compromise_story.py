"""What happens to a twin before its parties lose their secrets, and what each of them holds then.

    hours 1 to 3    glucose and heart-rate; four custodians, three of whom are needed
    grants          from hour 2 of glucose on: to cardiology, which stands; to the doctor; and one that sleeps
                    both fetch hour 2; the doctor's is revoked
    hour 4          glucose, then the twin is rekeyed
    hour 5          glucose, then custody is shared anew onto four other custodians
    hour 6          glucose, and a day later the first four destroy their pairs

What is asked of custodians who keep their word is asked at the end; what a party had at some moment is kept from then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dtledger.client import Client, Guardian, GuardianKeys, Terms, publish_keyring, sleeping_terms, writing_terms
from dtledger.client.guardians import DEFAULT_DELAY
from dtledger.ledger import Slot
from dtledger.readings import Reading
from dtledger.testing import MemoryKey, World, WorldCustodian
from dtledger.testing.world import DAY, glucose
from dtledger.types import Digest, Period
from dtledger.vocabulary import Action, Cause, Kind, Purpose

from .attacker import Loot, of_custodian, of_member, opened, together
from .disks import Disks, found_in
from .insiders import given_to
from .outsider import of_world
from .wiretap import tapped_read

HOUR = 3600
THRESHOLD, COUNT = 3, 4
WAITING = 3
"""Readings that the gateway has accepted and not written yet."""


class Part(Enum):
    """The snapshots of the story, by how they stand to the grantees' window."""

    FETCHED = "fetched"
    WINDOW = "window"
    OUTSIDE = "outside"
    OTHER = "other"
    REVOKED = "later"
    REKEYED = "rekeyed"
    RESHARED = "re-shared"


@dataclass
class Story:
    world: World
    folder: Path
    parts: dict[Part, frozenset[Digest]] = field(default_factory=dict)
    parties: dict[str, Loot] = field(default_factory=dict)
    queues: dict[str, int] = field(default_factory=dict)
    """Party → how many of the readings that wait in the gateway it reads."""
    _opened: dict[frozenset[str], dict[Digest, bytes]] = field(default_factory=dict)

    def loot(self, *names: str) -> Loot:
        return together(self.parties[name] for name in names)

    def decrypted(self, *names: str) -> dict[Digest, bytes]:
        """What these decrypt together."""
        party = frozenset(names)
        if party not in self._opened:
            self._opened[party] = opened(self.world, self.loot(*names))
        return self._opened[party]

    def opened(self, *names: str) -> frozenset[Digest]:
        """What these decrypt together, and what they had read already."""
        return self.loot(*names).fetched | self.decrypted(*names).keys()

    def waiting(self, *names: str) -> int:
        """How many of the readings that wait in the gateway these read."""
        return max((self.queues.get(name, 0) for name in names), default=0)


@contextmanager
def told() -> Iterator[Story]:
    """The whole story."""
    with World(hours=3, custodians=COUNT, threshold=THRESHOLD) as world, TemporaryDirectory() as folder:
        story = Story(world, Path(folder))
        teller = _Teller(story)
        with teller.gateway:
            teller.tell()
            yield story


class _Teller:
    """Tells the story, and notes what each party holds."""

    def __init__(self, story: Story) -> None:
        self.story, self.world, self.parties = story, story.world, story.parties
        self.patient, self.twin = self.world.patient, self.world.twin
        self.now = self.world.clock()
        self.disks = Disks(self.world, story.folder)
        self.gateway = self.disks.gateway

    def tell(self) -> None:
        world, parts = self.world, self.story.parts
        first = world.readings[0].minute
        writing = writing_terms(["glucose", "heart-rate"], self.now, 30 * DAY, back_to=first)
        self.patient.consents.grant(self.twin, self.gateway.address, writing, 0)
        beats = [Reading(each.seconds, 60.0 + place, "/min") for place, each in enumerate(world.readings)]
        parts[Part.OTHER] = self._write("heart-rate", beats)
        hours = sorted(self.patient.snapshots.periods(self.twin, "glucose"), key=lambda each: each.start)
        written = {each.found.manifest.period: each.found.digest for each in self._listed()}
        for part, period in zip((Part.OUTSIDE, Part.FETCHED, Part.WINDOW), hours, strict=True):
            parts[part] = frozenset({written[period]})

        guardians = self._choose_guardians()
        cardiology, doctor, medic, sleeping = self._grant(hours[1].start)
        live, revoked = (tapped_read(world, each, hours[1]) for each in (cardiology, doctor))
        self.patient.consents.revoke(Slot(self.patient.address, self.twin, doctor.address, 0))
        parts[Part.REVOKED] = self._write_an_hour()

        self.patient.twins.rekey(self.twin)
        parts[Part.REKEYED] = self._write_an_hour()

        former = world.custodians
        present = [self.disks.add_custodian(f"custodian-{COUNT + number}") for number in range(1, COUNT + 1)]
        self.patient.resharing.reshare(self.twin, [each.address for each in present], THRESHOLD)
        kept = [of_custodian(each, world) for each in former]
        parts[Part.RESHARED] = self._write_an_hour()
        world.clock.advance(DAY + HOUR)
        self.patient.resharing.retire(self.twin)

        self._note("custodian", [self._custodian(each) for each in present])
        self._note("pairs kept by former custodian", kept)
        self._note("former custodian", [of_custodian(each, world) for each in former])
        self._note("backup of custodian", [self.disks.backup(each) for each in present])
        self._note("guardian", [of_member(each) for each in guardians])
        self.parties |= {
            "live grantee": of_member(cardiology) + Loot(fetched=live.fetched) + given_to(world, cardiology),
            "revoked grantee": of_member(doctor) + Loot(fetched=revoked.fetched) + given_to(world, doctor),
            "revoked grantee's key": of_member(doctor) + given_to(world, doctor),
            "traffic": Loot(answers=revoked.answers),
            "one-use keys": Loot(revoked.one_use),
            "relayer": self._insider("relayer", []),
            "registrar": self._insider("mole", [Kind.CLINICIAN, Kind.RESEARCHER]) + of_member(world.operator),
            "administrator": self._insider("deep mole", list(Kind)) + of_member(world.operator),
            "owner's tree": of_member(self.patient),
            "owner": of_member(self.patient) + given_to(world, self.patient),
            "emergency insider, before": of_member(medic) + given_to(world, medic),
            "gateway": of_member(self.gateway) + given_to(world, self.gateway),
        }
        medic.emergencies.open(sleeping, Cause.OVRINCOMP)
        self.parties["emergency insider, after"] = of_member(medic) + given_to(world, medic)
        self._look_at_what_lies_there(present)
        thief = self._take_the_twin(guardians[:2])
        self.parties["guardians' key"] = of_member(thief) + given_to(world, thief)

    def _look_at_what_lies_there(self, custodians: Sequence[WorldCustodian]) -> None:
        disks, everything = self.disks, together(self.parties.values())
        disks.fill_queue(glucose(self.world.clock() - 2 * HOUR, WAITING))
        public = of_world(self.world).pieces
        events = [data for name, data in public.items() if name.startswith("event")]
        blocks = [data for name, data in public.items() if not name.startswith("event")]
        self.parties |= {
            "store": found_in(blocks, everything),
            "index": found_in(events, everything),
            "gateway at rest": disks.of_gateway_at_rest(everything),
            "custodians' disks at rest": disks.of_custodians_at_rest(custodians, everything),
        }
        keys = {"gateway": self.gateway.context.key, "gateway at rest": disks.thief()}
        self.story.queues |= {name: disks.read_queue(key) for name, key in keys.items()}

    # who there is --------------------------------------------------------------------------------------------

    def _choose_guardians(self) -> list[Client]:
        friends = [self.world.client(MemoryKey(f"guardian-{number}")) for number in range(3)]
        keys = [Guardian(each.address, each.context.key.seal_key.public) for each in friends]
        self.patient.guardians.choose(self.twin, 2, [each.address for each in friends])
        self.patient.twins.set_recovery(self.twin, GuardianKeys(2, tuple(keys)))
        return friends

    def _grant(self, first_minute: int) -> tuple[Client, Client, Client, Slot]:
        """The three grants of glucose from that minute on; the slot of the one that sleeps."""
        world, until = self.world, self.now + 30 * DAY
        window = Period(first_minute, until // 60)
        cardiology, doctor = (world.join(name, [Kind.CLINICIAN]) for name in ("cardiology", "doctor"))
        for each in (cardiology, doctor):
            terms = Terms(("glucose",), (Purpose.TREAT,), (Action.READ,), self.now, until, window)
            self.patient.consents.grant(self.twin, each.address, terms, 0)
        ambulance = world.join("ambulance", [Kind.EMERGENCY])
        medic = world.join("medic", [Kind.EMERGENCY], ambulance)
        publish_keyring(ambulance.context, [medic.address])
        terms = sleeping_terms(self.now, 30 * DAY, ["glucose"], first_minute=first_minute)
        slot, _ = self.patient.emergencies.let(self.twin, ambulance.address, terms)
        return cardiology, doctor, medic, slot

    def _insider(self, name: str, kinds: list[Kind]) -> Loot:
        """Somebody whom the registrar let in."""
        insider = self.world.join(name, kinds)
        return of_member(insider) + given_to(self.world, insider)

    def _custodian(self, custodian: WorldCustodian) -> Loot:
        """What it holds, and what it gets of the others by asking as itself."""
        return of_custodian(custodian, self.world) + given_to(self.world, self.world.client(custodian._key))

    def _note(self, name: str, loots: list[Loot]) -> None:
        self.parties |= {f"{name} {number}": each for number, each in enumerate(loots, start=1)}

    # what they do --------------------------------------------------------------------------------------------

    def _listed(self) -> list[Any]:
        return [each for group in self.patient.snapshots.list(self.twin, "glucose") for each in group]

    def _write(self, category: str, readings: Sequence[Reading]) -> frozenset[Digest]:
        done = self.gateway.writer.put(self.twin, category, readings)
        return frozenset(each.manifest.digest for each in done.written)

    def _write_an_hour(self) -> frozenset[Digest]:
        start = self.world.clock()
        self.world.clock.advance(HOUR)
        return self._write("glucose", glucose(start, 12))

    def _take_the_twin(self, guardians: Sequence[Client]) -> Client:
        """Two guardians bring it to a key of theirs, and the owner does not veto it."""
        thief = self.world.client(MemoryKey("the guardians' key"))
        chosen = self.patient.guardians.chosen(self.twin)
        assert chosen is not None
        act = guardians[0].guardians.begin("AnnounceMove", self.twin, chosen, thief.address)
        for each in (*guardians, thief):
            act = each.guardians.sign(act)
        thief.guardians.send(act)
        acceptance = thief.twins.accept_move(self.twin)
        self.world.clock.advance(DEFAULT_DELAY)
        thief.guardians.complete(self.twin)
        thief.twins.recover(self.twin, [each.twins.guardian_share(acceptance) for each in guardians])
        return thief
