"""What live services published on a day: fetched whole, politely, and whatever they do to us."""

from __future__ import annotations

import contextlib
import datetime
import errno
import hashlib
import itertools
import json
import os
import pickle
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.fetch import SERVICES, FetchError, fetch
from pipeline.fetch.limits import Limiter
from pipeline.fetch.services import PROTOCOLS, ExpiredError, MalformedError, RefusedError
from pipeline.places import Folder
from pipeline.records import Paper, Reject
from pipeline.settings import Settings
from pipeline.sources import read
from tests.services import KEY, Published, Services, made, revised
from tests.test_cli import paperclaims
from tests.test_sources import papers

ROOT = Path(__file__).parents[1]
DAY = datetime.date(2026, 3, 2)
TODAY = datetime.datetime.now(datetime.UTC).date()
XML = ("arxiv", "arxiv-oai")
PAPERS = made(DAY, 25)


@pytest.fixture
def services() -> Iterator[Services]:
    with Services({DAY: PAPERS}) as given:
        yield given


def bodies(folder: Path, service: str, day: datetime.date = DAY) -> list[bytes]:
    return [path.read_bytes() for path in sorted((folder / service / f"{day}").glob("[0-9]*"))]


def statuses(services: Services, service: str) -> list[int]:
    return [asked.status for asked in services.asked(service)]


# A whole day --------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
def test_a_day_is_fetched_page_by_page_as_it_comes(
    tmp_path: Path, services: Services, service: str
) -> None:
    fetched = fetch(service, DAY, landing=tmp_path, settings=services.settings())
    assert fetched.complete
    assert fetched.requests == 3
    assert fetched.papers == (None if service in ("daily-papers", "openreview") else 25)
    assert [asked.page for asked in services.asked(service)] == [1, 2, 3]
    assert [path.parent for path in fetched.paths] == [tmp_path / service / "2026-03-02"] * 3
    assert [path.read_bytes() for path in fetched.paths] == bodies(tmp_path, service)
    landed = b"".join(bodies(tmp_path, service)).decode()
    assert all(paper.title.partition(":")[0] in landed for paper in PAPERS)


@pytest.mark.parametrize("service", SERVICES)
def test_what_was_fetched_is_read_without_the_network(
    tmp_path: Path, services: Services, service: str
) -> None:
    fetched = fetch(service, DAY, landing=tmp_path, settings=services.settings())
    found = list(read([str(path) for path in fetched.paths]))
    assert [(paper.title, paper.abstract) for paper in found if isinstance(paper, Paper)] == [
        (paper.title, paper.abstract) for paper in PAPERS
    ]
    assert len(found) == 25
    assert len(list(read([tmp_path]))) == 25  # what else is in the folder is hidden
    if service != "openreview":
        assert {paper.paper_id for paper in found if isinstance(paper, Paper)} == {
            f"arxiv:{paper.arxiv_id}" for paper in PAPERS
        }


def test_papers_that_come_twice_or_revised_are_known_again(tmp_path: Path) -> None:
    after = DAY + datetime.timedelta(days=1)
    given = {
        DAY: [*PAPERS[:12], PAPERS[0]],
        after: [revised(PAPERS[1], "It glows."), *made(after, 1)],
    }
    with Services(given) as services:
        days = [
            fetch("arxiv-oai", day, landing=tmp_path, settings=services.settings()) for day in given
        ]
    found = list(read([str(path) for day in days for path in day.paths]))
    assert sum(isinstance(entry, Paper) for entry in found) == 13
    assert [entry.reason for entry in found if isinstance(entry, Reject)] == [
        "duplicate of a paper already read", "same id with other text"
    ]  # fmt: skip


@pytest.mark.parametrize("service", SERVICES)
def test_a_day_that_is_whole_and_settled_is_not_asked_for_again(
    tmp_path: Path, services: Services, service: str
) -> None:
    settings = services.settings()
    first = fetch(service, DAY, landing=tmp_path, settings=settings)
    again = fetch(service, DAY, landing=tmp_path, settings=settings)
    assert (again.requests, again.paths, again.papers) == (0, first.paths, first.papers)
    assert len(services.requests) == 3


@pytest.mark.parametrize("service", SERVICES)
def test_a_day_without_papers_is_whole_and_has_no_files_to_read(
    tmp_path: Path, services: Services, service: str
) -> None:
    sunday = DAY - datetime.timedelta(days=1)
    services.give(DAY, [])
    fetched = fetch(service, sunday, landing=tmp_path, settings=services.settings())
    assert fetched.complete
    assert fetched.paths == ()


