"""What a scheduled run does besides fetching and extracting: which days, which files, what counts.

A run reads all that has landed of the days that are published and of those that are due, so that
the tables depend on what has landed, and not on the order in which days were made up. Only what is
new or changed is extracted.
"""

from __future__ import annotations

import contextlib
import datetime
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import filelock
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import audit, drift, store, tables, watermarks
from pipeline.audit import OURS, Declared, written
from pipeline.audit.published import cases, run_of
from pipeline.fetch import SERVICES, Fetched
from pipeline.places import Place, is_remote, place_of
from pipeline.records import PipelineError
from pipeline.review import claims, page
from pipeline.rules import load_rules
from pipeline.settings import Settings
from pipeline.store.manifest import Part, get_table, made_by
from pipeline.store.reading import paper_of_line
from pipeline.store.shards import noted
from pipeline.store.snapshots import compact
from pipeline.watermarks import Marked, Tried

CATCH_UP = 31
"""How many days of a service one run makes up; after a longer pause the next runs go on."""

AUDIT_PAGE = "audit.html"

# A table in this many more files than one run would write is compacted.
MANY_PARTS = 64

BATCH = 31
"""How many days of services a backfill publishes at once."""

Landed = tuple[str, datetime.date]
"""A service and a day."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What the days of a run come to: rows by table and `rejects`, of each and of all together.

    `papers` are the ids of those that are new.
    """

    counts: Mapping[Landed, Mapping[str, int]]
    total: Mapping[str, int]
    papers: frozenset[str]


def enabled(settings: Settings, services: Sequence[str] | None = None) -> list[str]:
    """The services that are asked for, or else those that the settings enable.

    Raises PipelineError where there is none of such a name, or none at all.
    """
    if unknown := sorted(set(services or ()) - set(SERVICES)):
        raise PipelineError(
            f"{', '.join(unknown)}: no such service; there are {', '.join(SERVICES)}"
        )
    found = [
        name
        for name in SERVICES
        if (name in services if services else settings.services.of(name).enabled)
    ]
    if not found:
        raise PipelineError("no service is enabled; set services.NAME.enabled in the settings")
    return found


def day_before(moment: datetime.datetime) -> datetime.date:
    """The last whole day before a moment, in UTC."""
    return moment.astimezone(datetime.UTC).date() - watermarks.ONE_DAY


def due(
    settings: Settings, services: Iterable[str], through: datetime.date
) -> list[tuple[str, datetime.date]]:
    """The days that a run up to this one has to fetch, service by service, the oldest first."""
    marks = watermarks.read(place_of(settings.runs.out))
    return [
        (service, day)
        for service in services
        for day in marks.due(service, through, settings.runs.since)[:CATCH_UP]
    ]


def missing(
    settings: Settings, services: Iterable[str], first: datetime.date, last: datetime.date
) -> list[tuple[str, datetime.date]]:
    """The days from first to last, both among them, that are not published, day by day."""
    if first > last:
        raise PipelineError(f"{first} to {last}: the first day comes after the last")
    marks = watermarks.read(place_of(settings.runs.out))
    found = [(day, service) for service in services for day in marks.due(service, last, first)]
    return [(service, day) for day, service in sorted(found)]


@contextlib.contextmanager
def turn(landing: Path, wait: float) -> Iterator[None]:
    """Keep other scheduled runs off what has landed; waits up to `wait` seconds for their end.

    The lock ends with its process. Raises PipelineError where the wait was in vain.
    """
    landing.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(landing / ".lock")
    try:
        lock.acquire(timeout=wait)
    except filelock.Timeout as error:
        raise PipelineError(
            f"{landing}: another scheduled run has been at work here for {wait:.0f} s; this one "
            "gives up, the next makes up what is missing"
        ) from error
    try:
        yield
    finally:
        lock.release()


