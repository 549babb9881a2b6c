"""How services and reference managers write a paper as a JSON object, by the names they use."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any

from pipeline.sources.fields import by_column, known_id

_ARXIV = re.compile(r"\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Za-z]{2})?/\d{7}")
_ARXIV_IN_NOTE = re.compile(r"\barxiv:\s*(\d{4}\.\d{4,5}|[a-z-]+/\d{7})", re.IGNORECASE)

_PAPER_ID = re.compile(r"[0-9a-f]{40}")
# Of the types of CSL those that a paper may have.
_CSL_TYPES = (
    "article article-journal article-magazine article-newspaper book chapter document entry "
    "manuscript paper-conference periodical post post-weblog report software speech standard "
    "thesis webpage"
).split()
# Names that CSL-JSON writes so.
_CSL = frozenset(("issued", "container-title", "citation-key", "DOI", "URL", "accessed"))


def of_service(value: Mapping[str, Any]) -> dict[str, object]:
    """The values of a paper by tidy column names, whoever wrote it; others as they stand.

    A service is known by names that only it uses, so that the ids of other sources are kept.
    """
    tidy = by_column(value)
    names = tidy.keys()
    paper, content = tidy.get("paper"), tidy.get("content")
    if isinstance(paper, dict) and "id" in paper and ("summary" in paper or "summary" in names):
        return _daily_papers(tidy, by_column(paper))
    if isinstance(content, dict) and names & {"signatures", "forum", "invitation", "invitations"}:
        return _openreview(tidy, content)
    if names & {"corpusid", "externalids"} or _PAPER_ID.fullmatch(str(value.get("paperId"))):
        return _semantic_scholar(tidy)
    if isinstance(tidy.get("versions"), list) or "update_date" in names:
        return _snapshot(tidy)
    if tidy.get("type") in _CSL_TYPES and (_CSL & value.keys() or _has_csl_names(tidy)):
        return _csl(tidy)
    return tidy


def _has_csl_names(item: Mapping[str, object]) -> bool:
    authors = item.get("author")
    first = authors[0] if isinstance(authors, list) and authors else None
    return isinstance(first, dict) and not {"family", "literal"}.isdisjoint(first)


def _daily_papers(entry: dict[str, object], paper: dict[str, object]) -> dict[str, object]:
    """An entry of Hugging Face Daily Papers: the paper is inside, and some of it outside again."""
    found = {**entry, **{name: value for name, value in paper.items() if value}}
    number = found.get("id")
    return {
        "paper_id": _arxiv_id(number) or number,
        "title": found.get("title"),
        "abstract": found.get("summary"),
        "published": found.get("publishedat"),
        "url": f"https://huggingface.co/papers/{number}" if isinstance(number, str) else None,
    }


def _openreview(note: dict[str, object], content: dict[str, Any]) -> dict[str, object]:
    """A note of OpenReview; in version 2 of its API each value is an object that holds it."""
    values = {
        name: value.get("value") if isinstance(value, dict) else value
        for name, value in by_column(content).items()
    }
    address = f"https://openreview.net/forum?id={note.get('forum') or note.get('id')}"
    times = (note.get(name) for name in ("pdate", "odate", "cdate", "tcdate"))
    return {
        "paper_id": known_id(address),
        "title": values.get("title"),
        "abstract": values.get("abstract"),
        "published": _day(next(filter(None, times), None)),
        "url": address,
    }


def _semantic_scholar(paper: dict[str, object]) -> dict[str, object]:
    """A paper of Semantic Scholar's API or data sets, known by the best of its ids elsewhere."""
    told: Any = paper.get("externalids")
    if not isinstance(told, dict):
        told = paper.get("openaccessinfo")
        told = told.get("externalids") if isinstance(told, dict) else None
    elsewhere = by_column(told) if isinstance(told, dict) else {}
    addresses = (
        f"{before}{elsewhere[name]}"
        for name, before in (
            ("arxiv", "arxiv:"),
            ("acl", "https://aclanthology.org/"),
            ("doi", "https://doi.org/"),
        )
        if elsewhere.get(name)
    )
    number = paper.get("corpusid") or elsewhere.get("corpusid") or paper.get("paperid")
    return {
        **paper,
        "paper_id": next(filter(None, map(known_id, addresses)), f"s2:{number}"),
        "published": paper.get("publicationdate"),
    }


def _snapshot(paper: dict[str, object]) -> dict[str, object]:
    """A line of the arXiv metadata snapshot; it was published with its first version."""
    number = paper.get("id")
    versions = paper.get("versions")
    first = versions[0] if isinstance(versions, list) and versions else None
    if (known := _arxiv_id(number)) is None:
        return paper
    return {
        "paper_id": known,
        "title": paper.get("title"),
        "abstract": paper.get("abstract"),
        "published": first.get("created") if isinstance(first, dict) else paper.get("published"),
        "url": paper.get("url") or f"https://arxiv.org/abs/{number}",
    }


def _csl(item: dict[str, object]) -> dict[str, object]:
    """An item of CSL-JSON. Its own id is that of somebody's library, so it does not count."""
    doi, url = item.get("doi"), item.get("url")
    named = _ARXIV_IN_NOTE.search(f"{item.get('number')} {item.get('note')}")
    addresses = (
        f"arxiv:{named[1]}" if named else "",
        f"https://doi.org/{doi}" if doi else "",
        str(url or ""),
    )
    return {
        "paper_id": next(filter(None, map(known_id, addresses)), None),
        "title": item.get("title"),
        "abstract": item.get("abstract"),
        "published": _issued(item.get("issued")),
        "url": url or addresses[1] or None,
    }


def _issued(told: object) -> str | None:
    """The day of a CSL date, where it tells one."""
    if not isinstance(told, dict):
        return None
    parts = told.get("date-parts")
    if isinstance(parts, list) and parts and isinstance(parts[0], list) and len(parts[0]) == 3:
        try:
            return datetime.date(*(int(part) for part in parts[0])).isoformat()
        except (ValueError, TypeError, OverflowError):
            return None
    raw = told.get("raw") or told.get("literal")
    return raw if isinstance(raw, str) else None


def _arxiv_id(number: object) -> str | None:
    if isinstance(number, str) and _ARXIV.fullmatch(number):
        return known_id(f"arxiv:{number}")
    return None


def _day(milliseconds: object) -> datetime.date | None:
    if not isinstance(milliseconds, int | float):
        return None
    try:
        return datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC).date()
    except (ValueError, OverflowError, OSError):
        return None
