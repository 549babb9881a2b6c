"""Folding changes how a text is matched, never where anything stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.fold import fold, is_sound

LATEX = st.lists(
    st.sampled_from(
        ["\\textbf{", "}", "$", "\\%", "~", "\\times", "{", "\\alpha ", "a", "7B", " ", "–", "×", "\u200b",
         "\\ewtune", "https://a.org/{b}", "\u00a0", "\ud800", "\U0001f600", "\\", "^{2}", "_", "9", "**"]
    ),
    max_size=40,
).map("".join)  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "folded"),
    [
        (r"noise of 5.6\% here", "noise of 5.6% here"),
        (r"our $\mathcal{B}$-Coder", "our B-Coder"),
        (r"the $G_{stack}$ operator", "the G_stack operator"),
        (r"\ewtune~adds", r"\ewtune adds"),
        ("a 2.5× gain – wide\u00a0space", "a 2.5x gain - wide space"),
        (r"80$\times$ faster, $\sim$99\%", "80x faster, ~99%"),
        ("~45% less (~3)", "~45% less (~3)"),
        ("a **bold** word, from 7% to **9.5**%, 2**10", "a bold word, from 7% to 9.5%, 2**10"),
        ("soft\u00adhyphen and zero\u200bwidth", "softhyphen and zerowidth"),
        (r"see https://x.org/a_{b}~c", "see https://x.org/a_b c"),
    ],
)
def test_a_text_is_folded_so_that_it_is_easy_to_match(raw: str, folded: str) -> None:
    assert fold(raw).text == folded


@pytest.mark.parametrize(
    ("raw", "folded", "surface"),
    [
        (r"our $\mathcal{B}$-Coder wins", "B-Coder", r"$\mathcal{B}$-Coder"),
        (r"the $G_{stack}$ operator", "G_stack", "G_{stack}"),
        (r"by \textbf{Foo}-Bar here", "Foo-Bar", r"\textbf{Foo}-Bar"),
        (r"about 5.6\% now", "5.6%", r"5.6\%"),
    ],
)
def test_a_folded_place_leads_back_to_the_whole_raw_one(
    raw: str, folded: str, surface: str
) -> None:
    text = fold(raw)
    at = text.text.index(folded)
    start, end = text.raw_span(at, at + len(folded))
    assert raw[start:end] == surface


@given(LATEX | st.text())
def test_each_folded_character_has_one_raw_place_and_these_rise(raw: str) -> None:
    assert is_sound(fold(raw))


@given(LATEX | st.text(), st.data())
def test_a_raw_range_holds_the_places_of_all_its_folded_characters(
    raw: str, data: st.DataObject
) -> None:
    text = fold(raw)
    if not text.text:
        return
    start = data.draw(st.integers(0, len(text.text) - 1))
    end = data.draw(st.integers(start + 1, len(text.text)))
    low, high = text.raw_span(start, end)
    places = text.places or range(len(raw))
    assert 0 <= low <= places[start]
    assert places[end - 1] < high <= len(raw)
    assert high <= (places[end] if end < len(text.text) else len(raw))
