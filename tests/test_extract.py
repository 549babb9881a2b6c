"""What holds of every paper, whatever its text: places, numbers, time, and the same again."""

from __future__ import annotations

import time

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.extract import extractor_for
from pipeline.records import Extraction, Paper

PIECES = st.sampled_from(
    ["We propose ", "ZapNet", ", a framework that improves accuracy by ", "3.2%", " on MMLU", " and GSM8K", ". ", "$", "{",
     "}", "\\textbf{", "https://github.com/a/b", "from 3 to 5", "7B", " (", ")", "\u202e", "\x00", "\U0001d7d8", "\ud800", "٣",
     "state-of-the-art results ", "outperforms ", "by up to ", "2.5×", "\n", "LLaMA-2-7B", "½", "twice ", "±", "  ", "É", "ß", "ŉ", "İ"]
)  # fmt: skip
ANY_TEXT = st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=200)


def extract(abstract: str, title: str = "") -> Extraction:
    return extractor_for(()).extract(Paper("p", title, abstract))


def check_invariants(found: Extraction) -> None:
    paper = found.paper
    rows = (
        *found.models,
        *found.sizes,
        *found.benchmarks,
        *found.gains,
        *found.links,
        *found.numbers,
    )
    for row in rows:
        text = paper.title if row.span.field == "title" else paper.abstract
        assert text[row.span.start : row.span.end] == row.span.surface
    for gain in found.gains:
        text = paper.title if gain.sentence.field == "title" else paper.abstract
        assert text[gain.sentence.start : gain.sentence.end] == gain.sentence.surface
        assert gain.sentence.start <= gain.span.start < gain.span.end <= gain.sentence.end
    assert len({g.gain_id for g in found.gains}) == len(found.gains)
    names = {m.name for m in found.models}
    assert {s.model for s in found.sizes} <= names | {None}
    assert {g.model for g in found.gains} <= names | {None}
    assert {b for g in found.gains for b in g.benchmarks} <= {b.name for b in found.benchmarks}
    gains = {g.gain_id for g in found.gains}
    assert {n.gain_id for n in found.numbers} <= gains | {None}
    for field, text in (("title", paper.title), ("abstract", paper.abstract)):
        for digits in regex.finditer(r"\d+", text):
            holders = [
                n for n in found.numbers
                if n.span.field == field and n.span.start <= digits.start() and digits.end() <= n.span.end
            ]  # fmt: skip
            assert len(holders) == 1, (digits.group(), holders)


@given(ANY_TEXT, ANY_TEXT)
@settings(max_examples=300)
def test_any_text_at_all_keeps_every_place_and_every_number(title: str, abstract: str) -> None:
    check_invariants(extract(abstract, title))


@given(ANY_TEXT)
@settings(max_examples=30)
def test_the_same_paper_gives_the_same_records(abstract: str) -> None:
    assert extract(abstract) == extract(abstract)


HEADS = ["We propose ", "improves accuracy by ", "3.2% ", "from 1 to ", "outperforms all ", "state-of-the-art ", "ZapNet, ", "(+8.8 on MMLU ",
     "https://github.com/", "(", "$\\mathcal{", "{", "1,000,", "9", "9 ", "a", "A", "\u0660", "-", "A-", "a.B", "up to ", "code is ", "MMLU and ",
     "7B ", "such as GPT-4, ", "{https://x.org/", "( ZapNet ) ", "an order of "]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("head", HEADS)
def test_a_repeated_head_takes_linear_time(head: str) -> None:
    extract(head)  # what is made once is not counted
    small, large = head * (16_000 // len(head)), head * (96_000 // len(head))
    started = time.process_time()
    extract(small)
    one = time.process_time() - started
    started = time.process_time()
    extract(large)
    six = time.process_time() - started
    assert six < 20 * max(one, 0.05), (one, six)


@pytest.mark.slow
def test_a_long_text_of_all_repeated_heads_is_read() -> None:
    text = "".join(head * 100 for head in HEADS) * 3
    found = extract(text[:60_000])
    assert found.gains
    assert found.numbers


def test_a_text_of_one_long_word_or_many_lines_is_read() -> None:
    check_invariants(extract("x" * 10_000))
    check_invariants(extract("We\nimprove\naccuracy\nby\n3.2%\non\nMMLU.\n" * 20))


@pytest.mark.parametrize("abstract", ["", " ", "$", "$\\mathcal{"])
def test_a_paper_with_an_abstract_of_nothing_is_read_by_its_title(abstract: str) -> None:
    found = extractor_for(()).extract(Paper("p", "ZapTune: A Method of Tuning", abstract))
    assert [model.name for model in found.models] == ["ZapTune"]


@pytest.mark.parametrize(
    ("text", "values"),
    [(r"It is $\frac{1}{2}$ of it.", [None]), (r"It takes 1{,}000 steps.", [1000.0])],
)
def test_numerator_and_denominator_are_not_one_number(text: str, values: list[float]) -> None:
    assert [number.value for number in extract(text).numbers] == values
