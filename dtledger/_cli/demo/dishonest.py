"""A site that counts whom it must not: it makes by hand the plan that `Training.plan` would refuse."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import replace

from ...client import Client, Plan
from ...ledger import Model, Receipt
from ...models.opening import Opening, Shown
from ...models.update import Trained, UpdateRecord


class Dishonest:
    """One update of a site, and what it shows of it."""

    def __init__(self, site: Client, model: Model) -> None:
        self.site = site
        self._plan: Plan = site.training.plan(model)
        self._record: UpdateRecord | None = None

    def with_a_stranger(self, twin: int) -> Dishonest:
        """Count a twin too whose owner gave no consent."""
        bits = self._plan.shown[0].bits
        return self._with(Shown(Trained(twin, self.site.address, 0), secrets.token_bytes(32), bits))

    def with_one_twice(self) -> Dishonest:
        """Count the first twin again, behind a leaf of its own."""
        return self._with(replace(self._plan.shown[0], link=secrets.token_bytes(32)))

    def _with(self, shown: Shown) -> Dishonest:
        self._plan = replace(self._plan, shown=(*self._plan.shown, shown))
        return self

    def commit(self, update: Iterable[bytes], epsilon: int) -> Receipt:
        self._record, receipt = self.site.training.commit_to(self._plan, update, epsilon)
        return receipt

    def opening(self) -> Opening:
        """What it shows an auditor: the truth, for a made-up story would not have the leaves."""
        assert self._record is not None, "there is nothing to open before it has committed"
        salt = self.site.training.notes(self._record).salt
        return Opening(self._record.model, self._record.round, self.site.address, salt, self._plan.shown)
