"""What the commands `audit` and `precision` print; texts are shown, never acted on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.audit.findings import SEVERITIES, Finding
from pipeline.audit.precision import Reviewed
from pipeline.audit.verdicts import Agreement

_STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}
# How many errors and warnings are printed; all are in the table.
_TOLD = 40


def findings(console: Console, found: Sequence[Finding], where: str, *, notes: bool) -> None:
    """Errors and warnings one by one, then how many each check found."""
    told = [one for one in found if notes or one.severity != "note"]
    told.sort(key=lambda one: SEVERITIES.index(one.severity))
    for one in told[:_TOLD]:
        line = Text(f"{one.severity}: ", style=_STYLES[one.severity])
        line.append(_plain(f"{one.check}, {one.paper_id}, {one.table}"), "bold")
        at = f"{one.field}[{one.start}:{one.end}]" if one.field else ""
        line.append(_plain(f" {at}: {one.message}"), "none")
        if one.expected is not None:
            line.append(_plain(f"; expected {one.expected}"))
        if one.found is not None:
            line.append(_plain(f"; found {one.found}"))
        console.print(line, soft_wrap=True)
    if len(told) > _TOLD:
        console.print(f"... and {len(told) - _TOLD:,} more, all in {_plain(where)}", soft_wrap=True)
    table = Table("check", "severity", "findings")
    table.columns[2].justify = "right"
    counts: dict[tuple[str, str], int] = {}
    for one in found:
        counts[one.check, one.severity] = counts.get((one.check, one.severity), 0) + 1
    for (check, severity), count in sorted(
        counts.items(),
        key=lambda item: (SEVERITIES.index(item[0][1]), -item[1]),
    ):
        table.add_row(check, Text(severity, _STYLES[severity]), f"{count:,}")
    if counts:
        console.print(table)


def reviewed(console: Console, found: Reviewed, agreed: Iterable[Agreement]) -> None:
    """Precision per table and per rule, and how far reviewers agree."""
    table = Table("rows", "right (95% interval)", "of")
    table.columns[2].justify = "right"
    for one in (*found.tables, *found.rules):
        table.add_row(Text(_plain(one.name)), Text(str(one)), f"{one.whole:,}")
    console.print(table)
    if not found.random:
        console.print(
            "From claims that were chosen, not from a random sample: judge some in the queue "
            "'sample'.",
            style="yellow",
            soft_wrap=True,
        )
    if found.stale:
        console.print(f"{found.stale:,} verdicts are stale: their texts have changed since.")
    if found.conflicts:
        console.print(f"{found.conflicts:,} claims are disputed: see the queue 'conflicts'.")
    people = Table("reviewers", "claims in common", "agreement", "Cohen's kappa", "span F1")
    for pair in agreed:
        people.add_row(
            Text(_plain(f"{pair.one}, {pair.other}")), f"{pair.claims:,}", f"{pair.observed:.2f}",
            f"{pair.kappa:.2f}", f"{pair.span_f1:.2f}",
        )  # fmt: skip
    if people.row_count:
        console.print(people)


def _plain(text: str) -> str:
    """The text on one line, control characters as their codes."""
    return "".join(letter if letter.isprintable() else f"<U+{ord(letter):04X}>" for letter in text)


def console() -> Console:
    """A console that reads no markup and cuts nothing in a pipe."""
    made = Console(highlight=False, markup=False, emoji=False)
    if not made.is_terminal:
        made.width = 10_000
    return made
