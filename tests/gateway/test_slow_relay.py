"""A relay that sends its answer one byte after another keeps no patient from revoking: the next one brings it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

from dtledger._backend.http_relay import HttpRelay
from tests.custodian_service.test_faulty import Talk, talker
from tests.gateway.carrying import Bench

__all__ = ["talker"]


def dripping(connection: socket.socket, over: threading.Event) -> None:
    """It could go on for a day, and ends after some bytes so that the test does."""
    for byte in b"HTTP/1.1 200 OK\r\nx: " + b"x" * 40:
        connection.sendall(bytes([byte]))
        if over.wait(0.05):
            return


def test_a_relay_that_goes_on_sending_bytes_is_passed_over(
    bench: Bench,
    talker: Callable[[Talk], str],
) -> None:
    lame, good = HttpRelay(talker(dripping), timeout=0.3), bench.relays[0]
    bench.carrier._relays = [lame, good]
    bench.consents.revoke(bench.world.consent)
    assert bench.carrier.passed_over == [(lame.name, f"The relay at {lame.name} did not answer in time.")]
    slot = bench.world.consent
    assert not bench.world.ledger.view().grant(slot.owner, slot.twin, slot.grantee, slot.number).given
