"""Snapshots: the tables of a run, written whole and published by one atomic step.

A run has three stages, each a plain function that gets and gives paths and counts only, so that
whatever runs them (the command, a flow, a notebook) does the same work:

`spool`          reads the sources into one file and cuts the papers, in the order of their ids,
                 into shards
`extract_shard`  extracts one shard and writes its part of every table
`publish`        makes a snapshot of the parts and turns `current` to it

What a folder of published tables holds:

    out/current                       -> snapshots/<run id>     replaced in one step
    out/<table>                       -> current/<table>        so that each table has a fixed path
    out/snapshots/<run id>/<table>/part-<shard>-<digest>.parquet

The digest of a part's bytes stands in its name so that a reader who listed the parts of one
snapshot can never open those of the next in their place: it finds the same bytes or no file.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import importlib.metadata
import itertools
import json
import math
import multiprocessing
import multiprocessing.connection
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import uuid
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import filelock
import pyarrow as pa

from pipeline import tables
from pipeline.records import Extraction, Paper, PipelineError, Reject
from pipeline.rules import load_rules
from pipeline.sources import read_each

# A shard is a unit of work and of progress. Fewer papers do not pay for starting a process, more
# make the last worker's last shard long and the rows of a shard large in memory.
SMALLEST_SHARD = 256
LARGEST_SHARD = 1024

# How many rejects a summary tells in full.
TOLD_REJECTS = 20

_PAPERS = "papers.jsonl"
_OFFSETS = "offsets"
_REJECTS = "rejects"
_TABLES = "tables"
_WORK = ".work-"


class StoreError(PipelineError):
    """Tables that could not be written or published; what was published before still stands."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Papers `first` to `first + count` in the order of their ids."""

    number: int
    first: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was read and how it is cut; the shards depend on nothing but the set of papers."""

    started: datetime.datetime
    sources: tuple[str, ...]
    rules_folders: tuple[str, ...]
    fingerprint: str
    papers: int
    shards: tuple[Shard, ...]


@dataclass(frozen=True, slots=True)
class ShardCounts:
    """Rows per table that one shard gave."""

    number: int
    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """What a run did; without a paper nothing was published, and `run_id` is None.

    `new`, `changed`, `unchanged` and `removed` compare the papers' texts with those published
    before. `rejects` counts by reason; `first_rejects` are some of them in full.
    """

    out: Path
    run_id: str | None
    papers: int
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
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
        return self.papers / self.seconds if self.seconds > 0 else 0.0


def run(
    sources: Sequence[str | Path],
    out: str | Path,
    *,
    rules_folders: Sequence[str | Path] = (),
    format: str | None = None,
    year: int | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> RunSummary:
    """Read papers, extract all tables from them and publish these in `out`.

    What is published is replaced as a whole, or left alone where no paper could be read.
    `workers` defaults to the number of processors; with 1 all is done in this process. With more,
    a script that calls this needs the usual `if __name__ == "__main__":`. `progress` is called
    with the papers done and the papers in all.
    """
    out = Path(out)
    workers = os.cpu_count() or 1 if workers is None else workers
    if workers < 1:
        raise StoreError(f"workers: {workers} is not a number of processes; give 1 or more")
    with locked(out) as work, _explained(out):
        plan = spool(sources, work, rules_folders=rules_folders, format=format, year=year)
        report = progress or (lambda _done, _papers: None)
        report(0, plan.papers)
        if min(workers, len(plan.shards)) <= 1:
            counts = _extract_here(work, plan, report)
        else:
            counts = _extract_in_processes(work, plan, workers, report)
        return publish(out, work, plan, counts)


@contextlib.contextmanager
def locked(out: Path) -> Iterator[Path]:
    """An empty folder inside `out` to work in, while no other run can publish there.

    Raises StoreError at once where another run is at work, where something stands in the way of
    the tables, or where what was published is damaged, so that no work is done in vain.
    """
    with _explained(out):
        out.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(out / ".lock", timeout=0)
        try:
            lock.acquire()
        except filelock.Timeout as error:
            raise StoreError(
                f"{out}: another run is publishing here; wait for it to end, or name another folder"
            ) from error
    try:
        with _explained(out):
            _check_links(out)
            _check_published(out)
            # The lock is ours, so what lies here was left by a run that was killed.
            for left in out.glob(f"{_WORK}*"):
                shutil.rmtree(left, ignore_errors=True)
            work = Path(tempfile.mkdtemp(prefix=_WORK, dir=out))
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)
    finally:
        lock.release()


def spool(
    sources: Sequence[str | Path],
    work: Path,
    *,
    rules_folders: Sequence[str | Path] = (),
    format: str | None = None,
    year: int | None = None,
) -> Plan:
    """Read the sources into a file in `work` and cut the papers into shards.

    Of each paper only its id and its place in the file are held in memory. Where an id comes
    twice, the record with the longest abstract is the paper, whatever the order; another with the
    same text is the same paper, one with another text a reject.
    """
    started = datetime.datetime.now(datetime.UTC)
    given = [sources] if isinstance(sources, (str, Path)) else sources
    names = tuple(str(source) for source in given)
    folders = tuple(str(Path(folder).resolve()) for folder in rules_folders)
    fingerprint = load_rules([Path(folder) for folder in folders]).fingerprint
    ids: list[str] = []
    offsets = array("Q")
    (work / _REJECTS).mkdir()
    with (
        (work / _PAPERS).open("w+b") as papers,
        (work / _REJECTS / "spool.jsonl").open("wb") as rejects,
    ):
        offset = 0
        for record in read_each(names, format=format, year=year):
            if isinstance(record, Reject):
                rejects.write(_reject_line(record))
                continue
            line = _paper_line(record)
            ids.append(record.paper_id)
            offsets.append(offset)
            offset += papers.write(line)
        kept = array("Q")
        order = sorted(range(len(ids)), key=ids.__getitem__)
        for _, same_id in itertools.groupby(order, key=ids.__getitem__):
            first, *others = (offsets[number] for number in same_id)
            if others:
                first, twice = _settle_same_id(papers, [first, *others])
                rejects.writelines(map(_reject_line, twice))
            kept.append(first)
    with (work / _OFFSETS).open("wb") as file:
        kept.tofile(file)
    return Plan(
        started=started,
        sources=names,
        rules_folders=folders,
        fingerprint=fingerprint,
        papers=len(kept),
        shards=_cut(len(kept)),
    )


def _cut(papers: int) -> tuple[Shard, ...]:
    size = min(LARGEST_SHARD, max(SMALLEST_SHARD, math.ceil(papers / 32)))
    return tuple(
        Shard(number, first, min(size, papers - first))
        for number, first in enumerate(range(0, papers, size))
    )


def _settle_same_id(papers: IO[bytes], offsets: Sequence[int]) -> tuple[int, list[Reject]]:
    """Which of the records of one id is the paper, and a reject for each with another text."""

    def preference(offset: int) -> tuple[object, ...]:
        paper = found[offset]
        # The record that says most; the rest only makes the choice the same in any order.
        return (
            -len(paper.abstract),
            paper.title,
            paper.abstract,
            paper.published is None,
            paper.url is None,
            str(paper.published),
            str(paper.url),
            paper.source,
        )

    found = {offset: _read_paper(papers, offset) for offset in offsets}
    best, *others = sorted(offsets, key=preference)
    text = tables.text_sha256(found[best])
    return best, [
        _reject(found[other], "same id with other text")
        for other in others
        if tables.text_sha256(found[other]) != text
    ]


def extract_shard(
    work: Path,
    shard: Shard,
    rules_folders: tuple[str, ...],
    fingerprint: str,
    progress: Callable[[int], object] | None = None,
) -> ShardCounts:
    """Extract the papers of one shard and write its part of every table into `work`.

    May be done again after a failure. A paper whose extraction fails is a reject. `progress` is
    called with the papers of the shard done so far. Raises StoreError where the rules are not
    those of the fingerprint any more.
    """
    # Here and not above: spaCy takes a second to import, and not every command extracts.
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
    extractions: list[Extraction] = []
    rejects: list[Reject] = []
    for number, paper in enumerate(_read_shard(work, shard), start=1):
        try:
            extractions.append(extractor.extract(paper))
        except Exception as error:
            rejects.append(_failed(paper, error))
        if progress:
            progress(number)
    made, refused = _rows(extractions)
    path = work / _REJECTS / f"{shard.number:05d}.jsonl"
    path.write_bytes(b"".join(map(_reject_line, [*rejects, *refused])))
    for name, table in made.items():
        _write_part(work / _TABLES, name, shard.number, [table])
    return ShardCounts(shard.number, {name: table.num_rows for name, table in made.items()})


def _rows(extractions: Sequence[Extraction]) -> tuple[dict[str, pa.Table], list[Reject]]:
    """The rows of all papers; where there is a paper whose rows cannot be, it is a reject."""
    try:
        return tables.rows(extractions), []
    except Exception:
        kept, rejects = [], []
        for extraction in extractions:
            try:
                tables.rows([extraction])
            except Exception as error:
                rejects.append(_failed(extraction.paper, error))
            else:
                kept.append(extraction)
        return tables.rows(kept), rejects


def publish(out: Path, work: Path, plan: Plan, counts: Iterable[ShardCounts]) -> RunSummary:
    """Make a snapshot of what the shards wrote and turn `current` to it in one step.

    The snapshot published before is kept, older ones are deleted. Without a paper nothing is
    published. All that is published is on the disk before it can be seen.
    """
    by_shard = {count.number: count.rows for count in counts}
    if lost := [shard.number for shard in plan.shards if shard.number not in by_shard]:
        raise StoreError(f"{out}: shards {lost} of the run are missing; extract them, then publish")
    rows = {name: sum(count[name] for count in by_shard.values()) for name in tables.EXTRACTED}
    reasons, first_rejects, rejects = _rejects_in_order(work)
    if not rows["papers"]:
        return RunSummary(
            out=out,
            run_id=None,
            papers=0,
            rejects=reasons,
            first_rejects=first_rejects,
            rows={},
            seconds=_seconds_since(plan.started),
        )
    folder = work / _TABLES
    previous = _published(out)
    new, changed, unchanged, removed = _compare(previous, folder)
    _write_part(folder, "rejects", 0, _batched_tables(rejects))
    finished = datetime.datetime.now(datetime.UTC)
    row = tables.Run(
        run_id=f"{plan.started:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}",
        started=plan.started,
        finished=finished,
        version=_version(),
        rules_fingerprint=plan.fingerprint,
        sources=tuple(map(tables.encodable, plan.sources)),
        read=plan.papers,
        new=new,
        changed=changed,
        unchanged=unchanged,
        removed=removed,
        rejected=sum(reasons.values()),
        rows=rows,
        seconds=_seconds_since(plan.started),
    )
    earlier = [] if previous is None else [tables.read_table(previous, "runs")]
    runs = pa.concat_tables([*earlier, tables.run_table(row)]).combine_chunks()
    _write_part(folder, "runs", 0, [runs])
    _turn_to(out, folder, row.run_id, previous)
    return RunSummary(
        out=out,
        run_id=row.run_id,
        papers=rows["papers"],
        new=new,
        changed=changed,
        unchanged=unchanged,
        removed=removed,
        rejects=reasons,
        first_rejects=first_rejects,
        rows={**rows, "runs": runs.num_rows, "rejects": row.rejected},
        seconds=_seconds_since(plan.started),
    )


def _extract_here(
    work: Path, plan: Plan, report: Callable[[int, int], object]
) -> list[ShardCounts]:
    counts = []
    for shard in plan.shards:

        def told(done: int, before: int = shard.first) -> None:
            report(before + done, plan.papers)

        counts.append(extract_shard(work, shard, plan.rules_folders, plan.fingerprint, told))
    return counts


def _extract_in_processes(
    work: Path, plan: Plan, workers: int, report: Callable[[int, int], object]
) -> list[ShardCounts]:
    counts = []
    done = 0
    # Spawned, not forked: Arrow has threads by now, and a fork of a process with threads may hang.
    with ProcessPoolExecutor(
        min(workers, len(plan.shards)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=start_worker,
    ) as pool:
        papers = {
            pool.submit(extract_shard, work, shard, plan.rules_folders, plan.fingerprint): shard
            for shard in plan.shards
        }
        try:
            for future in as_completed(papers):
                counts.append(future.result())
                done += papers[future].count
                report(done, plan.papers)
        except BrokenProcessPool as error:
            raise StoreError(
                "a worker process ended abruptly (out of memory? or a script without "
                "`if __name__ == '__main__':`?); nothing was published; run with fewer workers"
            ) from error
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return counts


def start_worker() -> None:
    """What a process that extracts shards does first, so that it ends when its run does."""
    # Ctrl-C reaches the workers, too; the run's own process ends them, without their tracebacks.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Keep the workers of a killed run from waiting for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)


def _paper_line(paper: Paper) -> bytes:
    published = None if paper.published is None else paper.published.isoformat()
    texts = (paper.paper_id, paper.title, paper.abstract, published, paper.url, paper.source)
    return _line(texts)


def _read_paper(papers: IO[bytes], offset: int) -> Paper:
    papers.seek(offset)
    paper_id, title, abstract, published, url, source = json.loads(papers.readline())
    date = None if published is None else datetime.date.fromisoformat(published)
    return Paper(paper_id, title, abstract, date, url, source)


def _read_shard(work: Path, shard: Shard) -> Iterator[Paper]:
    offsets = array("Q")
    with (work / _OFFSETS).open("rb") as file:
        file.seek(shard.first * offsets.itemsize)
        offsets.fromfile(file, shard.count)
    with (work / _PAPERS).open("rb") as papers:
        for offset in offsets:
            yield _read_paper(papers, offset)


def _reject(paper: Paper, reason: str) -> Reject:
    text = f"{paper.title}\n\n{paper.abstract}"
    return Reject(paper.source, f"paper {paper.paper_id}", reason, text[:500])


def _failed(paper: Paper, error: Exception) -> Reject:
    return _reject(paper, f"extraction failed: {type(error).__name__}: {error}"[:500])


def _reject_line(reject: Reject) -> bytes:
    return _line((reject.source, reject.position, reject.reason, reject.excerpt[:500]))


def _line(texts: Iterable[str | None]) -> bytes:
    # The sources give encodable texts, but the name of a file may be no UTF-8.
    clean = [text if text is None else tables.encodable(text) for text in texts]
    return json.dumps(clean, ensure_ascii=False).encode() + b"\n"


def _rejects_in_order(
    work: Path,
) -> tuple[Mapping[str, int], tuple[Reject, ...], Iterator[Reject]]:
    """Rejects of the sources and of all shards: count by reason, the first ones, and all.

    Ordered by source and position, line 9 before line 10, whatever the order of input. Only their
    places are held in memory.
    """
    reasons: Counter[str] = Counter()
    places: list[tuple[str, str, bytes, Path, int]] = []
    for path in sorted((work / _REJECTS).iterdir()):
        with path.open("rb") as file:
            offset = 0
            for line in file:
                reject = Reject(*json.loads(line))
                reasons[reject.reason] += 1
                position = re.sub(r"\d+", lambda number: number[0].zfill(15), reject.position)
                digest = hashlib.sha256(line).digest()[:8]
                places.append((sys.intern(reject.source), position, digest, path, offset))
                offset += len(line)
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
    while batch := list(itertools.islice(rejects, 4096)):
        yield tables.reject_table(batch)


def _write_part(folder: Path, name: str, number: int, parts: Iterable[pa.Table]) -> None:
    """Write a part of a table and see it safely on the disk."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    unnamed = folder / name / f".part-{number:05d}"
    tables.write_table(name, parts, unnamed)
    with unnamed.open("rb") as file:
        os.fsync(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:12]
    for earlier in (folder / name).glob(f"part-{number:05d}-*"):
        earlier.unlink()
    unnamed.rename(folder / name / f"part-{number:05d}-{digest}.parquet")


