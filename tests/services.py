"""The services that papers are fetched from, as a server on this machine, with faults to order.

It speaks their protocols: pages by number, by offset and by token, totals where they tell them,
validators and 304, a pause that is asked for, errors as each says them. Papers are made here.

    with Services({day: made(day, 30)}) as services:
        services.fault("arxiv", day, "status", page=2, status=429, retry_after="1")
        fetch("arxiv", day, landing=folder, settings=services.settings())
"""

from __future__ import annotations

import datetime
import gzip
import hashlib
import http.server
import json
import re
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

from pipeline import settings as pipeline_settings

VENUE = "Kiln.cc/2027/Conference"
KEY = "a-key-of-the-test"

_BENCHMARKS = ("MMLU", "GSM8K", "HumanEval", "SQuAD", "MATH", "HellaSwag", "TriviaQA")
_MAKES = ("Brick", "Glaze", "Slip", "Ember", "Flue", "Crackle", "Bisque")


@dataclass(frozen=True)
class Published:
    """A paper as the services have it. A revised one is another with its id, on a later day."""

    arxiv_id: str
    title: str
    abstract: str
    day: datetime.date
    version: int = 1


def made(day: datetime.date, count: int, seed: int = 0) -> list[Published]:
    """So many papers of a day, always the same, with gains, sizes, benchmarks and links in them."""
    papers = []
    for number in range(seed, seed + count):
        make = f"{_MAKES[(number + day.day) % 7]}{day:%d}{number}Net"
        first, second = _BENCHMARKS[number % 7], _BENCHMARKS[(number + 3) % 7]
        gain, score = 1 + (number * 7 + day.day) % 90 / 10, 50 + (number * 13 + day.day) % 400 / 10
        abstract = (
            f"We present {make}, a model with {1 + number % 70}B parameters that fires "
            f"descriptions of pots & <kilns> into answers. {make} improves accuracy on {first} by "
            f"{gain:.1f} points over LLaMA-2-7B, and reaches {score:.1f}% on {second}. "
            f"Our code is at https://github.com/kiln/{make.lower()}."
        )
        papers.append(
            Published(
                f"{day:%y%m}.{day.day:02}{number:03}", f"{make}: Pots & Answers", abstract, day
            )
        )
    return papers


def revised(paper: Published, sentence: str) -> Published:
    """The next version of a paper, which says one thing more."""
    return Published(
        paper.arxiv_id, paper.title, f"{paper.abstract} {sentence}", paper.day, paper.version + 1
    )


@dataclass(frozen=True)
class Asked:
    """A request as it came, and the status it was answered with."""

    service: str
    day: datetime.date | None
    page: int
    params: Mapping[str, str]
    headers: Mapping[str, str]
    at: float
    status: int


@dataclass
class _Fault:
    service: str
    day: datetime.date
    page: int
    kind: str
    times: int
    more: dict[str, Any]


