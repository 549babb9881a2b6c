"""The stages of a run that its own process does: reading before the shards, publishing after."""

from __future__ import annotations

import contextlib
import datetime
import fnmatch
import hashlib
import importlib.metadata
import itertools
import json
import math
import os
import re
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline import tables
from pipeline.places import CURRENT, SNAPSHOTS, WORK, Folder, Place, PlaceTakenError, place_of
from pipeline.records import Paper, Reject
from pipeline.store.manifest import (
    HELD,
    INDEX,
    Manifest,
    Part,
    StoreError,
    get_table,
    made_by,
    opened,
    put_table,
    read_manifest,
    rules_fingerprint,
    take_file,
    write_file,
)
from pipeline.store.reading import (
    AT_ONCE,
    PAPER_COLUMNS,
    Changes,
    Held,
    Read,
    Spool,
    State,
    changes,
    held_table,
    index_table,
    line,
    read_sources,
    reject_line,
    reject_of,
)
from pipeline.store.shards import Shard, ShardCounts, noted, put_part, read_shard, shard_of

# A shard is a unit of work and of progress. Fewer papers do not pay for starting a process, more
# make the last worker's last shard long and the rows of a shard large in memory.
SMALLEST_SHARD = 256
LARGEST_SHARD = 1024

# How many rejects a summary tells in full.
TOLD_REJECTS = 20

# How many snapshots a run leaves, its own among them; files they share are there once.
KEPT_SNAPSHOTS = 10

_REJECTS = "rejects"
_SPOOL = "papers.jsonl"


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a run works, while no other run can: the place, what is published, a local folder."""

    place: Place
    base: Manifest | None
    scratch: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was read and what is to be done; the shards depend on nothing but their papers.

    `scratch` has the papers and rejects that were read, until the run lets the place go.
    """

    started: datetime.datetime
    address: str
    sources: tuple[str, ...]
    rules_folders: tuple[str, ...]
    fingerprint: str
    read: int
    papers: int
    shards: tuple[Shard, ...]
    stale: bool
    names: frozenset[str]
    scratch: Path
    changes: Changes


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """What a run did; where it published nothing, `run_id` is None.

    `papers` are those published now, `read` those that were read this time, `extracted` those that
    had to be worked on. `new`, `changed`, `unchanged` and `removed` compare the records read with
    those published before. `rejects` counts by reason; `first_rejects` are some of them in full.
    """

    out: Path | str
    run_id: str | None
    papers: int
    read: int = 0
    extracted: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    duplicates: int = 0
    rejects: Mapping[str, int]
    first_rejects: tuple[Reject, ...]
    rows: Mapping[str, int]
    seconds: float

    @property
    def rejected(self) -> int:
        """How many records were rejected, whatever the reason."""
        return sum(self.rejects.values())

    @property
    def papers_per_second(self) -> float:
        """Papers by the time of the whole run, reading and publishing included."""
        return self.read / self.seconds if self.seconds > 0 else 0.0


@contextlib.contextmanager
def locked(out: str | Path) -> Iterator[Desk]:
    """All that a run needs to work in `out`, while no other run can publish there.

    Raises StoreError at once where another run is at work, where something stands in the way of
    the tables, or where what was published is damaged, so that no work is done in vain.
    """
    place = place_of(out)
    with explained(out), contextlib.ExitStack() as stack:
        try:
            stack.enter_context(place.locked())
        except PlaceTakenError as error:
            raise StoreError(str(error)) from error
        if isinstance(place, Folder):
            _check_links(place.root)
        base = published(place)
        if base is not None:
            get_table(place, base.single["runs"])
        yield Desk(place, base, stack.enter_context(place.scratch()))


def published(place: Place) -> Manifest | None:
    """The manifest of the snapshot that is published, if one is."""
    if isinstance(place, Folder) and not (place.root / CURRENT).exists():
        return None
    snapshot = place.current()
    if snapshot is None:
        return None
    return read_manifest(place, snapshot)


