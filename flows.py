"""The work as Prefect flows: tasks and their order, and what a run shows on Prefect's page.

`paperclaims` does what `paperclaims run` does: the published tables are the same, byte for byte.
`python flows.py` runs it once on the sample papers, with a Prefect server of its own where none is
set up. With PREFECT_API_URL the run and its summary show up on the server of that address. With
`--runner dask` the shards are extracted by the workers of a Dask cluster, here or elsewhere.

`daily` fetches the days that are due, publishes and audits them, and reports; `backfill` does so
for a range of days; `reextract` makes all tables anew after a change of the rules. `python flows.py
serve --cron "0 6 * * *"` serves them to the server at PREFECT_API_URL, prefect.yaml deploys them to
a work pool, `python flows.py notify BLOCK` has the server tell when something is wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import logging
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import httpx
from prefect import flow, runtime, serve, task
from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.automations import Automation, AutomationCore
from prefect.blocks.core import Block
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import (
    ConcurrencyLimitConfig,
    ConcurrencyLimitStrategy,
    StateType,
)
from prefect.context import FlowRunContext
from prefect.events.actions import ChangeFlowRunState, SendNotification
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.futures import PrefectFuture, as_completed
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_LOGGING_TO_API_ENABLED,
    PREFECT_UI_URL,
    temporary_settings,
)
from prefect.states import Cancelled, Completed
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import Field

import pipeline
from pipeline import days, report, store, terminal
from pipeline.audit import Audited
from pipeline.fetch import Fetched, fetch
from pipeline.records import PipelineError
from pipeline.report import Told
from pipeline.settings import Settings
from pipeline.store import snapshots

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
        counts = _extracted(plan, workers)
        summary = publish(desk, plan, counts)
    create_markdown_artifact(_told(summary), key="paperclaims", description="What a run published")
    if not summary.read and not summary.removed:
        raise PipelineError(f"no paper could be read from {', '.join(sources)}; nothing published")
    return summary


def _extracted(plan: store.Plan, workers: int | None) -> list[store.ShardCounts]:
    """All shards extracted, with the progress of it on the run's page."""
    with _processes(_count(workers, plan)) as processes:
        futures = [
            extract.submit(
                shard.number, plan.address, shard, plan.rules_folders, plan.fingerprint, processes
            )
            for shard in plan.shards
        ]
        told = _progress("extracting", len(futures))
        for number, _ in enumerate(as_completed(futures), start=1):
            told(number)
        return [future.result() for future in futures]


def _progress(key: str, total: int) -> Callable[[int], object]:
    """A bar on the run's page, moved by calling this with how many are done; none for a single."""
    if total < 2:
        return lambda _done: None
    shown = create_progress_artifact(0.0, key=key, description=f"{total} tasks")
    return lambda done: update_progress_artifact(shown, progress=100 * done / total)  # type: ignore[arg-type]


def _count(workers: int | None, plan: store.Plan) -> int:
    """How many processes of our own: none where the tasks are elsewhere anyway."""
    context = FlowRunContext.get()
    if context is not None and not isinstance(context.task_runner, ThreadPoolTaskRunner):
        return 1
    return min(workers or os.cpu_count() or 1, len(plan.shards))


# --- scheduled runs


Service = Literal["daily-papers", "arxiv", "arxiv-oai", "openreview", "semantic-scholar"]

# Fetches wait for answers, and shards for processes: what runs at once is bounded by these, not by
# the number of threads.
_THREADS = ThreadPoolTaskRunner(max_workers=32)


@task(name="fetch", task_run_name="fetch-{service}-{day}", cache_policy=NO_CACHE)
def fetch_day(service: str, day: datetime.date, settings: Settings) -> Fetched:
    """What a service published on a day, landed in files; it tries again itself, by its rules."""
    return fetch(service, day, landing=settings.runs.landing, settings=settings)


@task(name="audit", cache_policy=NO_CACHE)
def audit(settings: Settings, papers: frozenset[str]) -> tuple[Audited, Path] | None:
    """Check what is published against its texts, and write the page of the new papers."""
    return days.audited(settings, papers)


def _through() -> datetime.date:
    """The last day that a daily run has to fetch."""
    given: datetime.date | str | None = runtime.flow_run.parameters["day"]
    if given is None:
        return days.day_before(runtime.flow_run.scheduled_start_time)
    return datetime.date.fromisoformat(str(given))


