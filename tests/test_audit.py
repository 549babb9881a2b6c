from __future__ import annotations

import json
import random
import re
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from pipeline import audit as auditing
from pipeline import store, tables
from pipeline.audit import CHECKS, arithmetic, audit, written
from pipeline.audit.findings import Finding
from pipeline.audit.published import Case, claim_id
from pipeline.cli import app
from pipeline.extract import extractor_for
from pipeline.records import Paper
from pipeline.store.snapshots import compact


def findings_of(out: Path, *papers: Paper) -> list[Finding]:
    publish(out, *papers)
    return audit(out).findings


def publish(out: Path, *papers: Paper) -> None:
    """The tables of these papers, in a folder of plain files."""
    extractor = extractor_for(())
    for name, table in tables.rows([extractor.extract(paper) for paper in papers]).items():
        (out / name).mkdir(parents=True, exist_ok=True)
        pq.write_table(table, out / name / "part-00000.parquet")
    for name in ("runs", "rejects"):
        (out / name).mkdir(parents=True, exist_ok=True)
        empty = tables.TABLES[name].empty_table()
        pq.write_table(empty, out / name / "part-00000.parquet")


PAPER = Paper(
    "paper-1",
    "ZapTune: a recipe for small models",
    "ZapTune lifts LLaMA-2-7B by 3.2% on GSM8K, from 36.2% to 39.4%. On MMLU it has an accuracy of "
    "51.3%. Code: https://github.com/acme/zaptune",
)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("clean")
    publish(out, PAPER)
    return out


@pytest.fixture
def out(clean: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(clean, tmp_path / "out"))


def change(out: Path, table: str, row: int, **columns: object) -> None:
    """Break a published row."""
    path = out / table / "part-00000.parquet"
    rows = pq.read_table(path).to_pylist()
    rows[row] |= columns
    pq.write_table(tables.pa.Table.from_pylist(rows, schema=tables.TABLES[table]), path)


def severe(out: Path) -> set[tuple[str, str]]:
    return {(one.check, one.table) for one in audit(out).findings if one.severity != "note"}


# --- grounding ---


def test_nothing_is_held_against_tables_as_the_program_publishes_them(out: Path) -> None:
    assert severe(out) == set()


@pytest.mark.parametrize(
    ("table", "columns", "expected"),
    [
        ("gains", {"start": 1, "end": 5}, ("place", "gains")),
        ("models", {"surface": "Another"}, ("place", "models")),
        ("links", {"start": -4}, ("place", "links")),
        ("gains", {"value": 33.2}, ("number", "gains")),
        ("sizes", {"value": 7_000}, ("number", "sizes")),
        ("sizes", {"value": 10**18}, ("size", "sizes")),
        ("gains", {"sentence_start": 0, "sentence_end": 4, "sentence": "ZapT"}, ("sentence", "gains")),
        ("gains", {"sentence": "Another one."}, ("sentence", "gains")),
        ("gains", {"model": "GPT-9"}, ("reference", "gains")),
        ("gains", {"benchmark": "ZipBench"}, ("reference", "gains")),
        ("gains", {"metric": "perplexity"}, ("metric", "gains")),
        ("gains", {"baseline": "the champion"}, ("metric", "gains")),
        ("models", {"name": "Falcon-180B"}, ("name", "models")),
        ("links", {"url": "https://github.com/acme/other"}, ("url", "links")),
        ("links", {"host": "gitlab.com"}, ("url", "links")),
        ("papers", {"text_sha256": "0" * 64}, ("text-hash", "papers")),
        ("numbers", {"start": 0, "end": 3, "surface": "Zap", "value": None}, ("cover", "papers")),
        ("numbers", {"gain_id": "nobody"}, ("reference", "numbers")),
    ],
)  # fmt: skip
def test_a_broken_row_is_found_by_its_check(
    out: Path, table: str, columns: dict[str, object], expected: tuple[str, str]
) -> None:
    change(out, table, 0, **columns)
    assert expected in severe(out)


