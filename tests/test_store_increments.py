"""What a run does again, what it leaves alone, and which records are one paper."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

import pipeline.extract
from pipeline import store, tables
from pipeline.places import Place, place_of
from pipeline.records import Extraction, Paper, Reject
from pipeline.rules import load_rules
from pipeline.store import manifest, publishing, reading, snapshots
from tests.test_store import content, made_rules, paper, published_ids, write_papers


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_papers(tmp_path / "papers.jsonl", [paper(number) for number in range(40)])


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "SMALLEST_SHARD", 8)


@pytest.fixture
def extracted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the papers that the extractor is given, from now on."""
    seen: list[str] = []
    extract = pipeline.extract.Extractor.extract

    def note(self: pipeline.extract.Extractor, one: Paper) -> Extraction:
        seen.append(one.paper_id)
        return extract(self, one)

    monkeypatch.setattr(pipeline.extract.Extractor, "extract", note)
    return seen


def run(source: Path | list[Path], out: Path, **options: object) -> store.RunSummary:
    sources = source if isinstance(source, list) else [source]
    return store.run(sources, out, workers=1, **options)  # type: ignore[arg-type]


def rows(out: Path) -> dict[str, list[dict[str, object]]]:
    """The rows of all tables that come from papers, whatever files they stand in."""
    found = {}
    for name in (*tables.EXTRACTED, "rejects"):
        every = tables.read_table(tables.snapshot(out), name).to_pylist()
        found[name] = sorted(every, key=repr)
    return found


# --- what is done again


def test_only_what_is_new_or_changed_is_extracted(source, out, extracted):
    run(source, out)
    assert len(extracted) == 40
    extracted.clear()
    later = [paper(number) for number in range(42)]
    later[7] = paper(7, abstract="Now it improves accuracy on MMLU by 9.5%.")
    write_papers(source, later)
    summary = run(source, out)
    assert extracted == ["own:0007", "own:0040", "own:0041"]
    assert (summary.new, summary.changed, summary.unchanged, summary.extracted) == (2, 1, 39, 3)
    gains = pd.read_parquet(out / "gains")
    assert gains[gains["paper_id"] == "own:0007"]["value"].tolist() == [9.5]
    assert snapshots.verify(out) == []


def test_a_run_with_nothing_new_publishes_nothing(source, out, extracted):
    first = run(source, out)
    before = (out / "current").readlink(), content(out, but=())
    extracted.clear()
    again = run(source, out)
    assert (again.run_id, again.extracted, extracted) == (None, 0, [])
    assert (again.papers, again.rows) == (40, first.rows)
    assert ((out / "current").readlink(), content(out, but=())) == before


def test_an_increment_writes_its_own_files_and_shares_the_others(source, out, tmp_path):
    run(source, out)
    before = {path.stat().st_ino for path in (out / "parts").rglob("*.parquet")}
    more = write_papers(tmp_path / "more.jsonl", [paper(number) for number in range(90, 93)])
    assert run(more, out).extracted == 3
    parts = sorted((out / "papers").iterdir())
    assert len(parts) == 2
    shared = {
        path.stat().st_ino for path in (out / "current").resolve().rglob("*.parquet")
    } & before
    assert len(shared) >= len(tables.EXTRACTED)
    own = snapshots.snapshots(out)[-1]
    assert own.own_bytes < own.bytes


@pytest.mark.usefixtures("small_shards")
def test_differences_and_compaction_read_a_file_once_and_no_shared_one_for_a_difference(
    out, tmp_path, monkeypatch
):
    opened: Counter[str] = Counter()
    get_table = snapshots.get_table

    def note(place: Place, file: manifest.File, columns: Sequence[str] | None = None) -> pa.Table:
        opened[file.name] += 1
        return get_table(place, file, columns)

    monkeypatch.setattr(snapshots, "get_table", note)
    written = [paper(number) for number in range(60)]
    for first in range(6):
        # Each increment reaches over all ids there are.
        run(write_papers(tmp_path / f"{first}.jsonl", written[first::6]), out)
    place = place_of(out)
    before, after = (snapshots.chosen(place, name) for name in ("previous", "current"))
    assert len(list(snapshots.diff(out, "previous", "current", ["papers", "gains"]))) == 20
    shared = {file.name for file in before.all_files()} & {file.name for file in after.all_files()}
    assert shared.isdisjoint(opened)
    opened.clear()
    assert snapshots.compact(out) is not None
    counted = [times for name, times in opened.items() if not name.startswith("parts/index/")]
    assert set(counted) == {1}
    assert len(counted) > 6 * 2 * len(tables.EXTRACTED)


