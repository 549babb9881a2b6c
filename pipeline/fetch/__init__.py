"""What live services published on a day, page by page as it came, into a landing area of files.

`fetch` is all there is to it. `pipeline.sources` reads the files, with or without the network.
"""

from __future__ import annotations

import datetime
import functools
from dataclasses import dataclass
from pathlib import Path

from pipeline.fetch.landing import Landing
from pipeline.fetch.services import PROTOCOLS, Answered, ExpiredError, Params, Service
from pipeline.fetch.web import FetchError, Web
from pipeline.settings import Settings

__all__ = ["SERVICES", "FetchError", "Fetched", "fetch"]

SERVICES: tuple[str, ...] = tuple(PROTOCOLS)


# How often in one fetch a service may forget where in a list we were.
_EXPIRED = 3


@dataclass(frozen=True)
class Fetched:
    """What of a day is in the landing area.

    `paths` are the files as they came, in order, which `pipeline.sources` reads; pages without a
    paper are not among them. `papers` is how many the service says the day has, None where it does
    not say. `requests` were made now: none where the day had been fetched whole before.
    """

    service: str
    day: datetime.date
    paths: tuple[Path, ...]
    papers: int | None
    requests: int
    complete: bool


def fetch(service: str, day: datetime.date, *, landing: Path, settings: Settings) -> Fetched:
    """What `service` published on `day` (of UTC), page by page into landing/<service>/<day>/.

    A fetch that was cut short goes on after its last whole page. A day fetched whole is not fetched
    again; while the service may still add to it, it is asked whether it has changed. Of two
    processes that fetch the same day, one waits for the other.

    FetchError names service and address, what is wrong and what to do; what had been landed stays.
    """
    if service not in PROTOCOLS:
        raise FetchError(service, "", "no such service", f"there are {', '.join(SERVICES)}")
    if settings.contact is None:
        raise FetchError(
            service,
            "",
            "services want to know whom to write to",
            "set contact in paperclaims.toml, or PAPERCLAIMS_CONTACT, to your e-mail address",
        )
    asked = PROTOCOLS[service](settings, day)
    try:
        return _fetched(asked, day, Path(landing), settings)
    except OSError as error:
        wrong = f"{error.filename or landing}: cannot be read or written: {error.strerror or error}"
        todo = "make room, or name another folder for what is fetched"
        raise FetchError(service, "", wrong, todo, may_pass=True) from error


def _fetched(asked: Service, day: datetime.date, landing: Path, settings: Settings) -> Fetched:
    folder = landing / asked.name / day.isoformat()
    with Landing(folder, asked.question, asked.suffix, asked.settled) as landed:
        requests = 0
        if not landed.is_final:
            with Web(asked, landing, settings) as web:
                _complete(landed, asked, web)
                requests = web.requests
        return Fetched(
            asked.name, day, landed.paths, landed.papers, requests, complete=landed.is_complete
        )


def _complete(landed: Landing, asked: Service, web: Web) -> None:
    """Fetch the pages that are missing; of a whole day, those that have changed."""
    landed.begin()
    expired = 0
    for number, first in enumerate(asked.series):
        params = landed.resume(number, first)
        while params is not None:
            known = landed.known(number, params)
            try:
                answer = web.get(
                    params,
                    functools.partial(_read, asked, params),
                    etag=known.etag if known else None,
                    modified=known.modified if known else None,
                    faulty=landed.faulty,
                )
            except ExpiredError as error:
                expired += 1
                if expired > _EXPIRED:
                    raise FetchError(
                        asked.name,
                        asked.part.address,
                        f"forgets where we are in its list, {expired} times: {error}",
                        "fetch again later",
                        may_pass=True,
                    ) from error
                landed.forget(number)
                params = first
                continue
            if answer is not None:
                params = landed.add(number, params, answer)
            else:
                assert known is not None  # nothing else was asked for by its marks
                params = landed.keep(known, whole=asked.is_one_list)
    if asked.is_exact and landed.papers is not None and landed.entries < landed.papers:
        wrong = f"gave {landed.entries} papers where it says there are {landed.papers}"
        landed.forget()
        raise FetchError(asked.name, asked.part.address, wrong, "fetch again later", may_pass=True)
    landed.finish()


def _read(asked: Service, params: Params, body: bytes) -> Answered:
    return asked.read(body, params)
