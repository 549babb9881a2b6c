"""Snapshots: published whole or not at all, the same bytes whoever does the work."""

import functools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import filelock
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

import pipeline.extract
from pipeline import store, tables
from pipeline.records import Extraction, Paper, Reject
from pipeline.store import publishing, reading, snapshots

Written = dict[str, str | None]

ANIMALS = ("Otter", "Heron", "Badger", "Stork", "Marten")


def paper(number: int, **other: str | None) -> Written:
    animal = ANIMALS[number % len(ANIMALS)]
    made: Written = {
        "paper_id": f"own:{number:04d}",
        "title": f"{animal}-{number}B reads river charts",
        "abstract": (
            f"We present {animal}-{number}B, which improves accuracy on MMLU by {number % 7}.5% "
            f"over BERT. Code: https://github.com/riverside/chart{number}."
        ),
    }
    return made | other


def write_papers(path: Path, papers: Sequence[Written]) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(one) + "\n" for one in papers), encoding="utf-8")
    return path


def content(out: Path, *, but: Sequence[str] = ("runs",)) -> dict[str, bytes]:
    """The files of the snapshot that is published, by their path in it."""
    folder = tables.snapshot(out)
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*.parquet"))
        if path.parent.name not in but
    }


def published_ids(out: Path) -> list[str]:
    return [str(paper_id) for paper_id in pd.read_parquet(out / "papers")["paper_id"]]


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    return write_papers(tmp_path / "in" / "papers.jsonl", [paper(number) for number in range(5)])


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "SMALLEST_SHARD", 8)


Extract = Callable[[Paper], Extraction]


@pytest.fixture
def extract_with(
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[Callable[[Extract, Paper], Any]], None]:
    """Put something between the store and the extractor: the ways in which an extractor fails."""

    def put(change: Callable[[Extract, Paper], Any]) -> None:
        extract = pipeline.extract.Extractor.extract
        monkeypatch.setattr(
            pipeline.extract.Extractor,
            "extract",
            lambda self, paper: change(functools.partial(extract, self), paper),
        )

    return put


# --- What a run publishes


def test_every_table_is_read_by_its_path(papers, out):
    summary = store.run([papers], out, workers=1)
    assert summary.papers == 5
    for name, schema in tables.TABLES.items():
        table = pd.read_parquet(out / name)
        assert table.columns.tolist() == schema.names
        assert len(table) == summary.rows[name]
        assert len(pl.read_parquet(out / name)) == summary.rows[name]
        rows = duckdb.sql(f"select count(*) from read_parquet('{out / name}')").fetchall()
        assert rows == [(summary.rows[name],)]
    assert published_ids(out) == [f"own:{number:04d}" for number in range(5)]
    assert pd.read_parquet(out / "links")["url"][0] == "https://github.com/riverside/chart0"


def test_every_row_stands_where_it_says(papers, out):
    store.run([papers], out, workers=1)
    folder = tables.snapshot(out)
    texts = {row["paper_id"]: row for row in tables.read_table(folder, "papers").to_pylist()}
    for name in tables.EXTRACTED[1:]:
        rows = tables.read_table(folder, name).to_pylist()
        assert rows, name
        for row in rows:
            text = texts[row["paper_id"]][row["field"]]
            assert text[row["start"] : row["end"]] == row["surface"]


def test_paths_lead_to_one_snapshot_and_stay_good_when_the_folder_is_moved(papers, out):
    summary = store.run([papers], out, workers=1)
    assert (out / "current").readlink() == Path("snapshots", summary.run_id)
    assert (out / "gains").readlink() == Path("current", "gains")
    moved = out.rename(out.with_name("elsewhere"))
    assert len(pd.read_parquet(moved / "papers")) == 5


def test_nothing_else_is_left_in_the_folder(papers, out):
    store.run([papers], out, workers=1)
    left = {path.name for path in out.iterdir()}
    assert left - {".lock"} == {"current", "snapshots", "parts", *tables.TABLES}


