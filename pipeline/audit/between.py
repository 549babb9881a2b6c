"""What papers say of the same thing: listed, not judged."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.audit.findings import Finding, between
from pipeline.audit.published import Case, Held, Row
from pipeline.audit.reading import NUMBER, UNIT, folded, printed

SAME_RESULT = between(
    "same-result", "contradictions", "note",
    "GPT-4 has 86.4% accuracy on MMLU here and 83.0% there",
    "Do papers that tell the level of one model on one benchmark in one metric agree, to what is "
    "printed?",
)  # fmt: skip
SAME_PAPER = between(
    "same-paper", "contradictions", "note",
    "one title, two records: 5.2% in one, 5.8% in the other",
    "Do two records of the same paper, from two sources or in two versions, tell the same values?",
)  # fmt: skip

# How many of the other papers a finding names.
_NAMED = 3


class Between:
    """Gathers papers one by one, and then tells where they differ.

    `held` are other records of published papers, by the paper.
    """

    def __init__(self, held: Mapping[str, Sequence[Held]] | None = None) -> None:
        self._held = held or {}
        self._versions: list[Finding] = []
        self._levels: dict[tuple[str, ...], list[tuple[str, Row]]] = defaultdict(list)
        self._titles: dict[str, list[tuple[str, frozenset[str]]]] = defaultdict(list)

    def add(self, case: Case) -> None:
        """Take note of a paper's levels, and of its title with all values."""
        for row in case.rows["gains"]:
            named = [row["model"], row["benchmark"], row["metric"]]
            if row["kind"] == "score" and row["value"] is not None and all(named):
                key = (*(str(name).casefold() for name in named), row["unit"] or "")
                kept: dict[str, Any] = {
                    column: row[column]
                    for column in (
                        "paper_id", "field", "start", "end", "surface", "rule", "gain_id", "value",
                        "qualifiers",
                    )
                }  # fmt: skip
                self._levels[key].append((case.paper_id, kept))
        self._versions += self._other_records(case)
        title = re.sub(r"[\W_]+", " ", case.text("title")).casefold().strip()
        if len(title) > 20:
            values = frozenset(
                str(row[name])
                for row in case.rows["gains"]
                for name in ("value", "value_from", "value_to", "value_low", "value_high")
                if row[name] is not None
            )
            self._titles[title].append((case.paper_id, values))

    def _other_records(self, case: Case) -> Iterator[Finding]:
        told = _results(case.text("title"), case.text("abstract"))
        for other in self._held.get(case.paper_id, ()):
            values = _results(other.title, other.abstract)
            if told and values and told != values:
                where = other.source if other.paper_id == case.paper_id else other.paper_id
                yield _other_values(case.paper_id, where, values, told)

    def findings(self) -> Iterator[Finding]:
        """Every claim that another paper tells otherwise, or another record of its paper."""
        yield from self._versions
        for (model, benchmark, metric, _unit), claims in self._levels.items():
            for paper_id, row in claims:
                others = [
                    (other_id, other)
                    for other_id, other in claims
                    if other_id != paper_id
                    and abs(other["value"] - row["value"]) > _fine(row, other)
                ]
                if others and not row["qualifiers"]:
                    named = ", ".join(
                        f"{other['surface']} in {name}" for name, other in others[:_NAMED]
                    )
                    yield SAME_RESULT.finding(
                        paper_id, "gains", row,
                        f"another level of {model} on {benchmark} in {metric} elsewhere",
                        named, row["surface"],
                    )  # fmt: skip
        for records in self._titles.values():
            for paper_id, values in records:
                for other_id, told in records:
                    if other_id != paper_id and values and told and values != told:
                        yield _other_values(paper_id, other_id, told, values)


def _other_values(
    paper_id: str, where: str, told: frozenset[str], values: frozenset[str]
) -> Finding:
    """That another record tells what this one does not, or the other way round."""
    only = [", ".join(sorted(some)) or "no more" for some in (told - values, values - told)]
    return SAME_PAPER.finding(paper_id, "papers", None, f"other values in {where}", *only)


def _results(*texts: str) -> frozenset[str]:
    """The percentages, differences and multiples of texts, which are the same however written."""
    found: set[str] = set()
    for text in texts:
        for one in _NUMBER_WITH_UNIT.finditer(folded(text)):
            number = printed(one[1], None, one[2])
            if number.unit in ("%", "points", "x"):
                found.add(f"{number.value:g}{'%' if number.unit == '%' else f' {number.unit}'}")
    return frozenset(found)


_NUMBER_WITH_UNIT = re.compile(rf"(?<![\w.])({NUMBER})({UNIT})")


def _fine(row: Row, other: Row) -> float:
    """Half of what the last digit counts, of the one printed less finely."""
    places = [
        len(found[1]) if (found := re.search(r"\d\.(\d+)", one["surface"])) else 0
        for one in (row, other)
    ]
    return 0.5 * 10.0 ** -min(places) + 1e-9
