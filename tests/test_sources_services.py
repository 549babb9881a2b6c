"""Papers as services and reference managers write them."""

from __future__ import annotations

import csv
import datetime
import gzip
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.records import Paper, Reject
from pipeline.sources import read, read_each
from pipeline.sources.fields import Record, paper_of
from pipeline.sources.references import plain
from pipeline.sources.services import of_service
from pipeline.sources.xml_text import read_xml
from tests.test_sources import papers, rejects, write

ROOT = Path(__file__).parents[1]
NATIVE = Path(__file__).parents[2] / "shared" / "corpora" / "native"


def one(folder: Path, name: str, data: str | bytes) -> Paper:
    """The one paper in a file of this name."""
    path = write(folder, name, data)
    assert rejects(path) == []
    (paper,) = papers(path)
    return paper


# Every format's sample ----------------------------------------------------------------------------


def count(pattern: str) -> Callable[[Path], int]:
    return lambda path: len(re.findall(pattern, path.read_text(encoding="utf-8")))


def rows(path: Path) -> int:
    with path.open(encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)) - 1


def submissions(path: Path) -> int:
    return sum(len(venue["submissions"]) for venue in json.loads(path.read_text()))


def without_abstract(path: Path) -> int:
    blocks = re.findall(r"<paper [\s\S]*?</paper>", path.read_text(encoding="utf-8"))
    return sum(not re.search(r"<abstract>\s*\S", block) for block in blocks)


def none(_: Path) -> int:
    return 0


@pytest.mark.parametrize(
    ("name", "entries", "rejected"),
    [
        ("acl_anthology_2024.acl.xml", count(r"<paper "), without_abstract),
        ("arxiv_atom.xml", count(r"<entry>"), none),
        ("arxiv_oai_pmh_arXiv.xml", count(r"<record>"), none),
        ("arxiv_oai_pmh_arXivRaw.xml", count(r"<record>"), none),
        ("hf_daily_papers_api_old.json", count(r'"paper": \{'), none),
        ("kaggle_arxiv_snapshot.jsonl", count(r"\n"), none),
        ("kaggle_arxiv_snapshot_as_array.json", count(r'"abstract": "'), none),
        ("openreview_api_v1_notes.json", submissions, none),
        ("openreview_iclr2021.tsv", rows, none),
    ],
)
def test_of_a_sample_no_paper_is_lost(
    name: str, entries: Callable[[Path], int], rejected: Callable[[Path], int]
) -> None:
    path = NATIVE / name
    if not path.exists():
        pytest.skip(f"the sample is not there: {path}")
    found = list(read_each([path]))
    refused = [entry for entry in found if isinstance(entry, Reject)]
    assert len(found) == entries(path) > 1
    assert len(refused) == rejected(path)
    assert {reject.reason for reject in refused} <= {"no abstract"}
    read_ids = [entry.paper_id for entry in found if isinstance(entry, Paper)]
    assert len(set(read_ids)) == len(read_ids)


def test_of_all_sampled_days_no_paper_is_lost() -> None:
    days = sorted(NATIVE.glob("hf_daily_days/*.json"))
    if not days:
        pytest.skip("the samples are not there")
    for path in days:
        found = list(read_each([path]))
        assert len(found) == count(r'"paper": \{')(path)
        assert all(isinstance(entry, Paper) and entry.paper_id[:6] == "arxiv:" for entry in found)
        assert all(isinstance(entry, Paper) and entry.published and entry.title for entry in found)


def test_an_empty_answer_is_told(tmp_path: Path) -> None:
    feed = '<feed xmlns="http://www.w3.org/2005/Atom"><title>kilns</title></feed>'
    for name, data in {"a.xml": feed, "a.json": '{"total": 0, "data": []}', "b.json": "[]"}.items():
        assert rejects(write(tmp_path, name, data)) == [("", "no paper in it")]


# Hugging Face Daily Papers ------------------------------------------------------------------------

DAILY = {
    "paper": {
        "id": "2403.01234",
        "authors": [{"name": "Clay Potter", "hidden": False}],
        "publishedAt": "2024-03-02T19:00:00.000Z",
        "title": "Kilns That Read",
        "summary": "We fire\nwords.",
        "upvotes": 7,
    },
    "publishedAt": "2024-03-04T02:00:00.000Z",
    "title": "Kilns That Read",
    "numComments": 1,
}


