"""Papers in: formats, packing, folders and pipes, and all that is wrong with files people have."""

from __future__ import annotations

import csv
import datetime
import gzip
import html
import io
import json
import os
import sys
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.records import Paper, PipelineError, Reject
from pipeline.sources import FORMATS, read, read_each
from pipeline.sources import files as files_module
from pipeline.sources.fields import date_of, derived_id
from pipeline.sources.json_text import read_json
from pipeline.sources.streams import SourceError, lines, recognise

SHARED = Path(__file__).parents[2] / "shared"

ROWS = [
    {
        "paper_id": f"own:{number}",
        "title": f"Kiln number {number}, and what it\tfires",
        "abstract": f'A kiln "sings" at {number}.5%;\nit is heard, too, in $\\alpha$ rooms.',
        "published": f"2024-05-{number + 10}",
        "url": f"https://kiln.example.org/{number}",
    }
    for number in range(5)
]


def as_jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def as_json(rows: list[dict[str, Any]]) -> bytes:
    return json.dumps(rows, indent=2, ensure_ascii=False).encode()


def as_delimited(rows: list[dict[str, Any]], delimiter: str = ",") -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def as_tsv(rows: list[dict[str, Any]]) -> bytes:
    return as_delimited(rows, "\t")


def as_parquet(rows: list[dict[str, Any]], **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out, **options)
    return out.getvalue()


def as_page(rows: list[dict[str, Any]]) -> bytes:
    """The titles and abstracts in turn, long enough to be told apart."""
    blocks = ["Daily Papers", "May 4, 2024"]
    for row in rows:
        blocks += [row["title"], (row["abstract"].replace("\n", " ") + " ") * 5]
    return "\n\n".join(blocks).encode()


def as_html(rows: list[dict[str, Any]]) -> bytes:
    """The page with the data that it carries for its scripts."""
    told = [
        {"paper": {"id": row["paper_id"], "summary": row["abstract"], "publishedAt": row["published"]},
         "title": row["title"]}
        for row in rows
    ]  # fmt: skip
    props = html.escape(json.dumps({"dailyPapers": told}))
    return f'<!DOCTYPE html>\n<html><body><div data-props="{props}"></div></body></html>'.encode()


def as_xml(rows: list[dict[str, Any]]) -> bytes:
    """The papers as an Atom feed."""
    entries = "".join(
        f"<entry><id>{row.get('url', '')}</id><title>{html.escape(row['title'])}</title>"
        f"<published>{row.get('published', '')}</published>"
        f"<summary> {html.escape(row['abstract'])}\n</summary></entry>\n"
        for row in rows
    )
    return f'<?xml version="1.0"?>\n<feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'.encode()


def as_bibtex(rows: list[dict[str, Any]]) -> bytes:
    return "".join(
        f"@misc{{key{number},\n  title = {{{row['title']}}},\n  abstract = {{{row['abstract']}}},\n"
        f"  date = {{{row.get('published', '')}}}, url = {{{row.get('url', '')}}}\n}}\n"
        for number, row in enumerate(rows)
    ).encode()


def as_ris(rows: list[dict[str, Any]]) -> bytes:
    return "".join(
        f"TY  - JOUR\nTI  - {row['title']}\nAB  - {row['abstract']}\nDA  - {row.get('published', '')}\n"
        f"UR  - {row.get('url', '')}\nER  - \n\n"
        for row in rows
    ).encode()


WRITERS: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {
    "page": as_page,
    "html": as_html,
    "jsonl": as_jsonl,
    "json": as_json,
    "csv": as_delimited,
    "tsv": as_tsv,
    "parquet": as_parquet,
    "xml": as_xml,
    "bibtex": as_bibtex,
    "ris": as_ris,
}
OWN = ("jsonl", "json", "csv", "tsv", "parquet")
"""The formats that hold every column of ours."""
SUFFIXES = {kind: ".txt" if kind == "page" else f".{kind}" for kind in FORMATS}
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    ".gz": gzip.compress,
    ".zst": lambda data: zstandard.ZstdCompressor(write_checksum=True).compress(data),
}


def papers(*sources: Path | str, **options: Any) -> list[Paper]:
    return [found for found in read(sources, **options) if isinstance(found, Paper)]


def rejects(*sources: Path | str, **options: Any) -> list[tuple[str, str]]:
    """Position and reason of what was rejected."""
    found = [found for found in read(sources, **options) if isinstance(found, Reject)]
    assert all(len(reject.excerpt) <= 500 for reject in found)
    return [(reject.position, reject.reason) for reject in found]


