"""Shards: some papers, extracted by whoever has a processor free, and written where they stay.

A shard is a file of papers in the place, named by a digest of what is in it; its rows go straight
to the files they will be published as. A note tells when that is done, and which files they are.
Whoever finds the note need not do the work again, even if the run that wanted it was killed.
"""

from __future__ import annotations

import functools
import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from pipeline import tables
from pipeline.places import WORK, Place, place_of
from pipeline.records import Extraction, Paper
from pipeline.store.manifest import INDEX, File, Part, StoreError, made_by, put_table
from pipeline.store.reading import index_table, paper_of_line

if TYPE_CHECKING:
    from pipeline.audit import Declared


@dataclass(frozen=True, slots=True)
class Shard:
    """Papers that are extracted together: how many, how many come before, and their digest."""

    number: int
    first: int
    count: int
    key: str

    @property
    def name(self) -> str:
        """The file of its papers."""
        return f"{WORK}/shards/{self.key}.jsonl"

    def note(self, maker: str) -> str:
        """The file that tells that it is done, with these rules and this code."""
        return f"{WORK}/done/{self.key}-{maker}.json"


@dataclass(frozen=True, slots=True)
class ShardCounts:
    """Rows per table that one shard gave, how many papers had to be extracted, and how long."""

    number: int
    rows: Mapping[str, int]
    extracted: int
    seconds: float = 0.0


def shard_of(number: int, first: int, lines: Sequence[bytes]) -> Shard:
    """The shard of these papers."""
    return Shard(number, first, len(lines), hashlib.sha256(b"".join(lines)).hexdigest()[:32])


def extract_shard(
    address: str,
    shard: Shard,
    rules_folders: tuple[str, ...],
    fingerprint: str,
    progress: Callable[[int], object] | None = None,
) -> ShardCounts:
    """Extract and audit the papers of one shard, and write its part of every table into the place.

    May be done again after a failure. A paper whose extraction fails is told in the note.
    `progress` is called with the papers of the shard done so far. Raises StoreError where the rules
    are not those of the fingerprint any more.
    """
    began = time.monotonic()
    place = place_of(address)
    maker = made_by(fingerprint)
    if (done := done_already(place, shard, maker)) is not None:
        return ShardCounts(shard.number, rows_of(done), 0)
    # Here and not above: spaCy takes a second to import, and not every command extracts.
    from pipeline import audit  # noqa: PLC0415
    from pipeline.extract import extractor_for  # noqa: PLC0415

    extractor = extractor_for(rules_folders)
    if extractor.rules.fingerprint != fingerprint:
        # A process that outlives a run may hold the rules of an earlier one.
        extractor_for.cache_clear()
        extractor = extractor_for(rules_folders)
    if extractor.rules.fingerprint != fingerprint:
        raise StoreError(
            f"{', '.join(rules_folders) or 'rules'}: changed while the run was under way; "
            "run again (nothing was published)"
        )
    papers = read_shard(place, shard)
    extractions: list[Extraction] = []
    failed: dict[str, str] = {}
    for number, paper in enumerate(papers, start=1):
        try:
            extractions.append(extractor.extract(paper))
        except Exception as error:
            failed[paper.paper_id] = _told(error)
        if progress:
            progress(number)
    declared = _declared(rules_folders, fingerprint)

    def rows(some: Sequence[Extraction]) -> dict[str, pa.Table]:
        read = tables.rows(some)
        return read | {"gains": audit.checked(read, declared)}

    made, refused = _rows(extractions, rows)
    failed |= refused
    kept = [paper for paper in papers if paper.paper_id not in failed]
    part = put_part(place, made | {INDEX: index_table(kept)})
    note = json.dumps(_note(part, failed)).encode()
    place.write(shard.note(maker), note)
    return ShardCounts(shard.number, rows_of(part), len(papers), time.monotonic() - began)


@functools.lru_cache(maxsize=2)
def _declared(rules_folders: tuple[str, ...], _fingerprint: str) -> Declared:
    """What these rules declare, read once for all shards of a process."""
    from pipeline.audit import Declared  # noqa: PLC0415
    from pipeline.extract import extractor_for  # noqa: PLC0415

    return Declared(lambda: extractor_for(rules_folders).rules)


def put_part(place: Place, made: Mapping[str, pa.Table]) -> Part:
    """Write a part of all tables; the papers stand in the order of their ids."""
    with place.scratch() as scratch:
        files = {name: put_table(place, scratch, name, [table]) for name, table in made.items()}
    ids = made[INDEX].column("paper_id")
    count = len(ids)
    first, last = (ids[0].as_py(), ids[count - 1].as_py()) if count else ("", "")
    return Part(first, last, count, files)


def rows_of(part: Part) -> dict[str, int]:
    """Rows per table of a part."""
    return {name: part.files[name].rows for name in tables.EXTRACTED}


def noted(place: Place, shard: Shard, maker: str) -> tuple[Part, dict[str, str]]:
    """What a shard that has been extracted gave, and why the papers failed that did."""
    note = json.loads(place.read(shard.note(maker)))
    files = {
        table: File(table, sha256, rows, size)
        for table, (sha256, rows, size) in note["files"].items()
    }
    return Part(note["first"], note["last"], note["papers"], files), note["failed"]


def done_already(place: Place, shard: Shard, maker: str) -> Part | None:
    """What this shard gave, if it has been extracted and its files are all there.

    Anyone might have emptied the place in between, and a disk may lose what a power cut met.
    """
    try:
        part, _ = noted(place, shard, maker)
        whole = all(
            hashlib.sha256(place.read(file.name)).hexdigest() == file.sha256
            for file in part.files.values()
        )
    except (FileNotFoundError, ValueError, KeyError):
        return None
    return part if whole else None


def _note(part: Part, failed: Mapping[str, str]) -> dict[str, object]:
    return {
        "first": part.first,
        "last": part.last,
        "papers": part.papers,
        "files": {name: [file.sha256, file.rows, file.bytes] for name, file in part.files.items()},
        "failed": failed,
    }


def _rows(
    extractions: Sequence[Extraction], rows: Callable[[Sequence[Extraction]], dict[str, pa.Table]]
) -> tuple[dict[str, pa.Table], dict[str, str]]:
    """The rows of all papers; where there is a paper whose rows cannot be, why."""
    try:
        return rows(extractions), {}
    except Exception:
        kept = []
        failed = {}
        for extraction in extractions:
            try:
                rows([extraction])
            except Exception as error:
                failed[extraction.paper.paper_id] = _told(error)
            else:
                kept.append(extraction)
        return rows(kept), failed


def _told(error: Exception) -> str:
    return f"extraction failed: {type(error).__name__}: {error}"[:500]


def read_shard(place: Place, shard: Shard) -> list[Paper]:
    """The papers of a shard."""
    return [paper_of_line(told) for told in place.read(shard.name).splitlines(keepends=True)]