def test_a_row_that_stands_twice_is_an_error(out: Path) -> None:
    for name in ("gains", "models", "papers", "numbers"):
        path = out / name / "part-00000.parquet"
        table = pq.read_table(path)
        pq.write_table(tables.pa.concat_tables([table, table.slice(0, 1)]), path)
    found = severe(out)
    assert {("unique", name) for name in ("gains", "models", "papers", "numbers")} <= found


def test_rows_without_their_paper_are_an_error(out: Path) -> None:
    change(out, "links", 0, paper_id="paper-0")
    assert ("reference", "papers") in severe(out)


def test_one_value_extracted_as_two_claims_is_an_error(out: Path) -> None:
    path = out / "gains" / "part-00000.parquet"
    rows = pq.read_table(path).to_pylist()
    rows.append({**rows[0], "gain_id": "another"})
    pq.write_table(tables.pa.Table.from_pylist(rows, schema=tables.TABLES["gains"]), path)
    assert ("twice", "gains") in severe(out)


# --- arithmetic ---


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("It gains 12.3 points (from 45.2 to 57.5).", "points"),
        ("It improves F1 by 27.2% (from 45.2 to 57.5).", "relative"),
        ("It improves F1 by 12.3% (from 0.452 to 0.575).", "points of a share"),
        ("Latency falls by 75%, from 2 s to 500 ms.", "relative"),
        ("A 4x speedup (from 200 ms to 50 ms).", "ratio, ends swapped"),
        ("Errors fall by 50% (from 90% to 95%).", "error reduction"),
        ("Accuracy rises from 45.2% to 57.5% (+12.3%).", "points"),
        ("Accuracy rises from $45.2\\%$ to $57.5\\%$, a 12.3-point gain.", "points"),
        ("F1: 45.2 → 57.5 (+12.3).", "points"),
        ("It has 27.2% higher F1 (57.5 vs. 45.2).", "relative, ends swapped"),
        ("It gains 12.35 points (from 45.2 to 57.5).", "points"),
        ("F1 rises from 45.2 to 57.5, corresponding to 27.2% relative improvement.", "relative"),
        ("F1 rises from 45.2 to 57.5 (a relative gain of 27.2%).", "relative"),
        ("F1 rises from 45.2 to 57.5 on average--a relative improvement of 27.2%.", "relative"),
        ("F1 rises from 45.2 F1 to 57.5 F1 (+12.3 F1).", "points"),
        ("F1 rises by an absolute 12.3% from 45.2% to 57.5%.", "points"),
        ("It lifts a small model by 27.2%, increasing its F1 from 0.452 to 0.575.", "relative"),
        ("A 12.3% absolute gain -- from 45.2 to 57.5% -- is seen.", "points"),
        ("Drift falls by 83% (Delta = 0.95 > 0.16).", "relative"),
        ("It reduces errors by 40% relative to the parent (36.7% vs. 22.1%).", "relative"),
        ("Load rises from 130.0% to 160.0% (+30.0 points).", "points"),
    ],
)
def test_a_change_that_computes_says_how_it_is_read(text: str, reading: str) -> None:
    [one] = arithmetic.told(text)
    way = arithmetic.reading(one)
    assert way is not None
    assert way.name == reading


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A 63.5% improvement (from 19.5 to 31.5).", 61.5),
        ("It gains 13.2 points (from 45.2 to 57.5).", 12.3),
        ("F1 is 63.5% better than with the old way (it rises from 19.5 to 31.5).", 61.5),
        ("Recall rises from 32.8% to 89.7% (+57% relative).", 173.5),
        ("Recall rises from 32.8% to 60.8% (+85% absolute).", 28.0),
        ("A 10.9-fold speedup (from 73 ms to 6.2 ms).", 11.8),
        ("Latency falls by 57%, from 200 ms to 50 ms.", 75.0),
        ("A 5x speedup (from 200 ms to 50 ms).", 4.0),
        ("We see 63.5% better F1 over the model with plain tuning (from 19.5 to 31.5).", 61.5),
        ("A 4% gain (from 46.7% to 46.7%).", 0.0),
        ("Accuracy rises from 74.0% to 81.8%, achieving a relative gain of 7.8%.", 10.5),
    ],
)
def test_a_change_that_does_not_compute_is_told_what_it_should_be(
    text: str, expected: float
) -> None:
    [one] = arithmetic.told(text)
    assert arithmetic.reading(one) is None
    assert arithmetic.expected(one).exact == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize(
    "text",
    [
        "It gains 4.3 points when scaling from 15 to 50 (+4.3 points) steps.",
        "We release 54 language models ranging from 99M to 3.9B parameters.",
        "Accuracy rises from 4.4% to 23.6% and leads to a 4.0% improvement in all-class accuracy.",
        "Accuracy on AIME24 (80.3 vs. 79.8) is higher than that of Falcon-180B (70 vs. 60).",
        "GPT-4.7 drops from 96.2% to 91.0%.",
        "It grew by 5% from 2016 to 2023.",
        "Gains range from +1.5% to -18.8% (-26.5% relative).",
        "It is better by 0.7 with a much smaller model (114.2M vs. 880.6M).",
        "With only 300 episodes versus 70.8% for the strongest rival (+5.4 pp) it reaches 76.2%.",
        "Memory falls from 14.2 GB to 4.7 GB, together with 50% latency reduction.",
        "Entropy falls (1.46->0.77, 85% collapse).",
        "Capacity grows by 6.6x, reducing waste from 55% to 2.2%.",
        "It falls to 0 from 45.2. Later it gains 12.3% (from 50.0 to 62.3).",
    ],
)
def test_numbers_that_are_no_ends_of_a_change_are_left_alone(text: str) -> None:
    assert [one for one in arithmetic.told(text) if arithmetic.reading(one) is None] == []


