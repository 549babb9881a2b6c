"""What a scheduled run tells of itself: a table of counts, and a page in Markdown.

Papers are other people's texts. On the page they are letters and nothing else: no markup, no link
but the paper's own address, no character that hides another.
"""

from __future__ import annotations

import datetime
import re
import string
import unicodedata
import urllib.parse
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline import store
from pipeline.audit import Audited, Finding
from pipeline.days import Landed, Measured, rows_of_papers
from pipeline.drift import Unusual
from pipeline.store.snapshots import Difference

CLAIMS = 10
"""How many claims of each unit are told in full, each of another benchmark."""

TOLD = 10
"""How many of anything else."""

LONGEST = 400
"""Characters of a sentence."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is known of a run when it ends."""

    out: str
    summary: store.RunSummary | None = None
    measured: Measured = field(default_factory=lambda: Measured({}, {}, frozenset()))
    failures: Mapping[Landed, str] = field(default_factory=dict)
    unusual: Sequence[Unusual] = ()
    stale: Mapping[str, str] = field(default_factory=dict)
    held: bool = False
    audited: Audited | None = None
    seconds: Sequence[tuple[int, int, float]] = ()
    """Of each shard that was extracted: its number, its papers, its seconds."""
    page: str | None = None
    """The address of the audit page."""

    def then(self, other: Told) -> Told:
        """What is known after another part of the same run."""
        return Told(
            out=self.out,
            summary=other.summary or self.summary,
            measured=Measured(
                {**self.measured.counts, **other.measured.counts},
                Counter(self.measured.total) + Counter(other.measured.total),
                self.measured.papers | other.measured.papers,
            ),
            failures={**self.failures, **other.failures},
            unusual=(*self.unusual, *other.unusual),
            seconds=(*self.seconds, *other.seconds),
        )


def counts_table(measured: Measured) -> list[Row]:
    """One row per service and day with its rows by table, and one of all, each paper once."""
    rows: list[Row] = [
        {"source": service, "day": day.isoformat(), **counts}
        for (service, day), counts in measured.counts.items()
    ]
    return [*rows, {"source": "all", "day": "", **measured.total}]


def markdown(told: Told) -> str:
    """The page: what was done, what is wrong, what is worth reading."""
    lines = [f"**{plain(headline(told))}**", ""]
    lines += [f"- {plain(line)}" for line in alarm(told).splitlines()]
    if told.summary is not None and told.measured.papers:
        lines += ["", *_claims(told)]
    if told.audited is not None:
        lines += ["", *_flags(told.audited.findings, told.measured.papers)]
    if told.summary is not None:
        lines += ["", *_rejects(told.summary), "", *_slowest(told.seconds)]
    return "\n".join(lines) + "\n"


def headline(told: Told) -> str:
    """What was done, in a sentence."""
    if not told.measured.counts:
        return "no day could be fetched" if told.failures else "nothing was due"
    papers = told.measured.total["papers"]
    services = ", ".join(sorted({service for service, _ in told.measured.counts}))
    about = (
        f"{_spoken(sorted({day for _, day in told.measured.counts}))} of {services}: "
        f"{papers:,} papers, {len(told.measured.papers):,} new"
    )
    if told.held:
        return f"{about}; held back, not published"
    if told.summary is None or told.summary.run_id is None:
        return f"{about}; the tables stay as they are"
    return f"{about}; published as {told.summary.run_id}"


def alarm(told: Told) -> str:
    """What is wrong, on one line for each thing."""
    lines = [
        f"{service} {day}, not fetched: {why}" for (service, day), why in told.failures.items()
    ]
    lines += [f"{one.service} {one.day}: {one.message}" for one in told.unusual]
    lines += [f"{service}: {why}" for service, why in told.stale.items()]
    return "\n".join(lines)


def seconds(
    plan: store.Plan, counts: Iterable[store.ShardCounts]
) -> tuple[tuple[int, int, float], ...]:
    """Of each shard that was extracted now: its number, its papers, its seconds."""
    papers = {shard.number: shard.count for shard in plan.shards}
    return tuple((one.number, papers[one.number], one.seconds) for one in counts if one.extracted)


def _spoken(days: Sequence[datetime.date]) -> str:
    if len(days) > 3:
        return f"{days[0]} to {days[-1]} ({len(days)} days)"
    return ", ".join(map(str, days))