def sources(desk: store.Desk, settings: Settings, fetched: Iterable[Fetched]) -> list[str]:
    """The files of all days that are published or have just landed, in order.

    A file of a published day that somebody has taken away is left out; its papers stay.
    """
    landing = settings.runs.landing
    anew = {(one.service, one.day): _names(landing, one) for one in fetched}
    before = {
        (service, day): marked.files
        for service, marked_days in watermarks.read(desk.place).days.items()
        for day, marked in marked_days.items()
    }
    return [
        str(landing / name)
        for key, names in sorted((before | anew).items())
        for name in names
        if key in anew or (landing / name).exists()
    ]


def _names(landing: Path, fetched: Fetched) -> tuple[str, ...]:
    """The files of a day below the landing folder, wherever that is."""
    root = landing.resolve()
    return tuple(path.resolve().relative_to(root).as_posix() for path in fetched.paths)


# --- what a day comes to


def measure(
    desk: store.Desk, plan: store.Plan, settings: Settings, fetched: Iterable[Fetched]
) -> Measured:
    """Rows by table of each day that has landed, before they are published.

    A paper that several services have counts for each. Counted are the shards of this run and what
    is published already, so that a day that is done again comes to the same.
    """
    marks = watermarks.read(desk.place)
    # What a run published that was killed before it could mark its days has not been told yet.
    is_unmarked = desk.base is not None and not marks.has_run(desk.base.run_id)
    days: dict[str, Landed] = {}
    counts: dict[Landed, Counter[str]] = {}
    for one in fetched:
        key = (one.service, one.day)
        counts[key] = Counter()
        for name in _names(settings.runs.landing, one):
            days[str(settings.runs.landing / name)] = key
    days_of: dict[str, set[Landed]] = defaultdict(set)
    with (plan.scratch / "papers.jsonl").open("rb") as spool:
        for line in spool:
            paper = paper_of_line(line)
            if (key_of := days.get(paper.source)) is not None:
                days_of[paper.paper_id].add(key_of)
    for told in (plan.scratch / "rejects").glob("*.jsonl"):
        for line in told.read_bytes().splitlines():
            if (key_of := days.get(json.loads(line)[0])) is not None:
                counts[key_of]["rejects"] += 1
    total = Counter({"rejects": sum(one["rejects"] for one in counts.values())})
    fresh: set[str] = set()
    left = set(days_of)
    for part, failed, is_new in _parts(desk, plan):
        for paper_id in failed & left:
            for key in days_of[paper_id]:
                counts[key]["rejects"] += 1
        ids = left & set(get_table(desk.place, part.files["papers"], ["paper_id"])[0].to_pylist())
        left -= ids
        for table in tables.EXTRACTED if ids else ():
            found = get_table(desk.place, part.files[table], ["paper_id"])[0]
            for row in pc.value_counts(found).to_pylist():
                if row["values"] in ids:
                    total[table] += row["counts"]
                    for key in days_of[row["values"]]:
                        counts[key][table] += row["counts"]
        fresh |= {
            paper_id
            for paper_id in ids
            if is_new or (is_unmarked and not any(map(marks.has, days_of[paper_id])))
        }
    every = (*tables.EXTRACTED, "rejects")
    return Measured(
        {key: {name: found[name] for name in every} for key, found in sorted(counts.items())},
        {name: total[name] for name in every},
        frozenset(fresh),
    )


def _parts(desk: store.Desk, plan: store.Plan) -> Iterator[tuple[Part, set[str], bool]]:
    """The parts that a run has made, with the papers that failed, then those published before."""
    maker = made_by(plan.fingerprint)
    for shard in plan.shards:
        part, failed = noted(desk.place, shard, maker)
        yield part, set(failed), True
    if desk.base is not None and not plan.stale:
        yield from ((part, set(), False) for part in desk.base.parts)


def unusual(
    desk: store.Desk, settings: Settings, measured: Measured, now: datetime.datetime
) -> list[drift.Unusual]:
    """What is unusual about the days, next to those published before.

    How many papers a day has is asked only once its service adds no more to it.
    """
    marks = watermarks.read(desk.place)
    found = []
    for (service, day), counts in measured.counts.items():
        history = {
            other: marked.counts
            for other, marked in marks.days.get(service, {}).items()
            if marked.is_final
        }
        is_whole = _is_final(settings, service, day, now)
        found += drift.unusual(service, day, counts, history, is_whole=is_whole)
    return found


