"""The flow on Dask: a real scheduler and real workers, each a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import store
from tests.test_flows import FLOWS, bytes_of_tables, many_papers, run_command, server  # noqa: F401
from tests.test_store_objects import objects

pytest.importorskip("prefect_dask", reason="pip install 'paperclaims[dask]'")

pytestmark = pytest.mark.slow

QUIET = subprocess.DEVNULL


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Cluster:
    """A scheduler and workers on the loopback, started as people start them on machines."""

    def __init__(self) -> None:
        port = free_port()
        self.address = f"tcp://127.0.0.1:{port}"
        self.processes = [
            self._start("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
        ]
        while not answers(port):
            assert self.processes[0].poll() is None
            time.sleep(0.1)
        self.workers = [self.worker() for _ in range(2)]

    def worker(self) -> subprocess.Popen[bytes]:
        own = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")
        process = self._start("worker", self.address, *own)
        self.processes.append(process)
        return process

    def _start(self, what: str, *args: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "distributed.cli.dask_" + what, *args]
        return subprocess.Popen(command, stdout=QUIET, stderr=QUIET, cwd=FLOWS.parent)

    def end(self) -> None:
        for process in self.processes[::-1]:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def cluster(s3: str) -> Iterator[Cluster]:  # noqa: ARG001, workers must know its address
    made = Cluster()
    try:
        yield made
    finally:
        made.end()


def start_flow(server: str, *args: str | Path) -> subprocess.Popen[str]:  # noqa: F811
    return subprocess.Popen(
        [sys.executable, str(FLOWS), *map(str, args)],
        env={**os.environ, "PREFECT_API_URL": server},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(flow: subprocess.Popen[str]) -> str:
    out, err = flow.communicate(timeout=300)
    assert flow.returncode == 0, out + err
    return out + err


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return many_papers(tmp_path_factory.mktemp("papers"))


@pytest.fixture(scope="module")
def expected(papers: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What one process makes of them."""
    out = tmp_path_factory.mktemp("command")
    run_command(out, papers, "--workers", "1")
    return bytes_of_tables(out)


def test_in_a_bucket_on_dask_it_gives_the_same_bytes_as_one_process(
    tmp_path: Path,
    papers: Path,
    expected: dict[str, bytes],
    cluster: Cluster,
    server: str,  # noqa: F811
    s3: str,
) -> None:
    bucket = f"{s3}/{uuid.uuid4().hex}"
    to = ("--out", bucket, "--dask-address", cluster.address)
    assert "700 papers in " in finish(start_flow(server, papers, *to))
    assert objects(bucket) == expected
    # Only what is new goes to the cluster.
    more = tmp_path / "more.jsonl"
    more.write_text(json.dumps({"id": "p:new", "title": "New", "abstract": "A gain of 2%."}))
    told = finish(start_flow(server, papers, more, *to))
    assert "1 new, 0 changed, 700 unchanged, 0 removed; 1 extracted" in told


def test_in_a_folder_too_and_a_worker_that_is_killed_costs_its_shard_and_nothing_else(
    tmp_path: Path,
    papers: Path,
    expected: dict[str, bytes],
    cluster: Cluster,
    server: str,  # noqa: F811
) -> None:
    out = tmp_path / "flow"
    flow = start_flow(server, papers, "--out", out, "--dask-address", cluster.address)
    done = out / ".work" / "done"
    while not list(done.glob("[!.]*.json")):
        assert flow.poll() is None, flow.communicate()
        time.sleep(0.01)
    files = {path: path.stat().st_ino for path in (out / "parts" / "papers").glob("*.parquet")}
    # Of three shards one is done, so that at least one of two workers is at work.
    victim = cluster.workers[0]
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    assert "700 papers in " in finish(flow)
    assert bytes_of_tables(out) == expected
    assert files
    assert all(path.stat().st_ino == inode for path, inode in files.items())


def test_only_paths_and_counts_travel(tmp_path: Path, papers: Path) -> None:
    """What a task is given and gives back is small, however large the shard."""
    import cloudpickle  # noqa: PLC0415

    with store.locked(tmp_path / "out") as desk:
        plan = store.spool(desk, [papers])
        given = [
            (plan.address, shard, plan.rules_folders, plan.fingerprint) for shard in plan.shards
        ]
        counts = store.extract_shard(*given[0])
    assert all(len(cloudpickle.dumps(one)) < 1000 for one in [*given, counts])
