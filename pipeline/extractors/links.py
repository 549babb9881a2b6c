r"""URLs, cleaned to what a browser should open, and whether the code of the paper is out.

Found in the raw text, before anything is folded: LaTeX remains are often glued to a link, as in
`https://x.org/{https://x.org/}`, `https://x.org}{here}` and `\url{https://x.org}.`
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from pipeline.extractors.phrases import Phrases
from pipeline.fold import fold
from pipeline.language import Text
from pipeline.records import CodeStatus, Link, LinkKind, Span
from pipeline.rules import Entry, Rules
from pipeline.skeleton import Item, skeleton

_BARE = (
    r"(?:github\.com|gitlab\.com|huggingface\.co|hf\.co|bitbucket\.org|zenodo\.org|arxiv\.org|doi\.org|"
    r"aka\.ms|goo\.gl|bit\.ly|anonymous\.4open\.science|youtu\.be|kaggle\.com|osf\.io|tinyurl\.com)/[^\s{}<>\"|^`]+"
    r"|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.(?:github\.io|gitlab\.io|readthedocs\.io|netlify\.app|vercel\.app|hf\.space)(?:/[^\s{}<>\"|^`]*)?"
)
_URL = re.compile(
    rf"(?<![\w@/.-])(?:(?:https?://(?:\s(?=\w+\.\w))?|www\.)[^\s{{}}<>\"|^`]+|{_BARE})",
    re.IGNORECASE,
)
# what no link is without, with no space before it
_ANCHOR = re.compile(r"//|\.[A-Za-z4]|w\.|W\.")
_DOT = re.compile(r"\.(?:[A-Za-z4]|(?<=[wW]\.))")
_AGAIN = re.compile(r"https?://|http?:/", re.IGNORECASE)
_TRAILING = ".,;:!?'\u2019\u201d*~\\$"
_PAIRS = {")": "(", "]": "["}
_MAX = 2_000
_REPOSITORY = re.compile(r"/([A-Za-z0-9][\w.-]*)/([\w.-]+)")
_REPOSITORY_HOSTS = ("github.com", "gitlab.com", "bitbucket.org")


@dataclass(frozen=True, slots=True)
class _Host:
    suffix: str
    path: str
    entry: Entry


@functools.lru_cache(maxsize=4)
def places(text: str) -> list[tuple[int, int]]:
    """The half-open ranges of the URLs of a raw text, which may be read in several pieces."""
    found: list[tuple[int, int]] = []
    for match in _urls(text, 0, len(text)):
        start, end = match.start(), min(match.end(), match.start() + _MAX)
        again = _AGAIN.search(text, start + 8, end)
        if again:
            end = again.start()
        end = _trimmed(text, start, end)
        if end - start > 8 and "." in text[start:end]:
            found.append((start, end))
    return found


def _urls(text: str, start: int, end: int) -> Iterator[re.Match[str]]:
    """The matches of URLs, as `finditer` gives them: they are looked for only between the spaces
    around what no URL is without.
    """
    if "//" not in text and _DOT.search(text) is None:
        return  # as most texts; this is found out fast
    at = start
    while anchor := _ANCHOR.search(text, at, end):
        low = max(at, text.rfind(" ", at, anchor.start()) + 1)
        high = _next_space(text, anchor.end(), end)
        while high < end and text.endswith("://", low, high):
            high = _next_space(text, high + 1, end)  # "https:// x.org"
        match = _URL.search(text, low, high)
        if match is not None:
            yield match
        at = high if match is None else match.end()


def _next_space(text: str, at: int, end: int) -> int:
    space = text.find(" ", at, end)
    return end if space < 0 else space


class Links:
    """Finds links and the code status; built once from the rules."""

    def __init__(self, rules: Rules) -> None:
        hosts = [
            _Host("." + host.partition("/")[0], "/" + host.partition("/")[2], entry)
            for entry in rules.entries["links"]
            for host in entry["hosts"]
        ]
        self._hosts = sorted(hosts, key=lambda h: (-len(h.path), -len(h.suffix), h.suffix))
        self._other = next(
            (e for e in rules.entries["links"] if e.key == "other"), rules.entries["links"][-1]
        )
        self._status = Phrases(rules, "code")

    def find(self, texts: Sequence[Text]) -> tuple[list[Link], CodeStatus]:
        """The links of a paper, each URL once, and its code status."""
        found: dict[str, Link] = {}
        statuses: set[str] = set()
        seen: set[str] = set()
        for text in texts:
            ranges = places(text.folded.raw) if text.field not in seen else []
            seen.add(text.field)
            for start, end in ranges:
                raw = text.folded.raw[start:end]
                url = _cleaned(raw)
                key = _SCHEME.sub("", url).rstrip("/").lower()
                context = fold(text.folded.raw[max(0, start - 160) : start]).text.lower()
                parts = urlsplit(url)
                host = (parts.hostname or "").removeprefix("www.")
                entry = self._entry(host, parts.path)
                kind = _kind(entry, url, context)
                if key in found:
                    continue
                repository = None
                if host in _REPOSITORY_HOSTS:
                    match = _REPOSITORY.match(parts.path)
                    repository = f"{match[1]}/{match[2].removesuffix('.git')}" if match else None
                found[key] = Link(
                    span=Span.of(text.paper, text.field, start, end),
                    rule=entry.path,
                    url=url,
                    kind=kind,
                    host=host,
                    repository=repository,
                )
            if text.field == "abstract":
                statuses |= self._statuses(text)
        links = list(found.values())
        return links, self._status_of(links, statuses)

    def _entry(self, host: str, path: str) -> Entry:
        dotted = "." + host
        for one in self._hosts:
            if dotted.endswith(one.suffix) and path.startswith(one.path):
                return one.entry
        return self._other

    def _statuses(self, text: Text) -> set[str]:
        statuses: set[str] = set()
        folded = text.text
        if not self._status.may_match(folded):
            return statuses
        for start, end in text.sentences:
            if not self._status.may_match(folded[start:end]):
                continue
            items = [Item(m.start(), m.end(), "L") for m in _urls(folded, start, end)]
            sentence = skeleton(folded, start, end, items)
            statuses |= {entry["status"] for entry, _ in self._status.find(sentence)}
        return statuses

    def _status_of(self, links: Sequence[Link], statuses: set[str]) -> CodeStatus:
        if "promised" in statuses:
            return "promised"
        if "released" in statuses or any(link.kind == "code" for link in links):
            return "released"
        return "not_stated"


def _trimmed(text: str, start: int, end: int) -> int:
    """Where the URL ends once closing brackets, quotes and full stops after it are left out."""
    while end > start:
        last = text[end - 1]
        if last in _TRAILING or (
            last in _PAIRS and text.count(last, start, end) > text.count(_PAIRS[last], start, end)
        ):
            end -= 1
        else:
            break
    return end


def _cleaned(raw: str) -> str:
    """What a browser should open: LaTeX escapes undone, a scheme where there is none."""
    url = "".join(raw.replace("\\", "").split())
    return url if _HAS_SCHEME.match(url) else f"https://{url}"


_HAS_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_SCHEME = re.compile(r"^https?://(?:www\.)?")
_CLAUSE_END = re.compile(r"[.;!?]\s|https?://\S+")


_CODE = re.compile(
    r"\bcodes?\b|\bimplementation|\bcodebase|source[- ]code|\brepositor|\bframework|\bsoftware|\btoolkit|\blibrary|\bscripts?\b|\bpackage\b|open[- ]sourced?\b"
)
_PROJECT = re.compile(
    r"\bproject|\bwebsite|\bdemos?\b|\bvideos?\b|\bhomepage|\bweb ?page|\bpage\b|\bsamples\b|\bvisuali|\bexamples? (?:is|are)|\bonline\b|\bblog"
)
_DATA = re.compile(r"\bdata\b|\bdatasets?\b|\bbenchmarks?\b|\bcorpus\b|\bcorpora\b|\bannotations\b")
_MODELS = re.compile(r"\bmodels?\b|\bweights\b|\bcheckpoints?\b")
_READING = re.compile(r"\blist of\b|\bpapers\b|\bcurated\b|\breading\b|\bliterature\b|\bsurvey")


def _kind(entry: Entry, url: str, context: str) -> LinkKind:
    """By what the text says the link is, since the link before it, else by its host."""
    kind: LinkKind = entry["kind"]
    clause = _CLAUSE_END.split(context)[-1]
    code, data, models = _CODE.search(clause), _DATA.search(clause), _MODELS.search(clause)
    if "awesome" in url.lower() or (_READING.search(clause) and not code):
        return "other"
    if kind in ("paper", "archive"):
        return kind
    if kind in ("model", "dataset"):
        return "code" if code and not (data or models) else kind
    if code:
        return "code"
    if _PROJECT.search(clause):
        return "project"
    if kind == "code":
        return "dataset" if data else "model" if models else "code"
    return "dataset" if data else "model" if models else kind
