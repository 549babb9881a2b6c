"""Snapshots after their run: what readers see, and what can be done with the old ones."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from pipeline import places, store, tables
from pipeline.cli import app
from pipeline.store import snapshots
from tests.test_store import content, paper, published_ids, write_papers


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Two snapshots: five papers; then one less, one with another text, and one more."""
    source = write_papers(tmp_path / "papers.jsonl", [paper(number) for number in range(5)])
    out = tmp_path / "out"
    store.run([source], out, workers=1)
    later = [paper(0), paper(1), paper(2), paper(6)]
    later[2]["abstract"] = "We present Badger-2B, which improves accuracy on MMLU by 8.5%."
    write_papers(source, later)
    store.run([], out, workers=1, replaced=[source])
    return out


def command(*args: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(map(str, args)))
    return result.exit_code, result.output


def ids(out: Path) -> list[str]:
    return [one.run_id for one in snapshots.snapshots(out)]


# --- what readers see


def test_the_manifest_tells_of_every_file_and_of_what_made_it(out):
    told = json.loads((out / "current" / "manifest.json").read_text())
    folder = out / "current"
    found = {str(p.relative_to(folder)) for p in folder.resolve().parent.rglob("nothing")}
    files = {
        path.relative_to(folder.resolve()).as_posix()
        for path in folder.resolve().rglob("*.parquet")
    }
    listed = {name for name in told["files"] if name.split("/")[0] in tables.TABLES}
    assert files == listed
    assert not found
    (last,) = pd.read_parquet(out / "runs").tail(1).to_dict("records")
    assert told["rules_fingerprint"] == last["rules_fingerprint"]
    assert told["run_id"] == last["run_id"]
    assert told["version"] == last["version"]
    assert told["schema_version"] == 1
    for name in tables.TABLES:
        assert told["rows"][name] == len(pd.read_parquet(out / name))


READERS: dict[str, Callable[[Path], list[tuple[object, ...]]]] = {
    "pandas": lambda path: list(pd.read_parquet(path).itertuples(index=False, name=None)),
    "pyarrow": lambda path: [tuple(row.values()) for row in pq.read_table(path).to_pylist()],
    "duckdb": lambda path: duckdb.sql(f"select * from '{path}/*.parquet'").fetchall(),
    "polars": lambda path: pl.read_parquet(path).rows(),
}


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_gets_the_same_rows(out, reader):
    for name in ("models", "benchmarks", "links", "numbers"):
        expected = [tuple(row.values()) for row in tables.read_table(out, name).to_pylist()]
        clean = [
            tuple(None if value != value else value for value in row)  # noqa: PLR0124, NaN
            for row in READERS[reader](out / name)
        ]
        assert sorted(clean, key=repr) == sorted(expected, key=repr), name


def test_rows_of_a_file_stand_by_paper_field_and_start(out):
    for name in tables.EXTRACTED[1:]:
        for path in (out / name).iterdir():
            rows = pq.read_table(path).to_pylist()
            order = [(r["paper_id"], r["field"] != "title", r["start"]) for r in rows]
            assert order == sorted(order)


# --- list, diff, restore, prune


def test_snapshots_are_listed_the_oldest_first(out):
    first, second = snapshots.snapshots(out)
    assert (first.is_published, second.is_published) == (False, True)
    assert (first.rows["papers"], second.rows["papers"]) == (5, 4)
    code, told = command("snapshots", "list", "--out", out)
    assert code == 0
    assert [line for line in told.splitlines() if second.run_id in line and "published" in line]


def test_a_difference_tells_rows_added_removed_and_changed_with_their_sentences(out):
    first, second = ids(out)
    found = {
        (one.change, one.paper_id): one for one in snapshots.diff(out, first, second, ["papers"])
    }
    assert sorted(found) == [
        ("added", "own:0006"),
        ("changed", "own:0002"),
        ("removed", "own:0003"),
        ("removed", "own:0004"),
    ]
    assert found["changed", "own:0002"].columns == ("abstract", "text_sha256", "code_status")
    gains = list(snapshots.diff(out, "previous", "current", ["gains"]))
    told = {(one.change, one.paper_id): one for one in gains}
    assert told["removed", "own:0003"].sentence.startswith("We present Stork-3B, which improves")
    models = list(snapshots.diff(out, "previous", "current", ["links"]))
    (gone,) = [one for one in models if one.paper_id == "own:0003"]
    assert gone.sentence == "Code: https://github.com/riverside/chart3."
    assert list(snapshots.diff(out, first, first)) == []


