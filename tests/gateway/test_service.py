"""A gateway over HTTP: what it takes is on its disk, what it refuses it says why, and its log tells nothing."""

from __future__ import annotations

import json
import logging
import re
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtledger._backend.call_codec import encode_call
from dtledger._backend.http_relay import HttpRelay
from dtledger._backend.http_store import HttpStore
from dtledger.client.signing import sign
from dtledger.encoding import CID, block_cid, encode
from dtledger.errors import AccessDeniedError, DtledgerError, InputError, UnreachableError
from dtledger.gateway import blocks
from dtledger.ledger import calls, messages
from dtledger.store import BlockMissingError
from dtledger.testing.memory_key import MemoryKey
from tests.gateway.conftest import Served

many = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def total(served: Served) -> int:
    return served.gateway.queue.totals().rows


class TestReadings:
    def test_are_on_the_disk_when_they_are_accepted(self, served: Served) -> None:
        before, post = total(served), {**served.readings(), "id": "post-1"}
        first, again = served.post("/v1/readings", post), served.post("/v1/readings", post)
        assert (first.status_code, first.json()) == (202, {"kept": 3, "known": 0})
        assert (again.status_code, again.json()) == (202, {"kept": 0, "known": 3})
        assert total(served) == before + 3
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
        assert total(served) == 0

    @pytest.mark.parametrize("token", [None, "", "another", "narrow"])
    def test_are_taken_from_known_senders_for_their_twins(self, served: Served, token: str | None) -> None:
        before = total(served)
        assert served.post("/v1/readings", served.readings(), token).status_code == 403
        assert total(served) == before

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
        before = total(served)
        answer = served.post("/v1/readings", {**served.readings(), **wrong})
        assert answer.status_code == 400
        assert said in answer.json()["text"]
        assert total(served) == before

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
        before, post = total(served), served.readings(3)
        post["readings"][2][1] = 999
        assert served.post("/v1/readings", post).status_code == 400
        assert total(served) == before

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

    def test_a_relay_that_is_not_there_does_not_answer(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            with pytest.raises(UnreachableError, match="does not answer"):
                HttpRelay(f"http://127.0.0.1:{taken.getsockname()[1]}").send(calls.revoke_all(1))


class TestBlocks:
    def store(self, served: Served, key: Any) -> HttpStore:
        return HttpStore(served.url, served.world.ledger.deployment, key, served.world.clock)

    def test_are_put_by_members_and_owners_alone(self, served: Served) -> None:
        for who in (served.world.patient, served.world.clinician):
            with self.store(served, who.context.key) as store:
                assert store.get(store.put(who.address.encode(), "raw")) == who.address.encode()
        with self.store(served, MemoryKey("stranger")) as store, pytest.raises(AccessDeniedError, match="nobody else"):
            store.put(b"a stranger's", "raw")
        assert not served.world.store.has(block_cid(b"a stranger's", "raw"))
        with self.store(served, None) as store, pytest.raises(InputError, match="by a key"):
            store.put(b"nobody's", "raw")

    def test_of_another_s_signature_or_time_are_refused(self, served: Served) -> None:
        deployment, patient, at = served.world.ledger.deployment, served.world.patient, served.world.clock.at
        cid = block_cid(b"forged", "raw")
        rows = [["raw", b"forged"]]

        def put(sender: str, at: int, signature: bytes, verb: str = "put") -> int:
            body = encode([sender, at, signature, rows])
            return served.session.put(f"{served.url}/v1/blocks", data=body, timeout=30).status_code

        def signed(key: Any, at: int, verb: str = "put") -> bytes:
            made: bytes = key.sign_digest(messages.blocks_request(deployment, patient.address, verb, [cid], at))
            return made

        thief = MemoryKey("thief")
        assert put(patient.address, at, signed(thief, at)) == 403
        assert put(patient.address, at, b"no signature") == 403
        assert put(patient.address, at, signed(patient.context.key, at, "remove")) == 403
        assert put(patient.address, at - 301, signed(patient.context.key, at - 301)) == 400
        assert not served.world.store.has(cid)
        assert put(patient.address, at, signed(patient.context.key, at)) == 204
        assert served.world.store.has(cid)

    def test_are_removed_by_who_alone_put_them(self, served: Served) -> None:
        world = served.world
        (anchored, _), *_ = world.store.export([CID(world.ledger.view().batches(world.gateway.address)[0].index)])
        with (
            self.store(served, world.patient.context.key) as mine,
            self.store(served, world.clinician.context.key) as theirs,
        ):
            shared, own = mine.put(b"shared", "raw"), mine.put(b"own", "raw")
            theirs.put(b"shared", "raw")
            theirs.remove([own, shared])
            assert [mine.has(each) for each in (own, shared)] == [True, True]
            mine.put(world.store.get(anchored), anchored.codec)
            mine.remove([own, shared, anchored])
            assert [mine.has(each) for each in (own, shared)] == [False, False]
            assert world.store.has(anchored)

    def test_are_so_much_a_day(self, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(served.gateway.blocks, "_daily_bytes", 0)
        with self.store(served, served.world.patient.context.key) as store:
            with pytest.raises(AccessDeniedError, match="a day"):
                store.put(b"one too many", "raw")
            monkeypatch.undo()
            store.put(b"one too many", "raw")

    def test_of_nobody_are_not_looked_into(self, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        """A megabyte of empty maps takes a minute to look through."""
        looked: list[int] = []
        monkeypatch.setattr(blocks, "name_block", lambda data, codec: looked.append(len(data)))
        with self.store(served, MemoryKey("stranger")) as store, pytest.raises(AccessDeniedError):
            store.put(encode([{}]), "dag-cbor")
        assert looked == []
        with self.store(served, served.world.patient.context.key) as store:
            store.put(encode([{}]), "dag-cbor")
        assert looked == [2]

    def test_and_requests_of_very_many_values_are_refused(self, served: Served) -> None:
        maps = b"\x9a\x00\x02\x00\x00" + b"\xa0" * 2**17
        answer = served.session.put(f"{served.url}/v1/blocks", data=maps, timeout=30)
        assert (answer.status_code, "values" in answer.json()["text"]) == (400, True)
        with self.store(served, served.world.patient.context.key) as store:
            with pytest.raises(InputError, match="values"):
                store._put({block_cid(maps): maps})
            store.put(encode([{}] * 1000), "dag-cbor")

    def test_that_are_not_there_are_missing(self, served: Served) -> None:
        with self.store(served, None) as store, pytest.raises(BlockMissingError):
            store.get(block_cid(b"never put", "raw"))


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
        post["readings"][0][1] = 3.3
        assert served.post("/v1/readings", post).status_code == 202
        (alarm,), count = alarms()
        assert (alarm["age_seconds"], count) == (60, counted + 1)
        assert f"twin {alarm['twin']} alarms" in caplog.text
        assert "3.3" not in caplog.text
        assert served.gateway.pump.told.anchored == anchored


def test_the_status_says_how_it_stands_and_names_nobody(served: Served) -> None:
    served.post("/v1/readings", served.readings(1))
    served.world.clock.advance(2 * 3600)
    while total(served):
        served.gateway.pump.once()
    found = served.session.get(f"{served.url}/v1/status", timeout=30).json()
    assert found["unanchored"] == total(served)
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


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
bodies = st.binary(max_size=300) | json_values.map(lambda value: json.dumps(value).encode())
cbor_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=20) | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=12,
)
ENDPOINTS = [
    ("POST", "/v1/readings"),
    ("POST", "/v1/relay"),
    ("POST", "/v1/relay/many"),
    ("PUT", "/v1/blocks"),
    ("POST", "/v1/blocks/remove"),
    ("POST", "/v1/unanchored"),
]


class TestNoBody:
    """Whatever is sent: 4xx with a reason, no trace, no growth."""

    def refused(self, served: Served, method: str, path: str, body: bytes) -> None:
        before = total(served)
        answer = served.session.request(
            method, served.url + path, data=body, headers={"authorization": "Bearer a-token-of-the-ward"}, timeout=30
        )
        assert 400 <= answer.status_code < 500, (answer.status_code, body)
        assert set(answer.json()) >= {"error", "text"}
        assert "Traceback" not in answer.text
        assert total(served) == before

    @many
    @given(body=bodies)
    @pytest.mark.parametrize(("method", "path"), ENDPOINTS)
    def test_breaks_an_endpoint(self, served: Served, method: str, path: str, body: bytes) -> None:
        self.refused(served, method, path, body)

    @many
    @given(body=cbor_values.map(encode))
    @pytest.mark.parametrize(("method", "path"), [each for each in ENDPOINTS if "blocks" in each[1]])
    def test_of_cbor_breaks_one(self, served: Served, method: str, path: str, body: bytes) -> None:
        self.refused(served, method, path, body)

    @many
    @given(name=st.sampled_from(["twin", "category", "unit", "readings", "id"]), value=json_values)
    def test_with_a_wrong_field_is_a_post(self, served: Served, name: str, value: Any) -> None:
        post = {**served.readings(1), name: value}
        answer = served.post("/v1/readings", post)
        assert answer.status_code in (202, 400, 403)

    @many
    @given(
        sender=st.text(max_size=50) | st.just("0x" + "1b" * 20),
        at=st.integers(0, 2**40),
        signature=st.binary(max_size=70),
        rows=st.lists(cbor_values, min_size=1, max_size=3),
    )
    def test_with_wrong_rows_is_blocks(
        self, served: Served, sender: str, at: int, signature: bytes, rows: list[Any]
    ) -> None:
        self.refused(served, "PUT", "/v1/blocks", encode([sender, at, signature, rows]))

    @pytest.mark.parametrize(("method", "path"), ENDPOINTS)
    @pytest.mark.parametrize(
        "body",
        [
            b"[" * 200_000,
            b"{" * 200_000,
            b'{"a":' * 100_000,
            b"\x81" * 200_000,
            b"\x9f" * 1000,
            b"\xff\xfe",
            b"1" * 9_000_000,
        ],
        ids=["lists", "objects", "nested", "cbor lists", "endless", "no text", "oversize"],
    )
    def test_is_too_deep_or_too_large(self, served: Served, method: str, path: str, body: bytes) -> None:
        self.refused(served, method, path, body)

    def test_that_comes_slowly_is_waited_for(self, served: Served) -> None:
        parts = urlsplit(served.url)
        with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
            connection.sendall(b"POST /v1/readings HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
            assert b" 408 " in connection.recv(65_536)