def test_a_relative_change_of_the_wrong_end_is_a_note() -> None:
    [one] = arithmetic.told("Latency rises from 40 ms to 100 ms (a 60% increase).")
    way = arithmetic.reading(one)
    assert way is not None
    assert arithmetic.of_other_end(one, way)


def test_nineteen_of_twenty_claims_broken_at_random_are_found() -> None:
    chance = random.Random(20)
    broken = found = whole = 0
    for _ in range(1500):
        text, numbers = _true_claim(chance)
        whole += all(map(_computes, arithmetic.told(text.format(**numbers))))
        name = chance.choice([key for key in numbers if f"{{{key}}}" in text])
        digits = numbers[name]
        # One of the first two digits is another: a slip that matters, as a typing error would.
        at = chance.choice([n for n, sign in enumerate(digits) if sign.isdigit()][:2])
        other = chance.choice([sign for sign in "123456789" if sign != digits[at]])
        numbers[name] = digits[:at] + other + digits[at + 1 :]
        broken += 1
        found += not all(map(_computes, arithmetic.told(text.format(**numbers))))
    assert whole >= 0.99 * broken
    assert found / broken >= 0.95


def _computes(one: arithmetic.Told) -> bool:
    way = arithmetic.reading(one)
    return way is not None and not arithmetic.of_other_end(one, way)


