from __future__ import annotations

import asyncio
import json
import random
import re
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from pipeline import score, store, tables
from pipeline.audit import audit
from pipeline.cli import app
from pipeline.records import Paper
from pipeline.review import page, server
from pipeline.review.applied import apply
from pipeline.review.claims import Cards, Claim, cards
from pipeline.review.precision import precision, stratified, wilson
from pipeline.review.verdicts import Verdicts, agreements, cohen
from pipeline.store import snapshots
from tests.test_audit import PAPER, publish

EVIL = Paper(
    "evil",
    "</script><script>document.title='taken'</script><img src=x onerror=alert(1)>",
    "ZapTune & <b>co</b> reach 51.3% on MMLU. \u2028 ]]> <!-- --> ${7*7} {{7*7}}",
)
OTHER = Paper("paper-2", "Falcons", "Falcon-180B has an accuracy of 68.7% on MMLU.")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("published")
    publish(out, PAPER, OTHER, EVIL)
    return out


@pytest.fixture(scope="module")
def made(published: Path) -> Cards:
    return cards(published, audit(published).findings)


@pytest.fixture
def verdicts(tmp_path: Path) -> Verdicts:
    return Verdicts(tmp_path / "verdicts.jsonl")


def say(
    verdicts: Verdicts, made: Cards, claim: str, verdict: str, who: str = "ann", **rest: object
) -> None:
    card = made.card(claim)
    assert card is not None
    paper_id = made.of[claim]
    verdicts.add(
        who=who, verdict=verdict, claim=claim, table=card["table"], paper_id=paper_id,
        text_sha256=made.hashes[paper_id], rule=card["rule"],
        place={key: card[key] for key in ("field", "start", "end", "surface")}, **rest,
    )  # fmt: skip


def of_table(made: Cards, table: str) -> list[str]:
    return [one.claim for one in made.claims if one.table == table]


# --- verdicts ---


def test_a_verdict_is_in_the_file_when_it_is_answered(verdicts: Verdicts, made: Cards) -> None:
    say(verdicts, made, made.claims[0].claim, "accept")
    [line] = verdicts.path.read_text(encoding="utf-8").splitlines()
    told = json.loads(line)
    assert told["who"] == "ann"
    assert told["verdict"] == "accept"
    assert re.fullmatch(r"[0-9a-f]{64}", told["text_sha256"])
    assert list(Verdicts(verdicts.path)) == list(verdicts)


def test_a_line_cut_off_by_a_crash_costs_no_other(verdicts: Verdicts, made: Cards) -> None:
    say(verdicts, made, made.claims[0].claim, "accept")
    whole = verdicts.path.read_bytes()
    for length in range(len(whole) - 1):
        verdicts.path.write_bytes(whole + whole[:length])
        again = Verdicts(verdicts.path)
        assert (len(again), again.torn) == (1, int(length > 0))
        say(again, made, made.claims[1].claim, "reject")
        assert [one.verdict for one in Verdicts(verdicts.path)] == ["accept", "reject"]


def test_an_undo_takes_back_the_last_verdict_of_its_reviewer(
    verdicts: Verdicts, made: Cards
) -> None:
    first, second = (one.claim for one in made.claims[:2])
    say(verdicts, made, first, "accept")
    say(verdicts, made, second, "reject")
    say(verdicts, made, first, "reject", who="bob")
    last = verdicts.last("ann")
    assert last is not None
    say(verdicts, made, second, "undo", said=last.id)
    assert {key: one.verdict for key, one in verdicts.latest().items()} == {
        (first, "ann"): "accept",
        (first, "bob"): "reject",
    }
    assert verdicts.conflicts() == [first]


def test_kappa_is_that_of_the_book() -> None:
    pairs = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15
    assert cohen(pairs) == (pytest.approx(0.7), pytest.approx(0.4))
    assert cohen([("yes", "yes")]) == (1.0, 1.0)


