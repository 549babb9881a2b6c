"""A daily-papers page as text: the pairs of titles and abstracts, and layouts that drift."""

from __future__ import annotations

import datetime
import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.records import Paper, Reject
from pipeline.sources import read
from pipeline.sources.fields import Fault, Record
from pipeline.sources.page import read_page
from pipeline.sources.streams import SourceError

SHARED = Path(__file__).parents[2] / "shared"
PAGE = SHARED / "corpora" / "daily-papers-page.txt"

HEADER = [
    "new",
    "Get trending papers in your email inbox!",
    "Subscribe",
    "Daily Papers",
    "byAK and the research community",
    "Sep 11",
]

TOPICS = [
    ("Owlbert", "sorting of parcels by small robots"),
    ("Tidewatch", "forecasts of harbour water levels"),
    ("Quillnet", "restoration of faded handwriting"),
    ("Mossgraph", "maps of undergrowth from drones"),
    ("Bellcurve", "grading of bell recordings"),
    ("Saltmarsh", "translation of fishermen's dialects"),
    ("Lanternfly", "night vision on slow hardware"),
    ("Hopscotch", "planning of playground routes"),
    ("Copperleaf", "pricing of second-hand instruments"),
    ("Driftwood", "search in letters of sailors"),
    ("Thimble", "repair of torn fabric images"),
    ("Gantry", "scheduling of cranes at night"),
]


def title(number: int) -> str:
    name, topic = TOPICS[number]
    return f"{name}: A Careful Study of {topic.title()}"


def paragraphs(number: int) -> tuple[str, str]:
    name, topic = TOPICS[number]
    return (
        f"Much has been written on the {topic}, yet little of it was ever measured on real data. "
        f"We build {name}, which learns the {topic} from a few hundred examples and asks for help "
        f"where it is unsure. It is trained in two rounds, of which the second keeps what the "
        f"first got right and mends the rest.",
        f"On our own collection {name} is right in {60 + number}.5% of all cases, where the older "
        f"way reaches {50 + number}.1%. Of the {topic} we publish {number + 3} thousand records. "
        f"We hope that others will test {name} where we could not.",
    )


def abstract(number: int) -> str:
    return " ".join(paragraphs(number))


def pairs(text: str, year: int | None = 2025) -> dict[str, str]:
    """Abstract by title of all papers of a page."""
    found = [record for record in entries(text, year) if isinstance(record, Record)]
    return {str(record.values["title"]): str(record.values["abstract"]) for record in found}


def faults(text: str) -> list[tuple[str, str, str]]:
    """Position, reason and beginning of the text of all that is no paper."""
    found = [fault for fault in entries(text) if isinstance(fault, Fault)]
    return [(fault.position, fault.reason, fault.text[:9]) for fault in found]


def entries(text: str, year: int | None = 2025) -> list[Record | Fault]:
    return list(read_page(iter([text.encode()]), year))


def page(*blocks: str, header: list[str] = HEADER, between: str = "\n\n") -> str:
    return between.join([*header, *blocks]) + "\n"


def plain(*numbers: int) -> list[str]:
    return [text for number in numbers for text in (title(number), abstract(number))]


def expected(*numbers: int) -> dict[str, str]:
    return {title(number): abstract(number) for number in numbers}


def test_titles_and_abstracts_in_turn_are_papers() -> None:
    assert pairs(page(*plain(*range(12)))) == expected(*range(12))
    assert faults(page(*plain(*range(12)))) == []


def test_a_page_of_two_papers_is_read_like_a_long_one() -> None:
    assert pairs(page(*plain(4, 5))) == expected(4, 5)
    assert faults(page(*plain(4, 5))) == []


@pytest.mark.parametrize("between", ["\n", "\n\n", "\n\n\n", "\r\n\r\n", "\n \t\n"])
def test_blank_lines_between_all_blocks_do_not_matter(between: str) -> None:
    assert pairs(page(*plain(0, 1, 2, 3), between=between)) == expected(0, 1, 2, 3)


def test_an_abstract_in_two_paragraphs_is_one_abstract() -> None:
    text = page(*plain(0), title(1), *paragraphs(1), *plain(2))
    assert pairs(text) == expected(0, 2) | {title(1): "\n\n".join(paragraphs(1))}
    assert faults(text) == []


