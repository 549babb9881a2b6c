"""Papers as JSON: one object to a line, or an array of objects, or objects one after the other.

An answer of a service, which is an object around such an array, is read as that array.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import replace

from pipeline.sources.fields import COLUMNS, EXCERPT, Fault, Record, is_undecodable
from pipeline.sources.services import of_service
from pipeline.sources.streams import ENVELOPE, LONGEST_ENTRY, PIECE, Line, SourceError, lines

_BLANKS = re.compile(r"[\s,]*")
# So much of what lies ahead is seen where an envelope may begin.
_AHEAD = 4096
# Where the next object may begin after a broken one. Inside a string a quote is written \", so
# this is no part of a string; and after a colon it is a value of the broken one.
_BEGINNING = re.compile(r'(?<!:)(?<!: )\{\s*"')
_OF_A_PAPER = re.compile(r'\{[^{}]*"(?:title|abstract|summary)"\s*:', re.IGNORECASE)
# So near the end an error may come of a text that goes on: -Infinity, \ud83d.
_NEAR_END = 16
# Python's reader gives up at a depth that takes more characters than this.
_DEEP = 400


def _whole(digits: str) -> int | float:
    # Python refuses to read integers of more than 4300 digits, which is no reason to lose a paper.
    return int(digits) if len(digits) < 4000 else float(digits)


# Not strict: line breaks and other control characters may stand in strings as they are.
_DECODER = json.JSONDecoder(strict=False, parse_int=_whole)


def read_jsonl(pieces: Iterator[bytes]) -> Iterator[Record | Fault]:
    """The objects of JSON Lines. A line that is none is a fault, and the next is read."""
    for line in lines(pieces):
        if not line.too_long and ENVELOPE.match(line.text):
            for entry in read_json(iter([line.content])):
                yield replace(entry, position=f"{line.position}, {entry.position}")
        elif line.too_long or line.content.strip():
            yield _of_line(line)


def _of_line(line: Line) -> Record | Fault:
    text = line.text.strip()
    if line.too_long:
        return Fault(line.position, "longer than 16 MB", text)
    if is_undecodable(text):
        return Fault(line.position, "not UTF-8", text)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        return Fault(line.position, f"not valid JSON: {error.msg}", text)
    except RecursionError:
        return Fault(line.position, "not valid JSON: nested too deep", text)
    if not isinstance(value, dict):
        return Fault(line.position, "not a JSON object", text)
    return Record(line.position, of_service(value), text[:EXCERPT])


def read_json(pieces: Iterator[bytes]) -> Iterator[Record | Fault]:
    """The objects of a JSON array, or of one object after the other, one at a time.

    Where one is broken, reading goes on where the next seems to begin.
    """
    window = _Window(pieces)
    number = 0
    lost = False
    while window.find_entry():
        entry, lost_here = window.take(f"entry {number + 1}")
        if lost_here and window.broken and window.is_at_end:
            break  # why it is not whole is told by the break
        if lost and not _is_paper(entry):
            continue  # a part of the broken entry, which has been told of
        lost = lost_here
        number += 1
        yield entry
    if window.broken:
        raise window.broken
    if window.is_open and not lost:
        yield Fault(f"entry {number}", "the array is not closed: the file seems to be cut off")


def _is_paper(entry: Record | Fault) -> bool:
    if isinstance(entry, Record):
        return any(name in entry.values for name in (*COLUMNS["title"], *COLUMNS["abstract"]))
    return _OF_A_PAPER.match(entry.text) is not None


class _Window:
    """The stretch of a JSON text being read, which grows to hold an entry and moves on."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.broken: SourceError | None = None
        # The arrays that are open here, and of each whether it is that of an envelope.
        self._open: list[bool] = []
        self._pieces = pieces
        self._decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
        self._text = ""
        self._at = 0

    def find_entry(self) -> bool:
        """Go to the next entry; False at the end."""
        while True:
            blank = _BLANKS.match(self._text, self._at)
            assert blank is not None  # it may match nothing
            self._at = blank.end()
            if len(self._text) - self._at < _AHEAD and self._grow():
                continue
            if self._at == len(self._text):
                return False
            if self._text[self._at] == "[":
                self._open.append(False)
                self._at += 1
            elif self._text[self._at] == "]":
                self._at += 1
                if self._open and self._open.pop():
                    self._pass_end_of_envelope()
            elif begun := ENVELOPE.match(self._text, self._at):
                self._open.append(True)
                self._at = begun.end()
            else:
                return True

    def _pass_end_of_envelope(self) -> None:
        """Pass over what an envelope says after its array."""
        while True:
            rest = self._text[self._at :].lstrip()
            if rest.startswith("}"):
                self._at = len(self._text) - len(rest) + 1
                return
            if rest.startswith(","):
                try:
                    _, end = _DECODER.raw_decode("{" + rest[1:])
                except (json.JSONDecodeError, RecursionError):
                    pass
                else:
                    self._at = len(self._text) - len(rest) + end
                    return
            if len(rest) > LONGEST_ENTRY or not self._grow():
                return

    @property
    def is_open(self) -> bool:
        """Whether an array is still open here."""
        return bool(self._open)

    @property
    def is_at_end(self) -> bool:
        """Whether all there is has been passed."""
        return self._at == len(self._text)

    def take(self, position: str) -> tuple[Record | Fault, bool]:
        """The entry here, and whether the place where it ends was lost."""
        # Seen through a small window of its own, for what is told of an error takes time in
        # proportion to the text before it.
        size = PIECE
        while True:
            seen = self._text[self._at : self._at + size]
            try:
                value, end = _DECODER.raw_decode(seen)
            except json.JSONDecodeError as error:
                reason, further = f"not valid JSON: {error.msg}", max(error.pos, 1)
                if error.pos >= len(seen) - _NEAR_END or error.msg.startswith("Unterminated"):
                    if size > LONGEST_ENTRY:
                        reason = "longer than 16 MB"
                    elif len(self._text) > self._at + size or self._grow():
                        size *= 2
                        continue
            except RecursionError:
                reason, further = "not valid JSON: nested too deep", _DEEP
            else:
                break
            self._find_beginning(self._at + further)
            return Fault(position, reason, seen[:EXCERPT]), True
        text = seen[:end]
        self._at += end
        begun = text[:EXCERPT]
        if len(text) > LONGEST_ENTRY:
            return Fault(position, "longer than 16 MB", begun), False
        if is_undecodable(text):
            return Fault(position, "not UTF-8", begun), False
        if not isinstance(value, dict):
            return Fault(position, "not a JSON object", begun), False
        return Record(position, of_service(value), begun), False

    def _find_beginning(self, after: int) -> None:
        while (found := _BEGINNING.search(self._text, after)) is None:
            self._at = min(len(self._text), max(after, len(self._text) - _NEAR_END))
            if not self._grow():
                self._at = len(self._text)
                return
            after = self._at
        self._at = found.start()

    def _grow(self) -> bool:
        """Add a piece, or as much as there is already; False if there is no more."""
        # Doubling keeps the time for a long entry in proportion to its length.
        self._text = self._text[self._at :]
        self._at = 0
        added = [self._text]
        size, wanted = 0, max(PIECE, len(self._text))
        try:
            for piece in self._pieces:
                added.append(self._decode(piece))
                size += len(added[-1])
                if size >= wanted:
                    break
        except SourceError as error:
            self.broken = error
        if not size and (rest := self._decode(b"", True)):
            added.append(rest)
            size = len(rest)
        self._text = "".join(added)
        return size > 0