def test_files_of_others_are_left_alone(papers, out):
    out.mkdir()
    (out / "README.md").write_text("mine")
    store.run([papers], out, workers=1)
    store.run([papers], out, workers=1)
    assert (out / "README.md").read_text() == "mine"


def test_a_part_is_named_by_its_bytes_so_that_no_other_opens_in_its_place(papers, out, tmp_path):
    store.run([papers], out, workers=1)
    first = {path.name for path in (out / "papers").iterdir()}
    store.run([papers], out, workers=1)
    assert {path.name for path in (out / "papers").iterdir()} == first
    other = write_papers(tmp_path / "in" / "other.jsonl", [paper(2, abstract="Another text.")])
    store.run([other], out, workers=1)
    assert {path.name for path in (out / "papers").iterdir()}.isdisjoint(first)


# --- The same papers give the same bytes


@pytest.mark.slow
@pytest.mark.usefixtures("small_shards")
def test_the_same_papers_give_the_same_bytes_with_any_number_of_workers(tmp_path, out):
    written = [paper(number) for number in range(70)]
    written[20]["abstract"] = "Too \ud800 broken for UTF-8, and 12.5% better."
    source = tmp_path / "in" / "papers.jsonl"
    expected = None
    for workers in (1, 2, 8):
        random.Random(workers).shuffle(written)
        write_papers(source, written)
        summary = store.run([source], out, workers=workers)
        assert summary.papers == 70
        found = content(out)
        assert len([path for path in found if path.startswith("papers/")]) == 9
        expected = expected or found
        assert found == expected


@pytest.mark.usefixtures("small_shards")
def test_the_order_of_input_makes_no_difference(tmp_path, out):
    # Twice the same id with another text and a broken line, so that there are rejects, too.
    written = [paper(number) for number in range(20)]
    written += [paper(3, abstract="Short."), paper(3, abstract="Also short.")]
    written += [paper(number, url="https://example.org/") for number in (7, 8)]
    lines = [json.dumps(one) for one in written]
    source = tmp_path / "papers.jsonl"
    expected = None
    for number in range(4):
        source.write_text("\n".join([*lines, "{"]) + "\n", encoding="utf-8")
        store.run([source], out, workers=1)
        found = content(out)
        expected = expected or found
        assert found == expected
        random.Random(number).shuffle(lines)


@pytest.mark.usefixtures("small_shards")
def test_papers_are_cut_by_nothing_but_their_number_and_ids(tmp_path):
    source = write_papers(tmp_path / "papers.jsonl", [paper(number) for number in range(20)])
    with store.locked(tmp_path / "out") as desk:
        plan = store.spool(desk, [source])
    assert plan.papers == 20
    assert [(shard.first, shard.count) for shard in plan.shards] == [(0, 8), (8, 8), (16, 4)]


@pytest.mark.parametrize(
    ("papers", "shards", "largest"),
    [(0, 0, 0), (1, 1, 1), (256, 1, 256), (257, 2, 256), (20_000, 32, 625), (100_000, 98, 1024)],
)
def test_a_shard_pays_for_a_process_and_is_never_too_large(papers, shards, largest):
    cut = publishing.shard_sizes(papers)
    assert len(cut) == shards
    assert max(cut, default=0) == largest
    assert sum(cut) == papers


# --- Stages by themselves, as a flow runs them


def test_the_stages_by_themselves_publish_the_same_as_a_run(papers, out, tmp_path):
    store.run([papers], out, workers=1)
    other = tmp_path / "other"
    with store.locked(other) as desk:
        plan = store.spool(desk, [papers])
        counts = [
            store.extract_shard(plan.address, shard, plan.rules_folders, plan.fingerprint)
            for shard in plan.shards
        ]
        summary = store.publish(desk, plan, counts)
    assert summary.papers == plan.papers == 5
    assert content(other) == content(out)