def test_a_short_last_paragraph_belongs_to_the_abstract_above() -> None:
    ends = ["Code is at https://code.example.org/owl.", "https://owl.example.org"]
    for end in ends:
        text = page(*plain(1, 2), title(0), abstract(0), end, *plain(3, 4))
        assert pairs(text) == expected(1, 2, 3, 4) | {title(0): f"{abstract(0)}\n\n{end}"}


def test_a_sentence_cut_by_a_blank_line_goes_on() -> None:
    first, second = abstract(1)[:200].rsplit(" ", 1)[0], abstract(1)[200:].split(" ", 1)[1]
    assert first[-1].isalpha()
    text = page(*plain(0), title(1), first, second, *plain(2))
    assert pairs(text)[title(1)] == f"{first}\n\n{second}"


def test_an_abstract_wrapped_at_the_edge_of_a_window_is_one_abstract() -> None:
    words, wrapped = abstract(1).split(), [""]
    for word in words:
        if len(wrapped[-1]) > 70:
            wrapped.append("")
        wrapped[-1] = f"{wrapped[-1]} {word}".strip()
    text = page(*plain(0), title(1), "\n".join(wrapped), *plain(2))
    assert pairs(text) == expected(0, 2) | {title(1): "\n".join(wrapped)}


def test_a_title_whose_abstract_is_missing_is_told_and_shifts_nothing() -> None:
    for missing in ([title(1)], [title(1), ""]):
        text = page(*plain(0), *missing, *plain(2, 3))
        assert pairs(text) == expected(0, 2, 3)
        assert faults(text) == [("line 17", "a title without an abstract", title(1)[:9])]


def test_the_last_title_of_a_page_may_lack_its_abstract() -> None:
    text = page(*plain(0), title(1))
    assert pairs(text) == expected(0)
    assert faults(text) == [("line 17", "a title without an abstract", title(1)[:9])]


def test_an_abstract_whose_title_is_blank_is_told_and_shifts_nothing() -> None:
    for blank in ("", "   "):
        text = page(*plain(0), blank, abstract(1), *plain(2, 3))
        assert pairs(text) == expected(0, 2, 3)
        assert faults(text) == [("line 19", "an abstract without a title", abstract(1)[:9])]


def test_the_first_abstract_may_lack_its_title() -> None:
    text = page(abstract(1), *plain(2, 3))
    assert pairs(text) == expected(2, 3)
    assert faults(text) == [("line 13", "an abstract without a title", abstract(1)[:9])]


def test_two_abstracts_too_long_to_be_one_are_two() -> None:
    long = {number: f"{abstract(number)} {abstract(number)}" for number in range(12)}
    blocks = [block for number in range(8) for block in (title(number), long[number])]
    text = page(*blocks, long[8], title(9), long[9])
    assert pairs(text) == {title(number): long[number] for number in (*range(8), 9)}
    assert [reason for _, reason, _ in faults(text)] == ["an abstract without a title"]


def test_a_missing_abstract_before_a_blank_title_makes_no_pair() -> None:
    for left_out in (["", ""], [""]):
        text = page(*plain(0, 1), title(2), *left_out, abstract(3), *plain(4, 5))
        assert pairs(text) == expected(0, 1, 4, 5)
        assert [reason for _, reason, _ in faults(text)] == [
            "a title without an abstract",
            "an abstract without a title",
        ]


def test_two_lines_left_blank_make_no_pair_even_of_texts_that_share_a_word() -> None:
    text = page(*plain(0, 1), title(2), "", "", f"Unlike Quillnet: {abstract(3)}", *plain(4, 5))
    assert pairs(text) == expected(0, 1, 4, 5)


def test_a_blank_line_too_many_does_not_part_an_abstract_from_its_title() -> None:
    text = page(*plain(0, 1), title(2), "", abstract(2), *plain(3))
    assert pairs(text) == expected(0, 1, 2, 3)


@pytest.mark.parametrize(
    "line",
    [
        "57", "1.2k", "▲ 12", "Upvote", "Upvote 57", "57 upvotes", "3 comments", "·", "12 authors",
        "· 4 authors", "Submitted by grey-heron", "Published on Sep 9", "2 days ago", "PDF", "new",
        "View arXiv page", "GitHub 120", "Sep 9", "2025-09-09", "9 September 2025",
        "Ivo Novak, Maria da Costa, Yusuf Demir", "Ivo Novak · Maria Costa and J. R. Pell",
    ],
)  # fmt: skip
def test_lines_of_votes_comments_and_authors_are_furniture_anywhere(line: str) -> None:
    above = [text for number in range(4) for text in (line, title(number), abstract(number))]
    within = [text for number in range(4) for text in (title(number), line, abstract(number))]
    below = [text for number in range(4) for text in (title(number), abstract(number), line)]
    for blocks in (above, within, below):
        assert pairs(page(*blocks)) == expected(0, 1, 2, 3)
        assert faults(page(*blocks)) == []