def test_notes_of_the_next_day_end_the_list_of_openreview(tmp_path: Path) -> None:
    after = DAY + datetime.timedelta(days=1)
    with Services({DAY: made(DAY, 12), after: made(after, 40)}) as services:
        fetched = fetch("openreview", DAY, landing=tmp_path, settings=services.settings())
    assert (len(fetched.paths), fetched.requests) == (2, 2)


def test_several_lists_of_a_day_are_fetched_one_after_the_other(
    tmp_path: Path, services: Services
) -> None:
    settings = services.settings(arxiv_oai={"sets": ["cs", "stat"]})
    fetched = fetch("arxiv-oai", DAY, landing=tmp_path, settings=settings)
    asked = [one.params.get("set") for one in services.asked("arxiv-oai")]
    assert asked == ["cs", None, None, "stat", None, None]
    assert fetched.papers == 50
    assert [path.name for path in fetched.paths[:4]] == [
        "01-0001.xml", "01-0002.xml", "01-0003.xml", "02-0001.xml"
    ]  # fmt: skip


def test_a_day_of_full_pages_ends_with_an_empty_one(tmp_path: Path, services: Services) -> None:
    services.give(DAY, made(DAY, 20))
    fetched = fetch("daily-papers", DAY, landing=tmp_path, settings=services.settings())
    assert (fetched.requests, len(fetched.paths)) == (3, 2)


@pytest.mark.parametrize(("count", "token"), [(7, True), (25, False)])
def test_a_list_of_oai_tells_its_size_or_is_counted(
    tmp_path: Path, services: Services, count: int, token: bool
) -> None:
    services.give(DAY, made(DAY, count))
    services.ends_with_token = token
    fetched = fetch("arxiv-oai", DAY, landing=tmp_path, settings=services.settings())
    assert fetched.papers == count


def test_services_are_told_who_asks(tmp_path: Path, services: Services) -> None:
    fetch("arxiv", DAY, landing=tmp_path, settings=services.settings())
    agent = services.requests[0].headers["User-Agent"]
    assert agent.startswith("paperclaims/")
    assert agent.endswith("(contact: tests@kiln.example.org)")


def test_without_a_contact_nothing_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"set contact in paperclaims\.toml, or PAPERCLAIMS_CONT"):
        fetch("arxiv", DAY, landing=tmp_path, settings=Settings())
    assert list(tmp_path.iterdir()) == []


def test_a_service_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="scholar: no such service; there are daily-papers, arxiv"):
        fetch("scholar", DAY, landing=tmp_path, settings=Settings())


def test_the_key_goes_with_requests_and_nowhere_else(tmp_path: Path, services: Services) -> None:
    settings = services.settings()
    services.fault("semantic-scholar", DAY, "status", page=2, status=400)
    with pytest.raises(FetchError) as told:
        fetch("semantic-scholar", DAY, landing=tmp_path, settings=settings)
    assert services.requests[0].headers["x-api-key"] == KEY
    files = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert KEY not in "".join([str(told.value), repr(told.value), repr(settings), *files])


def test_a_wrong_key_is_told_at_once(tmp_path: Path, services: Services) -> None:
    settings = services.settings(semantic_scholar={"api_key": "wrong"})
    with pytest.raises(FetchError, match=r"status 403 Forbidden.*; set its key in the settings"):
        fetch("semantic-scholar", DAY, landing=tmp_path, settings=settings)
    assert len(services.requests) == 1


def test_the_command_fetches_days_and_prints_what_reads_them(tmp_path: Path) -> None:
    after = DAY + datetime.timedelta(days=2)
    with Services({DAY: PAPERS, after: made(after, 5)}) as services:
        path = written(services.settings(), tmp_path)
        options = ["--until", str(after), "--landing", tmp_path / "a b", "--settings", path]
        told = paperclaims("fetch", "arxiv", "--day", DAY, *options)
        again = paperclaims("fetch", "arxiv", "--day", DAY, *options)
    assert told.exit_code == 0, told.output
    assert told.output.splitlines() == [
        "arxiv 2026-03-02: 3 pages, 25 papers, 3 requests",
        "arxiv 2026-03-03: 0 pages, 0 papers, 1 request",
        "arxiv 2026-03-04: 1 page, 5 papers, 1 request",
        f"paperclaims run '{tmp_path}/a b/arxiv/2026-03-02' '{tmp_path}/a b/arxiv/2026-03-04'",
    ]
    assert again.output.splitlines()[0] == "arxiv 2026-03-02: 3 pages, 25 papers, 0 requests"
    assert len(papers(*shlex.split(told.output.splitlines()[-1])[2:])) == 30


