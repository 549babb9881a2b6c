"""What `paperclaims run` does, as a Prefect flow: the published tables are the same, byte for byte.

`python flows.py` runs it once on the sample papers, with a Prefect server of its own where none is
set up. With PREFECT_API_URL the run and its summary show up on the server of that address. With
`--runner dask` the shards are extracted by the workers of a Dask cluster, here or elsewhere.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
from prefect import flow, runtime, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.context import FlowRunContext
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_LOGGING_TO_API_ENABLED,
    PREFECT_UI_URL,
    temporary_settings,
)
from prefect.task_runners import ThreadPoolTaskRunner

import pipeline
from pipeline import store, terminal
from pipeline.records import PipelineError

STARTING = 120
"""Seconds that a server may take to start; 15 are usual, most of them to lay out its database."""


def _may_pass(_task: object, _run: object, state: Any) -> bool:
    """Whether what failed is of the kind that may work a moment later: a disk, a network share."""
    try:
        state.result()
    except OSError:
        return True
    except Exception:
        return False
    return False


@task(
    name="read",
    cache_policy=NO_CACHE,
    retries=3,
    retry_delay_seconds=[1, 5, 25],
    retry_condition_fn=_may_pass,
)
def read(
    desk: store.Desk,
    sources: Sequence[str],
    rules_folders: Sequence[str],
    format: str | None,
    year: int | None,
    replaced: Sequence[str],
) -> store.Plan:
    """Read the sources, each time this is tried into a folder of its own."""
    own = replace(desk, scratch=Path(tempfile.mkdtemp(dir=desk.scratch)))
    return store.spool(
        own, sources, rules_folders=rules_folders, format=format, year=year, replaced=replaced
    )


@task(
    name="extract",
    task_run_name="extract-{number}",
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=5,
    retry_condition_fn=_may_pass,
)
def extract(
    number: int,  # noqa: ARG001, the name of the task's run
    address: str,
    shard: store.Shard,
    rules_folders: tuple[str, ...],
    fingerprint: str,
    processes: Executor | None,
) -> store.ShardCounts:
    """Extract one shard, in one of the processes if there are any, else where this runs.

    Only the place's address, the shard's name and counts travel; papers and rows are in the place.
    """
    if processes is None:
        return store.extract_shard(address, shard, rules_folders, fingerprint)
    return processes.submit(
        store.extract_shard, address, shard, rules_folders, fingerprint
    ).result()


@task(name="publish", cache_policy=NO_CACHE)
def publish(
    desk: store.Desk, plan: store.Plan, counts: Sequence[store.ShardCounts]
) -> store.RunSummary:
    """Make the tables of all shards the published ones, in one step."""
    return store.publish(desk, plan, counts)


def _run_name() -> str:
    given = runtime.flow_run.parameters
    return f"{', '.join(given['sources'] or ['sample papers'])} to {given['out']}"


@flow(
    name="paperclaims",
    flow_run_name=_run_name,
    # A task waits while one of our own processes works: Prefect's processes would each talk to the
    # server, and each start one where none is set up.
    task_runner=ThreadPoolTaskRunner(max_workers=os.cpu_count() or 1),  # type: ignore[arg-type]
)
def paperclaims(
    sources: list[str] | None = None,
    out: str | Path = "outputs",
    rules_folders: list[str] | None = None,
    format: str | None = None,
    year: int | None = None,
    workers: int | None = None,
    replaced: list[str] | None = None,
) -> store.RunSummary:
    """Read papers, extract what is new or changed, and publish all tables in `out`."""
    sources = sources or ([] if replaced else [str(pipeline.SAMPLE)])
    with store.locked(out) as desk:
        plan = read(desk, sources, rules_folders or [], format, year, replaced or [])
        shared = (plan.address, plan.rules_folders, plan.fingerprint)
        with _processes(_count(workers, plan)) as processes:
            futures = [
                extract.submit(shard.number, shared[0], shard, *shared[1:], processes)
                for shard in plan.shards
            ]
            counts = [future.result() for future in futures]
        summary = publish(desk, plan, counts)
    create_markdown_artifact(_told(summary), key="paperclaims", description="What a run published")
    if not summary.read and not summary.removed:
        raise PipelineError(f"no paper could be read from {', '.join(sources)}; nothing published")
    return summary


def _count(workers: int | None, plan: store.Plan) -> int:
    """How many processes of our own: none where the tasks are elsewhere anyway."""
    context = FlowRunContext.get()
    if context is not None and not isinstance(context.task_runner, ThreadPoolTaskRunner):
        return 1
    return min(workers or os.cpu_count() or 1, len(plan.shards))


def on_dask(address: str | None = None, workers: int | None = None) -> Any:
    """The same flow with its shards on Dask: the cluster of this address, or one of our own here.

    Rules folders and sources must be where the workers and this process see them, and `out` on
    storage that all of them share.
    """
    try:
        from prefect_dask import DaskTaskRunner  # noqa: PLC0415
    except ImportError as error:
        raise PipelineError(f"{error}; Dask comes with pip install 'paperclaims[dask]'") from error
    # Dask tells the end of every connection with a traceback, as it does each time it is closed.
    os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "warning")
    logging.getLogger("distributed").setLevel(logging.WARNING)
    count = workers or os.cpu_count() or 1
    own = {"n_workers": count, "threads_per_worker": 1, "dashboard_address": None}
    runner = DaskTaskRunner(address=address) if address else DaskTaskRunner(cluster_kwargs=own)
    return paperclaims.with_options(task_runner=runner)


@contextlib.contextmanager
def _processes(count: int) -> Iterator[Executor | None]:
    if count <= 1:
        yield None
        return
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=spawn, initializer=store.start_worker) as pool:
        yield pool


def _told(summary: store.RunSummary) -> str:
    did = "nothing new for" if summary.run_id is None else "published in"
    lines = [
        f"**{summary.read:,} papers** in {summary.seconds:.1f} s, {did} `{summary.out}`",
        "",
        "| table | rows |",
        "|---|---:|",
        *(f"| {name} | {count:,} |" for name, count in summary.rows.items()),
    ]
    if summary.rejects:
        lines += ["", "| rejected because | records |", "|---|---:|"]
        lines += [f"| {_cell(why)} | {count:,} |" for why, count in summary.rejects.items()]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return terminal.visible(text).replace("|", r"\|").replace("\n", " ")


@contextlib.contextmanager
def server() -> Iterator[None]:
    """The Prefect server that is set up or, where none is, one of our own for the time of a run.

    Prefect would start one, too, which prints tracebacks of its telemetry and of its own end over
    the run's output. What ours has to say stays in a file, and is told if it does not start.
    """
    if PREFECT_API_URL.value():
        yield
        return
    print("Starting a Prefect server for this run, since PREFECT_API_URL names none.", flush=True)
    with tempfile.TemporaryDirectory(prefix="paperclaims-prefect-") as home:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        url = f"http://127.0.0.1:{port}/api"
        log = Path(home, "server.log")
        command = "-m prefect server start --no-ui --no-services --analytics-off --host 127.0.0.1"
        with log.open("wb") as told:
            process = subprocess.Popen(
                [sys.executable, *command.split(), "--port", str(port)],
                env={**os.environ, "PREFECT_HOME": home, "DO_NOT_TRACK": "1"},
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=told,
            )
        try:
            _wait_for(process, url, log)
            # The server goes with its logs and pages when the run is over: none are sent, and no
            # address of theirs is told.
            ours = {PREFECT_API_URL: url, PREFECT_LOGGING_TO_API_ENABLED: False, PREFECT_UI_URL: ""}
            with temporary_settings(ours):
                yield
        finally:
            process.terminate()
            process.wait()


def _wait_for(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    for _ in range(STARTING * 10):
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/health").is_success:
                return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise PipelineError(
        "the Prefect server for this run did not start; set PREFECT_API_URL to one that runs. "
        f"It said:\n{log.read_text(errors='replace')}"
    )


def main() -> None:
    """Run the flow once, as the command line says."""
    told = argparse.ArgumentParser(description=paperclaims.__doc__)
    told.add_argument("sources", nargs="*", help="files, folders or globs; else the sample papers")
    told.add_argument("--out", default="outputs", help="folder or address, such as s3://bucket/dir")
    told.add_argument("--rules", action="append", default=[], help="a folder of your own rules")
    told.add_argument("--replace", action="append", default=[], help="a source that is complete")
    told.add_argument("--workers", type=int, help="processes; by default one for each processor")
    told.add_argument("--runner", choices=("processes", "dask"), default="processes")
    told.add_argument("--dask-address", help="tcp://... of a scheduler; else a cluster of our own")
    given = told.parse_args()
    run = paperclaims
    if given.runner == "dask" or given.dask_address:
        run = on_dask(given.dask_address, given.workers)
    with server():
        summary = run(
            sources=given.sources,
            out=given.out,
            rules_folders=given.rules,
            workers=given.workers,
            replaced=given.replace,
        )
    terminal.print_summary(summary)


if __name__ == "__main__":
    try:
        main()
    except PipelineError as error:
        terminal.print_error(str(error))
        sys.exit(1)
