"""A file as text: byte-order marks, gzip, workbooks, a limit on its size, and an error for what is no text at all.

No message names the file: exports carry their patient's name in theirs.
"""

from __future__ import annotations

import gzip
import io
import os
import zlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from ..errors import InputError
from . import workbook

MAX_FILE_BYTES = 32 * 1024 * 1024
"""Larger files are refused before they fill the memory; a year of five-minute readings takes 3 to 12 MiB."""

_HEAD_BYTES = 64 * 1024
_HEAD_LINES = 64
_GZIP = b"\x1f\x8b"


class Source(Protocol):
    """Text that is read once, from front to back. `opening` is its beginning, of about 64 KiB; `folder` is where the
    file lies, None of a stream."""

    opening: str

    @property
    def folder(self) -> Path | None: ...

    def lines(self) -> Iterator[str]:
        """The lines, each with its end.

        Raises:
            InputError: a byte is not text, or the file is too large or damaged.
        """


class TextFile:
    """A `Source` in UTF-8 or UTF-16."""

    def __init__(self, stream: io.BufferedReader, folder: Path | None = None) -> None:
        self._stream = stream
        self.folder = folder
        head = stream.peek(_HEAD_BYTES)[:_HEAD_BYTES]
        if head.startswith(b"%PDF"):
            raise InputError("The file is a PDF, not text.", hint="Export or save it as CSV.")
        if head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
            self.encoding = "utf-16"
        else:
            self.encoding = "utf-8-sig" if head.startswith(BOM_UTF8) else "utf-8"
        self.opening = getincrementaldecoder(self.encoding)("replace").decode(head)
        if "\0" in self.opening:
            raise InputError("The file is binary, not text.", hint="Export or save it as CSV.")
        if not self.opening.strip():
            raise InputError("The file is empty.")

    def lines(self) -> Iterator[str]:
        text = io.TextIOWrapper(self._stream, encoding=self.encoding, newline="")
        number = 0
        try:
            for line in text:
                number += 1
                yield line
        except UnicodeError:
            after = f" after line {number}" if number else ""  # what is decoded at once may be many lines
            raise InputError(
                f"The file is not {self.encoding.removesuffix('-sig').upper()}{after}.", hint="Save it as UTF-8."
            ) from None
        finally:
            text.detach()


class Sheet:
    """A `Source` of lines that are there already: a workbook's."""

    folder = None

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self.opening = "".join(lines[:_HEAD_LINES])
        if not lines:
            raise InputError("The file is empty.")

    def lines(self) -> Iterator[str]:
        yield from self._lines


@contextmanager
def open_source(file: str | os.PathLike[str] | BinaryIO) -> Iterator[Source]:
    """`file`, a path or a binary stream, as a `Source`; gzip is unpacked. A stream of the caller's stays open.

    Raises:
        InputError: it cannot be read, is empty, too large, or neither text nor a workbook.
    """
    with ExitStack() as stack, _foreign_errors():
        stream: Any = file
        folder = Path(file).parent if isinstance(file, str | os.PathLike) else None
        if isinstance(stream, str | os.PathLike):
            stream = stack.enter_context(open(stream, "rb", buffering=0))
        elif isinstance(stream, io.TextIOBase):
            raise InputError("The stream gives text, not bytes.", hint="Open it in binary mode.")
        bytes_ = _bounded(stream)
        if bytes_.peek(len(_GZIP)).startswith(_GZIP):
            bytes_ = _bounded(stack.enter_context(gzip.GzipFile(fileobj=bytes_, mode="rb")))
        kind = workbook.KINDS.get(bytes_.peek(4)[:4])
        yield (
            TextFile(bytes_, folder) if kind is None else Sheet(workbook.lines_of(bytes_.read(), kind, MAX_FILE_BYTES))
        )


def _bounded(stream: Any) -> io.BufferedReader:
    return io.BufferedReader(_Bounded(stream), _HEAD_BYTES)


class _Bounded(io.RawIOBase):
    """Whole buffers of another stream, up to `MAX_FILE_BYTES`; closing it leaves the other open."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._left = MAX_FILE_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view, filled = memoryview(buffer).cast("B"), 0
        while filled < len(view) and (data := self._stream.read(len(view) - filled)):
            view[filled : filled + len(data)] = data
            filled += len(data)
        self._left -= filled
        if self._left < 0:
            raise InputError(
                f"The file is larger than {MAX_FILE_BYTES // 1024 // 1024} MiB.",
                hint="Split it, each part with its header.",
            )
        return filled


@contextmanager
def _foreign_errors() -> Iterator[None]:
    """Errors of the file system and of gzip as `InputError`s."""
    try:
        yield
    except FileNotFoundError:
        raise InputError("There is no such file.") from None
    except IsADirectoryError:
        raise InputError("That is a folder, not a file.") from None
    except PermissionError:
        raise InputError("The file may not be read.", hint="Look at its owner and its mode.") from None
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise InputError("The file is a damaged gzip archive.") from None
    except OSError as error:
        raise InputError(f"The file cannot be read: {error.strerror or 'input failed'}.") from None