def test_the_command_tells_what_is_wrong(tmp_path: Path) -> None:
    with Services({DAY: PAPERS}) as services:
        services.fault("arxiv", DAY, "status", status=400)
        options = ["--landing", tmp_path, "--settings", written(services.settings(), tmp_path)]
        refused = paperclaims("fetch", "arxiv", "--day", DAY, *options)
    assert refused.exit_code == 1
    assert "status 400 Bad Request: busy; check the service's settings" in " ".join(
        refused.output.split()
    )
    wrong = paperclaims("fetch", "scholar", "--day", DAY)
    assert wrong.exit_code == 2
    assert "'scholar' is not one of daily-papers, arxiv" in " ".join(wrong.output.split())
    back = paperclaims("fetch", "arxiv", "--day", DAY, "--until", "2026-03-01")
    assert back.exit_code == 2
    assert "it is before --day" in back.output


# What passes --------------------------------------------------------------------------------------

PASSING: dict[str, dict[str, Any]] = {
    "429": {"kind": "status", "status": 429, "retry_after": "0"},
    "500": {"kind": "status", "status": 500},
    "503 with a date": {
        "kind": "status", "status": 503, "retry_after": "Mon, 02 Mar 2026 06:00:00 GMT"
    },
    "cut off": {"kind": "truncated"},
    "cut off in silence": {"kind": "cut"},
    "no answer": {"kind": "broken"},
    "malformed": {"kind": "malformed"},
}  # fmt: skip


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("service", SERVICES)
def test_what_passes_leaves_no_trace(
    tmp_path: Path, services: Services, service: str, fault: str
) -> None:
    settings = services.settings()
    fetch(service, DAY, landing=tmp_path / "whole", settings=settings)
    services.requests.clear()
    services.forget_tokens()
    services.fault(service, DAY, page=2, times=2, **PASSING[fault])
    fetched = fetch(service, DAY, landing=tmp_path / "faulty", settings=settings)
    assert fetched.complete
    assert fetched.requests == 5
    assert [asked.page for asked in services.requests] == [1, 2, 2, 2, 3]
    assert bodies(tmp_path / "faulty", service) == bodies(tmp_path / "whole", service)
    assert not list(tmp_path.rglob(".faulty*"))


def test_a_page_that_stays_malformed_is_told_and_kept_to_be_looked_at(
    tmp_path: Path, services: Services
) -> None:
    services.fault("arxiv", DAY, "malformed", page=2, times=99)
    with pytest.raises(FetchError) as told:
        fetch("arxiv", DAY, landing=tmp_path, settings=services.settings())
    faulty = tmp_path / "arxiv/2026-03-02/.faulty.xml"
    assert "not the XML it should be" in str(told.value)
    assert f" (attempts: 4); what came is in {faulty}; fetch again later" in str(told.value)
    assert told.value.may_pass
    assert faulty.read_bytes().startswith(b"<?xml")
    assert len(bodies(tmp_path, "arxiv")) == 1


def test_an_error_survives_the_way_between_processes(tmp_path: Path, services: Services) -> None:
    services.fault("arxiv", DAY, "status", times=99, status=500)
    with pytest.raises(FetchError) as told:
        fetch("arxiv", DAY, landing=tmp_path, settings=services.settings())
    again = pickle.loads(pickle.dumps(told.value))
    assert (str(again), again.may_pass) == (str(told.value), True)


def test_a_pause_that_is_asked_for_is_made(tmp_path: Path, services: Services) -> None:
    services.fault("arxiv-oai", DAY, "status", page=2, status=503, retry_after="1")
    fetch("arxiv-oai", DAY, landing=tmp_path, settings=services.settings())
    busy, again = services.requests[1:3]
    assert (busy.status, again.status) == (503, 200)
    assert again.at - busy.at >= 1


def test_openreview_says_in_its_body_when_to_come_again(tmp_path: Path, services: Services) -> None:
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=1.5)
    end = time.monotonic() + 1.4
    body = json.dumps({"name": "RateLimitError", "details": {"resetTime": until.isoformat()}})
    services.fault("openreview", DAY, "status", status=429, body=body.encode())
    fetch("openreview", DAY, landing=tmp_path, settings=services.settings())
    assert services.requests[0].status == 429
    assert services.requests[1].at >= end


