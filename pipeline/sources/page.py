"""Papers from a daily-papers page saved as text: titles and abstracts in turn, with much between.

Nothing on such a page says what is what, and layouts drift. So each line is weighed: how much it
looks like a title, an abstract, a further paragraph of one, or furniture of the page (votes,
comments, authors, navigation). Of all readings of the page the one is taken that has the least
against it. What is left without its other half is a fault, and does not move the pairs after it.
"""

from __future__ import annotations

import datetime
import itertools
import re
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pipeline.sources.fields import Fault, Record, is_undecodable
from pipeline.sources.streams import Line, SourceError, lines

# A page is read in stretches of so many blocks or characters, each up to the last title in it.
_STRETCH = 400
_STRETCH_CHARACTERS = 1 << 20

# What is held against a reading. Only the order of sums of these means anything; the tests of
# drifting layouts hold it in place.
_TITLE_ALONE = 3.5
_ABSTRACT_ALONE = 6.0
_HARDLY = 12.0
_NEVER = 100.0

# Characters. Of 66,000 papers one in ten thousand has a title longer than this, and half have an
# abstract between 1,000 and 1,500.
_LONGEST_TITLE = 250
_USUAL_LENGTH = 1500.0
# Lines between these widths may be wrapped ones.
_NARROWEST, _WIDEST = 40, 132
_LONGEST_HEADER = 60

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?P<month>[A-Za-z]{3})[A-Za-z]*\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_DATES = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_WEEKDAY}{_MONTH}\s+{_DAY}(?:,?\s+{_YEAR})?",
        rf"{_WEEKDAY}{_DAY}\s+{_MONTH}(?:,?\s+{_YEAR})?",
        rf"{_YEAR}-(?P<month>\d\d)-(?P<day>\d\d)",
    )
]

_FURNITURE = re.compile(
    r"""
    [\W\d_]*[km]?[\W\d_]*                                          # 12, ▲ 1.2k, ···
  | (?:[\W\d_]*[km]?\s*)?(?:
        (?:up)?votes? | likes? | comments? | repl(?:y|ies) | views? | stars? | points?
      | (?:more\s+)?authors? | models? | datasets? | spaces? | collections? | citations?
    )(?:[\W\d_]*[km]?)?
  | (?:\d+|an?|one)\s(?:second|minute|hour|day|week|month|year)s?\sago | yesterday | today
  | (?:submitted|posted|shared|published|authored|updated|added|uploaded)\s(?:by|on|at)\b.*
  | by\s?AK\b.* | get\ trending\ papers\b.*
  | (?: new|trending|subscribe|search|daily|weekly|monthly|upvote|downvote|share|save|bookmark|hide
      |daily\ papers|trending\ papers|papers?|community|log\ ?in|sign\ (?:up|in)|menu|home|about
      |previous|prev|next|(?:read|show|load)\ more|more|view\ all|all|back\ to\ top|top
      |abs(?:tract)?:?|pdf|html|arxiv|arxiv\ page|github|code|project\ page|project|paper\ page
      |view\ (?:on\ )?(?:arxiv|pdf|paper|page|code|arxiv\ page)|add\ to\ collection
      |company|tos|terms|privacy|careers|jobs|website|docs|pricing|blog|organizations|enterprise
      |hugging\ face|system\ theme
    )(?:\s[\d.,]+k?)?
    """,
    re.IGNORECASE | re.VERBOSE,
)
_PAGE_NAME = re.compile(r"daily papers", re.IGNORECASE)

_LONGEST_FURNITURE = 120

_SENTENCE_END = re.compile(r"""[.!?…]["'”’)\]}]*(?=\s|$)|[。！？]""")
_FULL_STOP = re.compile(r"""[.。…:]["'”’)\]}]*$|https?:\s?//\S+$""")
_ADDRESS = re.compile(r"\S{0,40}\s?https?://\S+")
_PLAIN_WORD = re.compile(r"\b[a-z]{2,}\b")
_WORD = re.compile(r"[^\W_]{3,}")
_BETWEEN_PEOPLE = re.compile(r"\s*[,;·•]\s*(?:and\s)?|\s(?:and|&)\s")
_NAME_PART = re.compile(r"[^\W\d_]['’.\w-]*\.?")
_SMALL_NAME_PARTS = {"van", "von", "der", "den", "de", "da", "di", "del", "la", "el", "al", "bin"}

_Role = Literal["title", "abstract", "alone", "more", "furniture"]


