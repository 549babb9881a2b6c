"""The protocols of the services: what to ask for a day, and what an answer says.

Nothing here sends or stores anything.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from pipeline.records import PipelineError
from pipeline.settings import Service as Part
from pipeline.settings import Settings
from pipeline.sources.xml_text import SAFELY, declares_entities

Params = dict[str, str]

_DIGITS = 12  # more papers nobody has


class MalformedError(Exception):
    """An answer is not whole, or not what it should be; the next one may be."""


class RefusedError(Exception):
    """The service says that what it was asked is wrong, or the answer must not be read."""


class ExpiredError(Exception):
    """The service does not know any more where in its list we are."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a page says: how many papers of the day are in it, in all, and what to ask for next."""

    entries: int
    total: int | None
    next: Params | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """How to fetch one day of a service.

    `series` are the parameters that each list of pages begins with. `limit` is the name of what its
    rate is shared with. `is_one_list` says that pages after the first are told by tokens, so that
    what is known of the first is known of all; `is_exact`, that the totals it tells can be counted
    on. From `settled` on, what it says of the day does not change.
    """

    name: str
    part: Part
    path: str
    series: tuple[Params, ...]
    read: Callable[[bytes, Params], Answered]
    settled: datetime.datetime
    suffix: str = ".json"
    limit: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    is_one_list: bool = False
    is_exact: bool = False

    @property
    def question(self) -> Mapping[str, Any]:
        """All that the pages depend on."""
        return {"address": self.part.address + self.path, "series": self.series}


def _settled(day: datetime.date, part: Part) -> datetime.datetime:
    after = day + datetime.timedelta(days=1 + part.settles)
    return datetime.datetime.combine(after, datetime.time(), datetime.UTC)


def _object(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"not the JSON it should be: {error}") from error


def daily_papers(settings: Settings, day: datetime.date) -> Service:
    """Hugging Face Daily Papers, by date; a page that is not full is the last."""
    part = settings.services.daily_papers

    def read(body: bytes, params: Params) -> Answered:
        papers = _object(body)
        if not isinstance(papers, list):
            raise MalformedError("not a list of papers")
        full = len(papers) >= part.page_size
        after = {**params, "p": str(int(params["p"]) + 1)} if full else None
        return Answered(len(papers), None, after)

    return Service(
        name="daily-papers",
        part=part,
        path="/api/daily_papers",
        series=({"date": day.isoformat(), "limit": str(part.page_size), "p": "0"},),
        read=read,
        settled=_settled(day, part),
        limit="huggingface",
    )


def arxiv(settings: Settings, day: datetime.date) -> Service:
    """The Atom API of arXiv: what was submitted to some categories, by place in the list."""
    part = settings.services.arxiv
    categories = " OR ".join(f"cat:{category}" for category in part.categories)
    submitted = f"submittedDate:[{day:%Y%m%d}0000 TO {day:%Y%m%d}2359]"

    def read(body: bytes, params: Params) -> Answered:
        feed = _xml(body, "feed")
        total = feed.find("{*}totalResults")
        entries = feed.findall("{*}entry")
        for entry in entries:
            if "/api/errors" in (entry.findtext("{*}id") or ""):
                told = " ".join((entry.findtext("{*}summary") or "").split())
                raise RefusedError(f"the service says: {told}")
        try:
            papers = int(total.text)
        except (AttributeError, TypeError, ValueError):
            raise MalformedError("a feed that does not tell how many papers there are") from None
        start = int(params["start"])
        # A known fault of this service: a page in the middle comes empty, and whole later.
        if not entries and start < papers:
            raise MalformedError(f"an empty page where {papers - start} papers should follow")
        end = start + len(entries)
        after = {**params, "start": str(end)} if end < papers else None
        return Answered(len(entries), papers, after)

    first = {
        "search_query": f"({categories}) AND {submitted}",
        "sortBy": "submittedDate",
        "sortOrder": "ascending",  # what is added meanwhile comes last
        "start": "0",
        "max_results": str(part.page_size),
    }
    return Service(
        name="arxiv",
        part=part,
        path="/query",
        series=(first,),
        read=read,
        settled=_settled(day, part),
        suffix=".xml",
        limit="arxiv",
        is_exact=True,
    )


