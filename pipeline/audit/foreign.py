"""Extractions of other programs, audited like our own as far as they say enough.

Four formats: LangExtract's JSON Lines, brat standoff (`x.txt` with `x.ann`), spaCy documents as
JSON with spans, and plain JSON Lines of text, start, end, label and value. What can be asked of a
span without knowing what its label means is asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.audit import AuditError, arithmetic, known_checks
from pipeline.audit.findings import Finding, Severity
from pipeline.audit.reading import NUMBER, folded, printed

FORMATS = ("langextract", "brat", "spacy", "plain")


@dataclass(frozen=True, slots=True)
class Mark:
    """A span that another program found; `start` is None where it told no place.

    `is_near` says that the program knows its surface not to be exactly what stands there.
    """

    id: str
    label: str
    surface: str
    start: int | None
    end: int | None
    value: float | str | None = None
    is_near: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A text with the spans found in it."""

    id: str
    text: str
    marks: tuple[Mark, ...]


def recognise(path: Path) -> str:
    """Which of the formats a file or folder has."""
    if path.is_dir() or path.suffix in (".ann", ".txt"):
        return "brat"
    try:
        with path.open(encoding="utf-8") as file:
            head = file.read(1)
            line = head + file.readline()
            record = json.loads(line) if head == "{" and line.rstrip().endswith("}") else {}
    except (OSError, ValueError):
        record = {}
    if "extractions" in record:
        return "langextract"
    if "label" in record and "start" in record:
        return "plain"
    if path.suffix == ".json" or "tokens" in record or "ents" in record or "spans" in record:
        return "spacy"
    raise AuditError(f"{path}: none of the formats {', '.join(FORMATS)}; give one with --format")


def read(path: Path, format: str | None = None) -> Iterator[Document]:
    """The documents of a file or folder."""
    known = format or recognise(path)
    if known not in FORMATS:
        raise AuditError(f"'{known}' is not one of {', '.join(FORMATS)}")
    readers = {"langextract": _langextract, "brat": _brat, "spacy": _spacy, "plain": _plain}
    try:
        yield from readers[known](path)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AuditError(f"{path}: not in the format {known} ({error!r})") from error


def _lines(path: Path) -> Iterator[tuple[int, Any]]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, json.loads(line)


def _langextract(path: Path) -> Iterator[Document]:
    for number, record in _lines(path):
        marks = []
        for at, one in enumerate(record.get("extractions") or ()):
            interval = one.get("char_interval") or {}
            value = (one.get("attributes") or {}).get("value")
            is_near = str(one.get("alignment_status") or "match_exact") != "match_exact"
            marks.append(
                Mark(
                    f"{at}", str(one["extraction_class"]), str(one["extraction_text"]),
                    interval.get("start_pos"), interval.get("end_pos"), value, is_near,
                )
            )  # fmt: skip
        yield Document(str(record.get("document_id") or number), record["text"], tuple(marks))


def _brat(path: Path) -> Iterator[Document]:
    texts = sorted(path.rglob("*.txt")) if path.is_dir() else [path.with_suffix(".txt")]
    for one in texts:
        notes = one.with_suffix(".ann")
        if not notes.exists():
            continue
        text = one.read_bytes().decode("utf-8")
        marks, values = [], {}
        lines = notes.read_text(encoding="utf-8").splitlines()
        for line in lines:
            if line.startswith(("A", "#")):
                parts = re.split(r"[\t ]", line, maxsplit=3)
                if len(parts) == 4 and parts[1].lower() in ("value", "annotatornotes"):
                    values[parts[2].split("\t")[0]] = parts[3]
        for line in lines:
            if line.startswith("T"):
                key, kind, surface = line.split("\t", 2)
                label, places = kind.split(" ", 1)
                pieces = [[int(end) for end in piece.split()] for piece in places.split(";")]
                start, end = pieces[0][0], pieces[-1][1]
                # A span of several pieces is told by their words alone.
                if surface == " ".join(text[first:last] for first, last in pieces):
                    surface = text[start:end]
                marks.append(Mark(key, label, surface, start, end, values.get(key)))
        yield Document(one.stem, text, tuple(marks))


