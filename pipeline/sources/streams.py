"""A source's bytes, piece by piece: unpacked, cut into lines, and its format recognised.

Nothing here holds more than a piece and a line, however long the source and its lines are.
"""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import zstandard

from pipeline.records import PipelineError
from pipeline.sources.fields import EXCERPT, has_abstract

PIECE = 1 << 16
LONGEST_ENTRY = 16 << 20

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_PARQUET = b"PAR1"

# What people hand over by mistake, by its first bytes.
_OTHER_KINDS = {
    b"PK\x03\x04": "a ZIP archive (or an office file); unpack it first",
    b"BZh": "packed with bzip2; unpack it, or pack it with gzip or zstd",
    b"\xfd7zXZ": "packed with xz; unpack it, or pack it with gzip or zstd",
    b"%PDF": "a PDF; titles and abstracts are read from text",
    b"SQLite format 3": "an SQLite database; export a table as CSV or JSON Lines",
    codecs.BOM_UTF16_LE: "UTF-16 text; save it as UTF-8",
    codecs.BOM_UTF16_BE: "UTF-16 text; save it as UTF-8",
}
_SUFFIXES = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".txt": "page",
    ".text": "page",
    ".xml": "xml",
    ".atom": "xml",
    ".html": "html",
    ".htm": "html",
    ".bib": "bibtex",
    ".bibtex": "bibtex",
    ".ris": "ris",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_PACKED = (".gz", ".zst", ".zstd")
_OBJECT = re.compile(r'\s*\{\s*["}]')
_ARRAY = re.compile(r"\s*\[\s*(?:[\[{\]]|$)")
# An answer of a service: an object that holds a list of papers and, before it, no more than counts
# and names.
ENVELOPE = re.compile(
    r"""\s*\{
    (?:\s*"(?!(?:title|abstract|summary)")[^"\\]*"\s*:\s*
       (?:"(?:[^"\\]|\\.)*"|[-+.\deE]+|true|false|null)\s*,)*
    \s*"(?:notes|submissions|data|items|papers|results|dailyPapers)"\s*:\s*\[\s*(?=[{\]])""",
    re.VERBOSE,
)
_MARKUP = re.compile(r"\s*<[!?a-zA-Z]")
_HTML = re.compile(r"<(?:!doctype\s+)?html\b|<(?:head|body|article)\b", re.IGNORECASE)
_HTML_BEGINS = 2000
_HEADS = {
    "bibtex": re.compile(r"(?:\s|%.*\n)*@\s*[a-zA-Z]+\s*[{(]"),
    "ris": re.compile(r"\s*TY  ?- "),
}


class SourceError(PipelineError):
    """A source, or the rest of it, cannot be read; `position` says from where on."""

    def __init__(self, reason: str, position: str = "") -> None:
        super().__init__(reason)
        self.position = position


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its end. Of one longer than allowed there is only the beginning."""

    number: int
    content: bytes
    too_long: bool = False

    @property
    def position(self) -> str:
        """The place as a reject names it."""
        return f"line {self.number}"

    @property
    def text(self) -> str:
        """The line as text; bytes that are not UTF-8 are kept apart, see `is_undecodable`."""
        return self.content.decode("utf-8", "surrogateescape")


def named_format(name: str) -> str | None:
    """The format a file's name promises, or none."""
    lower = name.lower()
    for packed in _PACKED:
        lower = lower.removesuffix(packed)
    return next((kind for suffix, kind in _SUFFIXES.items() if lower.endswith(suffix)), None)


def unpacked(file: IO[bytes]) -> Iterator[bytes]:
    """The pieces of a file, out of gzip or zstd where it is packed, whatever its name says."""
    head, pieces = peek(_pieces(file))
    if head.startswith(_GZIP):
        return _gunzip(pieces)
    if head.startswith(_ZSTD):
        return _unzstd(pieces)
    return pieces


