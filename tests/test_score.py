"""The measure: what counts as right, wrong and missed, and that it is the project's own."""

import copy
import importlib.util
import json
import random
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import score, tables
from pipeline.records import (
    Benchmark,
    Extraction,
    Gain,
    Link,
    Model,
    Paper,
    Size,
    Span,
)

SHARED = Path(__file__).parents[2] / "shared"
SAMPLE = Path(__file__).parents[1] / "pipeline" / "sample"
needs_shared = pytest.mark.skipif(
    not SHARED.exists(), reason="the annotated papers of ../shared are not here"
)

TITLE = "Heron-7B reads river charts"
ABSTRACT = (
    "Heron-7B improves accuracy by 4.5% on TideQA and DeltaBench over Stork. "
    "It needs from 12 to 8 hours and sets a new state of the art on TideQA. "
    "Code: https://github.com/riverside/heron."
)
TEXT = f"{TITLE}\n\n{ABSTRACT}"
GAIN = {
    "evidence": "improves accuracy by 4.5% on TideQA and DeltaBench",
    "kind": "delta",
    "value": 4.5,
    "unit": "percent",
    "direction": "up",
    "qualifiers": [],
    "metric": "accuracy",
    "benchmarks": ["TideQA", "DeltaBench"],
    "model": "Heron-7B",
    "baseline": "Stork",
}
FROM_TO = {
    "evidence": "needs from 12 to 8 hours",
    "kind": "from_to",
    "value_from": 12,
    "value_to": 8,
    "unit": "hours",
    "direction": "down",
    "qualifiers": [],
    "metric": None,
    "benchmarks": [],
    "model": "Heron-7B",
    "baseline": None,
}
SOTA = {
    "evidence": "a new state of the art on TideQA",
    "kind": "sota",
    "benchmarks": ["TideQA"],
    "model": "Heron-7B",
}
GOLD: dict[str, Any] = {
    "paper_id": "own:heron",
    "models": [
        {"surface": "Heron-7B", "kind": "model", "role": "proposed", "aliases": ["Heron"]},
        {"surface": "Stork", "kind": "method", "role": "baseline", "or": {"role": "mentioned"}},
    ],
    "sizes": [{"surface": "7B", "kind": "parameters", "value": 7_000_000_000, "model": "Heron-7B"}],
    "benchmarks": [
        {"surface": "TideQA", "role": "evaluated"},
        {"surface": "DeltaBench", "role": "evaluated"},
    ],
    "gains": [GAIN, FROM_TO, SOTA],
    "links": [
        {
            "surface": "https://github.com/riverside/heron",
            "url": "https://github.com/riverside/heron",
            "kind": "code",
        }
    ],
    "code_status": "released",
}


def compared(gold: dict[str, Any], found: dict[str, Any]) -> score.Report:
    return score.compare({"own:heron": TEXT}, {"own:heron": gold}, {"own:heron": found})


def changed(table: str, number: int, **attributes: Any) -> dict[str, Any]:
    record = copy.deepcopy(GOLD)
    record[table][number].update(attributes)
    return record


def without(table: str, number: int) -> dict[str, Any]:
    record = copy.deepcopy(GOLD)
    del record[table][number]
    return record


def faults(report: score.Report) -> dict[str, tuple[int, int]]:
    """Per table that has any, how much is wrong and how much was missed."""
    return {
        name: (tally.fp, tally.fn) for name, tally in report.tables.items() if tally.fp or tally.fn
    }


def doubts(report: score.Report) -> list[str]:
    return [name for name, part in report.attributes.items() if part.right < part.total]


def test_the_gold_is_right_about_itself():
    report = compared(GOLD, GOLD)
    assert faults(report) == {}
    assert doubts(report) == []
    assert (report.papers, report.faultless, report.misses) == (1, 1, [])
    assert report.tables["models"].tp == report.tables["benchmarks"].tp == 2
    assert report.tables["gains: value"].tp == report.tables["gains: full"].tp == 2
    assert report.tables["gains: sota"].tp == 1
    assert list(report.tables) == list(score.SCORED)
    assert [part.total for part in report.attributes.values()] == [2, 2, 2, 1, 1, 1] + [2] * 7


