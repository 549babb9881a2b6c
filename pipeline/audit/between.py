"""What papers say of the same thing: listed, not judged."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from pipeline.audit.findings import Finding, between
from pipeline.audit.published import Case, Row

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
    """Gathers papers one by one, and then tells where they differ."""

    def __init__(self) -> None:
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
        title = re.sub(r"[\W_]+", " ", case.text("title")).casefold().strip()
        if len(title) > 20:
            values = frozenset(
                str(row[name])
                for row in case.rows["gains"]
                for name in ("value", "value_from", "value_to", "value_low", "value_high")
                if row[name] is not None
            )
            self._titles[title].append((case.paper_id, values))

    def findings(self) -> Iterator[Finding]:
        """Every claim that another paper tells otherwise."""
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
                        yield SAME_PAPER.finding(
                            paper_id, "papers", None, f"other values in {other_id}",
                            ", ".join(sorted(told - values)) or "no more",
                            ", ".join(sorted(values - told)) or "no more",
                        )  # fmt: skip


def _fine(row: Row, other: Row) -> float:
    """Half of what the last digit counts, of the one printed less finely."""
    places = [
        len(found[1]) if (found := re.search(r"\d\.(\d+)", one["surface"])) else 0
        for one in (row, other)
    ]
    return 0.5 * 10.0 ** -min(places) + 1e-9
