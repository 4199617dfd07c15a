"""A device and its gateway over a wire that loses, repeats and reorders, both restarted at any time: each reading that
was acknowledged is there once, and nothing else is."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dtledger.device.batch import Code
from dtledger.testing import World
from tests.device.conftest import DAY, Ward
from tests.device.signing import next_of

pytestmark = pytest.mark.slow

_WORLD: list[World] = []


def world() -> World:
    """One for all runs: it takes a tenth of a second to begin."""
    if not _WORLD:
        from dtledger.client import writing_terms

        made = World(hours=1)
        now = made.clock.at
        terms = writing_terms(["glucose"], now, 4000 * DAY, back_to=now // 60 - 60 * 1440)
        made.patient.consents.grant(made.twin, made.gateway.address, terms)
        _WORLD.append(made)
    return _WORLD[0]


class DeviceAndGateway(RuleBasedStateMachine):
    """`measured` is what the device signed and was told is taken; `sent` is every message there ever was."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.ward = Ward(world(), self.folder)
        self.device = self.ward.enrolled()
        self.taken: dict[int, int] = {}
        self.under_way: dict[int, int] = {}
        self.sent: list[bytes] = []
        self.time = self.ward.world.clock.at

    def teardown(self) -> None:
        if hasattr(self, "ward"):
            self.device.close()
            self.ward.close()
            shutil.rmtree(self.folder)

    @precondition(lambda self: not self.device.pending)
    @rule(count=st.integers(1, 5), step=st.integers(1, 400), number=st.integers(40, 90))
    def measure(self, count: int, step: int, number: int) -> None:
        """The device signs what it measured since."""
        self.under_way = {self.time + step * (each + 1): number + each for each in range(count)}
        self.time = max(self.under_way)
        self.ward.world.clock.at = max(self.ward.world.clock.at, self.time)
        rows = [(0, at, value) for at, value in self.under_way.items()]
        self.sent.append(self.device.sign(rows, self.time))

    @precondition(lambda self: self.device.pending)
    @rule(heard=st.booleans())
    def send(self, heard: bool) -> None:
        """The batch under way reaches the gateway; its answer reaches the device, or is lost."""
        code, answer, _ = self.ward.batches.take(self.device.pending)
        assert code in (Code.TAKEN, Code.HELD)
        if heard:
            self.device.hear(answer)
            self.taken |= self.under_way

    @precondition(lambda self: self.sent)
    @rule(which=st.integers(0, 2**16))
    def repeat(self, which: int) -> None:
        """Any message there ever was arrives once more, whoever sent it."""
        message = self.sent[which % len(self.sent)]
        code = self.ward.take(message)
        newest = message == self.sent[-1]
        assert code in ((Code.TAKEN, Code.HELD) if newest else (Code.REPLAYED, Code.HELD))
        assert newest or code is Code.REPLAYED or message == self.sent[-2]

    @rule(
        number=st.integers(-2, 3),
        previous=st.binary(min_size=32, max_size=32) | st.none(),
        seed=st.binary(min_size=32, max_size=32) | st.none(),
    )
    def attack(self, number: int, previous: bytes | None, seed: bytes | None) -> None:
        """Whoever has not the key, or the chain, gets nothing in."""
        named = max(self.device.number + number, 1)
        if seed is None and previous is None and named == self.device.number + 1:
            return  # the device's own next batch: no attack
        other, honest = {"number": named, "previous": previous or self.device.head}, self.device._seed
        self.device._seed = seed or honest
        try:
            message = next_of(self.device, self.time, [[0, 0, 0, [99]]], **other)
        finally:
            self.device._seed = honest
        assert self.ward.take(message).refuses

    @rule()
    def device_crashes(self) -> None:
        self.device = self.ward.again(self.device)

    @rule()
    def gateway_crashes(self) -> None:
        self.ward.restart()

    @invariant()
    def what_was_acknowledged_is_there_once_and_nothing_else(self) -> None:
        if not hasattr(self, "ward"):
            return
        found = {each.seconds: round(each.value * 10) for each in self.ward.readings()}
        assert len(found) == len(self.ward.readings())
        assert self.taken.items() <= found.items()
        assert found.items() <= (self.taken | self.under_way).items()

    @invariant()
    def the_chain_of_the_gateway_is_the_device_s_or_one_ahead(self) -> None:
        if not hasattr(self, "ward"):
            return
        known = self.ward.devices.find(bytes.fromhex(self.device.name))
        assert known is not None
        assert known.chain.number - self.device.number in ((0, 1) if self.device.pending else (0,))


def test_whatever_is_lost_repeated_or_ended_nothing_acknowledged_is() -> None:
    run_state_machine_as_test(DeviceAndGateway, settings=settings(max_examples=40, stateful_step_count=25))