def test_without_things_and_without_faults_all_measures_are_one():
    assert (score.Tally().precision, score.Tally().recall, score.Tally().f1) == (1, 1, 1)
    assert score.Accuracy().rate == 1


def test_measures_are_those_of_the_textbook():
    tally = score.Tally(tp=6, fp=2, fn=4)
    assert (tally.precision, tally.recall) == (0.75, 0.6)
    assert tally.f1 == pytest.approx(2 / 3)
    assert score.Tally(fp=1, fn=1).f1 == 0
    assert score.Accuracy(right=3, total=4).rate == 0.75


VALUE = ("gains: value", "gains: value+benchmark", "gains: full")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(without("models", 1), {"models": (0, 1)}, id="a model missed"),
        pytest.param(changed("models", 1, surface="Crane"), {"models": (1, 1)}, id="another name"),
        pytest.param(changed("models", 0, surface="heron"), {}, id="an alias in another case"),
        pytest.param(changed("models", 1, surface="Stork 13B"), {}, id="with its size"),
        pytest.param(changed("models", 1, surface=r"\textit{Stork}"), {}, id="with its LaTeX"),
        pytest.param(
            changed("benchmarks", 0, surface="TideQA dataset"), {}, id="a name's generic tail"
        ),
        pytest.param(
            changed("sizes", 0, value=8_000_000_000),
            {"sizes": (1, 1), "sizes: parameters": (1, 1)},
            id="another size",
        ),
        pytest.param(
            changed("sizes", 0, kind="tokens"),
            {"sizes": (1, 1), "sizes: parameters": (0, 1)},
            id="a size of something else",
        ),
        pytest.param(
            changed("links", 0, url="http://www.GitHub.com/riverside/heron.git"),
            {},
            id="another spelling of the address",
        ),
        pytest.param(
            changed("links", 0, url="https://github.com/riverside"),
            {"links": (1, 1)},
            id="another address",
        ),
        pytest.param(
            changed("gains", 0, value=4.6), dict.fromkeys(VALUE, (1, 1)), id="another value"
        ),
        pytest.param(changed("gains", 0, value=-4.5), {}, id="a value's sign"),
        pytest.param(
            changed("gains", 0, kind="score"), dict.fromkeys(VALUE, (1, 1)), id="another kind"
        ),
        pytest.param(
            changed("gains", 0, evidence=TITLE),
            dict.fromkeys(VALUE, (1, 1)),
            id="the same value elsewhere",
        ),
        pytest.param(without("gains", 0), dict.fromkeys(VALUE, (0, 1)), id="a gain missed"),
        pytest.param(
            changed("gains", 0, benchmarks=["TideQA"]),
            dict.fromkeys(VALUE[1:], (1, 1)),
            id="one benchmark too few",
        ),
        pytest.param(
            changed("gains", 0, direction="down"),
            dict.fromkeys(VALUE[1:], (1, 1)),
            id="another direction",
        ),
        pytest.param(
            changed("gains", 0, model="Stork"), {"gains: full": (1, 1)}, id="another model"
        ),
        pytest.param(changed("gains", 0, model="Heron"), {}, id="another spelling of the model"),
        pytest.param(
            changed("gains", 0, metric="mean accuracy"), {}, id="a metric that shares a word"
        ),
        pytest.param(
            changed("gains", 0, metric="the recall"), {"gains: full": (1, 1)}, id="another metric"
        ),
        pytest.param(
            changed("gains", 1, value_to=9), dict.fromkeys(VALUE, (1, 1)), id="another from_to"
        ),
        pytest.param(changed("gains", 2, benchmarks=[]), {}, id="what a sota is bound to"),
        pytest.param(without("gains", 2), {"gains: sota": (0, 1)}, id="a sota missed"),
        pytest.param(
            {},
            {
                "models": (0, 2), "sizes": (0, 1), "sizes: parameters": (0, 1),
                "benchmarks": (0, 2), "links": (0, 1), "gains: sota": (0, 1),
                **dict.fromkeys(VALUE, (0, 2)),
            },
            id="nothing found",
        ),
    ],
)  # fmt: skip
def test_a_difference_is_counted_where_it_is(found, expected):
    report = compared(GOLD, found)
    assert faults(report) == expected
    assert report.faultless == (not expected)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (changed("models", 0, kind="method"), ["model kind"]),
        (changed("models", 0, role="base"), ["model role"]),
        (changed("models", 1, role="mentioned"), []),
        (changed("models", 1, role="base"), ["model role"]),
        (changed("benchmarks", 0, role="training"), ["benchmark role"]),
        (changed("sizes", 0, model="Stork"), ["size model"]),
        (changed("sizes", 0, model="Heron"), []),
        (changed("links", 0, kind="project"), ["link kind"]),
        (GOLD | {"code_status": "promised"}, ["code status"]),
        (changed("gains", 0, unit="points"), ["gain unit"]),
        (changed("gains", 0, qualifiers=["about"]), ["gain qualifiers"]),
        (changed("gains", 0, baseline="a human"), ["gain baseline"]),
    ],
)
def test_an_attribute_that_differs_is_counted_as_such(found, expected):
    assert doubts(compared(GOLD, found)) == expected