def test_a_pause_of_an_hour_ends_the_fetch_and_holds_for_the_next_one(
    tmp_path: Path, services: Services
) -> None:
    services.fault("arxiv", DAY, "status", page=2, status=429, retry_after="3600")
    for _ in range(2):
        with pytest.raises(
            FetchError, match=r"a pause of 3[56]\d\d s; fetch again after 20"
        ) as told:
            fetch("arxiv", DAY, landing=tmp_path, settings=services.settings())
        assert told.value.may_pass
    # The other interface of arXiv counts as the same service.
    with pytest.raises(FetchError, match="a pause of"):
        fetch("arxiv-oai", DAY, landing=tmp_path, settings=services.settings())
    assert [asked.status for asked in services.requests] == [200, 429]


@pytest.mark.parametrize("told", ["9" * 400, "-1", "²", "soon", "Mon, 02 Mar 9026 06:00:00 GMT"])
def test_an_odd_pause_is_no_reason_to_fail_otherwise(
    tmp_path: Path, services: Services, told: str
) -> None:
    status = {"status": 429, "retry_after": told.encode().decode("latin-1")}
    services.fault("arxiv", DAY, "status", **status)
    try:
        assert fetch("arxiv", DAY, landing=tmp_path, settings=services.settings()).complete
    except FetchError as error:
        assert "a pause of 604800 s" in str(error)  # a week; who knows what is then


def test_marks_that_cannot_be_sent_back_are_left(tmp_path: Path) -> None:
    with Services({TODAY: made(TODAY, 5)}) as services:
        services.etag = '"kiln-é"'
        for _ in range(2):
            fetch("daily-papers", TODAY, landing=tmp_path, settings=services.settings())
        assert statuses(services, "daily-papers") == [200, 200]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["notes", "data", "total", "token", "tcdate"]), inner)
    ),
    max_leaves=8,
)
TAGS = st.lists(
    st.sampled_from(
        "<feed>,</feed>,<entry>,</entry>,<id>/api/errors</id>,<totalResults>5,²,</totalResults>,"
        "<OAI-PMH>,</OAI-PMH>,<ListRecords>,</ListRecords>,<error code='x'/>,<record/>,\xff,"
        "<resumptionToken completeListSize='²'/>".split(",")
    )
)


@given(JSON.map(json.dumps) | TAGS.map("".join))
def test_whatever_comes_is_an_answer_or_is_refused(told: str) -> None:
    settings = Settings.model_validate({"services": {"openreview": {"venues": ["Kiln"]}}})
    for service in PROTOCOLS.values():
        asked = service(settings, DAY)
        with contextlib.suppress(MalformedError, RefusedError, ExpiredError):
            assert asked.read(told.encode(), asked.series[0]).entries >= 0


def test_an_empty_page_in_the_middle_is_asked_for_again(tmp_path: Path, services: Services) -> None:
    services.fault("arxiv", DAY, "empty", page=2)
    fetched = fetch("arxiv", DAY, landing=tmp_path, settings=services.settings())
    assert (fetched.requests, len(fetched.paths)) == (4, 3)
    assert len(bodies(tmp_path, "arxiv")) == 3


def test_a_page_that_stays_empty_is_told(tmp_path: Path, services: Services) -> None:
    services.fault("arxiv", DAY, "empty", page=2, times=99)
    with pytest.raises(FetchError, match="an empty page where 15 papers should follow"):
        fetch("arxiv", DAY, landing=tmp_path, settings=services.settings())


def test_fewer_papers_than_the_service_tells_are_no_whole_day(
    tmp_path: Path, services: Services
) -> None:
    settings = services.settings()
    first = services._answer

    def short(path: str, headers: dict[str, str]) -> Any:
        told = first(path, headers)
        told[4].body = told[4].body.replace(b'completeListSize="25"', b'completeListSize="26"')
        return told

    services._answer = short  # type: ignore[method-assign]
    with pytest.raises(FetchError, match="gave 25 papers where it says there are 26; fetch again"):
        fetch("arxiv-oai", DAY, landing=tmp_path, settings=settings)
    services._answer = first  # type: ignore[method-assign]
    services.forget_tokens()
    assert fetch("arxiv-oai", DAY, landing=tmp_path, settings=settings).requests == 3


# What does not pass -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["bomb", "outside"])
@pytest.mark.parametrize("service", XML)
def test_xml_that_declares_entities_is_refused(
    tmp_path: Path, services: Services, service: str, kind: str
) -> None:
    services.fault(service, DAY, kind, times=99)
    with pytest.raises(FetchError, match=r"declares entities|not the XML it should be"):
        fetch(service, DAY, landing=tmp_path, settings=services.settings())
    assert bodies(tmp_path, service) == []


