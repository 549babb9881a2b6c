"""Papers as reference managers export them, with abstracts: BibTeX and RIS.

Each entry is cut out of the file and given to a library by itself, so that however long a file is,
one entry is held, and a broken one costs only itself.
"""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import rispy
from bibtexparser.entrypoint import parse_string
from bibtexparser.model import DuplicateFieldKeyBlock
from pylatexenc.latex2text import LatexNodes2Text

from pipeline.sources.fields import EXCERPT, Fault, Record, by_column, is_undecodable, known_id
from pipeline.sources.streams import LONGEST_ENTRY, Line, lines

_BEGIN_BIBTEX = re.compile(rb"\s*@\s*\w+\s*[{(]")
_NO_PAPER = re.compile(r"\s*@\s*(?:string|preamble|comment)\b", re.IGNORECASE)
_BEGIN_RIS = re.compile(rb"\s*TY  ?-")
_ARXIV = re.compile(r"\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Za-z]{2})?/\d{7}")

_URL_COMMAND = re.compile(r"\\url\s*\{([^{}]*)\}")
_HREF_COMMAND = re.compile(r"\\href\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
_BARE_URL = re.compile(r"https?://[^\s{}]+")
# Signs that LaTeX would take for its own, and programs and people leave as they are.
_BARE_SIGN = re.compile(r"(?<!\\)([%&#])")
# What takes a parser of LaTeX: commands, formulas, braces that are text, and blanks of its own.
_HARD = re.compile(r"\\[^%&#_]|\\$|[$~]|\?`|!`")
_ESCAPED = re.compile(r"\\([%&#_])")
_SIGNS = {"---": "—", "--": "–", "``": "“", "''": "”"}
_DIGITS = re.compile(r"\d")

# What is wrong with an entry is told by its reject.
for _name in ("bibtexparser", "pylatexenc"):
    logging.getLogger(_name).addHandler(logging.NullHandler())


def read_bibtex(pieces: Iterator[bytes]) -> Iterator[Record | Fault]:
    """The entries of a BibTeX file; what LaTeX writes of letters and signs is read as those."""
    for first, text in _entries(lines(pieces), _BEGIN_BIBTEX.match):
        if not _NO_PAPER.match(text):
            yield from _checked(first, text, _of_bibtex)


def read_ris(pieces: Iterator[bytes]) -> Iterator[Record | Fault]:
    """The entries of a RIS file."""
    for first, text in _entries(lines(pieces), _BEGIN_RIS.match):
        yield from _checked(first, text, _of_ris)


def _entries(
    found: Iterator[Line], begins: Callable[[bytes], object]
) -> Iterator[tuple[Line, str]]:
    """Each entry's first line and its text; what stands before the first is no entry."""
    first: Line | None = None
    taken: list[str] = []
    size = 0
    for line in found:
        if begins(line.content):
            if first is not None:
                yield first, "".join(taken)
            first, taken, size = line, [], 0
        size += LONGEST_ENTRY + 1 if line.too_long else len(line.content)
        if first is not None and (size <= LONGEST_ENTRY or not taken):
            taken.append(line.text)
        if size > LONGEST_ENTRY and first is not None:
            first = Line(first.number, first.content, too_long=True)
    if first is not None:
        yield first, "".join(taken)


def _checked(
    first: Line, text: str, read: Callable[[str], list[dict[str, object]]]
) -> Iterator[Record | Fault]:
    begun = text[:EXCERPT]
    if first.too_long:
        yield Fault(first.position, "longer than 16 MB", begun)
    elif is_undecodable(text):
        yield Fault(first.position, "not UTF-8", begun)
    else:
        try:
            found = read(text)
        except ValueError as error:
            yield Fault(first.position, str(error), begun)
        else:
            for values in found:
                yield Record(first.position, values, begun)


def _of_bibtex(text: str) -> list[dict[str, object]]:
    library = parse_string(text)
    entries: list[Any] = list(library.entries)
    for failed in library.failed_blocks:
        if not isinstance(failed, DuplicateFieldKeyBlock):
            raise ValueError("not a whole BibTeX entry: a brace or a quote is missing")
        entries.append(failed.ignore_error_block)
    if not entries:
        raise ValueError("not a BibTeX entry")
    return [_of_fields(entry) for entry in entries]


def _of_fields(entry: Any) -> dict[str, object]:
    # The first of two fields of one name counts, as everywhere.
    fields = by_column({field.key: _bare(field.value) for field in reversed(entry.fields)})
    told: dict[str, str] = {name: str(value) for name, value in fields.items()}
    eprint = told.get("eprint", "").strip()
    address = told.get("url", "")
    return {
        "paper_id": _first_known(
            f"arxiv:{eprint}" if _ARXIV.fullmatch(eprint) else "",
            address,
            f"https://doi.org/{told.get('doi', '')}",
        ),
        "title": plain(told.get("title", "")),
        "abstract": plain(told.get("abstract", "")),
        "published": told.get("date"),
        "url": address or (f"https://doi.org/{told['doi']}" if told.get("doi") else None),
    }


def _bare(value: str) -> str:
    """A value without what encloses it, which is left on where a name comes twice."""
    if len(value) > 1 and (value[0], value[-1]) in (("{", "}"), ('"', '"')):
        return value[1:-1]
    return value


def plain(text: str) -> str:
    r"""What LaTeX's commands and braces in a BibTeX value stand for; formulas stay as they are.

    `{\%}` is %, `{BERT}` is BERT, `{\'e}` is é. A bare % is a percent sign, not a comment. Where a
    digit would be lost, the value is left as it stands.
    """
    if not _HARD.search(text):
        return _plain_signs(text)
    safe = _HREF_COMMAND.sub(r"\2 (\1)", _URL_COMMAND.sub(r"\1", text))
    safe = _BARE_URL.sub(lambda url: url[0].replace("~", r"\textasciitilde{}"), safe)
    try:
        found = str(_decoder().latex_to_text(_BARE_SIGN.sub(r"\\\1", safe)))
    except Exception:  # a parser of anything, which may trip over anything
        return text
    return found if _DIGITS.findall(found) == _DIGITS.findall(safe) else text


def _plain_signs(text: str) -> str:
    """The same where there are no more than escaped signs, braces and dashes, in no time."""
    for written, sign in _SIGNS.items():
        text = text.replace(written, sign)
    return _ESCAPED.sub(r"\1", text.replace("{", "").replace("}", ""))


@functools.cache
def _decoder() -> Any:
    return LatexNodes2Text(math_mode="verbatim", strict_latex_spaces=True, keep_comments=True)


def _of_ris(text: str) -> list[dict[str, object]]:
    try:
        entries = rispy.loads(text)
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise ValueError(f"not a RIS entry: {error}") from error
    if not entries:
        raise ValueError("not a whole RIS entry: its ER line is missing")
    return [_of_tags(entry) for entry in entries]


def _of_tags(entry: dict[str, Any]) -> dict[str, object]:
    addresses = [url for url in entry.get("urls", []) if isinstance(url, str)]
    doi = str(entry.get("doi", "")).strip()
    if doi:
        addresses.append(doi if doi.startswith("http") else f"https://doi.org/{doi}")
    dates = (entry.get(name) for name in ("date", "year", "publication_year"))
    return {
        "paper_id": _first_known(*addresses),
        "title": entry.get("title") or entry.get("primary_title"),
        "abstract": entry.get("abstract") or entry.get("notes_abstract"),
        "published": next(filter(None, dates), None),
        "url": next(iter(addresses), None),
    }


def _first_known(*addresses: str) -> str | None:
    return next(filter(None, map(known_id, addresses)), None)
