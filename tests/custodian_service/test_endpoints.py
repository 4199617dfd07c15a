"""Whatever is sent to a custodian is refused with a reason: no trace, no growth, no share; and its log never holds what
was sent or opened."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtledger import encoding
from dtledger._backend.http_custodian import HttpCustodian
from dtledger.custody import LettersRequest, OwnerRequest, wire
from dtledger.ledger import messages
from dtledger.service.app import MOST_VALUES
from dtledger.testing import World
from tests.custodian.asking import Desk

from .over_http import Standin

OWNERS = ("twin-key", "receipts/0", "digests/0", "receipt-proof", "probe", "destroy", "retire")
POSTS = ("open", *OWNERS, "letters", "letters/leave")
GOOD = ["open", "twin-key", "receipts/0", "digests/0", "receipt-proof", "letters"]

CELLS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=50)
    | st.binary(max_size=80)
    | st.just("0x" + "11" * 20),
    lambda each: st.lists(each, max_size=12) | st.dictionaries(st.text(max_size=5), each, max_size=4),
    max_leaves=25,
)

FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def assert_refused(response: requests.Response, world: World) -> None:
    """4xx with a reason; nothing was opened, nothing was kept."""
    assert 400 <= response.status_code < 500, (response.status_code, response.text)
    said = json.loads(response.content)
    assert said["text"]
    assert "Traceback" not in response.text
    assert len(response.content) < 2_000
    custodian = world.custodians[0]
    assert custodian.log.entries == []
    assert list(custodian.mail.all()) == []


@pytest.mark.parametrize("path", POSTS)
@FUZZ
@given(body=st.binary(max_size=300) | CELLS.map(encoding.encode))
def test_what_is_no_request_is_refused(
    world: World, standins: list[Standin], session: requests.Session, path: str, body: bytes
) -> None:
    assert_refused(session.post(f"{standins[0].url}/v1/{path}", data=body), world)


def rows(world: World, desk: Desk) -> dict[str, bytes]:
    """One good request for each endpoint."""
    custodian, patient, at = desk.custodian.address, world.patient.context.key, world.clock()
    deployment = world.ledger.deployment

    def owner(message: Any) -> bytes:
        digest = message(deployment, world.twin, patient.address, custodian, at)
        return wire.encode_owner_request(OwnerRequest(world.twin, patient.address, at, patient.sign_digest(digest)))

    reader = LettersRequest(
        patient.address,
        at,
        patient.sign_digest(messages.letters_request(deployment, patient.address, custodian, at)),
    )
    return {
        "open": wire.encode_read(desk.request(), desk.shares()),
        "twin-key": owner(messages.key_request),
        "receipts/0": owner(messages.receipts_request),
        "digests/0": owner(messages.receipts_request),
        "receipt-proof": owner(messages.receipts_request),
        "letters": wire.encode_letters_request(reader),
    }


@pytest.mark.parametrize("path", GOOD)
@FUZZ
@given(data=st.data())
def test_a_good_request_with_one_cell_changed_is_refused(
    world: World, desk: Desk, standins: list[Standin], session: requests.Session, path: str, data: st.DataObject
) -> None:
    cells = encoding.decode(rows(world, desk)[path])
    place = data.draw(st.integers(0, len(cells) - 1))
    changed = data.draw(CELLS.filter(lambda each: each != cells[place]))
    cells[place] = changed
    assert_refused(session.post(f"{standins[0].url}/v1/{path}", data=encoding.encode(cells)), world)


@pytest.mark.parametrize("path", GOOD)
def test_the_same_request_unchanged_is_answered(
    world: World, desk: Desk, standins: list[Standin], session: requests.Session, path: str
) -> None:
    response = session.post(f"{standins[0].url}/v1/{path}", data=rows(world, desk)[path])
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/cbor"
    assert encoding.encode(encoding.decode(response.content)) == response.content


MALFORMED = {
    "nothing": b"",
    "a byte too many": b"\x80\x00",
    "not canonical": b"\x18\x01",
    "a list without end": b"\x9f\x01\xff",
    "deep lists": b"\x81" * 5_000 + b"\x80",
    "a length of 2^62": b"\x9b\x40\x00\x00\x00\x00\x00\x00\x00",
    "bytes of 2^62": b"\x5b\x40\x00\x00\x00\x00\x00\x00\x00",
    "a tag": b"\xc4\x82\x3b\x00\xff\xff\xff\xff\xff\xff\xff\x01",
    "shared values": b"\xd8\x1c\x81\xd8\x1d\x00",
    "JSON": b'{"twin": 1}',
    "keys that stand twice": b"\xa2\x61\x61\x01\x61\x61\x02",
}


@pytest.mark.parametrize("name", MALFORMED)
@pytest.mark.parametrize("path", POSTS)
def test_malformed_cbor_is_refused(
    world: World, standins: list[Standin], session: requests.Session, path: str, name: str
) -> None:
    response = session.post(f"{standins[0].url}/v1/{path}", data=MALFORMED[name])
    assert response.status_code == 400
    assert_refused(response, world)


@pytest.mark.parametrize("path", POSTS)
def test_a_body_of_very_many_values_is_refused_before_one_is_made(
    world: World,
    standins: list[Standin],
    session: requests.Session,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """16 MiB of empty maps take minutes and gigabytes, and nobody knows yet whose they are."""
    made: list[int] = []
    decode = encoding.decode
    monkeypatch.setattr(encoding, "decode", lambda data: made.append(len(data)) or decode(data))
    for count, is_made in ((MOST_VALUES, False), (3, True)):
        made.clear()
        body = b"\x9a" + count.to_bytes(4, "big") + b"\xa0" * count
        response = session.post(f"{standins[0].url}/v1/{path}", data=body if count > 3 else b"\x83\xa0\xa0\xa0")
        assert_refused(response, world)
        assert ("values" in response.json()["text"], made != []) == (not is_made, is_made)


@pytest.mark.parametrize("nonce", ["", "00", "zz" * 32, "AA" * 32, "00" * 33, "%00" * 32])
def test_a_number_to_sign_is_32_bytes_in_hex(
    world: World, standins: list[Standin], session: requests.Session, nonce: str
) -> None:
    assert session.get(f"{standins[0].url}/v1/identity/{nonce}").status_code in (400, 404)
    assert session.get(f"{standins[0].url}/v1/identity/{'0a' * 32}").status_code == 200


@pytest.mark.parametrize("number", ["-1", "1e3", "x", "9" * 19, "%D9%A1"])
def test_a_receipt_s_number_is_a_whole_number(
    world: World, desk: Desk, standins: list[Standin], session: requests.Session, number: str
) -> None:
    body = rows(world, desk)["receipts/0"]
    assert_refused(session.post(f"{standins[0].url}/v1/receipts/{number}", data=body), world)


@pytest.mark.parametrize("read", [3, 4])
def test_an_owner_gets_every_receipt_however_many_fit_one_answer(
    world: World, standins: list[Standin], monkeypatch: pytest.MonkeyPatch, read: int
) -> None:
    monkeypatch.setattr(wire, "RECEIPTS", 2)
    for _ in range(read):
        world.clinician.read(world.twin, "glucose", "TREAT")
    log = [entry.receipt for entry in world.custodians[0].log.entries]
    assert len(log) == read
    patient, at = world.patient.context.key, world.clock()
    with closing(HttpCustodian(standins[0].url, world.custodians[0].address)) as custodian:
        digest = messages.receipts_request(world.ledger.deployment, world.twin, patient.address, custodian.address, at)
        request = OwnerRequest(world.twin, patient.address, at, patient.sign_digest(digest))
        assert custodian.receipts(request) == log


@pytest.mark.parametrize("path", POSTS)
def test_an_endpoint_takes_post_alone(standins: list[Standin], session: requests.Session, path: str) -> None:
    assert session.get(f"{standins[0].url}/v1/{path}").status_code == 405


def test_nothing_that_was_asked_or_opened_is_in_the_log(
    world: World,
    desk: Desk,
    standins: list[Standin],
    session: requests.Session,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Readings, names, keys, addresses: planted in every place that a request has, and looked for in every form."""
    caplog.set_level("DEBUG")
    found = world.clinician.read(world.twin, "glucose", "TREAT")
    world.patient.twins.access(world.twin)
    session.post(f"{standins[0].url}/v1/open?twin=canary", data=b"canary", headers={"x-name": "canary"})
    session.post(f"{standins[0].url}/v1/open", data=encoding.encode(["canary", "clinician", 7.5]))
    one = world.custodians[0]
    shares = [share for _, share in one._open_shares(desk.request(), desk.shares())]
    secret = [pair.seed for pair in one._twin_keys.all_of(world.twin)]
    ours = "\n".join(
        each.getMessage() for each in caplog.records if each.name.startswith(("dtledger", "uvicorn", "fastapi"))
    )
    assert "POST /v1/open 200" in ours
    addresses = [each.address for each in (world.clinician, world.patient, world.hospital, one)]
    values = {str(each.value) for each in found}
    ours = re.sub(r"\d+\.\d ms", "", ours)
    canaries = ["canary", "clinician", "patient", *addresses, *(each.hex() for each in (*shares, *secret))]
    for canary in canaries:
        assert canary.lower() not in ours.lower()
    assert not [value for value in values if value in ours]
