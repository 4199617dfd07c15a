"""Custodians over HTTP that fail to order: a read goes on with two good ones of three and names the third; with one
good one it is refused in words."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from dtledger._backend import http_link
from dtledger._backend.http_custodian import HttpCustodian, identify
from dtledger.client.services import Services
from dtledger.custodian import core
from dtledger.custody import LettersRequest, encode_release
from dtledger.errors import DtledgerError, HeadTooOldError, IntegrityError, UnreachableError
from dtledger.ledger import messages
from dtledger.snapshots import at_once
from dtledger.testing import Fault, World
from dtledger.testing.memory_key import MemoryKey

from .over_http import Standin

Talk = Callable[[socket.socket, threading.Event], None]
"""What a server does with one connection until the event, which ends the test."""


@pytest.fixture
def talker() -> Iterator[Callable[[Talk], str]]:
    """A server that talks as it is told; its URL."""
    over = threading.Event()
    threads: list[threading.Thread] = []
    listening: list[socket.socket] = []

    def begin(talk: Talk) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        listening.append(server)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    thread = threading.Thread(target=one, args=(connection,))
                    threads.append(thread)
                    thread.start()

        def one(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                talk(connection, over)

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        return f"http://127.0.0.1:{server.getsockname()[1]}"

    before = set(threading.enumerate())
    yield begin
    over.set()
    for each in listening:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
    for thread in set(threading.enumerate()) - before - {threading.current_thread()}:
        if "AnyIO" not in thread.name:
            thread.join(30)


def silent(connection: socket.socket, over: threading.Event) -> None:
    over.wait(60)


def slow(connection: socket.socket, over: threading.Event) -> None:
    """One byte of a head after another."""
    for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 9999999\r\n\r\n" + b"x" * 10**6:
        connection.sendall(bytes([byte]))
        if over.wait(0.05):
            return


def answering(answer: bytes) -> Talk:
    def talk(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65_536)
        connection.sendall(answer)

    return talk


def body(status: str, text: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {len(text)}\r\n\r\n".encode() + text


GARBAGE = {
    "nothing": b"",
    "no HTTP": b"hello\r\n\r\n",
    "a page": body("200 OK", b"<html>"),
    "no CBOR": body("200 OK", b"\xff"),
    "another list": body("200 OK", b"\x83\x41\x00\x41\x00\x80"),
    "a page that is missing": body("404 Not Found", b"<html>"),
    "an error that is none": body("403 Forbidden", b'{"error":"SystemExit"}'),
    "a word from inside": body("500 Internal Server Error", b'{"error":"KeyFileError","text":"no"}'),
    "another place": b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
    "half an answer": b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf",
}


def read(world: World) -> Any:
    return world.clinician.read(world.twin, "glucose", "TREAT")


def letters_request(world: World) -> LettersRequest:
    """The patient asks the first custodian."""
    key, at = world.patient.context.key, world.clock()
    digest = messages.letters_request(world.ledger.deployment, key.address, world.custodians[0].address, at)
    return LettersRequest(key.address, at, key.sign_digest(digest))


def put(world: World, place: int, url: str) -> None:
    """Let that custodian be asked at `url`."""
    address = world.custodians[place].address
    world._custodians[address] = HttpCustodian(url, address, timeout=5)  # type: ignore[assignment]


def assert_one_named(world: World, kind: type[DtledgerError] = DtledgerError) -> None:
    found = read(world)
    assert len(found) == 24
    assert [(address, isinstance(error, kind)) for address, error in found.faults.items()] == [
        (world.custodians[0].address, True)
    ]
    assert (found.answered, found.asked) == (2, 3)


@pytest.mark.parametrize("talk", [silent, slow])
def test_an_owner_does_not_wait_for_ever_for_one(
    world: World, talker: Callable[[Talk], str], monkeypatch: pytest.MonkeyPatch, talk: Talk
) -> None:
    """Who looked, and whether a revocation is in force, is asked of one custodian after the other."""
    read(world)
    monkeypatch.setattr(http_link, "MOST_SECONDS", 0.3)
    put(world, 0, talker(talk))
    twin, slot = world.twin, world.consent
    ended = world.patient.consents.revoke(slot)
    told = world.patient.revoking.account(twin, [slot], ended)[slot]
    silent_one = [world.custodians[0].address]
    assert (list(told.faults), list(told.access.faults)) == (silent_one, silent_one)
    assert told.in_force
    assert isinstance(told.faults[silent_one[0]], UnreachableError)


# what does not answer ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("talk", [silent, slow])
def test_one_that_is_silent_is_not_waited_for(
    world: World, talker: Callable[[Talk], str], monkeypatch: pytest.MonkeyPatch, talk: Talk
) -> None:
    monkeypatch.setattr(at_once, "GRACE_SECONDS", 0.05)
    put(world, 0, talker(talk))
    assert_one_named(world, UnreachableError)


@pytest.mark.parametrize("name", GARBAGE)
def test_one_that_answers_with_nothing_that_can_be_read_is_named(
    world: World, talker: Callable[[Talk], str], name: str
) -> None:
    put(world, 0, talker(answering(GARBAGE[name])))
    assert_one_named(world)


def test_an_answer_that_cannot_be_read_names_its_custodian(world: World, talker: Callable[[Talk], str]) -> None:
    good = world.custodians[0]
    port = HttpCustodian(talker(answering(GARBAGE["no CBOR"])), good.address)
    with pytest.raises(IntegrityError) as caught:
        port.letters(letters_request(world))
    assert caught.value.party == good.address
    assert good.letters(letters_request(world)) == []
    port.close()


def test_two_that_answer_with_nothing_are_too_many(world: World, talker: Callable[[Talk], str]) -> None:
    good = world.custodians[1]
    for place in (0, 1):
        put(world, place, talker(answering(b"")))
    with pytest.raises(UnreachableError, match="1 of 3 custodians answered"):
        read(world)
    world._custodians[good.address] = good
    assert_one_named(world)


def test_one_that_nobody_listens_for_is_named(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    put(world, 0, f"http://127.0.0.1:{port}")
    assert_one_named(world, UnreachableError)


# what answers wrongly ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(Fault.DEAD, UnreachableError), (Fault.WRONG_SHARE, IntegrityError), (Fault.WRONG_BIT, IntegrityError)],
)
def test_one_with_a_fault_is_named_and_two_are_refused(world: World, fault: Fault, kind: type[DtledgerError]) -> None:
    world.custodians[0].fault = fault
    assert_one_named(world, kind)
    world.custodians[1].fault = fault
    with pytest.raises(DtledgerError):
        read(world)
    world.custodians[1].fault = None
    assert_one_named(world, kind)


def test_one_that_signs_with_another_key_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    other = MemoryKey("somebody else")
    monkeypatch.setattr(other, "address", world.custodians[0].address)
    monkeypatch.setattr(world.custodians[0], "_key", other)
    assert_one_named(world, IntegrityError)


def test_one_that_gives_a_share_twice_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def twice(opened: Any) -> bytes:
        doubled = [opened[0], *opened[:-1]] if opened[0][0].number == first else opened
        return encode_release(doubled)

    first = 1
    monkeypatch.setattr(core, "encode_release", twice)
    found = read(world)
    assert (len(found), found.answered) == (24, 2)
    assert [type(error) for error in found.faults.values()] == [IntegrityError]


def test_one_whose_node_is_frozen_is_named_and_all_frozen_refuse(world: World) -> None:
    """The chain goes on for the others: one of them sends a heartbeat."""
    world.custodians[0].ledger.freeze()
    world.clock.advance(61)
    assert_one_named(world, HeadTooOldError)
    for each in world.custodians[1:]:
        each.ledger.freeze()
    world.clock.advance(61)
    with pytest.raises(UnreachableError):
        read(world)
    for each in world.custodians[1:]:
        each.ledger.thaw()
    assert_one_named(world, HeadTooOldError)


# who is at which address ---------------------------------------------------------------------------------------------


def test_whoever_answers_at_a_url_signs_for_it(world: World, standins: list[Standin]) -> None:
    deployment = world.ledger.deployment
    services = Services([each.url for each in standins], deployment)
    assert list(services) == [each.address for each in world.custodians]
    assert identify(standins[0].url, deployment).head == world.ledger.head()


def test_a_url_that_gives_another_s_name_gets_nobody_s_place(
    world: World, standins: list[Standin], monkeypatch: pytest.MonkeyPatch
) -> None:
    true = world.custodians[1].address
    liar = MemoryKey("liar")
    monkeypatch.setattr(liar, "address", true)
    monkeypatch.setattr(world.custodians[0], "_key", liar)
    services = Services([each.url for each in standins], world.ledger.deployment)
    assert list(services) == [each.address for each in world.custodians[1:]]
    assert isinstance(services.faults[standins[0].url], IntegrityError)
    monkeypatch.undo()
    assert len(Services([each.url for each in standins], world.ledger.deployment)) == 3


def test_a_custodian_of_another_deployment_is_not_there(world: World, standins: list[Standin]) -> None:
    deployment = world.ledger.deployment
    with pytest.raises(IntegrityError, match="another deployment"):
        identify(standins[0].url, replace(deployment, chain_id=deployment.chain_id + 1))
    assert identify(standins[0].url, deployment)