@pytest.mark.parametrize(
    "to",
    [
        "http://kiln.example.org/arxiv/query",
        "https://127.0.0.1/arxiv/query",
        "//127.0.0.2/arxiv/query",
        "file:///etc/hostname",
        "http://somebody@127.0.0.1:1/",
        "http://[",
    ],
)
def test_a_redirect_to_elsewhere_is_not_followed(
    tmp_path: Path, services: Services, to: str
) -> None:
    services.fault("arxiv", DAY, "elsewhere", to=to)
    with pytest.raises(FetchError, match="which is another service; if that is where it has moved"):
        fetch("arxiv", DAY, landing=tmp_path, settings=services.settings())
    assert len(services.requests) == 1


def test_a_redirect_within_the_service_is_followed(tmp_path: Path, services: Services) -> None:
    services.fault("daily-papers", DAY, "elsewhere", to="?date=2026-03-02&p=0&limit=10")
    fetched = fetch("daily-papers", DAY, landing=tmp_path, settings=services.settings())
    assert (fetched.requests, len(fetched.paths)) == (4, 3)


def test_redirects_in_a_circle_end(tmp_path: Path, services: Services) -> None:
    services.fault("daily-papers", DAY, "elsewhere", times=99, to="?date=2026-03-02&p=0&limit=10")
    with pytest.raises(FetchError, match="redirects 5 times and more"):
        fetch("daily-papers", DAY, landing=tmp_path, settings=services.settings())
    assert len(services.requests) == 6


def test_an_answer_without_end_is_not_taken(tmp_path: Path, services: Services) -> None:
    services.fault("daily-papers", DAY, "oversized", bytes=3_000_000)
    settings = services.settings({"largest_answer": 1_000_000})
    with pytest.raises(FetchError, match="more than 1,000,000 bytes; ask for fewer papers at once"):
        fetch("daily-papers", DAY, landing=tmp_path, settings=settings)
    assert len(services.requests) == 1


def test_an_answer_may_come_packed_as_asked_for(tmp_path: Path, services: Services) -> None:
    services.fault("daily-papers", DAY, "packed")
    fetched = fetch("daily-papers", DAY, landing=tmp_path, settings=services.settings())
    assert services.requests[0].headers["Accept-Encoding"] == "gzip"
    assert len(json.loads(fetched.paths[0].read_bytes())) == 10


def test_an_answer_that_unpacks_without_end_is_not_taken(
    tmp_path: Path, services: Services
) -> None:
    services.fault("daily-papers", DAY, "packed", bytes=30_000_000)
    settings = services.settings({"largest_answer": 1_000_000})
    with pytest.raises(FetchError, match="an answer of more than 1,000,000 bytes"):
        fetch("daily-papers", DAY, landing=tmp_path, settings=settings)


def test_an_answer_packed_in_another_way_is_not_unpacked(
    tmp_path: Path, services: Services
) -> None:
    services.fault("daily-papers", DAY, "packed", encoding="zstd")
    with pytest.raises(FetchError, match="packed in a way that was not asked for"):
        fetch("daily-papers", DAY, landing=tmp_path, settings=services.settings())


def test_an_answer_that_trickles_is_given_up(tmp_path: Path, services: Services) -> None:
    services.fault("daily-papers", DAY, "slow", times=1, seconds=0.01)
    settings = services.settings({"longest_answer": 0.3, "attempts": 1})
    with pytest.raises(
        FetchError, match=r"an answer that takes longer than 0\.3 s \(attempts: 1\)"
    ):
        fetch("daily-papers", DAY, landing=tmp_path, settings=settings)
    patient = services.settings()
    assert fetch("daily-papers", DAY, landing=tmp_path, settings=patient).complete


def test_an_answer_that_stops_is_given_up(tmp_path: Path, services: Services) -> None:
    services.fault("daily-papers", DAY, "slow", seconds=1)
    settings = services.settings({"timeout": 0.2, "attempts": 1})
    with pytest.raises(FetchError, match=r"no whole answer: timed out \(attempts: 1\); the serv"):
        fetch("daily-papers", DAY, landing=tmp_path, settings=settings)


