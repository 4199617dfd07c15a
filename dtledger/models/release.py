"""A release: what a coordinator says of weights that it hands on, so that whoever uses them can check it by themselves.

It is an in-toto Statement (v1) in a DSSE envelope. The files are described as OpenSSF's model signing (v1.0) does it:
`resources` has each file's name and SHA-256 in the order of their names, and the one subject is the model, whose digest
is the SHA-256 over those digests. One of the files is the aggregate that the ledger names. The rest of the predicate is
where the weights come from: model, round, parent, updates and the consent roots under them, cohort and privacy.

>>> one = Resource("weights.bin", Digest(bytes(32)))
>>> root_of([one]) == root_of([Resource("other.bin", Digest(bytes(32)))])
True
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from .._backend.files import parse_json
from ..errors import IntegrityError
from ..snapshots.signed import Signer
from ..types import Address, Digest
from .dsse import MOST_BYTES, Envelope
from .origin import Origin, digest, text

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:dtledger:model-release:1"
_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class Resource:
    """One file of a release: its name, a relative path with slashes, and its SHA-256.

    Raises:
        ValueError: the name leads out of a folder, or cannot be shown.
    """

    name: str
    digest: Digest

    def __post_init__(self) -> None:
        path = PurePosixPath(self.name)
        if not self.name.isprintable() or not 0 < len(self.name) <= _LONGEST_NAME or "\\" in self.name:
            raise ValueError(f"{self.name!r} is no file's name")
        if path.is_absolute() or ".." in path.parts or str(path) != self.name or not path.name:
            raise ValueError(f"{self.name!r} is no path inside a folder")


def root_of(resources: Sequence[Resource]) -> Digest:
    """What the subject is called by: SHA-256 over the files' digests in the order of their names."""
    return Digest(hashlib.sha256(b"".join(each.digest for each in resources)).digest())


@dataclass(frozen=True, slots=True)
class Release:
    """Files under the name of a model, and where they come from.

    Raises:
        ValueError: they are not in the order of their names, each once, or none of them is the aggregate.
    """

    name: str
    resources: tuple[Resource, ...]
    origin: Origin

    def __post_init__(self) -> None:
        names = [each.name for each in self.resources]
        if names != sorted(set(names)):
            raise ValueError("the files of a release are not in the order of their names, each once")
        if self.origin.aggregate not in [each.digest for each in self.resources]:
            raise ValueError("none of the files is the aggregate")

    def sign(self, coordinator: Signer) -> bytes:
        """The envelope, for a file."""
        payload = json.dumps(self.statement(), separators=(",", ":"), ensure_ascii=False).encode()
        return Envelope(PAYLOAD_TYPE, payload).signed(coordinator).encode()

    @classmethod
    def read(cls, data: bytes) -> tuple[Release, tuple[Address, ...]]:
        """The release of an envelope, and whose signatures under it are good.

        Raises:
            IntegrityError: it is no release in due form, or not as it was signed.
        """
        envelope = Envelope.decode(data)
        signers = envelope.signers()
        if envelope.payload_type != PAYLOAD_TYPE:
            raise IntegrityError("the envelope holds no in-toto statement", party=signers[0])
        try:
            return cls._read(parse_json(envelope.payload, MOST_BYTES, most_depth=8)), signers
        except (KeyError, TypeError, ValueError) as error:
            raise IntegrityError("the statement is no release of a model in due form", party=signers[0]) from error

    def statement(self) -> dict[str, Any]:
        """The in-toto Statement."""
        files = [{"name": each.name, "algorithm": "sha256", "digest": each.digest.hex()} for each in self.resources]
        return {
            "_type": STATEMENT,
            "subject": [{"name": self.name, "digest": {"sha256": root_of(self.resources).hex()}}],
            "predicateType": PREDICATE,
            "predicate": {"resources": files, **self.origin.to_json()},
        }

    @classmethod
    def _read(cls, told: Any) -> Release:
        """Of a statement. What else its predicate says is left alone, as in-toto wants it."""
        if told["_type"] != STATEMENT or told["predicateType"] != PREDICATE:
            raise ValueError("another kind of statement")
        (subject,), said = told["subject"], told["predicate"]
        if any(row["algorithm"] != "sha256" for row in said["resources"]):
            raise ValueError("another hash")
        resources = tuple(Resource(text(row["name"]), digest(row["digest"])) for row in said["resources"])
        if digest(subject["digest"]["sha256"]) != root_of(resources):
            raise ValueError("the subject is not made of the files")
        return cls(text(subject["name"]), resources, Origin.of_json(said))
