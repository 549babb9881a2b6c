"""What must not matter does not: the same claims come out of a text however its signs are written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import regex

import pipeline
from pipeline.extract import extractor_for
from pipeline.fold import fold
from pipeline.records import Extraction, Paper

SAMPLE = Path(pipeline.__file__).parent / "sample" / "papers.jsonl"
PAPERS = [
    Paper(paper["paper_id"], paper["title"], paper["abstract"])
    for paper in map(json.loads, SAMPLE.read_text(encoding="utf-8").splitlines())
]

_LINK = regex.compile(r"https?://\S+")
_BRITISH = {
    "behavior": "behaviour",
    "labeled": "labelled",
    "modeling": "modelling",
    "center": "centre",
    "color": "colour",
    "favor": "favour",
}


def outside_links(text: str, change: Callable[[str], str]) -> str:
    """A text with everything changed but its links."""
    pieces, last = [], 0
    for link in _LINK.finditer(text):
        pieces += [change(text[last : link.start()]), link.group()]
        last = link.end()
    return "".join([*pieces, change(text[last:])])


def british(text: str) -> str:
    for american, other in _BRITISH.items():
        text = text.replace(american, other)
    return regex.sub(r"(?<=al|im|ar|il|en|or|it)iz(?=e|ing|ation)", "is", text)


CHANGES: dict[str, Callable[[str], str]] = {
    "percent signs are escaped": lambda text: text.replace("%", "\\%"),
    "hyphens are en dashes": lambda text: text.replace("-", "\u2013"),
    "hyphens are no-break hyphens": lambda text: text.replace("-", "\u2011"),
    "spaces are no-break spaces": lambda text: text.replace(" ", "\xa0"),
    "lines are wrapped": lambda text: regex.sub(r"((?:\S+ ){7}\S+) ", r"\1\n", text),
    "factors are written with a times sign": lambda text: regex.sub(r"(?<=\d)x\b", "×", text),
    "factors are written in LaTeX": lambda text: regex.sub(r"(?<=\d)x\b", r"$\\times$", text),
    "numbers stand between dollars": lambda text: regex.sub(
        r"(?<![\w.$\\+-])(\d+\.\d+)(?![\w.-])", r"$\1$", text
    ),
    "spelling is British": british,
}


def plain(text: str | None) -> str | None:
    """Words as they read whatever way they are written."""
    return None if text is None else " ".join(british(fold(text).text).split())


def told(found: Extraction) -> list[tuple[object, ...]]:
    """All that was extracted, less the places and the ways of writing."""
    return [
        ("code", found.code_status),
        *(("model", plain(m.name), m.kind, m.role) for m in found.models),
        *(("benchmark", plain(b.name), b.role) for b in found.benchmarks),
        *(("size", s.kind, s.value, plain(s.model)) for s in found.sizes),
        *(("link", link.url, link.kind) for link in found.links),
        *(
            (
                "gain", g.kind, g.value, g.value_low, g.value_high, g.value_from, g.value_to,
                g.unit, g.direction, g.qualifiers, plain(g.metric), plain(g.model),
                plain(g.baseline), tuple(map(plain, g.benchmarks)), g.rule,
            )
            for g in found.gains
        ),
    ]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.paper_id)
def test_the_same_is_told_when(paper: Paper, change: str) -> None:
    title, abstract = (
        outside_links(text, CHANGES[change]) for text in (paper.title, paper.abstract)
    )
    extractor = extractor_for(())
    changed = extractor.extract(Paper(paper.paper_id, title, abstract))
    assert told(changed) == told(extractor.extract(paper))


SENTENCES = [
    "We fine-tune BERT on MMLU and gain 3.2% over BERT in accuracy.",
    "Our tuner cuts the latency of BERT by 2.5x on GSM8K.",
    "BERT reaches only 35% on MMLU, 12 points below our tuner.",
]
SWAPS = [("BERT", "RoBERTa"), ("BERT", "Mistral-7B"), ("MMLU", "HumanEval"), ("GSM8K", "TriviaQA")]


@pytest.mark.parametrize("sentence", SENTENCES)
@pytest.mark.parametrize(("name", "other"), SWAPS)
def test_another_known_name_changes_nothing_but_the_name(
    sentence: str, name: str, other: str
) -> None:
    extractor = extractor_for(())
    before = repr(told(extractor.extract(Paper("p", "", sentence)))).replace(name, other)
    after = extractor.extract(Paper("p", "", sentence.replace(name, other)))
    kept = [row for row in told(after) if row[0] != "size"]
    assert repr(kept) == before