def test_a_shard_that_is_extracted_again_is_published_once(papers, out):
    with store.locked(out) as desk:
        plan = store.spool(desk, [papers])
        (shard,) = plan.shards
        first = store.extract_shard(out, shard, plan.rules_folders, plan.fingerprint)
        second = store.extract_shard(out, shard, plan.rules_folders, plan.fingerprint)
        assert (first.extracted, second.extracted) == (5, 0)
        # What a disk may lose: the shard is done, and yet it must be done again.
        next((out / "parts" / "gains").iterdir()).write_bytes(b"cut short")
        third = store.extract_shard(out, shard, plan.rules_folders, plan.fingerprint)
        assert third.extracted == 5
        store.publish(desk, plan, [third])
    assert len(published_ids(out)) == 5
    assert snapshots.verify(out) == []


def test_a_run_whose_shards_are_not_all_extracted_is_not_published(papers, out):
    with store.locked(out) as desk:
        plan = store.spool(desk, [papers])
        with pytest.raises(store.StoreError, match=r"shards \[0\] of the run are missing"):
            store.publish(desk, plan, [])
    assert not (out / "current").exists()


def test_rules_that_change_during_a_run_stop_it(papers, out):
    with store.locked(out) as desk:
        plan = store.spool(desk, [papers])
        with pytest.raises(store.StoreError, match="rules: changed while the run was under way"):
            store.extract_shard(plan.address, plan.shards[0], plan.rules_folders, "another")


def test_a_process_that_holds_rules_of_an_earlier_run_reads_them_anew(papers, out, tmp_path):
    rules = tmp_path / "rules"
    for name in ("Riverbank", "Riverbed"):
        made_rules(rules, name)
        summary = store.run([papers], out, rules_folders=[rules], workers=1)
        assert summary.papers == 5
    first, second = pd.read_parquet(out / "runs")["rules_fingerprint"]
    assert first != second


def made_rules(folder: Path, name: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "benchmarks.yaml").write_text(
        f"{name}:\n  names: [{name}]\n  finds:\n    - We measure on [[{name}]].\n", encoding="utf-8"
    )


# --- What cannot be a paper


def test_a_paper_whose_extraction_fails_is_a_reject_and_the_others_are_published(
    papers, out, extract_with
):
    def fail(extract: Extract, one: Paper) -> Extraction:
        if one.paper_id == "own:0002":
            raise ZeroDivisionError("no such luck")
        return extract(one)

    extract_with(fail)
    summary = store.run([papers], out, workers=1)
    reason = "extraction failed: ZeroDivisionError: no such luck"
    assert summary.rejects == {reason: 1}
    assert (summary.papers, summary.rejected, summary.rows["papers"]) == (4, 1, 4)
    assert "own:0002" not in published_ids(out)
    (reject,) = pd.read_parquet(out / "rejects").to_dict("records")
    assert reject["source"].endswith("papers.jsonl")
    assert (reject["position"], reject["reason"]) == ("paper own:0002", reason)
    assert reject["excerpt"].startswith("Badger-2B reads river charts\n\nWe present")
    assert summary.first_rejects == (Reject(**reject),)
    (run,) = pd.read_parquet(out / "runs").to_dict("records")
    assert (run["read"], run["rows_papers"], run["rejected"]) == (5, 4, 1)


def test_a_paper_with_a_row_that_does_not_stand_where_it_says_is_a_reject(
    papers, out, extract_with
):
    def shift(extract: Extract, one: Paper) -> Extraction:
        extraction = extract(one)
        if one.paper_id != "own:0002":
            return extraction
        wrong = replace(extraction.links[0].span, start=0)
        return replace(extraction, links=(replace(extraction.links[0], span=wrong),))

    extract_with(shift)
    summary = store.run([papers], out, workers=1)
    assert summary.papers == 4
    (reason,) = summary.rejects
    assert reason.startswith("extraction failed: PlaceError: own:0002, links")


