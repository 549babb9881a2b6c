"""Snapshots: the tables of all papers read so far, published whole by one atomic step.

A run has three stages, each a plain function that gets and gives paths and counts, so that
whatever runs them (the command, a flow, workers on other machines) does the same work:

`spool`          reads the sources, finds what is new or changed, and cuts that into shards
`extract_shard`  extracts one shard and writes its part of every table where it will stay
`publish`        makes a snapshot of the parts, old and new, and turns the published one to it

What a place of published tables holds:

    out/current -> snapshots/<run id>           replaced in one step
    out/<table> -> current/<table>              so that each table has a fixed path
    out/snapshots/<run id>/manifest.json        every file with its digest and rows
    out/snapshots/<run id>/<table>/part-<number>-<digest>.parquet
    out/parts/<table>/<digest>.parquet          each file once, whatever snapshots share it
    out/.work                                   of a run, or of one that was killed

Files are named by their content and never change, so a reader who listed the parts of one snapshot
can never open those of the next in their place: it finds the same bytes or no file. Elsewhere than
in a folder (`s3://...`) the snapshots are manifests only, and `current.json` is the pointer.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import multiprocessing.forkserver
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from pipeline.startup import start_quickly
from pipeline.store.manifest import Manifest, StoreError, read_manifest, rules_fingerprint
from pipeline.store.publishing import (
    KEPT_SNAPSHOTS,
    TOLD_REJECTS,
    Desk,
    Plan,
    RunSummary,
    explained,
    locked,
    publish,
    published,
    spool,
)
from pipeline.store.shards import Shard, ShardCounts, extract_shard

__all__ = [
    "KEPT_SNAPSHOTS",
    "TOLD_REJECTS",
    "Desk",
    "Manifest",
    "Plan",
    "RunSummary",
    "Shard",
    "ShardCounts",
    "StoreError",
    "explained",
    "extract_shard",
    "locked",
    "publish",
    "published",
    "read_manifest",
    "rules_fingerprint",
    "run",
    "spool",
    "start_worker",
]


# Not forked from this process: Arrow has threads by now, and a fork of a process with threads may
# hang. Elsewhere than on Linux the libraries that a worker needs may not be forked with, either.
_PROCESSES = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")


def run(
    sources: Sequence[str | Path],
    out: str | Path,
    *,
    rules_folders: Sequence[str | Path] = (),
    format: str | None = None,
    year: int | None = None,
    workers: int | None = None,
    replaced: Sequence[str | Path] = (),
    keep: int = KEPT_SNAPSHOTS,
    progress: Callable[[int, int], object] | None = None,
) -> RunSummary:
    """Read papers, extract what is new or changed, and publish all tables in `out`.

    Papers published before stay, unless they came from a source in `replaced` that does not hold
    them any more. What is published is replaced as a whole, or left alone where nothing is another.
    `workers` defaults to the number of processors; with 1 all is done in this process. With more,
    a script that calls this needs the usual `if __name__ == "__main__":`. `progress` is called
    with the papers done and the papers in all. `keep` snapshots are left.
    """
    workers = os.cpu_count() or 1 if workers is None else workers
    if workers < 1:
        raise StoreError(f"workers: {workers} is not a number of processes; give 1 or more")
    with locked(out) as desk:
        plan = spool(
            desk,
            sources,
            rules_folders=rules_folders,
            format=format,
            year=year,
            replaced=replaced,
            many=_prepare_processes if workers > 1 else None,
        )
        report = progress or (lambda _done, _papers: None)
        report(0, plan.papers)
        if min(workers, len(plan.shards)) <= 1:
            counts = _extract_here(plan, report)
        else:
            counts = _extract_in_processes(plan, workers, report)
        return publish(desk, plan, counts, keep=keep)


def _extract_here(plan: Plan, report: Callable[[int, int], object]) -> list[ShardCounts]:
    counts = []
    for shard in plan.shards:

        def told(done: int, before: int = shard.first) -> None:
            report(before + done, plan.papers)

        made = extract_shard(plan.address, shard, plan.rules_folders, plan.fingerprint, told)
        if not made.extracted:
            told(shard.count)
        counts.append(made)
    return counts


def _extract_in_processes(
    plan: Plan, workers: int, report: Callable[[int, int], object]
) -> list[ShardCounts]:
    counts = []
    done = 0
    with _ready_processes(min(workers, len(plan.shards))) as pool:
        papers = {
            pool.submit(
                extract_shard, plan.address, shard, plan.rules_folders, plan.fingerprint
            ): shard
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


def _ready_processes(count: int) -> ProcessPoolExecutor:
    """So many processes that are ready to extract shards."""
    return ProcessPoolExecutor(
        count,
        mp_context=_PROCESSES,
        initializer=start_worker,
        initargs=(dict(os.environ),),
    )


def _prepare_processes() -> None:
    """Start the process that workers are forked from; it gets ready while this one goes on."""
    if sys.platform == "linux":
        multiprocessing.set_forkserver_preload(["pipeline.store.ready"])
        multiprocessing.forkserver.ensure_running()


def start_worker(environment: Mapping[str, str] | None = None) -> None:
    """What a process that extracts shards does first: it is soon ready, and ends with its run.

    Its environment is the one given, which may be a later one than that it was forked with.
    """
    if environment is not None:
        os.environ.clear()
        os.environ.update(environment)
    start_quickly()
    # Ctrl-C reaches the workers, too; the run's own process ends them, without their tracebacks.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Keep the workers of a killed run from waiting for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)
