"""Precision, recall and F1 of what was extracted, against papers annotated by hand.

Names, sizes and links are compared as sets: each distinct thing counts once per paper, under any
of its spellings. Gains are compared in place: a value is found where a gain of the same kind and
the same value overlaps the evidence. What the annotation calls optional counts neither way.
`gains: value+benchmark` and `gains: full` ask of a found value, too, that what it is bound to is
right: benchmarks and direction; and model and metric as well.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from pipeline import tables
from pipeline.records import (
    BenchmarkRole,
    CodeStatus,
    Extraction,
    GainKind,
    LinkKind,
    ModelKind,
    ModelRole,
    Paper,
    PipelineError,
    SizeKind,
)

Record = Mapping[str, Any]
"""A record of the gold format: a paper's, or one of the lists in it."""

SCORED = (
    "models",
    "sizes",
    "sizes: parameters",
    "benchmarks",
    "gains: value",
    "gains: value+benchmark",
    "gains: full",
    "gains: sota",
    "links",
)
ATTRIBUTES = (
    "model kind",
    "model role",
    "benchmark role",
    "size model",
    "link kind",
    "code status",
    "gain benchmarks",
    "gain unit",
    "gain direction",
    "gain qualifiers",
    "gain metric",
    "gain model",
    "gain baseline",
)

_LISTS = ("models", "sizes", "benchmarks", "gains", "links")
_BOUND = ("benchmarks", "direction", "model", "metric")
_BINDINGS: Mapping[str, tuple[str, ...]] = {
    "gains: value+benchmark": ("benchmarks", "direction"),
    "gains: full": _BOUND,
}


class GoldError(PipelineError):
    """A file of papers or of records that does not have the format of the annotation guide."""


class Miss(NamedTuple):
    """A fault: `FN`, a thing of the gold that was not found, or `FP`, one found that is not."""

    paper_id: str
    table: str
    fault: Literal["FN", "FP"]
    what: str


