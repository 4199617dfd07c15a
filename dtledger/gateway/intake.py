"""What hubs send, as readings: all of a post is good, or none of it is kept. A refusal names the place in the list and
never the value.
"""

from __future__ import annotations

import json
import math
import re
from datetime import datetime
from typing import Any

from .._backend.files import parse_json
from ..client import Context
from ..client.writing import CLOCK_AHEAD
from ..errors import AccessDeniedError, InputError
from ..importers.values import plausible, unit_code
from ..readings import CLOCK_SET, SOURCES, Reading
from ..vocabulary import STATES, category
from .ingest import NO_TWINS, Ingest
from .queue import Measured, ReadingQueue
from .rights import Rights
from .senders import Sender

READING = ["2026-11-02T08:05:00+01:00", 5.4]
EXAMPLE = {"twin": 7, "category": "glucose", "unit": "mmol/L", "id": "hub-3/2026-11-02/481", "readings": [READING]}
DESCRIPTION = f"""
Times have their offset (RFC 3339), units are UCUM codes of the category, values are such as a living body and its
devices give. `id` is the sender's own, once for each post: sent again, it adds nothing. `quality` may say what all of
the post's values are: {", ".join(sorted(SOURCES))}. All of a post is taken, or nothing; 202 says that it is on the
disk, encrypted, and will be anchored. `Authorization: Bearer TOKEN` says who sends; `dtledger gateway token` makes one.
"""

MOST_BYTES = 2**20
MOST_READINGS = 10_000
"""In one post."""

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_ID = re.compile(r"[!-~]{1,200}")
_FIELDS = {"twin", "category", "unit", "readings"}
_MORE = {"id", "quality"}


class Intake:
    """Takes posts into the queue, of which `twins` hear; for any thread."""

    def __init__(self, context: Context, queue: ReadingQueue, rights: Rights, twins: Ingest = NO_TWINS) -> None:
        self._context = context
        self._queue = queue
        self._rights = rights
        self._twins = twins

    def take(self, body: bytes, sender: Sender) -> dict[str, int]:
        """Keep the readings of a post; how many are new, and how many were known. They are on the disk then.

        Raises:
            InputError: the post is not of its form, or holds what cannot be a reading.
            AccessDeniedError: the sender may not send for that twin, or the gateway may not write to it.
            BusyError: the queue is full.
        """
        twin, name, key, readings = read_post(body, self._context.clock())
        if sender.twins is not None and twin not in sender.twins:
            raise AccessDeniedError("This sender does not send for that twin.")
        self._rights.require(twin, name, readings)
        measured = [Measured(twin, name, each) for each in readings]
        new = self._queue.put(measured, sender=sender.name, idempotency_key=key)
        self._twins.hear(measured)
        return {"kept": new, "known": len(readings) - new}


def read_post(body: bytes, now: int) -> tuple[int, str, str | None, list[Reading]]:
    """Twin, category, the sender's id and the readings of a post.

    Raises:
        InputError: see `Intake.take`.
    """
    try:
        post = parse_json(body, MOST_BYTES, most_depth=3)
    except ValueError:
        raise InputError("The post is not JSON in UTF-8, or larger than a post may be.") from None
    if not isinstance(post, dict) or not _FIELDS <= post.keys() <= _FIELDS | _MORE:
        raise InputError(f"A post is an object with {', '.join(sorted(_FIELDS))}, and perhaps id and quality.")
    twin, name, unit, key, rows = (post.get(each) for each in ("twin", "category", "unit", "id", "readings"))
    if type(twin) is not int or not 0 <= twin < 2**63:
        raise InputError("twin must be the number of a twin.")
    if key is not None and not (isinstance(key, str) and _ID.fullmatch(key)):
        raise InputError("id must be 1 to 200 printable ASCII characters.")
    if not isinstance(name, str) or not isinstance(unit, str):
        raise InputError("category and unit must be texts.")
    try:
        named = category(name).name
    except ValueError:
        raise InputError("category is none that is known.") from None
    if named in STATES:
        raise InputError("category is none of readings.")
    code = unit_code(unit, named)
    if code is None:
        raise InputError("unit is none of that category.")
    if not isinstance(rows, list) or not 0 < len(rows) <= MOST_READINGS:
        raise InputError(f"readings must be a list of 1 to {MOST_READINGS:,}.")
    limits = plausible(named, code)
    quality = post.get("quality", "")
    if quality not in ("", *SOURCES):
        raise InputError(f"quality must be one of {', '.join(sorted(SOURCES))}.")
    return twin, named, key, [_reading(place, row, code, quality, limits, now) for place, row in enumerate(rows)]


def _reading(place: int, row: Any, unit: str, quality: str, limits: tuple[float, float], now: int) -> Reading:
    match row:
        case [str(text), int() | float() as value] if not isinstance(value, bool):
            pass
        case _:
            raise InputError(f"readings[{place}] is not [time, value], as in {json.dumps(READING)}.")
    if not _RFC_3339.fullmatch(text):
        raise InputError(f"readings[{place}] has no time with its offset, as RFC 3339 writes it.")
    try:
        number = float(value)
        reading = Reading.at_time(datetime.fromisoformat(text.upper()), number, unit, quality)
    except (ValueError, OverflowError):
        raise InputError(f"readings[{place}] has a time or a value that cannot be.") from None
    if reading.seconds < CLOCK_SET:
        raise InputError(f"readings[{place}] is of 1970.", hint="The device's clock was never set.")
    if reading.seconds > now + CLOCK_AHEAD:
        raise InputError(f"readings[{place}] is of a time to come.", hint="Look at the device's clock.")
    if not math.isfinite(number) or not limits[0] <= number <= limits[1]:
        raise InputError(f"readings[{place}] is not within what a body and its devices give.", hint="Is it the unit?")
    return reading
