"""The review page: what the browser gets, from the server or as one file that opens offline.

Papers are untrusted: nothing of them is ever part of markup or script. They travel as JSON, in the
offline file inside a data block in which no `<` is left, and the script puts them on the page as
text only.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipeline.audit.declared import OURS, Declared
from pipeline.audit.findings import CHECKS, SEVERITIES
from pipeline.audit.published import CLAIMS
from pipeline.review.claims import CHOICES, EDITABLE, NUMERIC, Cards
from pipeline.review.precision import stratified
from pipeline.review.verdicts import JUDGED, Verdict
from pipeline.rules import Rules

STATIC = Path(__file__).parent / "static"
_CLOSED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
SERVED_POLICY = _CLOSED + "script-src 'self'; style-src 'self'; connect-src 'self'"


@cache
def static(name: str) -> str:
    """A file of the page as the package has it."""
    return (STATIC / name).read_text(encoding="utf-8")


def html(*, head: str, data: str) -> str:
    """The page with what its head and its data are; neither may hold anything of a paper as is."""
    return static("review.html").replace("<!-- head -->", head).replace("<!-- data -->", data)


def served() -> str:
    """The page as the server gives it: script, style and data come from the server."""
    head = '<link rel="stylesheet" href="review.css"><script src="review.js" defer></script>'
    return html(head=head, data="")


def write_offline(
    path: Path, cards: Cards, verdicts: Iterable[Verdict] = (), *, declared: Declared = OURS
) -> None:
    """Write the page with all its data as one file; `declared` is what made the claims."""
    entries = entries_of(declared.rules)
    data = {
        "setup": setup(cards, who="", since=any(one.changed for one in cards.claims)),
        "index": {table: index(cards, table) for table in (*CLAIMS, "numbers")},
        "verdicts": told(verdicts, cards.hashes),
        "papers": {paper_id: cards.paper(paper_id) for paper_id in cards.papers},
        "rules": {
            rule: entry(entries, rule) for rule in sorted({one.rule for one in cards.claims})
        },
    }
    script, style = static("review.js"), static("review.css")
    policy = (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"script-src 'sha256-{_digest(script)}'; style-src 'sha256-{_digest(style)}'"
    )
    head = f'<meta http-equiv="Content-Security-Policy" content="{policy}"><style>{style}</style>'
    block = f'<script type="application/json" id="data">{embedded(data)}</script>'
    page = html(head=head, data=f"{block}<script>{script}</script>")
    path.parent.mkdir(parents=True, exist_ok=True)
    unnamed = path.with_name(f".{path.name}.new")
    unnamed.write_text(page, encoding="utf-8", errors="replace")
    unnamed.replace(path)


def embedded(data: object) -> str:
    """JSON that can stand in a page: no character of it can end the block or begin a tag."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()


def setup(cards: Cards, *, who: str, since: bool) -> dict[str, Any]:
    """What the page needs to know before any claim."""
    counts: dict[str, int] = dict.fromkeys((*CLAIMS, "numbers"), 0)
    for one in cards.claims:
        counts[one.table] += 1
    return {
        "who": who,
        "run": cards.run_id,
        "since": since,
        "tables": counts,
        "editable": EDITABLE,
        "numeric": sorted(NUMERIC),
        "choices": CHOICES,
        "severities": SEVERITIES,
        "checks": {name: check.asks for name, check in CHECKS.items()},
    }


def index(cards: Cards, table: str) -> list[list[Any]]:
    """The claims of a table: id, paper, rule, benchmark, severity, checks, rank in the sample."""
    mine = [one for one in cards.claims if one.table == table]
    rank = {one.claim: at for at, one in enumerate(stratified(mine))}
    return [
        [one.claim, one.paper_id, one.rule, one.benchmark, one.severity, list(one.checks),
         rank[one.claim], one.changed]
        for one in mine
    ]  # fmt: skip


def told(verdicts: Iterable[Verdict], hashes: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    """By claim, what was said of it, and whether its text is another since."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in verdicts:
        found.setdefault(one.claim, []).append(
            {
                "who": one.who,
                "verdict": one.verdict,
                "fields": dict(one.fields),
                "note": one.note,
                "paper_id": one.paper_id,
                "table": one.table,
                "place": dict(one.place),
                "stale": hashes.get(one.paper_id) != one.text_sha256,
                "judged": one.verdict in JUDGED,
            }
        )
    return found


def entries_of(rules: Rules) -> Mapping[str, str]:
    """By rule, its entry as it stands in rules/, for people to read."""
    return {
        one.path: yaml.safe_dump(
            {
                one.key: {
                    **{k: v for k, v in one.values.items() if k not in ("finds", "ignores")},
                    "finds": list(one.finds),
                    **({"ignores": list(one.ignores)} if one.ignores else {}),
                }
            },
            allow_unicode=True,
            sort_keys=False,
            width=100,
        )
        for one in rules
    }


def entry(entries: Mapping[str, str], rule: str) -> str:
    """The entry of a rule, or that there is none."""
    file, _, key = rule.partition("/")
    found = entries.get(rule)
    return f"# rules/{file}.yaml\n{found}" if found else f"{key or rule}: made by code, or not ours"