def _compare(previous: Path | None, folder: Path) -> tuple[int, int, int, int]:
    """How many papers are new, changed, unchanged and removed; both sides stand in order."""
    before = iter(()) if previous is None else _texts(previous)
    now = _texts(folder)
    new = changed = unchanged = removed = 0
    old, paper = next(before, None), next(now, None)
    while old or paper:
        if paper is None or (old is not None and old[0] < paper[0]):
            removed += 1
            old = next(before, None)
        elif old is None or paper[0] < old[0]:
            new += 1
            paper = next(now, None)
        else:
            unchanged += old[1] == paper[1]
            changed += old[1] != paper[1]
            old, paper = next(before, None), next(now, None)
    return new, changed, unchanged, removed


def _texts(folder: Path) -> Iterator[tuple[str, str]]:
    for batch in tables.read_batches(folder, "papers", ["paper_id", "text_sha256"]):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _turn_to(out: Path, folder: Path, run_id: str, previous: Path | None) -> None:
    for path in (*folder.iterdir(), folder):
        _sync_folder(path)
    snapshots = out / "snapshots"
    snapshots.mkdir(exist_ok=True)
    folder.rename(snapshots / run_id)
    _sync_folder(snapshots)
    # First the tables' paths, which lead nowhere yet in a new folder: all appear in the one step.
    for name in tables.TABLES:
        if not (out / name).is_symlink():
            (out / name).symlink_to(Path("current", name))
    turned = out / ".current"
    turned.unlink(missing_ok=True)
    turned.symlink_to(Path("snapshots", run_id))
    turned.replace(out / "current")
    _sync_folder(out)
    kept = {run_id, previous and previous.name}
    for snapshot in snapshots.iterdir():
        if snapshot.name not in kept:
            shutil.rmtree(snapshot, ignore_errors=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _published(out: Path) -> Path | None:
    current = out / "current"
    return current.resolve() if current.exists() else None


def _check_links(out: Path) -> None:
    for name in ("current", *tables.TABLES):
        path = out / name
        ours = path.is_symlink() and (name == "current" or path.readlink() == Path("current", name))
        if not ours and os.path.lexists(path):
            raise StoreError(
                f"{path}: in the way of the tables, and not made by a run; move it away, or name "
                "another folder"
            )


def _check_published(out: Path) -> None:
    if (previous := _published(out)) is None:
        return
    try:
        tables.read_table(previous, "runs")
        for _ in _texts(previous):
            pass
    except tables.TableError as error:
        raise StoreError(
            f"{out}: what was published before is damaged ({error}); delete {out / 'current'} to "
            "start anew"
        ) from error


@contextlib.contextmanager
def _explained(out: Path) -> Iterator[None]:
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