def _is_final(settings: Settings, service: str, day: datetime.date, now: datetime.datetime) -> bool:
    """Whether a service adds no more to what it says of a day, fetched now."""
    settles = datetime.timedelta(settings.services.of(service).settles)
    return now.date() > day + settles


def stale(settings: Settings, services: Iterable[str], through: datetime.date) -> dict[str, str]:
    """Of the services whose newest day lies too far behind `through`, how far."""
    marks = watermarks.read(place_of(settings.runs.out))
    found = {}
    for service in services:
        newest = marks.newest(service)
        if newest is None:
            found[service] = "no day is published yet"
        elif (behind := (through - newest).days) > settings.runs.fresh:
            found[service] = f"the newest day is {newest}, {behind} days behind"
    return found


def why_not(found: object) -> str:
    """Why a day is not there, by what its fetch gave."""
    if isinstance(found, PipelineError):
        return str(found)
    if isinstance(found, Exception):
        return f"{type(found).__name__}; the log of its task has more"
    return "not whole yet"


def mark(
    place: Place,
    settings: Settings,
    fetched: Iterable[Fetched],
    measured: Measured,
    run_id: str | None,
    now: datetime.datetime,
) -> None:
    """Mark these days as published; to be called while the place is locked, after publishing."""
    marks = watermarks.read(place)
    for one in fetched:
        key = (one.service, one.day)
        files = _names(settings.runs.landing, one)
        is_final = _is_final(settings, *key, now)
        marks.mark(*key, Marked(files, measured.counts[key], is_final, run_id, now))
    watermarks.write(place, marks)


def note_tries(
    place: Place, wanted: Iterable[Landed], failures: Mapping[Landed, str], now: datetime.datetime
) -> None:
    """Keep how the fetch of each service ended, for those who ask why it has nothing new."""
    marks = watermarks.read(place)
    for service, day in wanted:
        failure = failures.get((service, day))
        earlier = marks.tried.get(service)
        if failure is None and earlier is not None and earlier.at == now:
            continue  # a failure of another day stays
        marks.tried[service] = Tried(now, failure and f"{day}: {failure}")
    watermarks.write(place, marks)


# --- after publishing


def tidy(out: str) -> str | None:
    """Compact tables that many small runs have left in many files; the new snapshot, if any."""
    place = place_of(out)
    manifest = store.published(place)
    if manifest is None or len(manifest.parts) < MANY_PARTS + manifest.rows["papers"] / 1024:
        return None
    return compact(out)


def audited(settings: Settings, papers: frozenset[str]) -> tuple[audit.Audited, Path] | None:
    """Audit what is published, and write the review page of these papers as one offline file.

    The findings go to the tables beside the others, as `paperclaims audit` writes them. Without
    papers the page stays as it is. None for tables that are not in a folder of this machine, which
    cannot be audited in place.
    """
    if is_remote(settings.runs.out):
        return None
    folder = Path(settings.runs.out)
    own = settings.runs.rules
    declared = Declared(lambda: load_rules(own)) if own else OURS
    found = audit.audit(folder, declared=declared)
    written.write(folder, found)
    path = folder / AUDIT_PAGE
    if papers or not path.exists():
        snapshot = tables.snapshot(folder)
        chosen = (one for one in cases(snapshot, declared=declared) if one.paper_id in papers)
        made = claims.cards_of(chosen, found.findings, run_of(snapshot))
        page.write_offline(path, made, declared=declared)
    return found, path


def rows_of_papers(out: str, name: str, papers: frozenset[str]) -> pa.Table:
    """The rows of a published table that belong to these papers."""
    wanted = pa.array(sorted(papers), pa.string())
    kept = [
        pa.Table.from_batches([batch]).filter(pc.is_in(batch.column("paper_id"), wanted))
        for batch in tables.read_batches(out, name)
    ]
    return pa.concat_tables([tables.TABLES[name].empty_table(), *kept])
