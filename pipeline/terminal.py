"""What the command prints: progress, summaries, and texts marked up with what was found.

Papers are other people's texts. They are printed as they are, never read as markup, and their
control characters are made visible, so that no text can move the cursor or hide a part of itself.
"""

from __future__ import annotations

import contextlib
import datetime
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from pipeline.marks import Mark
from pipeline.records import (
    FIELDS,
    Benchmark,
    Extraction,
    Field,
    Gain,
    Link,
    Model,
    Number,
    Size,
    Span,
)

if TYPE_CHECKING:
    from pipeline.audit import Finding
    from pipeline.review.precision import Reviewed
    from pipeline.review.verdicts import Agreement
    from pipeline.score import Report
    from pipeline.status import Status
    from pipeline.store import RunSummary
    from pipeline.store.snapshots import Difference, Snapshot

_STYLES = {
    "models": "bold cyan",
    "sizes": "yellow",
    "benchmarks": "bold green",
    "gains": "bold magenta",
    "links": "underline blue",
    "numbers": "dim",
}
_SEVERITIES = {"error": "bold red", "warning": "yellow", "note": "dim"}
# How many findings of an audit are printed; all are in its table.
_TOLD_FINDINGS = 40


@dataclass(frozen=True, slots=True)
class Found:
    """A record as it is shown: where, in which table, what was read there and by which rule."""

    span: Span
    table: str
    value: str
    rule: str


def print_error(message: str) -> None:
    """Say on standard error what went wrong."""
    _errors().print(Text(f"Error: {visible(message)}", style="red"), soft_wrap=True)


def print_page(page: str) -> None:
    """A page of Markdown: set for reading on a terminal, as it is in a pipe."""
    console = _console()
    if console.is_terminal:
        # Here and not above: half of what rich takes to import.
        from rich.markdown import Markdown  # noqa: PLC0415

        console.print(Markdown(page))
    else:
        console.print(Text(page), soft_wrap=True, end="")


@contextlib.contextmanager
def progress() -> Iterator[Callable[[int, int], None]]:
    """A bar with papers per second on a terminal, silence in a pipe.

    Gives what is to be called with the papers done and the papers in all.
    """
    console = _errors()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Speed(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as shown:
        task = shown.add_task("Reading", total=None)

        def report(done: int, papers: int) -> None:
            shown.update(task, description="Extracting", completed=done, total=papers)

        yield report


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} papers/s" if speed else "")


def print_rejects(summary: RunSummary) -> None:
    """What could not be read, on standard error: file, place, reason."""
    console = _errors()
    for reject in summary.first_rejects:
        place = ", ".join(filter(None, (reject.source, reject.position)))
        told = Text(visible(f"{place}: {reject.reason}"), style="yellow")
        console.print(told, soft_wrap=True)
    more = summary.rejected - len(summary.first_rejects)
    if more > 0:
        where = f", all are in {summary.out}/rejects" if summary.run_id else ""
        console.print(Text(f"... and {more:,} more{where}", style="yellow"), soft_wrap=True)


def print_summary(summary: RunSummary) -> None:
    """What a run published and rejected, and how long it took."""
    console = _console()
    speed = f"({summary.papers_per_second:,.0f} per second)"
    where = visible(str(summary.out))
    is_new = summary.run_id is not None
    did = f"published in {where}" if is_new else f"nothing new, {where} stays as it is"
    console.print(
        Text(f"{_counted(summary.read, 'paper')} in {summary.seconds:.1f} s {speed}, {did}"),
        soft_wrap=True,
    )
    if summary.changed or summary.unchanged or summary.removed:
        console.print(
            f"Since the last run: {summary.new:,} new, {summary.changed:,} changed, "
            f"{summary.unchanged:,} unchanged, {summary.removed:,} removed; "
            f"{summary.extracted:,} extracted"
        )
    if summary.duplicates:
        told = _counted(summary.duplicates, "record")
        console.print(f"{told} held back: the same papers as others, from another source")
    rows = Table("table", "rows")
    rows.columns[1].justify = "right"
    for name, count in summary.rows.items():
        rows.add_row(name, f"{count:,}")
    console.print(rows)
    if summary.rejects:
        rejects = Table("rejected because", "records")
        rejects.columns[1].justify = "right"
        for reason, count in summary.rejects.items():
            rejects.add_row(Text(visible(reason)), f"{count:,}")
        console.print(rejects)