def test_an_entry_of_daily_papers_is_the_paper_inside_it(tmp_path: Path) -> None:
    assert one(tmp_path, "a.json", json.dumps([DAILY])) == Paper(
        "arxiv:2403.01234",
        "Kilns That Read",
        "We fire\nwords.",
        datetime.date(2024, 3, 2),
        "https://huggingface.co/papers/2403.01234",
        str(tmp_path / "a.json"),
    )


def test_a_page_of_daily_papers_is_read_from_the_data_it_carries(tmp_path: Path) -> None:
    props = json.dumps({"date": "2024-03-04", "dailyPapers": [DAILY, "odd"]}).replace('"', "&quot;")
    page = f"<html><body><p>3 papers</p><div data-props='{props}'></div></body></html>"
    path = write(tmp_path, "a.html", page)
    assert [paper.paper_id for paper in papers(path)] == ["arxiv:2403.01234"]
    assert rejects(path) == [("entry 2", "not a JSON object")]


def test_a_page_of_daily_papers_is_read_from_its_cards(tmp_path: Path) -> None:
    cards = "".join(
        f"""<article><a href="/papers/2403.0000{number}"><img alt=""></a>
        <h3><a href="/papers/2403.0000{number}#community">Kilns\n  of <i>Type</i> {number}</a></h3>
        <p>By Clay</p><p>We fire words in {number} kilns &amp; sort them.</p></article>"""
        for number in (1, 2)
    )
    path = write(tmp_path, "a.html", f"<!doctype html><title>x</title><main>{cards}</main>")
    assert [(paper.paper_id, paper.title, paper.abstract) for paper in papers(path)] == [
        (f"arxiv:2403.0000{n}", f"Kilns of Type {n}", f"We fire words in {n} kilns & sort them.")
        for n in (1, 2)
    ]


def test_another_page_is_read_as_its_text(tmp_path: Path) -> None:
    abstract = "We <b>fire</b> words in kilns, and sort them by weight. " * 8
    page = f"""<html><head><title>Kilns</title><script>var x = 1;</script></head><body>
    <div>Daily Papers</div><div>May 4, 2024</div>
    <h2>Kilns That <i>Read</i> Aloud</h2><div>{abstract}</div>
    <h2>Kilns That Write</h2><div>{abstract} Twice.</div></body></html>"""
    found = papers(write(tmp_path, "a.html", page))
    assert [paper.title for paper in found] == ["Kilns That Read Aloud", "Kilns That Write"]
    assert found[0].abstract.startswith("We fire words in kilns, and")


# arXiv --------------------------------------------------------------------------------------------


def oai(*records: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
        f"<ListRecords>{''.join(records)}<resumptionToken>7|8</resumptionToken></ListRecords></OAI-PMH>"
    )


def record(metadata: str, status: str = "") -> str:
    return (
        f"<record><header{status}><identifier>oai:arXiv.org:2403.01234</identifier></header>"
        f"<metadata>{metadata}</metadata></record>"
    )


IN_FORMATS = {
    "arXiv": """<arXiv xmlns="http://arxiv.org/OAI/arXiv/"><id>2403.01234</id>
<created>2024-03-02</created><updated>2024-03-09</updated><title>Kilns &amp; Words</title>
<abstract>  We fire $x &lt; 3$\n  words.\n</abstract></arXiv>""",
    "arXivRaw": """<arXivRaw xmlns="http://arxiv.org/OAI/arXivRaw/"><id>2403.01234</id>
<version version="v1"><date>Sat, 2 Mar 2024 19:00:00 GMT</date></version>
<version version="v2"><date>Sat, 9 Mar 2024 19:00:00 GMT</date></version>
<title>Kilns &amp; Words</title><abstract>  We fire $x &lt; 3$\n  words.\n</abstract></arXivRaw>""",
    "oai_dc": """<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/"
xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Kilns &amp; Words</dc:title>
<dc:creator>Potter, Clay</dc:creator><dc:description>Comment: 9 pages</dc:description>
<dc:description>  We fire $x &lt; 3$\n  words.\n</dc:description>
<dc:date>2024-03-02</dc:date><dc:date>2024-03-09</dc:date><dc:type>text</dc:type>
<dc:identifier>http://arxiv.org/abs/2403.01234</dc:identifier>
<dc:identifier>doi:10.1234/kiln</dc:identifier></oai_dc:dc>""",
}