@pytest.mark.parametrize("line", ["Ivo Novak", "Maria van der Berg", "J. R. Pell", "grey-heron"])
def test_a_single_name_below_a_title_is_no_title(line: str) -> None:
    text = page(*plain(0, 1), title(2), line, abstract(2), *plain(3))
    assert pairs(text) == expected(0, 1, 2, 3)


def test_a_short_title_below_one_without_abstract_is_told_by_its_abstract() -> None:
    text = page(*plain(0, 1), title(2), "Gantry Crane Planner", abstract(11), *plain(3))
    assert pairs(text) == expected(0, 1, 3) | {"Gantry Crane Planner": abstract(11)}


@pytest.mark.parametrize(
    "line",
    [
        "Owlbert",
        "Do Owls Sort Parcels?",
        "Owls Sort Parcels.",
        "Owls at Work. A Survey of Robots That Sort Parcels",
        "owlbert goes to town with small robots!",
        "Owls, Parcels, and Robots",
        "On the sorting of parcels " * 10,
    ],
)
def test_titles_of_odd_forms_are_titles(line: str) -> None:
    line = line.strip()
    text = page(*plain(1, 2), line, abstract(0), *plain(3, 4))
    assert pairs(text) == expected(1, 2, 3, 4) | {line: abstract(0)}


@pytest.mark.parametrize(
    "text",
    [
        "Owlbert sorts parcels. It is right in nine cases of ten, and asks in the others.",
        "Owlbert sorts parcels with small robots and is right in nine cases of ten that we saw.",
        "Owlbert sorts parcels " * 30,
        "本文研究小型机器人的包裹分拣。我们用几百个例子训练模型，并在真实数据上测试。"
        "结果表明，它在大多数情况下是正确的，其余情况下会请求帮助，因此优于以前的方法。",
    ],
)
def test_abstracts_of_odd_forms_are_abstracts(text: str) -> None:
    text = text.strip()
    whole = page(*plain(1, 2), title(0), text, *plain(3, 4))
    assert pairs(whole) == expected(1, 2, 3, 4) | {title(0): text}


def test_a_line_that_is_nothing_in_particular_is_told_as_a_title() -> None:
    text = page(*plain(0), "An Advertisement for Warm Winter Coats", *plain(1))
    assert pairs(text) == expected(0, 1)
    assert faults(text) == [("line 17", "a title without an abstract", "An Advert")]


def test_a_heading_without_a_date_is_still_furniture() -> None:
    text = page(*plain(0, 1), header=HEADER[:-1])
    assert pairs(text) == expected(0, 1)
    assert faults(text) == []
    assert all(r.values["published"] is None for r in entries(text) if isinstance(r, Record))


def test_what_is_above_the_date_is_navigation_whatever_it_says() -> None:
    notice = "Sixteen people are looking at this, and all of them have been asked to " * 2
    header = ["Daily Papers", "Sixteen people are looking at this", notice, "Sep 11, 2024"]
    assert pairs(page(*plain(0, 1), header=header)) == expected(0, 1)
    assert faults(page(*plain(0, 1), header=header)) == []


def test_a_title_above_a_date_is_kept_where_its_abstract_follows() -> None:
    blocks = [title(0), "Sep 9", abstract(0), title(1), "Sep 9", abstract(1)]
    assert pairs(page(*blocks, header=["Daily Papers"])) == expected(0, 1)
    assert pairs(page(*blocks, header=[])) == expected(0, 1)


@pytest.mark.parametrize(
    ("line", "year", "day"),
    [
        ("Sep 11", 2025, datetime.date(2025, 9, 11)),
        ("Sep 11", None, None),
        ("Sep 11, 2024", 2025, datetime.date(2024, 9, 11)),
        ("September 11th 2024", None, datetime.date(2024, 9, 11)),
        ("Wed, Sep 11", 2024, datetime.date(2024, 9, 11)),
        ("11 Sept. 2024", None, datetime.date(2024, 9, 11)),
        ("2024-09-11", None, datetime.date(2024, 9, 11)),
        ("Feb 29", 2024, datetime.date(2024, 2, 29)),
        ("Bar 11", 2024, None),
    ],
)
def test_papers_are_dated_by_the_page(line: str, year: int | None, day: object) -> None:
    text = page(*plain(0, 1), header=["Daily Papers", line])
    records = [entry for entry in entries(text, year) if isinstance(entry, Record)]
    assert [record.values["published"] for record in records] == [day, day]