@flow(
    name="daily",
    flow_run_name=lambda: str(_through()),
    retries=2,
    retry_delay_seconds=600,
    task_runner=_THREADS,  # type: ignore[arg-type]
)
def daily(
    day: datetime.date | None = None,  # noqa: ARG001, for `_through`, as the run's name is
    services: list[Service] | None = None,
    hold_on_drift: bool = False,
    settings_file: Path | None = None,
) -> Any:
    """Fetch the days that are due, publish and audit them, and report.

    Due are all days up to `day` that are not published yet, so that a run makes up what others
    missed. A day that cannot be fetched does not keep the others from being published; the run
    fails in the end, and the day is due again.

    Args:
        day: The last day to fetch; by default the one before the scheduled start, in UTC.
        services: Only these services; by default all that the settings enable.
        hold_on_drift: Publish nothing where the counts of a day are not those that the last thirty
            suggest; by default it is published, and the run marked.
        settings_file: The file of settings, as the worker sees it; by default paperclaims.toml, or
            [tool.paperclaims] of pyproject.toml, in its folder.
    """
    settings = Settings.read(settings_file)
    chosen = days.enabled(settings, services)
    through = _through()
    with days.turn(settings.runs.landing, settings.runs.wait):
        told = _published(
            settings,
            days.due(settings, chosen, through),
            concurrency=len(chosen),
            hold_on_drift=hold_on_drift,
        )
        told = replace(told, stale=days.stale(settings, chosen, through))
        return _ended(_audited(settings, told))


@flow(
    name="backfill",
    flow_run_name="{first} to {last}",
    retries=2,
    retry_delay_seconds=600,
    task_runner=_THREADS,  # type: ignore[arg-type]
)
def backfill(
    first: datetime.date,
    last: datetime.date,
    services: list[Service] | None = None,
    concurrency: Annotated[int, Field(ge=1, le=16)] = 4,
    settings_file: Path | None = None,
) -> Any:
    """Fetch and publish the days of a range that are not published yet.

    They are published some at a time, so that a run that is killed goes on where it was.

    Args:
        first: The first day to fetch.
        last: The last day to fetch, itself included.
        services: Only these services; by default all that the settings enable.
        concurrency: How many days are fetched at the same time, from 1 to 16.
        settings_file: The file of settings, as the worker sees it; by default paperclaims.toml, or
            [tool.paperclaims] of pyproject.toml, in its folder.
    """
    settings = Settings.read(settings_file)
    wanted = days.missing(settings, days.enabled(settings, services), first, last)
    told = Told(out=settings.runs.out)
    for number in range(0, len(wanted), days.BATCH):
        with days.turn(settings.runs.landing, settings.runs.wait):
            batch = wanted[number : number + days.BATCH]
            told = told.then(_published(settings, batch, concurrency=concurrency))
    with days.turn(settings.runs.landing, settings.runs.wait):
        return _ended(_audited(settings, told))


@flow(name="reextract", flow_run_name="all papers", task_runner=_THREADS)  # type: ignore[arg-type]
def reextract(settings_file: Path | None = None) -> Any:
    """Make all tables anew after a change of the rules, and tell which rows are others now.

    Args:
        settings_file: The file of settings, as the worker sees it; by default paperclaims.toml, or
            [tool.paperclaims] of pyproject.toml, in its folder.
    """
    settings = Settings.read(settings_file)
    runs = settings.runs
    with days.turn(runs.landing, runs.wait):
        with store.locked(runs.out) as desk:
            plan = read(desk, [], [str(folder) for folder in runs.rules], None, None, [])
            counts = _extracted(plan, runs.workers)
            summary = publish(desk, plan, counts)
        if summary.run_id is None:
            return Completed(message="the rules are those of the tables; nothing was to be done")
        audit(settings, frozenset())
        changes = report.differences(snapshots.diff(runs.out, "previous", "current"))
    create_markdown_artifact(changes, key="paperclaims-differences", description="What is another")
    return Completed(message=f"{summary.papers:,} papers, published as {summary.run_id}")


def _published(
    settings: Settings,
    wanted: Sequence[days.Landed],
    *,
    concurrency: int,
    hold_on_drift: bool = False,
) -> Told:
    """These days fetched, those that came whole published and marked; nothing with `Told.held`."""
    fetched, failures = _fetched(settings, wanted, concurrency)
    runs = settings.runs
    told = Told(out=runs.out, failures=failures)
    if not wanted:
        return told
    now = datetime.datetime.now(datetime.UTC)
    with store.locked(runs.out) as desk:
        days.note_tries(desk.place, wanted, failures, now)
        if not fetched:
            return told
        found = days.sources(desk, settings, fetched)
        plan = read(desk, found, [str(folder) for folder in runs.rules], None, None, [])
        counts = _extracted(plan, runs.workers)
        measured = days.measure(desk, plan, settings, fetched)
        told = replace(
            told,
            measured=measured,
            unusual=days.unusual(desk, settings, measured, now),
            seconds=report.seconds(plan, counts),
        )
        if told.unusual and hold_on_drift:
            return replace(told, held=True)
        summary = publish(desk, plan, counts)
        days.mark(desk.place, settings, fetched, measured, summary.run_id, now)
    days.tidy(runs.out)
    return replace(told, summary=summary)