def print_snapshots(found: Sequence[Snapshot]) -> None:
    """Snapshots with what they hold, and how much space each takes that no earlier one does."""
    console = _console()
    listed = Table("snapshot", "papers", "gains", "parts", "size", "of its own", "rules", "")
    for column in listed.columns[1:6]:
        column.justify = "right"
    for one in found:
        counts = (one.rows["papers"], one.rows["gains"], one.parts)
        listed.add_row(
            one.run_id,
            *(f"{count:,}" for count in counts),
            *(f"{size / 1e6:,.1f} MB" for size in (one.bytes, one.own_bytes)),
            one.rules_fingerprint,
            "published" if one.is_published else "",
        )
    console.print(listed)


def print_differences(found: Iterable[Difference]) -> None:
    """Rows that differ: added +, removed -, changed ~ with what was and is; then how many."""
    console = _console()
    counts: Counter[tuple[str, str]] = Counter()
    signs = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow")}
    for one in found:
        counts[one.table, one.change] += 1
        sign, style = signs[one.change]
        row = one.new or one.old or {}
        where = f" {row['field']}[{row['start']}:{row['end']}]" if "field" in row else ""
        console.print(Text(f"{sign} {one.table} {one.paper_id}{where}", style), soft_wrap=True)
        columns = one.columns or tuple(
            name for name in row if name not in _NOT_TOLD and row[name] not in (None, [])
        )
        for name in columns:
            was = f"{(one.old or {})[name]!r} -> " if one.change == "changed" else ""
            console.print(Text(visible(f"    {name}: {was}{row[name]!r}")), soft_wrap=True)
        if one.sentence:
            console.print(Text(f"    | {visible(one.sentence)}", "dim"), soft_wrap=True)
    told = Table("table", "added", "removed", "changed")
    for table in dict.fromkeys(table for table, _ in counts):
        told.add_row(table, *(f"{counts[table, change]:,}" for change in signs))
    console.print(told if counts else "no difference")


def print_status(found: Status) -> None:
    """The last runs, the days of each source, the snapshot, and what all of it takes."""
    console = _console()
    runs = Table("run", "finished (UTC)", "read", "new", "changed", "rejected", "seconds")
    for column in runs.columns[2:]:
        column.justify = "right"
    for run in found.runs:
        counts = (f"{run[name]:,}" for name in ("read", "new", "changed", "rejected"))
        runs.add_row(run["run_id"], _minute(run["finished"]), *counts, f"{run['seconds']:.1f}")
    console.print(runs if found.runs else f"{visible(found.out)}: nothing is published yet")
    sources = Table("source", "whole until", "newest day", "days", "last fetched (UTC)", "")
    sources.columns[3].justify = "right"
    for one in found.sources:
        days = (str(day) if day else "never" for day in (one.watermark, one.newest))
        wrong = "; ".join(filter(None, (one.stale, one.failure)))
        sources.add_row(
            one.service,
            *days,
            f"{one.days:,}",
            _minute(one.tried) if one.tried else "never",
            Text(visible(wrong) or "fresh", "red" if one.stale else "yellow" if wrong else "green"),
        )
    console.print(sources if found.sources else "no scheduled run has been here yet")
    if found.snapshot is not None:
        rows = found.snapshot.rows
        console.print(
            f"{found.snapshot.run_id} is published: {_counted(rows['papers'], 'paper')}, "
            f"{rows['gains']:,} gains, rules {found.snapshot.rules_fingerprint}; "
            f"{_counted(found.snapshots, 'snapshot')} in all",
            soft_wrap=True,
        )
    if found.tables_bytes is not None:
        console.print(
            f"{found.tables_bytes / 1e6:,.1f} MB of tables, "
            f"{found.landing_bytes / 1e6:,.1f} MB as it came"
        )


def _minute(moment: datetime.datetime) -> str:
    return f"{moment.astimezone(datetime.UTC):%Y-%m-%d %H:%M}"


_NOT_TOLD = frozenset(
    {
        "paper_id", "field", "start", "end", "abstract", "source", "text_sha256", "sentence",
        "sentence_start", "sentence_end", "gain_id",
    }
)  # fmt: skip


