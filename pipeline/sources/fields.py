"""What readers hand on, whatever the format, and how a record of named values becomes a paper."""

from __future__ import annotations

import datetime
import hashlib
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from pipeline.records import Paper, Reject

EXCERPT = 500

# The first name that holds anything counts. Case and outer blanks of a column's name do not.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "paper_id": ("paper_id", "id"),
    "title": ("title",),
    "abstract": ("abstract", "summary"),
    "published": ("published", "date"),
    "url": ("url", "link"),
}

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")

_ARXIV = re.compile(
    r"""(?: (?:arxiv|alphaxiv)\.org/(?:abs|pdf|html|overview|src|e-print)/
          | huggingface\.co/papers/
          | doi\.org/10\.48550/arxiv\.
          | ^arxiv: )
        ( \d{4}\.\d{4,5} | [a-z-]+(?:\.[a-z]{2})?/\d{7} ) (?!\d)""",
    re.IGNORECASE | re.VERBOSE,
)
_ACL = re.compile(
    r"""(?: (?:aclanthology\.org|aclweb\.org/anthology)/ | doi\.org/10\.18653/v1/ )
        ( \d{4}\.[a-z0-9_]+-[a-z0-9_]+\.\d+ | [a-z]\d\d-\d{4} )""",
    re.IGNORECASE | re.VERBOSE,
)
_DOI = re.compile(r"(?:doi\.org/|^doi:\s*)(10\.\d{4,9}/[^\s?#]+)", re.IGNORECASE)
_OPENREVIEW = re.compile(r"openreview\.net/(?:forum|pdf)\?id=([\w-]+)")

_LATEX_COMMAND = re.compile(r"\\[A-Za-z]+")


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of a source: its values by lower-case column name, and its own text."""

    position: str
    values: Mapping[str, object]
    text: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry, or a stretch of a source, that holds no record: where, why, and its text."""

    position: str
    reason: str
    text: str = ""


def by_column(values: Mapping[str, object]) -> dict[str, object]:
    """The values under tidy column names; of names that differ only in case, the first counts."""
    tidy: dict[str, object] = {}
    for name, value in values.items():
        tidy.setdefault(name.strip().lower(), value)
    return tidy


def has_abstract(columns: Mapping[str, object] | list[str]) -> bool:
    """Whether one of these columns is where an abstract stands."""
    return any(name in columns for name in COLUMNS["abstract"])


def is_undecodable(text: str) -> bool:
    """Whether text decoded with `surrogateescape` holds bytes that were not UTF-8."""
    return not text.isascii() and _ESCAPED_BYTE.search(text) is not None


def paper_of(record: Record, source: str) -> Paper | Reject:
    """The paper of a record, its texts as they stand, or why it is none.

    There is one repair: half of a surrogate pair, which JSON can hold and no file can be written
    with, becomes U+FFFD. It is made here and nowhere else, before anyone counts characters.
    Control characters are kept.
    """
    found: dict[str, str] = {}
    for column in ("paper_id", "title", "abstract"):
        value = _value(record, column)
        if column == "paper_id" and isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if value is not None and not isinstance(value, str):
            what = type(value).__name__
            return reject(record, source, f"{column} is not text: it is of type {what}")
        found[column] = writable(value or "")
    title, abstract = found["title"], found["abstract"]
    if not abstract:
        nor_title = "" if title else ", no title"
        return reject(record, source, f"no abstract{nor_title}")
    url = _value(record, "url")
    link = writable(url.strip()) if isinstance(url, str) else None
    return Paper(
        paper_id=found["paper_id"] or derived_id(title, abstract, link),
        title=title,
        abstract=abstract,
        published=date_of(_value(record, "published")),
        url=link,
        source=source,
    )


def reject(where: Record | Fault, source: str, reason: str) -> Reject:
    """A reject for this place of a source, its excerpt cut and safe to write."""
    return Reject(source, where.position, reason, excerpt_of(where.text))


def excerpt_of(text: str) -> str:
    """The first 500 characters of a text, without what UTF-8 cannot hold."""
    return writable(text[:EXCERPT])


def writable(text: str) -> str:
    """The text with what UTF-8 cannot hold replaced: lone surrogates, also those of odd names."""
    return text if text.isascii() else _LONE_SURROGATE.sub("�", text)


def derived_id(title: str, abstract: str, url: str | None) -> str:
    """The id of a paper whose source gives none: from its address, else from its title.

    The title counts without case, accents, LaTeX commands, blanks and signs, so that the same paper
    from two sources is one paper. A paper without a title is known by its abstract.
    """
    if url and (known := known_id(url)):
        return known
    if letters := _letters(title):
        return f"title:{hashlib.sha256(letters.encode()).hexdigest()[:16]}"
    letters = _letters(abstract) or abstract
    return f"text:{hashlib.sha256(letters.encode()).hexdigest()[:16]}"


def known_id(address: str) -> str | None:
    """The id that an address tells: of arXiv, the ACL Anthology or OpenReview, or a DOI."""
    if found := _ARXIV.search(address):
        return f"arxiv:{found[1].lower()}"
    if found := _ACL.search(address):
        # P18-1001, yet 2024.emnlp-main.453: that is how the Anthology writes them.
        return f"acl:{found[1].lower() if '.' in found[1] else found[1].upper()}"
    if found := _DOI.search(address):
        return f"doi:{found[1].rstrip('.,;)').lower()}"
    if found := _OPENREVIEW.search(address):
        return f"openreview:{found[1]}"
    return None


def _letters(text: str) -> str:
    plain = _LATEX_COMMAND.sub("", text) if "\\" in text else text
    folded = unicodedata.normalize("NFKD", plain).casefold()
    return "".join(filter(str.isalnum, folded))


def date_of(value: object) -> datetime.date | None:
    """The day a value names, as written there whatever its time zone; a mere year names none."""
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    if not isinstance(value, str):
        return None
    text = value.strip()
    try:
        return datetime.date.fromisoformat(text[:10].replace("/", "-"))
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(text).date()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _value(record: Record, column: str) -> object:
    """What a record has in a column; blank text and NaN, pandas' empty cell, are nothing."""
    for name in COLUMNS[column]:
        value = record.values.get(name)
        if isinstance(value, str) and not value.strip():
            continue
        if isinstance(value, float) and math.isnan(value):
            continue
        if value is not None:
            return value
    return None
