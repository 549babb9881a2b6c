"""A daily-papers page as a browser saves it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from pipeline.sources.fields import EXCERPT, Fault, Record
from pipeline.sources.page import read_page
from pipeline.sources.services import of_service
from pipeline.sources.streams import LONGEST_ENTRY, SourceError

# Of these a line may have several; others begin a line.
_INLINE = [
    "a",
    "abbr",
    "b",
    "code",
    "em",
    "i",
    "mark",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "u",
]
_NO_TEXT = ["head", "script", "style", "noscript", "template", "svg", "form"]


def read_html(pieces: Iterator[bytes], year: int | None) -> Iterator[Record | Fault]:
    """The papers of a daily-papers page.

    They are taken from the data that such a page carries for its scripts; without these, from its
    cards; else it is read as its text would be.
    """
    body = _whole(pieces)
    page = LexborHTMLParser(body)
    found = False
    for number, paper in enumerate(_carried(page), 1):
        found = True
        position = f"entry {number}"
        if isinstance(paper, dict):
            yield Record(position, of_service(paper), json.dumps(paper)[:EXCERPT])
        else:
            yield Fault(position, "not a JSON object", str(paper)[:EXCERPT])
    cards = [] if found else list(_cards(page))
    yield from cards
    if not found and not cards:
        yield from read_page(iter([_lines(page).encode()]), year)


def _whole(pieces: Iterator[bytes]) -> bytes:
    taken, size = [], 0
    for piece in pieces:
        taken.append(piece)
        size += len(piece)
        if size > LONGEST_ENTRY:
            raise SourceError("a page longer than 16 MB")
    return b"".join(taken)


def _carried(page: Any) -> Iterator[Any]:
    """The papers in the data for the page's scripts."""
    for node in page.css("[data-props]"):
        text = node.attributes.get("data-props") or ""
        if "dailyPapers" not in text:
            continue
        try:
            papers = json.loads(text).get("dailyPapers")
        except (ValueError, AttributeError, RecursionError):
            continue
        if isinstance(papers, list):
            yield from papers
            return


def _cards(page: Any) -> Iterator[Record]:
    """A card for each paper: its title leads to the paper's page, and its abstract is a paragraph.

    A page whose cards have no abstracts is none of these.
    """
    found = []
    for card in page.css("article"):
        title = card.css_first(
            "h1 a[href*='/papers/'], h2 a[href*='/papers/'], h3 a[href*='/papers/']"
        )
        if title is not None:
            texts = [_tidy(paragraph.text()) for paragraph in card.css("p")]
            number = (title.attributes.get("href") or "").partition("/papers/")[2]
            values: dict[str, object] = {
                "paper": {
                    "id": number.partition("#")[0].partition("?")[0],
                    "title": _tidy(title.text()),
                    "summary": max(texts, key=len, default=""),
                }
            }
            found.append(values)
    if any(values["paper"]["summary"] for values in found):  # type: ignore[index]
        for number, values in enumerate(found, 1):
            text = _tidy(" | ".join(values["paper"].values()))  # type: ignore[attr-defined]
            yield Record(f"entry {number}", of_service(values), text[:EXCERPT])


def _lines(page: Any) -> str:
    """The text of a page, each of its blocks a line."""
    page.strip_tags(_NO_TEXT)
    page.unwrap_tags(_INLINE)
    page.merge_text_nodes()
    if page.body is None:
        return ""
    texts = (
        _tidy(node.text()) for node in page.body.traverse(include_text=True) if node.tag == "-text"
    )
    return "\n\n".join(filter(None, texts))


def _tidy(text: str) -> str:
    return " ".join(text.split())