def test_what_either_annotator_holds_of_an_attribute_is_right():
    gold = changed("gains", 0, **{"or": {"metric": "recall", "direction": None}})
    assert faults(compared(gold, changed("gains", 0, metric="recall", direction=None))) == {}
    assert faults(compared(gold, changed("gains", 0, metric="speed"))) == {"gains: full": (1, 1)}
    gold = GOLD | {"code_status": "promised", "code_status_or": "released"}
    assert doubts(compared(gold, GOLD)) == []


@pytest.mark.parametrize(
    ("table", "number"), [("models", 1), ("sizes", 0), ("benchmarks", 1), ("links", 0)]
)
def test_what_is_optional_counts_neither_way(table, number):
    gold = changed(table, number, optional=True)
    for found in (GOLD, without(table, number)):
        report = compared(gold, found)
        assert faults(report) == {}
        assert report.tables[table].tp == len(GOLD[table]) - 1


def test_an_optional_gain_counts_neither_way_even_with_another_kind():
    gold = changed("gains", 0, optional=True)
    for found in (GOLD, without("gains", 0), changed("gains", 0, kind="score")):
        assert faults(compared(gold, found)) == {}
    assert faults(compared(gold, changed("gains", 0, value=4.6))) == dict.fromkeys(VALUE, (1, 0))


def test_what_is_required_takes_its_match_before_what_is_optional():
    gold = copy.deepcopy(GOLD)
    gold["gains"].insert(0, {**GAIN, "optional": True})
    assert faults(compared(gold, GOLD)) == {}
    assert compared(gold, GOLD).tables["gains: value"].tp == 2


def test_of_two_gains_in_a_place_the_one_that_agrees_most_is_taken():
    found = copy.deepcopy(GOLD)
    found["gains"].insert(0, {**GAIN, "benchmarks": [], "model": None})
    report = compared(GOLD, found)
    assert faults(report) == dict.fromkeys(VALUE, (1, 0))
    assert doubts(report) == []


def test_a_thing_found_twice_counts_once():
    found = copy.deepcopy(GOLD)
    found["models"] += [GOLD["models"][0], {"surface": "Heron", "kind": "model", "role": "base"}]
    assert faults(compared(GOLD, found)) == {}