def test_a_difference_backwards_is_the_same_turned_round(out):
    first, second = ids(out)
    turned = {"added": "removed", "removed": "added", "changed": "changed"}
    there = {(d.table, d.change, d.paper_id) for d in snapshots.diff(out, first, second)}
    back = {(d.table, turned[d.change], d.paper_id) for d in snapshots.diff(out, second, first)}
    assert there == back
    assert there


def test_the_command_tells_a_difference(out):
    first, second = ids(out)
    for args in (["diff", first, second], ["snapshots", "diff"]):
        code, told = command(*args, "--out", out)
        assert code == 0
        assert "- gains own:0003 abstract[" in told
        assert "    | We present Stork-3B, which improves accuracy" in told
        assert "│ papers     │ 1     │ 2       │ 1       │" in told
    assert command("diff", "--table", "nothing", "--out", out)[0] == 2


def test_a_snapshot_is_restored_and_runs_go_on_from_it(out, tmp_path):
    first, second = ids(out)
    before = content(out)
    assert command("snapshots", "restore", first, "--out", out)[0] == 0
    assert sorted(published_ids(out)) == [f"own:{n:04d}" for n in range(5)]
    assert ids(out) == [first, second]
    store.run([], out, workers=1, replaced=[tmp_path / "papers.jsonl"])
    assert content(out) == before
    assert snapshots.verify(out, every=True) == []


def test_a_snapshot_that_is_not_whole_is_not_restored(out):
    first, _ = ids(out)
    path = next((out / "snapshots" / first / "gains").iterdir())
    path.unlink()
    with pytest.raises(store.StoreError, match=r"not whole, and so not restored: .*missing"):
        snapshots.restore(out, first)


@pytest.mark.parametrize("name", ["nothing", "2", ""])
def test_a_snapshot_that_there_is_not_is_told_with_those_there_are(out, name):
    with pytest.raises(store.StoreError, match=ids(out)[0]):
        snapshots.restore(out, name)


def test_pruning_leaves_the_last_snapshots_and_no_file_of_others(out):
    first, second = ids(out)
    before = len(list((out / "parts").rglob("*.parquet")))
    code, told = command("snapshots", "prune", "--keep", "1", "--out", out)
    assert (code, told.strip()) == (0, first)
    assert ids(out) == [second]
    assert len(list((out / "parts").rglob("*.parquet"))) < before
    assert snapshots.verify(out, every=True) == []
    assert command("snapshots", "prune", "--out", out) == (0, "nothing to take away\n")


def test_the_published_snapshot_is_never_pruned(out):
    first, second = ids(out)
    snapshots.restore(out, first)
    assert snapshots.prune_snapshots(out, 1) == [second]
    assert ids(out) == [first]


# --- verify


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    path.unlink()
    if how == "cut short":
        path.write_bytes(content[:-1])
    elif how == "one bit":
        path.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])


@pytest.mark.parametrize("how", ["cut short", "one bit", "gone"])
@pytest.mark.parametrize("table", [*tables.TABLES, "index", "held"])
def test_any_damage_to_any_file_is_found(out, how, table):
    assert command("verify", "--out", out) == (0, f"{out}: all is as it was written\n")
    told = json.loads((out / "current" / "manifest.json").read_text())["files"]
    name = next(file for name, file in told.items() if name.startswith(f"{table}/"))
    damage(out / "parts" / table / f"{name['sha256'][:32]}.parquet", how)
    code, said = command("verify", "--out", out)
    assert code == 1
    assert table in said


@pytest.mark.parametrize(
    ("old", "new"), [('"rows": 4', '"rows": 5'), ("own:0006", "own:0005"), ("papers", "pampers")]
)
def test_a_manifest_that_was_changed_is_found(out, old, new):
    path = out / "current" / "manifest.json"
    content = path.read_text()
    assert old in content
    path.write_text(content.replace(old, new))
    assert snapshots.verify(out)


