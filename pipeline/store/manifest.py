"""What a snapshot is made of: its files by part and table, with their digests and row counts."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import tables
from pipeline.places import MANIFEST, SNAPSHOTS, Place
from pipeline.records import PipelineError
from pipeline.rules import rules_folder

SCHEMA_VERSION = 1
"""Goes up when a column changes its meaning or the bookkeeping its shape; then all is made anew."""

INDEX = "index"
HELD = "held"
SINGLE = ("rejects", "runs", HELD)

_KEY = pa.uint64()
INDEX_SCHEMA = pa.schema(
    [
        pa.field("paper_id", pa.string(), nullable=False),
        *(
            pa.field(name, _KEY, nullable=False)
            for name in ("text", "record", "source", "identity", "address", "title")
        ),
        pa.field("says", pa.uint8(), nullable=False),
    ],
    metadata={"description": "What a later run needs to know of each paper; for its own use."},
)
HELD_SCHEMA = pa.schema(
    [
        *INDEX_SCHEMA,
        *(
            pa.field(name, pa.string())
            for name in ("title_text", "abstract", "published", "url", "source_text")
        ),
        pa.field("same_as", pa.string()),
        pa.field("failure", pa.string()),
    ],
    metadata={
        "description": "Records that are no row of `papers`: another record of a paper, or one "
        "whose extraction failed. For the program's own use."
    },
)


class StoreError(PipelineError):
    """Tables that could not be written or published; what was published before still stands."""


@dataclass(frozen=True, slots=True)
class File:
    """One Parquet file, named in its place by what it holds."""

    table: str
    sha256: str
    rows: int
    bytes: int

    @property
    def name(self) -> str:
        """Its name in the place."""
        return f"parts/{self.table}/{self.sha256[:32]}.parquet"


@dataclass(frozen=True, slots=True)
class Part:
    """Some papers, one after the other by id, and a file of their rows for each table."""

    first: str
    last: str
    papers: int
    files: Mapping[str, File]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One snapshot. The parts stand in the order of their first papers."""

    run_id: str
    previous: str | None
    version: str | None
    rules_fingerprint: str
    made_by: str
    schema_version: int = SCHEMA_VERSION
    rows: Mapping[str, int] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    single: Mapping[str, File] = field(default_factory=dict)

    def files(self, table: str) -> list[tuple[str, File]]:
        """The files of a table in order, each with the name that readers see."""
        if table in self.single:
            found = [self.single[table]]
        else:
            found = [part.files[table] for part in self.parts]
        return [
            (f"part-{number:05d}-{file.sha256[:12]}.parquet", file)
            for number, file in enumerate(found)
        ]

    def all_files(self) -> Iterator[File]:
        """Every file, also those of the bookkeeping."""
        for part in self.parts:
            yield from part.files.values()
        yield from self.single.values()

    def content(self) -> tuple[object, ...]:
        """What tells one snapshot from another, less the run that made it."""
        single = {name: file for name, file in self.single.items() if name != "runs"}
        return self.made_by, self.schema_version, self.parts, single

    def to_bytes(self) -> bytes:
        """As JSON, for people and programs."""
        simple = (
            "run_id", "previous", "version", "rules_fingerprint", "made_by", "schema_version",
        )  # fmt: skip
        told: dict[str, Any] = {name: getattr(self, name) for name in simple}
        told["rows"] = dict(self.rows)
        told["files"] = {
            f"{table}/{name}": {"sha256": file.sha256, "rows": file.rows, "bytes": file.bytes}
            for table in (*tables.TABLES, INDEX, HELD)
            for name, file in self.files(table)
        }
        told["parts"] = [
            [part.first, part.last, part.papers, [f"{t}/{f.sha256}" for t, f in part.files.items()]]
            for part in self.parts
        ]
        told["single"] = {name: f"{name}/{file.sha256}" for name, file in self.single.items()}
        return json.dumps(told, indent=0, ensure_ascii=False).encode()


def read_manifest(place: Place, snapshot: str) -> Manifest:
    """The manifest of a snapshot. Raises StoreError where there is none, or it is damaged."""
    where = f"{place.address}/{SNAPSHOTS}/{snapshot}/{MANIFEST}"
    try:
        told = json.loads(place.read(f"{SNAPSHOTS}/{snapshot}/{MANIFEST}"))
    except FileNotFoundError:
        raise StoreError(
            f"{where}: missing; `paperclaims snapshots list` tells which snapshots there are"
        ) from None
    except ValueError as error:
        raise StoreError(f"{where}: damaged ({error})") from error
    try:
        return _parsed(told)
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{where}: not a manifest of this program ({error!r})") from error


