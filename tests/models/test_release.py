"""A release reads as it was written, names its files as model signing does, and is refused in any other form."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from dtledger.errors import IntegrityError
from dtledger.models.dsse import Envelope
from dtledger.models.origin import Contribution, Origin
from dtledger.models.release import PAYLOAD_TYPE, Release, Resource
from dtledger.testing import MemoryKey
from dtledger.types import Digest

KEY, SITE = MemoryKey("coordinator"), MemoryKey("site")
A, B, C = (Digest(bytes([number]) * 32) for number in (1, 2, 3))
ORIGIN = Origin(
    deployment="31337-00-00",
    chain_id=31337,
    genesis=A,
    ledger=SITE.address,
    model=1,
    coordinator=KEY.address,
    purpose=8,
    categories=1,
    round=2,
    parent=B,
    aggregate=C,
    record=A,
    opened=5,
    finalised=8,
    updates=(
        Contribution(SITE.address, A, B, C, 20, 500, 1000, used=True, delta=1e-5),
        Contribution(KEY.address, B, B, C, 7, 500, 500, used=False),
    ),
)
RELEASE = Release("forecast", (Resource("config.json", A), Resource("weights.bin", C)), ORIGIN)


def test_what_is_signed_is_read_with_its_signer() -> None:
    assert Release.read(RELEASE.sign(KEY)) == (RELEASE, (KEY.address,))


def test_its_files_are_described_as_model_signing_does() -> None:
    told = RELEASE.statement()
    assert told["_type"] == "https://in-toto.io/Statement/v1"
    (subject,) = told["subject"]
    assert subject == {"name": "forecast", "digest": {"sha256": hashlib.sha256(A + C).hexdigest()}}
    assert told["predicate"]["resources"][1] == {"name": "weights.bin", "algorithm": "sha256", "digest": C.hex()}


def test_its_cohort_is_that_of_the_updates_that_went_into_it() -> None:
    assert ORIGIN.cohort == 20


def signed(change: Callable[[dict[str, Any]], object], kind: str = PAYLOAD_TYPE) -> bytes:
    """The release with something else in its statement."""
    told = json.loads(json.dumps(RELEASE.statement()))
    change(told)
    return Envelope(kind, json.dumps(told).encode()).signed(KEY).encode()


def at(*path: Any) -> Callable[[Any], Callable[[dict[str, Any]], object]]:
    """What sets a value under keys of the predicate."""

    def setting(value: Any) -> Callable[[dict[str, Any]], object]:
        def change(told: dict[str, Any]) -> None:
            for key in path[:-1]:
                told = told[key]
            told[path[-1]] = value

        return change

    return setting


PREDICATE = "predicate"
FAULTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "another statement": at("_type")("https://in-toto.io/Statement/v0.1"),
    "another predicate": at("predicateType")("urn:other"),
    "no subject": at("subject")([]),
    "two subjects": lambda told: told["subject"].append(told["subject"][0]),
    "a subject of other files": at("subject", 0, "digest", "sha256")(A.hex()),
    "another hash": at(PREDICATE, "resources", 0, "algorithm")("md5"),
    "a file outside the folder": at(PREDICATE, "resources", 0, "name")("../config.json"),
    "a file at the root": at(PREDICATE, "resources", 0, "name")("/config.json"),
    "a file with a drive's slashes": at(PREDICATE, "resources", 0, "name")("..\\config.json"),
    "a file with an escape sequence": at(PREDICATE, "resources", 0, "name")("config\x1b[2J"),
    "files out of order": at(PREDICATE, "resources", 0, "name")("x.json"),
    "a file twice": at(PREDICATE, "resources", 0, "name")("weights.bin"),
    "no aggregate": at(PREDICATE, "round", "aggregate")(B.hex()),
    "a digest in capitals": at(PREDICATE, "round", "parent")("AB" * 32),
    "a short digest": at(PREDICATE, "round", "parent")("ab"),
    "no digest": at(PREDICATE, "round", "parent")(None),
    "a round of text": at(PREDICATE, "round", "number")("2"),
    "a round of truth": at(PREDICATE, "round", "number")(True),
    "a negative cohort": at(PREDICATE, "updates", 0, "cohort")(-1),
    "half an ε": at(PREDICATE, "updates", 0, "epsilonThousandths")(0.5),
    "a site that is no address": at(PREDICATE, "updates", 0, "site")("0x00"),
    "neither used nor left out": at(PREDICATE, "updates", 0, "used")(1),
    "a δ that is none": at(PREDICATE, "updates", 0, "delta")(1.0),
    "no updates": at(PREDICATE, "updates")(None),
    "no model": lambda told: told[PREDICATE].pop("model"),
    "a predicate that is none": at(PREDICATE)([]),
}


@pytest.mark.parametrize("name", FAULTS)
def test_any_other_form_is_refused_and_its_signer_named(name: str) -> None:
    with pytest.raises(IntegrityError, match="no release of a model") as caught:
        Release.read(signed(FAULTS[name]))
    assert caught.value.party == KEY.address
    assert Release.read(signed(lambda told: None))[0] == RELEASE


def test_another_payload_is_no_statement() -> None:
    with pytest.raises(IntegrityError, match="no in-toto statement"):
        Release.read(signed(lambda told: None, "text/plain"))


def test_what_else_a_predicate_says_is_left_alone() -> None:
    assert Release.read(signed(at(PREDICATE, "note")("later")))[0] == RELEASE


def test_a_release_without_its_aggregate_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="none of the files"):
        Release("forecast", (Resource("config.json", A),), ORIGIN)
    Release("forecast", (Resource("weights.bin", C),), ORIGIN)
