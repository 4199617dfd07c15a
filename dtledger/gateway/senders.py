"""Who may send readings: devices and their hubs on a hospital's own network, by bearer tokens (RFC 6750).

A file names them, one a line: a name, the SHA-256 of its token in hex, and if wanted the twins that it may send for:

    # name         sha256(token)        twins
    ward-3-hub     9f86d081884c…0a08
    pump-17        60303ae22b99…8e08    7,9

A token is 32 random bytes, so its plain hash is no help in guessing it. It says which hub, and the network and TLS say
the rest. Devices that sign for themselves need none (`batches`): a gateway of such devices alone has no senders.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import AccessDeniedError, InputError
from ..home import check_name

_LINE = re.compile(r"(?P<name>\S+)\s+(?P<hash>[0-9a-f]{64})(?:\s+(?P<twins>\d+(?:,\d+)*))?")

REFUSED = "Readings are taken from known senders: send a token that this gateway knows."


@dataclass(frozen=True, slots=True)
class Sender:
    """One line of the file. `twins` are those that it may send for; None is any."""

    name: str
    digest: bytes
    twins: frozenset[int] | None


class Senders:
    """The senders of a file."""

    def __init__(self, senders: Sequence[Sender]) -> None:
        self._senders = senders

    @classmethod
    def read(cls, path: Path) -> Senders:
        """Those that the file names.

        Raises:
            InputError: it cannot be read, or a line is no sender; the message has file and line.
        """
        try:
            lines = path.read_text().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"The file of senders {path} cannot be read.") from error
        found: dict[str, Sender] = {}
        for number, line in enumerate(lines, start=1):
            text = line.partition("#")[0].strip()
            if not text:
                continue
            match = _LINE.fullmatch(text)
            if match is None or match["name"] in found:
                raise InputError(
                    f"{path}, line {number}: that is no sender, or one of a name that stands above.",
                    hint="Write NAME, the SHA-256 of its token in hex, and perhaps TWIN,TWIN.",
                )
            twins = frozenset(map(int, match["twins"].split(","))) if match["twins"] else None
            found[match["name"]] = Sender(match["name"], bytes.fromhex(match["hash"]), twins)
        return cls(list(found.values()))

    def __len__(self) -> int:
        return len(self._senders)

    def of(self, authorization: str | None) -> Sender:
        """Who sent an `Authorization` header.

        Raises:
            AccessDeniedError: nobody that is known.
        """
        scheme, _, token = (authorization or "").partition(" ")
        digest = hashlib.sha256(token.strip().encode()).digest()
        known = [each for each in self._senders if hmac.compare_digest(each.digest, digest)]
        if scheme.lower() != "bearer" or not token or not known:
            raise AccessDeniedError(REFUSED)
        return known[0]


def new_token(name: str) -> tuple[str, str]:
    """A new token, and its line for the file.

    Raises:
        InputError: the name cannot be one.
    """
    token = secrets.token_urlsafe(32)
    return token, f"{check_name(name, 'sender')} {hashlib.sha256(token.encode()).hexdigest()}"
