"""How the scheduled runs fare: what was published when, which days of whom, and what it takes."""

from __future__ import annotations

import datetime
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import days, tables, watermarks
from pipeline.fetch import SERVICES
from pipeline.places import Folder, place_of
from pipeline.settings import Settings
from pipeline.store.snapshots import Snapshot, snapshots

RUNS = 5
"""How many of the last runs are told."""


@dataclass(frozen=True, slots=True)
class Source:
    """A service: its days that are published, and how its last fetch ended.

    `watermark` is the day up to which none is missing, `stale` says why it is not fresh, `failure`
    why the last fetch failed.
    """

    service: str
    watermark: datetime.date | None
    newest: datetime.date | None
    days: int
    tried: datetime.datetime | None
    failure: str | None
    stale: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """All that `paperclaims status` tells; sizes are in bytes, None where it is not this disk."""

    out: str
    runs: Sequence[dict[str, Any]]
    sources: Sequence[Source]
    snapshot: Snapshot | None
    snapshots: int
    tables_bytes: int | None
    landing_bytes: int


def status(settings: Settings, now: datetime.datetime) -> Status:
    """The state of the tables and of what has landed. A place that is empty is no error."""
    out = settings.runs.out
    place = place_of(out)
    marks = watermarks.read(place)
    every = snapshots(out)
    published = next((one for one in every if one.is_published), None)
    runs = tables.read_table(out, "runs").to_pylist() if published else []
    scheduled = {*marks.days, *marks.tried}
    known = [
        name
        for name in SERVICES
        # Who has never had a scheduled run is not told that all services are missing.
        if name in scheduled or (scheduled and settings.services.of(name).enabled)
    ]
    behind = days.stale(settings, known, days.day_before(now))
    sources = []
    for name in known:
        tried = marks.tried.get(name)
        sources.append(
            Source(
                name,
                marks.watermark(name),
                marks.newest(name),
                len(marks.days.get(name, ())),
                tried.at if tried else None,
                tried.failure if tried else None,
                behind.get(name) if settings.services.of(name).enabled else None,
            )
        )
    return Status(
        out,
        sorted(runs, key=lambda run: run["finished"])[-RUNS:],
        sources,
        published,
        len(every),
        _size(place.root) if isinstance(place, Folder) else None,
        _size(settings.runs.landing),
    )


def _size(folder: Path) -> int:
    """The bytes of all files below a folder; one that has several names counts once."""
    seen = {}
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                found = Path(root, name).lstat()
            except FileNotFoundError:  # a run has just taken it away
                continue
            seen[found.st_dev, found.st_ino] = found.st_size
    return sum(seen.values())
