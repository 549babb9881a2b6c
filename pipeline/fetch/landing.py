"""The landing area of one service and day: its pages as they came, and how far the fetch is.

A page is a file, written under another name, synced and renamed; the file `.fetched.json` beside
it is written after each. So a page that it names is whole, and what it does not name is fetched
again, whenever a fetch was cut short.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import filelock

from pipeline.fetch.web import Answer
from pipeline.places import Folder

_STATE = ".fetched.json"
_now = time.time
_VERSION = 1

Params = dict[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """A page that is landed: of which list, what was asked, and what is known of it."""

    name: str
    series: int
    params: Params
    sha256: str
    entries: int
    total: int | None
    next: Params | None
    etag: str | None
    modified: str | None
    at: float
    """When it was found to be so, in seconds since 1970."""


class Landing:
    """The pages of one day, under a lock. They answer `question`; to another, they begin anew.

    From `settled` on, what the service says of the day does not change.
    """

    def __init__(
        self,
        folder: Path,
        question: Mapping[str, Any],
        suffix: str,
        settled: datetime.datetime,
    ) -> None:
        self.is_complete = False
        self.is_final = False
        self._path = folder
        self._folder = Folder(folder)
        self._question = json.loads(json.dumps(question))
        self._suffix = suffix
        self._settled = settled.timestamp()
        self._pages: list[Page] = []
        self._before: list[Page] = []
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = filelock.FileLock(folder / ".lock", timeout=-1)

    def __enter__(self) -> Self:
        self._lock.acquire()
        try:
            self._load()
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._lock.release()

    @property
    def faulty(self) -> Path:
        """Where to leave a page that cannot be read, out of the way of those that can."""
        return self._path / f".faulty{self._suffix}"

    @property
    def paths(self) -> tuple[Path, ...]:
        """The pages that hold papers, in order."""
        return tuple(self._path / page.name for page in self._pages if page.entries)

    @property
    def papers(self) -> int | None:
        """How many papers the service says there are in all its lists together."""
        told = {page.series: page.total for page in self._pages if page.total is not None}
        return sum(told.values()) if told.keys() == {page.series for page in self._pages} else None

    @property
    def entries(self) -> int:
        """How many came."""
        return sum(page.entries for page in self._pages)

    def begin(self) -> None:
        """Go on with what was cut short.

        A day that was whole is gone through anew, and so is one that is settled now and was not
        when its first pages came: there may be more in them.
        """
        if self.is_complete or (not self._are_settled(self._pages) and self._settled <= _now()):
            self._pages, self._before, self.is_complete = [], self._pages, False

    def resume(self, series: int, first: Params) -> Params | None:
        """What to ask for next in this list; None if it is whole."""
        own = [page for page in self._pages if page.series == series]
        return own[-1].next if own else first

    def known(self, series: int, params: Params) -> Page | None:
        """The page that was the answer to this before, if it is there as it came."""
        place = sum(page.series == series for page in self._pages)
        own = [page for page in self._before if page.series == series]
        if place < len(own) and own[place].params == params and self._is_there(own[place]):
            return own[place]
        return None

    def keep(self, page: Page, *, whole: bool) -> Params | None:
        """Take over a page that has not changed, and with `whole` the rest of its list with it.

        Gives what to ask for next.
        """
        own = [one for one in self._before if one.series == page.series]
        kept = own[own.index(page) :] if whole else [page]
        if not all(map(self._is_there, kept)):
            kept = [page]
        self._pages += [replace(one, at=_now()) for one in kept]
        self._save()
        return kept[-1].next

    def add(self, series: int, params: Params, answer: Answer) -> Params | None:
        """Land a page; gives what to ask for next."""
        number = 1 + sum(page.series == series for page in self._pages)
        page = Page(
            name=f"{series + 1:02}-{number:04}{self._suffix}",
            series=series,
            params=params,
            sha256=hashlib.sha256(answer.body).hexdigest(),
            entries=answer.said.entries,
            total=answer.said.total,
            next=answer.said.next,
            etag=answer.etag,
            modified=answer.modified,
            at=_now(),
        )
        self._folder.write(page.name, answer.body)
        self._pages.append(page)
        self._save()
        return page.next

    def forget(self, series: int | None = None) -> None:
        """Begin this list anew, or all of them."""
        self._pages = [page for page in self._pages if series not in (None, page.series)]
        self._save()

    def finish(self) -> None:
        """The day is whole; it is final if all of it came when it was settled."""
        self.is_complete, self.is_final = True, self._are_settled(self._pages)
        self._before = []
        self._save()
        kept = {page.name for page in self._pages}
        for path in self._path.glob(f"[0-9]*{self._suffix}"):
            if path.name not in kept:
                path.unlink()  # a list that has become shorter
        self.faulty.unlink(missing_ok=True)

    def _are_settled(self, pages: list[Page]) -> bool:
        return all(page.at >= self._settled for page in pages)

    def _is_there(self, page: Page) -> bool:
        try:
            body = self._folder.read(page.name)
        except FileNotFoundError:
            return False
        return hashlib.sha256(body).hexdigest() == page.sha256

    def _load(self) -> None:
        try:
            state = json.loads(self._folder.read(_STATE))
            if state["version"] != _VERSION or state["question"] != self._question:
                return
            pages, before = ([Page(**page) for page in state[key]] for key in ("pages", "before"))
            self.is_complete, self.is_final = state["complete"], state["final"]
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return
        self._before = before
        for page in pages:
            if not self._is_there(page):  # somebody has changed or removed it
                self.is_complete = self.is_final = False
                break
            self._pages.append(page)

    def _save(self) -> None:
        state = {
            "version": _VERSION,
            "question": self._question,
            "complete": self.is_complete,
            "final": self.is_final,
            "pages": [asdict(page) for page in self._pages],
            "before": [asdict(page) for page in self._before],
        }
        self._folder.write(_STATE, json.dumps(state, indent=1).encode())
