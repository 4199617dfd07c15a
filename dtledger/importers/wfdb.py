"""Records of WFDB, the form of PhysioNet's recordings: a header (`.hea`), and files of samples beside it.

The header is the file that is given. A record may have segments, each with a header of its own and gaps between them;
their signals may differ. One signal of the category is imported, `--value-column` chooses among several:

    HR, PULSE           heart-rate, the second marked `pulse`; HR where nothing else is said
    RESP                respiration, where its unit is one of a rate (`pm`, `bpm`); its wave is not imported
    SpO2                spo2
    ABPSys, NBPDias, …  blood-pressure, each marked by what it is (`arterial`, `cuff`; `systolic`, `diastolic`, `mean`)
    I, II, V, MLII, …   ecg, in mV, marked by the lead
    PLETH               ppg, where it is in normalised units

Of numerics (all but the last two) 0 stands for a missing value, as in MIMIC. Samples that say that they are none are
counted as missing too, and so are those of gaps and of segments without the signal. A signal that is not calibrated is
refused. Times are a wall clock's; a record without a date needs `--start`. One whose date was moved to hide whose it is
(2100 or later) is marked `shifted-date`; where `--start` says when it was, that goes before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..readings import ARTERIAL, CUFF, DIASTOLIC, LEADS, MEAN, PULSE, SHIFTED_DATE, SYSTOLIC
from .columns import Choice, Column, choose
from .intake import Intake
from .options import Options
from .result import Import
from .sampled import Start, Timeline, by_short_name, require_few, start_of
from .source import Source, open_source
from .wfdb_header import Begun, Header, Signal, begins_like_one, parse
from .wfdb_samples import INVALID
from .wfdb_samples import read as read_samples

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAME = "wfdb"
TEXT = "the header of a WFDB record (PhysioNet)"

SHIFTED_FROM = 2100
"""PhysioNet moves dates to this year or later."""
WAVES = frozenset({"ecg", "ppg"})
"""Categories in which 0 is a value like any other."""

_PARTS = {"sys": SYSTOLIC, "dias": DIASTOLIC, "mean": MEAN}
_MEANS = {"abp": ARTERIAL, "nbp": CUFF}
COLUMNS = (
    Column(r"hr \(bpm\)", "heart-rate", "/min", usual=True),
    Column(r"pulse \(bpm\)", "heart-rate", "/min", mark=PULSE),
    Column(r"resp \((?:pm|bpm)\)", "respiration", "/min"),
    Column(r"%? ?spo2 \(%\)", "spo2", "%"),
    *(
        Column(rf"{means} ?{part} \(mmhg\)", "blood-pressure", "mm[Hg]", mark=f"{word} {name}")
        for means, word in _MEANS.items()
        for part, name in _PARTS.items()
    ),
    *(Column(rf"{lead.lower()} \(mv\)", "ecg", "mV", mark=mark) for lead, mark in LEADS.items()),
    Column(r"pleth \(nu\)", "ppg", "1"),
    Column(r".*"),
)


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a record, `frames` long: its header, None for a gap; and where in it the signal is that is imported,
    None where it is not."""

    header: Header | None
    frames: int
    place: int | None = None

    @property
    def signal(self) -> Signal | None:
        return None if self.header is None or self.place is None else self.header.signals[self.place]


def recognises(opening: str, options: Options) -> bool:
    """See `Format.recognises`."""
    return begins_like_one(opening)


def read(source: Source, intake: Intake) -> Import:
    """The samples of one signal.

    Raises:
        InputError: a file of the record is not there or damaged, the options choose none of its signals, or the time at
            which it began is not known.
    """
    if source.folder is None:
        raise InputError("A WFDB record is several files.", hint="Name its header, the file that ends in .hea.")
    if intake.options.time_column:
        raise InputError("A WFDB record has no column of times.", hint="Leave --time-column out.")
    record = parse(source.lines())
    parts = list(_parts(source.folder, record))
    choice, heading = _choice(parts, intake.options)
    parts = [_found(part, heading) for part in parts]
    intake.begin(unit=choice.unit)
    start, shifted = _start(record.begun, intake)
    in_frame = max(part.signal.frame for part in parts if part.signal)
    require_few(in_frame * sum(part.frames for part in parts))
    taking = _Taking(intake, start, record.rate, wave=choice.column.category in WAVES)
    held: dict[str, NDArray[np.int64]] = {}
    for part in parts:
        if part.header is None or part.place is None:
            intake.other("missing", part.frames * in_frame)
            taking.frames += part.frames
        elif part.frames or part.header.frames is None:
            name = part.header.name
            if name not in held:
                held[name] = read_samples(source.folder, part.header, part.place)
            samples = held[name]
            require_few(len(samples))
            taking.take(part.header.signals[part.place], samples, f"{choice.column.mark} {shifted}")
    taking.tell()
    if choice.left:
        intake.note(f"Left alone: {', '.join(repr(each) for each in choice.left.values())}.")
    return intake.finish(NAME, taking.frames * in_frame, "sample")


