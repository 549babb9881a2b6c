"""Finds every known name of a text in one pass over it.

A name is a row of atoms, runs of letters and runs of digits: "GSM8K" is gsm 8 k. One dictionary
holds the atoms of all names, so the time does not grow with their number. Between atoms a hyphen,
a space or nothing are the same; case must be as in one of the name's spellings.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, compress
from typing import Any

from pipeline.rules import Entry

_ATOM = re.compile(r"([^\W\d_]+|\d+)")
# a "v" before a digit is an atom of its own: ColBERTv2 is colbert v 2
_ATOM_OR_V = re.compile(r"((?:[^\W\d_vV]|[vV](?!\d))+|[vV]|\d+)")
_V_NEXT = re.compile(r"[vV]\d")
_VERSION_NEXT = re.compile(r"[vV]?\d")  # "Llama3.1", "ColBERTv2"
_GLUE = frozenset(("", "-", " ", "_", "'", "- ", " -"))
_MOST_ATOMS = 1 << 16
_ENTRY = ""  # no atom is empty, so the key of a node's entries cannot clash


@dataclass(frozen=True, slots=True)
class Found:
    """A known name at a half-open range of the folded text."""

    start: int
    end: int
    entry: Entry


@dataclass(slots=True)  # some thousand are made at the start
class _Spelling:
    """A name of an entry: its letters and digits, what stands after the last of them, and whether
    they may be in any case.
    """

    tail: str
    letters: str
    any_case: bool
    entry: Entry


class Lexicon:
    """The names of some entries, matched longest first."""

    def __init__(self, entries: Iterable[Entry], *, any_case: bool = False) -> None:
        self._root: dict[str, Any] = {}
        self._begins = _Begins()
        for entry in entries:
            for name in entry["names"]:
                node = self._root
                for part in _parts(name):
                    node = node.setdefault(part, {})
                spellings = node.setdefault(_ENTRY, [])
                free = bool(entry["any-case"] or (any_case and not _is_acronym(name)))
                spellings.append(_Spelling(_tail(name), _alnum(name), free, entry))
                if len(spellings) > 1:  # "MBPP+" before "MBPP"
                    spellings.sort(key=lambda spelling: -len(spelling.tail))
                self._begins.add(_atoms(name).words[0], any_case=free)

    def find(self, text: str) -> list[Found]:
        """The names of a folded text, from left to right, none overlapping another."""
        atoms = _atoms(text)
        found: list[Found] = []
        root, words, count, free = self._root, atoms.words, len(atoms.words), 0
        for i in compress(range(count), map(self._begins.__getitem__, words)):
            if i < free:
                continue
            node = root[words[i].lower()]
            if _ENTRY not in node:
                # "The", with which many names begin, and none ends
                if i + 1 == count:
                    continue
                if words[i + 1].lower() not in node and atoms.pieces[2 * i + 2] in _GLUE:
                    continue
            start = atoms.places[2 * i]
            if start and _continues(text, start):
                continue
            best, j = None, i
            while True:
                for spelling in node.get(_ENTRY, ()):
                    last = atoms.places[2 * j + 1]
                    end = last + len(spelling.tail)
                    if (
                        (not spelling.tail or text.startswith(spelling.tail, last))
                        and (spelling.any_case or _is_spelt(text[start:end], spelling.letters))
                        and _ends(text, end, spelling.entry)
                    ):
                        best = (Found(start, end, spelling.entry), j)
                        break
                j += 1
                step = _step(node, atoms, j) if j < count else None
                if step is None:
                    break
                node = step
            if best is not None:
                found.append(best[0])
                free = best[1] + 1
        return found


class _Begins(dict[str, bool]):
    """Whether a name may begin with an atom in its own case; kept for each that was asked for."""

    def __init__(self) -> None:
        self._spelt: set[str] = set()
        self._any_case: set[str] = set()

    def add(self, atom: str, *, any_case: bool) -> None:
        if any_case:
            self._any_case.add(atom.lower())
        else:
            self._spelt |= {atom, atom.upper()}

    def __missing__(self, atom: str) -> bool:
        if len(self) >= _MOST_ATOMS:
            self.clear()
        self[atom] = begins = atom in self._spelt or atom.lower() in self._any_case
        return begins


@dataclass(slots=True)
class _Atoms:
    """The atoms of a text; `pieces` are what stands before each and itself by turns, `places` their
    ends.
    """

    words: list[str]
    pieces: list[str]
    places: list[int]


@functools.lru_cache(maxsize=4)
def _atoms(text: str) -> _Atoms:
    """The atoms of a text; kept for the lexicons that read it in turn."""
    # glue and atoms by turns: their places are then known without a look at each
    pieces = (_ATOM_OR_V if _V_NEXT.search(text) else _ATOM).split(text)
    return _Atoms(pieces[1::2], pieces, list(accumulate(map(len, pieces))))


def _step(node: dict[str, Any], atoms: _Atoms, i: int) -> dict[str, Any] | None:
    """Where an atom leads from a node; a sign that is no mere glue sticks to the atom after it."""
    word, glue = atoms.words[i].lower(), atoms.pieces[2 * i]
    step: dict[str, Any] | None = node.get(word) if glue in _GLUE else None
    return node.get(glue.strip() + word) if step is None else step


def _parts(name: str) -> list[str]:
    """The atoms of a name; a sign that is no mere glue sticks to the atom after it."""
    atoms = _atoms(name)
    return [
        ("" if not i or glue in _GLUE else glue.strip()) + word.lower()
        for i, (glue, word) in enumerate(zip(atoms.pieces[::2], atoms.words, strict=False))
    ]


def _tail(name: str) -> str:
    """What a name ends in after its last letter or digit: the + of "MBPP+"."""
    end = len(name)
    while not name[end - 1].isalnum():
        end -= 1
    return name[end:]


def _continues(text: str, start: int) -> bool:
    """Whether what stands before belongs to the same word, so that no name starts here."""
    before = text[start - 1]
    if before.isalnum() or before in "_@\\":
        return True
    if before in "-.'/" and start > 1 and text[start - 2].isalnum():
        # "BERT/RoBERTa" and "GPT-4-LLaMA" apart from "non-BERT": a slash separates two names
        return before != "/"
    return False


def _ends(text: str, end: int, entry: Entry) -> bool:
    if entry.file == "models" and text[end - 1].isalpha() and _VERSION_NEXT.match(text, end):
        return True
    return end >= len(text) or not (text[end].isalnum() or text[end] == "_")


def _is_acronym(name: str) -> bool:
    """Whether the name is short and has capitals, so that in small letters it is another word."""
    return len(name) <= 4 and not name.islower()


def _alnum(name: str) -> str:
    return name if name.isalnum() else "".join(filter(str.isalnum, name))


def _is_spelt(surface: str, letters: str) -> bool:
    """Whether a name is written in its own case, or if it is long enough in capitals."""
    seen = surface if surface.isalnum() else _alnum(surface)
    return seen == letters or (len(letters) > 3 and seen == letters.upper())
