"""Where weights come from, as the ledger has it: what a release says besides its files, and how it is written down."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from .. import encoding
from ..ledger import Deployment, Model, Round, Update, View
from ..store import BlockStore
from ..types import Address, Digest
from .aggregates import record_of as record_of_aggregate
from .leaves import record_of
from .update import UpdateRecord


@dataclass(frozen=True, slots=True)
class Contribution:
    """An update of the round: whose, what it committed to, and whether it went into the aggregate. `epsilon` is what it
    spent, `spent` what its site had spent on the model by then: ε in thousandths, at the site's `delta` (0 if it names
    none, or its update was not used)."""

    site: Address
    update: Digest
    consents: Digest
    record: Digest
    cohort: int
    epsilon: int
    spent: int
    used: bool
    delta: float = 0.0

    @classmethod
    def of(cls, update: Update, spent: int, record: UpdateRecord | None) -> Contribution:
        """Of an update, and of its site's record if it was used."""
        said = (update.update, update.consents, update.record, update.cohort, update.epsilon)
        return cls(update.site, *said, spent, record is not None, record.delta if record else 0.0)

    def to_json(self) -> dict[str, Any]:
        return {
            "site": self.site,
            "update": self.update.hex(),
            "consents": self.consents.hex(),
            "record": self.record.hex(),
            "cohort": self.cohort,
            "epsilonThousandths": self.epsilon,
            "spentThousandths": self.spent,
            "used": self.used,
            "delta": self.delta,
        }

    @classmethod
    def of_json(cls, row: Any) -> Contribution:
        if not isinstance(row["used"], bool):
            raise TypeError("neither used nor left out")
        if not isinstance(row["delta"], float) or not 0 <= row["delta"] < 1:
            raise TypeError("no δ")
        return cls(
            site=encoding.address(text(row["site"])),
            update=digest(row["update"]),
            consents=digest(row["consents"]),
            record=digest(row["record"]),
            cohort=count(row["cohort"]),
            epsilon=count(row["epsilonThousandths"]),
            spent=count(row["spentThousandths"]),
            used=row["used"],
            delta=row["delta"],
        )


@dataclass(frozen=True, slots=True)
class Origin:
    """A round and what was made of it. `research` are the terms of the consents under it, by its sites' records: what
    of them nothing keeps, whoever uses the weights is bound to. `record` is the coordinator's of the aggregate; the
    blocks are those that opened the round and that finalised it; `ledger` is the contract's address."""

    deployment: str
    chain_id: int
    genesis: Digest
    ledger: Address
    model: int
    coordinator: Address
    purpose: int
    categories: int
    round: int
    parent: Digest
    aggregate: Digest
    record: Digest
    opened: int
    finalised: int
    updates: tuple[Contribution, ...]
    research: tuple[str, ...] = ()

    @classmethod
    def of(cls, deployment: Deployment, view: View, store: BlockStore, model: Model, number: Round) -> Origin:
        """Of a round that is finalised, by the ledger and the coordinator's record.

        Raises:
            CannotCheckError, IntegrityError: it or a site's is not to be had, or says otherwise than the ledger, or is
                made of other updates than the round's.
        """
        made = view.aggregate(model.number, number.number)
        assert made is not None, "it was asked for a finalised round"
        record = record_of_aggregate(deployment, view, store, model, number, made)
        updates = view.updates(model.number, number.number)
        said = {each.site: record_of(deployment, store, each) for each in updates if record.has(each)}
        terms = {term for each in said.values() for term in each.research}
        spent: Counter[Address] = Counter()
        for each in range(1, number.number + 1):
            for update in view.updates(model.number, each):
                spent[update.site] += update.epsilon
        return cls(
            deployment=deployment.id,
            chain_id=deployment.chain_id,
            genesis=deployment.genesis,
            ledger=deployment.contracts["ModelLedger"],
            model=model.number,
            coordinator=model.coordinator,
            purpose=model.purpose,
            categories=model.categories,
            round=number.number,
            parent=number.parent,
            aggregate=made.aggregate,
            record=made.record,
            opened=number.block,
            finalised=made.block,
            updates=tuple(Contribution.of(update, spent[update.site], said.get(update.site)) for update in updates),
            research=tuple(sorted(terms)),
        )

    @property
    def cohort(self) -> int:
        """Twins behind the updates that went into it. A twin that two sites trained on counts for each."""
        return sum(each.cohort for each in self.updates if each.used)

    def to_json(self) -> dict[str, Any]:
        return {
            "deployment": {
                "id": self.deployment,
                "chainId": self.chain_id,
                "genesis": self.genesis.hex(),
                "modelLedger": self.ledger,
            },
            "model": {
                "number": self.model,
                "coordinator": self.coordinator,
                "purpose": self.purpose,
                "categories": self.categories,
            },
            "round": {
                "number": self.round,
                "parent": self.parent.hex(),
                "aggregate": self.aggregate.hex(),
                "record": self.record.hex(),
                "openedInBlock": self.opened,
                "finalisedInBlock": self.finalised,
            },
            "updates": [each.to_json() for each in self.updates],
            "research": list(self.research),
        }

    @classmethod
    def of_json(cls, said: Any) -> Origin:
        """Raises:
        KeyError, TypeError, ValueError: it is not in due form.
        """
        where, model, number = said["deployment"], said["model"], said["round"]
        return cls(
            deployment=text(where["id"]),
            chain_id=count(where["chainId"]),
            genesis=digest(where["genesis"]),
            ledger=encoding.address(text(where["modelLedger"])),
            model=count(model["number"]),
            coordinator=encoding.address(text(model["coordinator"])),
            purpose=count(model["purpose"]),
            categories=count(model["categories"]),
            round=count(number["number"]),
            parent=digest(number["parent"]),
            aggregate=digest(number["aggregate"]),
            record=digest(number["record"]),
            opened=count(number["openedInBlock"]),
            finalised=count(number["finalisedInBlock"]),
            updates=tuple(Contribution.of_json(row) for row in said["updates"]),
            research=tuple(text(each) for each in said["research"]),
        )


def text(value: Any) -> str:
    """A text of one line; raises TypeError if it is none. So do the others of what they are."""
    if not isinstance(value, str) or not value.isprintable():
        raise TypeError("no text")
    return value


def count(value: Any) -> int:
    """A number that is not negative, of JSON. Raises TypeError."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**64:
        raise TypeError("no count")
    return value


def digest(value: Any) -> Digest:
    """A SHA-256 in hex, of JSON. Raises TypeError, ValueError."""
    found = bytes.fromhex(text(value))
    if len(found) != 32 or found.hex() != value:  # `fromhex` takes spaces too
        raise TypeError("no SHA-256 in hex")
    return Digest(found)
