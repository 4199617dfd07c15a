"""A gateway keeps its twins' vital signs in step: each reading passes filter and gate once, and is anchored marked."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from dtledger.client import Terms, writing_terms
from dtledger.gateway.ingest import Several
from dtledger.gateway.pump import Pump
from dtledger.gateway.queue import Measured
from dtledger.gateway.taking import TOO_LATE
from dtledger.gateway.vital_moments import TAKEN
from dtledger.gateway.vital_signs import TWIN_STATE, VitalSigns
from dtledger.readings import DIASTOLIC, MEAN, PULSE, SYSTOLIC, Reading
from dtledger.twin import batch, vitals_gate
from dtledger.twin.factors import Array
from dtledger.twin.snapshot import VITALS, decode_state
from dtledger.twin.vitals import CHANNELS
from dtledger.twin.vitals_gate import HEART, Thresholds
from dtledger.types import Period
from dtledger.vocabulary import Action, Purpose, Reason
from tests.gateway.conftest import DAY, PACE, Site, serving
from tests.gateway.living import HOUR, Living, let_forecast, living, opened
from tests.twin.test_vitals_gate import shown

WORDS = {
    "heart-rate": ("heart-rate", "/min", ""),
    "pulse": ("heart-rate", "/min", PULSE),
    "respiration": ("respiration", "/min", ""),
    "spo2": ("spo2", "%", ""),
    "systolic": ("blood-pressure", "mm[Hg]", SYSTOLIC),
    "diastolic": ("blood-pressure", "mm[Hg]", DIASTOLIC),
}


@dataclass
class Ward:
    """A site whose twin lies at a monitor."""

    alive: Living
    vital_signs: VitalSigns
    pump: Pump

    @property
    def at(self) -> int:
        return self.alive.world.clock.at

    def start_again(self) -> Ward:
        return at_a_monitor(self.alive.site)

    def put(self, category: str, readings: Sequence[Reading]) -> None:
        self.alive.put(readings, category)

    def monitor(self, signs: Array) -> int:
        """What a monitor says a minute apart, in the hours that follow, which pass; when it began."""
        start = self.at - self.at % 60 + 60
        for place, channel in enumerate(CHANNELS):
            category, unit, word = WORDS[channel]
            rows = [(start + 60 * row, float(value)) for row, value in enumerate(signs[:, place]) if value > 0]
            self.put(category, [Reading(at, value, unit, 60, word) for at, value in rows])
        self.alive.world.clock.advance(-(-len(signs) // 60) * HOUR + HOUR)
        return start

    def anchor(self) -> None:
        while self.pump.step():
            pass

    def marks(self, start: int) -> dict[tuple[int, str], tuple[str, str]]:
        """Of each reading since, by its minute and channel: the verdict and why."""
        found = {}
        for channel, (category, _, word) in WORDS.items():
            for each in self.alive.world.patient.read(self.alive.world.twin, category, "PATRQT", since=start):
                words = each.quality.split()
                if (word in words) if word else (PULSE not in words):
                    verdict = " ".join({*words} & {"suspect", "unverified"})
                    found[(int(each.at.timestamp()) - start) // 60, channel] = verdict, each.why
        return found

    def memory(self) -> vitals_gate.Memory:
        return self.vital_signs._book.of([self.alive.world.twin])[1]


def at_a_monitor(site: Site) -> Ward:
    alive, vital_signs = living(site), VitalSigns(site.queue)
    gateway = site.world.gateway
    every = Several(alive.twins, vital_signs)
    pump = Pump(gateway.context, gateway.writer, site.queue, PACE, every, dice=lambda: 1.0)
    return Ward(alive, vital_signs, pump)


def let_write(site: Site, *categories: str) -> None:
    world = site.world
    terms = writing_terms([*TAKEN, *categories], world.clock.at, 30 * DAY, back_to=world.readings[0].minute)
    world.patient.consents.grant(world.twin, world.gateway.address, terms)


@pytest.fixture
def ward(site: Site) -> Ward:
    let_forecast(site)
    let_write(site, TWIN_STATE)
    site.queue._limits = replace(site.queue._limits, bytes=2**26)
    return at_a_monitor(site)


def judged(signs: Array, start: int) -> dict[tuple[int, str], tuple[str, str]]:
    """What the filter and the gate by themselves say of a monitor's rows."""
    memory, found = vitals_gate.start(1), {}
    for row, values in enumerate(signs):
        each = vitals_gate.take(Thresholds(), memory, np.full(1, start / 60 + row), values[:, None])
        memory = each.memory
        reasons = dict(reason.split(": ") for reason in each.reasons(0))
        for place, channel in enumerate(CHANNELS):
            if values[place] > 0:
                why = f"{channel}: {reasons[channel]}" if channel in reasons else ""
                found[row, channel] = "suspect" if why else "", why
    return found