@pytest.mark.parametrize("metadata", IN_FORMATS)
def test_a_record_is_the_same_paper_in_every_format_of_oai(tmp_path: Path, metadata: str) -> None:
    paper = one(tmp_path, "a.xml", oai(record(IN_FORMATS[metadata])))
    assert (paper.paper_id, paper.title, paper.abstract, str(paper.published)) == (
        "arxiv:2403.01234", "Kilns & Words", "We fire $x < 3$\n  words.", "2024-03-02"
    )  # fmt: skip
    assert paper.url in ("https://arxiv.org/abs/2403.01234", "http://arxiv.org/abs/2403.01234")


def test_records_that_hold_no_paper_are_told_one_by_one(tmp_path: Path) -> None:
    marc = '<record xmlns="http://www.loc.gov/MARC21/slim"/>'
    deleted = '<record><header status="deleted"><identifier>x</identifier></header></record>'
    path = write(
        tmp_path,
        "a.xml",
        oai(deleted, record("<marc/>"), record(""), record(IN_FORMATS["arXiv"]), record(marc)),
    )
    assert [paper.paper_id for paper in papers(path)] == ["arxiv:2403.01234"]
    kinds = "metadata of a kind that is not read: {}; arXiv, arXivRaw and oai_dc are"
    assert rejects(path)[:3] == [
        ("entry 1", "deleted by its source"),
        ("entry 2", kinds.format("marc")),
        ("entry 3", "a record without metadata"),
    ]


def test_an_error_of_oai_is_told(tmp_path: Path) -> None:
    data = (
        '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
        '<error code="noRecordsMatch">nothing there</error></OAI-PMH>'
    )
    ((_, reason),) = rejects(write(tmp_path, "a.xml", data))
    assert reason == "no papers, but an error of the service: noRecordsMatch: nothing there"


def entry(number: str, extra: str = "") -> str:
    return f"""<entry><id>http://arxiv.org/abs/{number}</id><title>Kilns\n  That Read</title>
<updated>2024-03-09T19:00:00Z</updated><published>2024-03-02T19:00:00Z</published>
<summary>  We fire words.\n</summary><author><name>Clay Potter</name></author>{extra}</entry>"""


def feed(*entries: str) -> str:
    return (
        f'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom">{"".join(entries)}</feed>'
    )


@pytest.mark.parametrize(
    ("number", "paper_id"),
    [("2403.01234v3", "arxiv:2403.01234"), ("cs.CL/0301001v1", "arxiv:cs.cl/0301001")],
)
def test_an_entry_of_atom_is_a_paper_without_its_version(
    tmp_path: Path, number: str, paper_id: str
) -> None:
    paper = one(tmp_path, "a.xml", feed(entry(number)))
    assert (paper.paper_id, paper.url) == (paper_id, f"http://arxiv.org/abs/{number}")
    assert (paper.title, paper.abstract) == ("Kilns\n  That Read", "We fire words.")
    assert str(paper.published) == "2024-03-02"


def test_an_error_in_a_feed_is_no_paper(tmp_path: Path) -> None:
    error = "<entry><id>http://arxiv.org/api/errors#x</id><summary>bad id</summary></entry>"
    path = write(tmp_path, "a.xml", feed(error, entry("2403.01234v1")))
    assert rejects(path) == [("entry 1", "no paper, but an error of the service: bad id")]
    assert len(papers(path)) == 1


SNAPSHOT: dict[str, Any] = {
    "id": "0704.0001",
    "submitter": "Clay Potter",
    "authors": "C. Potter",
    "title": "Kilns\n  That Read",
    "categories": "cs.CL",
    "license": None,
    "abstract": "  We fire words.\n",
    "versions": [
        {"version": "v1", "created": "Mon, 2 Apr 2007 19:18:42 GMT"},
        {"version": "v2", "created": "Tue, 24 Jul 2007 20:10:27 GMT"},
    ],
    "update_date": "2008-11-26",
}


@pytest.mark.parametrize("number", ["0704.0001", "hep-th/9901001"])
def test_a_line_of_the_snapshot_was_published_with_its_first_version(
    tmp_path: Path, number: str
) -> None:
    paper = one(tmp_path, "a.json", json.dumps({**SNAPSHOT, "id": number}) + "\n")
    assert (paper.paper_id, paper.url) == (f"arxiv:{number}", f"https://arxiv.org/abs/{number}")
    assert (paper.title, paper.abstract) == (SNAPSHOT["title"], SNAPSHOT["abstract"])
    assert str(paper.published) == "2007-04-02"