def spool(
    desk: Desk,
    sources: Sequence[str | Path],
    *,
    rules_folders: Sequence[str | Path] = (),
    format: str | None = None,
    year: int | None = None,
    replaced: Sequence[str | Path] = (),
    many: Callable[[], object] | None = None,
) -> Plan:
    """Read the sources, find out which papers must be extracted, and cut these into shards.

    Papers of `replaced` sources, which are read as well, leave if they are not in them any more.
    Without any source nothing is read, and what is published is made anew if rules have changed.
    `many` is called once, as soon as more papers have been read than one shard has.
    """
    started = datetime.datetime.now(datetime.UTC)
    given = [sources] if isinstance(sources, (str, Path)) else sources
    whole = [str(source) for source in replaced]
    names = tuple(dict.fromkeys([*map(str, given), *whole]))
    folders = tuple(str(Path(folder).resolve()) for folder in rules_folders)
    fingerprint = rules_fingerprint(folders)
    base = desk.base
    stale = base is None or base.made_by != made_by(fingerprint)
    (desk.scratch / _REJECTS).mkdir()

    def counted(papers: int) -> None:
        if many is not None and papers == SMALLEST_SHARD + 1:
            many()

    with (desk.scratch / _SPOOL).open("w+b") as file, _held(desk) as held:
        papers = Spool(file)
        rejects = desk.scratch / _REJECTS / "read.jsonl"
        read = read_sources(names, papers, rejects, format=format, year=year, told=counted)
        if read.columns.ids or whole or not names:
            state = State(desk.place, base, held)
            gone = _gone(state, read, whole)
            made = changes(state, read, papers, stale=stale, gone=gone)
        else:
            made = Changes()
        shards = list(_cut(desk.place, papers, made.extract))
        to_extract = len(made.extract)
        made.extract.clear()  # They are in the shards now, and the run has a long way to go.
    return Plan(
        started=started,
        address=desk.place.address,
        sources=names,
        rules_folders=folders,
        fingerprint=fingerprint,
        read=len(read.columns.ids),
        papers=to_extract,
        shards=tuple(shards),
        stale=stale,
        names=read.names,
        scratch=desk.scratch,
        changes=made,
    )


def shard_sizes(papers: int) -> list[int]:
    """How many papers each shard has."""
    size = min(LARGEST_SHARD, max(SMALLEST_SHARD, math.ceil(papers / 32)))
    return [min(size, papers - first) for first in range(0, papers, size)]


def _cut(place: Place, papers: Spool, extract: Sequence[tuple[str, int]]) -> Iterator[Shard]:
    first = 0
    for number, size in enumerate(shard_sizes(len(extract))):
        lines = [papers.line(at) for _, at in extract[first : first + size]]
        shard = shard_of(number, first, lines)
        if not place.exists(shard.name):
            place.write(shard.name, b"".join(lines))
        yield shard
        first += size


