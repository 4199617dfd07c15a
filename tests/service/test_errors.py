"""Errors over HTTP: one status each, a body without a word from inside, and the same error again at the other end."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from dtledger import errors
from dtledger._backend.http_errors import from_http, status_of, to_http
from dtledger.errors import (
    AccessDeniedError,
    BusyError,
    DtledgerError,
    HeadTooOldError,
    InputError,
    IntegrityError,
    KeyFileError,
    LimitPassedError,
    UnreachableError,
)
from dtledger.vocabulary import Reason

from .conftest import said
from .toy import Toy

ERRORS: list[tuple[DtledgerError, int]] = [
    (InputError("no", hint="do"), 400),
    (AccessDeniedError("no", reason=Reason.REVOKED), 403),
    (AccessDeniedError("no", reason=Reason.NO_GRANT, as_of=1), 403),
    (LimitPassedError("no", limit="snapshots_a_day", reason=Reason.NO_GRANT), 429),
    (IntegrityError("no", block="ab", party="0x1"), 422),
    (HeadTooOldError("no", hint="wait"), 503),
    (BusyError("no"), 503),
    (UnreachableError("no"), 503),
]


@pytest.mark.parametrize(("error", "status"), ERRORS, ids=lambda each: type(each).__name__)
def test_an_error_comes_out_as_it_went_in(error: DtledgerError, status: int) -> None:
    code, body = to_http(error)
    again = from_http(code, body, "the toy")
    assert code == status
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_every_error_has_a_status() -> None:
    kinds = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, DtledgerError)]
    assert {kind.__name__ for kind in kinds if status_of(kind("no")) == 500} == {"DtledgerError", "KeyFileError"}


@pytest.mark.parametrize(
    "error", [DtledgerError("/srv/secret"), KeyFileError("/srv/secret"), ValueError("/srv/secret")]
)
def test_what_a_service_says_of_its_own_inside_stays_there(error: Exception) -> None:
    status, body = to_http(error)
    assert status == 500
    assert b"secret" not in body
    assert type(from_http(status, body, "the toy")) is DtledgerError


@given(st.integers(100, 999), st.binary(max_size=300) | st.text().map(str.encode))
def test_whatever_is_answered_becomes_an_error_of_ours(status: int, body: bytes) -> None:
    assert isinstance(from_http(status, body, "the toy"), DtledgerError)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'{"error":1}', b'{"error":"DtledgerError"', b'{"error":"SystemExit"}', b"[" * 9_000],
)
def test_what_is_no_error_s_body_is_a_service_that_does_not_answer(body: bytes) -> None:
    assert type(from_http(502, body, "the toy")) is UnreachableError


def test_a_stranger_s_text_is_one_short_line() -> None:
    error = from_http(403, b'{"error":"AccessDeniedError","text":"a\\u001b[2J\\nb' + b"c" * 5000 + b'"}', "the toy")
    assert error.message.startswith("a [2J b")
    assert len(error.message) == 1_000


# over a real connection -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("error", "status"), ERRORS, ids=lambda each: type(each).__name__)
def test_a_service_answers_an_error_by_its_status(
    toy: Toy, run: Callable[..., str], session: requests.Session, error: DtledgerError, status: int
) -> None:
    toy.error = error
    response = session.post(f"{run()}/v1/fail")
    assert (response.status_code, said(response)["error"]) == (status, type(error).__name__)
    assert ("retry-after" in response.headers) is isinstance(error, BusyError)


def test_no_trace_of_a_fault_leaves_and_none_of_what_it_held_is_logged(
    toy: Toy, run: Callable[..., str], session: requests.Session, logged: Callable[[], str]
) -> None:
    toy.error = ValueError("canary-5.7-mmol")
    response = session.post(f"{run()}/v1/fail")
    assert (response.status_code, said(response)["error"]) == (500, "DtledgerError")
    assert "canary" not in response.text + logged()
    assert "ValueError at tests.service.toy:" in logged()


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/v1/no", 404), ("GET", "/v1/echo", 405), ("POST", "/", 404)]
)
def test_what_there_is_not_is_refused_with_a_reason(
    run: Callable[..., str], session: requests.Session, method: str, path: str, status: int
) -> None:
    response = session.request(method, run() + path)
    assert (response.status_code, said(response)["error"]) == (status, "InputError")