def test_a_miss_names_the_paper_the_table_and_what_it_is():
    report = compared(GOLD, changed("models", 1, surface="Crane"))
    assert report.misses == [
        ("own:heron", "models", "FP", "crane"),
        ("own:heron", "models", "FN", "Stork"),
    ]
    found = changed("gains", 0, value=4.6, start=TEXT.index("4.5%"), end=TEXT.index("4.5%") + 4)
    del found["gains"][0]["evidence"]
    missed, wrong = compared(GOLD, found).misses
    assert missed.what == "improves accuracy by 4.5% on TideQA and DeltaBench | delta 4.5"
    assert wrong.what == (
        "r charts Heron-7B improves accuracy by 4.5% on TideQA and DeltaBench over Stork. It"
        " | delta 4.6"
    )
    assert (missed.fault, wrong.fault) == ("FN", "FP")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Heron-7B", "heron"),
        ("Heron 1.5 B-chat", "heronchat"),
        ("Heron2B", "heron2b"),  # a size stands apart
        ("textttHeron", "heron"),
        (r"\textit{Heron}", "heron"),
        ("\uff28eron\u2122", "herontm"),  # other forms of letters
        ("the Heron model family", "theheron"),
        (r"\heron", "heron"),  # a macro that is the name
        ("Heron++", "heron++"),
        (None, ""),
    ],
)
def test_what_is_compared_of_a_name(name, key):
    assert score.name_key(name) == key


# --- Extractions and published tables


PAPER = Paper("own:heron", TITLE, ABSTRACT)


def place(surface: str) -> Span:
    field = "abstract" if surface in ABSTRACT else "title"
    start = (ABSTRACT if field == "abstract" else TITLE).index(surface)
    return Span.of(PAPER, field, start, start + len(surface))


def gain(gain_id: str, surface: str, **given_here: Any) -> Gain:
    nothing: dict[str, Any] = dict.fromkeys(
        (
            "value", "value_low", "value_high", "value_from", "value_to", "unit", "basis",
            "direction", "metric", "model", "baseline",
        )
    )  # fmt: skip
    nothing |= {"qualifiers": (), "benchmarks": ()}
    span = place(surface)
    sentence = next(part for part in ABSTRACT.split(". ") if surface in part)
    made = {**nothing, **given_here}
    return Gain(span=span, rule="gains/x", gain_id=gain_id, sentence=place(sentence), **made)


EXTRACTION = Extraction(
    paper=PAPER,
    code_status="released",
    models=(
        Model(
            span=place("Heron-7B"), rule="models/x", name="Heron 7B (chat)", family=None,
            kind="model", role="proposed", mentions=2,
        ),
        Model(
            span=place("Stork"), rule="models/x", name="STORK", family=None, kind="method",
            role="baseline", mentions=1,
        ),
    ),
    sizes=(
        Size(
            span=place("7B"), rule="sizes/x", kind="parameters", value=7_000_000_000,
            model="Heron 7B (chat)",
        ),
    ),
    benchmarks=(
        Benchmark(
            span=place("TideQA"), rule="benchmarks/x", name="Tide Questions", role="evaluated",
            mentions=2,
        ),
        Benchmark(
            span=place("DeltaBench"), rule="benchmarks/x", name="DeltaBench", role="evaluated",
            mentions=1,
        ),
    ),
    gains=(
        gain(
            "g1", "4.5%", kind="delta", value=4.5, unit="percent", direction="up",
            metric="accuracy", benchmarks=("Tide Questions", "DeltaBench"),
            model="Heron 7B (chat)", baseline="Stork",
        ),
        gain(
            "g2", "from 12 to 8 hours", kind="from_to", value_from=12.0, value_to=8.0,
            unit="hours", direction="down", model="Heron 7B (chat)",
        ),
        gain(
            "g3", "new state of the art", kind="sota", benchmarks=("Tide Questions",),
            model="Heron 7B (chat)",
        ),
    ),
    links=(
        Link(
            span=place("https://github.com/riverside/heron"), rule="links/x",
            url="https://github.com/riverside/heron", kind="code", host="github.com",
            repository="riverside/heron",
        ),
    ),
    numbers=(),
)  # fmt: skip


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    docs, gold = tmp_path / "docs.jsonl", tmp_path / "gold.jsonl"
    paper = {"paper_id": "own:heron", "title": TITLE, "abstract": ABSTRACT}
    docs.write_text(f"{json.dumps(paper)}\n\n", encoding="utf-8")
    gold.write_text(f"{json.dumps(GOLD)}\n", encoding="utf-8")
    return docs, gold


