"""What `paperclaims run` does, as a Prefect flow: the published tables are the same, byte for byte.

`python flows.py` runs it once on the sample papers, with a Prefect server of its own where none is
set up. With PREFECT_API_URL the run and its summary show up on the server of that address.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import httpx
from prefect import flow, runtime, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
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
    sources: Sequence[str],
    inside: Path,
    rules_folders: Sequence[str],
    format: str | None,
    year: int | None,
) -> tuple[Path, store.Plan]:
    """Read the sources into a new folder, another one each time this is tried."""
    work = Path(tempfile.mkdtemp(dir=inside))
    plan = store.spool(sources, work, rules_folders=rules_folders, format=format, year=year)
    return work, plan


@task(
    name="extract",
    task_run_name="extract-{number}",
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=5,
    retry_condition_fn=_may_pass,
)
def extract(
    number: int, work: Path, plan: store.Plan, processes: Executor | None
) -> store.ShardCounts:
    """Extract one shard, in one of the processes if there are any."""
    shard = (work, plan.shards[number], plan.rules_folders, plan.fingerprint)
    if processes is None:
        return store.extract_shard(*shard)
    return processes.submit(store.extract_shard, *shard).result()


@task(name="publish", cache_policy=NO_CACHE)
def publish(
    out: Path, work: Path, plan: store.Plan, counts: Sequence[store.ShardCounts]
) -> store.RunSummary:
    """Make the tables of all shards the published ones, in one step."""
    return store.publish(out, work, plan, counts)


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
    out: Path = Path("outputs"),
    rules_folders: list[str] | None = None,
    format: str | None = None,
    year: int | None = None,
    workers: int | None = None,
) -> store.RunSummary:
    """Read papers, extract all tables from them and publish these in `out`."""
    sources = sources or [str(pipeline.SAMPLE)]
    with store.locked(out) as inside:
        work, plan = read(sources, inside, rules_folders or [], format, year)
        with _processes(min(workers or os.cpu_count() or 1, len(plan.shards))) as processes:
            numbers = range(len(plan.shards))
            futures = [extract.submit(number, work, plan, processes) for number in numbers]
            counts = [future.result() for future in futures]
        summary = publish(out, work, plan, counts)
    create_markdown_artifact(_told(summary), key="paperclaims", description="What a run published")
    if not summary.papers:
        raise PipelineError(f"no paper could be read from {', '.join(sources)}; nothing published")
    return summary


@contextlib.contextmanager
def _processes(count: int) -> Iterator[Executor | None]:
    if count <= 1:
        yield None
        return
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=spawn, initializer=store.start_worker) as pool:
        yield pool


def _told(summary: store.RunSummary) -> str:
    lines = [
        f"**{summary.papers:,} papers** in {summary.seconds:.1f} s, published in `{summary.out}`",
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


if __name__ == "__main__":
    with server():
        terminal.print_summary(paperclaims())
