"""The audit: what a machine can check of tables against the texts that they were read from.

`audit` runs every check over a snapshot and gives what they found; `checked` does so with rows that
are about to be published, and fills in what they say of it. Nothing here imports the extractors:
the texts are read anew, so that a fault there shows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from pipeline import tables
from pipeline.audit import arithmetic
from pipeline.audit.between import Between
from pipeline.audit.checks import claim_of, told
from pipeline.audit.declared import OURS, Declared
from pipeline.audit.findings import CHECKS, SEVERITIES, Check, Finding, Severity, catalogue
from pipeline.audit.published import Case, Held, cases, cases_of, claim_id, held, run_of
from pipeline.records import PipelineError

__all__ = [
    "CHECKS", "OURS", "SEVERITIES", "AuditError", "Audited", "Basis", "Check", "Declared",
    "Finding", "Score", "Severity",
    "audit", "audit_case", "catalogue", "checked", "claim_id", "known_checks", "published",
]  # fmt: skip


# The catalogue tells what is asked of a row before what is asked of several papers.
_GROUPS = "grounding references arithmetic bounds direction completeness contradictions".split()
for _name in sorted(CHECKS, key=lambda name: _GROUPS.index(CHECKS[name].group)):
    CHECKS[_name] = CHECKS.pop(_name)


class AuditError(PipelineError):
    """What cannot be audited: an unknown check, a format that is none."""


@dataclass(frozen=True, slots=True)
class Basis:
    """The reading under which a change agrees with the two ends told with it."""

    paper_id: str
    claim_id: str | None
    basis: str | None
    reading: str
    said: str


@dataclass(frozen=True, slots=True)
class Score:
    """How a paper fares: what part of its bindings is told, and how many findings it has."""

    paper_id: str
    gains: int
    complete: float
    errors: int
    warnings: int
    notes: int


@dataclass(slots=True)
class Audited:
    """What the audit of a snapshot found."""

    run_id: str = ""
    rules_fingerprint: str = ""
    papers: int = 0
    claims: int = 0
    findings: list[Finding] = field(default_factory=list)
    bases: list[Basis] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)


def audit(
    out: Path,
    *,
    off: Collection[str] = (),
    declared: Declared = OURS,
    progress: Callable[[int], object] | None = None,
) -> Audited:
    """Run every check but those that are `off` over the tables published in `out`.

    `declared` is what the rules declare that the tables were made with.
    """
    known_checks(off)
    snapshot = tables.snapshot(Path(out))
    run_id, fingerprint = run_of(snapshot)
    found = cases(snapshot, declared=declared)
    return audit_cases(
        found,
        off=off,
        run_id=run_id,
        fingerprint=fingerprint,
        others=held(snapshot),
        progress=progress,
    )


def known_checks(names: Collection[str]) -> None:
    """Raise AuditError where one of these is the name of no check."""
    if unknown := sorted(set(names) - set(CHECKS)):
        raise AuditError(f"{', '.join(unknown)}: no such check; there are {', '.join(CHECKS)}")


def published(folder: Path) -> bool:
    """Whether tables of ours are published in a folder."""
    snapshot = tables.snapshot(folder)
    return (snapshot / "papers").exists() or (snapshot / "papers.parquet").exists()


def audit_cases(
    found: Iterator[Case],
    *,
    off: Collection[str] = (),
    run_id: str = "",
    fingerprint: str = "",
    others: Mapping[str, Sequence[Held]] | None = None,
    progress: Callable[[int], object] | None = None,
) -> Audited:
    """Run the checks over papers, whatever they were read from.

    `others` are other records of theirs, by the paper.
    """
    audited = Audited(run_id=run_id, rules_fingerprint=fingerprint)
    checks = [check for name, check in CHECKS.items() if name not in off]
    together = Between(others)
    for case in found:
        findings = list(audit_case(case, checks))
        audited.papers += bool(case.paper)
        audited.claims += sum(len(rows) for name, rows in case.rows.items() if name != "numbers")
        audited.findings += findings
        audited.bases += _bases(case)
        audited.scores.append(_score(case, findings))
        together.add(case)
        if progress and audited.papers % 256 == 0:
            progress(audited.papers)
    audited.findings += [one for one in together.findings() if one.check not in off]
    return audited


def audit_case(case: Case, checks: list[Check] | None = None) -> Iterator[Finding]:
    """What the checks of one paper find in this one."""
    for check in list(CHECKS.values()) if checks is None else checks:
        yield from check.findings(case)


def checked(made: Mapping[str, pa.Table], declared: Declared = OURS) -> pa.Table:
    """The rows of `gains` among these tables, with what the audit of their papers says of them.

    `checks` are the names of the checks, notes apart, that find something against a row; `basis` is
    filled in where a percentage computes from the ends told with it.
    """
    gains = made["gains"]
    asked = [one for one in CHECKS.values() if one.severity != "note" and not one.of_text]
    needed = {name: made[name] for name in ("papers", "models", "benchmarks", "gains")}
    against: dict[str, set[str]] = {}
    bases: dict[str, str] = {}
    for case in cases_of(needed, declared):
        if case.rows["gains"]:
            for finding in audit_case(case, asked):
                if finding.table == "gains" and finding.claim_id is not None:
                    against.setdefault(finding.claim_id, set()).add(finding.check)
            bases |= {one.claim_id: one.basis for one in _bases(case) if one.claim_id and one.basis}
    claims = list(zip(*(gains.column(c).to_pylist() for c in ("gain_id", "basis")), strict=True))
    columns = {
        "basis": [basis or bases.get(claim) for claim, basis in claims],
        "checks": [sorted(against.get(claim, ())) for claim, _ in claims],
    }
    for name, values in columns.items():
        at = gains.schema.get_field_index(name)
        field_of_it = gains.schema.field(at)
        gains = gains.set_column(at, field_of_it, pa.array(values, field_of_it.type))
    return gains


def _bases(case: Case) -> Iterator[Basis]:
    for field_name, one in told(case):
        if (way := arithmetic.reading(one)) is not None:
            row = claim_of(case, field_name, one)
            known = None if row is None else claim_id("gains", row)
            # Of the ends nobody asks what they are a percentage of.
            percent = one.change.unit == "%" and (row is None or row["kind"] == "delta")
            yield Basis(case.paper_id, known, way.basis if percent else None, way.name, one.text)


def _score(case: Case, findings: list[Finding]) -> Score:
    values = [row for row in case.rows["gains"] if row["kind"] != "sota"]
    told_of = sum(
        (row["metric"] is not None) + (row["benchmark"] is not None) + (row["baseline"] is not None)
        for row in values
    )
    by = {severity: sum(one.severity == severity for one in findings) for severity in SEVERITIES}
    complete = told_of / (3 * len(values)) if values else 1.0
    return Score(case.paper_id, len(values), complete, by["error"], by["warning"], by["note"])
