"""Which days are due, what is unusual about them, and what is told of them; without Prefect."""

from __future__ import annotations

import datetime
import json
import multiprocessing
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from typer.testing import CliRunner

from pipeline import days, drift, report, store, watermarks
from pipeline.cli import app
from pipeline.days import Measured
from pipeline.places import place_of
from pipeline.records import PipelineError
from pipeline.report import Told
from pipeline.settings import Settings
from pipeline.watermarks import Marked, Tried, Watermarks

NOW = datetime.datetime(2026, 3, 9, 6, tzinfo=datetime.UTC)
COUNTS = {
    "papers": 3, "models": 0, "sizes": 0, "benchmarks": 0, "gains": 5, "links": 0, "numbers": 9,
    "rejects": 0,
}  # fmt: skip


def march(day: int) -> datetime.date:
    return datetime.date(2026, 3, day)


def marked(*days_of_march: int, is_final: bool = True) -> Watermarks:
    marks = Watermarks()
    for day in days_of_march:
        marks.mark("arxiv", march(day), Marked((f"arxiv/{day}.xml",), COUNTS, is_final, "r", NOW))
    return marks


# --- watermarks


def test_of_a_service_never_seen_only_the_last_day_is_due() -> None:
    assert Watermarks().due("arxiv", march(8)) == [march(8)]


def test_a_day_that_was_missed_is_due_with_those_after_the_newest() -> None:
    assert marked(2, 3, 5, 6).due("arxiv", march(8)) == [march(4), march(7), march(8)]


def test_with_a_first_day_all_days_from_it_are_due() -> None:
    assert marked(5).due("arxiv", march(6), march(3)) == [march(3), march(4), march(6)]


def test_a_day_to_which_the_service_may_still_add_is_due_again() -> None:
    marks = marked(5, 6)
    marks.mark("arxiv", march(7), Marked((), COUNTS, False, "r", NOW))
    assert marks.due("arxiv", march(8)) == [march(7), march(8)]


def test_a_run_for_a_day_before_the_first_has_nothing_to_do() -> None:
    assert marked(5).due("arxiv", march(4)) == []


def test_the_watermark_is_the_day_before_the_first_that_is_missing() -> None:
    assert marked(2, 3, 5).watermark("arxiv") == march(3)
    assert marked(2, 3, 5).newest("arxiv") == march(5)
    assert Watermarks().watermark("arxiv") is None


def test_marks_are_read_as_they_were_written(tmp_path: Path) -> None:
    marks = marked(2, 3)
    marks.tried["openreview"] = Tried(NOW, "2026-03-08: no answer")
    place = place_of(tmp_path)
    watermarks.write(place, marks)
    assert watermarks.read(place) == marks
    assert [path.name for path in tmp_path.iterdir()] == [watermarks.NAME]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"services": {"arxiv": {}}}'])
def test_damaged_marks_are_told_with_their_file_and_what_to_do(
    tmp_path: Path, content: str
) -> None:
    (tmp_path / watermarks.NAME).write_text(content)
    with pytest.raises(PipelineError, match=r"watermarks\.json: damaged .*; delete it"):
        watermarks.read(place_of(tmp_path))


# --- days


def test_a_service_that_is_none_is_told_with_those_there_are() -> None:
    with pytest.raises(PipelineError, match=r"arxif: no such service; there are daily-papers,"):
        days.enabled(Settings(), ["arxif"])


def test_the_services_of_the_settings_are_taken_unless_others_are_named() -> None:
    assert "openreview" not in days.enabled(Settings())
    assert days.enabled(Settings(), ["openreview", "arxiv"]) == ["arxiv", "openreview"]


def test_the_day_of_a_run_is_the_one_before_in_utc() -> None:
    evening = datetime.timezone(datetime.timedelta(hours=-8))
    assert days.day_before(datetime.datetime(2026, 3, 8, 20, tzinfo=evening)) == march(8)
    assert days.day_before(datetime.datetime(2026, 3, 8, 6, tzinfo=datetime.UTC)) == march(7)


def test_a_range_that_ends_before_it_begins_is_told(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"2026-03-08 to 2026-03-02: the first day comes after"):
        days.missing(settings(tmp_path), ["arxiv"], march(8), march(2))