def _fetched(
    settings: Settings, wanted: Sequence[days.Landed], concurrency: int
) -> tuple[list[Fetched], dict[days.Landed, str]]:
    """What came whole, and why the rest did not."""
    futures: list[PrefectFuture[Fetched]] = []
    told = _progress("fetching", len(wanted))
    for number, (service, day) in enumerate(wanted):
        if number >= concurrency:
            futures[number - concurrency].wait()
            told(number - concurrency + 1)
        futures.append(fetch_day.submit(service, day, settings))
    fetched: list[Fetched] = []
    failures: dict[days.Landed, str] = {}
    for landed, future in zip(wanted, futures, strict=True):
        found = future.result(raise_on_failure=False)
        if isinstance(found, Fetched) and found.complete:
            fetched.append(found)
        else:
            failures[landed] = days.why_not(found)
    told(len(wanted))
    return fetched, failures


def _audited(settings: Settings, told: Told) -> Told:
    """With the audit of what is published and the address of its page, if anything is new."""
    if told.summary is None or not told.summary.papers:
        return told
    found = audit(settings, told.measured.papers)
    if found is None:
        return told
    audited, page = found
    address = (
        f"{settings.runs.pages}/{page.name}" if settings.runs.pages else page.absolute().as_uri()
    )
    return replace(told, audited=audited, page=address)


def _ended(told: Told) -> Any:
    """The run's artifacts and the state it ends in, by a name that automations can wait for."""
    if told.measured.counts:
        rows = report.counts_table(told.measured)
        create_table_artifact(rows, key="paperclaims-counts", description="Rows by source and day")
    create_markdown_artifact(
        report.markdown(told), key="paperclaims-report", description="What a run did and found"
    )
    if told.page:
        create_link_artifact(
            told.page,
            link_text="The new papers' claims, with what the audit holds against them",
            key="paperclaims-audit",
            description="The offline audit page",
        )
    if told.failures:
        raise PipelineError(report.alarm(told))
    if told.held:
        return Cancelled(name="Held", message=report.alarm(told))
    if told.unusual or told.stale:
        return Completed(name="Drift" if told.unusual else "Stale", message=report.alarm(told))
    return Completed(message=report.headline(told))


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


# --- serving and notifying


# A second run of the same flow waits for the first; different flows wait for each other by the
# lock of what has landed.
ONE_AT_A_TIME = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE)


def serve_all(cron: str, settings_file: Path | None, *, hold_on_drift: bool) -> None:
    """Serve all three flows to the server that is set up, `daily` by this schedule, until ended."""
    given = {"settings_file": None if settings_file is None else str(settings_file.resolve())}
    every = {"concurrency_limit": ONE_AT_A_TIME, "tags": ["paperclaims"]}
    serve(
        daily.to_deployment(
            "daily", cron=cron, parameters={**given, "hold_on_drift": hold_on_drift}, **every
        ),
        backfill.to_deployment("backfill", parameters=given, **every),
        reextract.to_deployment("reextract", parameters=given, **every),
    )


TROUBLE = ("Failed", "Crashed", "TimedOut", "Drift", "Held", "Stale")
"""States of runs that people are told of."""

ENDED = (*TROUBLE, "Completed", "Cancelled", "AwaitingRetry")
"""States after which a run gives no sign."""

SILENCE = datetime.timedelta(hours=30)
"""People are told as well when no daily run has ended for so long."""


GONE = datetime.timedelta(minutes=10)
"""A run that gives no sign for so long, of which there is one in three minutes, has crashed."""