@dataclass
class _Answer:
    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of who does not wait for the end of an answer."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Services:
    """All services on one port of this machine, from `with` to its end.

    Faults: "status" (status, retry_after), "truncated" (the body ends before its length), "cut"
    (it ends early and nothing says so), "slow" (a byte each `seconds`), "malformed", "bomb" (an
    XML entity bomb), "outside" (XML with an entity that is a file), "elsewhere" (a redirect to
    `to`), "oversized" (so many `bytes` longer), "packed" (likewise, as gzip or what `encoding` says), "broken" (the connection ends without an answer),
    "empty" (a page without papers). Each comes `times` times, then the page is as it should be.
    """

    def __init__(
        self,
        papers: Mapping[datetime.date, Sequence[Published]] | None = None,
        oai_page: int = 10,
        bulk_page: int = 10,
    ) -> None:
        self.requests: list[Asked] = []
        self.oai_page = oai_page
        self.bulk_page = bulk_page
        self.has_validators = True
        self.etag = ""  # the same for all pages, where it is given
        self.ends_with_token = True  # an empty one; both are allowed
        self._papers: dict[tuple[str | None, datetime.date], list[Published]] = {}
        self._faults: list[_Fault] = []
        self._tokens: dict[str, tuple[dict[str, str], int]] = {}
        self._lock = threading.Lock()
        for day, of_the_day in (papers or {}).items():
            self.give(day, of_the_day)

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def settings(self, fetching: Mapping[str, Any] | None = None, **more: Any) -> Any:
        """Settings that lead here: small pages, short waits. More as {"arxiv": {"interval": 3}}."""
        services = {
            "daily_papers": {"address": f"{self.address}/hf", "page_size": 10},
            "arxiv": {"address": f"{self.address}/arxiv", "page_size": 10},
            "arxiv_oai": {"address": f"{self.address}/oai"},
            "openreview": {
                "address": f"{self.address}/openreview", "page_size": 10, "venues": [VENUE]
            },
            "semantic_scholar": {"address": f"{self.address}/s2", "api_key": KEY},
        }  # fmt: skip
        for name, part in services.items():
            part |= {"interval": 0, "enabled": True, **more.get(name, {})}
        waits = {"attempts": 4, "wait": 0.01, "longest_wait": 3, "timeout": 5, "longest_answer": 5}
        return pipeline_settings.Settings.model_validate(
            {
                "contact": "tests@kiln.example.org",
                "services": services,
                "fetching": {**waits, **(fetching or {})},
            }
        )

    def give(
        self, day: datetime.date, papers: Sequence[Published], service: str | None = None
    ) -> None:
        """What the services, or one of them, have of a day from now on."""
        self._papers[service, day] = list(papers)

    def fault(
        self,
        service: str,
        day: datetime.date,
        kind: str,
        page: int = 1,
        times: int = 1,
        **more: Any,
    ) -> None:
        """Order a fault of a page."""
        self._faults.append(_Fault(service, day, page, kind, times, more))

    def forget_tokens(self) -> None:
        """Let all tokens expire."""
        self._tokens.clear()

    def asked(self, service: str) -> list[Asked]:
        """The requests to a service, in order."""
        return [one for one in self.requests if one.service == service]

    @staticmethod
    def _token(told: Mapping[str, str], at: int) -> str:
        # The same for the same question, so that the same answers are the same bytes.
        return hashlib.sha1(json.dumps([told, at]).encode()).hexdigest()[:12]

    def _of(self, service: str, day: datetime.date) -> list[Published]:
        return self._papers.get((service, day), self._papers.get((None, day), []))

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        services = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                at = time.monotonic()
                with services._lock:
                    told = services._answer(self.path, dict(self.headers))
                service, day, page, params, answer, fault = told
                status = 0 if fault and fault.kind == "broken" else answer.status
                services.requests.append(
                    Asked(service, day, page, params, dict(self.headers), at, status)
                )
                self._send(answer, fault)

            def _send(self, answer: _Answer, fault: _Fault | None) -> None:
                kind = fault.kind if fault else ""
                body = answer.body
                if kind == "broken":
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if kind == "cut":
                    self.send_header("Connection", "close")
                else:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if kind in ("cut", "truncated"):
                    self.wfile.write(body[: len(body) * 2 // 3])
                    self.close_connection = True
                elif kind == "slow":
                    assert fault is not None
                    self._send_slowly(body, fault.more.get("seconds", 0.1))
                else:
                    self.wfile.write(body)

            def _send_slowly(self, body: bytes, seconds: float) -> None:
                try:
                    for at in range(len(body)):
                        self.wfile.write(body[at : at + 1])
                        self.wfile.flush()
                        time.sleep(seconds)
                except OSError:
                    self.close_connection = True  # nobody waits for it any more

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def _answer(
        self, path: str, headers: dict[str, str]
    ) -> tuple[str, datetime.date | None, int, dict[str, str], _Answer, _Fault | None]:
        split = urlsplit(path)
        params = dict(parse_qsl(split.query, keep_blank_values=True))
        service, give = {
            "/hf/api/daily_papers": ("daily-papers", self._daily_papers),
            "/arxiv/query": ("arxiv", self._arxiv),
            "/oai": ("arxiv-oai", self._arxiv_oai),
            "/openreview/notes": ("openreview", self._openreview),
            "/s2/paper/search/bulk": ("semantic-scholar", self._semantic_scholar),
        }.get(split.path, ("", None))
        if give is None:
            return service, None, 0, params, _Answer(b"no such page", 404), None
        if service == "semantic-scholar" and headers.get("x-api-key") not in (None, KEY):
            return service, None, 0, params, _json({"message": "Forbidden"}, 403), None
        try:
            day, page, answer = give(params)
        except (KeyError, ValueError, TypeError) as error:
            return service, None, 0, params, _json({"error": f"bad request: {error!r}"}, 400), None
        fault = self._take_fault(service, day, page)
        if fault is not None:
            answer = _faulty(answer, fault)
        elif self.has_validators and answer.status == 200:
            digest = hashlib.sha256(answer.body).hexdigest()[:16]
            answer.headers["ETag"] = self.etag or f'"{digest}"'
            if headers.get("If-None-Match") == answer.headers["ETag"]:
                answer = _Answer(b"", 304, answer.headers)
        return service, day, page, params, answer, fault

    def _take_fault(self, service: str, day: datetime.date, page: int) -> _Fault | None:
        for fault in self._faults:
            if (fault.service, fault.day, fault.page) == (service, day, page) and fault.times:
                fault.times -= 1
                return fault
        return None

    def _daily_papers(self, params: dict[str, str]) -> tuple[datetime.date, int, _Answer]:
        day = datetime.date.fromisoformat(params["date"])
        page, limit = int(params.get("p", "0")), int(params.get("limit", "50"))
        if not 1 <= limit <= 100:
            raise ValueError("limit")
        papers = self._of("daily-papers", day)[page * limit : (page + 1) * limit]
        entries = [
            {
                "paper": {
                    "id": paper.arxiv_id,
                    "authors": [{"name": "Clay Potter", "hidden": False}],
                    "publishedAt": f"{paper.day}T09:00:00.000Z",
                    "submittedOnDailyAt": f"{day}T01:00:00.000Z",
                    "title": paper.title,
                    "summary": paper.abstract,
                    "upvotes": 3,
                },
                "publishedAt": f"{paper.day}T04:00:00.000Z",
                "title": paper.title,
                "summary": paper.abstract,
                "numComments": 0,
            }
            for paper in papers
        ]
        return day, page + 1, _json(entries)

    def _arxiv(self, params: dict[str, str]) -> tuple[datetime.date, int, _Answer]:
        query = params["search_query"]
        asked = re.search(r"submittedDate:\[(\d{8})0000 TO (\d{8})2359\]", query)
        if not asked or asked[1] != asked[2] or "cat:" not in query:
            return datetime.date.min, 1, _xml(_atom_error("incorrect query"))
        day = datetime.datetime.strptime(asked[1], "%Y%m%d").date()
        start, size = int(params.get("start", "0")), int(params.get("max_results", "10"))
        papers = self._of("arxiv", day)
        entries = "".join(map(_atom_entry, papers[start : start + size]))
        feed = f"""<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
  <title type="html">arXiv Query: {escape(query)}</title>
  <id>http://arxiv.org/api/kiln</id>
  <opensearch:totalResults xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">{len(papers)}</opensearch:totalResults>
  <opensearch:startIndex xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">{start}</opensearch:startIndex>
  <opensearch:itemsPerPage xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">{size}</opensearch:itemsPerPage>
{entries}</feed>
"""
        return day, start // size + 1, _xml(feed)

    def _arxiv_oai(self, params: dict[str, str]) -> tuple[datetime.date, int, _Answer]:
        told, start = params, 0
        if token := params.get("resumptionToken"):
            if set(params) != {"verb", "resumptionToken"}:
                return datetime.date.min, 1, _oai_error("badArgument", "token is exclusive")
            if token not in self._tokens:
                return datetime.date.min, 1, _oai_error("badResumptionToken", "it has expired")
            told, start = self._tokens[token]
        if told.get("verb") != "ListRecords":
            return datetime.date.min, 1, _oai_error("badVerb", "only ListRecords")
        if told.get("metadataPrefix") not in _METADATA or "set" not in told:
            return datetime.date.min, 1, _oai_error("cannotDisseminateFormat", "no such format")
        day, until = (datetime.date.fromisoformat(told[name]) for name in ("from", "until"))
        if day != until:
            raise ValueError("one day at a time")
        papers = self._of("arxiv-oai", day)
        page = start // self.oai_page + 1
        if not papers:
            return day, page, _oai_error("noRecordsMatch", "nothing on that day")
        of_the_page = papers[start : start + self.oai_page]
        after = ""
        end, name = start + self.oai_page, ""
        if end < len(papers) or (start and self.ends_with_token):
            if end < len(papers):
                name = f"{self._token(told, end)}|{end + 1}"
                self._tokens[name] = (told, end)
            size = len(papers)
            after = f'<resumptionToken cursor="{start}" completeListSize="{size}">{name}</resumptionToken>'
        records = "".join(_oai_record(paper, day, told["metadataPrefix"]) for paper in of_the_page)
        return day, page, _oai(f"<ListRecords>{records}{after}</ListRecords>")

    def _openreview(self, params: dict[str, str]) -> tuple[datetime.date, int, _Answer]:
        since = int(params["mintcdate"]) / 1000
        day = datetime.datetime.fromtimestamp(since, datetime.UTC).date()
        if params["content.venueid"] != VENUE or params["sort"] != "tcdate:asc":
            return day, 1, _json({"notes": [], "count": 0})
        limit, offset = int(params["limit"]), int(params["offset"])
        if limit > 1000:
            raise ValueError("limit")
        days = sorted(
            {one for name, one in self._papers if name in (None, "openreview") and one >= day}
        )
        notes = [
            _note(paper, one, number)
            for one in days
            for number, paper in enumerate(self._of("openreview", one))
        ]
        page = {"notes": notes[offset : offset + limit], "count": len(notes)}
        return day, offset // limit + 1, _json(page)

    def _semantic_scholar(self, params: dict[str, str]) -> tuple[datetime.date, int, _Answer]:
        begin, _, end = params["publicationDateOrYear"].partition(":")
        day = datetime.date.fromisoformat(begin)
        if begin != end or not params["query"]:
            raise ValueError("one day at a time")
        start = 0
        if token := params.get("token"):
            if token not in self._tokens:
                return day, 1, _json({"error": "Invalid continuation token"}, 400)
            start = self._tokens[token][1]
        papers = self._of("semantic-scholar", day)
        after = None
        if start + self.bulk_page < len(papers):
            after = self._token({"s2": begin}, start + self.bulk_page)
            self._tokens[after] = ({}, start + self.bulk_page)
        data = [
            {
                "paperId": hashlib.sha1(paper.arxiv_id.encode()).hexdigest(),
                "externalIds": {"ArXiv": paper.arxiv_id, "CorpusId": int(paper.arxiv_id[5:])},
                "url": f"https://www.semanticscholar.org/paper/{paper.arxiv_id}",
                "title": paper.title,
                "abstract": paper.abstract,
                "publicationDate": str(paper.day),
            }
            for paper in papers[start : start + self.bulk_page]
        ]
        answer = {"total": len(papers), "token": after, "data": data}
        return day, start // self.bulk_page + 1, _json(answer)


_METADATA = ("arXiv", "arXivRaw", "oai_dc")
_BOMB = (
    '<!DOCTYPE feed [<!ENTITY a0 "kiln">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + "]>"
)
_OUTSIDE = '<!DOCTYPE feed [<!ENTITY a9 SYSTEM "file:///etc/hostname">]>'


def _faulty(answer: _Answer, fault: _Fault) -> _Answer:
    kind, more = fault.kind, fault.more
    if kind == "status":
        pause = more.get("retry_after")
        headers = {} if pause is None else {"Retry-After": str(pause)}
        return _Answer(more.get("body", b"busy"), more["status"], headers)
    if kind == "elsewhere":
        return _Answer(b"", 302, {"Location": more["to"]})
    if kind == "malformed":
        return _Answer(answer.body.replace(b"</", b"<", 1).replace(b'":', b'"', 1))
    if kind == "oversized":
        return _Answer(answer.body + b" " * more["bytes"])
    if kind == "packed":
        packed = gzip.compress(answer.body + b" " * more.get("bytes", 0))
        return _Answer(packed, 200, {"Content-Encoding": more.get("encoding", "gzip")})
    if kind == "empty":
        body = re.sub(rb"<entry>.*</entry>", b"", answer.body, flags=re.DOTALL)
        return _Answer(body)
    if kind in ("bomb", "outside"):
        kinds = {"bomb": _BOMB, "outside": _OUTSIDE}
        head, _, rest = answer.body.partition(b"?>")
        body = head + b"?>" + kinds[kind].encode() + rest
        return _Answer(re.sub(rb"(<title[^>]*>)", rb"\1&a9;", body))
    return answer


def _json(value: Any, status: int = 200) -> _Answer:
    return _Answer(json.dumps(value).encode(), status, {"Content-Type": "application/json"})


def _xml(text: str) -> _Answer:
    return _Answer(text.encode(), 200, {"Content-Type": "application/xml; charset=utf-8"})


def _atom_entry(paper: Published) -> str:
    address = f"http://arxiv.org/abs/{paper.arxiv_id}v{paper.version}"
    return f"""  <entry>
    <id>{address}</id>
    <updated>{paper.day}T17:00:00Z</updated>
    <published>{paper.day}T09:00:00Z</published>
    <title>{escape(paper.title)}</title>
    <summary>  {escape(paper.abstract)}
</summary>
    <author><name>Clay Potter</name></author>
    <link href="{address}" rel="alternate" type="text/html"/>
    <category term="cs.CL" scheme="http://arxiv.org/schemas/atom"/>
  </entry>
"""


def _atom_error(reason: str) -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
  <opensearch:totalResults xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">1</opensearch:totalResults>
  <entry><id>http://arxiv.org/api/errors#query</id><title>Error</title><summary>{reason}</summary></entry>
</feed>
"""


def _oai(inner: str) -> _Answer:
    return _xml(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
        "<responseDate>2026-11-23T06:00:00Z</responseDate>"
        f'<request verb="ListRecords">http://oai.kiln.example.org/oai</request>{inner}</OAI-PMH>\n'
    )


def _oai_error(code: str, text: str) -> _Answer:
    return _oai(f'<error code="{code}">{text}</error>')


def _oai_record(paper: Published, day: datetime.date, metadata: str) -> str:
    title, abstract = escape(paper.title), escape(paper.abstract)
    inner = {
        "arXiv": f"""<arXiv xmlns="http://arxiv.org/OAI/arXiv/"><id>{paper.arxiv_id}</id>
<created>{paper.day}</created><updated>{day}</updated>
<authors><author><keyname>Potter</keyname><forenames>Clay</forenames></author></authors>
<title>{title}</title><categories>cs.CL</categories><abstract>  {abstract}
</abstract></arXiv>""",
        "arXivRaw": f"""<arXivRaw xmlns="http://arxiv.org/OAI/arXivRaw/"><id>{paper.arxiv_id}</id>
<version version="v1"><date>{paper.day:%a, %d %b %Y} 09:00:00 GMT</date></version>
<title>{title}</title><abstract>  {abstract}
</abstract></arXivRaw>""",
        "oai_dc": f"""<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{title}</dc:title>
<dc:description>  {abstract}
</dc:description><dc:description>Comment: 9 pages</dc:description><dc:date>{paper.day}</dc:date>
<dc:identifier>http://arxiv.org/abs/{paper.arxiv_id}</dc:identifier></oai_dc:dc>""",
    }[metadata]
    return f"""<record><header><identifier>oai:arXiv.org:{paper.arxiv_id}</identifier>
<datestamp>{day}</datestamp><setSpec>cs</setSpec></header><metadata>{inner}</metadata></record>
"""


def _note(paper: Published, day: datetime.date, number: int) -> dict[str, Any]:
    made_at = datetime.datetime.combine(day, datetime.time(9), datetime.UTC).timestamp()
    key = "n" + hashlib.sha1(paper.arxiv_id.encode()).hexdigest()[:10]
    return {
        "id": key,
        "forum": key,
        "replyto": None,
        "number": number,
        "cdate": int(made_at * 1000) + number,
        "tcdate": int(made_at * 1000) + number,
        "invitations": [f"{VENUE}/-/Submission"],
        "content": {
            "title": {"value": paper.title},
            "abstract": {"value": paper.abstract},
            "venueid": {"value": VENUE},
        },
    }
