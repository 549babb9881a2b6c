"""The review page in a real browser: the system's Chromium, driven by Playwright."""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.records import Paper
from pipeline.review import page as offline
from pipeline.review.claims import Cards, cards
from pipeline.review.verdicts import Verdicts
from tests.test_audit import PAPER, publish
from tests.test_review import EVIL, OTHER

sync = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium (apt-get install chromium)"),
]
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip
MANY = tuple(
    Paper(
        f"many-{n:02}", f"Study {n}", f"Model number {n}: Falcon-180B reaches {50 + n}.3% on MMLU."
    )
    for n in range(12)
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()


@pytest.fixture
def published(tmp_path: Path) -> Path:
    publish(tmp_path, PAPER, OTHER, EVIL, *MANY)
    return tmp_path


class Server:
    """`paperclaims review` as a process, which can be killed."""

    def __init__(self, out: Path, who: str = "ann") -> None:
        told = "from pipeline.cli import main; main()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", told, "review", str(out), "--who", who],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        lines = iter(self.process.stdout.readline, "")
        self.address = next(line.strip() for line in lines if line.startswith("http"))

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.close()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    started: list[Server] = []
    yield started
    for one in started:
        one.close()


def opened(browser: Any, address: str, **options: Any) -> Any:
    page = browser.new_context(**options).new_page()
    page.faults = []
    page.on("pageerror", lambda fault: page.faults.append(str(fault)))
    page.goto(address)
    page.wait_for_selector("html[data-ready=yes]")
    return page


def press(page: Any, key: str, said: str) -> float:
    """Press a key, wait until the page says what it did; the milliseconds that took."""
    page.evaluate("document.getElementById('said').textContent = ''")
    begun = time.perf_counter()
    page.keyboard.press(key)
    page.wait_for_selector(f"#said:has-text({json.dumps(said)})")
    return 1000 * (time.perf_counter() - begun)


def test_ten_claims_are_reviewed_by_keyboard_and_survive_a_killed_server(
    browser: Any, published: Path, servers: list[Server]
) -> None:
    servers.append(Server(published))
    page = opened(browser, servers[0].address)
    page.select_option("#queue", "all")
    page.wait_for_selector("#count:has-text('of 1')")
    page.focus("#card")
    for key, said in [("a", "Accepted"), ("r", "Rejected"), ("a", "Accepted"), ("a", "Accepted")]:
        press(page, key, said)
    press(page, "e", "Edit")
    page.fill("[name=metric]", "answers right")
    press(page, "Enter", "Corrected")
    servers[0].kill()
    page.keyboard.press("a")
    page.wait_for_selector("#said.bad:has-text('Not kept')")
    servers.append(Server(published))
    page = opened(browser, servers[1].address)
    page.select_option("#queue", "all")
    page.wait_for_selector("#count:has-text('5 of')")
    page.focus("#card")
    press(page, "m", "Add a claim")
    page.fill("[name=words]", "Falcon-180B")
    page.fill("[name=value]", "180")
    press(page, "Enter", "Added: Falcon-180B")
    for _ in range(4):
        press(page, "a", "Accepted")
    press(page, "r", "Rejected")
    press(page, "u", "Taken back")
    servers[1].kill()
    said = Verdicts(published / "verdicts.jsonl")
    assert said.torn == 0
    assert Counter(one.verdict for one in said.latest().values()) == {
        "accept": 7,
        "reject": 1,
        "edit": 1,
        "missed": 1,
    }
    [edit] = [one for one in said if one.verdict == "edit"]
    assert edit.fields == {"metric": "answers right"}
    [missed] = [one for one in said if one.verdict == "missed"]
    assert (missed.place["surface"], missed.fields["value"]) == ("Falcon-180B", 180.0)
    assert page.faults == []


def test_selected_words_are_the_place_of_a_missed_claim(
    browser: Any, tmp_path: Path, servers: list[Server]
) -> None:
    astral = "\U0001f600 ZapTune reaches 51.3% on MMLU and is tested on many boards by hand."
    publish(tmp_path, Paper("p", "T", astral))
    servers.append(Server(tmp_path))
    page = opened(browser, servers[0].address)
    page.evaluate("""() => {
        const host = document.getElementById("sentence");
        const node = host.lastChild, at = node.data.indexOf("many boards");
        getSelection().setBaseAndExtent(node, at, node, at + 11);
    }""")
    press(page, "m", "Add a claim")
    page.select_option("form.editing [name=table]", "benchmarks")
    page.fill("[name=name]", "Many Boards")
    press(page, "Enter", "Added: many boards")
    [one] = Verdicts(tmp_path / "verdicts.jsonl")
    start, end = one.place["start"], one.place["end"]
    assert astral[start:end] == one.place["surface"] == "many boards"
    assert (one.table, one.fields) == ("benchmarks", {"name": "Many Boards"})


