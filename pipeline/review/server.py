"""The server of the review page: on this computer only, for the one who has its address."""

from __future__ import annotations

import contextlib
import getpass
import hmac
import json
import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline import tables
from pipeline.audit import OURS, AuditError, Declared, audit, published, written
from pipeline.audit.published import claim_id, run_of
from pipeline.records import PipelineError
from pipeline.review import page
from pipeline.review.claims import EDITABLE, NUMERIC, Cards, cards
from pipeline.review.verdicts import Verdicts

LARGEST_BODY = 100_000
_HEADERS = {
    "Content-Security-Policy": page.SERVED_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """Lets through only what comes from the page itself: right host, right origin, right token."""

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self.app = app
        self.token = token
        self.hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self.cookie = f"paperclaims-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or refuse a request; every answer carries the page's policies."""
        if scope["type"] != "http":
            return  # no lifespan, no web sockets

        async def guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", []),
                    *((k.lower().encode(), v.encode()) for k, v in _HEADERS.items()),
                ]
            await send(message)

        request = Request(scope)
        answer = self.app if (refused := self._refused(request)) is None else refused
        await answer(scope, receive, guarded)

    def _refused(self, request: Request) -> Response | None:
        if request.headers.get("host") not in self.hosts:
            return PlainTextResponse("This server answers to its own address only.", 421)
        origin = request.headers.get("origin")
        allowed = {f"http://{host}" for host in self.hosts}
        if (origin is not None or request.method != "GET") and origin not in allowed:
            return PlainTextResponse("Requests of other pages are not answered.", 403)
        if request.headers.get("sec-fetch-site") == "cross-site" and request.method != "GET":
            return PlainTextResponse("Requests of other pages are not answered.", 403)
        given = request.query_params.get("token")
        if request.url.path == "/" and given is not None and self._right(given):
            answer = RedirectResponse("/", 303)
            answer.set_cookie(self.cookie, self.token, httponly=True, samesite="strict", path="/")
            return answer
        if not self._right(request.cookies.get(self.cookie, "")):
            return PlainTextResponse("Open the address that `paperclaims review` printed.", 403)
        return None

    def _right(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self.token.encode())


