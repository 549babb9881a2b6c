"""Snapshots after their run: listed, compared, checked, restored, pruned and compacted."""

from __future__ import annotations

import bisect
import datetime
import hashlib
import re
import uuid
from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline import tables
from pipeline.places import SNAPSHOTS, Folder, Place, place_of
from pipeline.store.manifest import (
    HELD,
    INDEX,
    File,
    Manifest,
    Part,
    StoreError,
    get_table,
    put_table,
    read_manifest,
)
from pipeline.store.publishing import (
    LARGEST_SHARD,
    explained,
    locked,
    prune,
    shard_sizes,
    sweep,
    turn,
)
from pipeline.store.shards import put_part

# What tells a row of a table from the others of its paper. Where two are alike, their order does.
ROW_KEYS: Mapping[str, tuple[str, ...]] = {
    "papers": (),
    "models": ("name",),
    "sizes": ("kind", "value"),
    "benchmarks": ("name",),
    "gains": ("field", "start", "end", "benchmark"),
    "links": ("url",),
    "numbers": ("field", "start", "end"),
}

# How much of the parts that are read together stays in memory.
KEPT_BYTES = 1 << 28

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One snapshot as it is listed."""

    run_id: str
    is_published: bool
    rows: Mapping[str, int]
    rules_fingerprint: str
    parts: int
    bytes: int
    own_bytes: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that one of two snapshots has, or both with other values; and what the text says."""

    table: str
    change: str
    paper_id: str
    old: Row | None
    new: Row | None
    sentence: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Which columns have other values; all places of rows that both have."""
        if self.old is None or self.new is None:
            return ()
        return tuple(name for name, value in self.new.items() if self.old[name] != value)


def snapshots(out: str | Path) -> list[Snapshot]:
    """All snapshots of a place, the oldest first; `own_bytes` are of files no earlier one has."""
    place = place_of(out)
    current = place.current()
    seen: set[str] = set()
    found = []
    for run_id in place.snapshots():
        manifest = read_manifest(place, run_id)
        files = {file.name: file.bytes for file in manifest.all_files()}
        own = sum(size for name, size in files.items() if name not in seen)
        seen |= files.keys()
        found.append(
            Snapshot(
                run_id,
                run_id == current,
                manifest.rows,
                manifest.rules_fingerprint,
                len(manifest.parts),
                sum(files.values()),
                own,
            )
        )
    return found


def chosen(place: Place, name: str) -> Manifest:
    """The snapshot of this id, or of the only id that begins so; `current` and `previous`, too."""
    every = place.snapshots()
    current = place.current()
    if name == "current":
        found = [current] if current in every else []
    elif name == "previous":
        before = read_manifest(place, current).previous if current in every and current else None
        found = [before] if before in every else []
    else:
        found = [one for one in every if one == name] or [
            one for one in every if one.startswith(name)
        ]
    if len(found) != 1 or found[0] is None:
        which = "several snapshots begin so" if found else "there is no such snapshot"
        raise StoreError(
            f"{place.address}, {name}: {which}; there are {', '.join(every) or 'none at all'}"
        )
    return read_manifest(place, found[0])


def restore(out: str | Path, name: str) -> str:
    """Publish an earlier snapshot again, after a check that it is whole; the others stay."""
    with locked_plainly(out) as place:
        manifest = chosen(place, name)
        if faults := list(_faults(place, manifest)):
            raise StoreError(
                f"{place.address}, {manifest.run_id}: not whole, and so not restored: {faults[0]}"
            )
        place.turn_back(manifest.run_id, tuple(tables.TABLES))
    return manifest.run_id


def prune_snapshots(out: str | Path, keep: int) -> list[str]:
    """Take away all but the last `keep` snapshots, and the files that only they had."""
    if keep < 1:
        raise StoreError(f"keep: {keep} is no number of snapshots; give 1 or more")
    with locked_plainly(out) as place:
        taken = prune(place, place.current() or "", keep)
        sweep(place)
    return taken


class _LockedPlace:
    """The lock of a place, whatever is published in it: a damaged one can be mended."""

    def __init__(self, out: str | Path) -> None:
        self._place = place_of(out)
        self._lock = self._place.locked()

    def __enter__(self) -> Place:
        if isinstance(self._place, Folder) and not self._place.root.is_dir():
            raise StoreError(f"{self._place.address}: no such folder")
        self._lock.__enter__()
        return self._place

    def __exit__(self, *error: Any) -> None:
        self._lock.__exit__(*error)


def locked_plainly(out: str | Path) -> _LockedPlace:
    """The place, while no run can publish there."""
    return _LockedPlace(out)


# --- verify


def verify(out: str | Path, *, every: bool = False) -> list[str]:
    """What is wrong with the published snapshot, or with all of them: nothing, if all is well."""
    place = place_of(out)
    current = place.current()
    if current is None:
        return [f"{place.address}: no snapshot is published here"]
    found: list[str] = []
    for run_id in place.snapshots() if every else [current]:
        try:
            found += _faults(place, read_manifest(place, run_id))
        except StoreError as error:
            found.append(str(error))
    return found


def _faults(place: Place, manifest: Manifest) -> Iterator[str]:
    rows: dict[str, int] = defaultdict(int)
    ids: list[str] = []
    for table in (*tables.TABLES, INDEX, HELD):
        for name, file in manifest.files(table):
            rows[table] += file.rows
            for where in _copies(place, manifest, table, name, file):
                if fault := _fault(place, where, file):
                    yield f"{place.address}/{where}: {fault}"
    for table, count in manifest.rows.items():
        if rows[table] != count:
            yield f"{manifest.run_id}, {table}: {rows[table]} rows, the manifest says {count}"
    if rows[INDEX] != rows["papers"]:
        yield f"{manifest.run_id}: {rows[INDEX]} papers in the bookkeeping, {rows['papers']} rows"
    for part in manifest.parts:
        try:
            found = get_table(place, part.files["papers"], ["paper_id"])[0].to_pylist()
        except StoreError:
            continue
        ids += found
        if (found[0], found[-1], len(found)) != (part.first, part.last, part.papers):
            yield f"{manifest.run_id}: a part does not hold the papers the manifest says"
        if found != sorted(found):
            yield f"{manifest.run_id}: papers of a part stand in another order than by their ids"
    if len(set(ids)) != len(ids):
        yield f"{manifest.run_id}: a paper is there twice"
    yield from _run_faults(place, manifest)


def _run_faults(place: Place, manifest: Manifest) -> Iterator[str]:
    try:
        last = get_table(place, manifest.single["runs"]).to_pylist()[-1]
    except StoreError:
        return
    told = (last["run_id"], last["rules_fingerprint"], last["version"])
    if told != (manifest.run_id, manifest.rules_fingerprint, manifest.version):
        yield f"{manifest.run_id}: the last row of `runs` is of another run, rules or version"


def _copies(place: Place, manifest: Manifest, table: str, name: str, file: File) -> Iterator[str]:
    yield file.name
    if isinstance(place, Folder) and table in tables.TABLES:
        link = f"{SNAPSHOTS}/{manifest.run_id}/{table}/{name}"
        shared = place.root / file.name
        if not (place.root / link).exists() or not (
            shared.exists() and shared.samefile(place.root / link)
        ):
            yield link


def _fault(place: Place, name: str, file: File) -> str:
    try:
        content = place.read(name)
    except FileNotFoundError:
        return "missing"
    if len(content) != file.bytes:
        return f"has {len(content):,} bytes, not {file.bytes:,}"
    if hashlib.sha256(content).hexdigest() != file.sha256:
        return "its bytes are not those that were written"
    try:
        metadata = pq.read_metadata(pa.BufferReader(content))
    except pa.ArrowException as error:
        return f"not readable as Parquet ({error})"
    if metadata.num_rows != file.rows:
        return f"has {metadata.num_rows:,} rows, not {file.rows:,}"
    if file.table in tables.TABLES:
        schema = metadata.schema.to_arrow_schema()
        if not schema.equals(tables.TABLES[file.table], check_metadata=False):
            return "its columns are not those of this version"
    return ""


# --- compact


def compact(out: str | Path) -> str | None:
    """Cut the published papers as one run over all of them would, byte for byte.

    Gives the id of the new snapshot, or None where nothing is to be done.
    """
    with locked(out) as desk, explained(out):
        place, base = desk.place, desk.base
        if base is None:
            raise StoreError(f"{place.address}: no snapshot is published here")
        held = get_table(place, base.single[HELD])
        failed = pc.filter(held.column("paper_id"), pc.is_valid(held.column("failure")))
        ids: list[str] = failed.to_pylist()
        for part in base.parts:
            ids += get_table(place, part.files[INDEX], ["paper_id"])[0].to_pylist()
        ids.sort()
        reader = _Ranges(place, base.parts)
        parts = []
        first = 0
        for size in shard_sizes(len(ids)):
            made = reader.part(ids[first], ids[first + size - 1])
            if made is not None:
                parts.append(made)
            first += size
        manifest = replace(base, parts=tuple(parts))
        if manifest.parts == base.parts:
            sweep(place)
            return None
        now = datetime.datetime.now(datetime.UTC)
        manifest = replace(
            manifest,
            run_id=f"{now:%Y%m%dT%H%M%S%fZ}-{uuid.uuid4().hex[:8]}",
            previous=base.run_id,
        )
        manifest = _with_compaction(place, desk.scratch, manifest, now)
        turn(place, manifest)
        sweep(place)
        return manifest.run_id


def _with_compaction(
    place: Place, scratch: Path, manifest: Manifest, now: datetime.datetime
) -> Manifest:
    runs = get_table(place, manifest.single["runs"])
    row = runs.slice(runs.num_rows - 1).to_pylist()[0]
    zero = dict.fromkeys(("read", "new", "changed", "removed", "rejected"), 0)
    row |= {**zero, "run_id": manifest.run_id, "started": now, "sources": []}
    row["unchanged"] = manifest.rows["papers"]
    row["finished"] = datetime.datetime.now(datetime.UTC)
    row["seconds"] = (row["finished"] - now).total_seconds()
    both = pa.concat_tables([runs, pa.Table.from_pylist([row], schema=runs.schema)])
    file = put_table(place, scratch, "runs", [both])
    return replace(
        manifest,
        single={**manifest.single, "runs": file},
        rows={**manifest.rows, "runs": both.num_rows},
    )


class _Ranges:
    """The rows of some parts by ranges of ids, whatever parts they stand in."""

    def __init__(self, place: Place, parts: Sequence[Part]) -> None:
        self._place = place
        self._parts = parts
        self._firsts = [part.first for part in parts]
        # Parts of small runs reach over most ranges: each is read once, as far as memory goes.
        self._kept: OrderedDict[str, pa.Table] = OrderedDict()
        self._bytes = 0

    def _get(self, file: File) -> pa.Table:
        found = self._kept.pop(file.name, None)
        if found is None:
            found = get_table(self._place, file)
            self._bytes += found.nbytes
        self._kept[file.name] = found
        while self._bytes > KEPT_BYTES and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return found

    def _overlapping(self, first: str, last: str) -> list[Part]:
        until = bisect.bisect_right(self._firsts, last)
        return [part for part in self._parts[:until] if part.last >= first]

    def part(self, first: str, last: str) -> Part | None:
        """All papers of this range as one part; the one that there is, if there is just one."""
        there = self._overlapping(first, last)
        if not there:
            return None
        if len(there) == 1 and first <= there[0].first and there[0].last <= last:
            return there[0]
        made = {name: self.rows(name, first, last) for name in (*tables.EXTRACTED, INDEX)}
        return put_part(self._place, made) if made[INDEX].num_rows else None

    def rows(self, table: str, first: str, last: str) -> pa.Table:
        """The rows of a table in this range, in order."""
        pieces = []
        for part in self._overlapping(first, last):
            found = self._get(part.files[table])
            ids = found.column("paper_id")
            inside = pc.and_(pc.greater_equal(ids, first), pc.less_equal(ids, last))
            pieces.append(found.filter(inside))
        if not pieces:
            return tables.TABLES[table].empty_table()
        every = pa.concat_tables(pieces)
        order = pa.table(
            {"id": every.column("paper_id"), "row": pa.array(range(every.num_rows), pa.int64())}
        )
        keys = [("id", "ascending"), ("row", "ascending")]
        return every.take(pc.sort_indices(order, sort_keys=keys)).combine_chunks()


# --- diff


def diff(
    out: str | Path, old: str, new: str, only: Sequence[str] = tables.EXTRACTED
) -> Iterator[Difference]:
    """Rows that were added, removed or changed between two snapshots, table by table.

    Files that both share are not even opened.
    """
    place = place_of(out)
    before, after = chosen(place, old), chosen(place, new)
    for table in only:
        files = [{p.files[table].name for p in manifest.parts} for manifest in (before, after)]
        shared = frozenset(files[0] & files[1])
        other = [
            [part for part in manifest.parts if part.files[table].name not in shared]
            for manifest in (before, after)
        ]
        sides = [_Ranges(place, parts) for parts in other]
        for first, last in _spans(place, other):
            rows = [side.rows(table, first, last).to_pylist() for side in sides]
            papers: list[dict[str, Row]] = [
                {row["paper_id"]: row for row in side.rows("papers", first, last).to_pylist()}
                if rows[0] != rows[1]
                else {}
                for side in sides
            ]
            yield from _differences(table, rows[0], rows[1], papers)


def _spans(place: Place, sides: Sequence[Sequence[Part]]) -> Iterator[tuple[str, str]]:
    """Ranges that hold some papers each, and together all papers of these parts."""
    ids = {
        paper_id
        for parts in sides
        for part in parts
        for paper_id in get_table(place, part.files[INDEX], ["paper_id"])[0].to_pylist()
    }
    in_order = sorted(ids)
    for first in range(0, len(in_order), LARGEST_SHARD):
        some = in_order[first : first + LARGEST_SHARD]
        yield some[0], some[-1]


def _differences(
    table: str, old: Sequence[Row], new: Sequence[Row], papers: Sequence[Mapping[str, Row]]
) -> Iterator[Difference]:
    keyed = [_keyed(table, rows) for rows in (old, new)]
    for key in sorted(keyed[0].keys() | keyed[1].keys(), key=repr):
        before, after = keyed[0].get(key), keyed[1].get(key)
        if before == after:
            continue
        change = "added" if before is None else "removed" if after is None else "changed"
        row = before if after is None else after
        assert row is not None
        paper = papers[0 if after is None else 1].get(row["paper_id"], {})
        yield Difference(table, change, row["paper_id"], before, after, sentence_of(row, paper))


def _keyed(table: str, rows: Sequence[Row]) -> dict[tuple[Any, ...], Row]:
    found: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        key = (row["paper_id"], *(row[name] for name in ROW_KEYS[table]))
        number = 0
        while (*key, number) in found:
            number += 1
        found[(*key, number)] = row
    return found


_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"'(\[])")


def sentence_of(row: Row, paper: Row) -> str:
    """The sentence a row was read in, or as much of its text as a line holds."""
    if "sentence" in row:
        return str(row["sentence"])
    if "field" not in row or not paper:
        return str(row.get("title", ""))
    text = str(paper[row["field"]])
    begin = 0
    end = len(text)
    for found in _SENTENCE_END.finditer(text):
        if found.end() <= row["start"]:
            begin = found.end()
        elif found.start() >= row["end"]:
            end = found.start()
            break
    return text[begin:end]
