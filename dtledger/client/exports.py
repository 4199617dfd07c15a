"""What a twin's owner takes out of dtledger in the words of FHIR: consents, who looked, where data comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..custody import AccessReceipt
from ..errors import AccessDeniedError, InputError, IntegrityError, UnreachableError
from ..fhir import Anchored, Loss, Names, Standing, audit_events, consent_of, of_round, of_snapshot
from ..ledger import GrantRecord, Slot
from ..policy import Grant
from .access import Access
from .consents import Consents
from .context import Context
from .models import Models
from .research import research_of
from .snapshots import Snapshots
from .terms import GrantState

_STANDING = {
    GrantState.LIVE: Standing.IN_FORCE,
    GrantState.SLEEPING: Standing.IN_FORCE,
    GrantState.BLOCKED: Standing.BLOCKED,
    GrantState.ENDED: Standing.OVER,
    GrantState.REVOKED: Standing.OVER,
}


@dataclass(frozen=True, slots=True)
class Given:
    """A slot as it stands, the same as its newest grant wrote it, and of that the categories and the research terms;
    None if this key cannot read them."""

    record: GrantRecord
    last: GrantRecord
    categories: tuple[str, ...]
    research: tuple[str, ...] | None

    @property
    def grant(self) -> Grant:
        return self.last.grant


class Exports:
    """Makes FHIR's resources of what this key can see of a twin."""

    def __init__(self, context: Context, consents: Consents, snapshots: Snapshots, models: Models) -> None:
        self._context = context
        self._consents = consents
        self._snapshots = snapshots
        self._models = models

    def given(self, twin: int) -> Iterator[Given]:
        """Every grant that the present owner ever gave and that let somebody see something."""
        for record in self._consents.records(twin):
            last = self._consents.last_given(record.slot)
            if last is not None:
                categories = self._consents.names_of(record.slot, last.grant.categories)
                yield Given(record, last, categories, self._research(last))

    def _research(self, last: GrantRecord) -> tuple[str, ...] | None:
        try:
            return research_of(self._context, last)
        except (AccessDeniedError, IntegrityError, UnreachableError):
            return None

    def consents(
        self, twin: int, names: Names, profile: str | None = None
    ) -> Iterator[tuple[Given, dict[str, Any] | None, list[Loss]]]:
        """Each grant as a Consent, and what is lost; None for one that no Consent can say."""
        view = self._context.view()
        for given in self.given(twin):
            standing = _STANDING[self._consents.state(given.record, view)]
            try:
                made, losses = consent_of(
                    given.record,
                    given.grant,
                    given.categories,
                    names,
                    standing=standing,
                    profile=profile,
                    research=given.research,
                )
            except InputError as error:
                yield given, None, [Loss("Consent", f"{error.message[:1].lower()}{error.message[1:].rstrip('.')}")]
            else:
                yield given, made, losses

    def access(self, access: Access, names: Names) -> Iterator[dict[str, Any]]:
        """What every custodian's receipts say, as AuditEvents, oldest first."""
        receipts = [each for told in access.lists.values() for each in told]
        for each in sorted(receipts, key=lambda one: (one.at, one.custodian, one.number)):
            yield from self._events(each, names)

    def _events(self, receipt: AccessReceipt, names: Names) -> Iterator[dict[str, Any]]:
        view = self._context.view().earlier(receipt.block)
        owner = view.owner(receipt.twin) or names.deployment.contracts["TwinRegistry"]
        member = view.member(receipt.requester)
        record = view.record(Slot(owner, receipt.twin, receipt.grantee, receipt.slot))
        yield from audit_events(receipt, names, owner, member.organisation if member else None, record)

    def provenance(self, twin: int, names: Names) -> Iterator[dict[str, Any]]:
        """Where each snapshot comes from that this key can name."""
        view = self._context.view()
        for group in self._snapshots.list(twin):
            for each in group:
                manifest, batch = each.found.manifest, each.found.batch
                owner = view.earlier(batch.block).owner(twin)
                yield of_snapshot(
                    Anchored(
                        each.found.digest,
                        twin,
                        each.category,
                        manifest.period,
                        each.found.writer,
                        each.found.writer == owner,
                        batch.at,
                        batch.block,
                        manifest.corrects,
                    ),
                    names,
                )

    def uses(self, twin: int, names: Names) -> Iterator[dict[str, Any]]:
        """The rounds of models that were trained on the twin. Raises as `Models.used`."""
        view = self._context.view()
        seen: set[tuple[int, int]] = set()
        for use in self._models.used(twin).found:
            place = (use.update.model, use.update.round)
            number = view.round(*place)
            if place not in seen and number is not None:
                seen.add(place)
                updates = view.updates(*place)
                yield of_round(use.model.model, use.model.name, number, updates, use.aggregate, names)