def settings(folder: Path, **more: object) -> Settings:
    runs = {"out": str(folder / "out"), "landing": str(folder / "landing"), **more}
    return Settings.model_validate({"runs": runs})


def _hold(landing: Path, ready: multiprocessing.synchronize.Event) -> None:
    with days.turn(landing, 0):
        ready.set()
        ready.wait()
        multiprocessing.Event().wait()


def test_a_second_run_waits_for_the_first_and_then_says_why_it_gives_up(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    first = spawn.Process(target=_hold, args=(tmp_path, ready))
    first.start()
    try:
        assert ready.wait(60)
        with (
            pytest.raises(PipelineError, match=r"another scheduled run has been at work here"),
            days.turn(tmp_path, 0.2),
        ):
            pass
    finally:
        first.kill()
        first.join()
    with days.turn(tmp_path, 0):  # the lock has ended with its process
        pass


def test_services_whose_newest_day_is_too_old_are_stale(tmp_path: Path) -> None:
    known = settings(tmp_path, fresh=2)
    watermarks.write(place_of(known.runs.out), marked(2, 5))
    assert days.stale(known, ["arxiv"], march(7)) == {}
    assert days.stale(known, ["arxiv", "openreview"], march(8)) == {
        "arxiv": "the newest day is 2026-03-05, 3 days behind",
        "openreview": "no day is published yet",
    }


def test_tables_that_many_runs_left_in_many_files_are_compacted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = published(tmp_path, PAPERS[0])
    assert days.tidy(str(tmp_path / "nothing")) is None
    for number in range(2):
        (tmp_path / f"{number}.jsonl").write_text(
            json.dumps({**PAPERS[1], "paper_id": str(number)})
        )
        store.run([tmp_path / f"{number}.jsonl"], known.runs.out, workers=1)
    assert days.tidy(known.runs.out) is None
    monkeypatch.setattr(days, "MANY_PARTS", 1)
    assert days.tidy(known.runs.out) is not None
    assert len(list((tmp_path / "out" / "papers").iterdir())) == 1
    assert days.tidy(known.runs.out) is None


# --- drift


def history(
    weekday: int = 100, weekend: int = 8, gains: float = 1.5
) -> dict[datetime.date, Mapping[str, int]]:
    """Six weeks before the ninth of March, a Monday, each day a little different."""
    found = {}
    for number in range(1, 43):
        day = march(9) - datetime.timedelta(days=number)
        papers = (weekend if day.weekday() >= 5 else weekday) + number % 5
        found[day] = counts(papers, int(papers * gains), number % 3)
    return found


def counts(papers: int, gains: int, rejects: int = 0) -> Mapping[str, int]:
    return {"papers": papers, "gains": gains, "rejects": rejects}


def told_of(day: int, found: Mapping[str, int], **more: bool) -> list[str]:
    return [one.message for one in drift.unusual("arxiv", march(day), found, history(), **more)]


def test_a_day_like_the_others_is_not_unusual() -> None:
    assert told_of(9, counts(97, 140, 3)) == []
    assert told_of(9, counts(130, 180, 4)) == []


def test_no_papers_on_a_monday_are_unusual() -> None:
    assert told_of(9, counts(0, 0)) == ["no papers, where 101 to 104 are usual on a Monday"]


def test_few_papers_on_a_sunday_are_usual() -> None:
    assert told_of(8, counts(9, 13)) == []
    assert told_of(9, counts(9, 13)) == ["9 papers, where 101 to 104 are usual on a Monday"]


def test_three_times_the_papers_are_unusual() -> None:
    assert told_of(9, counts(300, 450)) == ["300 papers, where 101 to 104 are usual on a Monday"]


def test_half_the_usual_gains_per_paper_are_unusual() -> None:
    assert told_of(9, counts(100, 70)) == ["0.70 gains per paper, where 1.50 are usual"]
    assert told_of(9, counts(100, 90)) == []


def test_few_papers_without_gains_may_be_chance() -> None:
    assert told_of(8, counts(7, 2)) == []


def test_twice_the_rejects_are_unusual_unless_they_are_few() -> None:
    assert told_of(9, counts(100, 150, 40)) == ["40 rejects, where 2 are usual"]
    assert told_of(9, counts(100, 150, 5)) == []


def test_of_a_day_that_is_not_whole_only_gains_and_rejects_are_asked() -> None:
    assert told_of(9, counts(0, 0), is_whole=False) == []
    assert told_of(9, counts(90, 20), is_whole=False) == [
        "0.22 gains per paper, where 1.50 are usual"
    ]


def test_with_few_days_nobody_knows_what_is_usual() -> None:
    few = dict([*history().items()][:7])
    assert drift.unusual("arxiv", march(9), counts(0, 0), few) == []


def test_a_day_is_compared_with_those_nearest_to_it() -> None:
    """What was usual years ago says nothing of now, and nothing of now is held against then."""
    years_ago = {
        day.replace(year=2020): counts(10_000, 9, 9_000)
        for day in history()
        if (day.month, day.day) != (2, 29)
    }
    both = {**years_ago, **history()}
    assert drift.unusual("arxiv", march(9), counts(100, 150), both) == []
    then = datetime.date(2020, 3, 9)
    assert drift.unusual("arxiv", then, counts(10_000, 9, 9_000), both) == []


# --- report


EVIL = (
    "<script>alert(1)</script> [click](javascript:alert(1)) ![x](http://evil.example/x.png) "
    "**bold** `code` | cell | https://evil.example www.evil.example a@evil.example &lt;b&gt; \\<i> "
    "# head\n\n---\n\n* item\n1. one\r\n<!-- gone --> ~~no~~ $x_1^2$ \u202ereversed \u200b"
)


def test_a_text_in_markdown_is_letters_and_nothing_else() -> None:
    """Rendered with everything a page of Prefect may know, it has no tag but its own paragraph."""
    page = MarkdownIt("gfm-like", {"html": True}).render(f"- {report.plain(EVIL)}\n")
    assert set(re.findall(r"<(/?\w+)", page)) == {"ul", "li", "/li", "/ul"}
    assert "&lt;script&gt;alert(1)&lt;/script&gt; [click](javascript:alert(1))" in page
    assert "&lt;U+202E&gt;reversed &lt;U+200B&gt;" in page


def test_a_text_in_a_cell_of_a_table_stays_there() -> None:
    cell = report.plain(EVIL)
    page = MarkdownIt("gfm-like").render(f"| a | b |\n|---|---|\n| {cell} | 1 |\n")
    assert page.count("<td>") == 2
    assert set(re.findall(r"<(\w+)", page)) == {"table", "thead", "tbody", "tr", "th", "td"}


def test_an_address_that_a_browser_should_not_open_is_no_link() -> None:
    assert report.address("javascript:alert(1)") is None
    assert report.address("data:text/html,x") is None
    assert report.address(None) is None
    assert report.address("https://example.org/a(b)c d") == "https://example.org/a%28b%29c%20d"


def test_a_long_text_is_cut() -> None:
    assert len(report.plain("word " * 1000)) == report.LONGEST


def published(folder: Path, *lines: Mapping[str, str]) -> Settings:
    known = settings(folder)
    source = folder / "landing" / "arxiv" / "papers.jsonl"
    source.parent.mkdir(parents=True)
    source.write_text("".join(json.dumps(line) + "\n" for line in lines))
    store.run([source], known.runs.out, workers=1)
    return known


PAPERS = (
    {
        "paper_id": "p:1",
        "title": "Zip [x](https://evil.example) **b** <i>",
        "abstract": "ZipTune lifts LLaMA-2-7B by 3.2 points on GSM8K.",
        "url": "https://example.org/1",
    },
    {
        "paper_id": "p:2",
        "title": "Zap",
        "abstract": "ZapTune improves accuracy on GSM8K by 7.5 points and on MMLU by 2.1 points.",
    },
)


def test_the_report_tells_the_largest_gain_of_each_benchmark_with_its_sentence(
    tmp_path: Path,
) -> None:
    known = published(tmp_path, *PAPERS)
    measured = Measured({}, COUNTS, frozenset({"p:1", "p:2"}))
    summary = store.run([tmp_path / "landing"], known.runs.out, workers=1)
    page = report.markdown(Told(out=known.runs.out, measured=measured, summary=summary))
    shown = MarkdownIt("gfm-like").render(page)
    assert "3 gains in 2 new papers" in shown
    claims = re.findall(r"<li>\n?<strong>(.*?)</strong>(.*?)</li>", shown)
    assert [(name, re.search(r"[\d.]+ points", told)[0]) for name, told in claims] == [  # type: ignore[index]
        ("GSM8K", "7.5 points"),
        ("MMLU", "2.1 points"),
    ]
    assert "ZapTune improves accuracy on GSM8K by 7.5 points and on MMLU" in claims[0][1]


def test_a_title_in_the_report_leads_to_its_paper_and_nowhere_else(tmp_path: Path) -> None:
    known = published(tmp_path, PAPERS[0])
    summary = store.run([tmp_path / "landing"], known.runs.out, workers=1)
    measured = Measured({}, COUNTS, frozenset({"p:1"}))
    page = report.markdown(Told(out=known.runs.out, measured=measured, summary=summary))
    shown = MarkdownIt("gfm-like").render(page)
    assert re.findall(r'<a href="(.*?)">(.*?)</a>', shown) == [("https://example.org/1", "paper")]
    assert "Zip [x](https://evil.example) **b** &lt;i&gt; (<a href=" in shown


# --- status


def run_status(folder: Path, *args: str) -> tuple[int, str]:
    path = folder / "settings.toml"
    path.write_text(
        f'[runs]\nout = "{folder}/out"\nlanding = "{folder}/landing"\n'
        "[services.daily-papers]\nenabled = false\n[services.arxiv-oai]\nenabled = false\n"
        "[services.semantic-scholar]\nenabled = false\n"
    )
    result = CliRunner().invoke(app, ["status", "--settings", str(path), *args])
    return result.exit_code, result.output


def test_status_of_an_empty_place_says_so(tmp_path: Path) -> None:
    code, told = run_status(tmp_path)
    assert code == 0
    assert f"{tmp_path}/out: nothing is published yet" in told
    assert "no scheduled run has been here yet" in told


def test_status_tells_runs_watermarks_snapshot_and_sizes(tmp_path: Path) -> None:
    known = published(tmp_path, *PAPERS)
    marks = Watermarks()
    yesterday = datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=1)
    for ago in (0, 1, 3):
        day = yesterday - datetime.timedelta(days=ago)
        marks.mark("arxiv", day, Marked((), COUNTS, True, "r", NOW))
    marks.tried["arxiv"] = Tried(NOW, None)
    watermarks.write(place_of(known.runs.out), marks)
    code, told = run_status(tmp_path)
    assert code == 0, told
    before = yesterday - datetime.timedelta(days=3)
    assert re.search(rf"arxiv +│ {before} +│ {yesterday} +│ +3 │ 2026-03-09 06:00 +│ fresh", told)
    assert "is published: 2 papers, 3 gains, rules " in told
    assert re.search(r"│ +2 │ +2 │ +0 │ +0 │", told)  # read, new, changed, rejected
    assert re.search(r"[\d.]+ MB of tables, [\d.]+ MB as it came", told)


