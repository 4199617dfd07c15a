"""A consent root of many twins by itself: made, proved, verified, and looked through by a patient; and how each grows.

Packages are not opened here and no rule is asked: that is `model-build`, which is as many packages as there are twins.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from dtledger.client import ModelCard, Terms
from dtledger.client.uses import uses_of
from dtledger.crypto.merkle import MerkleTree, leaf, verify
from dtledger.ledger import calls
from dtledger.models import consents
from dtledger.models.opening import Opening
from dtledger.models.update import UpdateRecord
from dtledger.testing import World
from dtledger.types import Address, Digest, Period
from dtledger.vocabulary import Action, Kind, Purpose

from .bench import Bench
from .figures import Rival, Row, at_most
from .timing import in_turns, timed

_SITE = Address("0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf")
_DEPLOYMENT = "31337-0123456789abcdef-89abcdef"
_MONTH = 30 * 86_400
_START = Digest(b"\7" * 32)
HASHES = "as many leaves' bare hashes and their tree"


@dataclass(frozen=True, slots=True)
class Root:
    """Link keys of so many twins, and the tree over their leaves."""

    links: list[bytes]
    leaves: tuple[Digest, ...]
    tree: MerkleTree

    @classmethod
    def of(cls, bench: Bench, count: int) -> Root:
        return bench.once(f"root-{count}", lambda: cls._make(count))

    @classmethod
    def _make(cls, count: int) -> Root:
        links = [secrets.token_bytes(32) for _ in range(count)]
        leaves = _leaves(links)
        return cls(links, leaves, MerkleTree(leaves))


def _leaves(links: list[bytes]) -> tuple[Digest, ...]:
    return consents.ordered(consents.leaf(link, _DEPLOYMENT, 1, 1, _SITE, twin) for twin, link in enumerate(links))


def _row(bench: Bench, what: str, work: Callable[[Bench, int], Callable[[], object]]) -> Row:
    """The figure for `leaves` twins, beside those for a tenth and for three times as many."""
    count = bench.sizes.leaves
    ours, bare = work(bench, count), [each.to_bytes(32, "big") for each in range(count)]
    took, other = in_turns(ours, lambda: MerkleTree(sorted(map(leaf, bare))), bench.sizes.runs)
    grown = ", ".join(
        f"{few:,} twins {min(timed(work(bench, few))[1] for _ in range(3)):.4f} s" for few in (count // 10, count * 3)
    )
    return Row(
        f"{what} of {count:,} twins, p50",
        took.p50,
        "s",
        (at_most(2, "s"),),
        (Rival(HASHES, other.p50),),
        f"{grown}; this process's CPU {took.cpu:.3f} s",
    )


def build(bench: Bench) -> Row:
    """Leaves from link keys, their order and the root."""
    return _row(
        bench, "a consent root", lambda bench, count: lambda: consents.root(_leaves(Root.of(bench, count).links))
    )


def prove(bench: Bench) -> Row:
    """A proof of each leaf."""

    def work(bench: Bench, count: int) -> Callable[[], object]:
        tree = Root.of(bench, count).tree
        return lambda: [tree.proof(place) for place in range(count)]

    return _row(bench, "proofs of each leaf of a consent root", work)


def check(bench: Bench) -> Row:
    """Each proof verified."""

    def work(bench: Bench, count: int) -> Callable[[], object]:
        root = Root.of(bench, count)
        proofs = [root.tree.proof(place) for place in range(count)]

        def verified() -> None:
            for place, proof in enumerate(proofs):
                verify(root.tree.root, root.leaves[place], proof)

        return verified

    return _row(bench, "each proof verified in a consent root", work)


def scan(bench: Bench) -> Row:
    """A patient's own leaf found in a round, its record and leaves read and the root made anew."""

    def work(bench: Bench, count: int) -> Callable[[], object]:
        return bench.once(f"scan-{count}", lambda: _scanned(bench, count))

    return _row(bench, "a patient's look into a round", work)


def _scanned(bench: Bench, count: int) -> Callable[[], object]:
    """A round of a site that trained on a patient's twin and says that there were many others."""
    world = bench.stack.enter_context(World(hours=1))
    coordinator, site = world.join("coordinator", [Kind.COORDINATOR]), world.join("site", [Kind.RESEARCHER])
    named, _ = coordinator.models.register(ModelCard("many"), Purpose.HRESCH, ["glucose"], 1, 1)
    now, context = world.clock(), site.context
    terms = Terms(("glucose",), (Purpose.HRESCH,), (Action.TRAIN,), now, now + _MONTH, Period(0, (now + _MONTH) // 60))
    world.patient.consents.grant(world.twin, site.address, terms)
    number, _ = coordinator.models.open_round(named.model, _START)
    (shown,) = site.training.plan(named.model).shown
    own = Opening(1, 1, site.address, bytes(32), (shown,)).leaf(context.deployment, shown)
    leaves = consents.ordered([own, *(Digest(secrets.token_bytes(32)) for _ in range(count - 1))])
    block = context.store.put(consents.encode_leaves(leaves), "dag-cbor")
    record = UpdateRecord(1, 1, _START, number.parent, consents.root(leaves), block, count, 1, b"")
    digest = context.store.put(record.sign(context.deployment, context.key), "dag-cbor").digest
    said = calls.Contribution(1, 1, count, 1)
    context.ledger.send(calls.commit_update(_START, number.parent, record.consents, digest, said), context.key)

    def look() -> None:
        assert len(uses_of(world.patient.context, [named], world.twin).found) == 1, "the patient did not find the round"

    return look


ROWS = {"root-build": build, "root-prove": prove, "root-verify": check, "root-scan": scan}