@dataclass(slots=True)
class Tally:
    """Right, wrong and missed things of a table; without any, all measures are 1."""

    tp: int = 0
    fp: int = 0
    fn: int = 0

    @property
    def precision(self) -> float:
        """What part of the things found is right."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else 1.0

    @property
    def recall(self) -> float:
        """What part of the things to be found was found."""
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


@dataclass(slots=True)
class Accuracy:
    """How often an attribute of the things found is right."""

    right: int = 0
    total: int = 0

    @property
    def rate(self) -> float:
        """The part that is right; 1 where there was nothing to compare."""
        return self.right / self.total if self.total else 1.0


@dataclass(slots=True)
class Report:
    """The measures of all papers that are in the gold.

    `missing` are papers of the documents that were not extracted at all; their things count as
    missed. `faultless` counts papers in which nothing is missed or wrong.
    """

    tables: dict[str, Tally] = field(default_factory=lambda: {name: Tally() for name in SCORED})
    attributes: dict[str, Accuracy] = field(
        default_factory=lambda: {name: Accuracy() for name in ATTRIBUTES}
    )
    misses: list[Miss] = field(default_factory=list)
    papers: int = 0
    faultless: int = 0
    missing: tuple[str, ...] = ()


def score(
    docs: Path,
    gold: Path,
    predicted: Path | Iterable[Extraction] | None = None,
    *,
    rules_folders: Sequence[str | Path] = (),
) -> Report:
    """Measure what was extracted from the papers of `docs` against the records of `gold`.

    `predicted` is a folder of published tables, a file in the gold format, or extractions; without
    it the papers are extracted here and now. Raises GoldError for files that are not in the format.
    """
    papers = read_papers(docs)
    texts = {paper.paper_id: f"{paper.title}\n\n{paper.abstract}" for paper in papers}
    annotated = read_gold(gold)
    if not texts.keys() & annotated.keys():
        raise GoldError(
            f"{gold}: annotates none of the papers in {docs}; give the gold of these documents"
        )
    _check_places(gold, annotated, texts)
    if predicted is None:
        predicted = _extracted(papers, rules_folders)
    if not isinstance(predicted, Path):
        made = tables.rows(predicted)
        found = _records({name: made[name].to_pylist() for name in ("papers", *_LISTS)})
    elif predicted.is_dir():
        found = read_published(predicted, papers)
    else:
        found = read_gold(predicted)
    return compare(texts, annotated, found)


def _extracted(papers: Iterable[Paper], rules_folders: Sequence[str | Path]) -> list[Extraction]:
    # Here and not above: spaCy takes a second to import, and published tables do without it.
    from pipeline.extract import extractor_for  # noqa: PLC0415

    extractor = extractor_for(tuple(str(Path(folder).resolve()) for folder in rules_folders))
    return [extractor.extract(paper) for paper in papers]


def compare(
    texts: Mapping[str, str], gold: Mapping[str, Record], found: Mapping[str, Record]
) -> Report:
    """Measure records in the gold format against the gold, by paper id.

    `texts` holds each paper's title, blank line and abstract. A gain that was found stands at its
    `start` and `end` in that text, or, without these, where its evidence does.
    """
    report = Report(missing=tuple(sorted(texts.keys() - found.keys())))
    for paper_id, text in texts.items():
        if paper_id in gold:
            paper = _Paper(paper_id, text, gold[paper_id], found.get(paper_id, {}))
            paper.compare_sets()
            paper.compare_gains()
            _add(report, paper.report)
    return report


def _add(report: Report, one: Report) -> None:
    report.papers += 1
    report.faultless += not any(tally.fp or tally.fn for tally in one.tables.values())
    report.misses += one.misses
    for name, tally in one.tables.items():
        whole = report.tables[name]
        whole.tp += tally.tp
        whole.fp += tally.fp
        whole.fn += tally.fn
    for name, accuracy in one.attributes.items():
        report.attributes[name].right += accuracy.right
        report.attributes[name].total += accuracy.total


class _Paper:
    """The comparison of one paper, counted into a report of its own."""

    def __init__(self, paper_id: str, text: str, gold: Record, found: Record) -> None:
        self.paper_id = paper_id
        self.text = text
        self.gold = gold
        self.found = found
        self.report = Report()
        model_of = self.model_of = _speller(gold["models"])
        benchmark_of = _speller(gold["benchmarks"])
        # How two values of each attribute of a gain are compared.
        self.same: Mapping[str, Callable[[Any, Any], bool]] = {
            "benchmarks": lambda one, other: (
                set(map(benchmark_of, one or [])) == set(map(benchmark_of, other or []))
            ),
            "unit": lambda one, other: bool(one == other),
            "direction": lambda one, other: bool(one == other),
            "qualifiers": lambda one, other: set(one or []) == set(other or []),
            "metric": share_a_word,
            "model": lambda one, other: model_of(one) == model_of(other),
            "baseline": share_a_word,
        }

    def note(self, attribute: str, right: bool) -> None:
        self.report.attributes[attribute].total += 1
        self.report.attributes[attribute].right += right

    def miss(self, table: str, fault: Literal["FN", "FP"], what: str) -> None:
        tally = self.report.tables[table]
        if fault == "FN":
            tally.fn += 1
        else:
            tally.fp += 1
        # What is missed among the sizes of models is told as one of the sizes.
        if table != "sizes: parameters":
            self.report.misses.append(Miss(self.paper_id, table, fault, what))

    def compare_sets(self) -> None:
        for annotated, record in self.pairs("models", "models", _name_keys):
            self.note("model kind", record.get("kind") in _accepted(annotated, "kind"))
            self.note("model role", record.get("role") in _accepted(annotated, "role"))
        for annotated, record in self.pairs("benchmarks", "benchmarks", _name_keys):
            self.note("benchmark role", record.get("role") in _accepted(annotated, "role"))
        for annotated, record in self.pairs("sizes", "sizes", _size_keys):
            accepted = map(self.model_of, _accepted(annotated, "model"))
            self.note("size model", self.model_of(record.get("model")) in accepted)
        self.pairs("sizes: parameters", "sizes", _parameter_keys)
        for annotated, record in self.pairs("links", "links", _link_keys):
            self.note("link kind", record.get("kind") in _accepted(annotated, "kind"))
        status = self.gold["code_status"]
        accepted_status = (status, self.gold.get("code_status_or", status))
        self.note("code status", self.found.get("code_status") in accepted_status)

    def pairs(
        self, table: str, records: str, keys_of: Callable[[Record], list[str]]
    ) -> list[tuple[Record, Record]]:
        """Compare two lists as sets of things with several keys each, and pair what agrees."""
        required: dict[str, Record] = {}
        optional: dict[str, Record] = {}
        for annotated in self.gold[records]:
            for key in keys_of(annotated):
                (optional if annotated.get("optional") else required).setdefault(key, annotated)
        pairs = []
        hit: set[int] = set()
        seen: set[str] = set()
        for record in self.found.get(records, []):
            keys = [key for key in keys_of(record) if key]
            if not keys or keys[0] in seen:
                continue
            seen.update(keys)
            match = next((required[key] for key in keys if key in required), None)
            if match is not None:
                if id(match) not in hit:
                    hit.add(id(match))
                    self.report.tables[table].tp += 1
                    pairs.append((match, record))
            elif not record.get("optional") and not any(key in optional for key in keys):
                self.miss(table, "FP", keys[0])
        for annotated in {id(annotated): annotated for annotated in required.values()}.values():
            if id(annotated) not in hit:
                self.miss(table, "FN", annotated.get("surface") or annotated["url"])
        return pairs

    def compare_gains(self) -> None:
        """Find each annotated value where it stands, then ask what it was bound to."""
        annotated = [_claim(record, self.text) for record in self.gold["gains"]]
        left = [_claim(record, self.text) for record in self.found.get("gains", [])]
        # What is required is taken first, so that an optional record cannot take its match away.
        for claim in sorted(annotated, key=lambda claim: claim.optional):
            found = self.take(claim, left)
            if claim.optional:
                continue
            if found is None:
                self.miss_gain(claim, "FN")
            else:
                self.count_found(claim, found)
        for claim in left:
            if not claim.optional and not any(_excuses(other, claim) for other in annotated):
                self.miss_gain(claim, "FP")

    def take(self, claim: _Claim, left: list[_Claim]) -> _Claim | None:
        """Of the gains not yet taken, the one of this value and place that agrees in most."""
        candidates = [
            found
            for found in left
            if found.kind == claim.kind
            and found.values == claim.values
            and _overlap(found.place, claim.place)
        ]
        if not candidates:
            return None
        best = max(candidates, key=lambda found: sum(self.agree(claim, found, k) for k in _BOUND))
        left[:] = [found for found in left if found is not best]
        return best

    def agree(self, claim: _Claim, found: _Claim, attribute: str) -> bool:
        return self.same[attribute](claim.record.get(attribute), found.record.get(attribute))

    def count_found(self, claim: _Claim, found: _Claim) -> None:
        if claim.kind == "sota":
            self.report.tables["gains: sota"].tp += 1
            return
        self.report.tables["gains: value"].tp += 1
        right = {
            attribute: any(
                same(accepted, found.record.get(attribute))
                for accepted in _accepted(claim.record, attribute)
            )
            for attribute, same in self.same.items()
        }
        for attribute, is_right in right.items():
            self.note(f"gain {attribute}", is_right)
        for table, bound in _BINDINGS.items():
            tally = self.report.tables[table]
            if all(right[attribute] for attribute in bound):
                tally.tp += 1
            else:
                # Bound to something else: the gain that is there is wrong, the annotated missed.
                tally.fp += 1
                tally.fn += 1

    def miss_gain(self, claim: _Claim, fault: Literal["FN", "FP"]) -> None:
        start, end = claim.place
        where = claim.record.get("evidence") or self.text[max(0, start - 40) : end + 40]
        numbers = " ".join(f"{number:g}" for number in claim.values[1:])
        what = f"{' '.join(where.split())} | {claim.kind} {numbers}".rstrip()
        if claim.kind == "sota":
            self.miss("gains: sota", fault, what)
            return
        self.miss("gains: value", fault, what)
        for table in _BINDINGS:
            tally = self.report.tables[table]
            tally.fn += fault == "FN"
            tally.fp += fault == "FP"


_SIZE = re.compile(r"(?<![a-z0-9.])\d+(?:\.\d+)?\s?[bmkt](?![a-z0-9])")
_LATEX = re.compile(r"\\[a-zA-Z]+|[${}\\~^]")
_TAILS = re.compile(r"\b(models?|series|family|benchmarks?|datasets?|corpus|framework)\b")


def name_key(name: str | None) -> str:
    """What is compared of a name: not its case, punctuation, LaTeX, size or generic last word."""
    name = unicodedata.normalize("NFKC", name or "")
    bare = _LATEX.sub("", name)
    name = (bare if re.search(r"\w", bare) else name).lower()
    name = name.replace("textit", "").replace("texttt", "")
    name = _TAILS.sub(" ", _SIZE.sub(" ", name))
    return re.sub(r"[^a-z0-9+*]", "", name)


def url_key(url: str) -> str:
    """What is compared of an address: not its scheme, `www.`, case, or what closes it."""
    url = url.strip().rstrip(".,;)").rstrip("/")
    url = re.sub(r"^https?://(www\.)?", "", url, flags=re.IGNORECASE)
    return re.sub(r"\.git$", "", url).lower()


def _name_keys(record: Record) -> list[str]:
    spellings = [record.get("surface"), *(record.get("aliases") or [])]
    return [name_key(spelling) for spelling in spellings if spelling]


def _size_keys(record: Record) -> list[str]:
    return [f"{record['kind']}:{float(record['value']):.6g}"]


def _parameter_keys(record: Record) -> list[str]:
    return _size_keys(record) if record["kind"] == "parameters" else []


def _link_keys(record: Record) -> list[str]:
    return [url_key(record["url"])]


def _accepted(annotated: Record, attribute: str) -> list[Any]:
    """What the gold takes for an attribute: its own, and the other annotator's if there is one."""
    other = annotated.get("or", {})
    return [annotated.get(attribute), *([other[attribute]] if attribute in other else [])]