def _true_claim(chance: random.Random) -> tuple[str, dict[str, str]]:
    text = chance.choice(
        [
            "It improves accuracy by {c} on ZipBench-2 (from {x}% to {y}%).",
            "Accuracy rises from {x}% to {y}%, a {c} improvement.",
            "Accuracy rises from {x}% to {y}% (+{c}).",
            "We see a {c} improvement (from {x}% to {y}%).",
            "ZapTune has {c} higher accuracy ({y}% vs. {x}%).",
            "Accuracy rises from {x}% to {y}%, a relative improvement of {r}.",
            "F1: {x} -> {y} (+{p})",
            "It reduces latency by {l}, from {slow} ms to {fast} ms.",
            "We see a {f} speedup (from {slow} ms to {fast} ms).",
        ]
    )
    x = round(chance.uniform(10, 80), 1)
    y = round(min(98.0, x + chance.uniform(1.5, 25)), 1)
    slow = chance.randint(80, 900)
    fast = round(slow * chance.uniform(0.2, 0.8))
    relative, points = f"{100 * (y - x) / x:.1f}%", f"{y - x:.1f} points"
    return text, {
        "x": f"{x}", "y": f"{y}", "slow": f"{slow}", "fast": f"{fast}", "r": relative,
        "p": f"{y - x:.1f}", "c": chance.choice([relative, points, f"{y - x:.1f}%"]),
        "l": f"{100 * (slow - fast) / slow:.1f}%", "f": f"{slow / fast:.2f}x",
    }  # fmt: skip


def test_the_reading_goes_to_the_basis_of_its_gain(tmp_path: Path) -> None:
    publish(
        tmp_path,
        Paper("p", "T", "ZapTune improves accuracy on GSM8K by 8.8% (from 36.2% to 39.4%)."),
    )
    [basis] = audit(tmp_path).bases
    assert (basis.basis, basis.reading) == ("relative", "relative")
    assert basis.claim_id in {
        row["gain_id"] for row in tables.read_table(tmp_path, "gains").to_pylist()
    }


def test_published_gains_say_what_the_audit_found_however_they_came_to_be_published(
    tmp_path: Path,
) -> None:
    texts = {
        "a": "ZapTune improves accuracy on GSM8K by 8.8% (from 36.2% to 39.4%).",
        "b": "ZapTune improves F1 on GSM8K by 63.5% (from 19.5 to 31.5).",
        "c": "ZapTune reaches an accuracy of 104% on MMLU.",
        "d": "ZapTune has an accuracy of 51.3% on MMLU.",
    }
    for name, text in texts.items():
        line = json.dumps({"id": name, "title": f"Study {name}", "abstract": text})
        (tmp_path / f"{name}.jsonl").write_text(line, encoding="utf-8")
    sources = [tmp_path / f"{name}.jsonl" for name in texts]
    whole, grown = tmp_path / "whole", tmp_path / "grown"
    store.run(sources, whole, workers=1)
    store.run(sources[2:], grown, workers=1)
    store.run(sources[:2], grown, workers=1)
    compact(grown)
    gains = tables.read_table(whole, "gains")
    assert gains.equals(tables.read_table(grown, "gains"))
    said = {
        row["paper_id"]: (row["surface"], row["basis"], row["checks"])
        for row in gains.to_pylist()
        if row["kind"] != "from_to"
    }
    assert said == {
        "a": ("8.8%", "relative", []),
        "b": ("63.5%", None, ["arithmetic"]),
        "c": ("104%", None, ["bounds"]),
        "d": ("51.3%", None, []),
    }
    found = {(one.paper_id, one.check) for one in audit(whole).findings if one.severity != "note"}
    assert found == {("b", "arithmetic"), ("c", "bounds")}


def test_the_audit_knows_names_and_metrics_that_a_users_rules_declare(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "benchmarks.yaml").write_text(
        "Zap Examination:\n  names: [ZapEx]\n  finds: ['It is tried on [[ZapEx|Zap Examination]].']\n"
    )
    (mine / "metrics.yaml").write_text(
        "zaps:\n  names: [zaps]\n  better: down\n  finds: ['It has a [[zaps]] of 3.']\n"
    )
    line = {"id": "p", "title": "T", "abstract": "ZapTune improves zaps from 10 to 12 on ZapEx."}
    (tmp_path / "p.jsonl").write_text(json.dumps(line), encoding="utf-8")
    store.run([tmp_path / "p.jsonl"], tmp_path / "out", rules_folders=[mine], workers=1)
    [gain] = tables.read_table(tmp_path / "out", "gains").to_pylist()
    assert (gain["benchmark"], gain["checks"]) == ("Zap Examination", ["better"])
    for rules, held in (([], ["name"]), (["--rules", str(mine)], ["better"])):
        said = CliRunner().invoke(app, ["audit", str(tmp_path / "out"), *rules])
        assert [name for name in ("name", "better") if f"warning: {name}" in said.output] == held