def test_what_a_service_refuses_is_told_in_its_words(tmp_path: Path, services: Services) -> None:
    settings = services.settings(arxiv_oai={"metadata": "arXiv"})
    words = b"no \x1b[31m<b>such</b>\n\npage"
    services.fault("arxiv-oai", DAY, "status", status=404, body=words)
    with pytest.raises(FetchError) as told:
        fetch("arxiv-oai", DAY, landing=tmp_path, settings=settings)
    assert "status 404 Not Found: no �[31m<b>such</b> page; check the service's" in str(told.value)
    assert not told.value.may_pass


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, services: Services) -> None:
    (tmp_path / "arxiv").write_text("in the way")
    with pytest.raises(FetchError, match=r"/arxiv.*: cannot be read or written: .*; make room, or"):
        fetch("arxiv", DAY, landing=tmp_path, settings=services.settings())


def test_a_disk_that_is_full_loses_no_page_that_was_landed(
    tmp_path: Path, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Folder.write

    def full(folder: Folder, name: str, content: bytes) -> None:
        if name == "01-0002.xml":
            raise OSError(errno.ENOSPC, "No space left on device")
        write(folder, name, content)

    monkeypatch.setattr(Folder, "write", full)
    with pytest.raises(FetchError, match="No space left on device"):
        fetch("arxiv", DAY, landing=tmp_path, settings=services.settings())
    monkeypatch.undo()
    assert fetch("arxiv", DAY, landing=tmp_path, settings=services.settings()).requests == 2


def test_an_error_in_a_feed_is_no_paper(tmp_path: Path, services: Services) -> None:
    first = services._arxiv
    services._arxiv = lambda params: first({**params, "search_query": "x"})  # type: ignore[method-assign]
    with pytest.raises(FetchError, match="the service says: incorrect query; check the service's"):
        fetch("arxiv", DAY, landing=tmp_path, settings=services.settings())


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    with Services() as gone:
        settings = gone.settings({"attempts": 2})
    with pytest.raises(
        FetchError, match=r"no whole answer: .*refused.* \(attempts: 2\); the service is out"
    ):
        fetch("arxiv", DAY, landing=tmp_path, settings=settings)


# Cut short ----------------------------------------------------------------------------------------

_FETCH = """
import datetime, sys
from pathlib import Path
from pipeline.fetch import fetch
from pipeline.settings import Settings
settings = Settings.read(Path(sys.argv[1]))
fetch(sys.argv[2], datetime.date(2026, 3, 2), landing=Path(sys.argv[3]), settings=settings)
"""


def written(settings: Settings, folder: Path) -> Path:
    """The settings as a file of settings, so that another process has them."""
    path = folder / "settings.toml"
    lines = [f'contact = "{settings.contact}"', "[fetching]"]
    parts = {"fetching": settings.fetching.model_dump()}
    for name in SERVICES:
        parts[f"services.{name}"] = settings.services.of(name).model_dump(exclude={"api_key"})
    lines = [f'contact = "{settings.contact}"']
    for name, part in parts.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in part.items()]
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize("service", SERVICES)
def test_a_fetch_that_is_killed_goes_on_after_its_last_whole_page(
    tmp_path: Path, services: Services, service: str
) -> None:
    settings = services.settings({"timeout": 60, "longest_answer": 60})
    fetch(service, DAY, landing=tmp_path / "whole", settings=settings)
    services.requests.clear()
    services.fault(service, DAY, "slow", page=3, seconds=0.05)
    path = written(settings, tmp_path)
    landing = tmp_path / "killed"
    command = [sys.executable, "-c", _FETCH, str(path), service, str(landing)]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        for _ in range(3000):
            if len(services.requests) == 3 or process.poll() is not None:
                break
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    assert len(services.requests) == 3
    services.requests.clear()
    fetched = fetch(service, DAY, landing=landing, settings=settings)
    assert [asked.page for asked in services.requests] == [3]
    assert (fetched.complete, fetched.requests) == (True, 1)
    whole = bodies(tmp_path / "whole", service)
    assert bodies(landing, service) == whole


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after it"])
@pytest.mark.parametrize("service", ["daily-papers", "arxiv-oai"])
def test_wherever_a_fetch_ends_no_page_is_lost_or_halved(
    tmp_path: Path,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    service: str,
    after: bool,
) -> None:
    settings = services.settings()
    fetch(service, DAY, landing=tmp_path / "whole", settings=settings)
    write = Folder.write
    for number in range(20):
        writes = itertools.count()

        def ending(folder: Folder, name: str, content: bytes) -> None:
            ends = next(writes) == number  # noqa: B023
            if not ends or after:
                write(folder, name, content)
            if ends:
                raise KeyboardInterrupt

        landing = tmp_path / str(number)
        with monkeypatch.context() as patched:
            patched.setattr(Folder, "write", ending)
            try:
                fetch(service, DAY, landing=landing, settings=settings)
            except KeyboardInterrupt:
                whole = False
            else:
                whole = True
        before = len(services.requests)
        again = fetch(service, DAY, landing=landing, settings=settings)
        assert again.complete
        assert bodies(landing, service) == bodies(tmp_path / "whole", service)
        if whole:
            assert len(services.requests) == before
            break
    else:
        pytest.fail("it never came to its end")
    assert number > 8  # three pages, their states, and the end