def test_the_snapshot_may_be_an_array_that_tells_less(tmp_path: Path) -> None:
    less = {name: value for name, value in SNAPSHOT.items() if name != "versions"}
    paper = one(tmp_path, "a.json", json.dumps([less], indent=2))
    assert (paper.paper_id, paper.published) == ("arxiv:0704.0001", None)


# ACL Anthology ------------------------------------------------------------------------------------

ANTHOLOGY = """<?xml version='1.0' encoding='UTF-8'?>
<collection id="2031.kiln">
  <volume id="long" ingest-date="2031-08-12" type="proceedings">
    <meta><booktitle>Proceedings of Kilns</booktitle><year>2031</year></meta>
    <frontmatter><url hash="5de8bc23">2031.kiln-long.0</url></frontmatter>
    <paper id="1">
      <title><fixed-case>K</fixed-case>ilns That <i>Read</i> <fixed-case>B<b>ER</b>T</fixed-case></title>
      <author><first>Clay</first><last>Potter</last></author>
      <abstract>We fire <tex-math>10^3</tex-math> words &amp; more,<!-- no --> see
<url>https://kiln.example.org</url>.</abstract>
      <url hash="46205113">2031.kiln-long.1</url>
      <doi>10.18653/v1/2031.kiln-long.1</doi>
    </paper>
    <paper id="2"><title>Without</title><url>2031.kiln-long.2</url></paper>
    <paper id="3"><title>Nameless</title><abstract>We sort.</abstract></paper>
  </volume>
</collection>
"""


def test_markup_inside_titles_and_abstracts_of_the_anthology_is_their_text(tmp_path: Path) -> None:
    path = write(tmp_path, "a.xml", ANTHOLOGY)
    first, nameless = papers(path)
    assert first.title == "Kilns That Read BERT"
    assert first.abstract == "We fire $10^3$ words & more, see\nhttps://kiln.example.org."
    assert (first.paper_id, first.url) == (
        "acl:2031.kiln-long.1", "https://aclanthology.org/2031.kiln-long.1"
    )  # fmt: skip
    assert nameless.paper_id == "acl:2031.kiln-long.3"
    assert rejects(path) == [("entry 2", "no abstract")]


@pytest.mark.parametrize(
    ("collection", "volume", "paper", "paper_id"),
    [
        ("P18", "1", "7", "acl:P18-1007"),
        ("W18", "5", "7", "acl:W18-0507"),
        ("D19", "1", "7", "acl:D19-1007"),
        ("D19", "50", "7", "acl:D19-5007"),
    ],
)
def test_papers_of_before_2020_are_named_by_their_place(
    tmp_path: Path, collection: str, volume: str, paper: str, paper_id: str
) -> None:
    data = (
        f'<collection id="{collection}"><volume id="{volume}"><paper id="{paper}"><title>Kilns</title>'
        "<abstract>We fire.</abstract></paper></volume></collection>"
    )
    assert one(tmp_path, "a.xml", data).paper_id == paper_id


# XML in general -----------------------------------------------------------------------------------


def test_xml_is_read_up_to_where_it_is_not_well_formed(tmp_path: Path) -> None:
    entries = [entry(f"2403.0000{number}v1") for number in range(4)]
    whole = feed(*entries)
    for broken in (
        whole.replace("</title>", "</tilte>").replace("</tilte>", "</title>", 2),
        whole[:-300],
    ):
        path = write(tmp_path, "a.xml", broken)
        found = list(read([path]))
        assert [type(one) for one in found[:2]] == [Paper, Paper]
        assert isinstance(found[-1], Reject)
        assert found[-1].reason.startswith("not well-formed XML: ")
        assert found[-1].position.startswith("line ")


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_xml_is_read_the_same_in_whatever_pieces_it_comes(size: int) -> None:
    data = ANTHOLOGY.encode()
    whole = list(read_xml(iter([data])))
    assert list(read_xml(data[at : at + size] for at in range(0, len(data), size))) == whole


@pytest.mark.parametrize(
    "declared",
    [
        '<!ENTITY a "k"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">',
        '<!ENTITY a SYSTEM "file:///etc/hostname">',
        '<!ENTITY % a SYSTEM "http://kiln.example.org/a.dtd"> %a;',
    ],
)
def test_xml_that_declares_entities_is_refused(tmp_path: Path, declared: str) -> None:
    data = feed(entry("2403.01234v1", "<x>&a;</x>")).replace(
        "<feed", f"<!DOCTYPE feed [{declared}]><feed"
    )
    ((_, reason),) = rejects(write(tmp_path, "a.xml", data))
    assert reason.startswith(("it declares entities of its own", "not well-formed XML"))
    assert papers(tmp_path / "a.xml") == []