@dataclass(frozen=True)
class _Block:
    """A line, or lines wrapped at the edge of a window, and how many blank lines are before it."""

    line: Line
    text: str
    gap: int

    @cached_property
    def sentences(self) -> int:
        return sum(1 for _ in _SENTENCE_END.finditer(self.text))

    @cached_property
    def is_ended(self) -> bool:
        return _FULL_STOP.search(self.text[-200:]) is not None

    @cached_property
    def is_prose(self) -> bool:
        return len(self.text) >= 200 and self.sentences > 0

    @cached_property
    def date(self) -> re.Match[str] | None:
        if len(self.text) > _LONGEST_FURNITURE:
            return None
        found = next(filter(None, (date.fullmatch(self.text) for date in _DATES)), None)
        return found if found and (found["month"].isdigit() or _month(found)) else None

    @cached_property
    def is_furniture(self) -> bool:
        if len(self.text) > _LONGEST_FURNITURE:
            return False
        return _FURNITURE.fullmatch(self.text) is not None or self.date is not None


@dataclass(frozen=True, slots=True)
class _Habits:
    """What is usual on a page: blank lines before an abstract, its length, and its words.

    Of words written small it is known in how many of so many texts they stand.
    """

    gap: int
    length: float
    words: Mapping[str, int]
    texts: int

    def left_out(self, block: _Block) -> int:
        """How many lines seem to have been left blank before this one."""
        return max(0, block.gap - self.gap) // (self.gap + 1)

    def share_a_word(self, title: str, abstract: str) -> bool:
        """Whether a word of the title that few texts of the page have stands in the abstract."""
        found = set(_WORD.findall(abstract.lower()))
        return any(
            word in found and self.words.get(word, 0) <= max(1, self.texts // 8)
            for word in _WORD.findall(title.lower())
        )


# Where a reading of the page may be: not in a paper, after a title, in the abstract of a title, or
# in one that has no title.
_State = Literal["between", "titled", "paired", "alone"]


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to read the blocks up to here: their roles, last first, and what is against it."""

    cost: float = 0.0
    role: _Role | None = None
    before: _Reading | None = None
    size: int = 0  # of the abstract so far

    def roles(self) -> list[_Role]:
        found: list[_Role] = []
        reading: _Reading | None = self
        while reading and reading.role:
            found.append(reading.role)
            reading = reading.before
        return found[::-1]


def read_page(pieces: Iterator[bytes], year: int | None) -> Iterator[Record | Fault]:
    """The papers of a page. Their day is the one it tells, if its year is told or given."""
    page = _Page(year)
    broken: SourceError | None = None
    try:
        for block in _blocks(lines(pieces)):
            page.add(block)
            if page.is_full:
                yield from page.take_papers()
    except SourceError as error:
        broken = error
    yield from page.take_papers(to_the_end=True)
    if broken:
        raise broken


def _blocks(found: Iterator[Line]) -> Iterator[_Block]:
    """The lines that are not blank; those of a text wrapped at the edge of a window are one."""
    run: list[Line] = []  # lines short enough to be wrapped, with no blank line between
    gap = before = 0
    broken: SourceError | None = None
    try:
        for line in found:
            text = line.text.strip()
            if not text:
                yield from _of_run(run, before)
                gap = gap + 1 if not run else 1
                run = []
            elif len(text) > _WIDEST or len(run) >= _STRETCH:
                yield from _of_run(run, before)
                yield _Block(line, text, 0 if run else gap)
                run, gap = [], 0
            else:
                if not run:
                    before, gap = gap, 0
                run.append(line)
    except SourceError as error:
        broken = error
    yield from _of_run(run, before)
    if broken:
        raise broken


def _of_run(run: Sequence[Line], gap: int) -> Iterator[_Block]:
    texts = [line.text.strip() for line in run]
    whole = "\n".join(texts)
    if (
        len(run) > 2
        and min(map(len, texts[:-1])) >= _NARROWEST
        and len(whole) >= 250
        and _SENTENCE_END.search(whole)
        and not any(_Block(run[0], text, 0).is_furniture for text in texts)
    ):
        yield _Block(run[0], whole, gap)
        return
    for line, text in zip(run, texts, strict=True):
        yield _Block(line, text, gap)
        gap = 0


class _Page:
    """The blocks that are still to be read, and the day they belong to."""

    def __init__(self, year: int | None) -> None:
        self._year = year
        self._date: datetime.date | None = None
        self._awaits_date = True
        self._is_start = True
        self._blocks: list[_Block] = []
        self._size = 0

    @property
    def is_full(self) -> bool:
        return len(self._blocks) >= _STRETCH or self._size >= _STRETCH_CHARACTERS

    def add(self, block: _Block) -> None:
        self._blocks.append(block)
        self._size += len(block.text)

    def take_papers(self, to_the_end: bool = False) -> Iterator[Record | Fault]:
        """Read what is waiting, up to the last title, whose abstract may be still to come."""
        blocks = self._blocks
        start = _end_of_header(blocks) if self._is_start else 0
        self._is_start = False
        header: list[_Role] = ["furniture"] * start
        roles = header + _read_roles(blocks[start:])
        end = len(blocks)
        if not to_the_end:
            last = max((n for n, role in enumerate(roles) if role == "title"), default=0)
            end = last or end
        yield from self._papers(blocks[:end], roles[:end])
        self._blocks = blocks[end:]
        self._size = sum(len(block.text) for block in self._blocks)

    def _papers(self, blocks: list[_Block], roles: list[_Role]) -> Iterator[Record | Fault]:
        title: _Block | None = None
        abstract: list[_Block] = []
        for block, role in zip(blocks, roles, strict=True):
            if role in ("title", "alone"):
                yield from self._paper(title, abstract)
                title, abstract = (block, []) if role == "title" else (None, [block])
            elif role in ("abstract", "more"):
                abstract.append(block)
            else:
                if _PAGE_NAME.fullmatch(block.text):  # another page, of another day
                    yield from self._paper(title, abstract)
                    title, abstract = None, []
                yield from self._see_date(block)
        yield from self._paper(title, abstract)

    def _paper(self, title: _Block | None, abstract: list[_Block]) -> Iterator[Record | Fault]:
        blocks = [title, *abstract] if title else abstract
        if not blocks:
            return
        position, text = blocks[0].line.position, "\n\n".join(block.text for block in blocks)
        if any(block.line.too_long for block in blocks):
            yield Fault(position, "longer than 16 MB", text)
        elif is_undecodable(text):
            yield Fault(position, "not UTF-8", text)
        elif title is None:
            yield Fault(position, "an abstract without a title", text)
        elif not abstract:
            yield Fault(position, "a title without an abstract", text)
        else:
            values = {
                "title": title.text,
                "abstract": "\n\n".join(block.text for block in abstract),
                "published": self._date,
            }
            yield Record(position, values, text)

    def _see_date(self, block: _Block) -> Iterator[Fault]:
        """Take the day of a page from under its heading; another heading may bring another day."""
        if _PAGE_NAME.fullmatch(block.text):
            self._awaits_date = True
        found = block.date
        if not found or not self._awaits_date:
            return
        self._awaits_date = False
        year = int(found["year"] or 0) or self._year
        try:
            self._date = datetime.date(year, _month(found), int(found["day"])) if year else None
        except ValueError:
            self._date = None
            yield Fault(block.line.position, "no such day", f"{block.text} {year}")


def _month(found: re.Match[str]) -> int:
    """The number of a month; 0 if the word is none."""
    word = found["month"].lower()
    return int(word) if word.isdigit() else _MONTHS.index(word) + 1 if word in _MONTHS else 0


def _end_of_header(blocks: Sequence[_Block]) -> int:
    """Where the papers begin: after the navigation, which ends with the date of the page.

    There has to be navigation, or what is above the date may be a paper's title.
    """
    for number, block in enumerate(blocks[:_LONGEST_HEADER]):
        if block.is_prose:
            break
        if block.date:
            rest = blocks[number + 1 : number + 2]
            if any(b.is_furniture for b in blocks[:number]) and not (rest and rest[0].is_prose):
                return number
    return 0


def _read_roles(blocks: Sequence[_Block]) -> list[_Role]:
    """What each block is, in the reading of all of them that has the least against it."""
    habits = _habits(blocks)
    readings: dict[_State, _Reading] = {"between": _Reading()}
    for number, block in enumerate(blocks):
        before = blocks[number - 1] if number else None
        after = blocks[number + 1] if number + 1 < len(blocks) else None
        found: dict[_State, _Reading] = {}
        for state, reading in readings.items():
            for role, next_state, cost in _choices(
                block, before, after, state, reading.size, habits
            ):
                total = reading.cost + cost
                if next_state not in found or total < found[next_state].cost:
                    size = len(block.text) if role in ("abstract", "alone") else reading.size
                    if role == "more":
                        size += len(block.text)
                    found[next_state] = _Reading(total, role, reading, size)
        readings = found
    if "titled" in readings:
        last = readings["titled"]
        readings["titled"] = _Reading(last.cost + _TITLE_ALONE, last.role, last.before)
    return min(readings.values(), key=lambda reading: reading.cost).roles()


def _choices(
    block: _Block,
    before: _Block | None,
    after: _Block | None,
    state: _State,
    size: int,
    habits: _Habits,
) -> Iterator[tuple[_Role, _State, float]]:
    """What a block may be after what came before it, and what is against each."""
    is_titled = state == "titled"
    alone = _TITLE_ALONE if is_titled else 0.0
    furniture = _against_furniture(block, is_titled, after, habits)
    yield "furniture", "titled" if is_titled else "between", furniture
    yield "title", "titled", _against_title(block, habits) + alone
    abstract = _against_abstract(block)
    yield "alone", "alone", abstract + _ABSTRACT_ALONE + alone
    if is_titled:
        # Blank lines may mean that an abstract and the next title were left out between the two.
        blanks = habits.left_out(block)
        if blanks > 1 or (blanks and before and not habits.share_a_word(before.text, block.text)):
            abstract += _HARDLY
        yield "abstract", "paired", abstract
    elif state != "between" and before:
        yield "more", state, _against_more(block, before, size, habits)


def _habits(blocks: Sequence[_Block]) -> _Habits:
    nothing = _Habits(0, _USUAL_LENGTH, {}, 0)
    prose = [block.text for block in blocks if block.is_prose]
    gaps: Counter[int] = Counter()
    lengths: list[int] = []
    gap, is_pair = 0, False
    for before, block in itertools.pairwise(blocks):
        if is_pair and before.is_prose and block.is_prose and block.gap == gap:
            # All paragraphs count, or on a page of many such two would look like too much.
            lengths[-1] += len(block.text)
            continue
        gap = block.gap
        is_pair = block.is_prose and not before.is_prose and _against_title(before, nothing) < 1.5
        if is_pair:
            gaps[gap] += 1
            lengths.append(len(block.text))
    gaps = gaps or Counter(block.gap for block in blocks[1:])
    return _Habits(
        gap=gaps.most_common(1)[0][0] if gaps else 1,
        length=statistics.median(lengths) if len(lengths) >= 3 else _USUAL_LENGTH,
        words=Counter(word for text in prose for word in set(_PLAIN_WORD.findall(text))),
        texts=len(prose),
    )


def _against_title(block: _Block, habits: _Habits) -> float:
    text = block.text
    if block.is_furniture:
        return 7.0
    if len(text) > 2 * _LONGEST_TITLE:
        return 30.0
    cost = {1: 1.5, 2: 1.0}.get(len(text.split()), 0.0)
    if len(text) > _LONGEST_TITLE:
        cost += 9.0 if len(text) > 1.2 * _LONGEST_TITLE else 4.0
    if block.is_ended:
        cost += 3.0 if len(text) < 150 else 5.0
    if _people(text, habits) > 1:
        cost += 3.0
    inside = sum(1 for found in _SENTENCE_END.finditer(text) if found.end() < len(text))
    return cost + min(2.0 * inside, 6.0)


def _against_abstract(block: _Block) -> float:
    length = len(block.text)
    if length >= 400:
        return 0.0 if block.sentences or length >= 1000 else 3.0
    if length >= 150:
        return 0.5 if block.sentences > 1 else 1.5 if block.is_ended else 5.0
    if length >= 60:
        return 2.0 if block.sentences > 1 and block.is_ended else 3.0 if block.is_ended else _HARDLY
    return 6.0 if block.is_ended else _HARDLY


def _against_more(block: _Block, before: _Block, size: int, habits: _Habits) -> float:
    length = len(block.text)
    if block.is_furniture:
        return 8.0
    if block.is_ended or _ADDRESS.fullmatch(block.text):
        cost = 0.5
    elif not before.is_ended and (block.text[0].islower() or length >= 200):
        cost = 1.5  # a sentence cut in two
    else:
        cost = 2.0 if length >= 200 else 6.0
    # Two abstracts, the title between them left out, are longer than one in two paragraphs.
    if length > habits.length / 3 and size + length > max(1.7 * habits.length, 800):
        cost += 8.0
    if habits.left_out(block):
        cost += 6.0 if length >= 120 else 1.0
    return cost


def _against_furniture(
    block: _Block, is_titled: bool, after: _Block | None, habits: _Habits
) -> float:
    if block.is_furniture:
        return 0.0
    people = _people(block.text, habits)
    if people > 1:
        return 1.0 if is_titled else 1.5
    if block.is_prose or len(block.text) > _LONGEST_FURNITURE:
        return _NEVER
    if not is_titled or (after and habits.share_a_word(block.text, after.text)):
        return _HARDLY  # of a short line below a title it is the abstract that tells
    if people:
        return 2.0
    return 3.0 if len(block.text) < 25 and len(block.text.split()) <= 2 else _HARDLY


def _people(text: str, habits: _Habits) -> int:
    """How many people a line names, if that is all it does.

    Names are capitalised, and most are no words that stand elsewhere on the page in small letters,
    as those of a title do.
    """
    if len(text) > 2 * _LONGEST_TITLE or re.search(r"[\d:?!()]", text):
        return 0
    people = [part.split() for part in _BETWEEN_PEOPLE.split(text) if part.strip()]
    words = [word for person in people for word in person]
    for person in people:
        capitals = [word for word in person if word.lower() not in _SMALL_NAME_PARTS]
        if not 2 <= len(person) <= 5 or not all(
            word[0].isupper() and _NAME_PART.fullmatch(word) for word in capitals
        ):
            return 0
    strange = sum(word.lower() not in habits.words for word in words)
    return len(people) if 2 * strange > len(words) else 0