def test_a_value_too_large_for_its_column_rejects_its_paper_only(papers, out, extract_with):
    def enlarge(extract: Extract, one: Paper) -> Extraction:
        extraction = extract(one)
        sizes = tuple(replace(size, value=10**30) for size in extraction.sizes)
        return replace(extraction, sizes=sizes) if one.paper_id == "own:0003" else extraction

    extract_with(enlarge)
    summary = store.run([papers], out, workers=1)
    assert (summary.papers, summary.rejected) == (4, 1)


def test_one_paper_from_two_sources_is_one_paper(papers, out, tmp_path):
    fuller = [paper(1, published="2025-03-04"), paper(2, url="https://example.org/2")]
    other = write_papers(tmp_path / "in" / "other.jsonl", fuller)
    for sources in ([papers, other], [other, papers]):
        summary = store.run(sources, out, workers=1)
        assert (summary.papers, summary.rejected) == (5, 0)
        # The record that says more is taken.
        stored = pd.read_parquet(out / "papers")
        assert str(stored["published"][1]) == "2025-03-04"
        assert stored["url"][2] == "https://example.org/2"


def test_the_same_id_with_another_text_is_a_reject(papers, out, tmp_path):
    other = write_papers(tmp_path / "in" / "other.jsonl", [paper(1, abstract="A short version.")])
    for sources in ([papers, other], [other, papers]):
        summary = store.run(sources, out, workers=1)
        assert summary.papers == 5
        (reject,) = summary.first_rejects
        assert reject.source == str(other)
        assert reject.position == "paper own:0001"
        assert reject.reason == "same id with other text"
        assert "A short version." in reject.excerpt


def test_rejects_stand_in_the_order_of_their_sources_and_lines(out, tmp_path):
    lines = [json.dumps(paper(number)) for number in range(12)]
    lines[2] = lines[10] = "{"
    sources = [str(tmp_path / name) for name in ("one.jsonl", "two.jsonl")]
    for source in sources:
        Path(source).write_text("\n".join(lines) + "\n", encoding="utf-8")
    summary = store.run(sources[::-1], out, workers=1)
    assert (summary.papers, summary.rejected) == (10, 4)
    rejects = pd.read_parquet(out / "rejects")
    assert rejects["source"].tolist() == [sources[0], sources[0], sources[1], sources[1]]
    assert rejects["position"].tolist() == ["line 3", "line 11"] * 2


def test_half_a_surrogate_pair_is_stored_as_a_replacement_and_places_stay(out, tmp_path):
    text = "We gain \ud83d 3.5% on MMLU."
    source = write_papers(tmp_path / "papers.jsonl", [paper(1, abstract=text)])
    assert store.run([source], out, workers=1).papers == 1
    (stored,) = pd.read_parquet(out / "papers")["abstract"]
    assert stored == text.replace("\ud83d", "\ufffd")
    gains = pd.read_parquet(out / "gains")
    assert [stored[start:end] for start, end in zip(gains["start"], gains["end"], strict=True)] == (
        gains["surface"].tolist()
    )


# --- Runs one after the other


def test_a_run_adds_to_what_was_published_and_counts_what_changed(papers, out):
    first = store.run([papers], out, workers=1)
    assert (first.new, first.changed, first.unchanged, first.removed) == (5, 0, 0, 0)
    later = [paper(0), paper(2, title="Badger reads maps"), paper(3), paper(8), paper(9)]
    write_papers(papers, later)
    second = store.run([papers], out, workers=1)
    assert (second.new, second.changed, second.unchanged, second.removed) == (2, 1, 2, 0)
    assert (second.read, second.extracted, second.papers) == (5, 3, 7)
    assert sorted(published_ids(out)) == [f"own:{n:04d}" for n in (0, 1, 2, 3, 4, 8, 9)]
    runs = pd.read_parquet(out / "runs")
    assert runs["run_id"].tolist() == [first.run_id, second.run_id]
    assert runs["new"].tolist() == [5, 2]
    assert second.rows["runs"] == 2
    last = runs.iloc[-1]
    assert last["sources"].tolist() == [str(papers)]
    assert last["started"] <= last["finished"]
    assert last["rows_gains"] == second.rows["gains"] > 0