def test_a_bomb_of_entities_is_refused(tmp_path: Path) -> None:
    levels = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    data = feed(entry("2403.01234v1")).replace(
        "<feed", f'<!DOCTYPE feed [<!ENTITY a0 "kiln">{levels}]><feed title="&a11;"'
    )
    assert papers(write(tmp_path, "a.xml", data)) == []
    assert len(rejects(tmp_path / "a.xml")) == 1


def test_xml_of_another_kind_is_told(tmp_path: Path) -> None:
    ((_, reason),) = rejects(write(tmp_path, "a.xml", "<rss><channel/></rss>"))
    assert reason == (
        "XML of a kind that is not read: <rss>; Atom feeds, answers of OAI-PMH and files of the ACL "
        "Anthology are"
    )


def test_an_element_without_end_is_not_held(tmp_path: Path) -> None:
    data = "<feed>" + f"<x>{'kiln ' * 1000}</x>\n" * 4000
    ((where, reason),) = rejects(write(tmp_path, "a.xml.gz", gzip.compress(data.encode(), 1)))
    assert (where, reason) == ("after entry 0", "16 MB without the end of an <entry>")


_PEAK = """
import re, sys
from pipeline.sources import read_each
found = sum(1 for _ in read_each(sys.argv[1:]))
print(found, re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
"""


