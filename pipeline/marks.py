"""The `[[...]]` notation shared by rule examples, tests and `paperclaims show`.

`[[7B]]` marks a place, `[[7B|parameters 7000000000]]` says what was read there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.records import PipelineError


class MarkError(PipelineError):
    """A marked text whose brackets do not pair."""


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A marked place of a text, half-open, and the note written after `|` (empty if none)."""

    start: int
    end: int
    note: str = ""


def unmark(marked: str) -> tuple[str, tuple[Mark, ...]]:
    """The text without its marks, and the marks. Raises MarkError where brackets do not pair."""
    text, marks, at = "", [], 0
    while (opened := marked.find("[[", at)) >= 0:
        closed = marked.find("]]", opened)
        again = marked.find("[[", opened + 2)
        if closed < 0 or 0 <= again < closed:
            raise MarkError(f"'[[' is not closed by ']]': {marked[opened:]!r}")
        text += marked[at:opened]
        surface, _, note = marked[opened + 2 : closed].partition("|")
        if not surface:
            raise MarkError(f"nothing is marked: {marked[opened:]!r}")
        marks.append(Mark(len(text), len(text) + len(surface), note))
        text += surface
        at = closed + 2
    rest = marked[at:]
    if "]]" in rest:
        raise MarkError(f"']]' without '[[': {rest!r}")
    return text + rest, tuple(marks)


def mark(text: str, marks: Iterable[Mark]) -> str:
    """The text with its marks written in. Marks do not overlap; raises MarkError where they do."""
    out, at = [], 0
    for one in sorted(marks):
        if one.start < at:
            raise MarkError(f"marks overlap at {one.start}: {text[one.start : one.end]!r}")
        note = f"|{one.note}" if one.note else ""
        out += [text[at : one.start], "[[", text[one.start : one.end], note, "]]"]
        at = one.end
    return "".join([*out, text[at:]])
