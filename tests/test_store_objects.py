"""Tables on object storage: the same bytes as in a folder, published by one pointer."""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from pipeline import places, store, tables
from pipeline.places import place_of
from pipeline.records import PipelineError
from pipeline.store import snapshots
from tests.test_store import content, paper, write_papers

fsspec = pytest.importorskip("fsspec")


@pytest.fixture(params=["memory", "s3"])
def address(request: pytest.FixtureRequest) -> str:
    if request.param == "memory":
        return f"memory://{uuid.uuid4().hex}"
    bucket: str = request.getfixturevalue("s3")
    return f"{bucket}/{uuid.uuid4().hex}"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_papers(tmp_path / "papers.jsonl", [paper(number) for number in range(9)])


def objects(address: str) -> dict[str, bytes]:
    """What is published there, named as in a folder."""
    place = place_of(address)
    current = place.current()
    assert current is not None
    manifest = store.read_manifest(place, current)
    return {
        f"{table}/{name}": place.read(file.name)
        for table in tables.TABLES
        if table != "runs"
        for name, file in manifest.files(table)
    }


def test_the_same_bytes_as_in_a_folder_also_after_increments(address, source, tmp_path):
    folder = tmp_path / "out"
    for papers in ([*range(9)], [0, 1, 2, 10, 11]):
        written = [paper(number) for number in papers]
        written[1]["abstract"] += f" Version {len(papers)}."
        write_papers(source, written)
        for out in (folder, address):
            summary = store.run([source], out, workers=1)
        assert objects(address) == content(folder)
    assert (summary.new, summary.changed, summary.unchanged) == (2, 1, 2)
    assert snapshots.verify(address, every=True) == []
    assert [one.rows["papers"] for one in snapshots.snapshots(address)] == [9, 11]
    assert store.run([source], address, workers=1).run_id is None
    changed = {(d.change, d.paper_id) for d in snapshots.diff(address, "previous", "current")}
    assert {("added", "own:0010"), ("changed", "own:0001")} <= changed
    snapshots.compact(address)
    snapshots.compact(folder)
    assert objects(address) == content(folder)
    snapshots.prune_snapshots(address, 1)
    assert len(snapshots.snapshots(address)) == 1
    assert snapshots.verify(address, every=True) == []
    place = place_of(address)
    manifest = store.read_manifest(place, str(place.current()))
    assert set(place.names("parts")) == {file.name for file in manifest.all_files()}


def test_readers_follow_the_pointer(address, source):
    store.run([source], address, workers=1)
    assert tables.read_table(address, "papers").num_rows == 9
    (pinned,) = tables.files(address, "papers")
    write_papers(source, [paper(1, abstract="Other words.")])
    store.run([source], address, workers=1)
    assert "Other words." in tables.read_table(address, "papers", ["abstract"])[0].to_pylist()
    first = snapshots.snapshots(address)[0].run_id
    assert tables.files(f"{address}/snapshots/{first}", "papers") == [pinned]
    assert tables.read_table(f"{address}/snapshots/{first}", "papers").num_rows == 9
    snapshots.restore(address, first)
    assert tables.files(address, "papers") == [pinned]


def test_pandas_pyarrow_duckdb_and_polars_read_the_files_of_a_bucket(s3, source):
    address = f"{s3}/readers"
    store.run([source], address, workers=1)
    files = tables.files(address, "papers")
    expected = [f"own:{number:04d}" for number in range(9)]
    bucket = fsspec.filesystem("s3")
    assert [name for file in files for name in pd.read_parquet(file)["paper_id"]] == expected
    told = pq.read_table([file.removeprefix("s3://") for file in files], filesystem=bucket)
    assert told["paper_id"].to_pylist() == expected
    duckdb.register_filesystem(bucket)
    assert [
        row[0] for row in duckdb.sql(f"select paper_id from read_parquet({files})").fetchall()
    ] == (expected)
    with bucket.open(files[0]) as opened:
        assert pl.read_parquet(opened)["paper_id"].to_list() == expected


def test_what_is_published_changes_with_one_object_written_last(address, source, monkeypatch):
    store.run([source], address, workers=1)
    before = objects(address)
    written: list[str] = []
    write = places.Objects.write

    def note(self: places.Objects, name: str, content: bytes) -> None:
        assert objects(address) == before
        written.append(name)
        write(self, name, content)

    monkeypatch.setattr(places.Objects, "write", note)
    write_papers(source, [paper(20)])
    store.run([source], address, workers=1)
    assert written[-1] == "current.json"
    assert written.count("current.json") == 1
    assert objects(address) != before


def test_a_run_that_dies_before_the_pointer_leaves_what_was_and_the_next_carries_on(
    address, source, monkeypatch
):
    store.run([source], address, workers=1)
    before = objects(address)
    write_papers(source, [paper(20), paper(21)])
    with monkeypatch.context() as dying:

        def die(*_: object) -> None:
            raise KeyboardInterrupt

        dying.setattr(places.Objects, "turn_back", die)
        with pytest.raises(KeyboardInterrupt):
            store.run([source], address, workers=1)
    assert objects(address) == before
    summary = store.run([source], address, workers=1)
    assert (summary.new, summary.extracted, summary.papers) == (2, 0, 11)
    assert snapshots.verify(address, every=True) == []


def test_two_runs_at_once_are_one_run_and_a_message(address, source, monkeypatch):
    place = place_of(address)
    with place.locked():
        with pytest.raises(store.StoreError, match="another run is publishing here"):
            store.run([source], address, workers=1)
        # A run that was killed leaves its lock, which ends by itself.
        lease = json.loads(place.read(".lock"))
        monkeypatch.setattr(time, "time", lambda: lease["until"] + 1)
        assert store.run([source], address, workers=1).papers == 9


def test_an_address_that_nobody_knows_is_told(source):
    with pytest.raises(PipelineError, match="nothing://"):
        store.run([source], "nothing://there", workers=1)
