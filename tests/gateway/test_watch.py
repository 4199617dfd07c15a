"""What Prometheus reads of a gateway's disk and node."""

from __future__ import annotations

from dtledger.testing import World
from tests.deploy.exported import families, of_a_custodian, of_a_gateway
from tests.deploy.test_operations import PAGE

from .conftest import Served


def numbers(served: Served) -> dict[str, float]:
    """Metrics without labels, without what they all begin with."""
    lines = served.session.get(f"{served.url}/metrics", timeout=30).text.splitlines()
    pairs = [line.split(" ") for line in lines if line.startswith("dtledger_gateway_") and "{" not in line]
    return {name.removeprefix("dtledger_gateway_"): float(value) for name, value in pairs}


def test_the_age_of_the_head_is_told_and_left_out_while_the_node_does_not_answer(served: Served) -> None:
    ledger = served.world.ledger
    age = served.world.clock.at - ledger.head().at
    assert numbers(served)["head_age_seconds"] == age
    served.world.clock.advance(600)
    assert numbers(served)["head_age_seconds"] == age + 600
    ledger.unreachable = True
    assert "head_age_seconds" not in numbers(served)
    ledger.unreachable = False
    assert numbers(served)["head_age_seconds"] == age + 600


def test_the_room_on_its_disk_is_told(served: Served) -> None:
    free = served.gateway.queue.free_bytes()
    assert abs(numbers(served)["disk_free_bytes"] - free) < 2**30


def test_every_metric_is_on_the_page() -> None:
    """By its own name, or by the custodian's of the same one."""
    with World() as world:
        shared = {each.replace("custodian", "gateway") for each in families(of_a_custodian(world))}
    told = {each for each in families(of_a_gateway()) - shared if f"`{each}`" not in PAGE}
    assert told == set()