@pytest.mark.usefixtures("small_shards")
def test_one_run_and_ten_increments_have_the_same_rows_and_once_compacted_the_same_bytes(
    tmp_path, out
):
    written = [paper(number) for number in range(60)]
    # One paper from two sources, which arrive in different increments, and lines that are broken.
    written[30] = paper(30, paper_id="arxiv:2501.00001", title="The same of both kinds of rivers")
    written[50] = paper(30, paper_id="other:1", title="The Same, of Both Kinds of Rivers")
    random.Random(7).shuffle(written)
    pieces = [
        write_papers(tmp_path / "in" / f"{number}.jsonl", written[number * 6 : number * 6 + 6])
        for number in range(10)
    ]
    for piece in pieces[::3]:
        piece.write_text(piece.read_text() + "{broken\n")
    whole = tmp_path / "whole"
    run(pieces, whole)
    for piece in random.Random(8).sample(pieces, 10):
        assert run(piece, out, keep=2).read == 6
    assert rows(out) == rows(whole)
    assert len(rows(whole)["papers"]) == 59
    assert content(out) != content(whole)
    assert snapshots.compact(out) is not None
    assert snapshots.verify(out) == []
    assert content(out) == content(whole)
    assert snapshots.compact(out) is None
    assert snapshots.compact(whole) is None


def test_a_paper_that_failed_keeps_its_place_among_the_shards(tmp_path, out, monkeypatch):
    monkeypatch.setattr(publishing, "SMALLEST_SHARD", 4)
    extract = pipeline.extract.Extractor.extract

    def fail(self: pipeline.extract.Extractor, one: Paper) -> Extraction:
        if one.paper_id == "own:0003":
            raise ValueError("no luck")
        return extract(self, one)

    monkeypatch.setattr(pipeline.extract.Extractor, "extract", fail)
    pieces = [
        write_papers(tmp_path / f"{first}.jsonl", [paper(n) for n in range(first, 10, 2)])
        for first in (0, 1)
    ]
    run(pieces, tmp_path / "whole")
    for piece in pieces:
        run(piece, out)
    snapshots.compact(out)
    assert content(out) == content(tmp_path / "whole")
    (reject,) = rows(out)["rejects"]
    assert reject["reason"] == "extraction failed: ValueError: no luck"


def test_a_paper_that_failed_is_tried_again_when_its_text_or_a_rule_is_another(
    source, out, tmp_path, monkeypatch
):
    extract = pipeline.extract.Extractor.extract

    def fail(self: pipeline.extract.Extractor, one: Paper) -> Extraction:
        if one.paper_id == "own:0003":
            raise ValueError("no luck")
        return extract(self, one)

    with monkeypatch.context() as failing:
        failing.setattr(pipeline.extract.Extractor, "extract", fail)
        assert run(source, out).papers == 39
    again = run(source, out)
    assert (again.run_id, again.extracted, again.rejected) == (None, 0, 1)
    made_rules(tmp_path / "rules", "Riverbank")
    assert run(source, out, rules_folders=[tmp_path / "rules"]).papers == 40


# --- rules


def test_a_changed_rule_is_applied_to_all_papers_also_those_of_other_sources(
    source, out, tmp_path, extracted
):
    other = write_papers(
        tmp_path / "other.jsonl", [paper(99, abstract="We measure on Riverbank and Riverbed.")]
    )
    rules = tmp_path / "rules"
    made_rules(rules, "Riverbank")
    run([source, other], out, rules_folders=[rules])
    extracted.clear()
    made_rules(rules, "Riverbed")
    summary = run(source, out, rules_folders=[rules])
    assert len(extracted) == summary.extracted == summary.papers == 41
    found = pd.read_parquet(out / "benchmarks")
    names = set(found[found["paper_id"] == "own:0099"]["name"])
    assert "Riverbed" in names
    whole = tmp_path / "whole"
    run([source, other], whole, rules_folders=[rules])
    assert content(out) == content(whole)


def test_changed_code_counts_as_changed_rules(source, out, monkeypatch):
    run(source, out)
    monkeypatch.setattr(manifest, "_code", lambda: "another")
    assert run(source, out).extracted == 40


def test_the_quick_fingerprint_is_that_of_the_rules(tmp_path):
    made_rules(tmp_path, "Riverbank")
    for folders in ([], [tmp_path]):
        assert manifest.rules_fingerprint(folders) == load_rules(folders).fingerprint


def test_all_code_that_makes_rows_counts() -> None:
    package = Path(pipeline.__file__).parent
    named = {name.removesuffix(".py") for name in manifest._EXTRACTING}
    others = {
        "__init__", "__main__", "cli", "terminal", "store", "score", "examples", "sources",
        "places", "startup", "review", "sample", "_rules", "__pycache__", "fetch", "settings",
        "days", "drift", "report", "status", "watermarks",
    }  # fmt: skip
    assert {path.stem for path in package.iterdir()} - others == named


