"""What a rule's examples say, written by the program: a sentence with its findings marked.

A rule's own sentence and the one written here must be the same string. A missing hit, one too
many, one two characters too long, a wrong name: each makes them differ.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.extract import Extractor
from pipeline.marks import Mark, mark, unmark
from pipeline.records import Benchmark, Extraction, Gain, Link, Model, Number, Paper, Size
from pipeline.rules import Entry


def marked(extractor: Extractor, entry: Entry, example: str) -> str:
    """The example's text as an abstract, with what the entry's table finds in it marked."""
    text, _ = unmark(example)
    found = extractor.extract(Paper("example", *_fields(entry, text)))
    return mark(text, _marks(extractor, entry, found, text))


def silent(extractor: Extractor, entry: Entry, example: str) -> bool:
    """Whether this entry, whatever others do, finds nothing in the example's text."""
    text, _ = unmark(example)
    found = extractor.extract(Paper("example", *_fields(entry, text)))
    if entry.file == "metrics":
        return all(hit.path != entry.path for hit, _, _ in extractor.metrics(text))
    if entry.file == "code":
        return bool(found.code_status != entry["status"])
    rows: tuple[Model | Size | Benchmark | Gain | Link | Number, ...] = (
        *found.models,
        *found.sizes,
        *found.benchmarks,
        *found.gains,
        *found.links,
        *found.numbers,
    )
    return all(row.rule != entry.path for row in rows)


def _fields(entry: Entry, text: str) -> tuple[str, str]:
    return (text, "") if entry["where"] == "title" else ("", text)


def _marks(extractor: Extractor, entry: Entry, found: Extraction, text: str) -> Iterator[Mark]:
    match entry.file:
        case "models":
            for m in found.models:
                own = m.rule == entry.path
                yield Mark(m.span.start, m.span.end, "" if own else m.name)
        case "benchmarks":
            for b in found.benchmarks:
                own = b.rule == entry.path and b.name == entry.key
                yield Mark(b.span.start, b.span.end, "" if own else b.name)
        case "metrics":
            for hit, start, end in extractor.metrics(text):
                yield Mark(start, end, "" if hit.path == entry.path else hit.key)
        case "names":
            for m in found.models:
                yield Mark(m.span.start, m.span.end, f"{m.role} {m.kind}")
            for b in found.benchmarks:
                yield Mark(b.span.start, b.span.end, b.role)
        case "gains" | "sota":
            sota = entry.file == "sota"
            for g in found.gains:
                if (g.kind == "sota") == sota:
                    yield Mark(g.span.start, g.span.end, gain_note(g))
        case "sizes":
            for s in found.sizes:
                of = f" of {s.model}" if s.model else ""
                yield Mark(s.span.start, s.span.end, f"{s.kind} {s.value}{of}")
        case "links":
            for link in found.links:
                by = "" if link.rule == entry.path else f" by {link.rule}"
                yield Mark(link.span.start, link.span.end, f"{link.kind}{by}")
        case "numbers":
            for n in found.numbers:
                yield Mark(n.span.start, n.span.end, n.use)
        case "code":
            if found.code_status != "not_stated":
                yield Mark(0, len(text), found.code_status)


def gain_note(gain: Gain) -> str:
    """A gain in one line: "delta 3.2 percent up; metric accuracy; on MMLU; by X; over Y"."""
    head: list[str] = [gain.kind]
    if gain.value is not None:
        head.append(f"{gain.value:g}")
    if gain.value_low is not None:
        head.append(f"{gain.value_low:g} to {gain.value_high:g}")
    if gain.value_from is not None:
        head.append(f"{gain.value_from:g} > {gain.value_to:g}")
    head += [part for part in (gain.unit, gain.direction, *gain.qualifiers) if part]
    parts = [" ".join(head)]
    if gain.metric:
        parts.append(f"metric {gain.metric}")
    if gain.benchmarks:
        parts.append(f"on {', '.join(gain.benchmarks)}")
    if gain.model:
        parts.append(f"by {gain.model}")
    if gain.baseline:
        parts.append(f"over {gain.baseline}")
    return "; ".join(parts)
