"""What reviews say of the tables: how many rows are right, per table and per rule."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.review.claims import Claim
from pipeline.review.verdicts import Verdicts

_Z = 1.959963984540054  # 95%
_MARKS = ("<!-- precision: written by `paperclaims precision` -->", "<!-- end of precision -->")


@dataclass(frozen=True, slots=True)
class Precision:
    """A share of right rows with its interval of 95%; `whole` is how many rows it stands for."""

    name: str
    right: float
    low: float
    high: float
    judged: int
    whole: int
    rules: str

    def __str__(self) -> str:
        told = f"{100 * self.right:.1f}% ({100 * self.low:.1f} to {100 * self.high:.1f})"
        return f"{told}, n={self.judged}" + (f", rules {self.rules[:4]}" if self.rules else "")


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The precision of tables and rules, and whether the sample it comes from was random."""

    tables: tuple[Precision, ...]
    rules: tuple[Precision, ...]
    random: bool
    stale: int
    conflicts: int


def wilson(right: float, judged: float) -> tuple[float, float]:
    """Wilson's interval of 95% for a share; everything is possible where nothing was judged."""
    if judged <= 0:
        return 0.0, 1.0
    share = right / judged
    spread = _Z * math.sqrt(share * (1 - share) / judged + _Z**2 / (4 * judged**2))
    middle = share + _Z**2 / (2 * judged)
    whole = 1 + _Z**2 / judged
    return max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole)


def stratified(claims: Iterable[Claim]) -> list[Claim]:
    """The claims in an order of which every beginning is a random sample of each rule.

    Within a rule the order is that of a hash of the claim, which nobody chose; the rules of a table
    come in turn in proportion to how many rows they made, each at least once early on.
    """
    by_rule: dict[tuple[str, str], list[Claim]] = {}
    for claim in claims:
        by_rule.setdefault((claim.table, claim.rule), []).append(claim)
    placed: list[tuple[float, int, Claim]] = []
    for same in by_rule.values():
        same.sort(key=lambda claim: (claim.order, claim.claim))
        placed += [((at + 0.5) / len(same), claim.order, claim) for at, claim in enumerate(same)]
    first = [min(same, key=lambda claim: claim.order) for same in by_rule.values()]
    begun = {claim.claim for claim in first}
    placed.sort(key=lambda one: one[:2])
    return [*first, *(claim for _, _, claim in placed if claim.claim not in begun)]


def precision(
    claims: Iterable[Claim], verdicts: Verdicts, hashes: dict[str, str], rules: str = ""
) -> Reviewed:
    """How many rows are right, by what reviewers accepted; an edit says that a row was not.

    Only verdicts given in the queue `sample` count where there are any: those given elsewhere
    are of claims that were chosen. Verdicts on texts that have changed since do not count.
    """
    known = {claim.claim: claim for claim in claims}
    settled = verdicts.settled()
    stale = sum(hashes.get(one.paper_id) != one.text_sha256 for one in settled.values())
    judged = [
        (known[claim], one)
        for claim, one in settled.items()
        if claim in known
        and hashes.get(one.paper_id) == one.text_sha256
        and one.verdict in ("accept", "reject", "edit")
    ]
    random = any(one.queue == "sample" for _, one in judged)
    if random:
        judged = [(claim, one) for claim, one in judged if one.queue == "sample"]
    whole = Counter((claim.table, claim.rule) for claim in known.values())
    counts: dict[tuple[str, str], list[int]] = {}
    for claim, one in judged:
        tally = counts.setdefault((claim.table, claim.rule), [0, 0])
        tally[0] += one.verdict == "accept"
        tally[1] += 1
    by_rule = tuple(
        Precision(f"{table}: {rule}", right / n, *wilson(right, n), n, whole[table, rule], rules)
        for (table, rule), (right, n) in sorted(
            counts.items(), key=lambda one: (-one[1][1], one[0])
        )
    )
    by_table = []
    for table in dict.fromkeys(claim.table for claim in known.values()):
        strata = [
            (whole[key], tally[0], tally[1]) for key, tally in counts.items() if key[0] == table
        ]
        if strata:
            rows = sum(count for (name, _), count in whole.items() if name == table)
            by_table.append(_weighed(table, strata, rows, rules))
    return Reviewed(tuple(by_table), by_rule, random, stale, len(verdicts.conflicts()))


def _weighed(table: str, strata: list[tuple[int, int, int]], rows: int, rules: str) -> Precision:
    """Each rule counts by the rows it made; the interval is Wilson's for the effective number."""
    weight = sum(count for count, _, _ in strata)
    judged = sum(n for _, _, n in strata)
    share = sum(count / weight * right / n for count, right, n in strata)
    variance = sum(
        # As if one more of two had been wrong, so that a rule seen once is not certain.
        (count / weight) ** 2 * ((right + 0.5) / (n + 1)) * (1 - (right + 0.5) / (n + 1)) / n
        for count, right, n in strata
    )
    plain = ((share * judged + 0.5) / (judged + 1)) * (1 - (share * judged + 0.5) / (judged + 1))
    effective = min(float(judged), plain / variance) if variance else float(judged)
    low, high = wilson(share * effective, effective)
    return Precision(table, share, low, high, judged, rows, rules)


def page(reviewed: Reviewed) -> str:
    """The same in Markdown, for the README of the published tables."""
    lines = ["## Precision", ""]
    how = "a random sample, stratified by rule" if reviewed.random else "claims that were chosen"
    lines += [f"By people who read the rows against the text; from {how}.", ""]
    lines += ["| rows | right (95% interval) | of |", "|---|---|---:|"]
    for one in (*reviewed.tables, *reviewed.rules):
        name = re.sub(r"([|`<>\\])", r"\\\1", one.name)
        lines.append(f"| {name} | {one} | {one.whole:,} |")
    return "\n".join(lines) + "\n"


def write_page(path: Path, reviewed: Reviewed) -> None:
    """Write the section into a README, in the place of the one written before."""
    section = f"{_MARKS[0]}\n{page(reviewed)}{_MARKS[1]}\n"
    old = path.read_text(encoding="utf-8") if path.exists() else "# The tables\n"
    between = re.compile(re.escape(_MARKS[0]) + r".*?" + re.escape(_MARKS[1]) + r"\n?", re.DOTALL)
    new = (
        between.sub(lambda _: section, old)
        if between.search(old)
        else f"{old.rstrip()}\n\n{section}"
    )
    unnamed = path.with_name(f".{path.name}.new")
    unnamed.write_text(new, encoding="utf-8")
    unnamed.replace(path)