def _speller(records: Iterable[Record]) -> Callable[[str | None], str]:
    """From any spelling of a gold record to the key of the record; any other name is its own."""
    key = {
        name_key(spelling): name_key(record["surface"])
        for record in records
        for spelling in (record["surface"], *(record.get("aliases") or []))
    }
    return lambda name: key.get(name_key(name), name_key(name))


_IDLE = {"the", "a", "an", "of", "in", "on", "model", "models"}


def _words(text: str | None) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", (text or "").lower())) - _IDLE


def share_a_word(one: str | None, other: str | None) -> bool:
    """Whether two phrases are taken for the same: they share a word, or neither has any."""
    words, others = _words(one), _words(other)
    return bool(words & others) or not (words or others)


Place = tuple[int, int]


def _overlap(one: Place, other: Place) -> bool:
    return one[0] < other[1] and other[0] < one[1]


@dataclass(frozen=True, slots=True)
class _Claim:
    """A gain with what is compared in place: where it stands, and its number or numbers."""

    record: Record
    kind: str
    optional: bool
    place: Place
    values: tuple[Any, ...]


def _claim(record: Record, text: str) -> _Claim:
    if record.get("start") is not None:
        place = (record["start"], record["end"])
    else:
        start = text.find(record["evidence"])
        # Evidence that does not stand in the text overlaps nothing.
        place = (start, start + len(record["evidence"])) if start >= 0 else (0, 0)
    return _Claim(record, record["kind"], bool(record.get("optional")), place, _values(record))