def test_agreement_counts_what_two_reviewers_both_judged(verdicts: Verdicts, made: Cards) -> None:
    claims = of_table(made, "gains")
    for claim, one, other in zip(
        claims, ("accept", "accept", "reject"), ("accept", "reject", "reject"), strict=False
    ):
        say(verdicts, made, claim, one)
        say(verdicts, made, claim, other, who="bob")
    [agreed] = agreements(verdicts)
    assert (agreed.claims, agreed.observed) == (3, pytest.approx(2 / 3))
    assert 0 < agreed.span_f1 < 1


def test_a_verdict_on_another_text_is_stale_and_counts_no_more(
    verdicts: Verdicts, made: Cards, tmp_path: Path
) -> None:
    claim = next(c for c in of_table(made, "gains") if made.of[c] == "paper-1")
    say(verdicts, made, claim, "accept")
    changed = Paper(PAPER.paper_id, PAPER.title, PAPER.abstract + " And more.")
    publish(tmp_path, changed, OTHER, EVIL)
    now = cards(tmp_path, ())
    assert claim in now.of
    assert page.told(verdicts, now.hashes)[claim][0]["stale"]
    assert not page.told(verdicts, made.hashes)[claim][0]["stale"]
    reviewed = precision(now.claims, verdicts, now.hashes)
    assert (reviewed.tables, reviewed.stale) == ((), 1)


# --- precision ---