class _Taking:
    """Hands a signal's samples over, part by part; `frames` have gone by."""

    def __init__(self, intake: Intake, start: Start, rate: Fraction, *, wave: bool) -> None:
        self._intake = intake
        self._start = start
        self._rate = rate
        self._wave = wave
        self._zeros = 0
        self.frames = 0

    def take(self, signal: Signal, samples: NDArray[np.int64], mark: str) -> None:
        before, timeline = self.frames * signal.frame, Timeline(self._start, self._rate * signal.frame)
        none, missing = INVALID.get(signal.format), 0
        for place, sample in enumerate(samples.tolist(), start=before):
            zero = not self._wave and sample == signal.baseline
            self._zeros += zero
            if zero or sample == none:
                missing += 1
            else:
                value = (sample - signal.baseline) / signal.gain
                self._intake.sample(place + 1, timeline.instant(place), value, mark=mark)
        self._intake.other("missing", missing)
        self.frames += len(samples) // signal.frame

    def tell(self) -> None:
        if self._zeros:
            self._intake.note(f"0 stands for a missing value, as in MIMIC's numerics; samples of 0: {self._zeros:,}.")


def _start(begun: Begun | None, intake: Intake) -> tuple[Start, str]:
    """When the record began, and the mark of what has a date that was moved."""
    options = intake.options
    if begun is None:
        return start_of(options, None), ""
    if begun.year < SHIFTED_FROM:
        return start_of(options, begun.wall, begun.micros), ""
    moved = f"The record's date, of the year {begun.year}, was moved to hide whose it is"
    if options.start is not None:
        intake.note(f"{moved}; --start goes before.")
        return start_of(options, None), ""
    intake.note(f"{moved}: each reading is marked {SHIFTED_DATE}. --start says when it was.")
    return start_of(options, begun.wall, begun.micros), SHIFTED_DATE


def _parts(folder: Path, record: Header) -> Iterator[Part]:
    """The record's stretches in their order.

    Raises:
        InputError: a segment's header is not there, or says otherwise than the record's; or a record's lies under
            another name than its own, under which the samples' library looks for it.
    """
    if not record.segments:
        if _named(folder, record.name) != record:
            raise InputError(f"The record calls itself {record.name}, and the header of that name says otherwise.")
        yield Part(record, record.frames or 0)
        return
    if record.frames not in {None, sum(each.frames for each in record.segments)}:
        raise InputError("The record's segments are together not as long as its header says.")
    known: dict[str, Header] = {}  # a segment that is named ten thousand times is read once
    for each in record.segments:
        if each.name is None:
            yield Part(None, each.frames)
            continue
        if each.name not in known:
            known[each.name] = _named(folder, each.name)
        own = known[each.name]
        if own.segments or (own.name, own.rate, own.frames) != (each.name, record.rate, each.frames):
            raise InputError(f"The header of the segment {each.name} says otherwise than the record's.")
        yield Part(own, each.frames)


def _named(folder: Path, name: str) -> Header:
    """The header of that name.

    Raises:
        InputError: there is none, or it cannot be read.
    """
    path = folder / f"{name}.hea"
    if path.is_fifo():
        raise InputError(f"{path.name} is a pipe, for which nobody waits.")
    with open_source(path) as source:
        return parse(source.lines())


def _choice(parts: list[Part], options: Options) -> tuple[Choice, str]:
    """The signal that is imported, and its heading."""
    names: dict[str, str] = {}
    for header in {id(part.header): part.header for part in parts if part.header}.values():
        own = {signal.heading: signal.name for signal in header.signals}
        if len(own) < len(header.signals):
            raise InputError(f"Two signals of {header.name} have one name.", hint="Rename one in the header.")
        names |= own
    headings = list(names)
    choice = choose(COLUMNS, headings, by_short_name(options, headings, list(names.values())))
    return choice, headings[choice.place]


def _found(part: Part, heading: str) -> Part:
    """The part with the place of its signal of that heading.

    Raises:
        InputError: the signal's samples have no unit.
    """
    signals = () if part.header is None else part.header.signals
    place = next((place for place, signal in enumerate(signals) if signal.heading == heading), None)
    if place is not None and not signals[place].gain:
        raise InputError(f"The signal {heading} is not calibrated: its samples have no unit.")
    return replace(part, place=place)