def gain(**columns: object) -> dict[str, object]:
    """A row of gains with what is asked of every one, and these columns."""
    return {
        "gain_id": "a", "field": "abstract", "start": 0, "end": 4, "rule": "r", "unit": "percent",
        "metric": "F1", "benchmark": "MMLU", "model": "ZapTune", "direction": None,
        "qualifiers": [], "sentence_start": 0, **columns,
    }  # fmt: skip


def test_ends_and_change_in_two_sentences_are_held_together() -> None:
    ends = gain(
        kind="from_to", value_from=40.0, value_to=50.0, surface="40% to 50%", direction="up"
    )

    def told(value: float, sentence: int, **other: object) -> list[object]:
        delta = gain(
            kind="delta", value=value, surface=f"{value:g}%", direction="up", gain_id="b",
            sentence_start=sentence, **other,
        )  # fmt: skip
        case = Case("p", {"abstract": ""}, {"gains": [ends, delta]})
        return [one.expected for one in CHECKS["apart"].findings(case)]

    assert told(12, 50) == ["10% (points)"]
    assert told(10, 50) == told(25, 50) == []
    assert told(12, 0) == told(12, 50, model="Falcon") == told(12, 50, qualifiers=["up_to"]) == []


def test_a_result_that_title_and_abstract_tell_otherwise_is_a_warning() -> None:
    one = gain(kind="score", value=51.3, surface="51.3%", field="title")

    def told(value: float) -> int:
        other = gain(kind="score", value=value, surface=f"{value:g}%", gain_id="b")
        return len(list(CHECKS["told-twice"].findings(Case("p", {}, {"gains": [one, other]}))))

    assert [told(value) for value in (51.3, 51.35, 51.9)] == [0, 0, 1]


def test_names_in_latex_stand_in_the_text_and_others_do_not() -> None:
    def told(name: str, text: str, rule: str = "names/proposed") -> int:
        row = {
            "paper_id": "p",
            "name": name,
            "surface": text[:4],
            "field": "abstract",
            "start": 0,
            "end": 4,
            "rule": rule,
        }
        case = Case("p", {"title": "", "abstract": text}, {"models": [row], "benchmarks": []})
        return len(list(CHECKS["name"].findings(case)))

    assert told("\u03c4\u00b2-bench", r"On $\tau^2$-Bench it is good.") == 0
    assert told("\u03bbR", r"The $\lambda$R representation.") == 0
    assert told("1xN", r"With 1$\times$N sparsity.") == 0
    assert told("ZapTune 2", "ZapTune 1 and version 2.") == 0
    assert told("ZapTune 3", "ZapTune 1 and version 2.") == 1
    assert told("LLaMA-2", "llama-2 is small.", "models/LLaMA") == 0


def test_arithmetic_takes_linear_time() -> None:
    for text in ("from 1 to " * 4000, "by 5% on " * 4000, "(1 vs. 2 " * 4000, "+1 a b c d " * 4000):
        assert list(arithmetic.told(text)) is not None


# --- bounds, direction, contradictions ---


def test_bounds_directions_and_doubtful_statistics_are_warnings(tmp_path: Path) -> None:
    found = findings_of(
        tmp_path,
        Paper("a", "T", "ZapTune reaches an accuracy of 104% on MMLU."),
        Paper("b", "T", "ZapTune reduces memory usage by 130%."),
        Paper("c", "T", "ZapTune improves perplexity from 10.2 to 12.4 on WikiText-103."),
        Paper("d", "T", "The difference is significant (p < 1.7)."),
    )  # fmt: skip
    told = {(one.paper_id, one.check) for one in found if one.severity != "note"}
    assert told == {("a", "bounds"), ("b", "bounds"), ("c", "better"), ("d", "p-value")}