def _values(record: Record) -> tuple[Any, ...]:
    if record["kind"] == "from_to":
        return "from_to", float(record["value_from"]), float(record["value_to"])
    if record.get("value_low") is not None and record.get("value_high") is not None:
        return "range", float(record["value_low"]), float(record["value_high"])
    value = record.get("value")
    return ("none",) if value is None else ("value", abs(float(value)))


def _excuses(annotated: _Claim, found: _Claim) -> bool:
    """Whether a found gain stands in the place of an optional one, and so is not wrong."""
    same = annotated.values == found.values or annotated.kind == found.kind == "sota"
    return annotated.optional and same and _overlap(annotated.place, found.place)


def read_papers(path: Path) -> list[Paper]:
    """The papers of a documents file: JSON lines with `paper_id`, `title` and `abstract`."""
    papers: dict[str, Paper] = {}
    faults: list[str] = []
    for where, record in _read_lines(path, faults):
        texts = [record.get(name) for name in ("paper_id", "title", "abstract")]
        if not all(isinstance(text, str) for text in texts):
            faults.append(f"{where}: needs 'paper_id', 'title' and 'abstract', each a string")
            continue
        paper_id, title, abstract = (tables.encodable(str(text)) for text in texts)
        papers[paper_id] = Paper(paper_id, title, abstract, source=str(path))
    _raise(faults)
    return list(papers.values())