def print_report(report: Report, *, verbose: bool) -> None:
    """The measures of a score, with `verbose` all faults before them."""
    console = _console()
    if verbose:
        faults = Table("paper", "table", "fault", "what")
        for miss in report.misses:
            fault = {"FN": "missed", "FP": "wrong"}[miss.fault]
            row = (miss.paper_id, miss.table, fault, miss.what)
            faults.add_row(*(Text(visible(cell), overflow="fold") for cell in row))
        console.print(faults)
    tables = Table("table", "precision", "recall", "F1", "right", "wrong", "missed")
    for name, tally in report.tables.items():
        measures = (f"{rate:.3f}" for rate in (tally.precision, tally.recall, tally.f1))
        tables.add_row(name, *measures, *map(str, (tally.tp, tally.fp, tally.fn)))
    attributes = Table("attribute", "accuracy", "right", "of")
    for name, accuracy in report.attributes.items():
        counts = (str(accuracy.right), str(accuracy.total))
        attributes.add_row(name, f"{accuracy.rate:.3f}", *counts)
    for table in (tables, attributes):
        for column in table.columns[1:]:
            column.justify = "right"
        console.print(table)
    console.print(
        f"{_counted(report.papers, 'paper')}, {report.faultless:,} of them without a fault"
    )
    if report.missing:
        console.print(
            Text(visible(f"Not extracted at all: {', '.join(report.missing)}"), style="yellow"),
            soft_wrap=True,
        )


def print_findings(found: Sequence[Finding], where: str, *, notes: bool) -> None:
    """Errors and warnings one by one, with `notes` these as well, then how many of each check."""
    console = _console()
    severities = list(_SEVERITIES)
    told = [one for one in found if notes or one.severity != "note"]
    told.sort(key=lambda one: severities.index(one.severity))
    for one in told[:_TOLD_FINDINGS]:
        line = Text(f"{one.severity}: ", style=_SEVERITIES[one.severity])
        at = f" {one.field}[{one.start}:{one.end}]" if one.start is not None else ""
        line.append(_on_one_line(f"{one.check}, {one.paper_id}, {one.table}{at}:"), "bold")
        told_of = (("", one.message), ("; expected", one.expected), ("; found", one.found))
        for what, words in told_of:
            if words is not None:
                line.append(f"{what} {_on_one_line(words)}")
        console.print(line, soft_wrap=True)
    if (more := len(told) - _TOLD_FINDINGS) > 0:
        console.print(Text(f"... and {more:,} more, all in {visible(where)}"), soft_wrap=True)
    counts = Counter((one.check, one.severity) for one in found)
    table = Table("check", "severity", "findings")
    table.columns[2].justify = "right"
    for (check, severity), count in sorted(
        counts.items(), key=lambda item: (severities.index(item[0][1]), -item[1])
    ):
        table.add_row(check, Text(severity, _SEVERITIES[severity]), f"{count:,}")
    if counts:
        console.print(table)


def print_reviewed(found: Reviewed, agreed: Iterable[Agreement]) -> None:
    """Precision per table and per rule, and how far reviewers agree."""
    console = _console()
    table = Table("rows", "right (95% interval)", "of")
    table.columns[2].justify = "right"
    for one in (*found.tables, *found.rules):
        table.add_row(Text(_on_one_line(one.name)), Text(str(one)), f"{one.whole:,}")
    console.print(table)
    if not found.random:
        console.print(
            "From claims that were chosen, not from a random sample: judge some in the queue "
            "'sample'.",
            style="yellow",
            soft_wrap=True,
        )
    if found.stale:
        console.print(f"{_counted(found.stale, 'verdict')} stale: the text has changed since.")
    if found.conflicts:
        console.print(f"{_counted(found.conflicts, 'claim')} disputed: see the queue 'conflicts'.")
    people = Table("reviewers", "claims in common", "agreement", "Cohen's kappa", "span F1")
    for pair in agreed:
        people.add_row(
            Text(_on_one_line(f"{pair.one}, {pair.other}")), f"{pair.claims:,}",
            f"{pair.observed:.2f}", f"{pair.kappa:.2f}", f"{pair.span_f1:.2f}",
        )  # fmt: skip
    if people.row_count:
        console.print(people)


def print_extraction(extraction: Extraction) -> None:
    """A paper's text with the marks of all that was found, then each record and each number."""
    console = _console()
    found = list(findings(extraction))
    texts: dict[Field, str] = {
        "title": extraction.paper.title,
        "abstract": extraction.paper.abstract,
    }
    for field in FIELDS:
        if texts[field]:
            marked = marked_text(texts[field], [one for one in found if one.span.field == field])
            console.print(marked, soft_wrap=True)
            console.print()
    if found:
        listed = Table("in the text", "table", "read as", "rule")
        for one in found:
            cells = (one.span.surface, one.table, one.value, one.rule)
            listed.add_row(
                *(Text(visible(cell), overflow="fold") for cell in cells), style=_STYLES[one.table]
            )
        console.print(listed)
    console.print(f"code: {extraction.code_status.replace('_', ' ')}")