def arxiv_oai(settings: Settings, day: datetime.date) -> Service:
    """OAI-PMH of arXiv: what was added or revised, by set; one token leads to the next page."""
    part = settings.services.arxiv_oai

    def read(body: bytes, params: Params) -> Answered:
        told = _xml(body, "OAI-PMH")
        for error in told.iterfind("{*}error"):
            code, text = error.get("code", ""), (error.text or "").strip()
            if code == "noRecordsMatch":
                return Answered(0, 0, None)
            if code == "badResumptionToken":
                raise ExpiredError(text)
            raise RefusedError(f"the service says: {code}: {text}")
        if (listed := told.find("{*}ListRecords")) is None:
            raise MalformedError("neither records nor an error")
        entries = len(listed.findall("{*}record"))
        token = listed.find("{*}resumptionToken")
        if token is None:
            is_all = "resumptionToken" not in params
            return Answered(entries, entries if is_all else None, None)
        size = token.get("completeListSize", "")
        after = (token.text or "").strip()
        return Answered(
            entries,
            int(size) if size.isdecimal() and len(size) < _DIGITS else None,
            # A token stands for all else that was asked, which must not be said again.
            {"verb": "ListRecords", "resumptionToken": after} if after else None,
        )

    return Service(
        name="arxiv-oai",
        part=part,
        path="",
        series=tuple(
            {
                "verb": "ListRecords",
                "metadataPrefix": part.metadata,
                "from": day.isoformat(),
                "until": day.isoformat(),
                "set": set_,
            }
            for set_ in part.sets
        ),
        read=read,
        settled=_settled(day, part),
        suffix=".xml",
        limit="arxiv",  # arXiv counts the requests to all of its interfaces together
        is_one_list=True,
        is_exact=True,
    )


def openreview(settings: Settings, day: datetime.date) -> Service:
    """Notes of OpenReview: those of some venues that were made on a day.

    It can be asked for notes from a time on, but not up to one. So they are asked for in the order
    in which they were made, up to the page in which the next day begins.
    """
    part = settings.services.openreview
    if not part.venues:
        raise PipelineError(
            "services.openreview.venues is empty; name some venues in the settings, such as "
            'venues = ["ICLR.cc/2027/Conference"]'
        )
    begin = datetime.datetime.combine(day, datetime.time(), datetime.UTC)
    start = int(begin.timestamp() * 1000)
    end = start + 86_400_000

    def read(body: bytes, params: Params) -> Answered:
        told = _object(body)
        notes = told.get("notes") if isinstance(told, dict) else None
        if not isinstance(notes, list):
            raise MalformedError("no list of notes")
        if not all(isinstance(note, dict) for note in notes):
            raise MalformedError("a list of what are no notes")
        made = [note.get("tcdate") or note.get("cdate") for note in notes]
        of_the_day = sum(isinstance(at, int) and at < end for at in made)
        after = int(params["offset"]) + len(notes)
        is_last = len(notes) < part.page_size or of_the_day < len(notes)
        return Answered(of_the_day, None, None if is_last else {**params, "offset": str(after)})

    return Service(
        name="openreview",
        part=part,
        path="/notes",
        series=tuple(
            {
                "content.venueid": venue,
                "mintcdate": str(start),
                "sort": "tcdate:asc",
                "offset": "0",
                "limit": str(part.page_size),
            }
            for venue in part.venues
        ),
        read=read,
        settled=_settled(day, part),
        limit="openreview",
    )


def semantic_scholar(settings: Settings, day: datetime.date) -> Service:
    """The bulk search of Semantic Scholar: what was published on a day; tokens lead on."""
    part = settings.services.semantic_scholar
    first = {
        "query": part.query,
        "fields": "externalIds,url,title,abstract,publicationDate",
        "publicationDateOrYear": f"{day}:{day}",
    }
    if part.fields_of_study:
        first["fieldsOfStudy"] = ",".join(part.fields_of_study)

    def read(body: bytes, _: Params) -> Answered:
        told = _object(body)
        papers = told.get("data") if isinstance(told, dict) else None
        if not isinstance(papers, list):
            raise MalformedError("no list of papers")
        total, token = told.get("total"), told.get("token")
        after = {**first, "token": str(token)} if token and papers else None
        return Answered(len(papers), total if isinstance(total, int) else None, after)

    key = part.api_key
    return Service(
        name="semantic-scholar",
        part=part,
        path="/paper/search/bulk",
        series=(first,),
        read=read,
        settled=_settled(day, part),
        limit="semantic-scholar",
        headers={"x-api-key": key.get_secret_value()} if key else {},
        is_one_list=True,
    )


def _xml(body: bytes, root: str) -> Any:
    """The root of an XML page, parsed without entities and whatever else leads elsewhere."""
    try:
        found = etree.fromstring(body, etree.XMLParser(**SAFELY))
    except etree.XMLSyntaxError as error:
        raise MalformedError(f"not the XML it should be: {error.msg}") from error
    if declares_entities(found):
        raise RefusedError("XML that declares entities of its own, which no answer needs")
    if etree.QName(found).localname != root:
        raise MalformedError(f"<{etree.QName(found).localname}> where <{root}> should be")
    return found


PROTOCOLS: Mapping[str, Callable[[Settings, datetime.date], Service]] = {
    "daily-papers": daily_papers,
    "arxiv": arxiv,
    "arxiv-oai": arxiv_oai,
    "openreview": openreview,
    "semantic-scholar": semantic_scholar,
}