# --- sources


def test_papers_that_left_a_source_stay_unless_it_is_replaced(source, out, tmp_path):
    other = write_papers(tmp_path / "other.jsonl", [paper(77)])
    run([source, other], out)
    write_papers(source, [paper(0), paper(1)])
    assert run(source, out).papers == 41
    summary = run([], out, replaced=[source])
    assert (summary.read, summary.removed, summary.papers) == (2, 38, 3)
    assert sorted(published_ids(out)) == ["own:0000", "own:0001", "own:0077"]
    assert snapshots.verify(out) == []


def test_a_paper_that_another_source_has_as_well_does_not_leave_with_one(source, out, tmp_path):
    other = write_papers(tmp_path / "other.jsonl", [paper(1), paper(2)])
    run([source, other], out)
    write_papers(source, [paper(0)])
    run(other, out, replaced=[source])
    assert sorted(published_ids(out)) == ["own:0000", "own:0001", "own:0002"]


def test_a_source_that_breaks_off_is_not_replaced(source, out):
    run(source, out)
    source.unlink()
    with pytest.raises(store.StoreError, match="could not be read to its end"):
        run([], out, replaced=[source])
    assert len(published_ids(out)) == 40


def test_a_folder_is_replaced_with_all_that_is_in_it(out, tmp_path):
    folder = tmp_path / "in"
    for number in range(3):
        write_papers(folder / f"{number}.jsonl", [paper(number), paper(number + 10)])
    run(folder, out)
    (folder / "1.jsonl").unlink()
    write_papers(folder / "2.jsonl", [paper(2)])
    run([], out, replaced=[folder])
    assert sorted(published_ids(out)) == ["own:0000", "own:0002", "own:0010"]


def test_a_date_or_address_that_changed_is_told_without_extracting_again(source, out, extracted):
    run(source, out)
    extracted.clear()
    later = [paper(number) for number in range(40)]
    later[3] = paper(3, published="2025-03-04", url="https://example.org/3")
    write_papers(source, later)
    summary = run(source, out)
    assert (summary.extracted, extracted, summary.unchanged) == (0, [], 40)
    stored = pd.read_parquet(out / "papers").set_index("paper_id")
    assert stored["url"]["own:0003"] == "https://example.org/3"
    assert str(stored["published"]["own:0003"]) == "2025-03-04"
    assert snapshots.verify(out) == []
    assert run(source, out).run_id is None


# --- one paper


TEXT = (
    "We present a reader of river charts that improves accuracy by 3.5% on MMLU over BERT, and "
    "needs half of the data that its rivals do; it was tried on charts of nine rivers."
)
ARXIV = paper(1, paper_id="arxiv:2501.00001", title="Reading river charts", abstract=TEXT)

Alias = dict[str, str | None]