def findings(extraction: Extraction) -> Iterator[Found]:
    """All records of a paper in the order of its text, the longer of two first, and the numbers
    that are part of none.
    """
    records: Iterable[Model | Size | Benchmark | Gain | Link | Number] = (
        *extraction.models,
        *extraction.sizes,
        *extraction.benchmarks,
        *extraction.gains,
        *extraction.links,
        *extraction.numbers,
    )
    in_order = sorted(
        records, key=lambda record: (record.span.field == "abstract", _place(record.span))
    )
    shown = [record for record in in_order if not isinstance(record, Number)]
    for record in in_order:
        table = f"{type(record).__name__.lower()}s"
        if table == "numbers" and any(_holds(other.span, record.span) for other in shown):
            continue  # told with its record
        yield Found(record.span, table, _value(record), record.rule)


def marked_text(text: str, found: Iterable[Found]) -> Text:
    """The text in the notation of rule examples, `[[7B|parameters 7,000,000,000]]`, and in colour.

    Marks do not nest: of two that overlap the first is marked, and a number only where it is part
    of nothing else.
    """
    marks: list[Mark] = []
    styles: list[str] = []
    for one in sorted(found, key=lambda one: (one.table == "numbers", _place(one.span))):
        span = one.span
        if any(span.start < other.end and other.start < span.end for other in marks):
            continue
        note = "" if one.value == span.surface else f"{one.table} {one.value}"
        marks.append(Mark(span.start, span.end, note))
        styles.append(_STYLES[one.table])
    out = Text()
    at = 0
    for place, style in sorted(zip(marks, styles, strict=True)):
        out.append(visible(text[at : place.start]))
        out.append("[[", "dim")
        out.append(visible(text[place.start : place.end]), style)
        out.append(f"{f'|{visible(place.note)}' if place.note else ''}]]", "dim")
        at = place.end
    return out.append(visible(text[at:]))


def gain_value(gain: Gain) -> str:
    """A gain in words: kind, direction, number, and what it is bound to."""
    if gain.value is not None:
        number = f"{gain.value:g}"
    elif gain.value_from is not None and gain.value_to is not None:
        number = f"from {gain.value_from:g} to {gain.value_to:g}"
    elif gain.value_low is not None and gain.value_high is not None:
        number = f"{gain.value_low:g} to {gain.value_high:g}"
    else:
        number = ""
    kind = " ".join(filter(None, (gain.kind, gain.direction)))
    said = (
        f"{kind}:" if number else kind,
        *(qualifier.replace("_", " ") for qualifier in gain.qualifiers),
        number,
        gain.unit,
        gain.basis if gain.unit == "percent" else None,
        gain.metric and f"in {gain.metric}",
        gain.benchmarks and f"on {', '.join(gain.benchmarks)}",
        gain.model and f"by {gain.model}",
        gain.baseline and f"over {gain.baseline}",
    )
    return " ".join(part for part in said if part)


def visible(text: str) -> str:
    """The text with each character that would not show, or would act on a terminal, as its code.

    Line breaks and tabs stay.
    """
    return "".join(map(_shown, text)) if not text.isprintable() else text


def _on_one_line(text: str) -> str:
    return visible(" ".join(text.split()))


@cache
def _shown(letter: str) -> str:
    if letter in "\n\t" or letter.isprintable() or unicodedata.category(letter) == "Zs":
        return letter
    return f"<U+{ord(letter):04X}>"


def _value(record: Model | Size | Benchmark | Gain | Link | Number) -> str:
    match record:
        case Model():
            return f"{record.name} ({record.kind}, {record.role})"
        case Size():
            of = f" of {record.model}" if record.model else ""
            return f"{record.value:,} {record.kind}{of}"
        case Benchmark():
            return f"{record.name} ({record.role})"
        case Gain():
            return gain_value(record)
        case Link():
            return f"{record.kind} {record.url}"
        case Number():
            return record.use


def _holds(span: Span, other: Span) -> bool:
    return span.field == other.field and span.start <= other.start and other.end <= span.end


def _place(span: Span) -> tuple[int, int]:
    return span.start, -span.end


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _console() -> Console:
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        # In a pipe nothing is cut or wrapped.
        console.width = 10_000
    return console


def _errors() -> Console:
    return Console(stderr=True, highlight=False, markup=False, emoji=False)
