"""Papers as XML: an Atom feed of arXiv, an answer of OAI-PMH, a collection of the ACL Anthology.

What is read comes from elsewhere, so nothing it refers to is loaded and nothing is expanded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from lxml import etree

from pipeline.sources.fields import EXCERPT, Fault, Record, known_id
from pipeline.sources.streams import LONGEST_ENTRY, SourceError

# huge_tree=False keeps libxml2's own bounds on depth, on the length of a text, and on what
# entities may grow to, should one get past `declares_entities`.
SAFELY: dict[str, Any] = {
    "resolve_entities": False,
    "load_dtd": False,
    "dtd_validation": False,
    "no_network": True,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}
_ANTHOLOGY = "https://aclanthology.org/"


def declares_entities(element: Any) -> bool:
    """Whether the document of this element declares entities of its own, as only traps do."""
    declared = element.getroottree().docinfo.internalDTD
    return declared is not None and next(declared.iterentities(), None) is not None


def read_xml(pieces: Iterator[bytes]) -> Iterator[Record | Fault]:
    """The entries of an Atom feed, the records of OAI-PMH or the papers of the ACL Anthology.

    One at a time, however long the file is. Where it is not well-formed it breaks off.
    """
    parser = etree.XMLPullParser(events=("start", "end"), **SAFELY)
    entries = _Entries(parser)
    for piece in pieces:
        # Of what breaks off, that which was whole before is given first.
        broken = _broken(parser.feed, piece)
        yield from entries.read(len(piece))
        if broken:
            raise broken
    broken = _broken(parser.close)
    yield from entries.read(0)
    if broken:
        raise broken


def _broken(step: Callable[..., object], *given: bytes) -> SourceError | None:
    try:
        step(*given)
    except etree.XMLSyntaxError as error:
        return SourceError(f"not well-formed XML: {error.msg}", f"line {error.lineno}")
    return None


class _Entries:
    """What the parser has come past: entries, each of them forgotten once it is read."""

    def __init__(self, parser: Any) -> None:
        self._parser = parser
        self._root: Any = None
        self._tag = ""
        self._read: Callable[[Any], dict[str, object] | str] = _of_feed
        self._number = 0
        self._held = 0

    def read(self, size: int) -> Iterator[Record | Fault]:
        """The entries that have ended, now that `size` bytes more are parsed."""
        self._held += size
        for event, element in self._parser.read_events():
            name = etree.QName(element).localname
            if self._root is None:
                self._begin(element, name)
            elif event == "end" and name == self._tag:
                self._number += 1
                yield self._entry(element)
                self._forget(element)
                self._held = 0
            elif event == "end" and name == "error" and element.getparent() is self._root:
                told = f"{element.get('code', '')}: {(element.text or '').strip()}"
                raise SourceError(f"no papers, but an error of the service: {told}")
        if self._held > LONGEST_ENTRY:
            raise SourceError(
                f"16 MB without the end of an <{self._tag}>", f"after entry {self._number}"
            )

    def _begin(self, root: Any, name: str) -> None:
        if declares_entities(root):
            raise SourceError("it declares entities of its own, which no source of papers does")
        if name not in _KINDS:
            raise SourceError(
                f"XML of a kind that is not read: <{name}>; Atom feeds, answers of OAI-PMH and "
                "files of the ACL Anthology are"
            )
        self._root = root
        self._tag, self._read = _KINDS[name]

    def _entry(self, element: Any) -> Record | Fault:
        position = f"entry {self._number}"
        text = " ".join(" ".join(element.itertext()).split())[:EXCERPT]
        found = self._read(element)
        if isinstance(found, str):
            return Fault(position, found, text)
        return Record(position, found, text)

    @staticmethod
    def _forget(element: Any) -> None:
        parent = element.getparent()
        while parent is not None and parent[0] is not element:
            del parent[0]


def _of_feed(entry: Any) -> dict[str, object] | str:
    """An entry of an Atom feed, as arXiv gives them."""
    address = _text(entry, "id")
    if "/api/errors" in address:
        return f"no paper, but an error of the service: {_text(entry, 'summary')}"
    return {
        "paper_id": known_id(address),
        "title": _text(entry, "title"),
        "abstract": _text(entry, "summary"),
        "published": _text(entry, "published"),
        "url": address,
    }


def _of_oai(record: Any) -> dict[str, object] | str:
    """A record of OAI-PMH: arXiv, arXivRaw or Dublin Core."""
    header, metadata = record.find("{*}header"), record.find("{*}metadata")
    if header is not None and header.get("status") == "deleted":
        return "deleted by its source"
    if metadata is None or not len(metadata):
        return "a record without metadata"
    told = metadata[0]
    kind = etree.QName(told).localname
    if kind in ("arXiv", "arXivRaw"):
        number = _text(told, "id")
        created = _text(told, "created" if kind == "arXiv" else "version/{*}date")
        return {
            "paper_id": known_id(f"arxiv:{number}"),
            "title": _text(told, "title"),
            "abstract": _text(told, "abstract"),
            "published": created,
            "url": f"https://arxiv.org/abs/{number}",
        }
    if kind == "dc":
        return _of_dublin_core(told)
    return f"metadata of a kind that is not read: {kind}; arXiv, arXivRaw and oai_dc are"


def _of_dublin_core(told: Any) -> dict[str, object]:
    addresses = [_content(one) for one in told.findall("{*}identifier")]
    ids = filter(None, map(known_id, addresses))
    descriptions = [_content(one) for one in told.findall("{*}description")]
    # Comments of the authors follow as descriptions of their own.
    abstracts = [one for one in descriptions if not one.startswith("Comment:")]
    return {
        "paper_id": next(ids, None),
        "title": _text(told, "title"),
        "abstract": abstracts[0] if abstracts else "",
        "published": _text(told, "date"),
        "url": next((one for one in addresses if one.startswith("http")), None),
    }


def _of_anthology(paper: Any) -> dict[str, object]:
    """A paper of the ACL Anthology, whose titles and abstracts have markup inside."""
    name = _text(paper, "url")
    if not known_id(_ANTHOLOGY + name):
        name = _anthology_name(paper)
    return {
        "paper_id": known_id(_ANTHOLOGY + name),
        "title": _text(paper, "title"),
        "abstract": _text(paper, "abstract"),
        "url": _ANTHOLOGY + name if name else None,
    }


def _anthology_name(paper: Any) -> str:
    """What a paper is called by its place: 2024.acl-long.7, or P18-1007 as it was before 2020."""
    volume = paper.getparent()
    collection = volume.getparent() if volume is not None else None
    if collection is None:
        return ""
    whole, part, number = collection.get("id", ""), volume.get("id", ""), paper.get("id", "")
    if "." in whole:
        return f"{whole}-{part}.{number}"
    if not (part.isdigit() and number.isdigit()):
        return ""
    # Of workshops there are so many that their volumes took a digit from the papers.
    workshop = whole.startswith("W") or whole == "C69" or (whole == "D19" and int(part) >= 5)
    digits = 2 if workshop else 3
    return f"{whole}-{part.zfill(4 - digits)}{number.zfill(digits)}"


def _text(element: Any, name: str) -> str:
    """The text of the first part of this name, without the blanks around it."""
    found = element.find("{*}" + name)
    return "" if found is None else _content(found)


def _content(element: Any) -> str:
    return "".join(_pieces(element)).strip()


def _pieces(element: Any) -> Iterator[str]:
    """The text of an element and of all in it; formulas as TeX has them in a text."""
    formula = etree.QName(element).localname == "tex-math"
    if formula:
        yield "$"
    yield element.text or ""
    for inner in element:
        yield from _pieces(inner)
        yield inner.tail or ""
    if formula:
        yield "$"


_KINDS: dict[str, tuple[str, Callable[[Any], dict[str, object] | str]]] = {
    "feed": ("entry", _of_feed),
    "OAI-PMH": ("record", _of_oai),
    "collection": ("paper", _of_anthology),
}
