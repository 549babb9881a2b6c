"""Which files the user means, and each of them opened: its records in the order they stand."""

from __future__ import annotations

import glob
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO

from pipeline.sources.delimited import read_delimited
from pipeline.sources.fields import Fault, Record
from pipeline.sources.html_page import read_html
from pipeline.sources.json_text import read_json, read_jsonl
from pipeline.sources.page import read_page
from pipeline.sources.parquet import read_parquet
from pipeline.sources.references import read_bibtex, read_ris
from pipeline.sources.streams import SourceError, named_format, peek, recognise, unpacked
from pipeline.sources.xml_text import read_xml

STANDARD_INPUT = "-"


def find_files(source: str, format: str | None) -> list[str]:
    """The files a source stands for, in order; SourceError when there are none.

    In a folder, and in what is below it, these are the files whose names promise a format, or all
    of them where a format is given. Hidden files and folders are left out.
    """
    path = Path(source)
    if source == STANDARD_INPUT:
        return [source]
    try:
        if path.is_dir():
            found = _below(path, format)
            if not found:
                raise SourceError(
                    "nothing readable in this folder: files ending in .jsonl, .json, .csv, .tsv, "
                    ".parquet, .xml, .bib, .ris, .html or .txt are read, packed as .gz or .zst or "
                    "not"
                )
            return found
        if path.exists():
            return [source]
        if not glob.has_magic(source):
            raise SourceError("no such file or folder")
        found = []
        for match in sorted(glob.glob(source, recursive=True)):  # noqa: PTH207, for absolute ones
            found += _below(Path(match), format) if Path(match).is_dir() else [match]
    except (OSError, ValueError) as error:
        raise SourceError(f"no name of a file: {error}") from error
    if not found:
        raise SourceError("no file matches this pattern")
    return list(dict.fromkeys(found))


def _below(folder: Path, format: str | None) -> list[str]:
    found = []
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [
            str(Path(root, name))
            for name in sorted(names)
            if not name.startswith(".") and (format or named_format(name))
        ]
    return found


def read_file(name: str, format: str | None, year: int | None) -> Iterator[Record | Fault]:
    """The records of one file or of standard input, and what in it is none.

    SourceError where it breaks off; what stands before the break has been given by then.
    """
    with _opened(name) as file:
        head, pieces = peek(unpacked(file))
        kind = recognise(head, name, format)
        if kind == "parquet":
            with _seekable(file, pieces) as whole:
                yield from read_parquet(whole)
        elif kind == "jsonl":
            yield from read_jsonl(pieces)
        elif kind == "json":
            yield from read_json(pieces)
        elif kind == "xml":
            yield from read_xml(pieces)
        elif kind == "html":
            yield from read_html(pieces, year)
        elif kind == "bibtex":
            yield from read_bibtex(pieces)
        elif kind == "ris":
            yield from read_ris(pieces)
        elif kind == "page":
            yield from read_page(pieces, year)
        else:
            yield from read_delimited(pieces, kind)


def _opened(name: str) -> AbstractContextManager[IO[bytes]]:
    if name == STANDARD_INPUT:
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise SourceError(f"cannot be opened: {error.strerror or error}") from error


def _seekable(file: IO[bytes], pieces: Iterator[bytes]) -> AbstractContextManager[IO[bytes]]:
    """The whole of a Parquet file, which is read from its end: what cannot be is put on disk."""
    if file.seekable():
        file.seek(0)
        if file.read(4) == b"PAR1":
            return nullcontext(file)
        file.seek(0)
        _, pieces = peek(unpacked(file))
    whole = tempfile.TemporaryFile()  # noqa: SIM115, closed by who reads it
    for piece in pieces:
        whole.write(piece)
    return whole
