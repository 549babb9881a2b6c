"""Finds every known name of a text in one pass over it.

A name is a row of atoms, runs of letters and runs of digits: "GSM8K" is gsm 8 k. One dictionary
holds the atoms of all names, so the time does not grow with their number. Between atoms a hyphen,
a space or nothing are the same; case must be as in one of the name's spellings.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.rules import Entry

_ATOM = re.compile(r"[^\W\d_]+|\d+")
_VERSION_NEXT = re.compile(r"[vV]?\d")  # "Llama3.1", "ColBERTv2"
_GLUE = frozenset(("", "-", " ", "_", "'", "- ", " -"))
_ENTRY = ""  # no atom is empty, so the key of a node's entries cannot clash


@dataclass(frozen=True, slots=True)
class Found:
    """A known name at a half-open range of the folded text."""

    start: int
    end: int
    entry: Entry


class Lexicon:
    """The names of some entries, matched longest first."""

    def __init__(self, entries: Iterable[Entry], *, any_case: bool = False) -> None:
        self._any_case = any_case
        self._root: dict[str, Any] = {}
        for entry in entries:
            for name in entry["names"]:
                node = self._root
                for part in _parts(name):
                    node = node.setdefault(part, {})
                spellings = node.setdefault(_ENTRY, [])
                spellings.append((name, entry))
                # "MBPP+" before "MBPP"
                spellings.sort(key=lambda spelling: -len(_tail(spelling[0])))

    def find(self, text: str) -> list[Found]:
        """The names of a folded text, from left to right, none overlapping another."""
        atoms = _atoms(text)
        found: list[Found] = []
        root, count, free = self._root, len(atoms), 0
        for i in [i for i, atom in enumerate(atoms) if atom[2] in root]:
            start, _, atom = atoms[i]
            if i < free or (start and _continues(text, start)):
                continue
            node = root[atom]
            best, j = None, i
            while True:
                for name, entry in node.get(_ENTRY, ()):
                    end = atoms[j][1]
                    tail = _tail(name)
                    if tail and not text.startswith(tail, end):
                        continue
                    end += len(tail)
                    if _ends(text, end, entry) and (
                        (self._any_case and not _is_acronym(name))
                        or _spelt(text[start:end], name, entry)
                    ):
                        best = (Found(start, end, entry), j)
                        break
                j += 1
                if j >= count:
                    break
                glue = text[atoms[j - 1][1] : atoms[j][0]]
                step = node.get(atoms[j][2]) if glue in _GLUE else None
                if step is None:
                    step = node.get(glue.strip() + atoms[j][2])
                if step is None:
                    break
                node = step
            if best is not None:
                found.append(best[0])
                free = best[1] + 1
        return found


@functools.lru_cache(maxsize=4)
def _atoms(text: str) -> list[tuple[int, int, str]]:
    """The atoms of a text, each with its range; kept for the lexicons that read it in turn."""
    return list(_atoms_of(text))


def _atoms_of(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _ATOM.finditer(text):
        start, end = match.span()
        atom = match.group().lower()
        if atom[-1] == "v" and end - start > 1 and text[end : end + 1].isdecimal():
            # a "v" before a digit is an atom of its own: ColBERTv2 is colbert v 2
            yield start, end - 1, atom[:-1]
            yield end - 1, end, "v"
        else:
            yield start, end, atom


def _parts(name: str) -> list[str]:
    """The atoms of a name; a sign that is no mere glue sticks to the atom after it."""
    parts: list[str] = []
    last = None
    for start, end, atom in _atoms_of(name):
        glue = name[last:start] if last is not None else ""
        sticky = "" if glue in _GLUE else glue.strip()
        parts.append(sticky + atom)
        last = end
    return parts


def _tail(name: str) -> str:
    """What a name ends in after its last letter or digit: the + of "MBPP+"."""
    return name[max(i for i, character in enumerate(name) if character.isalnum()) + 1 :]


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
    return "".join(c for c in name if c.isalnum())


def _spelt(surface: str, name: str, entry: Entry) -> bool:
    if entry["any-case"]:
        return True
    seen, known = _alnum(surface), _alnum(name)
    return seen == known or (len(known) > 3 and seen == known.upper())