def _spacy(path: Path) -> Iterator[Document]:
    text = path.read_text(encoding="utf-8")
    try:
        whole = json.loads(text)
        records = whole if isinstance(whole, list) else [whole]
    except ValueError:
        records = [json.loads(line) for line in text.splitlines() if line.strip()]
    for number, record in enumerate(records, start=1):
        spans = list(record.get("ents") or ())
        for group in (record.get("spans") or {}).values():
            spans += group
        marks = tuple(
            Mark(
                f"{at}", str(span.get("label") or ""), record["text"][span["start"] : span["end"]],
                span["start"], span["end"], span.get("value"),
            )
            for at, span in enumerate(spans)
        )  # fmt: skip
        yield Document(str(record.get("id") or number), record["text"], marks)


def _plain(path: Path) -> Iterator[Document]:
    texts: dict[str, list[tuple[int, Any]]] = {}
    for number, record in _lines(path):
        texts.setdefault(record["text"], []).append((number, record))
    for text, records in texts.items():
        marks = tuple(
            Mark(
                f"line {number}", str(one["label"]),
                str(one.get("surface", text[one["start"] : one["end"]])),
                one["start"], one["end"], one.get("value"),
            )
            for number, one in records
        )  # fmt: skip
        first = records[0][1]
        yield Document(str(first.get("id") or f"line {records[0][0]}"), text, marks)


def audit_foreign(
    path: Path, format: str | None = None, *, off: Collection[str] = ()
) -> tuple[int, int, list[Finding]]:
    """Check spans of another program: place, surface, value, doubles, and the arithmetic of texts.

    Gives how many documents and spans there were, and what was found.
    """
    known_checks(off)
    documents = spans = 0
    findings: list[Finding] = []
    for document in read(path, format):
        documents += 1
        spans += len(document.marks)
        findings += [one for one in _found(document) if one.check not in off]
    if not documents:
        raise AuditError(f"{path}: neither tables of ours nor extractions of another program")
    return documents, spans, findings


def _found(document: Document) -> Iterator[Finding]:
    seen: dict[tuple[object, ...], str] = {}
    for mark in document.marks:

        def finding(
            check: str,
            severity: Severity,
            message: str,
            expected: object,
            found: object,
            mark: Mark = mark,
        ) -> Finding:
            return Finding(
                paper_id=document.id, table=mark.label, claim_id=mark.id, check=check,
                severity=severity, message=message, field="text", start=mark.start, end=mark.end,
                expected=None if expected is None else str(expected),
                found=None if found is None else str(found),
            )  # fmt: skip

        if mark.start is None or mark.end is None:
            where = document.text.find(mark.surface)
            place = f"{where}:{where + len(mark.surface)}" if where >= 0 else None
            message = "it tells no place" if place else "it stands nowhere in the text"
            how: Severity = "warning" if place else "error"
            yield finding("place", how, message, place, mark.surface)
            continue
        inside = 0 <= mark.start < mark.end <= len(document.text)
        there = document.text[mark.start : mark.end] if inside else None
        if there != mark.surface:
            message = "the text at its place is not its surface" if inside else "outside the text"
            severity: Severity = "warning" if inside and mark.is_near else "error"
            yield finding("place", severity, message, mark.surface or None, there)
        number = _float(mark.value)
        if number is not None:
            read_anew = [
                many
                for one in re.finditer(
                    rf"({NUMBER})\s?([KkMBT](?![A-Za-z]))?", folded(mark.surface)
                )
                for many in (printed(one[1], None, None).value, printed(one[1], one[2], None).value)
            ]
            if read_anew and not any(
                abs(abs(number) - one) < 1e-9 * max(1, one) for one in read_anew
            ):
                told = ", ".join(dict.fromkeys(f"{one:g}" for one in read_anew))
                yield finding(
                    "number", "error", "its value is not told by its surface", told, mark.value
                )
        elif isinstance(mark.value, str) and mark.value and mark.value not in document.text:
            yield finding(
                "name", "warning", "its value does not stand in the text", None, mark.value
            )
        key = (mark.label, mark.start, mark.end)
        if key in seen:
            yield finding(
                "twice", "error", "a second span of the same label and place", seen[key], mark.id
            )
        seen[key] = mark.id
    for one in arithmetic.told(document.text):
        if (wrong := arithmetic.fault(one)) is not None:
            yield Finding(
                paper_id=document.id, table="text", claim_id=None, check="arithmetic",
                severity="warning", message="the change is not that of its ends", field="text",
                start=one.start, end=one.end, expected=wrong[0], found=wrong[1],
            )  # fmt: skip


def _float(value: float | str | None) -> float | None:
    try:
        return None if value is None else float(value)
    except ValueError:
        return None