def test_a_day_that_does_not_exist_is_told() -> None:
    text = page(*plain(0), header=["Daily Papers", "Feb 30"])
    assert faults(text) == [("line 3", "no such day", "Feb 30 20")]
    assert pairs(text) == expected(0)


def test_a_second_page_in_the_file_brings_its_own_day() -> None:
    second = [*HEADER[:-1], "Sep 12"]
    text = page(*plain(0), "Sep 3", *second, *plain(1))
    days = [entry.values["published"] for entry in entries(text) if isinstance(entry, Record)]
    assert days == [datetime.date(2025, 9, 11), datetime.date(2025, 9, 12)]


def test_a_page_longer_than_a_stretch_is_read_without_seams() -> None:
    # The texts have to differ, or the same title would hide a paper lost at a seam.
    def blocks(number: int) -> tuple[str, str]:
        return f"{title(number % 12)} Part {number}", f"{abstract(number % 12)} Run {number}."

    text = page(*(block for number in range(1500) for block in blocks(number)))
    assert pairs(text) == dict(map(blocks, range(1500)))
    assert faults(text) == []


def test_a_page_of_abstracts_alone_is_read_to_its_end() -> None:
    text = page(*("\n\n" + abstract(number % 12) for number in range(900)))
    assert {reason for _, reason, _ in faults(text)} == {"an abstract without a title"}
    last = [entry for entry in entries(text) if isinstance(entry, Fault)][-1]
    assert last.text.endswith(abstract(899 % 12))


def test_bytes_that_are_not_utf8_cost_one_paper() -> None:
    data = page(*plain(0, 1, 2)).encode().replace(b"Tidewatch", b"Tid\xe9watch", 1)
    found = list(read_page(iter([data]), 2025))
    assert [type(entry) for entry in found] == [Record, Fault, Record]
    assert isinstance(found[1], Fault)
    assert (found[1].position, found[1].reason) == ("line 17", "not UTF-8")


def test_an_abstract_of_more_than_16_mb_costs_one_paper() -> None:
    data = page(title(0), "Owls sort parcels. " * 1_000_000, *plain(1))
    found = entries(data)
    assert [type(entry) for entry in found] == [Fault, Record]
    assert isinstance(found[0], Fault)
    assert found[0].reason == "longer than 16 MB"


@pytest.mark.parametrize("between", ["\n\n", "\n"])
def test_of_a_page_that_breaks_off_the_papers_before_are_read(between: str) -> None:
    text = page(*plain(0, 1, 2), between=between)
    broken_off = text[: text.index("Lanternfly" if "Lanternfly" in text else "Quillnet") + 40]

    def pieces():  # type: ignore[no-untyped-def]
        yield broken_off.encode()
        raise SourceError("cut off", "byte 7")

    found: list[Record | Fault] = []
    with pytest.raises(SourceError, match="cut off"):
        found.extend(iter_into(found, pieces()))
    titles = [entry.values["title"] for entry in found if isinstance(entry, Record)]
    assert titles == [title(0), title(1)]


def iter_into(found: list[Record | Fault], pieces):  # type: ignore[no-untyped-def]
    for entry in read_page(pieces, 2025):
        found.append(entry)
    return []


DRIFTS = ["plain", "plain", "two paragraphs", "no abstract", "abstract gone", "blank title",
          "votes", "authors", "votes within"]  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(st.lists(st.sampled_from(DRIFTS), min_size=12, max_size=12), st.randoms())