@pytest.mark.parametrize(
    "other",
    [
        # By its arXiv id, with a version, bare, in an address or as a DOI.
        {"paper_id": "2501.00001v2", "abstract": "Quite another text of it.", "title": "Renamed"},
        {"paper_id": "own:7", "url": "https://arxiv.org/abs/2501.00001v3", "title": "Renamed"},
        {"paper_id": "own:7", "url": "https://doi.org/10.48550/arXiv.2501.00001", "title": "New"},
        # By its title, but for signs and case, with nearly the same abstract.
        {"paper_id": "own:7", "title": "Reading River-Charts", "abstract": f"{TEXT} Code is out."},
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_records_of_one_paper_are_one_paper(out, tmp_path, other: Alias, together):
    records = [ARXIV, paper(7, abstract=TEXT) | other]
    ways = []
    for number, order in enumerate(itertools.permutations(records)):
        place = out / str(number)
        pieces = [
            write_papers(tmp_path / "in" / f"{'ba'[record is ARXIV]}.jsonl", [record])
            for record in order
        ]
        for piece in [pieces] if together else [[piece] for piece in pieces]:
            summary = run(piece, place)
        assert summary.duplicates == 1
        assert published_ids(place) == ["arxiv:2501.00001"]
        assert snapshots.verify(place) == []
        ways.append(rows(place))
    assert ways[0] == ways[1]


@pytest.mark.parametrize(
    "other",
    [
        {"title": "Reading river charts", "abstract": "A survey of all that was said of rivers."},
        {"title": "Reading sea charts"},
        {"title": "Reading sea charts", "url": "https://arxiv.org/abs/2501.00002"},
    ],
)
def test_records_of_other_papers_are_not(out, tmp_path, other: Alias):
    records = [ARXIV, paper(7, paper_id="own:7", abstract=TEXT) | other]
    assert run(write_papers(tmp_path / "in.jsonl", records), out).papers == 2


def test_a_record_that_is_no_longer_the_same_paper_is_a_paper(out, tmp_path):
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    write_papers(one, [ARXIV])
    write_papers(two, [ARXIV | {"paper_id": "own:7"}])
    run([one, two], out)
    assert published_ids(out) == ["arxiv:2501.00001"]
    write_papers(one, [paper(1, paper_id="arxiv:2501.00001")])
    run(one, out)
    assert sorted(published_ids(out)) == ["arxiv:2501.00001", "own:7"]
    write_papers(one, [ARXIV])
    run(one, out)
    assert published_ids(out) == ["arxiv:2501.00001"]
    write_papers(one, [paper(5)])
    run([], out, replaced=[one])
    assert sorted(published_ids(out)) == ["own:0005", "own:7"]
    assert snapshots.verify(out) == []


def test_records_that_are_held_are_still_so_after_a_change_of_the_rules(out, tmp_path):
    pieces = [
        write_papers(tmp_path / "one.jsonl", [ARXIV]),
        write_papers(tmp_path / "two.jsonl", [ARXIV | {"paper_id": "own:7"}]),
    ]
    run(pieces, out)
    made_rules(tmp_path / "rules", "Riverbank")
    more = write_papers(tmp_path / "three.jsonl", [paper(3)])
    assert run(more, out, rules_folders=[tmp_path / "rules"]).duplicates == 1
    assert sorted(published_ids(out)) == ["arxiv:2501.00001", "own:0003"]


@pytest.mark.usefixtures("small_shards")
def test_many_records_of_published_papers_are_settled_with_each_file_read_once(
    source, out, tmp_path, monkeypatch
):
    for module in (reading, publishing):
        monkeypatch.setattr(module, "AT_ONCE", 16)
    opened: list[str] = []
    get_table = reading.get_table

    def note(place: Place, file: manifest.File, columns: Sequence[str] | None = None) -> pa.Table:
        opened.append(file.name)
        return get_table(place, file, columns)

    monkeypatch.setattr(reading, "get_table", note)
    run(source, out)
    # Of 40 papers in 5 parts, in an order that has nothing to do with theirs.
    others = [paper(number, paper_id=f"title:{number * 17 % 40:02d}") for number in range(40)]
    second = write_papers(tmp_path / "second.jsonl", others)
    summary = run(second, out)
    assert (summary.papers, summary.duplicates, summary.extracted) == (40, 40, 0)
    parts = [name for name in opened if name.startswith("parts/papers/")]
    assert len(parts) <= 10
    assert max(Counter(parts).values()) <= 2
    assert run(second, out).run_id is None
    # They come back when the records that stood for them leave.
    write_papers(source, [paper(number) for number in range(0, 40, 2)])
    back = run([], out, replaced=[source])
    assert (back.papers, back.duplicates, back.extracted) == (40, 20, 20)
    assert snapshots.verify(out) == []


def test_a_changed_abstract_is_a_new_version_and_the_old_one_stays_in_the_old_snapshot(source, out):
    first = run(source, out)
    write_papers(source, [paper(3, abstract="A later version, 2% better.")])
    run(source, out)
    old = tables.read_table(out / "snapshots" / str(first.run_id), "papers").to_pylist()
    assert next(row for row in old if row["paper_id"] == "own:0003")["abstract"].startswith("We pr")
    now = pd.read_parquet(out / "papers").set_index("paper_id")
    assert now["abstract"]["own:0003"] == "A later version, 2% better."


def test_rejects_are_told_in_every_run_that_reads_them(out, tmp_path):
    broken = tmp_path / "broken.jsonl"
    broken.write_text("{\n", encoding="utf-8")
    source = write_papers(tmp_path / "papers.jsonl", [paper(1)])
    expected = Reject(str(broken), "line 1", "not JSON", "{")
    for _ in range(2):
        (reject,) = run([source, broken], out).first_rejects
        assert (reject.source, reject.position) == (expected.source, expected.position)


def test_a_run_after_a_run_of_any_order_gives_the_same(out, tmp_path):
    """Any partition into increments, with changed and repeated records among them."""
    chance = random.Random(3)
    change: Callable[[int], dict[str, str | None]] = lambda n: paper(n % 12, url=f"https://x/{n}")  # noqa: E731
    records = [paper(number) for number in range(12)] + [change(number) for number in range(6)]
    one = tmp_path / "one"
    pieces = [
        write_papers(tmp_path / "in" / f"{number:02}.jsonl", [record])
        for number, record in enumerate(records)
    ]
    run(pieces, one)
    for trial in range(3):
        chance.shuffle(pieces)
        place = out / str(trial)
        for first in range(0, len(pieces), 5):
            run(pieces[first : first + 5], place)
        assert rows(place) == rows(one)
