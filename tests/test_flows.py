from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

import pipeline
from pipeline.cli import app

FLOWS = Path(__file__).parents[1] / "flows.py"

pytestmark = pytest.mark.slow


def bytes_of_tables(out: Path) -> dict[str, bytes]:
    """What is published, less the table that tells when it was."""
    parts = sorted((out / "current").rglob("*.parquet"))
    tables = {str(path.relative_to(out / "current")): path.read_bytes() for path in parts}
    return {name: content for name, content in tables.items() if not name.startswith("runs/")}


def run_command(out: Path, *args: str | Path) -> None:
    result = CliRunner().invoke(app, ["run", *map(str, args), "--out", str(out)])
    assert result.exit_code == 0, result.output


def run_script(
    cwd: Path, script: Path = FLOWS, **environment: str
) -> subprocess.CompletedProcess[str]:
    """A script in a folder and a home of its own, as a newcomer's machine has them."""
    home = cwd / "home"
    home.mkdir(exist_ok=True)
    given = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT")}
    return subprocess.run(
        [sys.executable, script],
        cwd=cwd,
        env={**given, "HOME": str(home), "TMPDIR": str(home), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@contextlib.contextmanager
def prefect_server(home: Path, *options: str, **environment: str) -> Iterator[str]:
    """The address of a Prefect server as people start one, by default on SQLite."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [sys.executable, "-m", "prefect", "server", "start", "--port", port, *options]
    ours = {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "no",
        "PREFECT_SERVER_UI_API_URL": f"http://127.0.0.1:{port}/api",
    }
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            command, env={**os.environ, **ours, **environment}, stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}/api"
    try:
        for _ in range(1200):
            if process.poll() is not None:
                break
            try:
                httpx.get(f"{url}/health").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        assert process.poll() is None, (home / "log").read_text()
        yield url
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with prefect_server(tmp_path_factory.mktemp("server"), "--no-ui") as url:
        yield url


def ask(server: str, what: str, flow_run: str | None = None) -> list[dict[str, Any]]:
    chosen = {"flow_runs": {"id": {"any_": [flow_run]}}} if flow_run else {}
    answer = httpx.post(f"{server}/{what}/filter", json=chosen)
    records: list[dict[str, Any]] = answer.raise_for_status().json()
    return records


def flow_run_to(server: str, out: Path | str) -> dict[str, Any]:
    (run,) = [run for run in ask(server, "flow_runs") if run["name"].endswith(f" to {out}")]
    return run


def task_runs(server: str, flow_run: str, count: int) -> dict[str, dict[str, Any]]:
    """The runs of the flow's tasks; the server learns of them a moment after they ended."""
    runs: list[dict[str, Any]] = []
    for _ in range(300):
        runs = ask(server, "task_runs", flow_run)
        if len(runs) == count and all(run["state_type"] == "COMPLETED" for run in runs):
            break
        time.sleep(0.1)
    return {re.sub(r"(read|publish)-\w+$", r"\1", run["name"]): run for run in runs}


def summary_of(server: str, flow_run: str) -> dict[str, Any]:
    (summary,) = [one for one in ask(server, "artifacts", flow_run) if one["type"] == "markdown"]
    return summary


def test_without_a_server_it_runs_and_prints_nothing_that_alarms(tmp_path: Path) -> None:
    told = run_script(tmp_path)
    assert told.returncode == 0, told.stderr
    unlike_progress = [line for line in told.stderr.splitlines() if "| INFO    |" not in line]
    assert unlike_progress == []
    assert not re.search(r"Traceback|Error|Warning|WARN|127\.0\.0\.1", told.stdout + told.stderr)
    run_command(tmp_path / "command")
    assert bytes_of_tables(tmp_path / "outputs") == bytes_of_tables(tmp_path / "command")
    left = [path.name for path in (tmp_path / "home").glob("paperclaims-*")]
    assert left == []


def test_on_a_server_the_run_shows_up_with_its_tasks_and_its_summary(
    tmp_path: Path, server: str
) -> None:
    told = run_script(tmp_path, PREFECT_API_URL=server)
    assert told.returncode == 0, told.stderr
    run = flow_run_to(server, "outputs")
    assert (run["name"], run["state_type"]) == ("sample papers to outputs", "COMPLETED")
    assert sorted(task_runs(server, run["id"], 3)) == ["extract-0", "publish", "read"]
    summary = summary_of(server, run["id"])
    papers = len(pipeline.SAMPLE.read_text().splitlines())
    assert summary["key"] == "paperclaims"
    assert summary["data"].startswith(f"**{papers} papers** in ")
    assert f"\n| papers | {papers} |\n" in summary["data"]


SCRIPT = """
import sys

import flows
from pipeline import store

failures = {failures}
spool = store.spool


def spool_from_a_share(*args, **kwargs):
    plan = spool(*args, **kwargs)
    if failures:
        raise failures.pop()
    return plan


if __name__ == "__main__":
    store.spool = spool_from_a_share
    flows.paperclaims({sources}, out={out!r}, workers=2)
"""


def script(folder: Path, sources: list[str], failures: str = "[]") -> Path:
    path = folder / "script.py"
    out = str(folder / "flow")
    path.write_text(SCRIPT.format(sources=sources, failures=failures, out=out))
    return path


def many_papers(folder: Path) -> Path:
    """More papers than one shard holds."""
    path = folder / "many.jsonl"
    with path.open("w") as file:
        for number in range(700):
            abstract = (
                f"We train a model of {number + 1}B parameters and gain {number / 10}% on MMLU."
            )
            record = {"id": f"p:{number:03}", "title": f"Paper {number}", "abstract": abstract}
            file.write(json.dumps(record) + "\n")
        file.write("{broken\n")
    return path


def test_many_shards_in_processes_give_the_same_bytes_as_the_command(
    tmp_path: Path, server: str
) -> None:
    source = str(many_papers(tmp_path))
    told = run_script(
        tmp_path,
        script(tmp_path, [source]),
        PREFECT_API_URL=server,
        PYTHONPATH=str(FLOWS.parent),
    )
    assert told.returncode == 0, told.stderr
    run_command(tmp_path / "command", source, "--workers", "1")
    assert bytes_of_tables(tmp_path / "flow") == bytes_of_tables(tmp_path / "command")
    run = flow_run_to(server, tmp_path / "flow")
    extracted = [name for name in task_runs(server, run["id"], 5) if name.startswith("extract")]
    assert sorted(extracted) == ["extract-0", "extract-1", "extract-2"]
    summary = summary_of(server, run["id"])
    assert "\n| rejected because | records |\n" in summary["data"]
    (bar,) = [one for one in ask(server, "artifacts", run["id"]) if one["type"] == "progress"]
    assert (bar["key"], bar["data"]) == ("extracting", 100.0)


def test_reading_is_tried_again_when_a_disk_fails_for_a_moment(tmp_path: Path, server: str) -> None:
    told = run_script(
        tmp_path,
        script(tmp_path, [str(pipeline.SAMPLE)], failures="[OSError(5, 'Input/output error')]"),
        PREFECT_API_URL=server,
        PYTHONPATH=str(FLOWS.parent),
    )
    assert told.returncode == 0, told.stderr
    runs = task_runs(server, flow_run_to(server, tmp_path / "flow")["id"], 3)
    assert {name: run["run_count"] for name, run in runs.items()} == {
        "read": 2,
        "extract-0": 1,
        "publish": 1,
    }
    run_command(tmp_path / "command")
    assert bytes_of_tables(tmp_path / "flow") == bytes_of_tables(tmp_path / "command")


def test_a_run_that_reads_no_paper_fails_and_its_summary_says_why(
    tmp_path: Path, server: str
) -> None:
    missing = str(tmp_path / "missing.jsonl")
    told = run_script(
        tmp_path,
        script(tmp_path, [missing]),
        PREFECT_API_URL=server,
        PYTHONPATH=str(FLOWS.parent),
    )
    assert told.returncode == 1
    assert f"no paper could be read from {missing}" in told.stderr
    run = flow_run_to(server, tmp_path / "flow")
    assert run["state_type"] == "FAILED"
    summary = summary_of(server, run["id"])
    assert summary["data"].startswith("**0 papers** ")
    assert not (tmp_path / "flow" / "current").exists()
