"""Quality is a number: what the extractors reach on gold, and never less than was promised."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.score import Report, score

SAMPLE = Path(__file__).parents[1] / "pipeline" / "sample"
SHARED = Path(__file__).parents[2] / "shared" / "gold"

# F1 on the annotated papers that rules are written on; a drop below is a broken rule. The figures
# are those the issue asked for, raised to two points under what was measured in November 2026.
FLOORS = {
    "links": 0.98,
    "sizes": 0.95,
    "benchmarks": 0.90,
    "models": 0.90,
    "gains: value": 0.92,
    "gains: value+benchmark": 0.81,
    "gains: full": 0.60,
    "gains: sota": 0.87,
}


def check(reports: list[Report], floors: dict[str, float], code_status: float) -> None:
    for table, floor in floors.items():
        tp, fp, fn = (
            sum(getattr(report.tables[table], part) for report in reports)
            for part in ("tp", "fp", "fn")
        )
        f1 = 2 * tp / (2 * tp + fp + fn)
        assert f1 >= floor, f"{table}: F1 {f1:.3f} is under {floor}"
    right = sum(report.attributes["code status"].right for report in reports)
    total = sum(report.attributes["code status"].total for report in reports)
    assert right / total >= code_status


def test_the_public_gold_is_reached() -> None:
    report = score(SAMPLE / "papers.jsonl", SAMPLE / "gold.jsonl")
    check([report], {**FLOORS, "gains: full": 0.46}, 0.95)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the annotated papers of ../shared are not here")
def test_the_annotated_real_papers_are_reached() -> None:
    reports = [
        score(SHARED / f"{name}.docs.jsonl", SHARED / f"{name}.gold.jsonl")
        for name in ("seed", "dev1")
    ]
    check(reports, FLOORS, 0.95)
