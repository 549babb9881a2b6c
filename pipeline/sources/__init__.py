"""In: papers, and a reject with its reason for whatever is none, from files of many formats.

`read` gives both as they come, holding little: of a source one entry, of a paper its id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.records import Paper, PipelineError, Reject
from pipeline.sources.fields import Record, excerpt_of, paper_of, reject, writable
from pipeline.sources.files import STANDARD_INPUT, find_files, read_file
from pipeline.sources.streams import SourceError

__all__ = ["FORMATS", "read", "read_each"]

FORMATS: tuple[str, ...] = (
    "page",  # a daily-papers page saved as text
    "html",  # a daily-papers page saved as it is
    "jsonl",  # JSON Lines: one object to a line
    "json",  # a JSON array of objects, or an answer of a service around one
    "csv",  # with a first line of column names; between them , or ;
    "tsv",  # likewise; between them a tab
    "parquet",
    "xml",  # an Atom feed, an answer of OAI-PMH, or a file of the ACL Anthology
    "bibtex",
    "ris",
)


def read(
    sources: Sequence[str | Path], format: str | None = None, year: int | None = None
) -> Iterator[Paper | Reject]:
    """The papers of these files, folders, globs and `-` (standard input), each id once.

    The format of each file is recognised unless it is given. `year` is that of pages that tell only
    day and month. A paper whose id has come before is a reject, which tells whether its text is the
    same; for this some 200 bytes are held for every paper.
    """
    return _each_id_once(_located(sources, format, year))


def read_each(
    sources: Sequence[str | Path], format: str | None = None, year: int | None = None
) -> Iterator[Paper | Reject]:
    """As `read`, for those who settle themselves which of the papers of one id to take."""
    return (found for _, found in _located(sources, format, year))


_Located = tuple[str, Paper | Reject]


def _located(
    sources: Sequence[str | Path], format: str | None, year: int | None
) -> Iterator[_Located]:
    """Papers and rejects with their positions. What is asked wrongly is told before reading."""
    if format is not None and format not in FORMATS:
        raise PipelineError(f"'{format}' is no format; there are {', '.join(FORMATS)}")
    return _read_all([str(source) for source in sources], format, year)


def _read_all(sources: list[str], format: str | None, year: int | None) -> Iterator[_Located]:
    done: set[str] = set()
    for source in sources:
        try:
            names = find_files(source, format)
        except SourceError as error:
            yield "", Reject(writable(source), "", writable(str(error)), "")
            continue
        for name in names:
            path = name if name == STANDARD_INPUT else str(Path(name).resolve())
            if path not in done:  # a file that two of the sources name is read once
                done.add(path)
                yield from _read_one(name, format, year)


def _read_one(name: str, format: str | None, year: int | None) -> Iterator[_Located]:
    source = writable(name)
    is_silent = True
    try:
        for entry in read_file(name, format, year):
            is_silent = False
            if isinstance(entry, Record):
                yield entry.position, paper_of(entry, source)
            else:
                yield entry.position, reject(entry, source, entry.reason)
    except SourceError as error:
        yield error.position, Reject(source, error.position, writable(str(error)), "")
    else:
        if is_silent:
            yield "", Reject(source, "", "no paper in it", "")


def _each_id_once(found: Iterator[_Located]) -> Iterator[Paper | Reject]:
    texts: dict[str, bytes] = {}
    for position, paper in found:
        if isinstance(paper, Reject):
            yield paper
            continue
        text = f"{paper.title}\0{paper.abstract}".encode()
        digest = hashlib.blake2b(text, digest_size=16).digest()
        known = texts.setdefault(paper.paper_id, digest)
        if known is digest:
            yield paper
            continue
        reason = (
            "duplicate of a paper already read" if known == digest else "same id with other text"
        )
        excerpt = excerpt_of(f"{paper.paper_id} | {paper.title} | {paper.abstract}")
        yield Reject(paper.source, position, reason, excerpt)
