"""The papers of tests/annotated.jsonl, which readers annotated, with their texts.

A line is a record in the format of the shared annotation guide, but what stands in the text is told
by its half-open range in title, blank line and abstract, in characters: evidence as `start` and
`end`, and any phrase of more than three words as "@start:end". The texts are found by `paper_id` in
../shared/corpora/abstracts.jsonl.gz, and where that is not, nothing can be read. 1,170 papers,
drawn at random in batches of thirty from the Daily Papers of 2024 to 2026, the ACL Anthology and
the conferences, half of each batch among those with a number that may be a gain; each batch was
scored before rules were written on it.
"""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.records import Paper
from pipeline.score import Record

RECORDS = Path(__file__).with_name("annotated.jsonl")
_PLACE = re.compile(r"@(\d+):(\d+)")
TEXTS = Path(__file__).parents[2] / "shared" / "corpora" / "abstracts.jsonl.gz"


@dataclass(frozen=True, slots=True)
class Annotated:
    """A paper and what a reader found in it, each gain with its evidence."""

    paper: Paper
    record: Record


def _told(value: Any, text: str) -> Any:
    """A value of a record with its phrases as they stand in the text."""
    if isinstance(value, dict):
        return {name: _told(one, text) for name, one in value.items()}
    if isinstance(value, list):
        return [_told(one, text) for one in value]
    if isinstance(value, str) and (place := _PLACE.fullmatch(value)):
        return text[int(place[1]) : int(place[2])]
    return value


def annotated() -> list[Annotated]:
    """All annotated papers, in the order of their ids. Raises FileNotFoundError without texts."""
    records = {}
    for line in RECORDS.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        records[record["paper_id"]] = record
    found = []
    with gzip.open(TEXTS, "rt", encoding="utf-8") as lines:
        for line in lines:
            told = json.loads(line)
            record = records.get(told["paper_id"])
            if record is None:
                continue
            paper = Paper(told["paper_id"], told["title"], told["abstract"])
            text = f"{paper.title}\n\n{paper.abstract}"
            for gain in record["gains"]:
                gain["evidence"] = text[gain.pop("start") : gain.pop("end")]
            found.append(Annotated(paper, {name: _told(one, text) for name, one in record.items()}))
    return sorted(found, key=lambda one: one.paper.paper_id)