def test_a_list_whose_token_has_expired_is_begun_anew(tmp_path: Path, services: Services) -> None:
    settings = services.settings({"attempts": 1})
    services.fault("arxiv-oai", DAY, "status", page=3, status=500)
    with pytest.raises(FetchError):
        fetch("arxiv-oai", DAY, landing=tmp_path, settings=settings)
    services.requests.clear()
    services.forget_tokens()
    fetched = fetch("arxiv-oai", DAY, landing=tmp_path, settings=settings)
    assert [asked.page for asked in services.requests] == [1, 1, 2, 3]  # the first is its refusal
    assert (fetched.complete, len(fetched.paths)) == (True, 3)


def test_a_service_that_forgets_every_token_is_told(tmp_path: Path, services: Services) -> None:
    first = services._arxiv_oai

    def forgetful(params: dict[str, str]) -> Any:
        services.forget_tokens()
        return first(params)

    services._arxiv_oai = forgetful  # type: ignore[method-assign]
    with pytest.raises(
        FetchError, match="forgets where we are in its list, 4 times: it has expired"
    ):
        fetch("arxiv-oai", DAY, landing=tmp_path, settings=services.settings())


def test_a_page_that_somebody_changed_is_fetched_again(tmp_path: Path, services: Services) -> None:
    settings = services.settings()
    fetched = fetch("daily-papers", DAY, landing=tmp_path, settings=settings)
    whole = bodies(tmp_path, "daily-papers")
    fetched.paths[1].write_text("[]")
    again = fetch("daily-papers", DAY, landing=tmp_path, settings=settings)
    assert again.requests == 2
    assert bodies(tmp_path, "daily-papers") == whole


def test_other_settings_are_another_question(tmp_path: Path, services: Services) -> None:
    fetch("arxiv", DAY, landing=tmp_path, settings=services.settings())
    other = services.settings(arxiv={"categories": ["cs.CL"], "page_size": 100})
    fetched = fetch("arxiv", DAY, landing=tmp_path, settings=other)
    assert (fetched.requests, len(fetched.paths)) == (1, 1)
    assert len(bodies(tmp_path, "arxiv")) == 1


# A day that goes on -------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
def test_a_day_that_goes_on_is_asked_for_only_what_has_changed(
    tmp_path: Path, service: str
) -> None:
    with Services({TODAY: made(TODAY, 15)}) as services:
        settings = services.settings()
        before = fetch(service, TODAY, landing=tmp_path, settings=settings)
        times = [path.stat().st_mtime_ns for path in before.paths]
        same = fetch(service, TODAY, landing=tmp_path, settings=settings)
        # Where a token leads to the next page, what is known of the first is known of all.
        asked = 1 if service in ("arxiv-oai", "semantic-scholar") else 2
        assert statuses(services, service)[2:] == [304] * asked
        assert [path.stat().st_mtime_ns for path in same.paths] == times
        services.give(TODAY, made(TODAY, 25))
        after = fetch(service, TODAY, landing=tmp_path, settings=settings)
        assert len(after.paths) == 3
        services.give(TODAY, made(TODAY, 5))
        fewer = fetch(service, TODAY, landing=tmp_path, settings=settings)
        assert len(fewer.paths) == len(bodies(tmp_path, service, TODAY)) == 1


def test_a_revised_paper_is_in_the_page_that_has_changed(tmp_path: Path) -> None:
    papers = made(TODAY, 15)
    with Services({TODAY: papers}) as services:
        settings = services.settings()
        fetch("arxiv", TODAY, landing=tmp_path, settings=settings)
        changed: list[Published] = [*papers[:12], revised(papers[12], "It glows."), *papers[13:]]
        services.give(TODAY, changed)
        fetch("arxiv", TODAY, landing=tmp_path, settings=settings)
        assert statuses(services, "arxiv") == [200, 200, 304, 200]
    first, second = bodies(tmp_path, "arxiv", TODAY)
    assert b"It glows." in second
    assert b"It glows." not in first


