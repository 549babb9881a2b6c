"""The sample papers and their gold agree with each other and with the annotation guide."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SAMPLE = Path(__file__).parents[1] / "pipeline" / "sample"
SHARED = Path(__file__).parents[2] / "shared"

Record = dict[str, Any]

# What a record of each list must have, and what it may have besides.
NEEDED = {
    "models": {"surface", "kind", "role"},
    "sizes": {"surface", "kind", "value", "model"},
    "benchmarks": {"surface", "role"},
    "gains": {
        "evidence", "kind", "unit", "direction", "qualifiers",
        "metric", "benchmarks", "model", "baseline",
    },
    "links": {"surface", "url", "kind"},
}  # fmt: skip
ALLOWED = {
    "models": {"aliases", "optional"},
    "sizes": {"optional"},
    "benchmarks": {"aliases", "optional"},
    "gains": {"value", "value_low", "value_high", "value_from", "value_to", "optional"},
    "links": set(),
}
KINDS = {
    "models": {"model", "method"},
    "sizes": {"parameters", "tokens", "examples"},
    "gains": {"delta", "factor", "from_to", "score", "share", "sota"},
    "links": {"code", "model", "dataset", "project", "archive", "paper", "other"},
}
ROLES = {
    "models": {"proposed", "base", "baseline", "mentioned"},
    "benchmarks": {"evaluated", "introduced", "training", "mentioned"},
}
CODE_STATUS = {"released", "promised", "not_stated"}
QUALIFIERS = {"up_to", "at_least", "under", "about", "average"}
NAMED_UNITS = {"percent", "points", "x"}

MAGNITUDES = {
    "k": 10**3, "thousand": 10**3, "m": 10**6, "million": 10**6,
    "b": 10**9, "billion": 10**9, "t": 10**12, "trillion": 10**12,
}  # fmt: skip
# Values that the text has in words.
IN_WORDS = {0.5: r"\bhal(?:f|ves|ved)\b", 10.0: r"\border of magnitude\b"}
PERCENT = re.compile(r"(\d+(?:\.\d+)?)\\?%")
SENTENCE_END = re.compile(r"[.?!] +[A-Z]")


def read(name: str) -> list[Record]:
    lines = (SAMPLE / name).read_text(encoding="utf8").splitlines()
    return [json.loads(line) for line in lines]


PAPERS = read("papers.jsonl")
GOLD = read("gold.jsonl")
TEXTS = {paper["paper_id"]: f"{paper['title']}\n\n{paper['abstract']}" for paper in PAPERS}


def records(*tables: str) -> Iterator[tuple[str, str, Record]]:
    for gold in GOLD:
        for table in tables:
            for record in gold[table]:
                yield gold["paper_id"], table, record


def spellings(gold: Record, table: str) -> set[str]:
    return {
        name for record in gold[table] for name in (record["surface"], *record.get("aliases", ()))
    }


def numbers(text: str) -> list[float]:
    """Every number of a text; a magnitude set to it directly counts ("32k" is 32000)."""
    found = []
    for match in re.finditer(r"(\d[\d,]*(?:\.\d+)?)([kK](?![A-Za-z]))?", text):
        number = float(match[1].replace(",", ""))
        found += [number, number * 1000] if match[2] else [number]
    return found


def test_there_are_at_least_sixty_papers() -> None:
    assert len(PAPERS) >= 60


def test_ids_are_unique_and_the_same_in_both_files() -> None:
    papers = [paper["paper_id"] for paper in PAPERS]
    assert len(set(papers)) == len(papers)
    assert [gold["paper_id"] for gold in GOLD] == papers


def test_papers_have_a_title_and_an_abstract_of_70_to_170_words() -> None:
    for paper in PAPERS:
        assert set(paper) == {"paper_id", "title", "abstract"}
        assert paper["title"] == paper["title"].strip() != ""
        assert 70 <= len(paper["abstract"].split()) <= 170, paper["paper_id"]


def test_no_paper_occurs_twice() -> None:
    assert len({paper["title"] for paper in PAPERS}) == len(PAPERS)
    assert len({paper["abstract"] for paper in PAPERS}) == len(PAPERS)


def test_every_gold_record_has_the_keys_of_the_guide() -> None:
    for gold in GOLD:
        assert set(gold) == {"paper_id", "code_status", *NEEDED}
        assert gold["code_status"] in CODE_STATUS
    for paper_id, table, record in records(*NEEDED):
        assert NEEDED[table] <= set(record), (paper_id, record)
        assert set(record) <= NEEDED[table] | ALLOWED[table], (paper_id, record)
        assert record.get("optional", True) is True, (paper_id, record)


def test_kinds_and_roles_are_those_of_the_guide() -> None:
    for paper_id, table, record in records(*KINDS):
        assert record["kind"] in KINDS[table], (paper_id, record)
    for paper_id, table, record in records(*ROLES):
        assert record["role"] in ROLES[table], (paper_id, record)


def test_every_kind_and_role_occurs_except_links_to_papers() -> None:
    for table, kinds in KINDS.items():
        expected = kinds - {"paper"} if table == "links" else kinds
        assert {record["kind"] for _, _, record in records(table)} == expected
    for table, roles in ROLES.items():
        assert {record["role"] for _, _, record in records(table)} == roles
    assert {gold["code_status"] for gold in GOLD} == CODE_STATUS


def test_every_qualifier_occurs() -> None:
    assert {word for _, _, gain in records("gains") for word in gain["qualifiers"]} == QUALIFIERS


def test_some_papers_have_nothing_to_extract() -> None:
    assert sum(not any(gold[table] for table in NEEDED) for gold in GOLD) >= 3


def test_every_surface_and_alias_stands_in_its_text() -> None:
    for paper_id, table, record in records("models", "sizes", "benchmarks", "links"):
        for surface in (record["surface"], *record.get("aliases", ())):
            assert surface == surface.strip() != "", (paper_id, table, record)
            assert surface in TEXTS[paper_id], (paper_id, table, surface)


def test_every_evidence_stands_once_in_its_text_and_in_one_sentence() -> None:
    for paper_id, _, gain in records("gains"):
        assert TEXTS[paper_id].count(gain["evidence"]) == 1, (paper_id, gain["evidence"])
        assert not SENTENCE_END.search(gain["evidence"]), (paper_id, gain["evidence"])
        assert "\n" not in gain["evidence"], (paper_id, gain["evidence"])


def test_no_name_is_recorded_twice() -> None:
    for gold in GOLD:
        for table in ("models", "benchmarks"):
            names = [
                name
                for record in gold[table]
                for name in (record["surface"], *record.get("aliases", ()))
            ]
            assert len(set(names)) == len(names), (gold["paper_id"], names)


def test_sizes_and_gains_name_models_and_benchmarks_of_the_same_paper() -> None:
    for gold in GOLD:
        models, benchmarks = spellings(gold, "models"), spellings(gold, "benchmarks")
        for record in (*gold["sizes"], *gold["gains"]):
            assert record["model"] is None or record["model"] in models, (
                gold["paper_id"], record,
            )  # fmt: skip
        for gain in gold["gains"]:
            assert set(gain["benchmarks"]) <= benchmarks, (gold["paper_id"], gain)
            assert len(set(gain["benchmarks"])) == len(gain["benchmarks"])


def test_the_benchmarks_of_a_gain_stand_in_its_evidence() -> None:
    for paper_id, _, gain in records("gains"):
        for name in gain["benchmarks"]:
            assert name in gain["evidence"], (paper_id, gain)


def test_metric_and_baseline_are_quoted_from_the_text() -> None:
    for paper_id, _, gain in records("gains"):
        for attribute in ("metric", "baseline"):
            quoted = gain[attribute]
            assert quoted is None or quoted in TEXTS[paper_id], (paper_id, attribute, quoted)


def test_the_value_of_a_size_is_what_its_surface_says() -> None:
    pattern = re.compile(
        r"(?:(?P<times>\d)x)?(?P<number>\d[\d,.]*)[ -]?(?P<magnitude>[a-z]+)?", re.IGNORECASE
    )
    for paper_id, _, size in records("sizes"):
        match = pattern.match(size["surface"])
        assert match, (paper_id, size)
        number = float(match["number"].replace(",", "")) * int(match["times"] or 1)
        magnitude = MAGNITUDES.get((match["magnitude"] or "").lower(), 1)
        if size["surface"] == "100":
            # "pools of 100-200k samples": the magnitude stands with the second number.
            magnitude = 1000
        assert size["value"] == round(number * magnitude) >= 1000, (paper_id, size)


def test_every_gain_has_the_values_of_its_kind() -> None:
    for paper_id, _, gain in records("gains"):
        given = {key for key in gain if key.startswith("value")}
        match gain["kind"]:
            case "sota":
                assert not given, (paper_id, gain)
            case "from_to":
                assert given == {"value_from", "value_to"}, (paper_id, gain)
            case _:
                assert given in ({"value"}, {"value_low", "value_high"}), (paper_id, gain)
        if given == {"value_low", "value_high"}:
            assert gain["value_low"] < gain["value_high"]


def test_the_values_of_a_gain_stand_in_its_evidence() -> None:
    for paper_id, _, gain in records("gains"):
        for key in (key for key in gain if key.startswith("value")):
            in_words = IN_WORDS.get(float(gain[key]))
            assert gain[key] in numbers(gain["evidence"]) or (
                in_words and re.search(in_words, gain["evidence"])
            ), (paper_id, key, gain)


def test_unit_direction_and_qualifiers_follow_the_kind() -> None:
    for paper_id, _, gain in records("gains"):
        kind, unit, direction = gain["kind"], gain["unit"], gain["direction"]
        assert set(gain["qualifiers"]) <= QUALIFIERS, (paper_id, gain)
        assert len(set(gain["qualifiers"])) == len(gain["qualifiers"])
        assert direction in {"up", "down", None}, (paper_id, gain)
        assert unit is None or unit in NAMED_UNITS or unit in TEXTS[paper_id], (paper_id, gain)
        if kind in {"sota", "score"}:
            assert direction is None, (paper_id, gain)
        if kind in {"delta", "factor", "from_to"}:
            assert direction is not None, (paper_id, gain)
        if kind == "factor":
            assert unit == "x", (paper_id, gain)
        if kind == "sota":
            assert (unit, gain["qualifiers"]) == (None, []), (paper_id, gain)
        if kind == "from_to":
            assert direction == ("up" if gain["value_to"] > gain["value_from"] else "down")


def test_a_value_in_percent_has_a_percent_sign_and_no_other_has_one() -> None:
    for paper_id, _, gain in records("gains"):
        for key in {"value", "value_high", "value_to"} & set(gain):
            signed = [float(number) for number in PERCENT.findall(gain["evidence"])]
            assert (gain["unit"] == "percent") == (gain[key] in signed), (paper_id, gain)


def test_links_are_cleaned_and_none_is_left_out() -> None:
    for gold in GOLD:
        assert len(gold["links"]) == len({link["url"] for link in gold["links"]})
        for link in gold["links"]:
            assert re.fullmatch(r"https://[\w./-]*[\w/]", link["url"]), link
            assert link["surface"].startswith(link["url"])
        rest = TEXTS[gold["paper_id"]]
        for link in sorted(gold["links"], key=lambda link: -len(link["surface"])):
            rest = rest.replace(link["surface"], "")
        assert "://" not in rest, gold["paper_id"]


def test_a_link_to_code_means_that_code_is_released_or_promised() -> None:
    for gold in GOLD:
        if any(link["kind"] == "code" for link in gold["links"]):
            assert gold["code_status"] != "not_stated", gold["paper_id"]


@pytest.mark.parametrize(
    "junk",
    [
        r"(\eg ",
        r"\ewtune~lowers",
        r"5.6\%",
        r"$\mathcal{B}$-Coder",
        "G_{stack}",
        "textit{O}bstacles",
        r"{\em specialized}",
        r"w.r.t.\ logic",
        "chen2019tabfact",
        "80times speedup",
        "1.3times faster",
        "sim99%",
        "scratchx2013even",
        "https://llm-stacking.github.io/{https://llm-stacking.github.io/}.",
        "~https://anonymous.4open.science/r/BIB-ICLR2023-Submission/README.md{here.}",
        "( https://huggingface.co/ControlLLM)",
        "Qwen 2, 2.5 and LLaMa 3, 3.1",
        "InfiMM-WebMath-40B",
        "kNN-LM (500M tokens)",
        "8xA100-40G",
        "(+6.31 on CMMLU, +8.81 on C-Eval)",
        "a 17.5% and a 24.1% improvement",
    ],
)
def test_what_makes_real_abstracts_hard_is_in_the_sample(junk: str) -> None:
    assert any(junk in text for text in TEXTS.values())


def words(text: str) -> list[str]:
    """Lower-case words; a link counts as a word of its own, since links must be kept."""
    return re.findall(r"[a-z0-9]+", re.sub(r"https?://\S+", " link ", text).lower())


def test_no_eight_words_in_a_row_are_those_of_a_real_abstract() -> None:
    page = SHARED / "gold" / "seed.docs.jsonl"
    if not page.exists():
        pytest.skip("the real abstracts (../shared/gold) are not here")
    real = set()
    for line in page.read_text(encoding="utf8").splitlines():
        abstract = words(json.loads(line)["abstract"])
        real |= {tuple(abstract[i : i + 8]) for i in range(len(abstract) - 7)}
    for paper in PAPERS:
        ours = words(paper["abstract"])
        for i in range(len(ours) - 7):
            assert tuple(ours[i : i + 8]) not in real, (paper["paper_id"], ours[i : i + 8])