def disagreeing(minutes: int = 60) -> Array:
    """Signs of which the electrocardiogram's heart rate is false from the 40th minute on."""
    signs = shown(minutes)
    signs[40:, HEART] += 25
    return signs


class TestASign:
    def test_that_is_false_is_anchored_and_marked_with_the_reason(self, ward: Ward) -> None:
        signs = disagreeing()
        start = ward.monitor(signs)
        ward.anchor()
        found = ward.marks(start)
        assert found == judged(signs, start)
        assert ("suspect", "heart-rate: disagreement") in found.values()
        assert {verdict for (_, channel), (verdict, _) in found.items() if channel != "heart-rate"} == {""}
        assert ward.vital_signs.doubtful == sum(verdict == "suspect" for verdict, _ in found.values())
        assert not ward.alive.site.queue.totals().rows

    def test_is_judged_by_what_the_hours_before_taught(self, ward: Ward) -> None:
        signs = disagreeing(120)
        start = ward.monitor(signs[:60])
        ward.anchor()
        ward.alive.world.clock.at = start + 3600 - 60
        assert ward.monitor(signs[60:]) == start + 3600
        ward.anchor()
        assert ward.marks(start) == judged(signs, start)

    def test_of_one_minute_is_judged_with_the_others_whichever_is_due_first(self, ward: Ward) -> None:
        start = ward.at - ward.at % 60
        first, second = (
            [Reading(start + 60 * each, value, "/min", 60, word) for each in range(5)]
            for value, word in ((80.0, ""), (16.0, ""))
        )
        ward.put("heart-rate", first)
        ward.alive.world.clock.advance(PACE.batch_seconds - 10)
        ward.put("respiration", second)
        ward.alive.world.clock.advance(10)
        assert ward.pump.step() == 5, "breathing is not due"
        ward.alive.world.clock.advance(HOUR)
        ward.anchor()
        assert {verdict for verdict, _ in ward.marks(start).values()} == {""}

    def test_of_before_the_newest_is_kept_and_judged_by_nobody(self, ward: Ward) -> None:
        start = ward.monitor(shown(30))
        ward.anchor()
        before = ward.memory()
        ward.put("heart-rate", [Reading(start + 90, 81.0, "/min", 60)])
        ward.alive.world.clock.advance(HOUR)
        ward.anchor()
        late = [each for each in ward.marks(start).values() if each[0] == "unverified"]
        assert late == [("unverified", TOO_LATE)]
        assert (batch.pack(ward.memory()) == batch.pack(before)).tolist()

    def test_that_the_filter_does_not_know_passes_as_it_came(self, ward: Ward) -> None:
        at = ward.at
        ward.put("blood-pressure", [Reading(at, 30.0, "mm[Hg]", 60, MEAN), Reading(at, 300.0, "mm[Hg]", 60)])
        ward.alive.world.clock.advance(2 * HOUR)
        ward.anchor()
        found = ward.alive.world.patient.read(ward.alive.world.twin, "blood-pressure", "PATRQT", since=at)
        assert sorted((each.value, each.quality) for each in found) == [(30.0, MEAN), (300.0, "")]

    def test_alarms_nobody_and_keeps_no_low_of_glucose_still(self, ward: Ward) -> None:
        rung: list[bool] = []
        ward.alive.twins.alarms.heard.append(rung.append)
        every = ward.pump._twins
        every.hear([Measured(ward.alive.world.twin, "heart-rate", Reading(ward.at, 31.0, "/min", 60))])
        assert rung == []
        every.hear([Measured(ward.alive.world.twin, "glucose", Reading(ward.at, 50.0, "mg/dL", 60))])
        assert rung == [] or rung == [False]
        low = Measured(ward.alive.world.twin, "glucose", Reading(ward.at, 50.0, "mg/dL", 60))
        ward.alive.site.queue.put([low])
        every.hear([low])
        assert rung == [False]