def write_tables(folder: Path, extraction: Extraction) -> Path:
    folder.mkdir(parents=True)
    for name, table in tables.rows([extraction]).items():
        tables.write_table(name, [table], folder / f"{name}.parquet")
    return folder


def test_extractions_are_compared_by_what_stands_in_the_text(files):
    report = score.score(*files, [EXTRACTION])
    assert faults(report) == {}
    assert doubts(report) == []
    assert report == score.score(*files, files[1])


def test_a_gain_of_the_abstract_is_not_found_in_the_title(files):
    moved = replace(EXTRACTION.gains[0], span=place("charts"), sentence=place(TITLE))
    report = score.score(*files, [replace(EXTRACTION, gains=(moved, *EXTRACTION.gains[1:]))])
    assert faults(report) == dict.fromkeys(VALUE, (1, 1))


def test_published_tables_measure_the_same_as_what_they_were_made_of(files, tmp_path):
    worse = replace(EXTRACTION, models=EXTRACTION.models[:1], gains=EXTRACTION.gains[1:])
    folder = write_tables(tmp_path / "out" / "snapshots" / "one", worse)
    assert score.score(*files, folder) == score.score(*files, [worse])
    assert faults(score.score(*files, folder)) == {
        "models": (0, 1), **dict.fromkeys(VALUE, (0, 1)),
    }  # fmt: skip
    # The same by the path of all snapshots.
    (tmp_path / "out" / "current").symlink_to("snapshots/one")
    assert score.score(*files, tmp_path / "out") == score.score(*files, [worse])


def test_a_paper_published_under_another_id_is_known_by_its_title(files, tmp_path):
    renamed = replace(EXTRACTION, paper=replace(PAPER, paper_id="arxiv:2501.00001"))
    report = score.score(*files, write_tables(tmp_path / "out", renamed))
    assert faults(report) == {}
    assert report.missing == ()


def test_a_paper_that_was_not_extracted_is_told_and_its_things_are_missed(files, tmp_path):
    other = Paper("own:other", "Something else", "Nothing.")
    nothing = dict.fromkeys(("models", "sizes", "benchmarks", "gains", "links", "numbers"), ())
    extraction = Extraction(paper=other, code_status="not_stated", **nothing)
    report = score.score(*files, write_tables(tmp_path / "out", extraction))
    assert report.missing == ("own:heron",)
    assert report.tables["models"].fn == 2
    assert report.papers == 1


# --- Files that are not in the format


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 1: not JSON"),
        ("[1]", "line 1: not a JSON object"),
        ({"paper_id": None}, "line 1: needs 'paper_id', a string"),
        ({"models": None}, "line 1: needs 'models', a list of records"),
        ({"models": ["Heron"]}, "line 1: needs 'models', a list of records"),
        ({"code_status": "open"}, "'code_status' is 'open'; it is one of released, promised"),
        (changed("models", 1, surface=None), "line 1, models 2: needs 'surface', a string"),
        (changed("models", 0, role="own"), "models 1: 'role' is 'own'; it is one of proposed"),
        (changed("models", 0, aliases="Heron"), "models 1: 'aliases' is a list of strings"),
        (changed("models", 0, **{"or": "base"}), "models 1: 'or' holds the other annotator's"),
        (changed("sizes", 0, value="7B"), "sizes 1: needs 'value', as numbers"),
        (changed("gains", 0, kind="gain"), "gains 1: 'kind' is 'gain'; it is one of delta"),
        (changed("gains", 0, value=True), "gains 1: needs 'value', or 'value_low' and"),
        (changed("gains", 1, value_to=None), "gains 2: needs 'value_from' and 'value_to'"),
        (changed("gains", 2, evidence=None), "gains 3: needs 'evidence', a string"),
        (changed("links", 0, url=None), "links 1: needs 'url', a string"),
        (changed("gains", 2, evidence="best of all"), "'best of all' does not stand in the paper"),
        (changed("models", 1, surface="Storch"), "'Storch' does not stand in the paper's text"),
        ({"paper_id": "own:other"}, "annotates none of the papers in"),
    ],
)  # fmt: skip
def test_a_gold_file_out_of_format_is_told_by_line_and_record(files, line, message):
    docs, gold = files
    text = line if isinstance(line, str) else json.dumps({**GOLD, **line})
    gold.write_text(text, encoding="utf-8")
    with pytest.raises(score.GoldError) as told:
        score.score(docs, gold, [EXTRACTION])
    assert message in str(told.value)
    assert str(gold) in str(told.value)


