"""What the services' metrics are called, and with which labels: asked of the real objects."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from dtledger.gateway.service import Gateway, make_service
from dtledger.service.custodian.endpoints import custodian_router
from dtledger.service.custodian.state import State
from dtledger.service.custodian.watch import Watch
from dtledger.service.metrics import Metrics
from dtledger.testing import World
from dtledger.vocabulary import Reason

OF_THE_NODE = {"dtledger_custodian_head_age_seconds", "dtledger_custodian_heartbeats_left"}
"""Those that a custodian in memory has no node for."""


def of_a_custodian(world: World) -> str:
    """What `GET /metrics` of a custodian says that has counted each thing once."""
    custodian: Any = world.custodians[0]
    custodian.decided = Counter([Reason.LIMIT])
    custodian.turned_away = Counter(["frozen"])
    custodian.limits_passed = Counter(["snapshots_a_day"])
    metrics = Metrics("custodian")
    receipts, twin_keys = SimpleNamespace(count=0), Path(__file__)
    state = SimpleNamespace(custodian=custodian, ledger=None, receipts=receipts, twin_keys=twin_keys)
    watch = Watch(cast(State, state), metrics, world.clock, 1)
    watch._of_the_node = lambda: iter(())  # type: ignore[method-assign]
    metrics.certificate_ends(world.clock.at)
    metrics.count("/v1/open", 200, 0.1)
    return metrics.text().decode()


def of_a_gateway() -> str:
    heard: list[Any] = []
    metrics = _gateway(heard).metrics
    metrics.count("/v1/readings", 202, 0.1)
    metrics.certificate_ends(0)
    for each in heard:
        each(False)
    return metrics.text().decode()


def endpoints() -> set[str]:
    """What the label `endpoint` can be."""
    routes = [*custodian_router(cast(Any, None)).routes, *_gateway().router.routes]
    return {cast(Any, each).path for each in routes} | {"/healthz", "/readyz", "/metrics"}


def names(text: str) -> set[str]:
    """The names of the series in an answer of `GET /metrics`."""
    return set(re.findall(r"^(\w+)(?:\{| )", text, re.MULTILINE))


def families(text: str) -> set[str]:
    """The names of its metrics, a histogram's once; without what a client library adds."""
    found = re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE)
    return {each for each in found if not each.endswith(("_created", "_build"))}


def _gateway(heard: list[Any] | None = None) -> Any:
    load = SimpleNamespace(waiting=0, in_flight=0, transactions=0, oldest=None)
    relayed = SimpleNamespace(load=lambda: load)
    rows = SimpleNamespace(rows=0, letters=0)
    queue = SimpleNamespace(totals=lambda: rows, free_bytes=lambda: 0, relayed=relayed)
    told = SimpleNamespace(failures=0, anchored=0)
    devices = {"devices": None, "batches": SimpleNamespace(taken=0), "refusals": SimpleNamespace(totals=dict)}
    fresh = SimpleNamespace(ages=lambda _: [])
    heard = [] if heard is None else heard
    alarms = SimpleNamespace(heard=heard)
    carriage = SimpleNamespace(landed=0, lost=0, failures=0)
    relay = {"relay_pump": SimpleNamespace(told=carriage, bumps=0, heard=heard), "relay": None}
    twins = SimpleNamespace(alarms=alarms, doubtful=0, refused={})
    vital_signs = SimpleNamespace(doubtful=0, refused={})
    pump = SimpleNamespace(told=told, freshness=fresh)
    ledger = SimpleNamespace(head=lambda: SimpleNamespace(at=0))
    kept = {"twins": twins, "vital_signs": vital_signs, "sweeper": SimpleNamespace(blocks=0)}
    of_gateway = {"clock": lambda: 0, "ledger": ledger, **kept}
    parts = {
        "queue": queue,
        "pump": pump,
        "checks": list,
        "start": None,
        "stop": None,
        **devices,
        **of_gateway,
        **relay,
    }
    return make_service(cast(Gateway, SimpleNamespace(**parts)))