def test_rejects_of_a_source_stand_until_it_is_read_again(papers, out, tmp_path):
    broken = tmp_path / "in" / "broken.jsonl"
    broken.write_text("{\n", encoding="utf-8")
    assert store.run([papers, broken], out, workers=1).rows["rejects"] == 1
    assert store.run([papers], out, workers=1).rows["rejects"] == 1
    write_papers(broken, [paper(9)])
    assert store.run([broken], out, workers=1).rows["rejects"] == 0
    assert len(pd.read_parquet(out / "rejects")) == 0


def test_as_many_snapshots_are_kept_as_one_says(papers, out):
    runs = []
    for number in range(4):
        write_papers(papers, [paper(number)])
        runs.append(store.run([papers], out, workers=1, keep=2).run_id)
    assert {path.name for path in (out / "snapshots").iterdir()} == set(runs[2:])
    assert (out / "current").resolve().name == runs[3]
    assert snapshots.verify(out, every=True) == []


def test_a_run_that_reads_no_paper_publishes_nothing(papers, out, tmp_path):
    empty = tmp_path / "in" / "nothing.jsonl"
    empty.write_text("{\n", encoding="utf-8")
    summary = store.run([empty], out, workers=1)
    assert (summary.papers, summary.run_id, summary.rows) == (0, None, {})
    assert summary.rejected == 1
    assert summary.first_rejects[0].source == str(empty)
    assert not (out / "papers").exists()
    store.run([papers], out, workers=1)
    before = content(out, but=())
    assert store.run([empty], out, workers=1).run_id is None
    assert content(out, but=()) == before


def test_a_run_in_which_every_extraction_fails_publishes_nothing(papers, out, extract_with):
    def fail(_extract: Extract, _one: Paper) -> Extraction:
        raise ValueError("always")

    extract_with(fail)
    summary = store.run([papers], out, workers=1)
    assert (summary.papers, summary.run_id, summary.rejected) == (0, None, 5)
    assert not (out / "current").exists()


def test_one_source_may_be_given_by_itself(papers, out):
    assert store.run(papers, out, workers=1).papers == 5
    assert store.run(str(papers), str(out), workers=1).papers == 5


def test_progress_counts_papers_up_to_all_of_them(papers, out):
    seen: list[tuple[int, int]] = []
    store.run([papers], out, workers=1, progress=lambda *counts: seen.append(counts))
    assert seen == [(done, 5) for done in range(6)]


@pytest.mark.slow
@pytest.mark.usefixtures("small_shards")
def test_progress_of_several_processes_counts_their_shards(tmp_path, out):
    source = write_papers(tmp_path / "papers.jsonl", [paper(number) for number in range(20)])
    seen: list[tuple[int, int]] = []
    store.run([source], out, workers=2, progress=lambda *counts: seen.append(counts))
    assert seen[0] == (0, 20)
    assert seen[-1] == (20, 20)
    assert len(seen) == 4
    assert seen == sorted(seen)


def test_a_summary_tells_the_speed_of_the_whole_run(papers, out):
    summary = store.run([papers], out, workers=1)
    assert summary.papers_per_second == pytest.approx(5 / summary.seconds)
    assert replace(summary, seconds=0.0).papers_per_second == 0


# --- What stands in the way


