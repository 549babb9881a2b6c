"""Marks are written and read back without loss."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.marks import Mark, MarkError, mark, unmark

PLAIN = st.text(st.characters(exclude_characters="[]|", exclude_categories=["Cs"]), max_size=20)
NOTE = st.text(st.characters(exclude_characters="[]|", exclude_categories=["Cs"]), max_size=8)


@given(st.lists(st.tuples(PLAIN, PLAIN.filter(bool), NOTE), max_size=5), PLAIN)
def test_marking_and_unmarking_are_inverse(parts: list[tuple[str, str, str]], tail: str) -> None:
    text, marks = "", []
    for before, surface, note in parts:
        text += before
        marks.append(Mark(len(text), len(text) + len(surface), note))
        text += surface
    text += tail
    assert unmark(mark(text, marks)) == (text, tuple(marks))


@pytest.mark.parametrize("broken", ["a [[b", "a b]]", "[[a [[b]]", "x [[]] y", "x [[|note]] y"])
def test_brackets_that_do_not_pair_or_mark_nothing_are_refused(broken: str) -> None:
    with pytest.raises(MarkError):
        unmark(broken)


def test_marks_that_overlap_are_refused() -> None:
    with pytest.raises(MarkError, match="overlap"):
        mark("abcdef", [Mark(0, 3), Mark(2, 5)])