def test_two_reviewers_conflicts_have_a_queue_and_links_lead_to_claims(
    browser: Any, published: Path, servers: list[Server]
) -> None:
    servers.append(Server(published, "ann"))
    page = opened(browser, servers[0].address)
    link = page.url
    press(page, "a", "Accepted")
    servers[0].kill()
    servers.append(Server(published, "bob"))
    page = opened(browser, servers[1].address)
    page.evaluate("link => { location.hash = link }", link.partition("#")[2])
    page.wait_for_selector(".verdict:has-text('ann: accept')")
    press(page, "r", "Rejected")
    page.select_option("#queue", "conflicts")
    page.wait_for_selector("#count:has-text('1 of 1')")
    assert page.locator(".verdict").all_inner_texts() == ["ann: accept", "bob: reject"]


def test_a_paper_that_is_markup_does_nothing(
    browser: Any, published: Path, servers: list[Server], tmp_path: Path
) -> None:
    servers.append(Server(published))
    report = tmp_path / "report.html"
    offline.write_offline(report, cards(published, ()))
    for address in (servers[0].address, report.as_uri()):
        page = opened(browser, address)
        page.select_option("#queue", "all")
        page.fill("#search", "taken")
        page.keyboard.press("Enter")
        page.wait_for_selector("h2:has-text('document.title')")
        assert page.title() == "paperclaims review"
        assert page.locator("main img, main script, main b:has-text('co')").count() == 0
        assert page.faults == []