def notify(block: str) -> list[str]:
    """Have the server tell this block (`custom-webhook/ops`) of trouble and of silence.

    A run whose process is gone is marked as crashed, so that this is told as well. Gives the names
    of the automations; those that are there already are replaced.
    """
    document = Block.load(block, _sync=True)._block_document_id
    assert document is not None
    ours = {"prefect.resource.id": "prefect.tag.paperclaims", "prefect.resource.role": "tag"}
    runs = {"prefect.resource.id": "prefect.flow-run.*"}
    trouble = SendNotification(
        block_document_id=document,
        subject="paperclaims: {{ flow.name }} {{ flow_run.name }} is {{ flow_run.state.name }}",
        body="{{ flow_run.state.message }}\n{{ flow_run|ui_url }}",
    )
    silence = SendNotification(
        block_document_id=document,
        subject="paperclaims: no daily run has ended",
        body=f"No run of paperclaims has ended for {SILENCE}; is the worker running?",
    )
    made = [
        AutomationCore(
            name="paperclaims: trouble",
            trigger=EventTrigger(
                match=runs,
                match_related=ours,
                expect={f"prefect.flow-run.{state}" for state in TROUBLE},
                posture=Posture.Reactive,
                threshold=1,
            ),
            actions=[trouble],
        ),
        AutomationCore(
            name="paperclaims: silence",
            trigger=EventTrigger(
                match=runs,
                match_related=ours,
                expect={"prefect.flow-run.Completed", "prefect.flow-run.Drift"},
                posture=Posture.Proactive,
                threshold=1,
                within=SILENCE,
            ),
            actions=[silence],
        ),
        AutomationCore(
            name="paperclaims: gone",
            trigger=EventTrigger(
                match=runs,
                match_related=ours,
                after={"prefect.flow-run.heartbeat"},
                expect={
                    "prefect.flow-run.heartbeat",
                    *(f"prefect.flow-run.{state}" for state in ENDED),
                },
                for_each={"prefect.resource.id"},
                posture=Posture.Proactive,
                threshold=1,
                within=GONE,
            ),
            actions=[ChangeFlowRunState(state=StateType.CRASHED, message="its process is gone")],
        ),
    ]
    for one in made:
        with contextlib.suppress(ValueError):
            Automation.read(name=one.name, _sync=True).delete(_sync=True)
        Automation(**one.model_dump()).create(_sync=True)
    return [one.name for one in made]


def main() -> None:
    """Do what the command line says: run once, serve, or set up notifications."""
    commands = {"serve": _serve_command, "notify": _notify_command}
    if sys.argv[1:2] and sys.argv[1] in commands:
        commands[sys.argv[1]](sys.argv[2:])
    else:
        _run_command(sys.argv[1:])


def _run_command(args: Sequence[str]) -> None:
    told = argparse.ArgumentParser(
        description=paperclaims.__doc__,
        epilog="`flows.py serve` serves the scheduled runs, `flows.py notify` tells of trouble",
    )
    told.add_argument("sources", nargs="*", help="files, folders or globs; else the sample papers")
    told.add_argument("--out", default="outputs", help="folder or address, such as s3://bucket/dir")
    told.add_argument("--rules", action="append", default=[], help="a folder of your own rules")
    told.add_argument("--replace", action="append", default=[], help="a source that is complete")
    told.add_argument("--workers", type=int, help="processes; by default one for each processor")
    told.add_argument("--runner", choices=("processes", "dask"), default="processes")
    told.add_argument("--dask-address", help="tcp://... of a scheduler; else a cluster of our own")
    given = told.parse_args(args)
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


def _serve_command(args: Sequence[str]) -> None:
    told = argparse.ArgumentParser(prog="flows.py serve", description=serve_all.__doc__)
    told.add_argument("--cron", default="0 6 * * *", help="when `daily` runs; every day at 6 (UTC)")
    told.add_argument("--hold-on-drift", action="store_true", help="publish nothing unusual")
    told.add_argument("--settings", type=Path, help="the file of settings")
    given = told.parse_args(args)
    _needs_a_server()
    Settings.read(given.settings)  # what is wrong there is told now, and not at 6 in the morning
    serve_all(given.cron, given.settings, hold_on_drift=given.hold_on_drift)


def _notify_command(args: Sequence[str]) -> None:
    told = argparse.ArgumentParser(prog="flows.py notify", description=notify.__doc__)
    told.add_argument("block", help="a notification block of the server, as TYPE/NAME")
    _needs_a_server()
    for name in notify(told.parse_args(args).block):
        print(name)


def _needs_a_server() -> None:
    if not PREFECT_API_URL.value():
        raise PipelineError(
            "PREFECT_API_URL names no server; start one (`prefect server start`) and set it, such "
            "as PREFECT_API_URL=http://127.0.0.1:4200/api"
        )


if __name__ == "__main__":
    try:
        main()
    except PipelineError as error:
        terminal.print_error(str(error))
        sys.exit(1)