def peak(path: Path) -> tuple[int, int]:
    """How many entries a process finds in a file, and how many kB it held at most."""
    command = [sys.executable, "-c", _PEAK, str(path)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    entries, size = told.split()
    return int(entries), int(size)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells")
def test_of_xml_one_entry_is_held(tmp_path: Path) -> None:
    # The parser is no Python, so what it holds is seen from outside only.
    long = entry("2403.01234v1").replace("We fire words.", "We fire words. " * 2000)
    _, few = peak(write(tmp_path, "few.xml", feed(long)))
    for number, one_of_them in ((2_000, long), (60_000, "<entry/>")):
        found, many = peak(write(tmp_path, "many.xml", feed(one_of_them * number)))
        assert found == number
        assert many < few + 6_000


# OpenReview ---------------------------------------------------------------------------------------


def note(**more: Any) -> dict[str, Any]:
    return {
        "id": "kilnNote01",
        "forum": "kilnNote01",
        "replyto": None,
        "cdate": 1_709_406_000_000,
        "tcdate": 1_709_406_000_001,
        "invitations": ["Kiln.cc/2031/Conference/-/Submission"],
        "signatures": ["Kiln.cc/2031/Conference/Submission1/Authors"],
        "content": {
            "title": {"value": "Kilns That Read"},
            "abstract": {"value": "We fire words."},
            "authors": {"value": ["Clay Potter"]},
        },
        **more,
    }


OLD = {"title": "Kilns That Read", "abstract": "We fire words.", "authors": ["Clay Potter"]}


@pytest.mark.parametrize("content", [note()["content"], OLD], ids=["v2", "v1"])
def test_a_note_of_openreview_is_a_paper(tmp_path: Path, content: Any) -> None:
    answer = {"notes": [note(content=content)], "count": 1}
    assert one(tmp_path, "a.json", json.dumps(answer)) == Paper(
        "openreview:kilnNote01",
        "Kilns That Read",
        "We fire words.",
        datetime.date(2024, 3, 2),
        "https://openreview.net/forum?id=kilnNote01",
        str(tmp_path / "a.json"),
    )


def test_a_note_that_is_no_submission_is_told(tmp_path: Path) -> None:
    review = note(id="x", replyto="kilnNote01", content={"rating": {"value": 6}})
    path = write(tmp_path, "a.json", json.dumps({"notes": [note(), review], "count": 2}))
    assert rejects(path) == [("entry 2", "no abstract, no title")]


def test_a_note_was_published_when_it_became_public(tmp_path: Path) -> None:
    later = note(pdate=1_719_406_000_000)
    assert str(one(tmp_path, "a.jsonl", json.dumps(later)).published) == "2024-06-26"
    odd = note(cdate=10**30, tcdate=None)
    assert one(tmp_path, "a.jsonl", json.dumps(odd)).published is None


# Semantic Scholar ---------------------------------------------------------------------------------

GRAPH: dict[str, Any] = {
    "paperId": "5c5751d45e298cea054f32b392c12c61027d2fe7",
    "externalIds": {"CorpusId": 215416146, "DOI": "10.1234/KILN", "DBLP": "conf/kiln/Potter31"},
    "url": "https://www.semanticscholar.org/paper/5c57",
    "title": "Kilns That Read",
    "abstract": "We fire words.",
    "publicationDate": "2031-07-01",
}


@pytest.mark.parametrize(
    ("ids", "paper_id"),
    [
        ({"ArXiv": "2403.01234", "DOI": "10.1234/KILN", "CorpusId": 7}, "arxiv:2403.01234"),
        (
            {"ACL": "2031.kiln-long.1", "DOI": "10.18653/v1/2031.kiln-long.1"},
            "acl:2031.kiln-long.1",
        ),
        ({"DOI": "10.1234/KILN", "CorpusId": 7}, "doi:10.1234/kiln"),
        ({"CorpusId": 7}, "s2:7"),
        (None, "s2:5c5751d45e298cea054f32b392c12c61027d2fe7"),
    ],
)
def test_a_paper_of_semantic_scholar_is_known_by_its_best_id(
    tmp_path: Path, ids: Any, paper_id: str
) -> None:
    answer = {"total": 1, "token": None, "data": [{**GRAPH, "externalIds": ids}]}
    paper = one(tmp_path, "a.json", json.dumps(answer, indent=1))
    assert (paper.paper_id, str(paper.published)) == (paper_id, "2031-07-01")
    assert paper.url == GRAPH["url"]


def test_lines_of_its_data_sets_are_read(tmp_path: Path) -> None:
    line = {
        "corpusid": 215416146,
        "openaccessinfo": {"externalids": {"ArXiv": "2403.01234", "MAG": None}, "license": None},
        "abstract": "We fire words.",
        "updated": "2031-07-01T00:00:00Z",
    }
    without = {"corpusid": 7, "externalids": {}, "title": "Kilns", "publicationdate": None}
    lines = "".join(json.dumps(value) + "\n" for value in (line, without))
    path = write(tmp_path, "abstracts.gz", gzip.compress(lines.encode()))
    (paper,) = papers(path)
    assert (paper.paper_id, paper.title, paper.abstract) == (
        "arxiv:2403.01234",
        "",
        "We fire words.",
    )
    assert rejects(path) == [("line 2", "no abstract")]


def test_a_paper_without_abstract_is_told(tmp_path: Path) -> None:
    answer = {"total": 1, "data": [{**GRAPH, "abstract": None}]}
    assert rejects(write(tmp_path, "a.json", json.dumps(answer))) == [("entry 1", "no abstract")]


# An answer around a list --------------------------------------------------------------------------


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize(
    "answer",
    [
        {"total": 2, "token": "abc", "data": ["PAPERS"]},
        {"data": ["PAPERS"]},
        {"notes": ["PAPERS"], "count": 2},
        {"notes": ["PAPERS"], "details": {"of": [{"what": "]}"}]}, "count": 2},
        [{"venue": "Kilns", "year": 2031, "submissions": ["PAPERS"]}, {"submissions": []}],
    ],
)
def test_a_list_inside_an_answer_is_read_entry_by_entry(
    tmp_path: Path, answer: Any, indent: int | None
) -> None:
    own = [{"id": f"own:{n}", "title": f"Kilns {n}", "abstract": "We fire."} for n in range(2)]
    text = json.dumps(answer, indent=indent).replace('"PAPERS"', json.dumps(own)[1:-1])
    for name in ("a.json", "a"):
        path = write(tmp_path, name, text)
        assert [paper.paper_id for paper in papers(path)] == ["own:0", "own:1"]
        assert rejects(path) == []


def test_a_paper_that_holds_lists_is_no_answer(tmp_path: Path) -> None:
    paper = {"id": "own:1", "title": "Kilns", "abstract": "We fire.", "data": [{"title": "x"}]}
    assert one(tmp_path, "a.json", json.dumps(paper)).paper_id == "own:1"


def test_an_answer_longer_than_any_entry_may_be_is_read(tmp_path: Path) -> None:
    filling = "kiln " * 1000
    entries = ",".join(
        json.dumps({"id": f"own:{n}", "title": f"K {n}", "abstract": f"Fire {n}. {filling}"})
        for n in range(4000)
    )
    path = write(tmp_path, "a.json", '{"total": 4000, "token": null, "data": [' + entries + "]}")
    assert path.stat().st_size > 16 << 20
    assert len(papers(path)) == 4000


def test_each_line_may_be_an_answer(tmp_path: Path) -> None:
    answers = [{"total": 3, "data": [GRAPH, {"title": "K"}]}, {"data": [{**GRAPH, "url": None}]}]
    path = write(tmp_path, "a.jsonl", "".join(json.dumps(answer) + "\n" for answer in answers))
    assert len(list(read_each([path]))) == 3
    assert rejects(path) == [
        ("line 1, entry 2", "no abstract"),
        ("line 2, entry 1", "duplicate of a paper already read"),
    ]


def test_an_answer_cut_off_is_read_up_to_there(tmp_path: Path) -> None:
    text = json.dumps({"total": 2, "data": [GRAPH, {**GRAPH, "externalIds": {}}]}, indent=1)
    path = write(tmp_path, "a.json", text[: len(text) - 60])
    assert len(papers(path)) == 1
    assert len(rejects(path)) == 1


# Reference managers -------------------------------------------------------------------------------


def test_an_item_of_csl_is_known_by_what_it_is_and_not_by_its_place_in_a_library(
    tmp_path: Path,
) -> None:
    item = {
        "id": "http://zotero.org/users/1/items/KILN",
        "type": "article-journal",
        "title": "Kilns That Read",
        "abstract": "We fire words.",
        "DOI": "10.1234/KILN",
        "URL": "https://kiln.example.org/1",
        "issued": {"date-parts": [["2031", 7, 1]]},
    }
    paper = one(tmp_path, "a.json", json.dumps([item]))
    assert (paper.paper_id, str(paper.published)) == ("doi:10.1234/kiln", "2031-07-01")
    assert paper.url == "https://kiln.example.org/1"
    preprint = {**item, "number": "arXiv:2403.01234", "issued": {"date-parts": [[2031, 7]]}}
    paper = one(tmp_path, "a.json", json.dumps({"items": [preprint]}))
    assert (paper.paper_id, paper.published) == ("arxiv:2403.01234", None)
    bare = {name: item[name] for name in ("id", "type", "title", "abstract")}
    named = {**bare, "author": [{"family": "Potter", "given": "Clay"}]}
    assert one(tmp_path, "a.json", json.dumps([named])).paper_id.startswith("title:")


@pytest.mark.parametrize(
    "more",
    [
        {"type": "book"},
        {"type": "paper", "issued": {"date-parts": [[2031]]}},
        {"versions": ["v1"]},
        {"paper": {"id": "2403.01234", "pages": 9}},
        {"paper": "kilns.pdf"},
        {"paperid": "7"},
        {"content": {"title": "Other"}},
        {"content": "kilns", "forum": "clay"},
    ],
)
def test_the_id_of_a_paper_that_no_service_wrote_is_kept(
    tmp_path: Path, more: dict[str, Any]
) -> None:
    own = {"id": "own:1", "title": "Kilns", "abstract": "We fire.", **more}
    paper = one(tmp_path, "a.json", json.dumps([own]))
    assert (paper.paper_id, paper.title) == ("own:1", "Kilns")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("book"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "summary", "value", "date-parts", "arxiv"]), inner)
    ),
    max_leaves=6,
)
NAMES = st.sampled_from(
    "paper id title summary abstract publishedAt content signatures forum pdate cdate paperId "
    "corpusid externalIds openaccessinfo versions update_date type issued DOI URL author note".split()
)