def test_a_day_that_was_not_over_when_it_was_cut_short_is_gone_through_anew(
    tmp_path: Path, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = services.settings({"attempts": 1})
    noon = datetime.datetime.combine(DAY, datetime.time(12), datetime.UTC).timestamp()
    services.fault("daily-papers", DAY, "status", page=3, status=500)
    with monkeypatch.context() as patched:
        patched.setattr("pipeline.fetch.landing._now", lambda: noon)
        with pytest.raises(FetchError):
            fetch("daily-papers", DAY, landing=tmp_path, settings=settings)
    services.give(DAY, [*PAPERS[:12], revised(PAPERS[12], "It glows."), *PAPERS[13:]])
    again = fetch("daily-papers", DAY, landing=tmp_path, settings=settings)
    assert statuses(services, "daily-papers") == [200, 200, 500, 304, 200, 200]
    assert again.complete
    assert b"It glows." in bodies(tmp_path, "daily-papers")[1]
    assert fetch("daily-papers", DAY, landing=tmp_path, settings=settings).requests == 0


def test_without_validators_all_is_fetched_again(tmp_path: Path) -> None:
    with Services({TODAY: made(TODAY, 15)}) as services:
        services.has_validators = False
        for _ in range(2):
            fetch("daily-papers", TODAY, landing=tmp_path, settings=services.settings())
        assert statuses(services, "daily-papers") == [200] * 4


# Rhythm -------------------------------------------------------------------------------------------


_TOLD = """
import sys, time
from pathlib import Path
from pipeline.fetch.limits import Limiter

def told(limiter, seconds, of_limiter=Limiter._set):
    # Where a turn begins; how long a request is on its way does not count.
    with Path(sys.argv[-1]).open("a") as file:
        file.write(f"{time.time()}\\n")
    of_limiter(limiter, seconds)

Limiter._set = told
"""
_ALL = """
import threading
days = [datetime.date(2026, 3, 2 + number) for number in range(3)]
threads = [
    threading.Thread(target=fetch, args=(name, day), kwargs={"landing": landing, "settings": settings})
    for name in ("arxiv", "arxiv-oai") for day in days
]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def test_the_rate_is_kept_by_all_who_share_the_landing_area(
    tmp_path: Path, services: Services
) -> None:
    settings = services.settings(arxiv={"interval": 0.2}, arxiv_oai={"interval": 0.2})
    log = tmp_path / "turns"
    # Two processes of six threads each, which ask both interfaces for the same three days.
    begin, _, _ = _FETCH.partition("fetch(sys")
    script = _TOLD + begin + "landing = Path(sys.argv[3])\n" + _ALL
    arguments = [written(settings, tmp_path), "arxiv", tmp_path / "landing", log]
    command = [sys.executable, "-c", script, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    processes = [subprocess.Popen(command, cwd=ROOT, env=environment) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    assert len(services.requests) == 10  # DAY has three pages in both, whoever fetched it
    turns = sorted(map(float, log.read_text().split()))
    assert len(turns) == 10
    assert min(after - before for before, after in itertools.pairwise(turns)) > 0.19


def test_two_who_fetch_one_day_fetch_it_once(tmp_path: Path, services: Services) -> None:
    settings = services.settings()
    counts: list[int] = []

    def ask() -> None:
        counts.append(fetch("arxiv", DAY, landing=tmp_path, settings=settings).requests)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == [0, 0, 0, 3]


def test_a_clock_that_was_set_back_does_not_stop_us_for_years(tmp_path: Path) -> None:
    later = time.time() + 1e8
    (tmp_path / "kiln.json").write_text(json.dumps({"since": later, "until": later + 0.1}))
    with Limiter(tmp_path, "kiln", 0.1).turn(longest_wait=1):
        pass


@pytest.mark.parametrize("told", [b"", b"[]", b'{"since": null}', b"\xff"])
def test_a_damaged_note_of_the_last_turn_stops_nobody(tmp_path: Path, told: bytes) -> None:
    (tmp_path / "kiln.json").write_bytes(told)
    with Limiter(tmp_path, "kiln", 0).turn(longest_wait=1):
        pass


def test_what_is_landed_is_named_in_its_state_with_its_digest(
    tmp_path: Path, services: Services
) -> None:
    fetched = fetch("daily-papers", DAY, landing=tmp_path, settings=services.settings())
    state = json.loads((fetched.paths[0].parent / ".fetched.json").read_text())
    assert (state["complete"], state["final"]) == (True, True)
    assert [page["entries"] for page in state["pages"]] == [10, 10, 5]
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in fetched.paths]
    assert [page["sha256"] for page in state["pages"]] == digests
