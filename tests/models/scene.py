"""A model in a world of memory: a coordinator, two sites, an auditor, and patients who let the sites train on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dtledger.client import Client, Terms, publish_keyring
from dtledger.client.keyrings import owner_keys
from dtledger.client.uses import NamedModel
from dtledger.crypto.bits import BitMap
from dtledger.crypto.tags import link_key
from dtledger.ledger import Round, Slot, calls
from dtledger.models.card import ModelCard
from dtledger.snapshots.package import Keys, narrow, seal_package
from dtledger.testing import MemoryKey, World
from dtledger.types import Digest, Period
from dtledger.vocabulary import Action, Kind, Purpose, use_term

DAY = 86_400
START = Digest(b"\7" * 32)
"""What the first round starts from."""
UPDATE, AGGREGATE = b"an update", b"an aggregate"


class Scene:
    """`twins` patients of each site, with a twin each that its site may train `model` on. No round is open."""

    def __init__(self, world: World, twins: int = 2) -> None:
        self.world = world
        self.coordinator = world.join("coordinator", [Kind.COORDINATOR])
        self.sites = [world.join(f"site-{name}", [Kind.RESEARCHER]) for name in "ab"]
        self.auditor = world.join("auditor", [Kind.AUDITOR])
        card = ModelCard("cgm-forecast", "glucose an hour ahead")
        self.model: NamedModel = self.coordinator.models.register(card, Purpose.HRESCH, ["glucose"], 1, 3000)[0]
        self.patients: list[list[Patient]] = [
            [self.patient(f"{site.address}-{number}", site) for number in range(twins)] for site in self.sites
        ]

    def patient(self, name: str, site: Client | None = None) -> Patient:
        """A new patient with a twin, which `site` may train on."""
        client = self.world.client(MemoryKey(name))
        twin, _ = self.world.operator.twins.mint(client.twins.request_mint())
        client.twins.set_up(twin, [each.address for each in self.world.custodians], 2)
        made = Patient(self.world, client, twin)
        if site is not None:
            made.let_train(site)
        return made

    def model_of(self, name: str, categories: Sequence[str] = ("glucose",), minimum_cohort: int = 1) -> NamedModel:
        """One more model, for research, with ε 3 a site; rounds of it are opened by hand."""
        card = ModelCard(name)
        return self.coordinator.models.register(card, Purpose.HRESCH, categories, minimum_cohort, 3000)[0]

    def round(self) -> Round:
        """Open the next round, after a moment."""
        self.world.clock.advance(60)
        view = self.world.ledger.view()
        start = None if view.rounds(self.model.model.number) else START
        return self.coordinator.models.open_round(self.model.model, start)[0]

    def commit(
        self, site: Client, update: bytes = UPDATE, epsilon: int = 500, twins: Sequence[int] | None = None
    ) -> None:
        site.training.commit(self.model.model, [update], epsilon, twins)

    def finalise(self, aggregate: bytes | None = None) -> None:
        rounds = len(self.world.ledger.view().rounds(self.model.model.number))
        self.coordinator.models.finalise(self.model.model, [aggregate or made_by(rounds)])

    def run(self, rounds: int = 1) -> None:
        """Whole rounds: both sites commit, the coordinator finalises."""
        for _ in range(rounds):
            self.round()
            for site in self.sites:
                self.commit(site)
            self.finalise()

    def institute(self) -> tuple[Client, Client]:
        """An organisation, and a site that is a member of it and in its keyring."""
        institute = self.world.join("institute")
        site = self.world.join("site-c", [Kind.RESEARCHER], institute)
        publish_keyring(institute.context, [site.address])
        return institute, site


def made_by(number: int) -> bytes:
    """What round `number` makes by default: no two make the same bytes."""
    return AGGREGATE if number == 1 else b"%s of round %d" % (AGGREGATE, number)


class Patient:
    """Somebody with a twin."""

    def __init__(self, world: World, client: Client, twin: int) -> None:
        self.world = world
        self.client = client
        self.twin = twin

    def let_train(
        self,
        site: Client,
        *,
        purpose: Purpose = Purpose.HRESCH,
        categories: Sequence[str] = ("glucose",),
        action: Action = Action.TRAIN,
        days: int = 30,
        number: int | None = None,
        research: Sequence[str] = (),
    ) -> Slot:
        now = self.world.clock()
        until = now + days * DAY
        said = tuple(map(use_term, research))
        terms = Terms(tuple(categories), (purpose,), (action,), now, until, Period(0, until // 60), said)
        return self.client.consents.grant(self.twin, site.address, terms, number)[0]

    def let_train_by(self, site: Client, change: Callable[[Keys], Keys]) -> Slot:
        """As `let_train`, under a package of what `change` makes of its keys."""
        slot = self.let_train(site)
        context, consents = self.client.context, self.client.consents
        record = context.view().record(slot)
        assert record is not None
        secrets = context.key.secrets.twin(context.deployment.id, self.twin)
        link = link_key(secrets.generations[secrets.latest], secrets.latest, self.twin, site.address)
        keys = change(narrow(owner_keys(secrets), ["glucose"], record.grant.data, link))
        block = seal_package(context.deployment, slot, keys, context.public_key(site.address))
        word = consents.word(self.twin, consents.terms_of(record))
        package = context.store.put(block, "dag-cbor").digest
        context.ledger.send(calls.grant(self.twin, site.address, slot.number, word, package), context.key)
        return slot


def same_bit(bits: BitMap) -> BitMap:
    """Another map, under other salts, in which glucose has the same bit."""
    while (other := BitMap.draw()).bit_of("glucose") != bits.bit_of("glucose"):
        pass
    return other.only(["glucose"])