def test_verdicts_of_the_offline_file_are_kept_and_can_be_downloaded(
    browser: Any, published: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report.html"
    offline.write_offline(report, cards(published, ()))
    page = opened(browser, report.as_uri())
    page.select_option("#queue", "all")
    page.fill("#who", "eve")
    page.focus("#card")
    press(page, "a", "Accepted")
    press(page, "r", "Rejected")
    press(page, "u", "Taken back")
    page.reload()
    page.wait_for_selector("html[data-ready=yes]")
    with page.expect_download() as downloaded:
        page.click("#download")
    said = Verdicts(Path(downloaded.value.path()))
    assert said.torn == 0
    assert [(one.who, one.verdict) for one in said.latest().values()] == [("eve", "accept")]
    [one] = said.latest().values()
    assert one.text_sha256 in cards(published, ()).hashes.values()


def test_queues_and_facets_choose_what_they_say(
    browser: Any, published: Path, servers: list[Server]
) -> None:
    servers.append(Server(published))
    page = opened(browser, servers[0].address)
    for queue in ("sample", "rule", "benchmark", "all"):
        page.select_option("#queue", queue)
        page.wait_for_selector("#card h2")
    page.select_option("#benchmark", "GSM8K")
    page.wait_for_selector("h2:has-text('ZapTune: a recipe')")
    page.select_option("#benchmark", "")
    page.select_option("#table", "links")
    page.wait_for_selector("mark.links:has-text('github.com')")
    page.click("summary:has-text('Rule links/')")
    page.wait_for_selector("pre:has-text('rules/links.yaml')")
    page.select_option("#queue", "stale")
    page.wait_for_selector("h2:has-text('Nothing here')")


def axe(page: Any) -> list[str]:
    wanted = pytest.importorskip("axe_playwright_python", reason="axe-core is not installed")
    script = (Path(wanted.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    page.evaluate(script)
    found = page.evaluate("async () => (await axe.run()).violations")
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_shuts_people_out(
    browser: Any, published: Path, tmp_path: Path, scheme: str, width: int
) -> None:
    report = tmp_path / "report.html"
    offline.write_offline(report, audited(published))
    page = opened(
        browser,
        report.as_uri(),
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        bypass_csp=True,
        reduced_motion="reduce",
    )
    assert axe(page) == []
    page.keyboard.press("e")
    page.wait_for_selector(".editing")
    assert axe(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("m")
    page.wait_for_selector(".editing [name=words]")
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def audited(out: Path) -> Cards:
    from pipeline.audit import audit  # noqa: PLC0415

    return cards(out, audit(out).findings)


def test_ten_thousand_claims_offline_answer_a_key_at_once(browser: Any, tmp_path: Path) -> None:
    made = multiplied(tmp_path / "few", 10_000)
    report = tmp_path / "report.html"
    offline.write_offline(report, made)
    page = opened(browser, report.as_uri(), bypass_csp=True)
    assert sum(one.table == "gains" for one in made.claims) >= 10_000
    page.select_option("#queue", "all")
    page.evaluate(TIMED)
    taken = [page.evaluate("key => pressed(key)", key) for key in "aarjskaaujra" * 5]
    assert statistics.quantiles(taken, n=20)[-1] < 100, taken


# From the key to the frame after the page has changed, measured in the page itself.
TIMED = """() => { window.pressed = (key) => new Promise((done) => {
    const said = document.getElementById("said"), begun = performance.now();
    said.textContent = "";
    const seen = new MutationObserver(() => { if (said.textContent) {
        seen.disconnect();
        requestAnimationFrame(() => setTimeout(() => done(performance.now() - begun)));
    } });
    seen.observe(said, { childList: true, characterData: true, subtree: true });
    document.getElementById("card").dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
}); }"""


def multiplied(out: Path, wanted: int) -> Cards:
    """As many gains as wanted, of papers like those of the fixture."""
    papers = [
        Paper(
            f"p{n}",
            f"Study {n}",
            f"Falcon-180B reaches {n % 90}.3% on MMLU and {n % 80}.1% on GSM8K. " * 5,
        )
        for n in range(wanted // 10 + 1)
    ]
    out.mkdir()
    publish(out, *papers[:3])
    few = audited(out)
    made = Cards()
    of_one = [one for one in few.claims if one.paper_id == "p0"]
    for paper in papers:
        kept = few.paper("p0")
        for card in kept["claims"]:
            card["claim"] = f"{card['claim']}-{paper.paper_id}"
        kept |= {"paper_id": paper.paper_id, "title": paper.title}
        made.papers[paper.paper_id] = offline_bytes(kept)
        made.hashes[paper.paper_id] = "0"
        for one in of_one:
            claim = f"{one.claim}-{paper.paper_id}"
            made.of[claim] = paper.paper_id
            made.claims.append(
                type(one)(
                    claim, paper.paper_id, one.table, one.rule, one.benchmark, one.severity,
                    one.checks, hash(claim) % 2**32, False,
                )
            )  # fmt: skip
    return made


def offline_bytes(kept: dict[str, Any]) -> bytes:
    import zlib  # noqa: PLC0415

    return zlib.compress(json.dumps(kept).encode(), 1)


def test_a_reviewer_of_six_hundred_claims_never_waits(
    browser: Any, tmp_path: Path, servers: list[Server]
) -> None:
    publish(
        tmp_path,
        *(
            Paper(f"p{n}", f"Study {n}", f"Falcon-180B reaches {n % 90}.3% on MMLU, {n % 80}.1% on GSM8K.")
            for n in range(310)
        ),
    )  # fmt: skip
    servers.append(Server(tmp_path))
    page = opened(browser, servers[0].address, bypass_csp=True)
    page.select_option("#queue", "sample")
    page.wait_for_selector("#count:has-text('1 of 6')")
    page.evaluate(TIMED)
    keys = [("a", "r", "s", "a")[n % 4] for n in range(600)]
    taken = [page.evaluate("key => pressed(key)", key) for key in keys]
    said = Verdicts(tmp_path / "verdicts.jsonl")
    assert len(said) == 600
    assert statistics.median(taken) < 100, statistics.median(taken)
    # A machine with far more work than processors lets everyone wait.
    if os.getloadavg()[0] <= 2 * (os.cpu_count() or 1):
        assert statistics.quantiles(taken, n=100)[-1] < 200, sorted(taken)[-10:]


def test_an_empty_queue_says_so_and_no_more(
    browser: Any, published: Path, servers: list[Server]
) -> None:
    servers.append(Server(published))
    page = opened(browser, servers[0].address)
    page.select_option("#queue", "conflicts")
    page.wait_for_selector("#card:has-text('Nothing here')")
    said = "Nothing here This queue is done, or holds nothing. Choose another above."
    assert " ".join(page.inner_text("#card").split()) == said