def test_wilsons_interval_is_that_of_the_tables() -> None:
    assert wilson(10, 20) == (pytest.approx(0.2993, abs=1e-4), pytest.approx(0.7007, abs=1e-4))
    assert wilson(20, 20)[0] == pytest.approx(0.8389, abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


def test_every_beginning_of_the_sample_is_spread_over_the_rules() -> None:
    many = [
        Claim(f"{rule}{n}", "p", "gains", rule, "", 9, (), random.Random(n).randrange(10**6), False)
        for rule, count in (("often", 900), ("seldom", 90), ("once", 1))
        for n in range(count)
    ]
    order = stratified(many)
    assert sorted(one.claim for one in order) == sorted(one.claim for one in many)
    first = [one.rule for one in order[:103]]
    assert {rule: first.count(rule) for rule in ("often", "seldom", "once")} == {
        "often": pytest.approx(91, abs=3),
        "seldom": pytest.approx(10, abs=3),
        "once": 1,
    }
    random.Random(1).shuffle(many)
    assert stratified(many) == order


def test_precision_counts_the_random_sample_and_weighs_rules_by_their_rows(
    verdicts: Verdicts,
) -> None:
    many = [
        Claim(f"{rule}{n}", "p", "gains", rule, "", 9, (), n, False)
        for rule, count in (("good", 900), ("bad", 100))
        for n in range(count)
    ]
    for one in [*many[:50], *many[900:950]]:
        said = "accept" if one.rule == "good" else "reject"
        verdicts.add(
            who="ann", verdict=said, claim=one.claim, table="gains", paper_id="p", text_sha256="t",
            queue="sample",
        )  # fmt: skip
    verdicts.add(
        who="ann", verdict="reject", claim=many[99].claim, table="gains", paper_id="p",
        text_sha256="t", queue="flagged",
    )  # fmt: skip
    reviewed = precision(many, verdicts, {"p": "t"}, "3f2a9c")
    [table] = reviewed.tables
    assert reviewed.random
    assert (table.judged, table.right) == (100, pytest.approx(0.9))
    assert table.low < 0.9 < table.high
    assert str(reviewed.rules[0]).endswith("n=50, rules 3f2a")


# --- what becomes of verdicts ---


def test_reviewed_tables_have_no_rejected_rows_and_marked_corrections(
    published: Path, verdicts: Verdicts, made: Cards, tmp_path: Path
) -> None:
    gains = of_table(made, "gains")
    by_value = {(made.card(claim) or {})["surface"]: claim for claim in gains}
    say(verdicts, made, by_value["3.2%"], "edit", fields={"metric": "answers", "direction": "down"})
    say(verdicts, made, by_value["68.7%"], "reject")
    say(verdicts, made, of_table(made, "links")[0], "accept")
    verdicts.add(
        who="ann", verdict="missed", claim="missed-1", table="gains", paper_id="paper-1",
        text_sha256=made.hashes["paper-1"], fields={"kind": "score", "value": 39.4, "unit": "percent"},
        place={"field": "abstract", "start": 56, "end": 61, "surface": PAPER.abstract[56:61]},
    )  # fmt: skip
    (published / "verdicts.jsonl").write_bytes(verdicts.path.read_bytes())
    try:
        done = CliRunner().invoke(
            app, ["precision", str(published), "--apply", str(tmp_path / "new")]
        )
    finally:
        (published / "verdicts.jsonl").unlink()
    assert done.exit_code == 0, done.output
    assert "1 accepted, 1 corrected, 1 gone, 1 added" in done.output
    rows = pq.read_table(tmp_path / "new" / "gains").to_pylist()
    assert "68.7%" not in {row["surface"] for row in rows}
    marks = {row["surface"]: (row["reviewed"], row["metric"], row["direction"]) for row in rows}
    assert marks["3.2%"] == ("edit", "answers", "down")
    assert [row["rule"] for row in rows if row["reviewed"] == "missed"] == ["review/missed"]
    numbers = tables.read_table(tmp_path / "new", "numbers").to_pylist()
    assert {row["gain_id"] for row in numbers if row["gain_id"]} <= {row["gain_id"] for row in rows}
    severe = [one for one in audit(tmp_path / "new").findings if one.severity == "error"]
    assert severe == []
    assert snapshots.verify(tmp_path / "new") == []


def test_reviews_applied_again_are_the_next_snapshot_of_their_place_and_of_no_other(
    verdicts: Verdicts, tmp_path: Path
) -> None:
    out, to = tmp_path / "out", tmp_path / "reviewed"
    (tmp_path / "papers.jsonl").write_text(
        json.dumps({"id": "p", "title": PAPER.title, "abstract": PAPER.abstract}), encoding="utf-8"
    )
    store.run([tmp_path / "papers.jsonl"], out, workers=1)
    made = cards(out, ())
    first, second = of_table(made, "gains")[:2]
    say(verdicts, made, first, "accept")
    apply(out, verdicts, to)
    apply(out, verdicts, to)
    assert len(snapshots.snapshots(to)) == 1
    say(verdicts, made, second, "reject")
    apply(out, verdicts, to)
    assert [one.rows["gains"] for one in snapshots.snapshots(to)] == [3, 2]
    [gone] = snapshots.diff(to, "previous", "current", ["gains"])
    assert (gone.change, (gone.old or {})["gain_id"]) == ("removed", second)
    assert snapshots.verify(to, every=True) == []
    with pytest.raises(store.StoreError, match="holds the tables of runs"):
        apply(out, verdicts, out)
    store.run([tmp_path / "papers.jsonl"], to, workers=1)
    anew = tables.read_table(to, "gains")
    assert anew.equals(tables.read_table(out, "gains"))


def test_claims_are_compared_with_an_older_snapshot_by_its_name(tmp_path: Path) -> None:
    source, out = tmp_path / "papers.jsonl", tmp_path / "out"
    texts = [PAPER.abstract, OTHER.abstract]
    for texts[1] in (OTHER.abstract, OTHER.abstract.replace("68.7", "68.9")):
        lines = [
            json.dumps({"id": f"p{n}", "title": f"Study {n}", "abstract": text})
            for n, text in enumerate(texts)
        ]
        source.write_text("\n".join(lines), encoding="utf-8")
        store.run([source], out, workers=1)
    old = snapshots.snapshots(out)[0].run_id
    for since in ("previous", old, str(out / "snapshots" / old)):
        made = cards(out, (), since=since)
        changed = [one.claim for one in made.claims if one.changed]
        assert [(made.card(claim) or {})["surface"] for claim in changed] == ["68.9%"]
    with pytest.raises(store.StoreError, match="there is no such snapshot"):
        cards(out, (), since="another")


def test_the_offline_page_tells_the_verdicts_so_far(tmp_path: Path) -> None:
    out = tmp_path / "out"
    publish(out, PAPER)
    made = cards(out, ())
    say(Verdicts(out / "verdicts.jsonl"), made, of_table(made, "gains")[0], "reject", who="bob")
    path = tmp_path / "report.html"
    done = CliRunner().invoke(app, ["audit", str(out), "--html", str(path)])
    assert done.exit_code == 0, done.output
    data = re.search(r'id="data">(.*?)</script>', path.read_text(encoding="utf-8"))
    assert data is not None
    told = json.loads(data[1])["verdicts"]
    assert {claim: [one["who"] for one in said] for claim, said in told.items()} == {
        of_table(made, "gains")[0]: ["bob"]
    }


def test_names_that_reviewers_correct_or_reject_are_followed_by_what_refers_to_them(
    published: Path, verdicts: Verdicts, made: Cards, tmp_path: Path
) -> None:
    def of(table: str, name: str, paper: str = "paper-1") -> str:
        return next(
            claim
            for claim in of_table(made, table)
            if made.of[claim] == paper and (made.card(claim) or {})["fields"]["name"] == name
        )

    say(verdicts, made, of("models", "LLaMA-2-7B"), "edit", fields={"name": "Llama 2 7B"})
    say(verdicts, made, of("benchmarks", "GSM8K"), "reject")
    new = {"benchmarks": ["MMLU", "Code"], "model": "nobody"}
    say(verdicts, made, _at(made, "paper-1", "51.3%"), "edit", fields=new)
    for table, fields in (
        ("models", {"name": "ZapTune-2"}), ("benchmarks", {}), ("sizes", {"value": 7_000_000_000}),
        ("links", {"url": "https://zap.example/x"}),
    ):  # fmt: skip
        verdicts.add(
            who="ann", verdict="missed", claim=f"missed-{table}", table=table, paper_id="paper-1",
            text_sha256=made.hashes["paper-1"], fields=fields,
            place={"field": "abstract", "start": 0, "end": 7, "surface": "ZapTune"},
        )  # fmt: skip
    done = apply(published, verdicts, tmp_path / "new")
    assert done == {"edit": 2, "reject": 1, "missed": 4}
    rows = {
        name: tables.read_table(tmp_path / "new", name).to_pylist()
        for name in ("models", "benchmarks", "sizes", "gains", "links")
    }
    mine = {
        name: [row for row in found if row["paper_id"] == "paper-1"] for name, found in rows.items()
    }
    assert {"Llama 2 7B", "ZapTune-2"} <= {row["name"] for row in mine["models"]}
    assert {row["model"] for row in mine["sizes"]} <= {"Llama 2 7B", None}
    assert "GSM8K" not in {row["benchmark"] for row in mine["gains"]}
    edited = {
        (row["benchmark"], row["model"]) for row in mine["gains"] if row["surface"] == "51.3%"
    }
    assert edited == {("MMLU", None), ("Code", None)}
    assert "Code" in {row["name"] for row in mine["benchmarks"]}
    assert "zap.example" in {row["host"] for row in mine["links"]}
    assert [one for one in audit(tmp_path / "new").findings if one.check == "reference"] == []


def _at(made: Cards, paper: str, surface: str) -> str:
    return next(
        one.claim
        for one in made.claims
        if one.paper_id == paper and (made.card(one.claim) or {})["surface"] == surface
    )


def test_papers_judged_in_full_become_gold_that_the_tables_agree_with(
    published: Path, verdicts: Verdicts, made: Cards, tmp_path: Path
) -> None:
    for one in made.claims:
        if one.paper_id == "paper-1" and one.table != "numbers":
            say(verdicts, made, one.claim, "accept")
    say(
        verdicts,
        made,
        next(one.claim for one in made.claims if one.paper_id == "paper-2"),
        "accept",
    )
    (published / "verdicts.jsonl").write_bytes(verdicts.path.read_bytes())
    try:
        done = CliRunner().invoke(
            app, ["precision", str(published), "--gold", str(tmp_path / "gold")]
        )
    finally:
        (published / "verdicts.jsonl").unlink()
    assert "1 papers judged in full" in done.output, done.output
    report = score.score(
        tmp_path / "gold" / "docs.jsonl", tmp_path / "gold" / "gold.jsonl", published
    )
    assert report.papers == 1
    assert report.misses == []


def test_precision_is_written_into_a_readme_once(
    published: Path, verdicts: Verdicts, made: Cards, tmp_path: Path
) -> None:
    say(verdicts, made, of_table(made, "gains")[0], "accept", queue="sample")
    (published / "verdicts.jsonl").write_bytes(verdicts.path.read_bytes())
    readme = tmp_path / "README.md"
    readme.write_text("# Mine\n", encoding="utf-8")
    try:
        for _ in range(2):
            done = CliRunner().invoke(app, ["precision", str(published), "--readme", str(readme)])
            assert done.exit_code == 0, done.output
    finally:
        (published / "verdicts.jsonl").unlink()
    text = readme.read_text(encoding="utf-8")
    assert text.startswith("# Mine\n")
    assert text.count("## Precision") == 1
    assert re.search(r"\| gains \| 100\.0% \(\d+\.\d to 100\.0\), n=1", text)


def test_without_a_verdict_there_is_no_precision(published: Path) -> None:
    done = CliRunner().invoke(app, ["precision", str(published)])
    assert done.exit_code == 1
    assert "nothing was reviewed yet" in done.output


# --- the server ---

HOST = "http://127.0.0.1:8123"


class Browser:
    """Asks the server as its page would, and keeps its cookie."""

    def __init__(self, guard: server.Guard) -> None:
        self.guard = guard
        self.cookies = httpx.Cookies()

    def get(self, path: str, **rest: Any) -> httpx.Response:
        return self.ask("GET", path, **rest)

    def post(self, path: str, **rest: Any) -> httpx.Response:
        return self.ask("POST", path, **rest)

    def ask(self, method: str, path: str, **rest: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            headers = {"origin": HOST}
            transport = httpx.ASGITransport(self.guard)
            async with httpx.AsyncClient(
                transport=transport, base_url=HOST, headers=headers, cookies=self.cookies
            ) as client:
                answer = await client.request(method, path, follow_redirects=True, **rest)
                self.cookies = client.cookies
                return answer

        return asyncio.run(asked())


@pytest.fixture
def client(made: Cards, verdicts: Verdicts) -> Browser:
    guard = server.application(made, verdicts, who="ann", since=False, token="secret", port=8123)
    return Browser(guard)


@pytest.fixture
def known(client: Browser) -> Browser:
    assert client.get("/?token=secret").status_code == 200
    return client


def accept(made: Cards) -> dict[str, object]:
    return {"verdict": "accept", "claim": made.claims[0].claim}


@pytest.mark.parametrize(
    "path", ["/", "/review.js", "/api/begin", "/api/paper?id=evil", "/?token=wrong"]
)
def test_without_the_token_nothing_is_answered(client: Browser, path: str) -> None:
    assert client.get(path).status_code == 403


def test_requests_of_other_hosts_and_other_pages_are_refused(
    known: Browser, made: Cards, verdicts: Verdicts
) -> None:
    assert known.get("/", headers={"host": "evil.example:8123"}).status_code == 421
    assert known.get("/api/begin", headers={"host": "127.0.0.1:9"}).status_code == 421
    for origin in ("https://evil.example", "null", "http://127.0.0.1:9"):
        refused = known.post("/api/verdict", json=accept(made), headers={"origin": origin})
        assert refused.status_code == 403
    plain = known.post(
        "/api/verdict", content=json.dumps(accept(made)), headers={"content-type": "text/plain"}
    )
    assert plain.status_code == 415
    assert len(verdicts) == 0
    assert known.post("/api/verdict", json=accept(made)).status_code == 200
    assert len(verdicts) == 1


def test_every_answer_has_a_policy_that_allows_no_foreign_script(known: Browser) -> None:
    for path in ("/", "/review.js", "/api/begin", "/nothing"):
        headers = known.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "said",
    [
        {"verdict": "marvel"},
        {"verdict": "edit", "fields": {}},
        {"verdict": "edit", "fields": {"paper_id": "other"}},
        {"verdict": "edit", "fields": {"value": "much"}},
        {"verdict": "accept", "claim": "nobody"},
        {"verdict": "missed", "paper_id": "paper-1", "table": "gains", "place": {"field": "abstract", "start": 5, "end": 9999}},
        {"verdict": "missed", "paper_id": "paper-1", "table": "runs", "place": {}},
        {},
    ],
)  # fmt: skip
def test_what_is_no_verdict_is_told_and_not_kept(
    known: Browser, made: Cards, verdicts: Verdicts, said: dict[str, object]
) -> None:
    answer = known.post("/api/verdict", json={"claim": made.claims[0].claim, **said})
    assert answer.status_code == 400
    assert len(verdicts) == 0


def test_the_server_fills_in_who_text_and_rule(
    known: Browser, made: Cards, verdicts: Verdicts
) -> None:
    known.post(
        "/api/verdict", json={**accept(made), "who": "mallory", "text_sha256": "x", "rule": "y"}
    )
    [one] = verdicts
    assert (one.who, one.rule) == ("ann", made.claims[0].rule)
    assert one.text_sha256 == made.hashes[made.claims[0].paper_id]
    undone = known.post("/api/verdict", json={"verdict": "undo"}).json()
    assert undone == {"undone": one.claim, "verdicts": []}
    assert verdicts.latest() == {}


def test_the_page_gets_its_claims_texts_and_rules(known: Browser, made: Cards) -> None:
    begun = known.get("/api/begin").json()
    assert begun["setup"]["tables"]["gains"] == len(of_table(made, "gains"))
    listed = known.get("/api/index?table=gains").json()
    assert [row[0] for row in listed] == of_table(made, "gains")
    assert known.get("/api/index?table=runs").json() == []
    assert known.get("/api/paper?id=paper-1").json()["title"] == PAPER.title
    assert known.get("/api/paper?id=nobody").status_code == 404
    assert "# rules/benchmarks.yaml" in known.get("/api/rule?path=benchmarks/GSM8K").text
    assert known.get("/api/search?q=FALCONS").json() == ["paper-2"]


def test_a_missed_claim_is_kept_with_its_place(known: Browser, verdicts: Verdicts) -> None:
    said = {
        "verdict": "missed", "paper_id": "paper-1", "table": "gains", "queue": "all",
        "place": {"field": "abstract", "start": 0, "end": 7, "surface": "something else"},
        "fields": {"value": "1,234.5", "benchmarks": "MMLU; GSM8K", "unit": " ", "kind": "score"},
    }  # fmt: skip
    answer = known.post("/api/verdict", json=said)
    assert answer.status_code == 200, answer.text
    [one] = verdicts
    assert one.place["surface"] == "ZapTune"
    assert one.fields == {
        "value": 1234.5, "benchmarks": ["MMLU", "GSM8K"], "unit": None, "kind": "score",
    }  # fmt: skip
    assert one.claim.startswith("missed-")
    assert known.post("/api/verdict", content=b"x" * 200_000, headers=JSON).status_code == 413
    assert known.post("/api/verdict", content=b"{", headers=JSON).status_code == 400


JSON = {"content-type": "application/json"}


def test_the_offline_page_holds_no_markup_of_a_paper(made: Cards, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    page.write_offline(path, made)
    text = path.read_text(encoding="utf-8")
    assert "<script>document.title" not in text
    assert "<img" not in text
    assert text.count("</script>") == 2
    block = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert block is not None
    assert not set("<>&\u2028") & set(block[1])
    assert json.loads(block[1])["papers"]["evil"]["title"] == EVIL.title


def test_changed_claims_are_those_an_older_snapshot_does_not_make_so(
    published: Path, tmp_path: Path
) -> None:
    publish(tmp_path, OTHER)
    changed = cards(published, (), since=tmp_path).claims
    assert {one.changed for one in changed if one.paper_id == "paper-2"} == {False}
    assert {one.changed for one in changed if one.paper_id == "paper-1"} == {True}