def test_a_link_that_leads_to_other_bytes_is_found(out):
    path = next((out / "gains").iterdir())
    other = next((out / "models").iterdir()).read_bytes()
    path.unlink()
    path.write_bytes(other)
    (fault,) = snapshots.verify(out)
    assert "/gains/" in fault


def test_nothing_to_verify_is_a_fault(tmp_path):
    assert command("verify", "--out", tmp_path)[0] == 1


def test_a_disk_without_links_has_copies(tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    source = write_papers(tmp_path / "papers.jsonl", [paper(1)])
    store.run([source], tmp_path / "out", workers=1)
    assert snapshots.verify(tmp_path / "out") == []
    shutil.rmtree(tmp_path / "out" / "parts")
    assert published_ids(tmp_path / "out") == ["own:0001"]


# --- on the disk before it is seen


def test_all_that_is_published_is_on_the_disk_before_it_can_be_seen(tmp_path, monkeypatch):
    """What a power cut leaves: files and folders that were synced, and names in synced folders."""
    synced: set[int] = set()
    fsync = os.fsync

    def note(descriptor: int) -> None:
        synced.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    turn = places.Folder.turn_back
    unsynced: list[str] = []

    def look(self: places.Folder, snapshot: str, names: tuple[str, ...]) -> None:
        folder = self.root / "snapshots" / snapshot
        every = [folder, folder.parent, *folder.rglob("*"), *(self.root / "parts").rglob("*")]
        unsynced.extend(str(path) for path in every if path.stat().st_ino not in synced)
        turn(self, snapshot, names)

    monkeypatch.setattr(places.Folder, "turn_back", look)
    source = write_papers(tmp_path / "papers.jsonl", [paper(number) for number in range(3)])
    store.run([source], tmp_path / "out", workers=1)
    assert len(published_ids(tmp_path / "out")) == 3
    assert unsynced == []
    assert (tmp_path / "out").stat().st_ino in synced


def test_a_full_disk_leaves_what_was_published(out, tmp_path, monkeypatch):
    before = content(out, but=())
    source = write_papers(tmp_path / "more.jsonl", [paper(8)])
    write = tables.write_table
    for last in ("papers", "numbers", "rejects", "runs"):

        def fill(name: str, parts: object, path: Path, last: str = last) -> None:
            if name == last:
                path.write_bytes(b"PAR1 half")
                raise OSError(28, "No space left on device", str(path))
            write(name, parts, path)  # type: ignore[arg-type]

        monkeypatch.setattr(tables, "write_table", fill)
        with pytest.raises(store.StoreError, match="No space left on device; nothing was publ"):
            store.run([source], out, workers=1)
        assert content(out, but=()) == before
    monkeypatch.setattr(tables, "write_table", write)
    assert store.run([source], out, workers=1).extracted == 0
    assert "own:0008" in published_ids(out)
    assert snapshots.verify(out, every=True) == []


LIMITED = """
import resource, sys
from pipeline.cli import main
limit = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
main()
"""


@pytest.mark.slow
def test_a_disk_that_takes_only_so_many_bytes_of_a_file_leaves_what_was_published(out, tmp_path):
    before = content(out, but=())
    source = write_papers(tmp_path / "more.jsonl", [paper(number) for number in range(60)])
    # No byte at all; less than the papers that are read; less than the largest table.
    for limit in (0, 5_000, 12_000):
        told = subprocess.run(
            [sys.executable, "-c", LIMITED, str(limit), "run", source, "--out", out],
            cwd=Path(__file__).parents[1],
            # what measures coverage writes files, too, and would tell of its own
            env={key: value for key, value in os.environ.items() if not key.startswith("COV")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (told.returncode, told.stdout) == (1, "")
        assert told.stderr.startswith("Error: ")
        assert told.stderr.endswith("what was published before still stands\n")
        assert content(out, but=()) == before
        assert snapshots.verify(out, every=True) == []
    assert store.run([source], out, workers=1).papers == 60
    assert snapshots.verify(out, every=True) == []