def read_gold(path: Path) -> dict[str, Record]:
    """The records of a file in the format of the annotation guide, by paper id.

    Raises GoldError with all faults of the file.
    """
    records: dict[str, Record] = {}
    faults: list[str] = []
    for where, record in _read_lines(path, faults):
        paper_id = record.get("paper_id")
        if not isinstance(paper_id, str):
            faults.append(f"{where}: needs 'paper_id', a string")
            continue
        if paper_id in records:
            faults.append(f"{where}: {paper_id} is annotated twice; keep one of the lines")
        records[paper_id] = record
        _check_value(where, record, "code_status", _CODE_STATUS, faults)
        for name in _LISTS:
            listed = record.get(name)
            if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
                faults.append(f"{where}: needs '{name}', a list of records, empty if there is none")
                continue
            for number, one in enumerate(listed, start=1):
                _check_record(f"{where}, {name} {number}", name, one, faults)
    _raise(faults)
    return records


_CODE_STATUS = get_args(CodeStatus)
_STRINGS = {"gains": ("evidence",), "links": ("url",)}
_CHOICES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "models": {"kind": get_args(ModelKind), "role": get_args(ModelRole)},
    "sizes": {"kind": get_args(SizeKind)},
    "benchmarks": {"role": get_args(BenchmarkRole)},
    "gains": {"kind": get_args(GainKind)},
    "links": {"kind": get_args(LinkKind)},
}


def _check_record(where: str, table: str, record: Record, faults: list[str]) -> None:
    for name in _STRINGS.get(table, ("surface",)):
        if not isinstance(record.get(name), str):
            faults.append(f"{where}: needs '{name}', a string")
    for name, choices in _CHOICES[table].items():
        _check_value(where, record, name, choices, faults)
    for name in ("aliases", "benchmarks", "qualifiers"):
        listed = record.get(name) or []
        if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
            faults.append(f"{where}: '{name}' is a list of strings")
    if not isinstance(record.get("or", {}), dict):
        faults.append(f"{where}: 'or' holds the other annotator's attributes by name")
    # One of these sets of numbers must be there, and a number is never a string.
    if table == "sizes":
        numbers: tuple[tuple[str, ...], ...] = (("value",),)
    elif table == "gains" and record.get("kind") == "from_to":
        numbers = (("value_from", "value_to"),)
    elif table == "gains" and record.get("kind") != "sota":
        numbers = (("value",), ("value_low", "value_high"))
    else:
        return
    if not any(all(_is_number(record.get(name)) for name in names) for names in numbers):
        needed = ", or ".join(" and ".join(f"'{name}'" for name in names) for names in numbers)
        faults.append(f"{where}: needs {needed}, as numbers")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _check_value(
    where: str, record: Record, name: str, choices: tuple[str, ...], faults: list[str]
) -> None:
    if record.get(name) not in choices:
        faults.append(
            f"{where}: '{name}' is {record.get(name)!r}; it is one of {', '.join(choices)}"
        )


