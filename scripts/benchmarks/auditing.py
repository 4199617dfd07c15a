"""What an audit costs: from a file, of a year of a twin on a chain, and the index that it needs no belief in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from time import perf_counter

from dtledger._backend.evm import EvmLedger
from dtledger._backend.index import rebuild
from dtledger._backend.node import connect
from dtledger._backend.proof_source import NodeSource
from dtledger.audit import (
    Asked,
    Audit,
    Bundle,
    Claim,
    Denied,
    Given,
    Named,
    Question,
    Receipts,
    exit_code,
    export,
    verify,
)
from dtledger.audit.bundle import BundleSource
from dtledger.audit.kept import KeptBlocks
from dtledger.audit.proofs import Header
from dtledger.client import Client, ModelCard, Terms
from dtledger.client.keyrings import owner_keys
from dtledger.models.opening import Opening
from dtledger.types import Digest, Period
from dtledger.vocabulary import Action, Kind, Purpose, category

from . import crowding
from .bench import DIRECTORY, Bench
from .figures import Rival, Row, at_least, at_most
from .storing import glucose, year
from .timing import timed
from .world import DAY, World

CLAIMS = 1_000
ONLINE = "the same claims of the node"
BELIEVING = "snapshot verify, which believes its node"
LOGS = "web3's get_logs alone"
_UPDATE, _AGGREGATE = [b"an update"], [b"an aggregate"]


@dataclass(frozen=True, slots=True)
class Audits:
    """What was audited, and the file of each."""

    world: World
    asked: tuple[Asked, ...]
    files: tuple[bytes, ...]

    @classmethod
    def of(cls, bench: Bench) -> Audits:
        return bench.once("audits", lambda: cls._make(bench))

    @classmethod
    def _make(cls, bench: Bench) -> Audits:
        world = bench.world(DIRECTORY)
        store = world.patient.context.store
        asked, files = [], []
        for number in range(bench.sizes.audited + 1):
            # the model first: Anvil funds its newcomers behind the back of the block that is newest then
            audit = _twin(world) if number else _model(world)
            bundle = export(audit, node_of(world), store)[0]
            pinned = Header.read(bundle.headers[max(bundle.headers)]).hash
            asked.append(replace(audit, pinned=pinned, known=audit.deployment))
            files.append(bundle.encode())
        return cls(world, tuple(asked), tuple(files))


def node_of(world: World) -> NodeSource:
    """The world's chain, as an audit asks it."""
    return NodeSource(connect(world.devnet.anvil.url))


def _twin(world: World) -> Asked:
    """A twin that was written, read and closed, and its audit."""
    consent = world.twin()
    world.gateway.writer.put(consent.twin, "glucose", glucose(world, 1))
    world.clinician.read(consent.twin, "glucose", "TREAT")
    world.patient.consents.revoke(consent)
    denied = (Denied(world.clinician.address, world.patient.context.ledger.head().number),)
    question = Question(twin=consent.twin, denied=denied)
    return Asked(question, given(world, consent.twin), world.patient.context.deployment)


def given(world: World, twin: int) -> Given:
    """What the patient shows."""
    patient, deployment = world.patient, world.patient.context.deployment
    lists = {}
    for custodian in patient.twins.custodians(twin):
        proof, receipts = patient.twins.told(twin, custodian)
        lists[custodian] = Receipts(tuple(receipts), proof)
    keys = owner_keys(patient.context.key.secrets.twin(deployment.id, twin))
    tag, bit = keys.tags[category("glucose").number], keys.bits.bit_of("glucose")
    return Given(lists, named=(Named(tag, keys.bits.prove(bit)),))