def test_a_second_run_on_the_same_folder_stops_with_a_message(papers, out):
    out.mkdir()
    with (
        filelock.FileLock(out / ".lock"),
        pytest.raises(store.StoreError, match="another run is publishing here; wait for it to end"),
    ):
        store.run([papers], out, workers=1)
    assert store.run([papers], out, workers=1).papers == 5


@pytest.mark.parametrize("name", ["current", "gains"])
def test_a_folder_of_the_users_that_has_a_tables_name_is_left_alone(papers, out, name):
    (out / name).mkdir(parents=True)
    (out / name / "mine.txt").write_text("mine")
    with pytest.raises(store.StoreError, match=f"{name}: in the way of the tables"):
        store.run([papers], out, workers=1)
    assert (out / name / "mine.txt").read_text() == "mine"
    assert not list(out.glob(".work/done/*"))


def test_a_damaged_snapshot_is_told_before_any_work_is_done(papers, out):
    store.run([papers], out, workers=1)
    (part,) = (out / "runs").resolve().iterdir()
    part.write_bytes(b"damaged")
    with pytest.raises(store.StoreError, match=r"published before is damaged .* goes back"):
        store.run([papers], out, workers=1, progress=lambda *_: pytest.fail("work was done"))
    (out / "current").unlink()
    assert store.run([papers], out, workers=1).rows["runs"] == 1


def test_what_another_version_published_is_told(papers, out):
    store.run([papers], out, workers=1)
    (out / "current" / "manifest.json").unlink()
    with pytest.raises(store.StoreError, match=r"manifest\.json: missing"):
        store.run([papers], out, workers=1)