def write(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def same_as_rows(found: list[Paper]) -> bool:
    return [(p.paper_id, p.title, p.abstract, str(p.published), p.url) for p in found] == [
        tuple(row[key] for key in ("paper_id", "title", "abstract", "published", "url"))
        for row in ROWS
    ]


# Formats ------------------------------------------------------------------------------------------


def test_there_is_a_test_writer_for_every_format() -> None:
    assert tuple(WRITERS) == FORMATS


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("is_named", [True, False], ids=["named", "nameless"])
def test_every_format_is_recognised_packed_or_not(
    tmp_path: Path, kind: str, packing: str, is_named: bool
) -> None:
    name = f"papers{SUFFIXES[kind]}{packing}" if is_named else "papers"
    path = write(tmp_path, name, PACKERS[packing](WRITERS[kind](ROWS)))
    found = papers(path)
    assert rejects(path) == []
    assert {paper.source for paper in found} == {str(path)}
    if kind == "page":
        assert [paper.title for paper in found] == [row["title"] for row in ROWS]
        assert {str(paper.published) for paper in found} == {"2024-05-04"}
    elif kind in OWN:
        assert same_as_rows(found)
    else:
        told = [(paper.title.split(), paper.abstract.split()) for paper in found]
        assert told == [(row["title"].split(), row["abstract"].split()) for row in ROWS]
        assert [str(paper.published) for paper in found] == [row["published"] for row in ROWS]


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("kind", FORMATS)
def test_standard_input_is_read_like_a_file(
    kind: str, packing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    entrance, exit_ = os.pipe()
    data = PACKERS[packing](WRITERS[kind](ROWS))

    def feed() -> None:
        with os.fdopen(exit_, "wb") as pipe:
            pipe.write(data)

    thread = threading.Thread(target=feed)
    thread.start()
    with os.fdopen(entrance, encoding="utf-8") as pipe:
        monkeypatch.setattr(sys, "stdin", pipe)
        found = list(read(["-"]))
    thread.join()
    assert [type(entry) for entry in found] == [Paper] * 5
    assert {entry.source for entry in found} == {"-"}


def test_a_format_that_is_given_overrides_the_name(tmp_path: Path) -> None:
    path = write(tmp_path, "papers.txt", as_tsv(ROWS))
    assert same_as_rows(papers(path, format="tsv"))
    assert papers(write(tmp_path, "papers.csv", as_page(ROWS)), format="page") != []


def test_a_format_that_does_not_exist_is_told_before_anything_is_read() -> None:
    with pytest.raises(PipelineError, match="'yaml' is no format; there are page, html"):
        read([], format="yaml")


@pytest.mark.parametrize(
    ("head", "name", "kind"),
    [
        (b'{"id": 1}\n{"id": 2}\n', "x.json", "jsonl"),
        (b'{"id": 1}\n{"id": 2}\n', "x.txt", "jsonl"),
        (b'{\n  "id": 1\n}\n', "x.json", "json"),
        (b'{\n  "id": 1\n}\n', "x", "json"),
        (b'[{"id": 1}]', "x.jsonl", "json"),
        (b"[]", "x", "json"),
        (b"[1] is cited here\n", "x.txt", "page"),
        (b"nothing of the kind", "x.json", "json"),
        (b"nothing of the kind", "x.ndjson", "jsonl"),
        (b"\n\nID;Title;Abstract\n", "x", "csv"),
        (b"\n\nID;Title;Abstract\n", "x.tab", "tsv"),
        (b'"id","title","summary"\n', "x", "csv"),
        (b"id\ttitle\tabstract\n", "x.txt", "tsv"),
        (b"Owls, parcels, and robots\n\n", "x.txt", "page"),
        ("Ø".encode() * 9 + b"\xc3", "x", "page"),
        (b"PAR1....", "x.csv", "parquet"),
        (b'<?xml version="1.0"?>\n<feed>', "x", "xml"),
        (b'<?xml version="1.0"?>\n<!DOCTYPE html><html>', "x.xml", "html"),
        (b"<OAI-PMH>", "x.txt", "xml"),
        (b"\n<!doctype HTML>", "x", "html"),
        (b"% mine\n\n@article{a,", "x.txt", "bibtex"),
        (b"my papers @article{a,", "x.bib", "bibtex"),
        (b"@ the conference\n\nOwls", "x.txt", "page"),
        (b"TY  - JOUR\r\n", "x.txt", "ris"),
        (b'{"total": 2, "token": null, "data": [{"title": "Owls"}]}', "x.json", "json"),
        (b'{"total": 2, "data": [{"title": "Owls"}]}\n{"total": 1,', "x.jsonl", "jsonl"),
    ],
)
def test_formats_are_told_by_name_and_content(head: bytes, name: str, kind: str) -> None:
    assert recognise(head, name, None) == kind


def test_names_of_columns_may_differ_in_case_and_blanks(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "ID, Title ,SUMMARY,Date\n7,Owls,They sort.,2024-01-02\n")
    assert papers(path) == [
        Paper("7", "Owls", "They sort.", datetime.date(2024, 1, 2), None, str(path))
    ]


def test_the_first_of_two_names_for_a_column_counts_unless_it_is_empty(tmp_path: Path) -> None:
    rows = [
        {"id": "b", "paper_id": "a", "abstract": " ", "summary": "They sort.", "title": "Owls"},
        {"ID": "c", "id": "d", "summary": "No.", "abstract": "They post.", "title": "Owls"},
    ]
    found = papers(write(tmp_path, "a.jsonl", as_jsonl(rows)))
    assert [(paper.paper_id, paper.abstract) for paper in found] == [
        ("a", "They sort."),
        ("c", "They post."),
    ]


def test_a_byte_order_mark_is_not_part_of_the_text(tmp_path: Path) -> None:
    for kind in ("jsonl", "json", "csv", "tsv"):
        path = write(tmp_path, f"mark.{kind}", b"\xef\xbb\xbf" + WRITERS[kind](ROWS))
        assert same_as_rows(papers(path))


def test_lines_may_end_as_on_windows(tmp_path: Path) -> None:
    rows = [row | {"abstract": row["abstract"].replace("\n", " ")} for row in ROWS]
    for kind in ("jsonl", "csv", "tsv"):
        data = WRITERS[kind](rows).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        found = papers(write(tmp_path, f"windows.{kind}", data))
        assert [paper.abstract for paper in found] == [row["abstract"] for row in rows]


# Texts, ids and dates -----------------------------------------------------------------------------


def test_the_text_is_what_the_source_has(tmp_path: Path) -> None:
    text = (
        "  Tabs\tand \x00 NUL, \x1b[31m, no-break\u00a0space, e\u0301, 𝔅, \u202eright to left\r\n "
    )
    rows = [{"id": "x", "title": text, "abstract": text}]
    for kind in ("jsonl", "json", "csv", "tsv", "parquet"):
        found = papers(write(tmp_path, f"odd.{kind}", WRITERS[kind](rows)))
        assert [(paper.title, paper.abstract) for paper in found] == [(text, text)], kind


def test_half_a_surrogate_pair_becomes_a_replacement_character(tmp_path: Path) -> None:
    line = r'{"id": "a\ud800", "title": "\udc80 owl", "abstract": "\ud83e\udd89 \ud83e sorts.",'
    path = write(tmp_path, "a.jsonl", line + r' "url": "https://\udfff.example.org"}' + "\n")
    (paper,) = papers(path)
    assert paper == Paper("a�", "� owl", "🦉 � sorts.", None, "https://�.example.org", str(path))


def test_line_breaks_that_json_forbids_in_strings_are_read(tmp_path: Path) -> None:
    path = write(tmp_path, "a.json", '[{"title": "Owls", "abstract": "They\nsort\x00."}]')
    assert [paper.abstract for paper in papers(path)] == ["They\nsort\x00."]


def test_a_paper_may_lack_a_title_but_no_abstract(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"title": None, "abstract": "They sort."},
        {"title": "Owls", "abstract": ""},
        {"title": "Owls"},
        {"title": " ", "abstract": "\n"},
        {"title": 5, "abstract": "They sort."},
        {"title": "Owls", "abstract": ["They", "sort."]},
        {"id": {"arxiv": 1}, "title": "Owls", "abstract": "They sort."},
        {"id": True, "title": "Owls", "abstract": "They sort."},
    ]
    path = write(tmp_path, "a.jsonl", as_jsonl(rows))
    assert [(paper.title, paper.abstract) for paper in papers(path)] == [("", "They sort.")]
    assert rejects(path) == [
        ("line 2", "no abstract"),
        ("line 3", "no abstract"),
        ("line 4", "no abstract, no title"),
        ("line 5", "title is not text: it is of type int"),
        ("line 6", "abstract is not text: it is of type list"),
        ("line 7", "paper_id is not text: it is of type dict"),
        ("line 8", "paper_id is not text: it is of type bool"),
    ]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://arxiv.org/abs/2509.01234", "arxiv:2509.01234"),
        ("http://www.arxiv.org/pdf/2509.01234v3.pdf", "arxiv:2509.01234"),
        ("https://arxiv.org/abs/hep-th/9901001v2", "arxiv:hep-th/9901001"),
        ("https://arxiv.org/abs/math.GT/0309136", "arxiv:math.gt/0309136"),
        ("https://huggingface.co/papers/2509.01234", "arxiv:2509.01234"),
        ("https://doi.org/10.48550/arXiv.2509.01234", "arxiv:2509.01234"),
        ("arXiv:2509.01234", "arxiv:2509.01234"),
        ("https://aclanthology.org/2024.emnlp-main.453/", "acl:2024.emnlp-main.453"),
        ("https://aclanthology.org/2024.emnlp-main.453.pdf", "acl:2024.emnlp-main.453"),
        ("https://doi.org/10.18653/v1/2024.emnlp-main.453", "acl:2024.emnlp-main.453"),
        ("https://www.aclweb.org/anthology/p18-1001", "acl:P18-1001"),
        ("https://doi.org/10.1000/ABC.(7)?x=1", "doi:10.1000/abc.(7"),
        ("doi: 10.1000/abc.", "doi:10.1000/abc"),
        ("https://openreview.net/forum?id=rJ4-xY_z", "openreview:rJ4-xY_z"),
        ("https://kiln.example.org/2509.01234", "title:"),
        ("https://arxiv.org/abs/2509.0123456", "title:"),
        (None, "title:"),
    ],
)
def test_an_id_is_derived_from_the_address(url: str | None, expected: str) -> None:
    found = derived_id("Owls", "They sort.", url)
    assert found == expected or (expected == "title:" and found == derived_id("Owls", "", None))