def test_a_paper_annotated_twice_is_told(files):
    docs, gold = files
    gold.write_text(f"{json.dumps(GOLD)}\n{json.dumps(GOLD)}\n", encoding="utf-8")
    with pytest.raises(score.GoldError, match="line 2: own:heron is annotated twice"):
        score.score(docs, gold, [EXTRACTION])


def test_documents_out_of_format_are_told(files):
    docs, gold = files
    docs.write_text('{"paper_id": "own:heron", "title": "Heron"}\n', encoding="utf-8")
    with pytest.raises(score.GoldError, match="line 1: needs 'paper_id', 'title' and 'abstract'"):
        score.score(docs, gold, [EXTRACTION])
    docs.write_bytes(b"\xff\xfe")
    with pytest.raises(score.GoldError, match="not UTF-8"):
        score.score(docs, gold, [EXTRACTION])
    with pytest.raises(score.GoldError, match="name a file of JSON lines"):
        score.score(docs.with_name("nowhere.jsonl"), gold, [EXTRACTION])


def test_of_very_many_faults_the_first_are_told(files):
    docs, gold = files
    gold.write_text("{\n" * 30, encoding="utf-8")
    with pytest.raises(score.GoldError, match=r"line 20: not JSON.*\n\.\.\. and 10 more"):
        score.score(docs, gold, [EXTRACTION])


def test_the_sample_is_right_about_itself():
    docs, gold = SAMPLE / "papers.jsonl", SAMPLE / "gold.jsonl"
    report = score.score(docs, gold, gold)
    assert report.papers == report.faultless > 0


def test_the_sample_is_extracted_on_the_spot():
    pytest.importorskip("pipeline.extract")
    report = score.score(SAMPLE / "papers.jsonl", SAMPLE / "gold.jsonl")
    assert report.papers > 0
    assert report.missing == ()
    assert report.tables["models"].tp > 0


# --- The same measure as the project's scorer


