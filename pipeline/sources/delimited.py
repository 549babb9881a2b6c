"""Papers as CSV or TSV, with a first line of column names."""

from __future__ import annotations

import csv
import itertools
from collections import deque
from collections.abc import Iterator

from pipeline.sources.fields import EXCERPT, Fault, Record, by_column, has_abstract, is_undecodable
from pipeline.sources.streams import LONGEST_ENTRY, Line, SourceError, lines

_DELIMITERS = {"csv": (",", ";", "\t"), "tsv": ("\t", ",", ";")}


def read_delimited(pieces: Iterator[bytes], kind: str) -> Iterator[Record | Fault]:
    """The rows of a table; its first line says the columns, and what stands between them.

    A row may go over several lines inside quotes. Where the quotes do not come out, the line it
    begins in is a fault and reading goes on with the next. In TSV such a line is taken as it
    stands if it has the right number of columns: many programs write TSV without quoting.
    """
    # Python's own limit is 128 kB, and one for the whole process; ours is kept by _Rows.
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_ENTRY))
    rows = _Rows(lines(pieces), kind)
    while found := rows.next_row():
        line, row = found
        if isinstance(row, Fault):
            yield row
        elif any(map(is_undecodable, row)):
            yield Fault(line.position, "not UTF-8", line.text[:EXCERPT])
        elif any(row):
            # Of columns with the same name the first counts, as everywhere.
            values = dict(reversed(list(zip(rows.columns, row, strict=True))))
            yield Record(line.position, by_column(values), line.text[:EXCERPT])
    if rows.broken:
        raise rows.broken


class _Rows:
    """The lines of a table, given to Python's reader so that none is lost when it trips."""

    def __init__(self, found: Iterator[Line], kind: str) -> None:
        self.broken: SourceError | None = None
        self.columns: list[str] = []
        # Lines before the names of the columns may be blank.
        self._lines = itertools.dropwhile(lambda line: not line.content.strip(), found)
        self._waiting: deque[Line] = deque()
        self._taken: list[Line] = []
        self._size = 0
        self._delimiter = ""
        first = ""
        for self._delimiter in _DELIMITERS[kind]:
            try:
                columns = self._parse()
            except csv.Error:
                columns = None
            first = self._taken[0].text.strip() if self._taken else ""
            if columns and has_abstract([name.strip().lower() for name in columns]):
                self.columns = columns
                return
            self._put_back(0)
        if self.broken:
            raise self.broken
        raise SourceError(
            f"no column 'abstract' or 'summary'; the first line is: {first[:200]}", "line 1"
        )

    def next_row(self) -> tuple[Line, list[str] | Fault] | None:
        """The next row, or why it is none, and the line it begins in."""
        try:
            row = self._parse()
        except csv.Error as error:
            row, reason = None, f"not a row: {error}"
        else:
            if row is None:
                return None
            if len(self._taken) > 1 and all(map(self._plain, self._taken)):
                # In TSV without quoting a quote at the beginning of a field is just a quote.
                row = self._plain(self._taken[0])
                self._put_back(1)
            while len(row) > len(self.columns) and not row[-1]:
                row.pop()
            if not row or len(row) == len(self.columns):
                return self._taken[0], row
            reason = f"{len(row)} columns where the first line names {len(self.columns)}"
        first = self._taken[0]
        self._put_back(1)
        if first.too_long:
            return first, Fault(first.position, "longer than 16 MB", first.text)
        return first, self._plain(first) or Fault(first.position, reason, first.text)

    def _plain(self, line: Line) -> list[str]:
        """The fields of a line of TSV without quoting; none if it has not the right number."""
        fields = line.text.rstrip("\r\n").split("\t") if self._delimiter == "\t" else []
        return fields if len(fields) == len(self.columns) > 1 else []

    def _parse(self) -> list[str] | None:
        self._taken, self._size = [], 0
        return next(csv.reader(self, delimiter=self._delimiter, strict=True), None)

    def _put_back(self, start: int) -> None:
        self._waiting.extendleft(reversed(self._taken[start:]))

    def __iter__(self) -> _Rows:
        return self

    def __next__(self) -> str:
        if self._waiting:
            line = self._waiting.popleft()
        else:
            try:
                line = next(self._lines)
            except SourceError as error:
                self.broken = error
                raise StopIteration from error
        self._taken.append(line)
        self._size += len(line.content)
        if line.too_long or self._size > LONGEST_ENTRY:
            raise csv.Error("it is longer than 16 MB, or a quote is not closed")
        return line.text
