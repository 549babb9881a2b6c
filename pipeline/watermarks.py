"""Which days of which service are published whole, kept beside the tables.

A day is marked after the snapshot that holds its papers was published: a run that is killed in
between is done again, with the same result. The marks are one file, replaced in one step and on
the disk before anybody sees it; where the tables are deleted they go with them, and all days that
have landed are published anew.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.places import Place
from pipeline.records import PipelineError

NAME = "watermarks.json"
ONE_DAY = datetime.timedelta(days=1)


class WatermarkError(PipelineError):
    """The file of the marks cannot be read."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A day that is published: its files below the landing folder, and rows by table.

    `counts` has `rejects` as well. `is_final` is false where the service may still add to the day,
    which is then fetched again. `run_id` is the snapshot published when it was marked.
    """

    files: tuple[str, ...]
    counts: Mapping[str, int]
    is_final: bool
    run_id: str | None
    at: datetime.datetime


@dataclass(frozen=True, slots=True)
class Tried:
    """How the last fetch of a service ended; `failure` is None where all went well."""

    at: datetime.datetime
    failure: str | None


@dataclass(slots=True)
class Watermarks:
    """The marked days by service, and how each service was last tried."""

    days: dict[str, dict[datetime.date, Marked]] = field(default_factory=dict)
    tried: dict[str, Tried] = field(default_factory=dict)

    def mark(self, service: str, day: datetime.date, marked: Marked) -> None:
        """Enter a day; what was known of it before is forgotten."""
        self.days.setdefault(service, {})[day] = marked

    def has(self, landed: tuple[str, datetime.date]) -> bool:
        """Whether this day of this service is marked."""
        service, day = landed
        return day in self.days.get(service, {})

    def has_run(self, run_id: str) -> bool:
        """Whether a day was marked when this snapshot was published."""
        return any(one.run_id == run_id for days in self.days.values() for one in days.values())

    def watermark(self, service: str) -> datetime.date | None:
        """The last day up to which no day is missing, counted from the first that is marked."""
        days = self.days.get(service)
        if not days:
            return None
        day = min(days)
        while day + ONE_DAY in days:
            day += ONE_DAY
        return day

    def newest(self, service: str) -> datetime.date | None:
        """The newest day that is marked, whatever is missing before it."""
        return max(self.days.get(service, ()), default=None)

    def due(
        self, service: str, through: datetime.date, since: datetime.date | None = None
    ) -> list[datetime.date]:
        """The days that are not marked, or not as final, the oldest first, up to `through`.

        They begin with `since` or else with the first day marked; of a service never seen before
        only `through` is due.
        """
        days = self.days.get(service, {})
        first = since or min(days, default=through)
        wanted = (first + ONE_DAY * number for number in range((through - first).days + 1))
        return [day for day in wanted if day not in days or not days[day].is_final]

    def to_bytes(self) -> bytes:
        """As JSON, for people and programs."""
        services = sorted({*self.days, *self.tried})
        told = {
            "services": {
                service: {
                    "tried": _tried(self.tried.get(service)),
                    "days": {
                        day.isoformat(): {
                            "files": list(one.files),
                            "counts": dict(one.counts),
                            "is_final": one.is_final,
                            "run_id": one.run_id,
                            "at": one.at.isoformat(),
                        }
                        for day, one in sorted(self.days.get(service, {}).items())
                    },
                }
                for service in services
            }
        }
        return json.dumps(told, indent=1, ensure_ascii=False).encode()


def _tried(one: Tried | None) -> dict[str, Any] | None:
    return None if one is None else {"at": one.at.isoformat(), "failure": one.failure}


def read(place: Place) -> Watermarks:
    """The marks of a place; none where no day was published there yet.

    Raises WatermarkError where the file is not one of ours.
    """
    try:
        told = json.loads(place.read(NAME))
        found = Watermarks()
        for service, one in told["services"].items():
            if (tried := one["tried"]) is not None:
                at = datetime.datetime.fromisoformat(tried["at"])
                found.tried[service] = Tried(at, tried["failure"])
            for day, marked in one["days"].items():
                found.mark(
                    service,
                    datetime.date.fromisoformat(day),
                    Marked(
                        tuple(marked["files"]),
                        marked["counts"],
                        marked["is_final"],
                        marked["run_id"],
                        datetime.datetime.fromisoformat(marked["at"]),
                    ),
                )
    except FileNotFoundError:
        return Watermarks()
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise WatermarkError(
            f"{place.address}/{NAME}: damaged ({error!r}); delete it, and the next run publishes "
            "the days that have landed anew"
        ) from error
    return found


def write(place: Place, marks: Watermarks) -> None:
    """Put the marks in the place, in one step and safe against a loss of power."""
    place.write(NAME, marks.to_bytes())