def _check_places(gold: Path, records: Mapping[str, Record], texts: Mapping[str, str]) -> None:
    """Raise for what is annotated and does not stand in the text: it could never be found."""
    faults = [
        f"{gold}: {paper_id}, {name}: {what!r} does not stand in the paper's text; copy it exactly"
        for paper_id, record in records.items()
        for name in _LISTS
        for one in record[name]
        for what in (one.get("evidence"), one.get("surface"))
        if what is not None and what not in texts.get(paper_id, what)
    ]
    _raise(faults)


def _read_lines(path: Path, faults: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each line's place and object; what is no object is a fault."""
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                where = f"{path}, line {number}"
                try:
                    record = json.loads(line)
                except ValueError as error:
                    faults.append(f"{where}: not JSON ({error}); write one object a line")
                    continue
                if isinstance(record, dict):
                    yield where, record
                else:
                    faults.append(f"{where}: not a JSON object; write one object a line")
    except OSError as error:
        raise GoldError(f"{path}: {error.strerror}; name a file of JSON lines") from error
    except UnicodeDecodeError as error:
        raise GoldError(f"{path}: not UTF-8 text ({error}); save it as JSON lines") from error


def _raise(faults: list[str]) -> None:
    if len(faults) > _TOLD_FAULTS:
        faults = [*faults[:_TOLD_FAULTS], f"... and {len(faults) - _TOLD_FAULTS} more"]
    if faults:
        raise GoldError("\n".join(faults))


_TOLD_FAULTS = 20


def read_published(folder: Path, papers: Iterable[Paper]) -> dict[str, Record]:
    """Published tables as records in the gold format, by the ids of the documents.

    A paper is known by its id, or by its title where it was published under another.
    """
    folder = tables.snapshot(folder)
    found = {name: tables.read_table(folder, name).to_pylist() for name in ("papers", *_LISTS)}
    ids = {paper.paper_id for paper in papers}
    by_title = {_title_key(paper.title): paper.paper_id for paper in papers}
    titles = {row["paper_id"]: _title_key(row["title"]) for row in found["papers"]}
    return {
        paper_id if paper_id in ids else by_title.get(titles[paper_id], paper_id): record
        for paper_id, record in _records(found).items()
    }


def _title_key(title: str) -> str:
    return re.sub(r"\W", "", title.lower())


def _records(found: Mapping[str, list[dict[str, Any]]]) -> dict[str, Record]:
    """Rows of all tables as one record per paper, gains placed in the whole text."""
    records: dict[str, dict[str, Any]] = {
        row["paper_id"]: {"code_status": row["code_status"], **{name: [] for name in _LISTS}}
        for row in found["papers"]
    }
    # The abstract stands after the title and a blank line.
    abstract = {row["paper_id"]: len(row["title"]) + 2 for row in found["papers"]}
    # Gains and sizes name what they are bound to; the gold holds it as the text has it.
    surface = {
        (name, row["paper_id"], row["name"]): row["surface"]
        for name in ("models", "benchmarks")
        for row in found[name]
    }
    for name in ("models", "sizes", "benchmarks", "links"):
        for row in found[name]:
            record = {**row, "aliases": [row["name"]] if row.get("name") else []}
            if name == "sizes":
                record["model"] = surface.get(
                    ("models", row["paper_id"], row["model"]), row["model"]
                )
            records[row["paper_id"]][name].append(record)
    claims: dict[tuple[str, str], dict[str, Any]] = {}
    for row in found["gains"]:
        paper_id = row["paper_id"]
        shift = abstract[paper_id] if row["field"] == "abstract" else 0
        claim = claims.get((paper_id, row["gain_id"]))
        if claim is None:
            claim = claims[paper_id, row["gain_id"]] = {
                **row,
                "start": row["start"] + shift,
                "end": row["end"] + shift,
                "model": surface.get(("models", paper_id, row["model"]), row["model"]),
                "benchmarks": [],
            }
            records[paper_id]["gains"].append(claim)
        if row["benchmark"]:
            benchmark = ("benchmarks", paper_id, row["benchmark"])
            claim["benchmarks"].append(surface.get(benchmark, row["benchmark"]))
    return dict(records)