@given(st.dictionaries(NAMES, VALUES, max_size=6))
def test_no_object_is_too_odd(value: dict[str, Any]) -> None:
    assert isinstance(paper_of(Record("line 1", of_service(value), ""), "a"), Paper | Reject)


BIBTEX = r"""
% My library
@string{kiln = "Proceedings of Kilns"}
@comment{not a paper}
@inproceedings{potter-2031-kilns,
    title = "{K}ilns That Read {BERT}",
    author = {Potter, Clay and others},
    booktitle = kiln, month = jul, year = "2031",
    abstract = {We fire 5\% more words, and 10% fewer {\'e}tudes.
      See \url{https://github.com/kiln/a_b~c}.},
    url = "https://aclanthology.org/2031.kiln-long.1/",
}
@article{cut, title = {Kilns {cut off}, abstract = {We fire.},
@misc{preprint, title={Kilns}, abstract={It fires.}, eprint={2403.01234}, archivePrefix={arXiv},
  date={2031-07-01}, title={Second}}
@misc{mute, title={Kilns Without}}
"""


def test_bibtex_is_read_entry_by_entry_and_a_broken_one_costs_itself(tmp_path: Path) -> None:
    path = write(tmp_path, "a.bib", BIBTEX)
    first, preprint = papers(path)
    assert (first.paper_id, first.title) == ("acl:2031.kiln-long.1", "Kilns That Read BERT")
    assert " ".join(first.abstract.split()) == (
        "We fire 5% more words, and 10% fewer études. See https://github.com/kiln/a_b~c."
    )
    assert (preprint.paper_id, preprint.title) == ("arxiv:2403.01234", "Kilns")
    assert str(preprint.published) == "2031-07-01"
    assert rejects(path) == [
        ("line 13", "not a whole BibTeX entry: a brace or a quote is missing"),
        ("line 16", "no abstract"),
    ]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (r"no LaTeX, 5% & 3 of #7", r"no LaTeX, 5% & 3 of #7"),
        (r"{B}ERT gains 5\% \& 10% more", "BERT gains 5% & 10% more"),
        (r"{\'E}t{\"u}d{\o} \textbf{bold} {\em it}", "Étüdø bold it"),
        (r"$\alpha_1 = 5\%$ of {10}", r"$\alpha_1 = 5\%$ of 10"),
        (r"costs \$5 and {X}", "costs $5 and X"),
        (r"\href{https://a.example/b_c}{here} {5}", "here (https://a.example/b_c) 5"),
        (r"a brace { left, {5}", "a brace  left, 5"),
        (r"\frobnicate[7]{5} \\[3pt] {8}", r"\frobnicate[7]{5} \\[3pt] {8}"),
    ],
)
def test_latex_in_bibtex_is_read_as_what_it_stands_for(written: str, text: str) -> None:
    assert plain(written) == text