def application(
    made: Cards,
    verdicts: Verdicts,
    *,
    who: str,
    since: bool,
    token: str,
    port: int,
    declared: Declared = OURS,
) -> Guard:
    """The page's server as an ASGI application."""
    texts: dict[str, str] = {}
    entries: dict[str, str] = {}

    def home(_: Request) -> Response:
        return Response(page.served(), media_type="text/html")

    def static(request: Request) -> Response:
        kind = "text/css" if request.url.path.endswith(".css") else "text/javascript"
        return Response(page.static(request.url.path.removeprefix("/")), media_type=kind)

    def begin(_: Request) -> Response:
        return JSONResponse(
            {
                "setup": page.setup(made, who=who, since=since),
                "verdicts": page.told(verdicts.latest().values(), made.hashes),
                "conflicts": verdicts.conflicts(),
            }
        )

    def index(request: Request) -> Response:
        table = request.query_params.get("table", "gains")
        return JSONResponse(page.index(made, table) if table in EDITABLE else [])

    def paper(request: Request) -> Response:
        paper_id = request.query_params.get("id", "")
        if paper_id not in made.papers:
            return PlainTextResponse("no such paper", 404)
        return JSONResponse(made.paper(paper_id))

    def rule(request: Request) -> Response:
        if not entries:
            entries.update(page.entries_of(declared.rules))
        return PlainTextResponse(page.entry(entries, request.query_params.get("path", "")))

    def search(request: Request) -> Response:
        wanted = request.query_params.get("q", "").casefold()
        if not texts:
            for paper_id in made.papers:
                one = made.paper(paper_id)
                texts[paper_id] = f"{paper_id}\n{one['title']}\n{one['abstract']}".casefold()
        return JSONResponse([paper_id for paper_id, text in texts.items() if wanted in text])

    async def judge(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return PlainTextResponse("verdicts are JSON", 415)
        body = await request.body()
        if len(body) > LARGEST_BODY:
            return PlainTextResponse("too long for a verdict", 413)
        try:
            added = _judged(made, verdicts, who, json.loads(body))
        except (PipelineError, ValueError, TypeError, KeyError) as error:
            return PlainTextResponse(f"not a verdict: {error}", 400)
        return JSONResponse(added)

    routes = [
        Route("/", home),
        Route("/review.js", static),
        Route("/review.css", static),
        Route("/api/begin", begin),
        Route("/api/index", index),
        Route("/api/paper", paper),
        Route("/api/rule", rule),
        Route("/api/search", search),
        Route("/api/verdict", judge, methods=["POST"]),
    ]
    return Guard(Starlette(routes=routes), token, port)


def _judged(made: Cards, verdicts: Verdicts, who: str, said: dict[str, Any]) -> dict[str, Any]:
    """Keep a verdict, with what the page cannot be trusted to know: who, the text, the rule."""
    word = said["verdict"]
    note, queue = str(said.get("note", ""))[:2000], str(said.get("queue", ""))[:50]
    if word == "undo":
        last = verdicts.last(who)
        if last is None:
            raise AuditError("nothing to undo")
        verdicts.add(
            who=who, verdict="undo", claim=last.claim, table=last.table, paper_id=last.paper_id,
            text_sha256=last.text_sha256, said=last.id,
        )  # fmt: skip
        return {"undone": last.claim, "verdicts": _of(made, verdicts, last.claim)}
    if word == "missed":
        return _missed(made, verdicts, who, said, note, queue)
    card = made.card(str(said["claim"]))
    if card is None:
        raise AuditError("no such claim")
    paper_id = made.of[card["claim"]]
    fields = _fields(card["table"], said.get("fields") or {}) if word == "edit" else {}
    if word == "edit" and not fields:
        raise AuditError("an edit changes a field")
    verdicts.add(
        who=who, verdict=word, claim=card["claim"], table=card["table"], paper_id=paper_id,
        text_sha256=made.hashes[paper_id], rule=card["rule"], rules=made.rules, queue=queue,
        fields=fields, note=note,
        place={key: card[key] for key in ("field", "start", "end", "surface")},
    )  # fmt: skip
    return {"claim": card["claim"], "verdicts": _of(made, verdicts, card["claim"])}


def _missed(
    made: Cards, verdicts: Verdicts, who: str, said: dict[str, Any], note: str, queue: str
) -> dict[str, Any]:
    paper_id, table = str(said["paper_id"]), str(said["table"])
    if paper_id not in made.papers or not EDITABLE.get(table):
        raise AuditError("no such paper or table")
    given = said["place"]
    field, start, end = str(given["field"]), int(given["start"]), int(given["end"])
    if field not in ("title", "abstract"):
        raise AuditError("no such text")
    text = made.paper(paper_id)[field]
    if not 0 <= start < end <= len(text):
        raise AuditError("the place is outside the text")
    fields = _fields(table, said.get("fields") or {})
    surface = text[start:end]
    identity = {
        "paper_id": paper_id, "gain_id": f"missed-{field}-{start}-{end}", "field": field,
        "start": start, "name": fields.get("name", surface), "url": fields.get("url", surface),
        "kind": fields.get("kind"), "value": fields.get("value"), "model": fields.get("model"),
    }  # fmt: skip
    claim = f"missed-{claim_id('numbers', {**identity, 'field': f'{table} {field}'})}"
    verdicts.add(
        who=who, verdict="missed", claim=claim, table=table, paper_id=paper_id,
        text_sha256=made.hashes[paper_id], rules=made.rules, queue=queue, fields=fields, note=note,
        place={"field": field, "start": start, "end": end, "surface": surface},
    )  # fmt: skip
    return {"claim": claim, "verdicts": _of(made, verdicts, claim)}


def _of(made: Cards, verdicts: Verdicts, claim: str) -> list[dict[str, Any]]:
    return page.told(verdicts.of_claims().get(claim, ()), made.hashes).get(claim, [])


def _fields(table: str, given: dict[str, Any]) -> dict[str, Any]:
    """The fields that may be corrected, each of its type; an empty one is null."""
    made: dict[str, Any] = {}
    for name, value in given.items():
        if name not in EDITABLE[table]:
            raise AuditError(f"{table} has no field {name}")
        if name in ("qualifiers", "benchmarks"):
            listed = value if isinstance(value, list) else str(value or "").split(";")
            made[name] = [str(one).strip() for one in listed if str(one).strip()]
        elif value is None or not str(value).strip():
            made[name] = None
        elif name in NUMERIC:
            number = float(str(value).replace(",", ""))
            made[name] = int(number) if table == "sizes" else number
        else:
            made[name] = str(value).strip()
    return made


def serve(
    out: Path,
    *,
    who: str | None,
    port: int,
    since: str | None,
    declared: Declared = OURS,
    told: Callable[[str], object],
) -> None:
    """Audit what is published in `out` and serve the page until the process is ended."""
    if not published(out):
        raise AuditError(f"{out}: no tables here; `paperclaims run` publishes them")
    findings = written.read(out, run_of(tables.snapshot(out))[0])
    if findings is None:
        told("Auditing the tables first ...")
        audited = audit(out, declared=declared)
        findings = audited.findings
        written.write(out, audited)
    made = cards(out, findings, since=since)
    verdicts = Verdicts(out / "verdicts.jsonl")
    token = secrets.token_urlsafe(24)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
            listening.listen()  # a browser that is quicker than uvicorn waits in the queue
        except OSError as error:
            raise AuditError(f"port {port}: {error.strerror}; give another, or none") from error
        port = listening.getsockname()[1]
        app = application(
            made, verdicts, who=who or getpass.getuser(), since=since is not None, token=token,
            port=port, declared=declared,
        )  # fmt: skip
        told(
            f"{len(made.claims):,} claims of {len(made.papers):,} papers, "
            f"{len(verdicts):,} verdicts"
        )
        if verdicts.torn:
            told(
                f"{verdicts.torn} lines of {verdicts.path} were cut off by a crash and are left out"
            )
        told(f"http://127.0.0.1:{port}/?token={token}")
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, lifespan="off", server_header=False
        )
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listening])
