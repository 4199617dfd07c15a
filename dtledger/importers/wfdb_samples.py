"""The samples of one signal of a WFDB segment, as whole numbers, read by the library `wfdb` within bounds.

What a header says is compared with what is there before anything is read: the file's size with the samples that it
should hold, and after that the samples with their checksum. A file that is damaged is refused and never half read.

The library is the extra `dtledger[wfdb]`.
"""

from __future__ import annotations

import warnings
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from .source import MAX_FILE_BYTES
from .wfdb_header import Header, Signal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BITS = {
    8: Fraction(8),
    80: Fraction(8),
    16: Fraction(16),
    61: Fraction(16),
    160: Fraction(16),
    24: Fraction(24),
    32: Fraction(32),
    212: Fraction(12),
    310: Fraction(32, 3),
    311: Fraction(32, 3),
}
"""How many bits a sample takes, by format (`signal(5)`). Compressed formats are refused: what they hold is not known
before it is unpacked."""

INVALID = {
    80: -(1 << 7),
    212: -(1 << 11),
    310: -(1 << 9),
    311: -(1 << 9),
    24: -(1 << 23),
    32: -(1 << 31),
    **dict.fromkeys((16, 61, 160), -(1 << 15)),
}
"""The sample that says that there is none, by format. Format 8, of differences, has no such one."""


def read(folder: Path, header: Header, place: int) -> NDArray[np.int64]:
    """Every sample of the signal at `place` of a header in `folder`, each frame's one after another.

    Raises:
        InputError: the file is not there, damaged, too large or of a format that is not read, or the library lacks.
    """
    signal = header.signals[place]
    _require_there(folder, header, signal)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of how the library makes its own tables
            import wfdb
    except ModuleNotFoundError as error:
        raise InputError(
            "WFDB records are read with a library that is not installed.",
            hint="Install it: pip install 'dtledger[wfdb]'.",
        ) from error
    try:
        record = wfdb.rdrecord(
            str((folder / header.name).absolute()),
            channels=[place],
            physical=False,
            smooth_frames=False,
            m2s=False,
        )
        samples: NDArray[np.int64] = record.e_d_signal[0].astype("int64")
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 the library raises whatever a damaged file makes it stumble over
        raise InputError(f"The record's samples in {header.name} cannot be read: the file is damaged.") from None
    if header.frames is not None and len(samples) != header.frames * signal.frame:
        raise InputError(f"The samples of {signal.name} in {header.name} are not as many as its header says.")
    if signal.checksum is not None and not signal.skewed and (int(samples.sum()) - signal.checksum) % (1 << 16):
        raise InputError(
            f"The samples of {signal.name} in {header.name} are not those that its header has the checksum of.",
            hint="The file is damaged: fetch it again.",
        )
    return samples


def _require_there(folder: Path, header: Header, signal: Signal) -> None:
    """Pass if the signal's file is as large as its header says, and no larger than is read."""
    together = [each for each in header.signals if each.file == signal.file]
    if signal.format not in BITS or any(each.format != signal.format for each in together):
        raise InputError(f"The samples of {signal.name} are of format {signal.format}, which is not read.")
    path = folder / signal.file
    if not path.is_file():
        raise InputError(f"The record's file {signal.file} is not beside its header.")
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise InputError(
            f"The record's file {signal.file} is larger than {MAX_FILE_BYTES // 1024 // 1024} MiB.",
            hint="Cut it in parts, each with its header.",
        )
    frame = sum(each.frame for each in together)
    if not frame:
        raise InputError(f"The record's header says that a frame of {signal.file} holds no sample.")
    needed = signal.offset + BITS[signal.format] * frame * (header.frames or 0) / 8
    if size < int(needed):
        held = int((size - signal.offset) * 8 / (BITS[signal.format] * frame))
        raise InputError(
            f"The record's file {signal.file} is cut off: it holds {max(held, 0):,} of {header.frames:,} frames.",
            hint="Fetch it again.",
        )