def test_a_from_to_that_goes_the_other_way_is_an_error(tmp_path: Path) -> None:
    publish(tmp_path, Paper("p", "T", "Accuracy on GSM8K rises from 36.2% to 39.4%."))
    change(tmp_path, "gains", 0, direction="down")
    assert ("direction", "gains") in severe(tmp_path)


def test_a_verb_that_says_otherwise_is_a_warning(tmp_path: Path) -> None:
    publish(tmp_path, Paper("p", "T", "ZapTune reduces accuracy by 5.2% on MMLU."))
    change(tmp_path, "gains", 0, direction="up")
    assert ("verb", "gains") in severe(tmp_path)


def test_papers_that_contradict_each_other_are_listed_and_not_judged(tmp_path: Path) -> None:
    found = findings_of(
        tmp_path,
        Paper("a", "One evaluation of many models", "GPT-4 reaches an accuracy of 86.4% on MMLU."),
        Paper("b", "Another evaluation of models", "GPT-4 reaches an accuracy of 83.0% on MMLU."),
        Paper("c", "A third evaluation of models", "GPT-4 reaches an accuracy of 86% on MMLU."),
        Paper("d", "A third evaluation of models", "GPT-4 reaches an accuracy of 86% on MMLU."),
    )  # fmt: skip
    told = [(one.paper_id, one.expected) for one in found if one.check == "same-result"]
    assert [paper for paper, _ in told] == ["a", "b", "c", "d"]
    assert told[0][1] == "83.0% in b"


def test_two_records_of_one_paper_with_other_values_are_listed(tmp_path: Path) -> None:
    title = "ZapTune: a recipe for very small models"
    found = findings_of(
        tmp_path,
        Paper("a", title, "ZapTune reaches an accuracy of 86.4% on MMLU."),
        Paper("b", title, "ZapTune reaches an accuracy of 87.4% on MMLU."),
    )
    assert {one.paper_id for one in found if one.check == "same-paper"} == {"a", "b"}


def test_a_record_of_another_source_that_tells_other_values_is_listed(tmp_path: Path) -> None:
    text = "ZapTune is a recipe for very small models. It reaches an accuracy of {} on MMLU, by {}."
    for name, given in (
        ("one", ("86.4%", "3.2 points")),
        ("two", ("87.4%", "3.2 percentage points")),
        ("three", ("86.4 %", "3.2 pp")),
    ):
        record = {"title": "ZapTune: a recipe", "abstract": text.format(*given)}
        record |= {"id": "arxiv:2509.00001"} if name == "one" else {}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(record), encoding="utf-8")
    store.run(sorted(tmp_path.glob("*.jsonl")), tmp_path / "out", workers=1)
    told = [one for one in audit(tmp_path / "out").findings if one.check == "same-paper"]
    assert [(one.expected, one.found) for one in told] == [("87.4%", "86.4%")]


def test_what_a_value_does_not_tell_is_a_note_and_lowers_the_papers_score(tmp_path: Path) -> None:
    publish(tmp_path, Paper("p", "T", "It improves by 5.2%."))
    audited = audit(tmp_path)
    assert {one.check for one in audited.findings} == {"no-metric", "no-benchmark", "no-baseline"}
    [score] = audited.scores
    assert (score.gains, score.complete, score.notes) == (1, 0.0, 3)


# --- the command ---


def paperclaims(*args: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, args, prog_name="paperclaims")
    return result.exit_code, result.output


