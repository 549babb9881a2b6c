"""Claims as a person judges them: one card each, with its sentence and what is bound in it."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline import tables
from pipeline.audit.findings import SEVERITIES, Finding
from pipeline.audit.published import CLAIMS, Case, Row, cases, claim_id, run_of, text_hash
from pipeline.places import SNAPSHOTS, place_of
from pipeline.store.snapshots import chosen

# What a reviewer may correct, by table. Lists are written with semicolons.
EDITABLE: Mapping[str, tuple[str, ...]] = {
    "gains": ("kind", "value", "value_low", "value_high", "value_from", "value_to", "unit", "basis",
              "direction", "qualifiers", "metric", "benchmarks", "model", "baseline"),
    "models": ("name", "family", "kind", "role"),
    "benchmarks": ("name", "role"),
    "sizes": ("kind", "value", "model"),
    "links": ("url", "kind", "repository"),
    "numbers": (),
}  # fmt: skip
NUMERIC = frozenset({"value", "value_low", "value_high", "value_from", "value_to"})
CHOICES: Mapping[str, tuple[str, ...]] = {
    "gains.kind": ("delta", "factor", "from_to", "score", "share", "sota"),
    "gains.direction": ("up", "down"),
    "gains.basis": ("relative", "points"),
    "models.kind": ("model", "method"),
    "models.role": ("proposed", "base", "baseline", "mentioned"),
    "benchmarks.role": ("evaluated", "introduced", "training", "mentioned"),
    "sizes.kind": ("parameters", "tokens", "examples"),
    "links.kind": ("code", "model", "dataset", "project", "archive", "paper", "other"),
}
_QUALIFIERS = re.compile(
    r"(?i)(?<![a-z])(?:up\sto|as\smuch\sas|at\s(?:least|most)|more\sthan|less\sthan|over|under|below|"
    r"about|around|approximately|nearly|almost|on\saverage|average)(?![a-z])"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim in the index: what queues and facets are made of; the rest is with its paper."""

    claim: str
    paper_id: str
    table: str
    rule: str
    benchmark: str
    severity: int
    checks: tuple[str, ...]
    order: int
    changed: bool


@dataclass(slots=True)
class Cards:
    """All claims of a snapshot in the order of the text, and every paper's card."""

    run_id: str = ""
    rules: str = ""
    claims: list[Claim] = field(default_factory=list)
    papers: dict[str, bytes] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    of: dict[str, str] = field(default_factory=dict)

    def paper(self, paper_id: str) -> dict[str, Any]:
        """A paper's texts with the cards of its claims."""
        found: dict[str, Any] = json.loads(zlib.decompress(self.papers[paper_id]))
        return found

    def card(self, claim: str) -> dict[str, Any] | None:
        """The card of a claim."""
        if (paper_id := self.of.get(claim)) is None:
            return None
        return next((one for one in self.paper(paper_id)["claims"] if one["claim"] == claim), None)


def cards(
    out: Path, findings: Iterable[Finding], *, since: str | None = None, limit: int | None = None
) -> Cards:
    """The cards of what is published in `out`, with what the audit found.

    `since` is an older snapshot, by its id or as a folder of tables: claims that it does not make,
    or makes otherwise, are changed.
    """
    snapshot = tables.snapshot(Path(out))
    before = None if since is None else _digests(_older(Path(out), since))
    return cards_of(cases(snapshot), findings, run_of(snapshot), before, limit)


def _older(out: Path, since: str) -> Path:
    if Path(since).is_dir():
        return tables.snapshot(Path(since))
    place = place_of(out)
    return out / SNAPSHOTS / chosen(place, since).run_id


def cards_of(
    found: Iterable[Case],
    findings: Iterable[Finding],
    run: tuple[str, str] = ("", ""),
    before: Mapping[str, str] | None = None,
    limit: int | None = None,
) -> Cards:
    """Likewise, of papers whatever they were read from."""
    made = Cards(*run)
    held: dict[str, list[Finding]] = {}
    for finding in findings:
        held.setdefault(finding.paper_id, []).append(finding)
    for case in found:
        if not case.paper or (limit is not None and len(made.claims) >= limit):
            continue
        own = list(_claims(case, held.get(case.paper_id, ())))
        made.hashes[case.paper_id] = text_hash(case.text("title"), case.text("abstract"))
        kept = {
            "paper_id": case.paper_id,
            "title": case.text("title"),
            "abstract": case.text("abstract"),
            "url": case.paper.get("url"),
            "text_sha256": made.hashes[case.paper_id],
            "claims": own,
            "findings": [_told(one) for one in held.get(case.paper_id, ()) if one.claim_id is None],
        }
        made.papers[case.paper_id] = zlib.compress(json.dumps(kept).encode("utf-8"), 1)
        for card in own:
            made.of[card["claim"]] = case.paper_id
            severities = [one["severity"] for one in card["findings"]]
            made.claims.append(
                Claim(
                    claim=card["claim"],
                    paper_id=case.paper_id,
                    table=card["table"],
                    rule=card["rule"],
                    benchmark="; ".join(card["fields"].get("benchmarks") or ()),
                    severity=min((SEVERITIES.index(one) for one in severities), default=9),
                    checks=tuple(dict.fromkeys(one["check"] for one in card["findings"])),
                    order=int(hashlib.sha256(card["claim"].encode()).hexdigest()[:8], 16),
                    changed=before is not None and before.get(card["claim"]) != card["digest"],
                )
            )
    return made