def test_a_folder_that_cannot_be_is_told_with_its_path(papers, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(store.StoreError, match=r"file: .*nothing was published"):
        store.run([papers], tmp_path / "file", workers=1)


@pytest.mark.parametrize("workers", [0, -1])
def test_a_number_of_workers_that_is_none_is_told(papers, out, workers):
    with pytest.raises(store.StoreError, match=f"workers: {workers} is not a number of processes"):
        store.run([papers], out, workers=workers)


@pytest.mark.slow
@pytest.mark.usefixtures("small_shards")
def test_workers_that_end_abruptly_are_told_and_nothing_is_published(tmp_path, out, monkeypatch):
    source = write_papers(tmp_path / "papers.jsonl", [paper(number) for number in range(20)])
    ends = functools.partial(exec, "__import__('os')._exit(3)")
    monkeypatch.setattr(store, "start_worker", ends)
    with pytest.raises(store.StoreError, match=r"a worker process ended abruptly \(out of memory"):
        store.run([source], out, workers=2)
    assert not (out / "current").exists()
    assert not list(out.glob(".work/done/*"))


@pytest.mark.slow
def test_workers_have_the_environment_that_their_run_has_now(monkeypatch):
    """The process that they are forked from was started with an earlier one."""
    for told in ("earlier", "later"):
        monkeypatch.setenv("PAPERCLAIMS_TOLD", told)
        with store._ready_processes(1) as pool:
            assert pool.submit(os.getenv, "PAPERCLAIMS_TOLD").result() == told


@pytest.mark.slow
def test_a_killed_run_leaves_what_was_published_and_no_process(papers, out):
    store.run([papers], out, workers=1)
    before = content(out, but=())
    write_papers(papers, [paper(number) for number in range(6000)])
    code = f"from pipeline import store; store.run([{str(papers)!r}], {str(out)!r}, workers=2)"
    script = papers.with_name("long.py")
    script.write_text(f"if __name__ == '__main__':\n    {code}\n", encoding="utf-8")
    root = str(Path(__file__).parents[1])
    with subprocess.Popen(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": root},
        stderr=subprocess.PIPE,
    ) as run:
        assert wait_for(lambda: list(out.glob(".work/done/*.json")))
        children = children_of(run.pid)
        assert len(children) >= 2
        run.send_signal(signal.SIGKILL)
    assert wait_for(lambda: not any(Path(f"/proc/{child}").exists() for child in children))
    assert content(out, but=()) == before
    assert list(out.glob(".work/done/*"))
    write_papers(papers, [paper(0)])
    assert store.run([papers], out, workers=1).papers == 5
    assert not list(out.glob(".work/done/*"))


def children_of(process: int) -> list[int]:
    children = Path(f"/proc/{process}/task/{process}/children")
    if not children.exists():
        pytest.skip("this system does not tell a process's children")
    return [int(child) for child in children.read_text().split()]


def wait_for(happened: Callable[[], object], seconds: float = 240) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if happened():
            return True
        time.sleep(0.02)
    return False


# --- Readers while runs go on


def test_a_reader_sees_one_snapshot_and_never_a_mix(tmp_path, out, monkeypatch):
    monkeypatch.setattr(publishing, "SMALLEST_SHARD", 1)
    # Each run publishes the same ids from a source of its own, many parts of one paper each.
    sources = [
        write_papers(
            tmp_path / "in" / f"{name}.jsonl",
            [paper(number, abstract=f"Told by {name}.") for number in range(6)],
        )
        for name in "abcdef"
    ]
    store.run([sources[0]], out, workers=1)
    done = threading.Event()
    seen: list[set[str]] = []

    def look() -> None:
        while not done.is_set():
            try:
                seen.append(set(pd.read_parquet(out / "papers")["abstract"]))
            except FileNotFoundError:
                continue  # listed before the turn, opened after it

    reader = threading.Thread(target=look)
    reader.start()
    try:
        for source in sources[1:]:
            store.run([source], out, workers=1)
    finally:
        done.set()
        reader.join()
    assert len(seen) > 5
    assert all(len(abstracts) == 1 for abstracts in seen)


def test_a_snapshot_that_is_being_read_outlives_the_next_run(papers, out):
    store.run([papers], out, workers=1)
    folder = tables.snapshot(out)
    write_papers(papers, [paper(8)])
    store.run([papers], out, workers=1)
    assert tables.read_table(folder, "papers").num_rows == 5
    assert tables.read_table(tables.snapshot(out), "papers").num_rows == 6


# --- Memory


def test_memory_grows_with_the_papers_by_less_than_400_bytes_each(tmp_path):
    peaks = []
    for count in (1_000, 6_000):
        source = write_papers(
            tmp_path / f"{count}.jsonl",
            [paper(number, paper_id=f"arxiv:25{number:05d}.12345") for number in range(count)],
        )
        tracemalloc.start()
        try:
            with store.locked(tmp_path / f"out-{count}") as desk:
                assert store.spool(desk, [source]).papers == count
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert (peaks[1] - peaks[0]) / 5_000 < 400


def test_memory_does_not_grow_with_the_texts_of_records_that_are_held(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "AT_ONCE", 128)
    text = "Of the same river, told at length. " * 30
    peaks = []
    for count in (200, 200, 1_000):
        sources = [
            write_papers(
                tmp_path / f"{name}-{count}.jsonl",
                [
                    paper(number, paper_id=f"{name}:{number}", abstract=text)
                    for number in range(count)
                ],
            )
            for name in ("one", "two")
        ]
        tracemalloc.start()
        try:
            with store.locked(tmp_path / f"out-{count}") as desk:
                plan = store.spool(desk, sources)
                assert (plan.papers, len(plan.changes.held)) == (count, count)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    # The first time, much is made that stays.
    assert (peaks[2] - peaks[1]) / 800 < 0.7 * len(text)


@pytest.mark.usefixtures("small_shards")
def test_each_shard_is_a_part_of_every_table(tmp_path, out):
    source = write_papers(tmp_path / "papers.jsonl", [paper(number) for number in range(20)])
    store.run([source], out, workers=1)
    rows = [pq.read_metadata(path).num_rows for path in sorted((out / "papers").iterdir())]
    assert rows == [8, 8, 4]