def _model(world: World) -> Asked:
    """A model with a round by one site, under one consent."""
    made: dict[Kind, Client] = {}
    for kind in (Kind.COORDINATOR, Kind.RESEARCHER, Kind.AUDITOR):
        made[kind] = world.newcomer(f"audited-{kind.name.lower()}")
        world.operator.members.enrol(made[kind].members.card(kind.name.lower()), [kind])
    coordinator, site, auditor = made.values()
    twin, now = world.twin().twin, world.now
    data = Period(0, (now + DAY) // 60)
    terms = Terms(("glucose",), (Purpose.HRESCH,), (Action.TRAIN,), now - DAY, now + DAY, data)
    world.patient.consents.grant(twin, site.address, terms)
    model = coordinator.models.register(ModelCard("audited"), Purpose.HRESCH, ["glucose"], 1, 1_000)[0].model
    coordinator.models.open_round(model, Digest(b"\7" * 32))
    site.training.commit(model, _UPDATE, 1)
    coordinator.models.finalise(model, _AGGREGATE)
    context = auditor.context
    block = context.store.get(site.training.open(model, 1, auditor.address))
    shown = Opening.unsealed(context.deployment, block, auditor.address, context.key.seal_key)
    files = {(1, site.address): lambda: _UPDATE, (1, None): lambda: _AGGREGATE}
    return Asked(Question(model=model.number), Given(openings=(shown,)), context.deployment, files=files)


def offline(bench: Bench) -> Row:
    """Each kind of claim counts alike: 1,000 claims at the mean time of each kind."""
    audits = Audits.of(bench)
    by_kind: dict[str, list[float]] = defaultdict(list)
    totals: list[tuple[float, int]] = []
    for _ in range(bench.sizes.runs):
        begun, count = perf_counter(), 0
        for asked, data in zip(audits.asked, audits.files, strict=True):
            count += _timed_claims(asked, data, by_kind)
        totals.append((perf_counter() - begun, count))
    figure = CLAIMS * mean(median(each) for each in by_kind.values())
    seconds, count = min(totals)
    size = sum(map(len, audits.files))
    return Row(
        f"{CLAIMS:,} claims verified from files, {len(by_kind)} kinds in equal parts",
        figure,
        "s",
        (at_most(2, "s"),),
        (Rival(ONLINE, CLAIMS * _online(audits)),),
        f"{count:,} claims of {len(audits.files)} files as they come: {seconds:.2f} s, {size / count:,.0f} B a claim",
    )


def _timed_claims(asked: Asked, data: bytes, by_kind: dict[str, list[float]]) -> int:
    """Verify one file, and note what each claim took; the first has what all rest on."""
    before, count = perf_counter(), 0
    bundle = Bundle.decode(data)
    for claim in Audit(asked, BundleSource(bundle), KeptBlocks(bundle.blocks)).claims():
        now = perf_counter()
        by_kind[claim.name].append(now - before)
        before, count = now, count + 1
        assert exit_code([claim]) == 0, f"a claim of an honest run does not pass: {claim}"
    return count


def _online(audits: Audits) -> float:
    """Seconds a claim, asked of the node."""
    store = audits.world.patient.context.store
    claims, seconds = timed(lambda: list(Audit(audits.asked[-1], node_of(audits.world), store).claims()))
    return seconds / len(claims)


def of_a_year(bench: Bench) -> Row:
    """Every claim about a twin with a year of hourly snapshots, of the node, the store and the custodians."""
    filled = year(bench, DIRECTORY)
    world, twin = filled.world, filled.consent.twin
    context = world.patient.context

    def ours() -> list[Claim]:
        asked = Asked(Question(twin=twin), given(world, twin), context.deployment)
        return list(Audit(asked, node_of(world), context.store).claims())

    claims, seconds = timed(ours)
    assert exit_code(claims) == 0, "a claim of an honest year does not pass"
    _, believing = timed(lambda: list(world.patient.snapshots.verify(twin)))
    asked = Asked(Question(twin=twin), given(world, twin), context.deployment)
    data = export(asked, node_of(world), context.store)[0].encode()
    _, again = timed(lambda: verify(Bundle.decode(data)))
    return Row(
        f"the audit of a year of a twin on Anvil, {filled.snapshots:,} snapshots",
        seconds,
        "s",
        (at_most(30, "s"),),
        (Rival(BELIEVING, believing),),
        f"{len(claims)} claims; from its file of {len(data) / 2**20:.1f} MiB in {again:.1f} s",
    )


def index(bench: Bench) -> Row:
    """Events read from a node, kept and folded into states, from nothing."""
    world = bench.world(DIRECTORY)
    context = world.patient.context
    crowding.grants(world, world.twin().twin, bench.sizes.events)
    url = world.devnet.anvil.url

    def ours(folder: str) -> int:
        path = Path(folder) / "index.db"
        found = rebuild(url, context.deployment, path)
        with EvmLedger(url, context.deployment, path) as ledger:
            ledger.history()
        return found.logs

    with TemporaryDirectory() as folder:
        events, seconds = timed(lambda: ours(folder))
    _, alone = timed(lambda: _logs_alone(url, context.deployment.contracts.values()))
    return Row(
        f"an index made from nothing, {events:,} events read, kept and folded",
        events / seconds,
        "events/s",
        (at_least(2_000, "events/s"),),
        (Rival(LOGS, events / alone),),
        "one node on this machine",
    )


def _logs_alone(url: str, addresses: object) -> int:
    found = connect(url, 60).eth.get_logs({"address": list(addresses), "fromBlock": 0, "toBlock": "latest"})  # type: ignore[call-overload]
    return len(found)


ROWS: dict[str, Callable[[Bench], Row]] = {"audit-file": offline, "index": index}
YEAR_ROWS: dict[str, Callable[[Bench], Row]] = {"year-audit": of_a_year}