def _claims(case: Case, findings: Iterable[Finding]) -> Iterator[dict[str, Any]]:
    by_claim: dict[str | None, list[Finding]] = {}
    for finding in findings:
        by_claim.setdefault(finding.claim_id, []).append(finding)
    for table in CLAIMS:
        for row, benchmarks in _joined(table, case.rows[table]):
            claim = claim_id(table, row)
            yield _card(case, table, row, benchmarks, claim, by_claim.get(claim, []))
    for row in case.rows.get("numbers", ()):
        claim = claim_id("numbers", row)
        if claim in by_claim:  # only those that look like results and are none
            yield _card(case, "numbers", row, [], claim, by_claim[claim])


def _joined(table: str, rows: list[dict[str, Any]]) -> Iterator[tuple[Row, list[str]]]:
    if table != "gains":
        yield from ((row, []) for row in rows)
        return
    together: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        together.setdefault(row["gain_id"], []).append(row)
    for same in together.values():
        yield same[0], [row["benchmark"] for row in same if row["benchmark"] is not None]


def fields_of(table: str, row: Row, benchmarks: list[str]) -> dict[str, Any]:
    """What a claim says, in the columns that can be corrected; benchmarks are a list."""
    said = {name: row.get(name) for name in EDITABLE[table] if name != "benchmarks"}
    if table == "gains":
        said["qualifiers"] = list(row.get("qualifiers") or ())
        said["benchmarks"] = benchmarks
    return said


def _card(
    case: Case, table: str, row: Row, benchmarks: list[str], claim: str, findings: list[Finding]
) -> dict[str, Any]:
    text = case.text(row["field"])
    start, end = sentence(text, row)
    said = fields_of(table, row, benchmarks)
    return {
        "claim": claim,
        "table": table,
        "rule": row["rule"],
        "field": row["field"],
        "start": row["start"],
        "end": row["end"],
        "surface": row["surface"],
        "sentence": [start, end],
        "parts": _parts(case, table, row, benchmarks, start, end),
        "fields": said,
        "findings": [_told(one) for one in findings],
        "digest": digest(said),
    }


def digest(fields: Mapping[str, Any]) -> str:
    """Tells whether a claim says the same as when it was judged."""
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:12]


def _digests(snapshot: Path) -> Mapping[str, str]:
    return {
        claim_id(table, row): digest(fields_of(table, row, benchmarks))
        for case in cases(snapshot, CLAIMS)
        for table in CLAIMS
        for row, benchmarks in _joined(table, case.rows[table])
    }


def sentence(text: str, row: Row) -> tuple[int, int]:
    """The sentence around a row: as it says, or between full stops."""
    if row.get("sentence_start") is not None:
        return max(0, row["sentence_start"]), min(len(text), row["sentence_end"])
    before = [found.end() for found in re.finditer(r"[.!?]\s+(?=[A-Z\\$(])", text[: row["start"]])]
    after = re.search(r"[.!?](?=\s+[A-Z\\$(]|\s*$)", text[row["end"] :])
    return (before[-1] if before else 0, row["end"] + after.end() if after else len(text))


def _parts(
    case: Case, table: str, row: Row, benchmarks: list[str], start: int, end: int
) -> list[tuple[int, int, str]]:
    """Places of the bound parts in the sentence, by what they are; the value first."""
    text = case.text(row["field"])
    found = [(row["start"], row["end"], "value" if table == "gains" else table)]
    wanted: list[tuple[str, str]] = []
    if table == "gains":
        surfaces = {
            other["name"]: other["surface"]
            for name in ("models", "benchmarks")
            for other in case.rows[name]
        }
        for part, names in (
            ("benchmark", benchmarks),
            ("model", [row["model"]]),
            ("baseline", [row["baseline"]]),
            ("metric", [row["metric"]]),
        ):
            for name in names:
                wanted += [(part, one) for one in (surfaces.get(name), name) if one]
        near = text[max(start, row["start"] - 25) : row["start"]]
        if row["qualifiers"]:
            for one in _QUALIFIERS.finditer(near):
                at = max(start, row["start"] - 25)
                found.append((at + one.start(), at + one.end(), "qualifier"))
    elif table == "sizes" and row["model"]:
        wanted.append(("model", row["model"]))
    low = text.lower()
    for part, name in wanted:
        places = [one.start() for one in re.finditer(re.escape(name.lower()), low[start:end])]
        places.sort(key=lambda at: abs(start + at - row["start"]))
        for at in places:
            place = (start + at, start + at + len(name))
            if all(place[1] <= other[0] or other[1] <= place[0] for other in found):
                found.append((*place, part))
                break
    return sorted(found)


def _told(finding: Finding) -> dict[str, Any]:
    names = ("check", "severity", "message", "expected", "found", "field", "start", "end")
    return {name: getattr(finding, name) for name in names}
