"""What a run has to do: sources against what is published, paper by paper, told by columns.

Of each paper only numbers are kept in memory: digests of its text, of its whole record, of the keys
under which another source may have it. 1,000,000 papers take some 150 MB.

One paper may come as several records. Records of one arXiv id, ACL id, DOI or OpenReview id are
one paper, and so are records of the same normalised title with nearly the same abstract. The record
with the best id is published, the others are held, so that any of them can be the paper once the
rest has changed, and the result does not depend on which came first.
"""

from __future__ import annotations

import datetime
import functools
import hashlib
import itertools
import json
import re
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline import tables
from pipeline.places import Place
from pipeline.records import Paper, Reject
from pipeline.sources import read_each
from pipeline.sources.fields import derived_id
from pipeline.store.manifest import (
    HELD_SCHEMA,
    INDEX,
    INDEX_SCHEMA,
    Manifest,
    get_table,
)

KEYS = ("text", "record", "source", "identity", "address", "title")

# Two abstracts are nearly the same where they share this part of their words.
SAME_WORDS = 0.7
# In more records of one title than this, abstracts must be the same: nobody compares all pairs.
MANY = 100
# How many records have their texts in memory together.
AT_ONCE = 4096

_SCHEMES = ("arxiv:", "acl:", "doi:", "openreview:")
_BARE_ARXIV = re.compile(r"\d{4}\.\d{4,5}(?:v\d+)?")
_DERIVED = ("title:", "text:")

Numbers = npt.NDArray[np.uint64]


@dataclass(slots=True)
class Columns:
    """Digests of records, one array for each kind; all are as long as `ids`."""

    ids: list[str] = field(default_factory=list)
    keys: dict[str, array[int]] = field(default_factory=lambda: {key: array("Q") for key in KEYS})
    says: array[int] = field(default_factory=lambda: array("B"))

    def add(self, paper: Paper) -> None:
        """Put the digests of one more record at the end."""
        self.ids.append(paper.paper_id)
        for key, value in zip(KEYS, keys_of(paper), strict=True):
            self.keys[key].append(value)
        self.says.append(says(paper))


def keys_of(paper: Paper) -> tuple[int, ...]:
    """The digests of a record, in the order of KEYS; 0 where it has no such key."""
    record = (str(paper.published), str(paper.url), paper.source)
    text = hashlib.sha256(f"{paper.title}\n\n{paper.abstract}".encode()).digest()
    identity = _identity(paper.paper_id)
    address = derived_id("", "", paper.url) if paper.url else ""
    if not address.startswith(_SCHEMES) or address == identity:
        address = ""
    title = derived_id(paper.title, "", None)
    return (
        int.from_bytes(text[:8], "little"),
        _digest("\0".join(record)),
        _digest(paper.source),
        _digest(identity),
        _digest(address),
        _digest(title if title.startswith("title:") else ""),
    )