def test_the_command_writes_its_tables_and_ends_with_1_on_errors(out: Path) -> None:
    assert paperclaims("audit", str(out))[0] == 0
    assert pq.read_table(out / "audit").schema.names == written.AUDIT_TABLES["audit"].names
    change(out, "gains", 0, value=33.2)
    code, said = paperclaims("audit", str(out))
    assert code == 1
    assert "error: number, paper-1, gains" in said
    [row] = [r for r in pq.read_table(out / "audit").to_pylist() if r["severity"] == "error"]
    assert row["claim_id"] == claim_id("gains", tables.read_table(out, "gains").to_pylist()[0])
    assert paperclaims("audit", str(out), "--off", "number")[0] == 0
    assert pq.read_table(out / "audit_papers").num_rows == 1
    assert pq.read_table(out / "audit_basis").num_rows >= 1


def test_findings_written_once_are_those_of_their_run_only(out: Path) -> None:
    change(out, "gains", 0, value=33.2)
    audited = audit(out)
    audited.run_id = "a-run"
    written.write(out, audited)
    assert written.read(out, "a-run") == audited.findings
    assert written.read(out, "another") is None
    (out / "audit" / "part-00000.parquet").write_bytes(b"PAR1")
    assert written.read(out, "a-run") is None


def test_the_tables_of_an_audit_are_replaced_together_or_not_at_all(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audited = audit(out)

    def run_ids() -> set[str]:
        return {
            row["run_id"]
            for name in written.AUDIT_TABLES
            for row in pq.read_table(out / name).to_pylist()
        }

    for run_id in ("first", "second"):
        audited.run_id = run_id
        written.write(out, audited)
        assert run_ids() == {run_id}
    assert len(list((out / ".audited").iterdir())) == 2  # the tables, and the link to them
    audited.run_id = "third"
    real = written.pq.write_table

    def full(table: object, path: Path, **rest: object) -> None:
        if path.parent.name == "audit_papers":
            raise OSError("no space left on the device")
        real(table, path, **rest)

    monkeypatch.setattr(written.pq, "write_table", full)
    with pytest.raises(OSError, match="no space"):
        written.write(out, audited)
    assert run_ids() == {"second"}


def test_a_check_that_is_not_there_is_told(out: Path) -> None:
    for option, word in (("--off", "nothing"), ("--format", "xml")):
        code, said = paperclaims("audit", str(out), option, word)
        assert code == 2
        assert f"'{word}' is not one of " in said
    with pytest.raises(auditing.AuditError, match="nothing: no such check; there are place, "):
        audit(out, off=["nothing"])


def test_every_check_asks_something_and_has_an_example() -> None:
    assert len(CHECKS) > 20
    for check in CHECKS.values():
        assert check.asks.endswith("?"), check.name
        assert check.example, check.name
    listed = re.findall(r"^\| `([\w-]+)` \|", auditing.catalogue(), re.MULTILINE)
    assert listed == list(CHECKS)
    assert paperclaims("audit", ".", "--checks")[1].startswith("| check | severity |")


def test_a_spreadsheet_calculates_nothing(tmp_path: Path, out: Path) -> None:
    change(out, "gains", 0, surface="=1+1")
    assert paperclaims("audit", str(out), "--csv", str(tmp_path / "f.csv"))[0] == 1
    text = (tmp_path / "f.csv").read_text(encoding="utf-8")
    assert "'=1+1" in text
    assert not re.search(r"(?:^|,)\"?[=+@-]", text, re.MULTILINE)


# --- other programs ---

TEXT = "ZapTune gains 3.2% on GSM8K, a 63.5% improvement (from 19.5 to 31.5)."


def foreign(tmp_path: Path, name: str, content: str) -> str:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    code, said = paperclaims("audit", str(path), "--format", "auto")
    assert code == 1, said
    return said


def test_extractions_of_langextract_are_audited(tmp_path: Path) -> None:
    record = {
        "document_id": "d",
        "text": TEXT,
        "extractions": [
            _langextract("gain", "3.2%", 14, 18),
            _langextract("gain", "3.9%", 14, 18),
            _langextract("gain", "9.9%", None, None),
        ],
    }
    said = foreign(tmp_path, "x.jsonl", json.dumps(record) + "\n")
    assert said.count("the text at its place is not its surface") == 1
    assert "it stands nowhere in the text" in said
    assert "arithmetic" in said
    assert "3 spans of 1 texts" in said


def _langextract(label: str, text: str, start: int | None, end: int | None) -> dict[str, object]:
    interval = None if start is None else {"start_pos": start, "end_pos": end}
    return {"extraction_class": label, "extraction_text": text, "char_interval": interval}


def test_brat_standoff_is_audited(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    (tmp_path / "a.ann").write_text(
        "T1\tGain 14 18\t3.2%\nT2\tGain 14 18\t3.3%\nA1\tValue T1 9.2\n", encoding="utf-8"
    )
    code, said = paperclaims("audit", str(tmp_path))
    assert code == 1
    assert "not its surface" in said
    assert "its value is not told by its surface" in said


def test_spacy_documents_are_audited(tmp_path: Path) -> None:
    spans = [{"start": 14, "end": 18, "label": "GAIN"}, {"start": 14, "end": 18, "label": "GAIN"}]
    said = foreign(tmp_path, "x.json", json.dumps({"text": TEXT, "spans": {"sc": spans}}))
    assert "a second span of the same label and place" in said


def test_plain_lines_are_audited(tmp_path: Path) -> None:
    line = {"text": TEXT, "start": 14, "end": 18, "label": "gain", "value": 3.2}
    said = foreign(
        tmp_path, "x.jsonl", "".join(json.dumps({**line, "value": v}) + "\n" for v in (3.2, 32))
    )
    assert "expected 3.2" in said


def test_a_place_outside_the_text_is_no_place(tmp_path: Path) -> None:
    line = {"text": TEXT, "start": len(TEXT), "end": len(TEXT) + 3, "label": "gain"}
    assert "outside the text" in foreign(tmp_path, "x.jsonl", json.dumps(line) + "\n")
    span = {"text": TEXT, "ents": [{"start": 0, "end": 999, "label": "MODEL"}]}
    assert "outside the text" in foreign(tmp_path, "x.json", json.dumps(span))


def test_what_other_formats_mean_by_it_is_no_fault(tmp_path: Path) -> None:
    text = "ZapTune gains 3.2% on GSM8K."
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    (tmp_path / "a.ann").write_text("T1\tGain 0 7;14 18\tZapTune 3.2%\n", encoding="utf-8")
    near = {**_langextract("gain", "gain of 3.2%", 8, 18), "alignment_status": "match_fuzzy"}
    record = {"text": text, "extractions": [near]}
    (tmp_path / "x.jsonl").write_text(json.dumps(record), encoding="utf-8")
    known = {"text": text, "ents": [{"start": 0, "end": 7, "label": "MODEL", "kb_id": "Q42"}]}
    (tmp_path / "x.json").write_text(json.dumps(known), encoding="utf-8")
    for name, warnings in (("a.ann", 0), ("x.jsonl", 1), ("x.json", 0)):
        code, said = paperclaims("audit", str(tmp_path / name))
        assert (code, said.count("warning: ")) == (0, warnings), said


def test_findings_in_other_extractions_go_to_a_csv_file_and_to_no_page(tmp_path: Path) -> None:
    line = {"text": TEXT, "start": 14, "end": 18, "label": "=gain", "value": 32}
    source, csv = tmp_path / "x.jsonl", tmp_path / "found.csv"
    source.write_text(json.dumps(line), encoding="utf-8")
    assert paperclaims("audit", str(source), "--csv", str(csv))[0] == 1
    assert "line 1,'=gain,line 1,number,error" in csv.read_text(encoding="utf-8")
    code, said = paperclaims("audit", str(source), "--html", str(tmp_path / "page.html"))
    assert code == 1
    assert "a page is made of tables" in said


def test_a_file_of_no_known_format_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"a": 1}\n', encoding="utf-8")
    code, said = paperclaims("audit", str(tmp_path / "x.jsonl"))
    assert code == 1
    assert "none of the formats langextract, brat, spacy, plain" in said