def test_the_same_title_in_other_clothes_has_the_same_id() -> None:
    one = derived_id("Émile: $\\mathcal{B}$-Trees  for Owls", "They sort.", None)
    assert one == derived_id("EMILE — B-trees for owls.", "They post.", None)
    assert one != derived_id("Emile: B-trees for larks", "They sort.", None)
    assert one.startswith("title:") and len(one) == len("title:") + 16
    assert derived_id("文本", "", None) != derived_id("图像", "", None)


def test_a_paper_without_title_is_known_by_its_abstract() -> None:
    ids = [
        derived_id(title, text, None) for title, text in [("", "Owls."), ("?!", "owls"), ("", "…")]
    ]
    assert ids[0] == ids[1] != ids[2]
    assert {one.partition(":")[0] for one in ids} == {"text"}


def test_an_id_that_is_given_is_kept(tmp_path: Path) -> None:
    rows = [
        {
            "id": one,
            "title": "Owls",
            "abstract": "They sort.",
            "url": "https://arxiv.org/abs/2509.01234",
        }
        for one in (17, "Own Id/3 ", "2509.01234", "")
    ]
    found = papers(write(tmp_path, "a.jsonl", as_jsonl(rows)))
    assert [paper.paper_id for paper in found] == [
        "17",
        "Own Id/3 ",
        "2509.01234",
        "arxiv:2509.01234",
    ]


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2024-09-11", "2024-09-11"),
        (" 2024-09-11T23:59:59-05:00 ", "2024-09-11"),
        ("2024-09-11 08:00", "2024-09-11"),
        ("2024/09/11", "2024-09-11"),
        ("20240911", "2024-09-11"),
        ("Mon, 2 Apr 2007 19:18:42 GMT", "2007-04-02"),
        ("11 Sep 2024 00:30:00 +0900", "2024-09-11"),
        (datetime.date(2024, 9, 11), "2024-09-11"),
        (datetime.datetime(2024, 9, 11, 23, 59), "2024-09-11"),
        ("2024", None),
        ("2024-09", None),
        ("September", None),
        ("2024-13-01", None),
        ("99 Sep 2024 99:99:99 GMT", None),
        (2024, None),
        (None, None),
        ("", None),
    ],
)
def test_a_date_is_a_day_or_nothing(value: object, day: str | None) -> None:
    found = date_of(value)
    assert (None if found is None else str(found)) == day
    assert not isinstance(found, datetime.datetime)


@given(st.text(max_size=40) | st.integers() | st.datetimes() | st.none())
def test_no_date_is_too_odd(value: object) -> None:
    assert date_of(value) is None or isinstance(date_of(value), datetime.date)


# Ids that come twice ------------------------------------------------------------------------------


def test_an_id_that_comes_twice_is_a_reject_that_tells_whether_the_text_differs(
    tmp_path: Path,
) -> None:
    rows = [
        {"id": "a", "title": "Owls", "abstract": "They sort."},
        {"id": "a", "title": "Owls", "abstract": "They sort.", "date": "2024-01-01"},
        {"id": "a", "title": "Owls", "abstract": "They post."},
        {"id": "a", "title": "Owls", "abstract": "They sort."},
    ]
    first = write(tmp_path, "a.jsonl", as_jsonl(rows[:3]))
    second = write(tmp_path, "b.jsonl", as_jsonl(rows[3:]))
    assert len(papers(first, second)) == 1
    assert rejects(first, second) == [
        ("line 2", "duplicate of a paper already read"),
        ("line 3", "same id with other text"),
        ("line 1", "duplicate of a paper already read"),
    ]
    last = [found for found in read([first, second]) if isinstance(found, Reject)][-1]
    assert (last.source, last.excerpt) == (str(second), "a | Owls | They sort.")