def _gone(state: State, read: Read, whole: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which records came from one of these sources."""
    gone = np.zeros(len(state), dtype=bool)
    for source in whole:
        if source in read.broken or any(_belongs(name, source) for name in read.broken):
            raise StoreError(
                f"{source}: could not be read to its end, so that nobody knows what is not in it "
                "any more; nothing was published; mend it, or run without --replace"
            )
    if whole and len(state):
        names = state.sources()
        values = names.unique().to_pylist()
        taken = [name for name in values if any(_belongs(name, source) for source in whole)]
        gone = np.asarray(pc.is_in(names, pa.array(taken, pa.string())).to_numpy(False))
    return gone


def _belongs(name: str, source: str) -> bool:
    """Whether a file is this source, or one of those it stands for."""
    below = f"{source.rstrip('/')}/"
    return name == source or name.startswith(below) or fnmatch.fnmatchcase(name, source)


def publish(
    desk: Desk, plan: Plan, counts: Iterable[ShardCounts], *, keep: int = KEPT_SNAPSHOTS
) -> RunSummary:
    """Make a snapshot of what the shards wrote and of what stays, and publish it in one step.

    Where the tables would be those that are published already, and where no paper was read, none is
    made. All that is published is safely on the disk before it can be seen.
    """
    place, base = desk.place, desk.base
    by_shard = {count.number: count for count in counts}
    if lost := [shard.number for shard in plan.shards if shard.number not in by_shard]:
        raise StoreError(
            f"{place.address}: shards {lost} of the run are missing; extract them, then publish"
        )
    done = plan.changes
    maker = made_by(plan.fingerprint)
    parts: list[Part] = []
    failed: dict[str, tuple[Paper, str]] = {}
    for shard in plan.shards:
        part, failures = noted(place, shard, maker)
        if part.papers:
            parts.append(part)
        if failures:
            failed |= {
                paper.paper_id: (paper, failures[paper.paper_id])
                for paper in read_shard(place, shard)
                if paper.paper_id in failures
            }
    if not plan.stale and base is not None:
        with (plan.scratch / _SPOOL).open("rb") as file:
            parts += _stay(place, base, done, Spool(file))
    parts.sort(key=lambda part: (part.first, part.last, part.files["papers"].sha256))
    rows = {name: sum(part.files[name].rows for part in parts) for name in tables.EXTRACTED}
    held = write_file(plan.scratch, HELD, _held_now(desk, plan, failed))
    duplicates, (reasons, first_rejects, carried) = _rejects(desk, plan, failed)
    summary = RunSummary(
        out=place.root if isinstance(place, Folder) else place.address,
        run_id=None,
        papers=rows["papers"],
        read=plan.read,
        extracted=sum(count.extracted for count in by_shard.values()),
        new=done.new,
        changed=done.changed,
        unchanged=done.unchanged,
        removed=done.removed,
        duplicates=duplicates,
        rejects=reasons,
        first_rejects=first_rejects,
        rows={},
        seconds=_seconds_since(plan.started),
    )
    if plan.sources and not plan.read and not done.removed:
        papers_now = 0 if base is None else base.rows["papers"]
        return replace(summary, papers=papers_now)
    if not rows["papers"] and not done.removed:
        return summary
    take_file(place, plan.scratch, held)
    rejects = put_table(place, plan.scratch, "rejects", _batched_tables(carried))
    single = {"rejects": rejects, HELD: held}
    manifest = Manifest(
        run_id=f"{plan.started:%Y%m%dT%H%M%S%fZ}-{uuid.uuid4().hex[:8]}",
        previous=None if base is None else base.run_id,
        version=_version(),
        rules_fingerprint=plan.fingerprint,
        made_by=maker,
        parts=tuple(parts),
        single=single,
    )
    if base is not None and manifest.content() == base.content():
        sweep(place)
        return replace(summary, rows=base.rows, seconds=_seconds_since(plan.started))
    run = _run(
        manifest,
        rows,
        plan.started,
        plan.sources,
        read=plan.read,
        new=summary.new,
        changed=summary.changed,
        unchanged=summary.unchanged,
        removed=summary.removed,
        rejected=summary.rejected,
    )
    manifest = _with_run(desk, manifest, run)
    turn(place, manifest)
    prune(place, manifest.run_id, keep)
    sweep(place)
    return replace(
        summary,
        run_id=manifest.run_id,
        rows=manifest.rows,
        seconds=_seconds_since(plan.started),
    )


def publish_tables(
    out: str | Path,
    made: Iterable[Mapping[str, pa.Table]],
    *,
    maker: str,
    sources: Sequence[str],
    fingerprint: str,
    keep: int = KEPT_SNAPSHOTS,
) -> str:
    """Publish tables that something else than a run made, as a snapshot like those of runs.

    `made` are all the tables of some papers, and those of the papers that follow by id; `maker`
    tells them from what a run makes, so that a run in the same place makes all anew. They replace
    what is published in `out` as a whole. Gives the id of the snapshot.
    """
    started = datetime.datetime.now(datetime.UTC)
    with locked(out) as desk, explained(out):
        place, base = desk.place, desk.base
        if base is not None and base.made_by != maker:
            raise StoreError(f"{place.address}: holds the tables of runs; name another folder")
        parts = []
        for one in made:
            papers = one["papers"].select(PAPER_COLUMNS).to_pylist()
            index = index_table([Paper(**row) for row in papers])
            parts.append(put_part(place, {**one, INDEX: index}))
        none = tables.TABLES["rejects"].empty_table()
        single = {
            "rejects": put_table(place, desk.scratch, "rejects", [none]),
            HELD: put_table(place, desk.scratch, HELD, [held_table([])]),
        }
        manifest = Manifest(
            run_id=f"{started:%Y%m%dT%H%M%S%fZ}-{uuid.uuid4().hex[:8]}",
            previous=None if base is None else base.run_id,
            version=_version(),
            rules_fingerprint=fingerprint,
            made_by=maker,
            parts=tuple(parts),
            single=single,
        )
        if base is not None and manifest.content() == base.content():
            sweep(place)
            return base.run_id
        count = sum(part.papers for part in parts)
        rows = {n: sum(part.files[n].rows for part in parts) for n in tables.EXTRACTED}
        new = count if base is None else 0
        run = _run(manifest, rows, started, sources, read=count, new=new, unchanged=count - new)
        turn(place, _with_run(desk, manifest, run))
        prune(place, manifest.run_id, keep)
        sweep(place)
        return manifest.run_id


def _run(
    manifest: Manifest,
    rows: Mapping[str, int],
    started: datetime.datetime,
    sources: Sequence[str],
    *,
    read: int,
    new: int,
    unchanged: int,
    changed: int = 0,
    removed: int = 0,
    rejected: int = 0,
) -> tables.Run:
    """The row of `runs` for a snapshot that is ready by now."""
    return tables.Run(
        run_id=manifest.run_id,
        started=started,
        finished=datetime.datetime.now(datetime.UTC),
        version=manifest.version,
        rules_fingerprint=manifest.rules_fingerprint,
        sources=tuple(map(tables.encodable, sources)),
        read=read,
        new=new,
        changed=changed,
        unchanged=unchanged,
        removed=removed,
        rejected=rejected,
        rows=rows,
        seconds=_seconds_since(started),
    )


def _with_run(desk: Desk, manifest: Manifest, run: tables.Run) -> Manifest:
    """The manifest with its own row in `runs`."""
    place, base = desk.place, desk.base
    earlier = [] if base is None else [get_table(place, base.single["runs"])]
    runs = pa.concat_tables([*earlier, tables.run_table(run)])
    with place.scratch() as scratch:
        written = put_table(place, scratch, "runs", [runs])
    counts = {"runs": runs.num_rows, "rejects": manifest.single["rejects"].rows}
    single = {**manifest.single, "runs": written}
    return replace(manifest, single=single, rows={**run.rows, **counts})


def turn(place: Place, manifest: Manifest) -> None:
    """Publish this snapshot, whose files are in the place, in one step."""
    links = [
        (table, part, file.name) for table in tables.TABLES for part, file in manifest.files(table)
    ]
    if not manifest.parts:
        raise StoreError(
            f"{place.address}: no paper would be left; nothing was published; delete the folder if "
            "that is what you want"
        )
    place.turn_to(manifest.run_id, links, manifest.to_bytes())


def prune(place: Place, current: str, keep: int) -> list[str]:
    """Take away all but the last snapshots; the published one always stays."""
    others = [snapshot for snapshot in place.snapshots() if snapshot != current]
    taken = others[: max(0, len(others) - max(keep, 1) + 1)]
    for snapshot in taken:
        place.remove_snapshot(snapshot)
    return taken


def sweep(place: Place) -> None:
    """Take away what a run worked with, and files that no snapshot has any more."""
    used = {
        file.name
        for snapshot in place.snapshots()
        for file in read_manifest(place, snapshot).all_files()
    }
    if isinstance(place, Folder):
        # What is left of a snapshot without its manifest was never whole, or is half removed.
        for folder in (place.root / SNAPSHOTS).glob("*"):
            if not (folder / "manifest.json").exists():
                place.remove_snapshot(folder.name)
    place.remove(place.names(f"{WORK}/done"))
    place.remove(place.names(f"{WORK}/shards"))
    place.remove(name for name in place.names("parts") if name not in used)


# --- parts that stay


def _stay(place: Place, base: Manifest, done: Changes, spool: Spool) -> Iterator[Part]:
    """The published parts, without the papers that leave them."""
    for number, part in enumerate(base.parts):
        drop = done.drop.get(number, set())
        tell = {paper_id: spool.paper(at) for paper_id, at in done.tell.get(number, {}).items()}
        if not drop and not tell:
            yield part
        elif len(drop) < part.papers:
            yield _rewritten(place, part, drop, tell)


def _rewritten(place: Place, part: Part, drop: set[str], tell: Mapping[str, Paper]) -> Part:
    leave = pa.array(sorted(drop), pa.string())
    made = {}
    for name, file in part.files.items():
        if not drop and name not in {"papers", INDEX}:
            continue
        rows = get_table(place, file)
        kept = rows.filter(pc.invert(pc.is_in(rows.column("paper_id"), leave)))
        if tell and name == "papers":
            kept = _told_anew(kept, tell)
        elif tell and name == INDEX:
            kept = _indexed_anew(kept, tell)
        made[name] = kept
    if drop:
        return put_part(place, made)
    with place.scratch() as scratch:
        files = {name: put_table(place, scratch, name, [table]) for name, table in made.items()}
    return replace(part, files={**part.files, **files})


def _told_anew(rows: pa.Table, tell: Mapping[str, Paper]) -> pa.Table:
    changed = []
    for row in rows.to_pylist():
        if (paper := tell.get(row["paper_id"])) is not None:
            row |= {"published": paper.published, "url": paper.url, "source": paper.source}
        changed.append(row)
    return pa.Table.from_pylist(changed, schema=rows.schema)


def _indexed_anew(rows: pa.Table, tell: Mapping[str, Paper]) -> pa.Table:
    anew = {row["paper_id"]: row for row in index_table(list(tell.values())).to_pylist()}
    changed = [anew.get(row["paper_id"], row) for row in rows.to_pylist()]
    return pa.Table.from_pylist(changed, schema=rows.schema)


# --- records that are held


@contextlib.contextmanager
def _held(desk: Desk) -> Iterator[Held]:
    """The records that the published snapshot holds."""
    if desk.base is None:
        yield Held(None)
    else:
        with opened(desk.place, desk.base.single[HELD]) as file:
            yield Held(file)


def _held_now(
    desk: Desk, plan: Plan, failed: Mapping[str, tuple[Paper, str]]
) -> Iterator[pa.Table]:
    """All records that are held from now on, in the order of their ids."""
    done = plan.changes
    with (plan.scratch / _SPOOL).open("rb") as file, _held(desk) as before:
        papers = Spool(file)
        stay = before.table.column("paper_id").take(pa.array(done.held_rows, pa.int64()))
        # By id: the row of one that stays, the place of one that is new, or neither if it failed.
        order: list[tuple[str, int, int, str | None]] = [
            *(
                (name, row, -1, None)
                for name, row in zip(stay.to_pylist(), done.held_rows, strict=True)
            ),
            *((name, -1, at, same_as) for name, at, same_as in done.held),
            *((name, -1, -1, None) for name in failed),
        ]
        order.sort()
        for first in range(0, max(len(order), 1), AT_ONCE):
            some = order[first : first + AT_ONCE]
            made = [
                (papers.paper(at), same_as, None)
                if at >= 0
                else (failed[name][0], None, failed[name][1])
                for name, row, at, same_as in some
                if row < 0
            ]
            both = [before.take([row for _, row, _, _ in some if row >= 0]), held_table(made)]
            yield pa.concat_tables(both).sort_by("paper_id")


# --- rejects


def _rejects(
    desk: Desk, plan: Plan, failed: Mapping[str, tuple[Paper, str]]
) -> tuple[int, tuple[Mapping[str, int], tuple[Reject, ...], Iterator[Reject]]]:
    """How many records are held as duplicates; and rejects of this run, counted by reason, the
    first of them, and all that stand after it.

    Those of a source stand until it is read again, those of a paper until it can be extracted.
    """
    now, before = plan.scratch / _REJECTS, plan.scratch / "rejects-before"
    before.mkdir(exist_ok=True)
    with (
        (now / "failed.jsonl").open("wb") as told,
        (before / "failed.jsonl").open("wb") as silent,
        pq.ParquetFile(plan.scratch / f"{HELD}.parquet") as file,
    ):
        held = Held(file)
        rows = held.failed()
        for row, paper in held.papers(rows).items():
            ours = paper.paper_id in failed or paper.source in plan.names
            (told if ours else silent).write(reject_line(reject_of(paper, held.failure(row))))
        duplicates = held.table.num_rows - len(rows)
    if desk.base is not None:
        with (
            (before / "read.jsonl").open("wb") as kept,
            opened(desk.place, desk.base.single["rejects"]) as rejects,
        ):
            for batch in rejects.iter_batches(AT_ONCE):
                for row in batch.to_pylist():
                    is_old = row["source"] in plan.names
                    if not is_old and not row["reason"].startswith("extraction failed: "):
                        kept.write(line(row.values()))
    reasons, first, _ = rejects_in_order([now])
    return duplicates, (reasons, first, rejects_in_order([now, before])[2])


def rejects_in_order(
    folders: Sequence[Path],
) -> tuple[Mapping[str, int], tuple[Reject, ...], Iterator[Reject]]:
    """Rejects of these files: count by reason, the first ones, and all.

    Ordered by source and position, line 9 before line 10, whatever the order of input. Only their
    places are held in memory.
    """
    reasons: Counter[str] = Counter()
    places: list[tuple[str, str, bytes, Path, int]] = []
    for path in sorted(path for folder in folders for path in folder.iterdir()):
        with path.open("rb") as file:
            offset = 0
            for told in file:
                reject = Reject(*json.loads(told))
                reasons[reject.reason] += 1
                position = re.sub(r"\d+", lambda number: number[0].zfill(15), reject.position)
                digest = hashlib.sha256(told).digest()[:8]
                places.append((sys.intern(reject.source), position, digest, path, offset))
                offset += len(told)
    places.sort()

    def rejects() -> Iterator[Reject]:
        with contextlib.ExitStack() as stack:
            files = {path: stack.enter_context(path.open("rb")) for *_, path, _ in places}
            for *_, path, offset in places:
                files[path].seek(offset)
                yield Reject(*json.loads(files[path].readline()))

    first = tuple(itertools.islice(rejects(), TOLD_REJECTS))
    return dict(reasons.most_common()), first, rejects()


def _batched_tables(rejects: Iterator[Reject]) -> Iterator[pa.Table]:
    while batch := list(itertools.islice(rejects, AT_ONCE)):
        yield tables.reject_table(batch)


# --- what stands in the way


def _check_links(out: Path) -> None:
    for name in (CURRENT, *tables.TABLES):
        path = out / name
        ours = path.is_symlink() and (name == CURRENT or path.readlink() == Path(CURRENT, name))
        if not ours and os.path.lexists(path):
            raise StoreError(
                f"{path}: in the way of the tables, and not made by a run; move it away, or name "
                "another folder"
            )


@contextlib.contextmanager
def explained(out: str | Path) -> Iterator[None]:
    """A full disk, a folder nobody may write to and the like, told as what they are."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{error.filename or out}: {error.strerror or error}; nothing was published, what was "
            "published before still stands"
        ) from error


def _seconds_since(started: datetime.datetime) -> float:
    return max(0.0, (datetime.datetime.now(datetime.UTC) - started).total_seconds())


def _version() -> str | None:
    try:
        return importlib.metadata.version("paperclaims")
    except importlib.metadata.PackageNotFoundError:
        return None
