"""One page of a service, asked for politely and taken with care."""

from __future__ import annotations

import datetime
import functools
import importlib.metadata
import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import tenacity

from pipeline.fetch.limits import Limiter, NotNowError
from pipeline.fetch.services import Answered, MalformedError, RefusedError, Service
from pipeline.records import PipelineError
from pipeline.settings import Settings

_PASSING = {408, 425, 429, 500, 502, 503, 504}
_MOVED = {301, 302, 303, 307, 308}
_UNCHANGED = 304
_REDIRECTS = 5
_LONGEST_BACKOFF = 60
# What httpx unpacks a piece at a time, to no more than a thousand times its size.
_ENCODINGS = {"", "identity", "gzip"}
_TOLD = 200
_LONGEST_PAUSE = 7 * 86_400


class FetchError(PipelineError):
    """A service did not give what was asked for; `may_pass` says whether it may do so later."""

    def __init__(
        self, service: str, address: str, wrong: str, todo: str, may_pass: bool = False
    ) -> None:
        # Services' own words are among it, which must not reach a terminal as commands to it.
        wrong = "".join(
            sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in wrong
        )
        super().__init__(service, address, wrong, todo, may_pass)
        self.service = service
        self.address = address
        self.wrong = wrong
        self.todo = todo
        self.may_pass = may_pass

    def __str__(self) -> str:
        """One line, as the command prints it."""
        where = f"{self.service}: {self.address}" if self.address else self.service
        return f"{where}: {self.wrong}; {self.todo}"


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of a page as it came, what it says, and what to ask for it by the next time."""

    body: bytes
    said: Answered
    etag: str | None
    modified: str | None


class _PassingError(Exception):
    """What went wrong may be right at the next attempt. `body` is what came, if anything did."""

    def __init__(self, wrong: str, body: bytes = b"") -> None:
        super().__init__(wrong)
        self.body = body


class Web:
    """The connection to one service; `requests` counts what was sent, repeats and all."""

    def __init__(self, service: Service, landing: Path, settings: Settings) -> None:
        self.requests = 0
        self._service = service
        self._fetching = settings.fetching
        self._limiter = Limiter(landing / ".limits", service.limit, service.part.interval)
        self._client = httpx.Client(
            timeout=settings.fetching.timeout,
            verify=_certificates(),
            headers={
                "User-Agent": f"paperclaims/{_version()} (contact: {settings.contact})",
                "Accept-Encoding": "gzip",
                **service.headers,
            },
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._client.close()

    def get(
        self,
        params: Mapping[str, str],
        read: Callable[[bytes], Answered],
        *,
        etag: str | None = None,
        modified: str | None = None,
        faulty: Path,
    ) -> Answer | None:
        """The page these parameters ask for, or None if it is what these marks stand for.

        `read` says what is in it; a page that it cannot read is asked for again, and what came at
        last is left in the file `faulty`.
        """
        conditions = {"If-None-Match": etag, "If-Modified-Since": modified}
        headers = {name: value for name, value in conditions.items() if value}
        address = httpx.URL(self._service.part.address + self._service.path, params=dict(params))
        wait = self._fetching.wait
        attempts = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self._fetching.attempts),
            wait=tenacity.wait_random_exponential(
                multiplier=wait, min=wait / 2, max=max(wait, _LONGEST_BACKOFF)
            ),
            retry=tenacity.retry_if_exception_type(_PassingError),
            reraise=True,
        )
        try:
            return attempts(self._follow, address, headers, read)
        except _PassingError as error:
            todo = "the service is out of order; fetch again later"
            if error.body:
                faulty.parent.mkdir(parents=True, exist_ok=True)
                faulty.write_bytes(error.body)
                todo = f"what came is in {faulty}; fetch again later"
            raise self._error(
                address, f"{error} (attempts: {self._fetching.attempts})", todo, may_pass=True
            ) from error

    def _follow(
        self, address: httpx.URL, headers: Mapping[str, str], read: Callable[[bytes], Answered]
    ) -> Answer | None:
        at = address
        for _ in range(_REDIRECTS + 1):
            try:
                with self._limiter.turn(self._fetching.longest_wait):
                    found = self._ask(at, headers, read)
            except NotNowError as error:
                again = datetime.datetime.now(datetime.UTC)
                again += datetime.timedelta(seconds=error.seconds + 1)
                raise self._error(
                    at,
                    f"the service asks for a pause of {error.seconds:.0f} s",
                    f"fetch again after {again:%Y-%m-%d %H:%M:%S} UTC",
                    may_pass=True,
                ) from error
            if not isinstance(found, httpx.URL):
                return found
            at = found
        raise self._error(
            address, f"redirects {_REDIRECTS} times and more", "check the service's address"
        )

    def _ask(
        self, at: httpx.URL, headers: Mapping[str, str], read: Callable[[bytes], Answered]
    ) -> Answer | httpx.URL | None:
        """One request. An address is where to ask instead."""
        self.requests += 1
        try:
            with self._client.stream("GET", at, headers=dict(headers)) as response:
                if response.status_code in _MOVED and "location" in response.headers:
                    return self._moved(at, response.headers["location"])
                if response.status_code == _UNCHANGED and headers:
                    return None
                body = self._body(at, response)
        except httpx.UnsupportedProtocol as error:
            raise self._error(at, str(error), "check the service's address") from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise _PassingError(f"no whole answer: {error or type(error).__name__}") from error
        self._check(at, response, body)
        try:
            said = read(body)
        except MalformedError as error:
            raise _PassingError(str(error), body) from error
        except RefusedError as error:
            raise self._error(at, str(error), "check the service's settings") from error
        etag, modified = (_mark(response, name) for name in ("etag", "last-modified"))
        return Answer(body, said, etag, modified)

    def _check(self, at: httpx.URL, response: httpx.Response, body: bytes) -> None:
        """Go on only with a page that was given."""
        status = response.status_code
        if status == httpx.codes.OK:
            return
        told = " ".join(body.decode("utf-8", "replace").split())[:_TOLD]
        wrong = f"status {status} {response.reason_phrase}" + (f": {told}" if told else "")
        if status in _PASSING:
            if pause := _pause(response, body):
                self._limiter.hold_off(pause)
            raise _PassingError(wrong)
        keyed = status in (401, 403)
        todo = "set its key in the settings" if keyed else "check the service's settings"
        raise self._error(at, wrong, todo)

    def _moved(self, at: httpx.URL, location: str) -> httpx.URL:
        """Where a redirect leads, if that is the same service: its host and port, or its https."""
        try:
            to = at.join(location)
        except (httpx.InvalidURL, ValueError):
            to = httpx.URL()
        upgraded = (at.scheme, to.scheme, at.port, to.port) == ("http", "https", None, None)
        same = (to.scheme, to.port) == (at.scheme, at.port) or upgraded
        if to.host != at.host or not same or to.userinfo:
            raise self._error(
                at,
                f"redirects to {location[:_TOLD]!r}, which is another service",
                "if that is where it has moved, set its address in the settings",
            )
        return to

    def _body(self, at: httpx.URL, response: httpx.Response) -> bytes:
        """The whole body, unpacked, within the bounds of size and time."""
        largest = self._fetching.largest_answer
        if response.headers.get("content-encoding", "").strip().lower() not in _ENCODINGS:
            raise self._error(
                at, "packed in a way that was not asked for", "check the service's address"
            )
        size, pieces = 0, []
        end = time.monotonic() + self._fetching.longest_answer
        for piece in response.iter_bytes():
            size += len(piece)
            pieces.append(piece)
            if size > largest:
                raise self._error(
                    at,
                    f"an answer of more than {largest:,} bytes",
                    "ask for fewer papers at once (page-size), or raise fetching.largest-answer",
                )
            if time.monotonic() > end:
                raise _PassingError(
                    f"an answer that takes longer than {self._fetching.longest_answer:g} s"
                )
        return b"".join(pieces)

    def _error(self, at: httpx.URL, wrong: str, todo: str, *, may_pass: bool = False) -> FetchError:
        return FetchError(self._service.name, str(at), wrong, todo, may_pass)


@functools.cache
def _certificates() -> ssl.SSLContext:
    # To read them takes longer than many an answer.
    return httpx.create_ssl_context()


def _version() -> str:
    try:
        return importlib.metadata.version("paperclaims")
    except importlib.metadata.PackageNotFoundError:  # run from a checkout
        return "0"


def _mark(response: httpx.Response, name: str) -> str | None:
    """What a header marks a page with, if it can be sent back."""
    told = str(response.headers.get(name, ""))
    return told if told.isascii() and told.isprintable() and 0 < len(told) < _TOLD else None


def _pause(response: httpx.Response, body: bytes) -> float:
    """The seconds for which a service asks to be left alone; 0 if it does not say."""
    told = response.headers.get("retry-after", "").strip()
    if told.isdecimal():
        return min(float(told), _LONGEST_PAUSE)
    try:
        until = parsedate_to_datetime(told) if told else _reset(json.loads(body))
        pause = (until - datetime.datetime.now(datetime.UTC)).total_seconds()
        return min(max(0.0, pause), _LONGEST_PAUSE)
    except (ValueError, TypeError, KeyError, RecursionError):
        return 0.0


def _reset(told: Any) -> datetime.datetime:
    # OpenReview says it so.
    return datetime.datetime.fromisoformat(told["details"]["resetTime"])