def test_those_who_settle_it_themselves_get_every_paper(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", as_jsonl([ROWS[0], ROWS[0], {"title": "Owls"}]))
    assert [type(found) for found in read_each([path])] == [Paper, Paper, Reject]


# Files, folders, globs ----------------------------------------------------------------------------


def test_a_folder_is_read_in_order_with_all_below_but_what_is_hidden(tmp_path: Path) -> None:
    for number, name in enumerate(["b/c.jsonl.gz", "a.csv", "b/a.parquet", "d.txt.zst"]):
        kind = {"c": "jsonl", "a": "csv", "d": "page"}[Path(name).name[0]]
        kind = "parquet" if "parquet" in name else kind
        packing = next((p for p in (".gz", ".zst") if name.endswith(p)), "")
        write(tmp_path, name, PACKERS[packing](WRITERS[kind]([ROWS[number]])))
    write(tmp_path, "notes.md", "# Notes\n")
    write(tmp_path, ".hidden.jsonl", "not JSON")
    write(tmp_path, ".cache/a.jsonl", "not JSON")
    assert rejects(tmp_path) == []
    assert [Path(paper.source).name for paper in papers(tmp_path)] == [
        "a.csv", "d.txt.zst", "a.parquet", "c.jsonl.gz",
    ]  # fmt: skip


def test_with_a_format_every_file_of_a_folder_is_read(tmp_path: Path) -> None:
    write(tmp_path, "monday.papers", as_jsonl(ROWS))
    assert same_as_rows(papers(tmp_path, format="jsonl"))


def test_a_glob_is_every_file_and_folder_it_matches(tmp_path: Path) -> None:
    for number, name in enumerate(["x1.jsonl", "x2.jsonl", "x3/y.jsonl", "z.jsonl"]):
        write(tmp_path, name, as_jsonl([ROWS[number]]))
    assert [paper.paper_id for paper in papers(tmp_path / "x*")] == ["own:0", "own:1", "own:2"]
    everywhere = papers(f"{tmp_path}/**/*.jsonl")
    assert sorted(paper.paper_id for paper in everywhere) == [
        f"own:{number}" for number in range(4)
    ]


def test_a_file_whose_name_looks_like_a_glob_is_that_file(tmp_path: Path) -> None:
    assert same_as_rows(papers(write(tmp_path, "a[1].jsonl", as_jsonl(ROWS))))


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", as_jsonl(ROWS))
    again = tmp_path / "b.jsonl"
    again.symlink_to(path)
    assert same_as_rows(papers(path, tmp_path, f"{tmp_path}/*.jsonl", again))
    assert rejects(path, tmp_path, f"{tmp_path}/*.jsonl", again) == []


def test_what_is_not_there_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path, "other/notes.md", "# Notes\n")
    missing = [
        tmp_path / "no.jsonl", tmp_path / "no*.jsonl", tmp_path / "empty", tmp_path / "other",
        "a\0b", "x" * 5000,
    ]  # fmt: skip
    found = list(read(missing))
    assert all(isinstance(reject, Reject) for reject in found)
    assert [reject.source for reject in found] == [str(source) for source in missing]
    reasons = [reject.reason for reject in found if isinstance(reject, Reject)]
    assert reasons[:2] == ["no such file or folder", "no file matches this pattern"]
    assert all(reason.startswith("nothing readable in this folder") for reason in reasons[2:4])
    assert len(reasons) == 6


def test_a_name_that_is_not_utf8_can_be_written(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.jsonl")
    assert [found.source for found in read([path])] == [f"{tmp_path}/�.jsonl"]
    Path(path).write_bytes(as_jsonl(ROWS))
    assert {found.source for found in read([path])} == {f"{tmp_path}/�.jsonl"}
    assert same_as_rows(papers(path))


def test_a_file_that_cannot_be_opened_does_not_end_the_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [write(tmp_path, name, as_jsonl(ROWS)) for name in ("a.jsonl", "b.jsonl")]
    really_open = Path.open

    def open_(path: Path, *rest: Any) -> Any:  # a mode of 000 means nothing to root
        if path.name == "a.jsonl":
            raise PermissionError(13, "Permission denied")
        return really_open(path, *rest)

    monkeypatch.setattr(Path, "open", open_)
    assert rejects(*paths) == [("", "cannot be opened: Permission denied")]
    assert same_as_rows(papers(*paths))


def test_a_disk_that_fails_in_the_middle_leaves_what_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [ROWS[0] | {"paper_id": str(number)} for number in range(2000)]
    data = as_jsonl(rows)

    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 100_000:
                raise OSError(5, "Input/output error")
            return super().read(size)

    monkeypatch.setattr(files_module, "_opened", lambda _: Failing(data))
    path = write(tmp_path, "a.jsonl", data)
    assert rejects(path) == [("byte 131072", "cannot be read on: Input/output error")]
    assert 400 < len(papers(path)) < 2000


# Bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data", [b"", b"\n \n", b"\xef\xbb\xbf", gzip.compress(b"", mtime=0), PACKERS[".zst"](b"")]
)
@pytest.mark.parametrize("name", ["a.jsonl", "a.txt", "a.parquet", "a"])
def test_an_empty_file_is_told(tmp_path: Path, name: str, data: bytes) -> None:
    assert rejects(write(tmp_path, name, data)) == [("", "empty: there is nothing in it")]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.json", b"[]"),
        ("a.csv", b"title,abstract\n"),
        ("a.parquet", as_parquet([{"abstract": "x"}][:0] or [{"abstract": None}])),
        ("a.txt", b"Daily Papers\n\nSep 11\n\n3 comments\n"),
    ],
)
def test_a_file_without_papers_is_told(tmp_path: Path, name: str, data: bytes) -> None:
    assert len(rejects(write(tmp_path, name, data))) == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (bytes(range(256)) * 9, "binary, or not UTF-8"),
        (b"\0\0\0\1" * 99, "binary, or UTF-16"),
        ("Привет, сова. ".encode("cp1251") * 9, "binary, or not UTF-8"),
        (b"PK\x03\x04rest", "a ZIP archive"),
        (b"BZh91AY", "packed with bzip2"),
        (b"\xfd7zXZ\0", "packed with xz"),
        (b"%PDF-1.7", "a PDF"),
        (b"SQLite format 3\0", "an SQLite database"),
        ("title".encode("utf-16"), "UTF-16 text"),
        ("\ufefftitle".encode("utf-16-be"), "UTF-16 text"),
    ],
)
def test_what_is_no_text_is_told_with_its_kind(tmp_path: Path, data: bytes, reason: str) -> None:
    ((position, found),) = rejects(write(tmp_path, "a", data))
    assert position == "byte 0"
    assert found.startswith(f"not a text that can be read: it is {reason}")


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "tsv", "page"])
def test_bytes_that_are_not_utf8_cost_one_paper(tmp_path: Path, kind: str) -> None:
    rows = [row | {"title": f"Öfen number {number}"} for number, row in enumerate(ROWS)]
    data = WRITERS[kind](rows).replace(b"\\u00d6", "Ö".encode())
    data = data.replace("Ö".encode() + b"fen number 2", b"\xd6fen number 2")
    path = write(tmp_path, f"a{SUFFIXES[kind]}", data)
    assert [paper.title[-1] for paper in papers(path)] == ["0", "1", "3", "4"]
    ((position, reason),) = rejects(path)
    assert reason == "not UTF-8"
    assert position == {"jsonl": "line 3", "json": "entry 3", "csv": "line 6", "tsv": "line 6",
                        "page": "line 13"}[kind]  # fmt: skip