def test_no_sequence_of_drifts_shifts_a_pair(drifts: list[str], chance: random.Random) -> None:
    blocks: list[str] = []
    papers: dict[str, str] = {}
    told: list[str] = []
    for number, drift in enumerate(drifts):
        if drift == "two paragraphs":
            blocks += [title(number), *paragraphs(number)]
            papers[title(number)] = "\n\n".join(paragraphs(number))
        elif drift in ("no abstract", "abstract gone"):
            blocks += [title(number), ""][: 2 if drift == "no abstract" else 1]
            told.append("a title without an abstract")
        elif drift == "blank title":
            blocks += ["", abstract(number)]
            told.append("an abstract without a title")
        else:
            between, after = [], []
            if drift == "votes":
                blocks.append(str(chance.randint(0, 400)))
                after = [f"{chance.randint(0, 30)} comments"]
            elif drift == "votes within":
                between = ["Upvote", f"{chance.randint(2, 30)} authors"]
            elif drift == "authors":
                between = ["Ivo Novak, Maria da Costa, Yusuf Demir"]
            blocks += [title(number), *between, abstract(number), *after]
            papers[title(number)] = abstract(number)
    text = page(*plain_frame(0), *blocks, *plain_frame(1))
    frame = dict(zip(plain_frame(0)[::2], plain_frame(0)[1::2], strict=True))
    frame |= dict(zip(plain_frame(1)[::2], plain_frame(1)[1::2], strict=True))
    assert pairs(text) == frame | papers
    assert sorted(reason for _, reason, _ in faults(text)) == sorted(told)


def plain_frame(number: int) -> list[str]:
    """Some ordinary papers, so that a page has habits."""
    return [
        text
        for part in range(4)
        for text in (
            f"Ferry {number}{part}: On Crossing the River in Fog",
            f"Crossing a river in fog takes time, and crossing {number}{part} takes more of it. "
            f"We count the minutes of ferry {number}{part} over one whole winter and compare "
            f"them with a clear summer. In fog a ferry needs {12 + part} minutes more, which "
            f"a bell on either bank brings down to {3 + part}. We describe the bells.",
        )
    ]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=2000), st.integers(1, 9999) | st.none())
def test_any_text_at_all_is_read_without_a_crash_and_nothing_is_made_up(
    text: str, year: int | None
) -> None:
    data = text.encode("utf-8", "surrogatepass")
    for entry in read_page(iter([data]), year):
        if isinstance(entry, Record):
            for part in str(entry.values["abstract"]).split("\n"):
                assert part in text


def seed() -> list[dict[str, str]]:
    documents = SHARED / "gold" / "seed.docs.jsonl"
    if not PAGE.exists() or not documents.exists():
        pytest.skip(f"the real page is not there: {PAGE}")
    return [json.loads(line) for line in documents.read_text("utf-8").splitlines()]


def test_the_real_page_gives_its_102_papers_to_the_letter() -> None:
    documents = seed()
    found = list(read([PAGE], year=2025))
    assert [reject for reject in found if isinstance(reject, Reject)] == []
    papers = [paper for paper in found if isinstance(paper, Paper)]
    assert len(papers) == 102
    assert [(paper.title, paper.abstract) for paper in papers] == [
        (document["title"], document["abstract"]) for document in documents
    ]
    assert {paper.published for paper in papers} == {datetime.date(2025, 9, 11)}
    assert {paper.source for paper in papers} == {str(PAGE)}


def test_without_a_year_the_papers_of_the_real_page_have_no_date() -> None:
    seed()
    assert {paper.published for paper in read([PAGE]) if isinstance(paper, Paper)} == {None}


def test_drifts_of_the_real_page_shift_no_pair() -> None:
    documents, chance = seed(), random.Random(11)
    wrong: list[tuple[str, str, str]] = []
    for _ in range(20):
        blocks: list[str] = []
        papers: dict[str, str] = {}
        drifts = [chance.choice(DRIFTS) for _ in documents]
        for document, drift in zip(documents, drifts, strict=True):
            name, text = document["title"], document["abstract"]
            if drift == "two paragraphs":
                half = text.index(" ", text.index(". ", len(text) // 2))
                parts = [text[:half], text[half + 1 :]]
                blocks += [name, *parts]
                papers[name] = "\n\n".join(parts)
            elif drift in ("no abstract", "abstract gone"):
                blocks += [name, ""][: 2 if drift == "no abstract" else 1]
            elif drift == "blank title":
                blocks += ["", text]
            else:
                blocks += ["57"] if drift == "votes" else []
                blocks += [name, text]
                papers[name] = text
        found = pairs(page(*blocks))
        for number, document in enumerate(documents):
            name, drift = document["title"], drifts[number]
            follows = drifts[number + 1] if number + 1 < len(drifts) else ""
            # A title, a blank line, an abstract: only their words tell whether they are a pair.
            unclear = drift == "abstract gone" and follows == "blank title"
            if found.get(name) != papers.get(name) and not unclear:
                wrong.append((drift, follows, name))
    assert wrong == []
