"""Scheduled runs on a real Prefect server, of services on this machine that have their faults."""

from __future__ import annotations

import contextlib
import datetime
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from typer.testing import CliRunner

from pipeline import watermarks
from pipeline.cli import app
from pipeline.places import place_of
from tests.services import KEY, Services, made, revised
from tests.test_flows import FLOWS, bytes_of_tables, prefect_server, run_command

pytestmark = pytest.mark.slow

FIRST = datetime.date(2026, 3, 2)
WEEK = [FIRST + datetime.timedelta(days=number) for number in range(7)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with its page, which looks for work more often than it would on a quiet machine."""
    with prefect_server(
        tmp_path_factory.mktemp("server"),
        PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS="2",
    ) as url:
        yield url


@pytest.fixture
def services() -> Iterator[Services]:
    with Services({day: made(day, 12) for day in WEEK}) as started:
        yield started


def settings(folder: Path, services: Services, *enabled: str, **runs: object) -> Path:
    """A file of settings that leads to these services and into this folder."""
    places = {"daily-papers": "hf", "arxiv": "arxiv", "arxiv-oai": "oai", "semantic-scholar": "s2"}
    lines = ['contact = "tests@kiln.example.org"', "[fetching]", "attempts = 4", "wait = 0.01"]
    for name, path in places.items():
        lines += [f"[services.{name}]", f'address = "{services.address}/{path}"', "interval = 0.0"]
        lines += [f"enabled = {str(name in enabled).lower()}"]
        lines += ["page-size = 10"] if path in ("hf", "arxiv") else []
    where = {"out": str(folder / "out"), "landing": str(folder / "landing"), "workers": 1}
    lines += [
        "[runs]",
        *(f"{name} = {json.dumps(value)}" for name, value in (where | runs).items()),
    ]
    path = folder / "paperclaims.toml"
    path.write_text("\n".join(lines))
    return path


def environment(server: str, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "PREFECT_API_URL": server,
        "PYTHONPATH": str(FLOWS.parent),
        "PREFECT_RUNNER_POLL_FREQUENCY": "2",
        "PREFECT_WORKER_QUERY_SECONDS": "2",
        **more,
    }


@contextlib.contextmanager
def running(log: Path, *command: str | Path, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process with all that it starts in a group of its own, which ends with this."""
    with log.open("ab") as told:
        process = subprocess.Popen(
            [sys.executable, *map(str, command)],
            stdout=told,
            stderr=told,
            start_new_session=True,
            **options,
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def until(what: Callable[[], Any], log: Path, seconds: float = 180) -> Any:
    """What this gives once it gives anything; what was logged if it never does."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if found := what():
            return found
        time.sleep(0.2)
    raise AssertionError(f"it did not happen within {seconds} s\n{log.read_text()[-6000:]}")


def post(server: str, path: str, *, method: str = "POST", **told: object) -> Any:
    """The answer; a server whose SQLite is busy says so, as it does to Prefect's own clients."""
    for _ in range(60):
        with contextlib.suppress(httpx.TimeoutException):
            answer = httpx.request(method, f"{server}/{path}", json=told, timeout=30)
            if answer.status_code != 503:
                break
        time.sleep(1)
    answer.raise_for_status()
    return answer.json() if answer.content else None


def every(server: str, path: str, **told: object) -> list[dict[str, Any]]:
    """All records, page by page."""
    found: list[dict[str, Any]] = []
    while page := post(server, f"{path}/filter", **told, offset=len(found), limit=100):
        found += page
    return found


def deployment(server: str, name: str, tag: str) -> dict[str, Any] | None:
    found = post(
        server,
        "deployments/filter",
        flows={"name": {"any_": [name]}},
        deployments={"name": {"any_": [tag]}},
    )
    return found[0] if found else None


def runs_of(server: str, deployment_id: str) -> list[dict[str, Any]]:
    chosen = {"deployment_id": {"any_": [deployment_id]}}
    return post(server, "flow_runs/filter", flow_runs=chosen, sort="EXPECTED_START_TIME_ASC")


def artifacts(server: str, run: str) -> dict[str, Any]:
    found = post(server, "artifacts/filter", artifacts={"flow_run_id": {"any_": [run]}})
    return {one["key"]: one["data"] for one in found}


def marked(folder: Path, service: str) -> list[datetime.date]:
    return sorted(watermarks.read(place_of(folder / "out")).days.get(service, {}))


SCRIPT = """
import datetime
import json
from pathlib import Path

from prefect import serve
from prefect.deployments.runner import RunnerDeployment

import flows
from pipeline import days

CLOCK = Path("clock.json")
FIRST, LAST = datetime.date.fromisoformat({first!r}), datetime.date.fromisoformat({last!r})


def day_before(moment):
    # Time is short: a day passes from one scheduled run to the next, and none after the last.
    known = json.loads(CLOCK.read_text()) if CLOCK.exists() else []
    if moment.isoformat() not in known:
        known.append(moment.isoformat())
        CLOCK.write_text(json.dumps(known))
    return min(LAST, FIRST + datetime.timedelta(days=known.index(moment.isoformat())))


days.day_before = day_before
daily = flows.daily.with_options(retries=1, retry_delay_seconds=1)

if __name__ == "__main__":
    # The schedule ends by itself: pausing it while runs write to the server's SQLite may be
    # refused for minutes. Two runs more than the week has days.
    begins = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=20)
    every = "RRULE:FREQ=SECONDLY;INTERVAL=10;COUNT=9"
    serve(
        RunnerDeployment.from_entrypoint(
            __file__ + ":daily",
            name="week",
            rrule=f"DTSTART:{{begins:%Y%m%dT%H%M%SZ}}\\n{{every}}",
            concurrency_limit=flows.ONE_AT_A_TIME,
            parameters={{"settings_file": {settings!r}}},
            tags=["paperclaims"],
        )
    )
"""


def test_a_week_of_scheduled_runs_ends_with_the_tables_of_one_run_over_all_its_papers(
    tmp_path: Path, server: str, services: Services
) -> None:
    """Seven days, one for each scheduled run, with faults on three of them."""
    wanted = ("daily-papers", "arxiv", "arxiv-oai", "semantic-scholar")
    log = tmp_path / "log"
    # The fifth day has papers of the first in new versions, as an archive does.
    services.give(
        WEEK[4],
        [*made(WEEK[4], 6), *(revised(one, "It now says more.") for one in made(WEEK[0], 3))],
        "arxiv-oai",
    )
    # Passing faults, which the fetch sees through.
    services.fault("daily-papers", WEEK[1], "status", status=429, retry_after=1)
    services.fault("arxiv", WEEK[1], "truncated", page=2)
    services.fault("semantic-scholar", WEEK[1], "malformed", times=2)
    # One that outlasts the attempts of a fetch, so that the run is tried again.
    services.fault("arxiv", WEEK[3], "status", page=2, times=6, status=503)
    # And one that outlasts the run, so that the day is made up by another.
    services.fault("arxiv-oai", WEEK[5], "broken", times=9)
    script = tmp_path / "week.py"
    known = settings(tmp_path, services, *wanted)
    script.write_text(SCRIPT.format(first=str(FIRST), last=str(WEEK[6]), settings=str(known)))
    secret = {"PAPERCLAIMS_SERVICES__SEMANTIC_SCHOLAR__API_KEY": KEY}
    with running(log, script, env=environment(server, **secret), cwd=tmp_path):
        until(lambda: all(marked(tmp_path, name) == WEEK for name in wanted), log, seconds=480)
        found = deployment(server, "daily", "week")
        assert found is not None
        runs = until(lambda: _all_ended(server, found["id"]), log)
    assert all(run["auto_scheduled"] for run in runs)
    assert [run["state_name"] for run in runs if run["run_count"] > 1][:1] == ["Completed"]
    assert [run["state_name"] for run in runs].count("Failed") == 1
    _is_told(server, runs, wanted)
    everything = _all_that_is_kept(server, log)
    assert KEY not in everything
    assert any(one.headers.get("x-api-key") == KEY for one in services.asked("semantic-scholar"))
    run_command(tmp_path / "command", tmp_path / "landing")
    for out in ("out", "command"):
        CliRunner().invoke(app, ["snapshots", "compact", "--out", str(tmp_path / out)])
    assert bytes_of_tables(tmp_path / "out") == bytes_of_tables(tmp_path / "command")
    _looks_right(server, runs, tmp_path)


def _all_ended(server: str, deployment_id: str) -> list[dict[str, Any]]:
    """The runs that have begun, as they did, once none of them is under way.

    One that waits for its turn may be overtaken by the next.
    """
    runs = [run for run in runs_of(server, deployment_id) if run["run_count"]]
    runs.sort(key=lambda run: run["start_time"])
    ended = {"COMPLETED", "FAILED", "CANCELLED", "CRASHED"}
    return runs if all(run["state_type"] in ended for run in runs) else []


def _is_told(server: str, runs: list[dict[str, Any]], wanted: tuple[str, ...]) -> None:
    """Each run has its artifacts; the one that failed says which day of whom is missing."""
    for run in runs:
        shown = artifacts(server, run["id"])
        assert "paperclaims-report" in shown
        if run["state_name"] == "Failed":
            assert f"arxiv-oai {WEEK[5]}, not fetched: arxiv-oai: http" in run["state"]["message"]
            assert "not fetched" in shown["paperclaims-report"]
    first = artifacts(server, runs[0]["id"])
    rows = json.loads(first["paperclaims-counts"])
    assert {row["source"] for row in rows} == {*wanted, "all"}
    assert {row["day"] for row in rows} == {str(FIRST), ""}
    assert {row["papers"] for row in rows} == {12}
    assert all(row["gains"] == 24 for row in rows)
    assert "## New claims\n\n24 gains in 12 new papers" in first["paperclaims-report"]
    assert "audit.html" in first["paperclaims-audit"]


def _all_that_is_kept(server: str, log: Path) -> str:
    """Whatever the server knows of anything, and what the runs have printed."""
    kinds = ("logs", "artifacts", "flow_runs", "task_runs", "deployments", "flows", "variables")
    return json.dumps([every(server, kind) for kind in kinds]) + log.read_text()


def _looks_right(server: str, runs: list[dict[str, Any]], folder: Path) -> None:
    """The page of the first run in a browser, where there is one, shows what it did."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not chromium:
        return
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    address = server.removesuffix("/api")
    of_run = {"artifacts": {"flow_run_id": {"any_": [runs[0]["id"]]}}}
    ids = {one["key"]: one["id"] for one in post(server, "artifacts/filter", **of_run)}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 1200})
        page.goto(f"{address}/runs/flow-run/{runs[0]['id']}")
        page.get_by_text("Artifacts", exact=True).last.click()
        page.wait_for_selector("text=paperclaims-report", timeout=60_000)
        page.screenshot(path=folder / "run.png")
        for key, seen in (
            ("paperclaims-report", "New claims"),
            ("paperclaims-counts", "semantic-scholar"),
            ("paperclaims-audit", "The new papers' claims"),
        ):
            page.goto(f"{address}/artifacts/artifact/{ids[key]}")
            page.wait_for_selector(f"text={seen}", timeout=60_000)
            page.screenshot(path=folder / f"{key}.png")
        browser.close()


CALLS = """
import datetime
import json

from prefect import tags

import flows

if __name__ == "__main__":
    {first}
    with tags("paperclaims"):
        for name, given in json.loads({calls!r}):
            flow = getattr(flows, name).with_options(retries=0)
            state = flow(**given, settings_file={settings!r}, return_state=True)
            print(json.dumps([state.name, state.message]), flush=True)
"""


def called(
    folder: Path,
    server: str,
    settings_file: Path,
    *calls: tuple[str, Mapping[str, object]],
    first: str = "pass",
) -> subprocess.CompletedProcess[str]:
    script = folder / "calls.py"
    script.write_text(
        CALLS.format(first=first, calls=json.dumps(calls), settings=str(settings_file))
    )
    return subprocess.run(
        [sys.executable, script],
        env=environment(server),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def call(*args: Any, first: str = "pass") -> list[tuple[str, str]]:
    """State and message of each of these runs, one after the other."""
    told = called(*args, first=first)
    assert told.returncode == 0, told.stderr[-6000:]
    return [tuple(json.loads(line)) for line in told.stdout.splitlines() if line[:1] == "["]


KILLED = """
    import os, signal
    from pipeline import days
    days.mark = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_run_killed_between_publishing_and_marking_is_done_again_with_the_same_result(
    tmp_path: Path, server: str, services: Services
) -> None:
    known = settings(tmp_path, services, "daily-papers")
    day = ("daily", {"day": str(FIRST)})
    assert called(tmp_path, server, known, day, first=KILLED).returncode == -signal.SIGKILL
    published = bytes_of_tables(tmp_path / "out")
    assert published
    assert marked(tmp_path, "daily-papers") == []
    told = f"{FIRST} of daily-papers: 12 papers, 12 new; the tables stay as they are"
    assert call(tmp_path, server, known, day) == [("Completed", told)]
    assert bytes_of_tables(tmp_path / "out") == published
    assert marked(tmp_path, "daily-papers") == [FIRST]


def usual(folder: Path, papers: int) -> None:
    """A month of days that are published, each with so many papers."""
    marks = watermarks.Watermarks()
    rows = dict.fromkeys(COUNTED, papers) | {"gains": 2 * papers, "rejects": 0}
    now = datetime.datetime.now(datetime.UTC)
    for number in range(1, 31):
        day = FIRST - datetime.timedelta(days=number)
        marks.mark("daily-papers", day, watermarks.Marked((), rows, True, None, now))
    watermarks.write(place_of(folder / "out"), marks)


COUNTED = ("papers", "models", "sizes", "benchmarks", "links", "numbers")


class Hook:
    """A web hook on this machine, which keeps what it is told."""

    def __enter__(self) -> Hook:
        told = self.told = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                told.append((self.headers["Authorization"], json.loads(body)["text"]))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def block(self) -> str:
        """What makes the block of it, and the automations that call it."""
        return f"""
    import datetime
    from prefect.blocks.notifications import CustomWebhookNotificationBlock
    CustomWebhookNotificationBlock(
        name="ops",
        url="http://127.0.0.1:{self._server.server_port}/",
        json_data={{"text": "{{{{subject}}}}: {{{{body}}}}"}},
        headers={{"Authorization": "{{{{token}}}}"}},
        secrets={{"token": "a-token-of-the-hook"}},
    ).save("ops", overwrite=True)
    flows.SILENCE = datetime.timedelta(seconds=10)
    assert flows.notify("custom-webhook/ops") == flows.notify("custom-webhook/ops")
"""


def test_a_day_that_drifts_is_held_back_or_published_and_marked_and_people_are_told(
    tmp_path: Path, server: str, services: Services
) -> None:
    """Prefect loses a message that SQLite refuses to keep while runs write to it: so up to three
    mornings are tried until somebody is told.
    """
    day = {"day": str(FIRST)}
    message = f"daily-papers {FIRST}: 12 papers, where 100 to 100 are usual on a Monday"
    expected = {f"paperclaims: daily {FIRST} is {state}: {message}" for state in ("Drift", "Held")}

    def said() -> set[str]:
        return {text.partition("\n")[0] for _, text in hook.told if message in text}

    with Hook() as hook:
        for morning in range(3):
            folder = tmp_path / str(morning)
            folder.mkdir()
            known = settings(folder, services, "daily-papers", fresh=3)
            usual(folder, papers=100)
            held, drifted, again = call(
                folder,
                server,
                known,
                ("daily", {**day, "hold_on_drift": True}),
                ("daily", day),
                ("daily", day),
                first=hook.block,
            )
            assert held == ("Held", message)
            assert drifted == ("Drift", message)
            assert again == ("Completed", "nothing was due")
            with contextlib.suppress(AssertionError):
                until(lambda: said() == expected, folder / "calls.py", seconds=60)
                break
        assert said() == expected
        silence = "paperclaims: no daily run has ended"
        until(lambda: any(silence in text for _, text in hook.told), folder / "calls.py")
        assert {token for token, _ in hook.told} == {"a-token-of-the-hook"}
    by_name = {run["state_name"]: run for run in every(server, "flow_runs")}
    report = artifacts(server, by_name["Held"]["id"])["paperclaims-report"]
    assert "held back, not published" in report
    assert "a-token-of-the-hook" not in json.dumps(every(server, "logs"))


def test_a_backfill_goes_on_where_it_was_and_reextract_tells_what_new_rules_change(
    tmp_path: Path, server: str, services: Services
) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "benchmarks.yaml").write_text(RULE.replace("Pots & Answers", "Kiln Bench"))
    known = settings(tmp_path, services, "daily-papers", "arxiv", rules=[str(rules)])
    services.fault("arxiv", WEEK[2], "status", times=4, status=500)
    week = {"first": str(WEEK[0]), "last": str(WEEK[6])}
    failed, whole, nothing = call(
        tmp_path,
        server,
        known,
        ("backfill", {**week, "concurrency": 3}),
        ("backfill", week),
        ("reextract", {}),
    )
    assert failed[0] == "Failed"
    assert f"arxiv {WEEK[2]}, not fetched: " in failed[1]
    assert whole[0] == "Completed"
    assert whole[1].startswith(f"{WEEK[2]} of arxiv: 12 papers, 0 new; ")
    assert nothing == ("Completed", "the rules are those of the tables; nothing was to be done")
    assert marked(tmp_path, "arxiv") == marked(tmp_path, "daily-papers") == WEEK
    asked = len(services.requests)
    (rules / "benchmarks.yaml").write_text(RULE)
    (changed,) = call(tmp_path, server, known, ("reextract", {}))
    assert changed[0] == "Completed"
    assert changed[1].startswith("84 papers, published as ")
    assert len(services.requests) == asked
    begun = [run for run in every(server, "flow_runs") if run["start_time"]]
    run = max(begun, key=lambda run: run["start_time"])
    told = artifacts(server, run["id"])["paperclaims-differences"]
    assert "| benchmarks | 84 | 0 | 0 |" in told


RULE = """
Pots & Answers:
  names: ["Pots & Answers"]
  finds: ["We test on [[Pots & Answers]]."]
"""


def test_served_runs_wait_for_each_other_and_one_that_is_cancelled_leaves_what_was_published(
    tmp_path: Path, server: str, services: Services
) -> None:
    known = settings(tmp_path, services, "daily-papers")
    papers = tmp_path / "papers.jsonl"
    papers.write_text(json.dumps({"id": "p:1", "title": "T", "abstract": "A gain of 2% on MMLU."}))
    run_command(tmp_path / "out", papers)
    before = bytes_of_tables(tmp_path / "out")
    services.fault("daily-papers", WEEK[0], "slow", times=1, seconds=0.5)
    log = tmp_path / "log"
    serve = (FLOWS, "serve", "--cron", "0 6 * * *", "--settings", known)
    with running(log, *serve, env=environment(server), cwd=tmp_path):
        daily, backfill = (
            until(lambda name=name: deployment(server, name, name), log)
            for name in ("daily", "backfill")
        )
        _explains_itself(server, daily)
        planned = until(lambda: runs_of(server, daily["id"]), log)
        assert {run["expected_start_time"][11:16] for run in planned} == {"06:00"}
        slow = start(server, daily, day=str(WEEK[0]))
        until(lambda: services.asked("daily-papers"), log)
        other = start(server, daily, day=str(WEEK[0]))
        range_ = start(server, backfill, first=str(WEEK[0]), last=str(WEEK[6]))
        until(lambda: state(server, other) == "AwaitingConcurrencySlot", log)
        until(lambda: state(server, range_) == "Running", log)
        assert bytes_of_tables(tmp_path / "out") == before
        post(server, f"flow_runs/{slow}/set_state", state={"type": "CANCELLING"})
        until(lambda: state(server, slow) == "Cancelled", log)
        until(lambda: state(server, range_) == "Completed", log)
        until(lambda: state(server, other) == "Completed", log)
    assert marked(tmp_path, "daily-papers") == WEEK
    assert len(pd.read_parquet(tmp_path / "out" / "papers")) == 1 + 12 * len(WEEK)


def start(server: str, deployment: Mapping[str, Any], **parameters: str) -> str:
    run = post(server, f"deployments/{deployment['id']}/create_flow_run", parameters=parameters)
    return str(run["id"])


def state(server: str, run: str) -> str:
    return str(post(server, f"flow_runs/{run}", method="GET")["state_name"])


def _explains_itself(server: str, daily: Mapping[str, Any]) -> None:
    """The form of the page has words, choices and types; what is none of them is refused."""
    form = daily["parameter_openapi_schema"]["properties"]
    assert form["day"]["description"].startswith("The last day to fetch; by default")
    assert all(parameter["description"] for parameter in form.values())
    assert {"type": "string", "format": "date"} in form["day"]["anyOf"]
    assert form["services"]["anyOf"][0]["items"]["enum"] == [
        "daily-papers", "arxiv", "arxiv-oai", "openreview", "semantic-scholar"
    ]  # fmt: skip
    for wrong in ({"services": ["arxif"]}, {"hold_on_drift": "perhaps"}):
        answer = httpx.post(
            f"{server}/deployments/{daily['id']}/create_flow_run", json={"parameters": wrong}
        )
        assert answer.status_code in (409, 422), (wrong, answer.text)


def test_a_worker_that_is_killed_leaves_what_was_published_and_the_next_makes_up_the_day(
    tmp_path: Path, server: str, services: Services
) -> None:
    """The deployments of prefect.yaml, on a work pool of processes."""
    settings(tmp_path, services, "daily-papers", since=str(WEEK[0]))
    for name in ("flows.py", "prefect.yaml"):
        shutil.copy(FLOWS.with_name(name), tmp_path)
    services.fault("daily-papers", WEEK[0], "slow", times=1, seconds=0.5)
    log = tmp_path / "log"
    ours = {"env": environment(server), "cwd": tmp_path}
    for command in (
        ("work-pool", "create", "paperclaims", "--type", "process"),
        ("--no-prompt", "deploy", "--all"),
    ):
        with log.open("ab") as told:
            subprocess.run(
                [sys.executable, "-m", "prefect", *command],
                stdout=told, stderr=told, check=True, timeout=120, **ours,
            )  # fmt: skip
    daily = deployment(server, "daily", "daily")
    assert daily is not None
    worker = ("-m", "prefect", "worker", "start", "--pool", "paperclaims")
    with running(log, *worker, **ours) as first:
        gone = start(server, daily, day=str(WEEK[0]))
        until(lambda: services.asked("daily-papers"), log)
        children = subprocess.run(
            ["pgrep", "-P", str(first.pid)], capture_output=True, text=True, check=True
        ).stdout.split()
        for victim in (first.pid, *map(int, children)):
            os.kill(victim, signal.SIGKILL)
    assert not (tmp_path / "out" / "current").exists()
    # What the automation of `flows.py notify` does once there has been no sign of it for a while.
    post(server, f"flow_runs/{gone}/set_state", state={"type": "CRASHED"}, force=True)
    with running(log, *worker, **ours):
        start(server, daily, day=str(WEEK[1]))
        until(lambda: marked(tmp_path, "daily-papers") == WEEK[:2], log)
    run_command(tmp_path / "command", tmp_path / "landing")
    assert bytes_of_tables(tmp_path / "out") == bytes_of_tables(tmp_path / "command")
