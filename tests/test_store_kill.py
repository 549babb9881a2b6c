"""Runs that are killed: real processes, real SIGKILL, at points of time drawn by lot."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline import store
from pipeline.places import place_of
from pipeline.store import publishing, snapshots
from tests.test_store import Written, content, paper, write_papers

pytestmark = pytest.mark.slow

KILLS = 200
NIGHTLY_KILLS = 2000

# Builds the extractor once and makes each run in a process of its own, forked from here: a fresh
# interpreter takes two seconds to be ready, and a kill of it would mostly hit imports.
NURSERY = """
import os, sys
import pyarrow
pyarrow.set_cpu_count(1)
from pipeline import store
from pipeline.places import place_of
from pipeline.store import publishing
from pipeline.extract import extractor_for
from pipeline.records import Paper
publishing.SMALLEST_SHARD = 4
extractor_for(()).extract(Paper("warm", "Up", "ZapTune gains 2% on MMLU."))
for line in sys.stdin:
    out, source = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            store.run([], out, workers=1, replaced=[source], keep=3)
            code = 0
        finally:
            os._exit(code)
    print(child, flush=True)
    _, status = os.waitpid(child, 0)
    print(status, flush=True)
"""


@dataclass
class Nursery:
    process: subprocess.Popen[str]
    killed: int = 0

    def run(self, out: Path, source: Path, kill_after: float | None) -> bool:
        """Whether the run came to its end."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{out}\t{source}\n")
        self.process.stdin.flush()
        child = int(self.process.stdout.readline())
        if kill_after is not None:
            time.sleep(kill_after)
            # Its parent waits for it only when it has ended, so this is never another process.
            if not _has_ended(child):
                os.kill(child, signal.SIGKILL)
        status = int(self.process.stdout.readline())
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            self.killed += 1
            return False
        assert status == 0
        return True


def _has_ended(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: what a power cut leaves is tested elsewhere."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="paperclaims-kill-", dir=memory) as made:
        yield Path(made)


@pytest.fixture
def nursery(monkeypatch: pytest.MonkeyPatch) -> Iterator[Nursery]:
    """A process that makes runs."""
    monkeypatch.setattr(publishing, "SMALLEST_SHARD", 4)
    with subprocess.Popen(
        [sys.executable, "-c", NURSERY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
        env={k: v for k, v in os.environ.items() if not k.startswith("COV")},
    ) as process:
        yield Nursery(process)
        assert process.stdin is not None
        process.stdin.close()


def states() -> list[list[Written]]:
    """What the source holds, one after the other: papers come, go, change and are repeated."""
    found = []
    for number in range(4):
        papers = [paper(n) for n in range(number, number + 7)]
        papers[5] |= {"abstract": f"Told anew, {number}.5% better on MMLU than BERT."}
        papers.append(papers[0] | {"paper_id": f"arxiv:250{number}.00001"})
        found.append(papers)
    return found


def kill_at_random(nursery: Nursery, tmp_path: Path, kills: int) -> None:
    """Go from one state of the source to the next, each run killed until one comes to its end."""
    chance = random.Random(20261123)
    source = tmp_path / "papers.jsonl"
    every = states()
    # What undisturbed runs publish: of each state by itself, and of each after the one before.
    alone, after = [], []
    for number, papers in enumerate(every):
        calm = tmp_path / f"calm-{number}"
        write_papers(source, every[number - 1])
        assert nursery.run(calm, source, None)
        write_papers(source, papers)
        began = time.monotonic()
        assert nursery.run(calm, source, None)
        lasts = time.monotonic() - began
        after.append(content(calm))
        snapshots.compact(calm)
        alone.append(content(calm))
    out = tmp_path / "out"
    assert nursery.run(out, source, None)
    assert content(out) == alone[-1]
    at, rounds, published_before_killed = len(every) - 1, 0, 0
    while nursery.killed < kills:
        at = (at + 1) % len(every)
        write_papers(source, every[at])
        before = content(out)
        for _ in range(chance.randint(1, 12)):
            if nursery.run(out, source, chance.random() * lasts * 1.1):
                break
            now = content(out)
            assert now in (before, after[at])
            published_before_killed += now == after[at]
            assert chance.random() < 0.8 or snapshots.verify(out) == []
        else:
            assert nursery.run(out, source, None)
        assert content(out) == after[at]
        snapshots.compact(out)
        assert content(out) == alone[at]
        assert snapshots.verify(out, every=True) == []
        rounds += 1
    assert not (out / ".work").exists()
    place = place_of(out)
    used = {
        file.name
        for one in snapshots.snapshots(out)
        for file in store.read_manifest(place, one.run_id).all_files()
    }
    assert set(place.names("parts")) == used
    print(
        f"\n{nursery.killed} runs killed at random points, {published_before_killed} of them when "
        f"they had published; {rounds} times carried on to the bytes of an undisturbed run"
    )


def test_runs_killed_at_200_random_points_leave_no_damage_and_end_with_the_same_bytes(
    nursery: Nursery, folder: Path
) -> None:
    kill_at_random(nursery, folder, KILLS)
    assert nursery.killed >= KILLS


@pytest.mark.nightly
def test_many_more_kills(nursery: Nursery, tmp_path: Path) -> None:
    kill_at_random(nursery, tmp_path, NIGHTLY_KILLS)