def _claims(told: Told) -> list[str]:
    """The largest gain of each benchmark among the new papers, those that are flagged left out."""
    papers = told.measured.papers
    rows = rows_of_papers(told.out, "gains", papers).to_pylist()
    about = {row["paper_id"]: row for row in rows_of_papers(told.out, "papers", papers).to_pylist()}
    findings = told.audited.findings if told.audited is not None else ()
    flagged = {one.claim_id for one in findings if one.severity != "note"}
    lines = [f"## New claims\n\n{len(rows):,} gains in {len(papers):,} new papers."]
    clean = [
        row
        for row in sorted(rows, key=lambda row: -(row["value"] or 0.0))
        if row["kind"] == "delta" and row["benchmark"] and row["gain_id"] not in flagged
    ]
    for unit in ("points", "percent"):
        largest: dict[str, Row] = {}
        for row in clean:
            if row["unit"] == unit and row["value"] is not None:
                largest.setdefault(row["benchmark"], row)
        if largest:
            lines += ["", f"Largest by benchmark, in {unit}:", ""]
            lines += [_claim(row, about[row["paper_id"]]) for row in [*largest.values()][:CLAIMS]]
    return lines


def _claim(row: Row, paper: Row) -> str:
    who = plain(row["model"]) if row["model"] else "no name stands for it"
    over = f" over {plain(row['baseline'])}" if row["baseline"] else ""
    metric = f" {plain(row['metric'])}" if row["metric"] else ""
    title = plain(paper["title"])
    link = address(paper["url"])
    return (
        f"- **{plain(row['benchmark'])}**{metric}: {row['value']:g} {row['unit']} "
        f"{row['direction'] or ''} ({who}{over}). {plain(row['sentence'])} "
        + (f"{title} ([paper]({link}))" if link else title)
    ).replace("  ", " ")


def _flags(findings: Iterable[Finding], papers: frozenset[str]) -> list[str]:
    found = [one for one in findings if one.paper_id in papers and one.severity != "note"]
    lines = [f"## Audit\n\n{len(found):,} flags in the new papers."]
    counts = Counter((one.severity, one.check) for one in found)
    if counts:
        lines += ["", "| check | severity | flags |", "|---|---|---:|"]
        lines += [
            f"| {check} | {severity} | {count:,} |"
            for (severity, check), count in sorted(counts.items())
        ]
        lines += [""]
        lines += [
            f"- {one.check}, {plain(one.paper_id)}: {plain(one.message)}" for one in found[:TOLD]
        ]
    return lines


def _rejects(summary: store.RunSummary) -> list[str]:
    lines = [f"## Rejects\n\n{summary.rejected:,} in all that was read."]
    if summary.rejects:
        lines += ["", "| rejected because | records |", "|---|---:|"]
        lines += [
            f"| {plain(why)} | {count:,} |" for why, count in [*summary.rejects.items()][:TOLD]
        ]
        lines += [""]
        lines += [
            f"- {plain(', '.join(filter(None, (one.source, one.position))))}: {plain(one.reason)}"
            for one in summary.first_rejects[:TOLD]
        ]
    return lines


def _slowest(seconds: Sequence[tuple[int, int, float]]) -> list[str]:
    lines = ["## Slowest shards", ""]
    if not seconds:
        return [*lines, "Nothing had to be extracted."]
    slowest = sorted(seconds, key=lambda one: -one[2])[:5]
    lines += ["| shard | papers | seconds |", "|---:|---:|---:|"]
    return [
        *lines,
        *(f"| {number} | {papers:,} | {took:.1f} |" for number, papers, took in slowest),
    ]


def differences(found: Iterable[Difference]) -> str:
    """How many rows of each table another set of rules has added, removed and changed."""
    counts: dict[str, Counter[str]] = {}
    for one in found:
        counts.setdefault(one.table, Counter())[one.change] += 1
    if not counts:
        return "No row is another.\n"
    kinds = ("added", "removed", "changed")
    lines = ["| table | added | removed | changed |", "|---|---:|---:|---:|"]
    for table, by_kind in counts.items():
        lines.append(f"| {table} | " + " | ".join(f"{by_kind[kind]:,}" for kind in kinds) + " |")
    return "\n".join(lines) + "\n"


def plain(text: str) -> str:
    """A text as Markdown that shows exactly its letters: no markup, no tag, no address to click."""
    text = " ".join(text.split())
    if len(text) > LONGEST:
        text = text[: LONGEST - 1] + "…"
    return "".join(map(_letter, text))


def _letter(letter: str) -> str:
    if letter in _SIGNS:
        return f"\\{letter}"
    if unicodedata.category(letter)[0] == "C":
        return f"\\<U+{ord(letter):04X}\\>"
    return letter


# Whatever begins markup in any dialect, or makes an address of a text.
_SIGNS = frozenset(string.punctuation) - frozenset(",;'\"%/?")


def address(url: str | None) -> str | None:
    """A paper's address that can stand in a link, or None where a browser should not open it."""
    if url is None or not re.match(r"https?://[\w.-]+(?:[:/]|$)", url):
        return None
    return urllib.parse.quote(url, safe="/:?=&%#+~,;@.-_")