def test_an_excerpt_can_be_written_whatever_it_shows(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", b'{"title": "Owls"}\n{"title": "\xff\xfe' + b"x" * 900)
    found = [entry for entry in read([path]) if isinstance(entry, Reject)]
    assert found[1].excerpt == '{"title": "��' + "x" * 487
    assert found[1].excerpt.encode()


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "tsv", "page"])
@pytest.mark.parametrize("packing", [".gz", ".zst"])
def test_of_a_packed_file_cut_off_the_papers_before_the_break_are_papers(
    tmp_path: Path, kind: str, packing: str
) -> None:
    rows = [
        {"id": f"own:{number}", "title": f"Kiln {number} and its neighbours in the valley",
         "abstract": f"Kiln {number} is hot. " + os.urandom(100).hex() + " is its mark. " * 9}
        for number in range(1500)
    ]  # fmt: skip
    packed = PACKERS[packing](WRITERS[kind](rows))
    whole = papers(write(tmp_path, f"whole{SUFFIXES[kind]}{packing}", packed))
    path = write(tmp_path, f"a{SUFFIXES[kind]}{packing}", packed[: len(packed) // 2])
    found = papers(path)
    assert 0 < len(found) < 1200
    assert [paper.abstract for paper in found] == [paper.abstract for paper in whole[: len(found)]]
    reasons = dict(rejects(path))
    cut = {".gz": "gzip", ".zst": "zstd"}[packing] + " is cut off: it ends before its end mark"
    assert reasons[f"byte {len(packed) // 2}"] == cut
    assert len(reasons) <= (2 if kind == "page" else 1)  # of a page a title may be left over


@pytest.mark.parametrize("packing", [".gz", ".zst"])
def test_a_packed_file_damaged_in_the_middle_is_read_up_to_there(
    tmp_path: Path, packing: str
) -> None:
    rows = [
        {"title": f"Kiln {number}", "abstract": os.urandom(200).hex()} for number in range(2000)
    ]
    packed = bytearray(PACKERS[packing](as_jsonl(rows)))
    middle = len(packed) // 2
    packed[middle : middle + 64] = b"\xff" * 64
    path = write(tmp_path, f"a.jsonl{packing}", bytes(packed))
    found = papers(path)
    last = rejects(path)[-1]
    assert [paper.title for paper in found[:500]] == [row["title"] for row in rows[:500]]
    assert last[0].startswith("byte ") and "is damaged: " in last[1]


def test_a_packed_file_of_several_parts_is_one(tmp_path: Path) -> None:
    lines_ = as_jsonl(ROWS).splitlines(keepends=True)
    for packing, filling in ((".gz", b"\0" * 5000), (".zst", b"")):
        data = b"".join(PACKERS[packing](line) for line in lines_) + filling
        path = write(tmp_path, f"a.jsonl{packing}", data)
        assert same_as_rows(papers(path)) and rejects(path) == []


def test_what_follows_a_packed_file_is_told(tmp_path: Path) -> None:
    for packing in (".gz", ".zst"):
        path = write(tmp_path, f"a.jsonl{packing}", PACKERS[packing](as_jsonl(ROWS)) + b"rubbish")
        assert same_as_rows(papers(path))
        assert "is damaged" in rejects(path)[-1][1]


def test_invalid_json_in_the_middle_of_lines_costs_those_lines(tmp_path: Path) -> None:
    good = as_jsonl(ROWS).splitlines()
    bad = [b'{"title": "Owls", ', b"[1, 2]", b'"text"', b'{"a": ' * 100_000, b"", good[3] + good[3]]
    data = b"\n".join([good[0], bad[0], good[1], *bad[1:], good[2], *good[3:]])
    path = write(tmp_path, "a.jsonl", data)
    assert same_as_rows(papers(path))
    assert rejects(path) == [
        ("line 2", "not valid JSON: Expecting property name enclosed in double quotes"),
        ("line 4", "not a JSON object"),
        ("line 5", "not a JSON object"),
        ("line 6", "not valid JSON: nested too deep"),
        ("line 8", "not valid JSON: Extra data"),
    ]


def test_a_number_of_ten_thousand_digits_costs_no_paper(tmp_path: Path) -> None:
    line = '{"title": "Owls", "abstract": "They sort.", "votes": ' + "7" * 10_000 + "}"
    for name in ("a.jsonl", "a.json"):
        assert len(papers(write(tmp_path, name, line))) == 1


DAMAGES = {
    "a quote too few": ('"title": "Kiln number 2', '"title": Kiln number 2'),
    "a quote too many": ("Kiln number 2", 'Kiln "number 2'),
    "no comma": ('"own:2",', '"own:2"'),
    "no closing brace": ('kiln.example.org/2"\n  }', 'kiln.example.org/2"\n  '),
    "no closing brace, no comma": ('kiln.example.org/2"\n  },', 'kiln.example.org/2"\n  '),
    "no opening brace": ('{\n    "paper_id": "own:2"', '\n    "paper_id": "own:2"'),
    "a brace too many": ('kiln.example.org/2"\n  },', 'kiln.example.org/2"\n  }},'),
    "a bad escape": ("Kiln number 2", "Kiln \\number 2 \\x"),
    "objects after the damage": ('"own:2",', '"own:2",, "authors": [{"name": "Ivo"}, {"x": 1}],'),
    "objects before the damage": (
        '"own:2",',
        '"own:2", "authors": [{"name": "Ivo"}, {"name": "Pell"}],,',
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_invalid_json_in_the_middle_of_an_array_costs_one_entry(
    tmp_path: Path, damage: str
) -> None:
    text = as_json(ROWS).decode()
    assert DAMAGES[damage][0] in text
    path = write(tmp_path, "a.json", text.replace(*DAMAGES[damage]))
    found = [paper.paper_id for paper in papers(path)]
    assert [one for one in found if one != "own:2"] == ["own:0", "own:1", "own:3", "own:4"]
    found_faults = rejects(path)
    # Of an object without its brace the first string is an entry by itself.
    assert len(found_faults) == (2 if damage == "no opening brace" else 1)
    position, reason = found_faults[-1]
    assert position in ("entry 3", "entry 4")
    assert reason.startswith("not valid JSON: ")


def test_two_broken_entries_are_two_rejects(tmp_path: Path) -> None:
    text = as_json(ROWS).decode().replace('"own:1",', '"own:1"').replace('"own:2",', '"own:2"')
    path = write(tmp_path, "a.json", text)
    assert [paper.paper_id for paper in papers(path)] == ["own:0", "own:3", "own:4"]
    assert [position for position, _ in rejects(path)] == ["entry 2", "entry 3"]


def test_entries_of_an_array_that_are_no_objects_are_told_one_by_one(tmp_path: Path) -> None:
    path = write(tmp_path, "a.json", json.dumps([{}, 5, "owl", ROWS[0], None]))
    assert len(papers(path)) == 1
    assert rejects(path) == [
        ("entry 1", "no abstract, no title"),
        ("entry 2", "not a JSON object"),
        ("entry 3", "not a JSON object"),
        ("entry 5", "not a JSON object"),
    ]


def test_objects_one_after_the_other_are_read_like_an_array(tmp_path: Path) -> None:
    data = b"\n".join(json.dumps(row, indent=1).encode() for row in ROWS)
    assert same_as_rows(papers(write(tmp_path, "a.json", data)))
    assert rejects(tmp_path / "a.json") == []


def test_an_array_cut_off_is_read_up_to_there(tmp_path: Path) -> None:
    data = as_json(ROWS)
    inside = write(tmp_path, "a.json", data[: data.index(b"own:3")])
    between = write(tmp_path, "b.json", data[: data.index(b"own:3") - 20].rstrip(b' {\n"'))
    assert [paper.paper_id for paper in papers(inside)] == ["own:0", "own:1", "own:2"]
    assert [position for position, _ in rejects(inside)] == ["entry 4"]
    assert rejects(between) == [
        ("entry 3", "the array is not closed: the file seems to be cut off")
    ]


def test_an_array_nested_too_deep_is_told_and_passed_over(tmp_path: Path) -> None:
    deep = '{"title": ' + '{"a":' * 50_000 + "1" + "}" * 50_000 + "}"
    text = (
        json.dumps(ROWS)[:-1] + ", " + deep + ", " + json.dumps(ROWS[0] | {"paper_id": "x"}) + "]"
    )
    path = write(tmp_path, "a.json", text)
    assert [paper.paper_id for paper in papers(path)][-1] == "x"
    assert ("entry 6", "not valid JSON: nested too deep") in rejects(path)


def test_an_entry_of_20_mb_is_too_long_even_when_it_is_whole(tmp_path: Path) -> None:
    long = {"title": "Larks", "abstract": "They sing. " * 1_800_000}
    path = write(tmp_path, "a.json", json.dumps([long, *ROWS]))
    assert same_as_rows(papers(path))
    assert rejects(path) == [("entry 1", "longer than 16 MB")]


def test_a_text_that_ends_inside_a_character_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "a.json", as_json(ROWS) + b" \xc3")
    assert same_as_rows(papers(path))
    assert rejects(path) == [("entry 6", "not valid JSON: Expecting value")]


def test_reading_goes_on_after_a_late_error_in_a_text_of_several_pieces(tmp_path: Path) -> None:
    rows = [{"title": f"Owls {n}", "abstract": "They sort. " * 50} for n in range(500)]
    for broken in range(480, 500):
        text = json.dumps(rows).replace(f'"Owls {broken}",', f'"Owls {broken}"')
        found = papers(write(tmp_path, "a.json", text))
        assert [int(paper.title[5:]) for paper in found] == [n for n in range(500) if n != broken]


@pytest.mark.slow
@pytest.mark.parametrize("rubbish", ['{"', '{"a":[0,', "[", '{"a" '])
def test_broken_json_takes_time_in_proportion_to_its_length(tmp_path: Path, rubbish: str) -> None:
    def seconds(length: int) -> float:
        long = json.dumps({"title": "Larks", "abstract": "They sing. " * (length // 10)})
        broken = rubbish * (length // len(rubbish))
        path = write(tmp_path, "a.json", f"[{broken}, {long}, {broken}]")
        start = time.process_time()
        assert len(list(read([path]))) > 0
        return time.process_time() - start

    assert seconds(600_000) < 12 * max(seconds(100_000), 0.02)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_an_array_is_read_the_same_in_whatever_pieces_it_comes(sizes: list[int]) -> None:
    data = json.dumps(ROWS, ensure_ascii=False).replace("sings", "ſíngs \\ud83e\\udd89 𝔅").encode()

    def pieces() -> Iterator[bytes]:
        start = 0
        while start < len(data):
            for size in sizes:
                yield data[start : start + size]
                start += size

    assert list(read_json(pieces())) == list(read_json(iter([data])))
    assert len(list(read_json(pieces()))) == 5


def test_a_row_with_too_few_or_too_many_columns_is_told(tmp_path: Path) -> None:
    data = (
        "id,title,abstract\n1,Owls,They sort.\n2,Owls\n\n3,Owls,They, sort.\n4,Owls,They post.,,\n"
    )
    path = write(tmp_path, "a.csv", data)
    assert [paper.paper_id for paper in papers(path)] == ["1", "4"]
    assert rejects(path) == [
        ("line 3", "2 columns where the first line names 3"),
        ("line 5", "4 columns where the first line names 3"),
    ]


def test_a_stray_quote_costs_the_line_it_stands_in(tmp_path: Path) -> None:
    data = 'id,title,abstract\n1,"Owls,They sort.\n2,Owls,"They ""post""."\n3,Owls,They fly.\n'
    path = write(tmp_path, "a.csv", data)
    assert [paper.abstract for paper in papers(path)] == ['They "post".', "They fly."]
    assert [position for position, _ in rejects(path)] == ["line 2"]
    path = write(tmp_path, "b.csv", data + '4,"Owls,They sleep.\n5,Owls,They wake.\n')
    assert [paper.paper_id for paper in papers(path)] == ["2", "3", "5"]


def test_rows_that_a_stray_quote_would_swallow_are_read(tmp_path: Path) -> None:
    data = 'id\ttitle\tabstract\n1\t"Owls\tThey sort.\n2\tLarks"\tThey sing.\n3\tJays\tThey nag.\n'
    path = write(tmp_path, "a.tsv", data)
    assert [(paper.title, paper.abstract) for paper in papers(path)] == [
        ('"Owls', "They sort."),
        ('Larks"', "They sing."),
        ("Jays", "They nag."),
    ]


def test_tsv_without_quoting_keeps_its_quotes(tmp_path: Path) -> None:
    data = 'id\ttitle\tabstract\r\n1\t"Why?" asks the owl\t"They sort" is its answer\r\n'
    (paper,) = papers(write(tmp_path, "a.tsv", data))
    assert (paper.title, paper.abstract) == ('"Why?" asks the owl', '"They sort" is its answer')


def test_a_table_without_a_column_for_abstracts_is_told(tmp_path: Path) -> None:
    reason = "no column 'abstract' or 'summary'; the first line is: id,title"
    assert rejects(write(tmp_path, "a.csv", "id,title\n1,Owls\n")) == [("line 1", reason)]
    odd = write(tmp_path, "b.csv", 'id,"title" x,abstract\n1,Owls,They sort.\n')
    assert rejects(odd)[0][1].startswith("no column 'abstract' or 'summary'; the first line is: id")
    parquet = write(tmp_path, "a.parquet", as_parquet([{"id": "1", "Title": "Owls"}]))
    assert rejects(parquet) == [("", "no column 'abstract' or 'summary', only: id, title")]


def test_a_table_cut_off_in_its_first_line_is_told(tmp_path: Path) -> None:
    data = gzip.compress(os.urandom(40_000).hex().encode() + b",title,abstract\n")[:20_000]
    assert rejects(write(tmp_path, "a.csv.gz", data)) == [
        ("byte 20000", "gzip is cut off: it ends before its end mark")
    ]


def test_of_two_columns_with_one_name_the_first_counts(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "id,abstract,abstract\n1,They sort.,They post.\n")
    assert [paper.abstract for paper in papers(path)] == ["They sort."]


# Parquet ------------------------------------------------------------------------------------------


def test_columns_of_many_types_are_read(tmp_path: Path) -> None:
    when = datetime.datetime(2024, 5, 4, 23, 0, tzinfo=datetime.UTC)
    table = pa.table(
        {
            "ID": pa.array([7, None, 9], pa.int64()),
            "title": pa.array(["Owls", "Larks", None]).dictionary_encode(),
            "summary": pa.array([b"They sort.", b"They sing.", b"They \xff nag."], pa.binary()),
            "date": pa.array([when, None, when], pa.timestamp("us", "UTC")),
            "url": pa.array([None, None, None], pa.null()),
            "votes": pa.array([[1], [2], [3]]),
        }
    )
    path = tmp_path / "a.parquet"
    pq.write_table(table, path)
    assert [(paper.paper_id[:6], paper.title, str(paper.published)) for paper in papers(path)] == [
        ("7", "Owls", "2024-05-04"),
        ("title:", "Larks", "None"),
    ]
    assert rejects(path) == [("row 3", "not UTF-8")]


def test_text_that_is_not_utf8_costs_one_row(tmp_path: Path) -> None:
    texts = pa.array([b"They sort.", b"They \xff post.", b"They fly."], pa.binary())
    text = pa.Array.from_buffers(pa.string(), 3, texts.buffers())
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": ["1", "2", "3"], "abstract": text}), path)
    assert [paper.paper_id for paper in papers(path)] == ["1", "3"]
    assert rejects(path) == [("row 2", "not UTF-8")]


def test_a_time_no_calendar_has_is_no_date(tmp_path: Path) -> None:
    days = pa.array([2**62], pa.int64()).cast(pa.timestamp("us"))
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"abstract": ["They sort."], "date": days}), path)
    assert [paper.published for paper in papers(path)] == [None]


def test_an_empty_cell_of_pandas_is_nothing(tmp_path: Path) -> None:
    path = write(
        tmp_path, "a.parquet", as_parquet([{"id": float("nan"), "abstract": "They sort."}])
    )
    assert [paper.paper_id[:5] for paper in papers(path)] == ["text:"]


def test_a_damaged_part_of_a_table_costs_its_rows(tmp_path: Path) -> None:
    rows = [{"id": str(n), "abstract": os.urandom(20).hex()} for n in range(30)]
    data = bytearray(as_parquet(rows, row_group_size=10, compression="snappy"))
    part = pq.ParquetFile(io.BytesIO(bytes(data))).metadata.row_group(1).column(1)
    start = part.dictionary_page_offset or part.data_page_offset
    data[start : start + part.total_compressed_size] = b"\xff" * part.total_compressed_size
    path = write(tmp_path, "a.parquet", bytes(data))
    assert [int(paper.paper_id) for paper in papers(path)] == [*range(10), *range(20, 30)]
    ((position, reason),) = rejects(path)
    assert position == "row 11 to 20"
    assert reason.startswith("damaged Parquet, these rows are lost: ")


@pytest.mark.parametrize(
    "damage", [lambda data: data[: len(data) // 2], lambda _: b"PAR1", lambda _: b"owl"]
)
def test_a_table_cut_off_is_told(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    ((_, reason),) = rejects(write(tmp_path, "a.parquet", damage(as_parquet(ROWS))))
    assert reason.startswith("not a Parquet file, or a damaged one: ")


# Memory -------------------------------------------------------------------------------------------


def peak(read_it: Callable[[], object]) -> float:
    """The most memory held while reading, in megabytes."""
    tracemalloc.start()
    try:
        read_it()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.tsv", "a.txt"])
def test_a_line_of_50_mb_is_rejected_in_bounded_memory(tmp_path: Path, name: str) -> None:
    row = json.dumps({"title": "Owls", "abstract": "They sort."})
    long = "They sort. " * 5_000_000
    text = {
        "a.jsonl": f'{row}\n{{"title": "Larks", "abstract": "{long}"}}\n{row}\n',
        "a.json": f'[{row}, {{"title": "Larks", "abstract": "{long}"}}, {row}]',
        "a.csv": f"title,abstract\nOwls,They sort.\nLarks,{long}\nOwls,They sort.\n",
        "a.tsv": f"title\tabstract\nOwls\tThey sort.\nLarks\t{long}\nOwls\tThey sort.\n",
        "a.txt": f"Owls Sort Parcels\n\n{'They sort. ' * 40}\n\nLarks at Work Early\n\n{long}\n\n"
        f"Owls Sort Parcels\n\n{'They sort. ' * 40}\n",
    }[name]
    path = write(tmp_path, name, text)
    del text, long
    found: list[Paper | Reject] = []
    # Of a line 16 MB are held, twice while they are put together; of JSON up to 32 MB, likewise.
    assert peak(lambda: found.extend(read([path]))) < (130 if name == "a.json" else 40)
    reasons = [entry.reason for entry in found if isinstance(entry, Reject)]
    assert reasons == ["longer than 16 MB", "duplicate of a paper already read"]


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "html"])
def test_memory_does_not_grow_with_the_input(tmp_path: Path, kind: str) -> None:
    def rows(count: int) -> list[dict[str, Any]]:
        text = "They sort parcels by weight and post them by night, as the larks are told. " * 20
        return [
            {"title": f"Owls {n} Sort Parcels by Night", "abstract": f"{text} {n}."}
            for n in range(count)
        ]

    options = {"row_group_size": 100_000, "use_dictionary": False} if kind == "parquet" else {}
    few = write(tmp_path, f"few{SUFFIXES[kind]}", WRITERS[kind](rows(400), **options))
    many = write(tmp_path, f"many{SUFFIXES[kind]}", WRITERS[kind](rows(1600), **options))
    assert kind == "parquet" or many.stat().st_size > few.stat().st_size + 1_500_000
    counts: Counter[type] = Counter()
    before = peak(lambda: counts.update(type(found) for found in read_each([few])))
    after = peak(lambda: counts.update(type(found) for found in read_each([many])))
    assert counts == {Paper: 2000}
    assert after < before + 0.5


def test_arrow_holds_little_of_a_large_part_of_a_table(tmp_path: Path) -> None:
    rows = [{"title": f"Owls {n}", "abstract": os.urandom(500).hex()} for n in range(20_000)]
    data = as_parquet(rows, row_group_size=100_000, use_dictionary=False, compression="none")
    path = write(tmp_path, "a.parquet", data)
    del rows, data
    before = pa.total_allocated_bytes()
    held = [pa.total_allocated_bytes() - before for _ in read_each([path])]
    assert len(held) == 20_000
    assert max(held) < path.stat().st_size / 3


def test_a_few_bytes_that_unpack_to_a_gigabyte_are_no_danger(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zstandard.ZstdCompressor(level=3).stream_writer(out, closefd=False) as packer:
        packer.write(as_jsonl(ROWS))
        for _ in range(1024):
            packer.write(b" " * (1 << 20))
    path = write(tmp_path, "a.jsonl.zst", out.getvalue())
    assert path.stat().st_size < 200_000
    assert peak(lambda: [*read([path])]) < 130
    assert rejects(path) == [("line 6", "longer than 16 MB")]


# Anything at all ----------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([kind for kind in FORMATS if kind != "parquet"]),
    st.binary(max_size=300)
    | st.text(alphabet='<>/="& feedntryi!?-', max_size=200).map(lambda t: f"<feed>{t}".encode())
    | st.text(alphabet='@{},="\\%\n abstr', max_size=200).map(lambda t: f"@a{{b,{t}".encode())
    | st.text(alphabet="TYABER -\n", max_size=200).map(lambda t: f"TY  - {t}".encode())
    | st.text(alphabet='{}[]",:\\ \n\tabu01é', max_size=300).map(str.encode)
    | st.text(alphabet='";,\n\r\tab ', max_size=200).map(
        lambda t: b"id;title;abstract\n" + t.encode()
    ),
)
def test_any_bytes_at_all_give_papers_or_rejects(
    tmp_path_factory: pytest.TempPathFactory, kind: str, data: bytes
) -> None:
    path = write(tmp_path_factory.getbasetemp(), f"any.{kind}", data)
    found = list(read([path], format=kind))
    assert found
    for entry in found:
        texts = (entry.excerpt, entry.reason) if isinstance(entry, Reject) else (entry.abstract,)
        assert all(text.encode() is not None for text in texts)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=30).filter(str.strip), min_size=1, max_size=5))
def test_any_text_comes_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    rows = [{"id": f"own:{n}", "title": text, "abstract": text} for n, text in enumerate(texts)]
    for kind in OWN:
        path = write(tmp_path_factory.getbasetemp(), f"back.{kind}", WRITERS[kind](rows))
        assert [paper.abstract for paper in papers(path, format=kind)] == texts, kind


@given(st.binary(max_size=200), st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_lines_are_the_same_in_whatever_pieces_they_come(data: bytes, sizes: list[int]) -> None:
    def pieces() -> Iterator[bytes]:
        start = 0
        while start < len(data):
            for size in sizes:
                yield data[start : start + size]
                start += size

    found = [line.content for line in lines(pieces())]
    assert found == data.split(b"\n")[: len(found)] or found == io.BytesIO(data).readlines()
    assert b"".join(found) == data


def test_a_source_that_breaks_off_inside_a_line_breaks_off_before_it() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"one\ntw"
        raise SourceError("cut off")

    found = []
    with pytest.raises(SourceError):
        for line in lines(pieces()):
            found.append(line.content)
    assert found == [b"one\n"]


# Real files ---------------------------------------------------------------------------------------


def real(name: str) -> Path:
    path = SHARED / "corpora" / name
    if not path.exists():
        pytest.skip(f"the real file is not there: {path}")
    return path


def test_all_abstracts_of_the_real_collection_are_read() -> None:
    path = real("abstracts.jsonl.gz")
    counts = Counter(
        found.reason if isinstance(found, Reject) else "paper" for found in read([path])
    )
    assert counts == {"paper": 66_441, "same id with other text": 8}


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("native/openreview_iclr2021.tsv", 2966),
        ("native/kaggle_arxiv_snapshot.jsonl", 200),
        ("native/kaggle_arxiv_snapshot_as_array.json", 4),
    ],
)
def test_real_tables_are_read_without_a_reject(name: str, count: int) -> None:
    path = real(name)
    assert rejects(path) == []
    assert len(papers(path)) == count