@given(
    st.lists(st.sampled_from(["\\%", "\\&", "{", "}", "--", "-", "``", "'", "a", "5", " ", "#"]))
)
def test_the_short_way_through_latex_leads_where_the_long_way_does(parts: list[str]) -> None:
    text = "".join(parts)
    assume(re.sub(r"[^{}]", "", text).replace("{}", "").replace("{}", "") == "")
    by_the_long_way = plain(text + r"\o{}").removesuffix("ø")
    assert plain(text) == by_the_long_way


RIS = """TY  - JOUR
AU  - Potter, Clay
TI  - Kilns That Read
AB  - We fire 5% more
 words - and sort them.
DA  - 2031/07/01/
DO  - 10.1234/KILN
ER  -

TY  - CONF
T1  - Kilns
N2  - It fires.
PY  - 2031
UR  - https://arxiv.org/abs/2403.01234v2
ER  -
TY  - JOUR
TI  - Cut Off
AB  - We fi"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_ris_is_read_entry_by_entry_and_what_is_cut_off_is_told(
    tmp_path: Path, newline: str
) -> None:
    path = write(tmp_path, "a.ris", "\ufeff" + RIS.replace("\n", newline))
    first, second = papers(path)
    assert (first.paper_id, first.title) == ("doi:10.1234/kiln", "Kilns That Read")
    assert first.abstract == "We fire 5% more words - and sort them."
    assert (str(first.published), first.url) == ("2031-07-01", "https://doi.org/10.1234/KILN")
    assert (second.paper_id, second.abstract) == ("arxiv:2403.01234", "It fires.")
    assert second.published is None
    assert rejects(path) == [("line 16", "not a whole RIS entry: its ER line is missing")]


@pytest.mark.parametrize("name", ["a.bib", "a.ris"])
def test_an_entry_that_is_too_long_or_not_utf8_costs_itself(tmp_path: Path, name: str) -> None:
    def written(abstract: str) -> str:
        if name == "a.bib":
            return f"@misc{{a,\n title={{K}},\n abstract={{{abstract}}}\n}}\n"
        return f"TY  - JOUR\nTI  - K\nAB  - {abstract}\nER  - \n"

    texts = [
        written("One."),
        written("\udcff"),
        written(("kiln " * 200_000 + "\n ") * 17),
        written("Two."),
    ]
    path = write(tmp_path, name, "".join(texts).encode("utf-8", "surrogateescape"))
    found = list(read_each([path]))
    assert [getattr(one, "abstract", getattr(one, "reason", "")) for one in found] == [
        "One.", "not UTF-8", "longer than 16 MB", "Two."
    ]  # fmt: skip
