"""Whatever is sent to a gateway over HTTP: it answers 4xx with a reason, keeps nothing and says nothing of its own."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtledger.encoding import encode
from tests.gateway.conftest import Served

many = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


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
        before = served.waiting()
        answer = served.session.request(
            method, served.url + path, data=body, headers={"authorization": "Bearer a-token-of-the-ward"}, timeout=30
        )
        assert 400 <= answer.status_code < 500, (answer.status_code, body)
        assert set(answer.json()) >= {"error", "text"}
        assert "Traceback" not in answer.text
        assert served.waiting() == before

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
