"""What consents cost a round of a model: to stand on them, to show them, to audit them, and to look for oneself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dtledger.audit import ModelAudit, exit_code
from dtledger.client import Client, ModelCard, Terms
from dtledger.client.uses import NamedModel, uses_of
from dtledger.crypto.merkle import MerkleTree, leaf
from dtledger.models.opening import Opening
from dtledger.testing import World
from dtledger.types import Digest, Period
from dtledger.vocabulary import Action, Kind, Purpose

from .bench import Bench
from .figures import Rival, Row, at_most
from .timing import in_turns

ROOT = "the Merkle root over as many bare hashes"
PROOFS = "the proofs of as many bare hashes"
_MONTH = 30 * 86_400
_START = Digest(b"\7" * 32)
_UPDATE, _AGGREGATE = [b"an update"], [b"an aggregate"]
_AS_YOU_LIKE = 2**32 - 1
"""An ε that no run of the bench spends."""


@dataclass(frozen=True, slots=True)
class Cohort:
    """A site, whom so many twins' owner lets train, in a world in memory."""

    world: World
    coordinator: Client
    site: Client
    auditor: Client
    twins: list[int]

    @classmethod
    def of(cls, bench: Bench) -> Cohort:
        return bench.once("cohort", lambda: cls._make(bench))

    @classmethod
    def _make(cls, bench: Bench) -> Cohort:
        world = bench.stack.enter_context(World(hours=1))
        kinds = {"coordinator": Kind.COORDINATOR, "site": Kind.RESEARCHER, "auditor": Kind.AUDITOR}
        coordinator, site, auditor = (world.join(name, [kind]) for name, kind in kinds.items())
        now, patient = world.clock(), world.patient
        data = Period(0, (now + _MONTH) // 60)
        terms = Terms(("glucose",), (Purpose.HRESCH,), (Action.TRAIN,), now, now + _MONTH, data)
        custodians = [each.address for each in world.custodians]
        twins = []
        for _ in range(bench.sizes.cohort):
            twin, _ = world.operator.twins.mint(patient.twins.request_mint())
            patient.twins.set_up(twin, custodians, 2)
            patient.consents.grant(twin, site.address, terms)
            twins.append(twin)
        return cls(world, coordinator, site, auditor, twins)

    def model(self, name: str) -> NamedModel:
        return self.coordinator.models.register(ModelCard(name), Purpose.HRESCH, ["glucose"], 1, _AS_YOU_LIKE)[0]

    def commit(self, named: NamedModel) -> None:
        """A whole round, in which the site commits under every consent."""
        rounds = self.world.ledger.view().rounds(named.model.number)
        self.coordinator.models.open_round(named.model, None if rounds else _START)
        record, _ = self.site.training.commit(named.model, _UPDATE, 1)
        assert record.cohort == len(self.twins), "a consent did not count"
        self.coordinator.models.finalise(named.model, _AGGREGATE)

    def committed(self, bench: Bench) -> NamedModel:
        """A model with one round, that every row looks at but the one that makes rounds."""

        def make() -> NamedModel:
            named = self.model("looked-at")
            self.commit(named)
            return named

        return bench.once("committed", make)


def _row(bench: Bench, what: str, ours: Callable[[], object], rival: str, theirs: Callable[[], object]) -> Row:
    took, other = in_turns(ours, theirs, bench.sizes.runs)
    return Row(
        what.format(f"{bench.sizes.cohort:,}"),
        took.p50,
        "s",
        (at_most(1, "s"),),
        (Rival(rival, other.p50),),
        f"fastest {took.best:.3f} s, this process's CPU {took.cpu:.3f} s; ledger and store in memory",
    )


def _tree(bench: Bench) -> MerkleTree:
    """What nobody can do without, in the same code: as many leaves of numbers, and their tree."""
    return MerkleTree(sorted(leaf(number.to_bytes(32, "big")) for number in range(bench.sizes.cohort)))


def build(bench: Bench) -> Row:
    """From the ledger's grants to a commitment that stands on it."""
    cohort = Cohort.of(bench)
    named = cohort.model("built")
    what = "a round under {} consents, p50: packages opened, rule asked, leaves, root, record, commitment"
    return _row(bench, what, lambda: cohort.commit(named), ROOT, lambda: _tree(bench))


def prove(bench: Bench) -> Row:
    """A site's opening: its notes and packages opened, bits proved, all of it signed and sealed to the auditor."""
    cohort = Cohort.of(bench)
    model, auditor = cohort.committed(bench).model, cohort.auditor.address

    def proofs() -> object:
        tree = _tree(bench)
        return [tree.proof(place) for place in range(len(tree))]

    what = "an opening of {} consents to an auditor, p50"
    return _row(bench, what, lambda: cohort.site.training.open(model, 1, auditor), PROOFS, proofs)


def audit(bench: Bench) -> Row:
    """Every claim of the round, from the sealed opening on."""
    cohort = Cohort.of(bench)
    model, context = cohort.committed(bench).model, cohort.auditor.context
    block = context.store.get(cohort.site.training.open(model, 1, cohort.auditor.address))
    files = {(1, cohort.site.address): lambda: _UPDATE, (1, None): lambda: _AGGREGATE}

    def ours() -> None:
        opening = Opening.open(context.deployment, block, cohort.auditor.address, context.key.seal_key)
        claims = ModelAudit(context.deployment, context.view(), context.store, model, [opening], files).claims()
        assert exit_code(claims) == 0, "a claim of an honest round did not pass"

    return _row(bench, "the audit of a round under {} consents, p50", ours, ROOT, lambda: _tree(bench))


def look(bench: Bench) -> Row:
    """A patient derives the leaf of a twin and looks for it in the round, whose root is made anew."""
    cohort = Cohort.of(bench)
    named, context, twin = cohort.committed(bench), cohort.world.patient.context, cohort.twins[-1]

    def ours() -> None:
        assert len(uses_of(context, [named], twin).found) == 1, "the patient did not find the round"

    return _row(bench, "a patient's look into a round under {} consents, p50", ours, ROOT, lambda: _tree(bench))


ROWS = {"model-build": build, "model-open": prove, "model-audit": audit, "model-look": look}