def peek(pieces: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first 64 kB or so, without a byte order mark, and the same pieces from there again."""
    head = b""
    broken: SourceError | None = None
    try:
        for piece in pieces:
            head += piece
            if len(head) >= PIECE:
                break
    except SourceError as error:
        broken = error
    head = head.removeprefix(codecs.BOM_UTF8)

    def again() -> Iterator[bytes]:
        yield head
        if broken:
            raise broken
        yield from pieces

    return head, again()


def recognise(head: bytes, name: str, format: str | None) -> str:
    """The format of a source, from its name and its first piece; SourceError if it has none."""
    if not head.strip():
        raise SourceError("empty: there is nothing in it")
    promised = format or named_format(name)
    if head.startswith(_PARQUET) or promised == "parquet":
        return "parquet"
    text = _decoded(head)
    if format or promised in ("csv", "tsv"):
        return format or str(promised)
    line = text.lstrip().partition("\n")[0].strip()
    if _ARRAY.match(text):
        return "json"
    if _OBJECT.match(text):
        if ENVELOPE.match(text) and promised != "jsonl":
            return "json"
        # An object spread over many lines does not survive their being read one by one.
        return "jsonl" if promised == "jsonl" or line.endswith("}") else "json"
    if promised in ("json", "jsonl"):
        return promised
    if _MARKUP.match(text):
        return "html" if _HTML.search(text[:_HTML_BEGINS]) else "xml"
    if promised in ("bibtex", "ris", "xml", "html"):
        return promised
    if found := next((kind for kind, head in _HEADS.items() if head.match(text)), None):
        return found
    for delimiter, kind in (("\t", "tsv"), (",", "csv"), (";", "csv")):
        columns = [column.strip(' "').lower() for column in line.split(delimiter)]
        if len(columns) > 1 and has_abstract(columns):
            return kind
    return "page"


def _decoded(head: bytes) -> str:
    """The first piece as text; SourceError where it is none."""
    for magic, kind in _OTHER_KINDS.items():
        if head.startswith(magic):
            raise _not_text(kind)
    # The piece may end inside a character, which the incremental decoder leaves out.
    text = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode(head)
    wrong = sum("\udc80" <= character <= "\udcff" for character in text)
    if wrong and ("\0" in text or wrong > 0.3 * len(text)):
        raise _not_text("binary, or not UTF-8")
    if text.count("\0") > 0.3 * len(text):
        raise _not_text("binary, or UTF-16; save it as UTF-8")
    return text


def _not_text(kind: str) -> SourceError:
    return SourceError(f"not a text that can be read: it is {kind}", "byte 0")


def lines(pieces: Iterator[bytes]) -> Iterator[Line]:
    """The lines of a text, numbered from 1; of a line over 16 MB only the beginning is kept.

    A source that breaks off inside a line breaks off before it: half an abstract is none.
    """
    number, begun, size = 1, list[bytes](), 0

    def line() -> Line:
        if size > LONGEST_ENTRY:
            return Line(number, b"".join(begun)[: 4 * EXCERPT], too_long=True)
        return Line(number, b"".join(begun))

    for piece in pieces:
        for part in piece.splitlines(keepends=True) if b"\r" not in piece else _at_newlines(piece):
            size += len(part)
            if size <= LONGEST_ENTRY or not begun:
                begun.append(part)
            if part.endswith(b"\n"):
                yield line()
                number, begun, size = number + 1, [], 0
    if begun:
        yield line()


def _at_newlines(piece: bytes) -> Iterator[bytes]:
    """The piece cut after each newline, and only there: a lone CR does not end a line."""
    start = 0
    while end := piece.find(b"\n", start) + 1:
        yield piece[start:end]
        start = end
    if start < len(piece):
        yield piece[start:]


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    read = 0
    while True:
        try:
            piece = file.read(PIECE)
        except OSError as error:
            raise SourceError(
                f"cannot be read on: {error.strerror or error}", f"byte {read}"
            ) from error
        if not piece:
            return
        read += len(piece)
        yield piece


def _steps(pieces: Iterator[bytes], size: int) -> Iterator[tuple[int, bytes]]:
    """The pieces in steps of so many bytes, each with its place.

    A few packed bytes may unpack to megabytes, which come in one piece.
    """
    at = 0
    for piece in pieces:
        for start in range(0, len(piece), size):
            yield at + start, piece[start : start + size]
        at += len(piece)


def _gunzip(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """What a gzip file of one or more members holds, up to where it is damaged or ends."""
    # The standard library's GzipFile loses what it has unpacked of a piece when the piece is
    # damaged, and cannot say where that was.
    member = zlib.decompressobj(wbits=31)
    at = 0
    for start, step in _steps(pieces, 1024):
        data = step
        while data:
            if member.eof:
                data = data.lstrip(b"\0")  # tapes and some tools fill up with zeros
                if not data:
                    break
                member = zlib.decompressobj(wbits=31)
            try:
                piece = member.decompress(data, PIECE)
            except zlib.error as error:
                raise SourceError(f"gzip is damaged: {error}", f"byte {start}") from error
            if piece:
                yield piece
            data = member.unused_data if member.eof else member.unconsumed_tail
        at = start + len(step)
    if not member.eof:
        raise SourceError("gzip is cut off: it ends before its end mark", f"byte {at}")


def _unzstd(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """What a zstd file of one or more frames holds, up to where it is damaged or ends."""
    unpacker = zstandard.ZstdDecompressor()
    frame = unpacker.decompressobj()
    at = 0
    for start, step in _steps(pieces, 256):
        data = step
        while data:
            if frame.eof:
                frame = unpacker.decompressobj()
            try:
                piece = frame.decompress(data)
            except zstandard.ZstdError as error:
                raise SourceError(f"zstd is damaged: {error}", f"byte {start}") from error
            if piece:
                yield piece
            data = frame.unused_data if frame.eof else b""
        at = start + len(step)
    if not frame.eof:
        raise SourceError("zstd is cut off: it ends before its end mark", f"byte {at}")
