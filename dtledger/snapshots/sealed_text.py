"""Words for a few readers: a public block that holds them sealed to each reader's key, and to nobody else.

>>> from dtledger.crypto.seal import SealKey
>>> ann, bob = SealKey.generate(), SealKey.generate()
>>> block = seal_text("unconscious, no next of kin", {"0xA": ann.public}, b"opening 1")
>>> open_text(block, "0xA", [ann], b"opening 1")
'unconscious, no next of kin'
>>> open_text(block, "0xB", [bob], b"opening 1") is None
True
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from .. import encoding
from ..crypto import padding, seal
from ..errors import InputError, IntegrityError

LONGEST = 2000
"""Bytes of the longest text."""

_BLOCK = 512
"""Texts are padded to a multiple of this, so that their length does not tell one from another."""


def seal_text(text: str, readers: Mapping[str, bytes], context: bytes) -> bytes:
    """The block for these readers (address → public key). `context` says what the words are about: nobody can take
    them elsewhere.

    Raises:
        InputError: the text is longer than 2,000 bytes.
    """
    data = text.encode()
    if len(data) > LONGEST:
        raise InputError(f"The text has {len(data):,} bytes, and may have {LONGEST:,}.", hint="Make it shorter.")
    padded = padding.pad(data, _BLOCK)
    return encoding.encode([[reader, seal.seal(key, padded, context)] for reader, key in sorted(readers.items())])


def open_text(block: bytes, reader: str, keys: Sequence[seal.SealKey], context: bytes) -> str | None:
    """The words, with any of the reader's keys; None if they are not sealed to it.

    Raises:
        IntegrityError: the block is malformed, or sealed to other keys or about something else.
    """
    copies = _copies(block)
    if reader not in copies:
        return None
    for key in keys:
        with suppress(IntegrityError):
            return _read(seal.open_(key, copies[reader], context))
    raise IntegrityError("sealed words do not open with their reader's keys")


def _read(padded: bytes) -> str:
    try:
        return padding.unpad(padded).decode()
    except ValueError as error:
        raise IntegrityError("sealed words are none") from error


def _copies(block: bytes) -> dict[str, bytes]:
    copies = {}
    match encoding.decode(block):
        case [*rows]:
            for row in rows:
                match row:
                    case [str(reader), bytes(sealed)]:
                        copies[reader] = sealed
            if len(copies) == len(rows):
                return copies
    raise IntegrityError("a block of sealed words is malformed")