class TestAState:
    def test_is_told_with_each_batch_as_the_twin_knows_it(self, ward: Ward) -> None:
        start = ward.monitor(disagreeing())
        ward.anchor()
        told = [decode_state(each, VITALS) for each in opened(ward.alive, ward.alive.world.twin, TWIN_STATE)]
        assert told[-1].at == start + 59 * 60
        assert (batch.pack(told[-1].memory) == batch.pack(ward.memory().twin)).all()
        assert told[-1].flags == ("suspect", "heart-rate: disagreement")

    def test_that_may_not_be_written_is_said_and_stops_nothing(self, site: Site) -> None:
        let_write(site)
        ward = at_a_monitor(site)
        signs = shown(20)
        start = ward.monitor(signs)
        ward.anchor()
        assert ward.vital_signs.refused == {site.world.twin: Reason.CATEGORY}
        assert len(ward.marks(start)) == (signs > 0).sum()
        let_write(site, TWIN_STATE)
        ward.monitor(shown(5))
        ward.anchor()
        assert ward.vital_signs.refused == {}

    def test_ends_with_the_right_to_write(self, ward: Ward) -> None:
        ward.monitor(shown(20))
        ward.anchor()
        ward.alive.world.patient.consents.revoke_all(ward.alive.world.twin)
        ward.monitor(shown(5))
        ward.anchor()
        assert ward.memory().at[0] > 0
        ward.alive.world.clock.advance(2 * HOUR)
        ward.anchor()
        assert ward.memory().at[0] < 0


class Killed(BaseException):
    pass


DEATHS: dict[str, Callable[[Ward], tuple[object, str]]] = {
    "before the states are kept": lambda ward: (ward.alive.site.queue.vital_signs, "take"),
    "before the batch is stored": lambda ward: (ward.alive.world.store, "put_many"),
    "before the anchor": lambda ward: (ward.alive.world.ledger, "send"),
    "before the states are settled": lambda ward: (ward.vital_signs, "settle"),
    "before the readings are forgotten": lambda ward: (ward.alive.site.queue, "drop"),
}


@pytest.mark.parametrize("where", DEATHS)
def test_killed_anywhere_its_signs_are_as_if_it_had_lived(
    ward: Ward, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> None:
        raise Killed

    signs = disagreeing()
    start = ward.monitor(signs)
    with monkeypatch.context() as killing:
        killing.setattr(*DEATHS[where](ward), die)
        with pytest.raises(Killed):
            ward.anchor()
    again = ward.start_again()
    again.anchor()
    assert again.marks(start) == judged(signs, start)
    told = opened(again.alive, again.alive.world.twin, TWIN_STATE)
    assert len({*told}) == len(told)
    assert not again.alive.site.queue.totals().rows


@pytest.mark.real_data
def test_of_an_intensive_care_patient_the_gateway_marks_what_the_gate_marks(ward: Ward) -> None:
    """The second half of MIMIC's s00001, of which the ECG's heart rate is 20 too high in its last hour."""
    from scripts.evaluation.vitals_verb import recording

    record = Path(os.environ["DTLEDGER_DATA"]) / "vitals/multi-segment/s00001/s00001-2896-10-10-00-31n"
    _, signs = recording(str(record))
    signs = signs[len(signs) // 2 :]
    signs[-60:, HEART] += np.where(signs[-60:, HEART] > 0, 20, 0)
    start = ward.monitor(signs)
    ward.anchor()
    found = ward.marks(start)
    assert found == judged(signs, start)
    assert len(found) == (signs > 0).sum(), "no zero became a reading"
    assert sum(verdict == "suspect" for verdict, _ in found.values()) > 30


def test_they_pass_their_gate_from_a_hub_s_post_to_a_clinician(tmp_path: Path) -> None:
    """Posted, anchored, and read by a clinician: what cannot be is marked and says why."""
    with serving(tmp_path) as served:
        world, now = served.world, served.world.clock.at
        terms = writing_terms(["heart-rate"], now, 86_400, back_to=world.readings[0].minute)
        world.patient.consents.grant(world.twin, world.gateway.address, terms)
        data = Period((now - 3600) // 60, (now + 86_400) // 60)
        seen = Terms(("heart-rate",), (Purpose.TREAT,), (Action.READ,), now, now + 86_400, data)
        world.patient.consents.grant(world.twin, world.clinician.address, seen)
        times = [datetime.fromtimestamp(now - 60 * each, UTC).isoformat() for each in range(50)][::-1]
        ecg = [[at, 80 + place % 3 + (30 if place >= 30 else 0)] for place, at in enumerate(times)]
        pulse = [[at, 80 + place % 3] for place, at in enumerate(times)]
        post = {"twin": world.twin, "category": "heart-rate", "unit": "/min"}
        assert served.post("/v1/readings", {**post, "readings": ecg}).status_code == 202
        assert served.post("/v1/readings", {**post, "readings": pulse, "quality": "pulse"}).status_code == 202
        world.clock.advance(2 * 3600)
        while served.gateway.pump.step():
            pass
        found = world.clinician.read(world.twin, "heart-rate", "TREAT")
        assert {each.why for each in found if each.quality == "suspect"} == {"heart-rate: disagreement"}
        assert {each.quality for each in found} == {"", "suspect", "pulse"}
        status = served.session.get(f"{served.url}/v1/status", timeout=30).json()
        assert status["doubtful"] >= sum(each.doubtful for each in found) > 0
