"""A run of a model whose steps are made by hand, so that site and coordinator can lie at any of them.

`Run.commit` goes the way of `dtledger.client.training` step by step, `Run.finalise` that of `dtledger.client.models`.
What a step is given stands in the place of what an honest one would make. A run whose steps are given nothing is the
honest sibling of each attack. Where the contract would refuse the lie, `Run.rewrite` lets the ledger tell another
history.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from dtledger.audit import Claim, ModelAudit, Verdict
from dtledger.audit.model import Files
from dtledger.client import Client
from dtledger.client.keyrings import granted_keys, owner_keys
from dtledger.ledger import History, Model, Round, Slot, View, calls
from dtledger.ledger.calls import Contribution
from dtledger.ledger.events import Logged, Place
from dtledger.models import consents
from dtledger.models.opening import Opening, Shown
from dtledger.models.update import AggregateRecord, Trained, UpdateRecord, commitment, digest_of
from dtledger.types import Address, Digest
from tests.models.scene import START, Patient, Scene

EPSILON = 500


class Run:
    """Rounds of one model, what its sites showed the auditor, and the files that the auditor was given."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.world = scene.world
        self.store = scene.world.store
        self.ledger = scene.world.ledger
        self.deployment = scene.world.ledger.deployment
        self.model: Model = scene.model.model
        self.openings: list[Opening] = []
        self.files: dict[tuple[int, Address | None], bytes] = {}
        self.view: View | None = None
        """What the auditor's ledger tells, if that is not what it told everybody."""

    # steps -----------------------------------------------------------------------------------------------------------

    def open(self) -> Round:
        """The next round; a block after it stays empty."""
        self.world.clock.advance(60)
        start = None if self.ledger.view().rounds(self.model.number) else START
        opened, _ = self.scene.coordinator.models.open_round(self.model, start)
        self.ledger.mine()
        return opened

    def shown(self, site: Client) -> list[Shown]:
        """What an honest site would show of the newest round."""
        return list(site.training.plan(self.model).shown)

    def leaves(self, site: Client, shown: Sequence[Shown]) -> tuple[Digest, ...]:
        """The leaves of what a site shows of the newest round."""
        number = self.ledger.view().rounds(self.model.number)[-1].number
        opening = Opening(self.model.number, number, site.address, b"", tuple(shown))
        return consents.ordered(opening.leaf(self.deployment, each) for each in shown)

    def commit(
        self,
        site: Client,
        shown: Sequence[Shown] | None = None,
        *,
        leaves: Sequence[Digest] | None = None,
        stored: bytes | None = None,
        record: dict[str, Any] | None = None,
        block: bytes | None = None,
        signer: Client | None = None,
        cohort: int | None = None,
        opening: dict[str, Any] | None = None,
    ) -> UpdateRecord:
        """Commit to the newest round, and open it.

        Args:
            shown: of which the leaves are made, and what the opening has.
            leaves, stored: the leaves under the consent root, and the block that is stored for them.
            record, block: what the record says otherwise than the ledger, or its whole block.
            signer: of the record.
            cohort: as ledger and record have it.
            opening: what the opening has otherwise.
        """
        model, number = self.model.number, self.ledger.view().rounds(self.model.number)[-1]
        update, salt = b"update of " + site.address.encode(), secrets.token_bytes(32)
        shown = tuple(self.shown(site) if shown is None else shown)
        leaves = self.leaves(site, shown) if leaves is None else leaves
        said = UpdateRecord(
            model=model,
            round=number.number,
            update=commitment(salt, [update]),
            parent=number.parent,
            consents=consents.root(leaves),
            leaves=self.store.put(consents.encode_leaves(leaves) if stored is None else stored, "dag-cbor"),
            cohort=len(leaves) if cohort is None else cohort,
            epsilon=EPSILON,
            notes=b"none",
            research=tuple(sorted({term for each in shown if each.research for term in each.research.terms})),
        )
        signed = replace(said, **record or {}).sign(self.deployment, (signer or site).context.key)
        digest = self.store.put(signed if block is None else block, "dag-cbor").digest
        told = Contribution(model, number.number, said.cohort, said.epsilon)
        self.ledger.send(calls.commit_update(said.update, said.parent, said.consents, digest, told), site.context.key)
        made = Opening(model, number.number, site.address, salt, shown)
        self.openings.append(replace(made, **opening or {}))
        self.files[number.number, site.address] = update
        return said

    def finalise(
        self,
        *,
        record: dict[str, Any] | None = None,
        block: bytes | None = None,
        signer: Client | None = None,
        aggregate: bytes | None = None,
    ) -> None:
        """Close the newest round. `record` is what the coordinator's says otherwise, `block` its whole block;
        `aggregate` is by default other bytes in each round."""
        view, coordinator, model = self.ledger.view(), self.scene.coordinator, self.model.number
        number = view.rounds(model)[-1].number
        updates, aggregate = view.updates(model, number), aggregate or b"aggregate of round %d" % number
        said = AggregateRecord.of(model, number, digest_of([aggregate]), updates)
        signed = replace(said, **record or {}).sign(self.deployment, (signer or coordinator).context.key)
        digest = self.store.put(signed if block is None else block, "dag-cbor").digest
        call = calls.finalise_aggregate(model, number, said.aggregate, digest, len(updates))
        self.ledger.send(call, coordinator.context.key)
        self.files[number, None] = aggregate

    def finish(self, **lies: Any) -> None:
        """Who has not committed does, and the round is closed, with what `finalise` is given."""
        view, model = self.ledger.view(), self.model.number
        done = {each.site for each in view.updates(model, view.rounds(model)[-1].number)}
        for site in self.scene.sites:
            if site.address not in done:
                self.commit(site)
        self.finalise(**lies)

    def whole(self) -> None:
        """A round in which nobody lies."""
        self.open()
        self.finish()

    # lies ------------------------------------------------------------------------------------------------------------

    def shown_of(
        self, patient: Patient, grantee: Client, categories: Sequence[str] = ("glucose",), link: bytes = b"\1" * 32
    ) -> Shown:
        """A twin as a site would show it that knows what its owner knows, but for the link key."""
        context = patient.client.context
        known = owner_keys(context.key.secrets.twin(context.deployment.id, patient.twin)).bits
        proofs = tuple(known.prove(known.bit_of(name)) for name in categories)
        record = self.ledger.view().record(Slot(patient.client.address, patient.twin, grantee.address, 0))
        given = record is not None and record.grant.given
        research = granted_keys(grantee.context, record).research if given else None
        return Shown(Trained(patient.twin, grantee.address, 0), link, proofs, research)

    def rewrite(self, change: Callable[[Logged], Iterable[Logged]]) -> None:
        """Let the auditor's ledger tell something else in the place of each event, or nothing."""
        history = History()
        told = [each for logged in self.ledger.history().logged for each in change(logged)]
        for number, each in enumerate(sorted(told, key=lambda one: one.place.block)):
            history.add(replace(each, place=Place(each.place.block, number)))
        self.view = history.at(self.ledger.head().number)

    # the audit -------------------------------------------------------------------------------------------------------

    def audit(self, openings: Sequence[Opening] | None = None, files: Files | None = None) -> ModelAudit:
        """As the auditor makes it, who was given everything, unless something else is named."""
        view = self.view or self.ledger.view()
        model = view.model(self.model.number)
        assert model is not None
        at_hand: Files = {place: (lambda file=file: [file[:5], file[5:]]) for place, file in self.files.items()}
        return ModelAudit(
            self.deployment,
            view,
            self.store,
            model,
            self.openings if openings is None else openings,
            at_hand if files is None else files,
        )

    def claims(self, openings: Sequence[Opening] | None = None, files: Files | None = None) -> list[Claim]:
        return list(self.audit(openings, files).claims())


def those(claims: Sequence[Claim], verdict: Verdict) -> list[tuple[str, str]]:
    """Name and subject of each claim of that verdict."""
    return [(each.name, each.about) for each in claims if each.verdict is verdict]


def about(site: Client, number: int = 1) -> str:
    return f"round {number}, {site.address}"
