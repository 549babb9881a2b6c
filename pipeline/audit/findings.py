"""What a check is, what it finds, and the catalogue of all checks."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pipeline.audit.published import Case, Row, claim_id

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check holds against a row, or against a paper where `table` is `papers`."""

    paper_id: str
    table: str
    claim_id: str | None
    check: str
    severity: Severity
    message: str
    expected: str | None = None
    found: str | None = None
    field: str | None = None
    start: int | None = None
    end: int | None = None


Told = Iterator[tuple[str, Row | None, str, object, object]]
"""Table, row (None for the paper), message, what was expected, what was found."""
Single = Callable[[Case], Told]


@dataclass(frozen=True, slots=True)
class Check:
    """A check by its name: how severe what it finds is, what it asks, an example of a fault.

    What is `of_text` is held against no row, but against the paper that the text is of.
    """

    name: str
    group: str
    severity: Severity
    asks: str
    example: str
    single: Single | None
    of_text: bool = False

    def findings(self, case: Case) -> Iterator[Finding]:
        """What it holds against a paper and its rows."""
        if self.single is not None:
            for table, row, message, expected, found in self.single(case):
                yield self.finding(case.paper_id, table, row, message, expected, found)

    def finding(
        self,
        paper_id: str,
        table: str,
        row: Row | None,
        message: str,
        expected: object = None,
        found: object = None,
    ) -> Finding:
        """A finding of this check."""
        place: dict[str, Any] = {}
        if row is not None and "field" in row:
            place = {key: row.get(key) for key in ("field", "start", "end")}
        known = row is not None and table != "papers" and "rule" in row
        return Finding(
            paper_id=paper_id,
            table=table,
            claim_id=claim_id(table, row) if known and row is not None else None,
            check=self.name,
            severity=self.severity,
            message=message,
            expected=None if expected is None else str(expected),
            found=None if found is None else str(found),
            **place,
        )


CHECKS: dict[str, Check] = {}
F = TypeVar("F", bound=Callable[..., Any])


def check(
    name: str, group: str, severity: Severity, example: str, *, of_text: bool = False
) -> Callable[[F], F]:
    """Enter a function of one paper as a check; its docstring is what it asks."""

    def entered(function: F) -> F:
        asks = " ".join((inspect.getdoc(function) or "").split())
        CHECKS[name] = Check(name, group, severity, asks, example, function, of_text)
        return function

    return entered


def between(name: str, group: str, severity: Severity, example: str, asks: str) -> Check:
    """Enter a check that looks at several papers together; its findings are made elsewhere."""
    CHECKS[name] = Check(name, group, severity, asks, example, None)
    return CHECKS[name]


def catalogue() -> str:
    """All checks as a table in Markdown, for the README."""
    lines = ["| check | severity | what it asks | for example |", "|---|---|---|---|"]
    for one in CHECKS.values():
        lines.append(f"| `{one.name}` | {one.severity} | {one.asks} | {one.example} |")
    return "\n".join(lines)
