"""Days whose counts are not those that the last thirty suggest: no papers, fewer gains, rejects.

Papers are compared with those of the same weekday, since archives rest on weekends; gains and
rejects with the papers of the day. What chance alone may do to small numbers is no drift: each
bound also asks for a distance of some square roots of what was expected.
"""

from __future__ import annotations

import datetime
import math
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

HISTORY = 30
"""How many days a day is compared with: those nearest to it."""

FEWEST = 8
"""With fewer days than these nobody knows what is usual."""

SAME_WEEKDAY = 3
"""How many days of the same weekday are needed to compare with them alone."""

Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Unusual:
    """What is unusual about a day of a service."""

    service: str
    day: datetime.date
    message: str


def unusual(
    service: str,
    day: datetime.date,
    counts: Counts,
    history: Mapping[datetime.date, Counts],
    *,
    is_whole: bool = True,
) -> list[Unusual]:
    """What is unusual about the counts of a day, next to those of other days of its service.

    Counts are rows by table, with `rejects`. Nothing is, where fewer than eight days are known. How
    many papers a day has is not asked of one that is not whole yet.
    """
    others = sorted((other for other in history if other != day), key=lambda o: abs(o - day))
    near = {other: history[other] for other in sorted(others[:HISTORY])}
    if len(near) < FEWEST:
        return []
    told = [*_papers(day, counts, near)] if is_whole else []
    told += [*_gains(counts, near), *_rejects(counts, near)]
    return [Unusual(service, day, message) for message in told]


def _papers(
    day: datetime.date, counts: Counts, near: Mapping[datetime.date, Counts]
) -> Iterator[str]:
    same = [one["papers"] for other, one in near.items() if other.weekday() == day.weekday()]
    kind = f"on a {day:%A}"
    if len(same) < SAME_WEEKDAY:
        is_weekend = day.weekday() >= 5
        same = [
            one["papers"] for other, one in near.items() if (other.weekday() >= 5) == is_weekend
        ]
        kind = "on weekends" if is_weekend else "on weekdays"
    if len(same) < SAME_WEEKDAY:
        same = [one["papers"] for one in near.values()]
        kind = "a day"
    usual, papers = statistics.median(same), counts["papers"]
    apart = abs(papers - usual) > 2 * math.sqrt(usual)
    if (2 * papers < min(same) or papers > 2 * max(same)) and apart:
        many = "no papers" if not papers else f"{papers:,} papers"
        yield f"{many}, where {min(same):,} to {max(same):,} are usual {kind}"


def _gains(counts: Counts, near: Mapping[datetime.date, Counts]) -> Iterator[str]:
    papers = sum(one["papers"] for one in near.values())
    usual = sum(one["gains"] for one in near.values()) / papers if papers else 0.0
    expected, found = usual * counts["papers"], counts["gains"]
    # Gains come in bunches, several of one paper, which makes chance wider.
    apart = abs(found - expected) > 4 * math.sqrt(expected)
    if (2 * found < expected or found > 2 * expected) and apart:
        rate = found / counts["papers"]
        yield f"{rate:.2f} gains per paper, where {usual:.2f} are usual"


def _rejects(counts: Counts, near: Mapping[datetime.date, Counts]) -> Iterator[str]:
    records = sum(one["papers"] + one["rejects"] for one in near.values())
    usual = sum(one["rejects"] for one in near.values()) / records if records else 0.0
    found = counts["rejects"]
    expected = usual * (counts["papers"] + found)
    if found > 2 * expected and found - expected > 4 * max(1.0, math.sqrt(expected)):
        yield f"{found:,} rejects, where {expected:.0f} are usual"
