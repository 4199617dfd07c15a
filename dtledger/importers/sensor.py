"""What a sensor can show, and how a file says that a value lies beyond it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Sensor:
    """The sensors of one format.

    `ranges` has the least and the greatest value that they show by unit, None where that is not one for all of them.
    `clips` says that the file has no word for what lies beyond and writes the limit itself, so that a value there is
    marked as a word would be.
    """

    ranges: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    clips: bool = False


UNKNOWN_SENSOR = Sensor()