def _parsed(told: dict[str, Any]) -> Manifest:
    files: dict[str, File] = {}
    for name, one in told.pop("files").items():
        table = name.partition("/")[0]
        files[f"{table}/{one['sha256']}"] = File(table, one["sha256"], one["rows"], one["bytes"])
    told["parts"] = tuple(
        Part(first, last, papers, {name.partition("/")[0]: files[name] for name in names})
        for first, last, papers, names in told["parts"]
    )
    told["single"] = {table: files[name] for table, name in told["single"].items()}
    if any(set(part.files) != {*tables.EXTRACTED, INDEX} for part in told["parts"]):
        raise ValueError("a part lacks a table")
    if set(told["single"]) != set(SINGLE):
        raise ValueError("a table is missing")
    return Manifest(**told)


def put_table(place: Place, scratch: Path, name: str, parts: Iterable[pa.Table]) -> File:
    """Write a table's file into the place under the name that its content gives it."""
    file = write_file(scratch, name, parts)
    take_file(place, scratch, file)
    return file


def write_file(scratch: Path, name: str, parts: Iterable[pa.Table]) -> File:
    """Write a table's file into this folder, whence `take_file` puts it in its place."""
    path = scratch / f"{name}.parquet"
    count = 0

    def counted() -> Iterator[pa.Table]:
        nonlocal count
        for part in parts:
            count += part.num_rows
            yield part

    if name in tables.TABLES:
        tables.write_table(name, counted(), path)
    else:
        schema = INDEX_SCHEMA if name == INDEX else HELD_SCHEMA
        with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=False) as writer:
            for part in counted():
                writer.write_table(part.combine_chunks())
    with path.open("rb") as written:
        digest = hashlib.file_digest(written, "sha256").hexdigest()
    return File(name, digest, count, path.stat().st_size)


def take_file(place: Place, scratch: Path, file: File) -> None:
    """Put the file that was written here in its place."""
    place.take(scratch / f"{file.table}.parquet", file.name)


def get_table(place: Place, file: File, columns: Sequence[str] | None = None) -> pa.Table:
    """A file's rows. Raises StoreError unless its bytes are those the manifest tells."""
    try:
        content = place.read(file.name)
        if hashlib.sha256(content).hexdigest() != file.sha256:
            raise OSError(_OTHER_BYTES)
        found = pq.read_table(io.BytesIO(content), columns=columns, use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise _damaged(place, file, error) from error
    return found


@contextlib.contextmanager
def opened(place: Place, file: File) -> Iterator[pq.ParquetFile]:
    """A file that is read piece by piece. Raises StoreError as `get_table` does."""
    with contextlib.ExitStack() as stack:
        try:
            content = stack.enter_context(place.open(file.name))
            # Whatever opens files in this world can fill a buffer.
            readable = cast("io.BufferedIOBase", content)
            if hashlib.file_digest(readable, "sha256").hexdigest() != file.sha256:
                raise OSError(_OTHER_BYTES)
            content.seek(0)
            found = stack.enter_context(pq.ParquetFile(content))
        except (OSError, pa.ArrowException) as error:
            raise _damaged(place, file, error) from error
        yield found


_OTHER_BYTES = "its bytes are not those that were written"


def _damaged(place: Place, file: File, error: Exception) -> StoreError:
    return StoreError(
        f"{place.address}/{file.name}: what was published before is damaged ({error}); "
        "`paperclaims verify` tells all that is, `paperclaims snapshots restore` goes back"
    )


def rules_fingerprint(folders: Sequence[str | Path]) -> str:
    """The fingerprint `load_rules` gives, without the second that it takes to check the rules."""
    digest = hashlib.sha256()
    for folder in (rules_folder(), *map(Path, folders)):
        for path in sorted(folder.glob("*.yaml")):
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def made_by(fingerprint: str) -> str:
    """What rows depend on besides their papers: the rules, and the code that applies them."""
    return hashlib.sha256(f"{fingerprint} {_code()} {SCHEMA_VERSION}".encode()).hexdigest()[:16]


@functools.cache
def _code() -> str:
    """A digest of the code that turns a paper into rows, and of the libraries that decide, too."""
    # Here and not above: it takes its time, and only a run needs it.
    from importlib.metadata import version  # noqa: PLC0415

    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for module in _EXTRACTING:
        path = package / module
        read = [path] if path.is_file() else [*path.rglob("*.py"), *path.rglob("*.json")]
        for file in sorted(read):
            digest.update(file.relative_to(package).as_posix().encode())
            digest.update(file.read_bytes())
    for library in ("spacy", "regex"):
        digest.update(f"{library} {version(library)}".encode())
    return digest.hexdigest()


_EXTRACTING = (
    "audit", "extract.py", "extractors", "fold.py", "language.py", "lexicon.py", "marks.py",
    "numbers.py", "records.py", "rules.py", "skeleton.py", "tables.py",
)  # fmt: skip
