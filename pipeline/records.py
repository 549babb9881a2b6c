"""The nouns of the pipeline: papers, places in their text, and one frozen type per table row."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Literal

Field = Literal["title", "abstract"]
FIELDS: tuple[Field, ...] = ("title", "abstract")

ModelKind = Literal["model", "method"]
ModelRole = Literal["proposed", "base", "baseline", "mentioned"]
SizeKind = Literal["parameters", "tokens", "examples"]
BenchmarkRole = Literal["evaluated", "introduced", "training", "mentioned"]
GainKind = Literal["delta", "factor", "from_to", "score", "share", "sota"]
LinkKind = Literal["code", "model", "dataset", "project", "archive", "paper", "other"]
CodeStatus = Literal["released", "promised", "not_stated"]
NumberUse = Literal[
    "gain",
    "size",
    "name",
    "link",
    "date",
    "citation",
    "count",
    "setting",
    "ordinal",
    "statistic",
    "formula",
    "price",
    "other",
]


class PipelineError(Exception):
    """What went wrong for the user: where it is, what is wrong and what to do about it."""


class PlaceError(PipelineError):
    """A row does not stand where it says it does; such a row is never written."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper as its source has it: title and abstract unchanged, LaTeX and all."""

    paper_id: str
    title: str
    abstract: str
    published: datetime.date | None = None
    url: str | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that could not be read: where it stood, why, and up to 500 characters of it."""

    source: str
    position: str
    reason: str
    excerpt: str


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a paper: half-open range of code points in one field, and the text there."""

    field: Field
    start: int
    end: int
    surface: str

    @classmethod
    def of(cls, paper: Paper, field: Field, start: int, end: int) -> Span:
        """The span of these characters; the surface is always cut from the paper itself."""
        text = paper.title if field == "title" else paper.abstract
        if not 0 <= start < end <= len(text):
            raise PlaceError(f"{paper.paper_id}: {field}[{start}:{end}] is outside the text")
        return cls(field, start, end, text[start:end])


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A named model or method of a paper, at its best mention."""

    span: Span
    rule: str
    name: str
    family: str | None
    kind: ModelKind
    role: ModelRole
    mentions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A quantity that says how big something is; `value` is absolute (1.7B is 1700000000)."""

    span: Span
    rule: str
    kind: SizeKind
    value: int
    model: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A named dataset or benchmark of a paper, at its best mention."""

    span: Span
    rule: str
    name: str
    role: BenchmarkRole
    mentions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """A reported value, or a claim of being best, and what it is bound to.

    The span is that of the value; of a sota claim, its words. Values are as written: 3.2 for
    "3.2%". `sentence` is the sentence it stands in. It is true of each of `benchmarks`.
    """

    span: Span
    rule: str
    gain_id: str
    kind: GainKind
    value: float | None
    value_low: float | None
    value_high: float | None
    value_from: float | None
    value_to: float | None
    unit: str | None
    basis: Literal["relative", "points"] | None
    direction: Literal["up", "down"] | None
    qualifiers: tuple[str, ...]
    metric: str | None
    benchmarks: tuple[str, ...]
    model: str | None
    baseline: str | None
    sentence: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A URL of a paper; `url` is what a browser should open, the span is what the text has."""

    span: Span
    rule: str
    url: str
    kind: LinkKind
    host: str
    repository: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number of a text and the one use it is put to."""

    span: Span
    rule: str
    value: float | None
    use: NumberUse
    gain_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """All that was read in one paper, each table's records in the order of the text."""

    paper: Paper
    code_status: CodeStatus
    models: tuple[Model, ...]
    sizes: tuple[Size, ...]
    benchmarks: tuple[Benchmark, ...]
    gains: tuple[Gain, ...]
    links: tuple[Link, ...]
    numbers: tuple[Number, ...]