def test_status_ends_with_1_where_a_source_is_stale_and_says_why_the_last_fetch_failed(
    tmp_path: Path,
) -> None:
    known = published(tmp_path, *PAPERS)
    marks = marked(2)
    marks.tried["arxiv"] = Tried(NOW, "2026-03-08: no answer \x1b[31m")
    watermarks.write(place_of(known.runs.out), marks)
    code, told = run_status(tmp_path)
    assert code == 1
    assert re.search(r"the newest day is 2026-03-02, \d+ days behind; 2026-03-08: no answer", told)
    assert "\x1b[31m" not in told


# --- rules that changed


def test_without_sources_a_run_makes_everything_anew_once_the_rules_are_others(
    tmp_path: Path,
) -> None:
    known = published(tmp_path, *PAPERS)
    rules = tmp_path / "rules"
    rules.mkdir()
    assert _again(known.runs.out, rules).run_id is None
    (rules / "benchmarks.yaml").write_text(
        "Kiln Bench:\n  names: [Kiln Bench]\n  finds: ['We test on [[Kiln Bench]].']\n"
    )
    summary = _again(known.runs.out, rules)
    assert summary.run_id is not None
    assert (summary.read, summary.extracted, summary.papers) == (0, 2, 2)


def _again(out: str, rules: Path) -> store.RunSummary:
    with store.locked(out) as desk:
        plan = store.spool(desk, [], rules_folders=[rules])
        counts = [
            store.extract_shard(plan.address, shard, plan.rules_folders, plan.fingerprint)
            for shard in plan.shards
        ]
        return store.publish(desk, plan, counts)
