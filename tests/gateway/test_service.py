"""A gateway over HTTP: what it takes is on its disk, what it refuses it says why, and its log tells nothing."""

from __future__ import annotations

import json
import logging
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from dtledger._backend.call_codec import encode_call
from dtledger._backend.http_relay import HttpRelay
from dtledger.client.signing import sign
from dtledger.errors import DtledgerError, UnreachableError
from dtledger.gateway import relay_endpoints
from dtledger.ledger import calls, messages
from dtledger.testing.memory_key import MemoryKey
from tests.gateway.conftest import Served


class TestReadings:
    def test_are_on_the_disk_when_they_are_accepted(self, served: Served) -> None:
        before, post = served.waiting(), {**served.readings(), "id": "post-1"}
        first, again = served.post("/v1/readings", post), served.post("/v1/readings", post)
        assert (first.status_code, first.json()) == (202, {"kept": 3, "known": 0})
        assert (again.status_code, again.json()) == (202, {"kept": 0, "known": 3})
        assert served.waiting() == before + 3
        other = served.post("/v1/readings", {**served.readings(2), "id": "post-1"})
        assert (other.status_code, other.json()["error"]) == (400, "InputError")

    def test_are_anchored_with_their_unit_and_read(self, served: Served) -> None:
        post = served.readings(2)
        post["unit"], post["readings"] = "mg/dL", [[at, 97 + place] for place, (at, _) in enumerate(post["readings"])]
        assert served.post("/v1/readings", post).status_code == 202
        served.world.clock.advance(3600)
        while served.gateway.pump.step():
            pass
        found = served.world.patient.read(served.world.twin, "glucose", "PATRQT")
        assert {(each.value, each.unit) for each in found} >= {(97.0, "mg/dL"), (98.0, "mg/dL")}
        assert served.waiting() == 0

    @pytest.mark.parametrize("token", [None, "", "another", "narrow"])
    def test_are_taken_from_known_senders_for_their_twins(self, served: Served, token: str | None) -> None:
        before = served.waiting()
        assert served.post("/v1/readings", served.readings(), token).status_code == 403
        assert served.waiting() == before

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"twin": True}, "twin must be"),
            ({"twin": -1}, "twin must be"),
            ({"twin": 2**70}, "twin must be"),
            ({"category": "gluco"}, "category is none"),
            ({"category": 7}, "must be texts"),
            ({"unit": "kg"}, "unit is none"),
            ({"id": ""}, "id must be"),
            ({"id": 7}, "id must be"),
            ({"readings": []}, "readings must be"),
            ({"readings": {}}, "readings must be"),
            ({"readings": [["2026-01-01T11:00:00Z"]]}, "readings[0] is not"),
            ({"readings": [["2026-01-01T11:00:00Z", "5"]]}, "readings[0] is not"),
            ({"readings": [["2026-01-01T11:00:00Z", True]]}, "readings[0] is not"),
            ({"readings": [["2026-01-01T11:00:00", 5]]}, "readings[0] has no time"),
            ({"readings": [["2026-13-01T11:00:00Z", 5]]}, "readings[0] has a time or a value"),
            ({"readings": [["2026-01-01T11:00:00Z", float("nan")]]}, "readings[0] has a time or a value"),
            ({"readings": [["2026-01-01T11:00:00Z", 10**400]]}, "readings[0] has a time or a value"),
            ({"readings": [["2026-01-01T11:00:00Z", 999]]}, "readings[0] is not within"),
            ({"readings": [["2036-01-01T11:00:00Z", 5]]}, "readings[0] is of a time to come"),
            ({"readings": [["1970-01-01T00:00:12Z", 5]]}, "readings[0] is of 1970"),
            ({"more": 1}, "A post is an object"),
        ],
        ids=str,
    )
    def test_that_are_none_are_refused_with_the_place(self, served: Served, wrong: dict[str, Any], said: str) -> None:
        before = served.waiting()
        answer = served.post("/v1/readings", {**served.readings(), **wrong})
        assert answer.status_code == 400
        assert said in answer.json()["text"]
        assert served.waiting() == before

    def test_are_such_as_the_page_of_the_interface_shows(self, served: Served) -> None:
        page = served.session.get(f"{served.url}/openapi.json", timeout=30).json()
        post = page["paths"]["/v1/readings"]["post"]["requestBody"]["content"]["application/json"]["example"]
        rows = served.readings(len(post["readings"]))["readings"]
        assert [list(map(type, row)) for row in rows] == [list(map(type, row)) for row in post["readings"]]
        assert served.post("/v1/readings", {**post, "twin": served.world.twin, "readings": rows}).status_code == 202

    def test_of_a_clock_that_was_never_set_are_refused(self, served: Served) -> None:
        post = served.readings(2)
        post["readings"][1][0] = "1970-12-31T23:59:59Z"
        assert "1970" in served.post("/v1/readings", post).json()["text"]
        del post["readings"][1]
        assert served.post("/v1/readings", post).status_code == 202

    def test_one_that_cannot_be_refuses_the_post(self, served: Served) -> None:
        before, post = served.waiting(), served.readings(3)
        post["readings"][2][1] = 999
        assert served.post("/v1/readings", post).status_code == 400
        assert served.waiting() == before

    def test_of_a_twin_that_the_gateway_may_not_write_to_are_refused(self, served: Served) -> None:
        for wrong in ({"twin": 4711}, {"category": "heart-rate", "unit": "/min"}):
            post = {**served.readings(1), **wrong}
            post["readings"] = [[post["readings"][0][0], 70 if "unit" in wrong else 5]]
            assert served.post("/v1/readings", post).status_code == 403

    def test_are_taken_while_the_ledger_is_away(self, served: Served) -> None:
        served.world.clock.advance(120)
        served.world.ledger.unreachable = True
        try:
            assert served.post("/v1/readings", served.readings(1)).status_code == 202
        finally:
            served.world.ledger.unreachable = False

    def test_wait_outside_when_there_is_no_room(self, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        served.world.clock.advance(600)
        with monkeypatch.context() as full:
            full.setattr(served.gateway.queue, "_limits", type(served.gateway.queue._limits)(0, 0))
            answer = served.post("/v1/readings", served.readings(1))
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            full.setattr(served.gateway.queue, "_free", lambda _: -1)
            answer = served.post("/v1/readings", served.readings(1))
            assert (answer.status_code, answer.headers["retry-after"]) == (507, "1")
            ready = served.session.get(f"{served.url}/readyz", timeout=30)
            assert ready.status_code == 503
        assert served.post("/v1/readings", served.readings(1)).status_code == 202


def still_waiting(patch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Released by each who begins to wait."""
    waiting, settles = threading.Semaphore(0), relay_endpoints._settles

    async def told(future: Any) -> bool:
        waiting.release()
        return await settles(future)

    patch.setattr(relay_endpoints, "_settles", told)
    return waiting


class TestRelaying:
    def test_a_signed_call_lands(self, served: Served) -> None:
        patient = served.world.patient
        signed = sign(patient.context, calls.block_grantee(served.world.twin, served.world.hospital.address))
        assert signed is not None
        transaction = HttpRelay(served.url).send(signed.call)
        assert len(transaction) == 66
        assert served.world.ledger.view().blocked(served.world.twin, served.world.hospital.address)
        assert HttpRelay(served.url).send(signed.call) == transaction, "it is not carried again"

    def test_whoever_does_not_wait_asks_what_became_of_it(self, served: Served) -> None:
        call = sign(served.world.patient.context, calls.block_grantee(served.world.twin, MemoryKey("late").address))
        assert call is not None
        body = json.dumps({"contract": call.call.contract, "data": encode_call(call.call).hex()})
        answer = served.session.post(
            f"{served.url}/v1/relay", data=body, headers={"prefer": "respond-async"}, timeout=30
        )
        assert (answer.status_code, answer.headers["location"]) == (202, f"/v1/relay/{answer.json()['id']}")
        served.gateway.relay_pump.watch(bytes.fromhex(answer.json()["id"][2:])).result(30)  # type: ignore[arg-type]
        found = served.session.get(served.url + answer.headers["location"], timeout=30).json()
        assert (found["state"], found["block"]) == ("landed", served.world.ledger.head().number)
        assert served.session.get(f"{served.url}/v1/relay/0x{'00' * 32}", timeout=30).status_code == 404

    def test_many_at_once_are_each_taken_or_refused(self, served: Served) -> None:
        patient, twin, whom = served.world.patient, served.world.twin, MemoryKey("one of many").address
        good = sign(patient.context, calls.block_grantee(twin, whom))
        assert good is not None
        rows = [[good.call.contract, encode_call(good.call).hex()], ["ConsentRegistry", "0x01020304"]]
        answer = served.post("/v1/relay/many", rows)
        taken, refused = answer.json()
        assert (answer.status_code, taken["status"], refused["status"]) == (202, 202, 400)
        served.gateway.relay_pump.watch(bytes.fromhex(taken["id"][2:])).result(30)  # type: ignore[arg-type]
        assert served.world.ledger.view().blocked(twin, whom)

    def test_its_status_and_metrics_say_how_it_stands(self, served: Served) -> None:
        forged = sign(served.world.clinician.context, calls.block_grantee(served.world.twin, MemoryKey("x").address))
        true = sign(served.world.patient.context, calls.block_grantee(served.world.twin, MemoryKey("x").address))
        assert forged is not None
        assert true is not None
        with pytest.raises(DtledgerError, match="signature is not"):
            HttpRelay(served.url).send(forged.call)
        HttpRelay(served.url).send(true.call)
        found = served.session.get(f"{served.url}/v1/status", timeout=30).json()["relay"]
        assert (found["waiting"], found["in_flight"], found["accounts"]) == (0, 0, [served.world.gateway.address])
        assert found["landed"] >= 1
        told = served.session.get(f"{served.url}/metrics", timeout=30).text
        for each in ("waiting", "in_flight", "oldest_seconds", "fee_bumps", "landed"):
            assert f"dtledger_gateway_relay_{each} " in told
        assert 'dtledger_gateway_relay_refused_total{why="WrongSignatureError"}' in told
        assert found["refused"]["WrongSignatureError"] >= 1

    def test_what_the_contract_refuses_comes_back_as_that(self, served: Served) -> None:
        slot, patient = served.world.consent, served.world.patient
        revoke = calls.revoke(slot.owner, slot.twin, slot.grantee, slot.number)
        old = sign(patient.context, revoke)
        for _ in range(2):
            patient.consents.revoke(slot)
        assert old is not None
        with pytest.raises(DtledgerError) as refused:
            HttpRelay(served.url).send(old.call)
        assert "revision" in refused.value.message

    def test_those_who_wait_for_a_block_keep_nobody_out(self, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        """Anybody may ask for what is under way, again and again; each who waits takes the place of a request."""
        whom = MemoryKey("waited for").address
        signed = sign(served.world.patient.context, calls.block_grantee(served.world.twin, whom))
        assert signed is not None
        monkeypatch.setattr(relay_endpoints, "MOST_WAITERS", 2)
        with monkeypatch.context() as still, ThreadPoolExecutor(2) as pool:
            still.setattr(served.gateway.relay_pump, "once", lambda: 0.05)
            counted = still_waiting(still)
            landed = [pool.submit(HttpRelay(served.url).send, signed.call) for _ in range(2)]
            for _ in landed:
                assert counted.acquire(timeout=30)
            with pytest.raises(UnreachableError, match="it is carried all the same"):
                HttpRelay(served.url, timeout=3).send(signed.call)
            still.undo()
            assert len({each.result(30) for each in landed}) == 1
        monkeypatch.setattr(relay_endpoints, "MOST_WAITERS", 0)
        assert HttpRelay(served.url).send(signed.call) == landed[0].result(), "there is nothing to wait for"

    def test_a_relay_that_is_not_there_does_not_answer(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            with pytest.raises(UnreachableError, match="does not answer"):
                HttpRelay(f"http://127.0.0.1:{taken.getsockname()[1]}").send(calls.revoke_all(1))


class TestWhatCouldNotBeAnchored:
    def ask(self, served: Served, key: Any, reader: str, at: int) -> requests.Response:
        gateway = served.world.gateway.address
        digest = messages.letters_request(served.world.ledger.deployment, reader, gateway, at)
        body = {"reader": reader, "at": at, "signature": "0x" + key.sign_digest(digest).hex()}
        return served.post("/v1/unanchored", body, None)

    def test_is_told_to_the_owner_alone(self, served: Served) -> None:
        world = served.world
        patient, at = world.patient, world.clock.at
        assert self.ask(served, patient.context.key, patient.address, at).json() == {"cids": []}
        assert self.ask(served, world.clinician.context.key, patient.address, at).status_code == 403
        assert self.ask(served, patient.context.key, patient.address, at - 1000).status_code == 400


class TestALow:
    def test_alarms_before_any_batch(self, served: Served, caplog: pytest.LogCaptureFixture) -> None:
        def alarms() -> tuple[list[Any], float]:
            status = served.session.get(f"{served.url}/v1/status", timeout=30).json()
            metrics = served.session.get(f"{served.url}/metrics", timeout=30).text
            counts = re.findall(r"^dtledger_gateway_alarms_total\{.*\} ([\d.]+)$", metrics, re.MULTILINE)
            return status["alarms"], sum(map(float, counts))

        served.world.clock.advance(7 * 3600)  # what the other tests rang is not shown any more
        served.post("/v1/readings", served.readings(1))
        before, counted = alarms()
        assert before == []
        post, anchored = served.readings(1), served.gateway.pump.told.anchored
        post["readings"][0][1] = 3.2718  # no request takes so many milliseconds
        assert served.post("/v1/readings", post).status_code == 202
        (alarm,), count = alarms()
        assert (alarm["age_seconds"], count) == (60, counted + 1)
        assert f"twin {alarm['twin']} alarms" in caplog.text
        assert "3.2718" not in caplog.text
        assert served.gateway.pump.told.anchored == anchored


def test_the_status_says_how_it_stands_and_names_nobody(served: Served) -> None:
    served.post("/v1/readings", served.readings(1))
    served.world.clock.advance(2 * 3600)
    while served.waiting():
        served.gateway.pump.once()
    found = served.session.get(f"{served.url}/v1/status", timeout=30).json()
    assert found["unanchored"] == served.waiting()
    assert (found["ledger"], found["queue"], found["error"]) == ("ok", "ok", None)
    assert [each["twin"] for each in found["grants_ending"]] == [served.world.twin]
    assert found["oldest_twin_seconds"] is not None
    assert found["disk_free_bytes"] > 0
    assert "glucose" not in json.dumps(found)
    served.world.ledger.unreachable = True
    try:
        away = served.session.get(f"{served.url}/v1/status", timeout=30).json()
        assert (away["ledger"], away["head_age_seconds"]) == ("UnreachableError", None)
    finally:
        served.world.ledger.unreachable = False


def test_no_canary_is_ever_logged(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    post = {**served.readings(1), "id": "canary-id-77"}
    post["readings"][0][1] = 7.7777
    served.post("/v1/readings", post)
    served.post("/v1/readings", {**post, "readings": [["canary-time", 7.7777]]})
    served.post("/v1/readings", post, "canary-token")
    served.session.get(f"{served.url}/v1/blocks/canary-cid", timeout=30)
    served.world.clock.advance(3600)
    served.gateway.pump.once()
    logged = "".join(
        f"{each.getMessage()}\n"
        for each in caplog.records
        if each.name.startswith("dtledger") or each.levelno >= logging.WARNING  # what `log_to_stderr` keeps
    )
    assert "/v1/blocks/{cid} 400" in logged
    for canary in ("7.7777", "canary", "glucose", "a-token-of-the-ward", served.world.patient.address):
        assert canary not in logged