@pytest.fixture(scope="session")
def scorer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("scorer", SHARED / "gold" / "score.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def annotated(name: str) -> tuple[dict[str, str], dict[str, Any]]:
    folder = SHARED / "gold"
    papers = score.read_papers(folder / f"{name}.docs.jsonl")
    texts = {paper.paper_id: f"{paper.title}\n\n{paper.abstract}" for paper in papers}
    return texts, dict(score.read_gold(folder / f"{name}.gold.jsonl"))


def perturbed(gold: dict[str, Any], texts: dict[str, str], chance: random.Random) -> dict[str, Any]:
    """The gold as an extractor might have it that misses, invents and confuses things."""
    choices = {
        "kind": ["model", "method", "parameters", "tokens", "delta", "score", "sota", "code"],
        "role": ["proposed", "base", "evaluated", "mentioned"],
        "direction": ["up", "down", None],
        "unit": ["percent", "points", None],
        "metric": ["accuracy", "the F1 score", None],
        "baseline": ["the base model", None],
        "qualifiers": [["up_to"], []],
        "benchmarks": [[], ["MMLU"]],
        "value": [1.0, -2, 7e9],
        "optional": [True],
    }
    found = {}
    for paper_id, record in copy.deepcopy(gold).items():
        if chance.random() < 0.05:
            continue
        names = [model["surface"] for model in record["models"]] + ["GPT-2", None]
        if chance.random() < 0.2:
            record["code_status"] = "promised"
        for table in ("models", "sizes", "benchmarks", "gains", "links"):
            kept = [one for one in record[table] if chance.random() > 0.2]
            kept += [dict(one) for one in kept if chance.random() < 0.2]
            for one in kept:
                one.pop("or", None)
                if chance.random() < 0.8:
                    one.pop("optional", None)
                for attribute in sorted(one.keys() | {"optional"}):
                    if attribute in choices and chance.random() < 0.1:
                        one[attribute] = chance.choice(choices[attribute])
                if "model" in one and chance.random() < 0.1:
                    one["model"] = chance.choice(names)
                if one.get("surface") and chance.random() < 0.2:
                    one["surface"] = chance.choice([one["surface"].upper(), "Otter", "-", "42B"])
                if "url" in one and chance.random() < 0.2:
                    one["url"] = chance.choice([one["url"] + "/", one["url"] + "/x"])
                if "evidence" in one:
                    loosen(one, texts[paper_id], chance)
            chance.shuffle(kept)
            record[table] = kept
        found[paper_id] = record
    return found


def loosen(gain: dict[str, Any], text: str, chance: random.Random) -> None:
    """A gain at a place near its evidence, with a kind and numbers that go together."""
    if chance.random() < 0.7:
        gain["start"] = max(0, text.find(gain["evidence"]) + chance.randint(-60, 60))
        gain["end"] = gain["start"] + chance.randint(1, 30)
    if gain["kind"] == "from_to":
        gain.setdefault("value_from", gain.get("value", 1))
        gain.setdefault("value_to", 3)


@needs_shared
@given(st.text() | st.from_regex(r"[a-z$\\ {}.-]*[0-9]?[0-9.]* ?[BbMk]?( models?| dataset)?"))
def test_names_and_addresses_are_compared_as_the_scorer_of_the_project_does(scorer, text):
    assert score.name_key(text) == scorer.norm(text)
    assert score.url_key(text) == scorer.urlkey(text)
    assert score.url_key(f"https://www.{text}.git") == scorer.urlkey(f"https://www.{text}.git")


@needs_shared
@pytest.mark.parametrize("name", ["seed", "dev1"])
@pytest.mark.parametrize("number", range(12))
def test_the_measure_is_that_of_the_scorer_of_the_project(scorer, name, number):
    texts, gold = annotated(name)
    found = perturbed(gold, texts, random.Random(number))
    misses: list[tuple[str, ...]] = []
    tallies, attributes = scorer.score(texts, gold, found, misses)
    report = score.compare(texts, gold, found)
    for table in score.SCORED:
        ours, theirs = report.tables[table], tallies[table]
        assert (ours.tp, ours.fp, ours.fn) == (theirs.tp, theirs.fp, theirs.fn), table
        assert (ours.precision, ours.recall, ours.f1) == theirs.row(), table
    assert attributes.keys() <= report.attributes.keys()
    for attribute, accuracy in report.attributes.items():
        assert [accuracy.right, accuracy.total] == attributes[attribute], attribute
    # Misses of gains are worded otherwise.
    assert [miss[:3] for miss in report.misses] == [miss[:3] for miss in misses]
    named = [miss for miss in report.misses if not miss.table.startswith("gains")]
    assert named == [miss for miss in misses if not miss[1].startswith("gains")]


@needs_shared
def test_published_tables_measure_the_same_as_with_the_scorer_of_the_project(
    scorer, files, tmp_path
):
    folder = write_tables(tmp_path / "out", EXTRACTION)
    papers = score.read_papers(files[0])
    texts = {"own:heron": TEXT}
    theirs = scorer.read_tables(folder, texts)
    ours = score.read_published(folder, papers)
    for gold in (GOLD, changed("gains", 0, model="Stork"), without("benchmarks", 0)):
        tallies, attributes = scorer.score(texts, {"own:heron": gold}, theirs)
        report = score.compare(texts, {"own:heron": gold}, ours)
        for table in score.SCORED:
            tally = report.tables[table]
            assert (tally.tp, tally.fp, tally.fn) == (
                tallies[table].tp, tallies[table].fp, tallies[table].fn,
            )  # fmt: skip
        assert {name: [part.right, part.total] for name, part in report.attributes.items()} == (
            {name: attributes[name] for name in report.attributes}
        )