def index_table(papers: Sequence[Paper]) -> pa.Table:
    """The bookkeeping rows of these papers, in the order given."""
    keys = list(zip(*map(keys_of, papers), strict=True)) if papers else [()] * len(KEYS)
    columns = [[paper.paper_id for paper in papers], *keys, [says(paper) for paper in papers]]
    arrays = [
        pa.array(list(column), type=field.type)
        for column, field in zip(columns, INDEX_SCHEMA, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=INDEX_SCHEMA)


def says(paper: Paper) -> int:
    """How much a record says besides its text."""
    return 2 * (paper.published is not None) + (paper.url is not None)


def _identity(paper_id: str) -> str:
    """An id without its version and in one spelling; none where it was made from a title."""
    if paper_id.startswith(_DERIVED):
        return ""
    if _BARE_ARXIV.fullmatch(paper_id):
        return f"arxiv:{paper_id.partition('v')[0]}"
    known = derived_id("", "", paper_id)
    return known if known.startswith(_SCHEMES) else paper_id


def _digest(text: str) -> int:
    if not text:
        return 0
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def paper_line(paper: Paper) -> bytes:
    """A paper as one line of JSON."""
    published = None if paper.published is None else paper.published.isoformat()
    texts = (paper.paper_id, paper.title, paper.abstract, published, paper.url, paper.source)
    return line(texts)


def line(texts: Iterable[str | None]) -> bytes:
    """Texts as one line of JSON that UTF-8 can hold."""
    # The sources give encodable texts, but the name of a file may be no UTF-8.
    clean = [text if text is None else tables.encodable(text) for text in texts]
    return json.dumps(clean, ensure_ascii=False).encode() + b"\n"


def paper_of_line(told: bytes) -> Paper:
    """The paper of such a line."""
    paper_id, title, abstract, published, url, source = json.loads(told)
    date = None if published is None else datetime.date.fromisoformat(published)
    return Paper(paper_id, title, abstract, date, url, source)


class Spool:
    """Papers on disk, read by the place they were written at."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._end = 0
        self._is_at_end = True  # to seek is to write out what has been gathered

    def add(self, paper: Paper) -> int:
        """Where this paper stands from now on."""
        at = self._end
        if not self._is_at_end:
            self._file.seek(at)
            self._is_at_end = True
        self._end += self._file.write(paper_line(paper))
        return at

    def line(self, at: int) -> bytes:
        """The line that stands there."""
        self._is_at_end = False
        self._file.seek(at)
        return self._file.readline()

    def paper(self, at: int) -> Paper:
        """The paper that stands there."""
        return paper_of_line(self.line(at))


@dataclass(slots=True)
class Read:
    """What the sources gave: each id once, in the order of the ids."""

    columns: Columns
    places: array[int]
    names: frozenset[str]
    broken: frozenset[str]


def read_sources(
    sources: Sequence[str],
    spool: Spool,
    rejects: Path,
    *,
    format: str | None,
    year: int | None,
    told: Callable[[int], object],
) -> Read:
    """Read all sources into the spool; `told` is called with the papers read so far.

    Where an id comes twice, the record with the longest abstract is the paper, whatever the order;
    another with the same text is the same paper, one with another text a reject.
    """
    found = Columns()
    places = array("Q")
    names = set(sources)
    broken = set()
    with rejects.open("wb") as refused:
        for record in read_each(sources, format=format, year=year):
            names.add(record.source)
            if isinstance(record, Reject):
                refused.write(reject_line(record))
                if not record.excerpt:
                    broken.add(record.source)  # a file that breaks off, or is not there at all
                continue
            clean = encodable_paper(record)
            found.add(clean)
            places.append(spool.add(clean))
            told(len(places))
        order = sorted(range(len(found.ids)), key=found.ids.__getitem__)
        kept: list[int] = []
        for _, same_id in itertools.groupby(order, key=found.ids.__getitem__):
            first, *others = same_id
            if others:
                first, twice = _settle_same_id(spool, places, [first, *others])
                refused.writelines(map(reject_line, twice))
            kept.append(first)
        del order
    chosen = Columns([found.ids[number] for number in kept])
    for key in KEYS:
        # One after the other, so that all of both are never there at once.
        chosen.keys[key] = _picked(found.keys.pop(key), kept)
    chosen.says = array("B", (found.says[number] for number in kept))
    taken = _picked(places, kept)
    return Read(chosen, taken, frozenset(names), frozenset(broken))


def _picked(values: array[int], kept: Sequence[int]) -> array[int]:
    return array("Q", (values[number] for number in kept))


def encodable_paper(paper: Paper) -> Paper:
    """The paper with texts and names that UTF-8 can hold."""
    texts = (paper.paper_id, paper.title, paper.abstract, paper.url or "", paper.source)
    if all(text.isascii() for text in texts):
        return paper
    paper_id, title, abstract, url, source = map(tables.encodable, texts)
    return Paper(paper_id, title, abstract, paper.published, url if paper.url else None, source)


def _settle_same_id(
    spool: Spool, places: array[int], numbers: Sequence[int]
) -> tuple[int, list[Reject]]:
    """Which of the records of one id is the paper, and a reject for each with another text."""

    def preference(number: int) -> tuple[object, ...]:
        paper = found[number]
        # The record that says most; the rest only makes the choice the same in any order.
        text = (-len(paper.abstract), paper.title, paper.abstract)
        return (*text, *_rank(paper), paper.source, str(paper.published), str(paper.url))

    found = {number: spool.paper(places[number]) for number in numbers}
    best, *others = sorted(numbers, key=preference)
    text = tables.text_sha256(found[best])
    return best, [
        reject_of(found[other], "same id with other text")
        for other in others
        if tables.text_sha256(found[other]) != text
    ]


def _rank(paper: Paper) -> tuple[int, int]:
    return -says(paper), keys_of(paper)[1]


def reject_of(paper: Paper, reason: str) -> Reject:
    """A reject for a paper, with its first words."""
    text = f"{paper.title}\n\n{paper.abstract}"
    return Reject(paper.source, f"paper {paper.paper_id}", reason, text[:500])


def reject_line(reject: Reject) -> bytes:
    """A reject as one line of JSON."""
    return line((reject.source, reject.position, reject.reason, reject.excerpt[:500]))


# --- what is published


class State:
    """All records that the published snapshot knows: rows of `papers` and those that are held.

    Records have numbers: those of `papers` part by part, then those that are held.
    """

    def __init__(self, place: Place, base: Manifest | None, held: Held) -> None:
        self.place = place
        self.base = base
        self.held = held
        parts = () if base is None else base.parts
        found = [get_table(place, part.files[INDEX]) for part in parts]
        sizes = [table.num_rows for table in found]
        self.published = sum(sizes)
        rows = held.table.num_rows
        part_of = np.repeat(np.arange(len(found), dtype=np.int64), sizes)
        self.part = np.concatenate([part_of, np.full(rows, -1, dtype=np.int64)])
        table = pa.concat_tables([*found, held.table.select(INDEX_SCHEMA.names).cast(INDEX_SCHEMA)])
        self.ids: pa.Array = _whole(table, "paper_id")
        self.keys = {key: _numbers(table, key) for key in KEYS}
        self.says = _numbers(table, "says")

    def __len__(self) -> int:
        return len(self.part)

    def papers(self, numbers: Iterable[int]) -> dict[int, Paper]:
        """These records in full, each part read once."""
        held: list[int] = []
        by_part: dict[int, list[int]] = defaultdict(list)
        for number in numbers:
            if number >= self.published:
                held.append(number - self.published)
            else:
                by_part[int(self.part[number])].append(number)
        found = {self.published + row: paper for row, paper in self.held.papers(held).items()}
        for part, wanted in by_part.items():
            assert self.base is not None
            first = int(np.searchsorted(self.part[: self.published], part))
            rows = get_table(self.place, self.base.parts[part].files["papers"], PAPER_COLUMNS)
            taken = rows.take(pa.array([number - first for number in wanted])).to_pylist()
            for number, row in zip(wanted, taken, strict=True):
                found[number] = Paper(**row)
        return found

    def sources(self) -> pa.Array:
        """Where each record was read."""
        chunks = [
            chunk.cast(pa.string())
            for part in (self.base.parts if self.base is not None else ())
            for chunk in get_table(self.place, part.files["papers"], ["source"])[0].chunks
        ]
        held = self.held.table.column("source_text").chunks
        return pa.concat_arrays([*chunks, *held, pa.array([], pa.string())])

    def all_papers(self) -> Iterator[tuple[int, Paper]]:
        """Every published paper with its number, part by part."""
        number = itertools.count()
        for part in self.base.parts if self.base is not None else ():
            rows = get_table(self.place, part.files["papers"], PAPER_COLUMNS)
            for row in rows.to_pylist():
                yield next(number), Paper(**row)


PAPER_COLUMNS = ["paper_id", "title", "abstract", "published", "url", "source"]


def _whole(table: pa.Table, column: str) -> pa.Array:
    return pa.concat_arrays(table.column(column).chunks or [pa.array([], table[column].type)])


def _numbers(table: pa.Table, column: str) -> Numbers:
    return np.asarray(_whole(table, column).to_numpy(zero_copy_only=False), dtype=np.uint64)


class Held:
    """Records that are held, by their row in a file of HELD; without a file there are none.

    Their texts, which are as long as those of papers, are read where they are asked for.
    """

    def __init__(self, file: pq.ParquetFile | None) -> None:
        self._file = file
        self.table = (
            HELD_SCHEMA.empty_table()
            if file is None
            else file.read(
                use_threads=False,
                columns=[*INDEX_SCHEMA.names, "source_text", "same_as", "failure"],
            )
        )
        groups = 0 if file is None else file.num_row_groups
        sizes = [file.metadata.row_group(group).num_rows for group in range(groups)] if file else []
        self._starts = np.cumsum([0, *sizes])
        self._read = functools.lru_cache(maxsize=2)(self._group)

    def _group(self, number: int) -> pa.Table:
        assert self._file is not None
        return self._file.read_row_group(number, use_threads=False)

    def take(self, rows: Sequence[int]) -> pa.Table:
        """These rows, which are given in order, with all their columns."""
        groups = np.searchsorted(self._starts, rows, side="right") - 1
        pieces = [
            self._read(group).take(pa.array([rows[i] - self._starts[group] for i in which]))
            for group, which in itertools.groupby(range(len(rows)), key=lambda i: int(groups[i]))
        ]
        return pa.concat_tables([HELD_SCHEMA.empty_table(), *pieces]).cast(HELD_SCHEMA)

    def papers(self, rows: Iterable[int]) -> dict[int, Paper]:
        """The records of these rows."""
        wanted = sorted(rows)
        return {
            row: _paper_of_row(told)
            for row, told in zip(wanted, self.take(wanted).to_pylist(), strict=True)
        }

    def failed(self) -> list[int]:
        """The rows of papers whose extraction failed."""
        found = self.table.column("failure").is_valid().to_numpy()
        return list(map(int, np.flatnonzero(found)))

    def failure(self, row: int) -> str:
        """Why the extraction of this one failed."""
        return str(self.table.column("failure")[row].as_py())


def _paper_of_row(row: Mapping[str, Any]) -> Paper:
    date = row["published"] and datetime.date.fromisoformat(row["published"])
    texts = (row["paper_id"], row["title_text"], row["abstract"])
    return Paper(*texts, date, row["url"], row["source_text"])


def held_table(records: Sequence[tuple[Paper, str | None, str | None]]) -> pa.Table:
    """Held records: paper, the paper it is the same as, its failure."""
    papers = [paper for paper, _, _ in records]
    index = index_table(papers)
    more = {
        "title_text": [paper.title for paper in papers],
        "abstract": [paper.abstract for paper in papers],
        "published": [paper.published and paper.published.isoformat() for paper in papers],
        "url": [paper.url for paper in papers],
        "source_text": [paper.source for paper in papers],
        "same_as": [same for _, same, _ in records],
        "failure": [failure for _, _, failure in records],
    }
    arrays = [*index.columns, *(pa.array(more[name], pa.string()) for name in more)]
    return pa.Table.from_arrays(arrays, schema=HELD_SCHEMA)


# --- what is to be done


@dataclass(slots=True)
class Changes:
    """What a run does to the published papers.

    `extract` are ids and their places in the spool, in the order of the ids; `drop` the ids that
    leave each part; `tell` papers whose date, address or source alone is another, by their places;
    `held` what is held anew: id, place, the paper it is the same as; `held_rows` which held records
    stay so.
    """

    extract: list[tuple[str, int]] = field(default_factory=list)
    drop: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    tell: dict[int, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    held: list[tuple[str, int, str]] = field(default_factory=list)
    held_rows: list[int] = field(default_factory=list)
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0


def changes(  # noqa: PLR0915, one case after the other
    state: State, read: Read, spool: Spool, *, stale: bool, gone: npt.NDArray[np.bool_]
) -> Changes:
    """Compare what was read with what is published; `gone` marks records that left their source.

    With `stale` every paper is extracted anew, read or not.
    """
    made = Changes()
    ours = len(read.columns.ids)
    theirs = len(state)
    now = {key: np.asarray(read.columns.keys[key], dtype=np.uint64) for key in KEYS}
    now_says = np.asarray(read.columns.says, dtype=np.uint64)
    found = pc.index_in(pa.array(read.columns.ids, pa.string()), value_set=state.ids)
    at = np.asarray(found.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)
    known = at >= 0
    before = np.where(known, at, 0)

    def earlier(key: str) -> Numbers:
        return state.keys[key][before] if theirs else np.zeros(ours, dtype=np.uint64)

    says_before = state.says[before] if theirs else np.zeros(ours, dtype=np.uint64)
    same_text = known & (now["text"] == earlier("text"))
    same_record = same_text & (now["record"] == earlier("record"))
    # Of two sources the one that says more is told, of one source what it says now.
    better = (now["source"] == earlier("source")) | (
        (now_says > says_before) | ((now_says == says_before) & (now["record"] < earlier("record")))
    )
    if theirs:
        better |= gone[before]
    told_anew = same_text & ~same_record & better
    made.new = int((~known).sum())
    made.changed = int((known & ~same_text).sum())
    made.unchanged = int(same_text.sum())
    # A record of the sources replaces the published one of its id, or is not needed.
    taken = ~same_text | told_anew
    replaced = np.zeros(theirs, dtype=bool)
    replaced[at[known & taken]] = True
    gone = gone.copy()
    gone[at[known]] = False
    made.removed = int(gone.sum())

    # From here on a record is a number: first those of the state, then those of the sources.
    alive = np.concatenate([~replaced & ~gone, taken])
    touched = np.concatenate([np.zeros(theirs, dtype=bool), taken])
    keys = {key: np.concatenate([state.keys[key], now[key]]) for key in KEYS}
    left = (replaced | gone).nonzero()[0]
    groups = _Groups(state, read, spool)
    lost = groups.settle(keys, alive, touched, left)

    # Rows of `papers` whose text stays: only what is told of them is another.
    told = {
        int(at[mine]): mine
        for mine in told_anew.nonzero()[0].tolist()
        if at[mine] < state.published and theirs + mine not in lost
    }
    if not stale:
        leave = {*left.tolist(), *lost}
        for number in sorted(number for number in leave if number < state.published):
            paper_id = state.ids[number].as_py()
            part = int(state.part[number])
            if number in told:
                made.tell[part][paper_id] = read.places[told[number]]
            else:
                made.drop[part].add(paper_id)
    stays = set() if stale else set(told.values())
    for mine in taken.nonzero()[0].tolist():
        if theirs + mine not in lost and mine not in stays:
            made.extract.append((read.columns.ids[mine], read.places[mine]))
    _settle_held(state, alive, groups, lost, made, spool, stale)
    newly = sorted(number for number in lost if number < state.published)
    for some in _batches(newly):
        for number, paper in state.papers(some).items():
            made.held.append((paper.paper_id, spool.add(paper), lost[number]))
    for number, same_as in lost.items():
        if (mine := number - theirs) >= 0:
            made.held.append((read.columns.ids[mine], read.places[mine], same_as))
    if stale:
        for number, paper in state.all_papers():
            if alive[number] and number not in lost:
                made.extract.append((paper.paper_id, spool.add(paper)))
    made.extract.sort()
    return made


def _settle_held(
    state: State,
    alive: npt.NDArray[np.bool_],
    groups: _Groups,
    lost: Mapping[int, str],
    made: Changes,
    spool: Spool,
    stale: bool,
) -> None:
    """What becomes of the records that were held: most stay as they are."""
    failed = set(state.held.failed())
    same_as = state.held.table.column("same_as").to_pylist()
    for row, before in enumerate(same_as):
        number = state.published + row
        if not alive[number]:
            continue
        has_failed = row in failed
        now = lost.get(number)
        if now is None and (stale if has_failed else groups.settled[number]):
            paper = state.held.papers([row])[row]
            made.extract.append((paper.paper_id, spool.add(paper)))
        elif now is not None and (has_failed or now != before):
            paper = state.held.papers([row])[row]
            made.held.append((paper.paper_id, spool.add(paper), now))
        else:
            made.held_rows.append(row)


class _Groups:
    """Records of one paper, and which of them it is published by."""

    def __init__(self, state: State, read: Read, spool: Spool) -> None:
        self._state = state
        self._read = read
        self._spool = spool
        # Which records were compared with all they share a key with.
        self.settled = np.zeros(len(state) + len(read.columns.ids), dtype=bool)

    def papers(self, numbers: Iterable[int]) -> dict[int, Paper]:
        """These records in full."""
        numbers = list(numbers)
        theirs = len(self._state)
        found = self._state.papers(number for number in numbers if number < theirs)
        for number in numbers:
            if number >= theirs:
                found[number] = self._spool.paper(self._read.places[number - theirs])
        return found

    def settle(
        self,
        keys: Mapping[str, Numbers],
        alive: npt.NDArray[np.bool_],
        touched: npt.NDArray[np.bool_],
        left: npt.NDArray[np.int64],
    ) -> dict[int, str]:
        """Records that are not published, each with the id of the paper that it is.

        Only groups are looked at that something was added to, or that something left.
        """
        kinds = [keys["identity"], keys["address"], keys["title"]]
        shared = _shared(kinds, alive)
        left_keys = np.concatenate([kind[left] for kind in kinds]) if len(left) else None
        near_left = np.zeros(len(alive), dtype=bool)
        if left_keys is not None:
            near_left = _any_in(kinds, left_keys[left_keys != 0]) & alive
        members = (alive & (shared | near_left)).nonzero()[0]
        component = _components([kind[members] for kind in kinds])
        order = np.argsort(component, kind="stable")
        members, component = members[order], component[order]
        starts = np.flatnonzero(np.diff(component, prepend=-1))
        lost: dict[int, str] = {}
        if not len(members):
            return lost
        sizes = np.diff(starts, append=len(members))
        is_new = np.logical_or.reduceat((touched | near_left)[members], starts)
        self.settled[members[np.repeat(is_new, sizes)]] = True
        several = is_new & (sizes > 1)
        groups = []
        count = 0
        for start, size in zip(starts[several].tolist(), sizes[several].tolist(), strict=True):
            groups.append(members[start : start + size].tolist())
            count += size
            if count >= AT_ONCE:
                lost |= self._settle_groups(groups, keys)
                groups, count = [], 0
        return lost | self._settle_groups(groups, keys)

    def _settle_groups(
        self, groups: Sequence[list[int]], keys: Mapping[str, Numbers]
    ) -> dict[int, str]:
        """Those of some groups, whose papers are read together."""
        papers = self.papers(itertools.chain.from_iterable(groups))
        lost: dict[int, str] = {}
        for group in groups:
            lost |= _settle_group(group, keys, papers)
        return lost


def _settle_group(
    group: list[int], keys: Mapping[str, Numbers], papers: Mapping[int, Paper]
) -> dict[int, str]:
    tied = _Sets()
    named: dict[int, int] = {}
    for number in group:
        tied.join(number, number)
        for kind in ("identity", "address"):
            if key := int(keys[kind][number]):
                tied.join(named.setdefault(key, number), number)
    titled: dict[int, list[int]] = defaultdict(list)
    for number in group:
        if key := int(keys["title"][number]):
            titled[key].append(number)
    for numbers in titled.values():
        if len(numbers) > MANY:
            same = {number: papers[number].abstract for number in numbers}
            first: dict[str, int] = {}
            for number in numbers:
                tied.join(first.setdefault(same[number], number), number)
            continue
        words = {number: _words(papers[number]) for number in numbers}
        for one, other in itertools.combinations(numbers, 2):
            if _nearly_same(words[one], words[other]):
                tied.join(one, other)
    lost: dict[int, str] = {}
    for same_paper in tied.groups():
        best = min(same_paper, key=lambda number: _preference(papers[number]))
        lost |= {n: papers[best].paper_id for n in same_paper if n != best}
    return lost


def _preference(paper: Paper) -> tuple[object, ...]:
    """The best known id, then the fullest text; the rest only settles it."""
    schemes = (*_SCHEMES, "", *_DERIVED)
    known = [scheme for scheme in schemes if scheme and paper.paper_id.startswith(scheme)]
    rank = schemes.index(known[0] if known else "")
    return rank, -len(paper.abstract), paper.paper_id


def _words(paper: Paper) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", paper.abstract.casefold()))


def _nearly_same(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= SAME_WORDS * len(one | other)


def _shared(kinds: Sequence[Numbers], alive: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which records have a key that another has as well."""
    every = np.concatenate([kind[alive] for kind in kinds])
    values, counts = np.unique(every[every != 0], return_counts=True)
    return _any_in(kinds, values[counts > 1])


def _any_in(kinds: Sequence[Numbers], values: Numbers) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = np.zeros(len(kinds[0]), dtype=bool)
    if len(values):
        for kind in kinds:
            found |= np.isin(kind, values)
    return found


def _components(kinds: Sequence[Numbers]) -> npt.NDArray[np.int64]:
    """For each record the first of all that it is tied to by keys they share, one by one."""
    count = len(kinds[0])
    every = np.concatenate(kinds)
    known = np.flatnonzero(every)
    _, first, key = np.unique(every[known], return_index=True, return_inverse=True)
    one, other = known % max(count, 1), known[first][key] % max(count, 1)
    found = np.arange(count, dtype=np.int64)
    while True:
        before = found.copy()
        lower = np.minimum(found[one], found[other])
        # What stands for either is tied as well, and is led to the first by leaps.
        for tied in (before[one], before[other], one, other):
            np.minimum.at(found, tied, lower)
        found = found[found]
        if np.array_equal(found, before):
            return found


def _batches(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for first in range(0, len(numbers), AT_ONCE):
        yield numbers[first : first + AT_ONCE]


class _Sets:
    """Disjoint sets of numbers."""

    def __init__(self) -> None:
        self._of: dict[int, int] = {}

    def find(self, number: int) -> int:
        """The number that stands for the set of this one."""
        root = number
        while (above := self._of.setdefault(root, root)) != root:
            root = above
        while self._of[number] != root:
            self._of[number], number = root, self._of[number]
        return root

    def join(self, one: int, other: int) -> None:
        """Make the sets of both one set."""
        first, second = sorted((self.find(one), self.find(other)))
        self._of[second] = first

    def groups(self) -> list[list[int]]:
        """All sets, each in order."""
        found: dict[int, list[int]] = defaultdict(list)
        for number in sorted(self._of):
            found[self.find(number)].append(number)
        return list(found.values())
