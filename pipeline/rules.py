"""rules/*.yaml -> checked rules, and their fingerprint.

A rule file holds entries; an entry holds what is known or how it is said, and the sentences it
must find something in (`finds`) and leave alone (`ignores`). rules/README.md tells how to write
one.
"""

from __future__ import annotations

import difflib
import functools
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import regex
import yaml

from pipeline.marks import MarkError, unmark
from pipeline.records import PipelineError
from pipeline.skeleton import spaced

NAME_FILES = ("models", "benchmarks")
PHRASE_FILES = ("names", "gains", "sota", "sizes", "numbers", "code")
_KEYS: Mapping[str, frozenset[str]] = {
    "models": frozenset({"names", "any-case", "needs", "kind", "compared", "not-same-as"}),
    "benchmarks": frozenset({"names", "any-case", "needs", "corpus", "not-same-as"}),
    "metrics": frozenset({"names", "better"}),
    "links": frozenset({"hosts", "kind"}),
    "names": frozenset({"phrases", "table", "role", "kind", "where", "weight"}),
    "gains": frozenset({"phrases", "kind", "direction"}),
    "sota": frozenset({"phrases"}),
    "sizes": frozenset({"phrases", "kind"}),
    "numbers": frozenset({"phrases", "use"}),
    "code": frozenset({"phrases", "status"}),
}
# what a key may be set to; where it is not set, it is as the code has it
_VALUES: Mapping[str, Mapping[str, tuple[str | bool | None, ...]]] = {
    "models": {"kind": ("model", "method"), "any-case": (True, False), "compared": (True, False)},
    "benchmarks": {"any-case": (True, False), "corpus": (True, False)},
    "metrics": {"better": ("up", "down", None)},
    "links": {"kind": ("code", "model", "dataset", "project", "archive", "paper", "other")},
    "names": {
        "table": NAME_FILES,
        "role": ("proposed", "base", "baseline", "training", "mentioned"),
        "kind": ("model", "method"),
        "where": ("title",),
    },
    "gains": {
        "kind": ("delta", "factor", "from_to", "score", "share"),
        "direction": ("up", "down", "sign"),
    },
    "sizes": {"kind": ("parameters", "tokens", "examples")},
    "numbers": {
        "use": (
            "date",
            "citation",
            "count",
            "setting",
            "ordinal",
            "statistic",
            "formula",
            "price",
            "name",
            "other",
        )
    },
    "code": {"status": ("released", "promised")},
}
_NEEDED: Mapping[str, str] = {
    "links": "kind",
    "gains": "kind",
    "sizes": "kind",
    "numbers": "use",
    "code": "status",
}
_LISTS = ("words", "never")
_TOP_KEY = re.compile(r"^(\"[^\"\n]+\"|'[^'\n]+'|[^\s#\"'][^:\n]*?):(?=\s)", re.MULTILINE)
_EXAMPLES = frozenset({"finds", "ignores", "note"})
_GAP = 8
_SHORT = 4


class RuleError(PipelineError):
    """All faults of the rule files in one report: file, entry, what is wrong, what to do."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a rule file; `path` is what the column `rule` of the tables holds."""

    file: str
    key: str
    values: Mapping[str, Any] = field(hash=False)
    finds: tuple[str, ...] = ()
    ignores: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """What the column `rule` of the tables holds."""
        return f"{self.file}/{self.key}"

    def __getitem__(self, key: str) -> Any:
        return self.values.get(key)


@dataclass(frozen=True, slots=True)
class Rules:
    """All entries by file, the word lists, and the fingerprint of all that was read."""

    entries: Mapping[str, tuple[Entry, ...]]
    words: Mapping[str, tuple[str, ...]]
    never: frozenset[str]
    fingerprint: str

    def __iter__(self) -> Iterator[Entry]:
        for file in self.entries.values():
            yield from file

    def without(self, entry: Entry) -> Rules:
        """The same rules less one entry: how a test finds out whether the entry is needed."""
        kept = tuple(e for e in self.entries[entry.file] if e is not entry)
        return replace(self, entries={**self.entries, entry.file: kept})


def rules_folder() -> Path:
    """The folder of our own rules: installed with the package, or beside it in a checkout."""
    installed = Path(str(files("pipeline"))) / "_rules"
    return installed if installed.is_dir() else Path(__file__).parents[1] / "rules"


def load_rules(folders: Sequence[Path | str] = ()) -> Rules:
    """Our own rules and those of the user's folders, which add entries and replace same-named ones.

    Raises RuleError with all faults at once.
    """
    faults: list[str] = []
    digest = hashlib.sha256()
    entries: dict[str, dict[str, Entry]] = {file: {} for file in _KEYS}
    lists: dict[str, dict[str, list[str]]] = {name: {} for name in _LISTS}
    for folder in (rules_folder(), *map(Path, folders)):
        paths = sorted(folder.glob("*.yaml"))
        if not paths:
            faults.append(f"{folder}: no rule files (*.yaml) here; name a folder that holds some")
        for path in paths:
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
            content = _read(path, faults)
            if path.stem in _LISTS:
                for key, words in content.items():
                    if not _is_strings(words):
                        faults.append(f"{path}, {key}: write a list of words")
                        continue
                    lists[path.stem].setdefault(str(key), []).extend(words)
            elif path.stem in _KEYS:
                for key, values in content.items():
                    entry = _entry(path, str(key), values, faults)
                    if entry is not None:
                        entries[path.stem][entry.key] = entry
            else:
                known = ", ".join(sorted((*_KEYS, *_LISTS)))
                faults.append(f"{path}: not a rule file's name; the names are {known}")
    for file in NAME_FILES:
        _check_names(file, entries[file].values(), faults)
        _check_pairs(file, entries[file], faults)
    if faults:
        raise RuleError("\n".join(faults))
    return Rules(
        entries={file: tuple(found.values()) for file, found in entries.items()},
        words={key: tuple(_expanded(words)) for key, words in lists["words"].items()},
        never=frozenset(word for words in lists["never"].values() for word in words),
        fingerprint=digest.hexdigest()[:16],
    )


def _read(path: Path, faults: list[str]) -> dict[Any, Any]:
    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        text = path.read_text(encoding="utf-8")
        content = yaml.load(text, Loader=loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        faults.append(f"{path}: not readable as YAML: {error}")
        return {}
    if content is None:
        return {}
    if not isinstance(content, dict):
        faults.append(f"{path}: entries stand as 'Name:' with their keys below")
        return {}
    # of two entries of one name YAML keeps the last and says nothing
    keys = Counter(key.strip("\"'") for key in _TOP_KEY.findall(text))
    faults += [
        f"{path}, {key}: stands {count} times; make one entry of them, or rename one"
        for key, count in keys.items()
        if count > 1
    ]
    return content


def _entry(path: Path, key: str, values: Any, faults: list[str]) -> Entry | None:
    where = f"{path}, {key}"
    known = _KEYS[path.stem] | _EXAMPLES
    if not isinstance(values, dict):
        faults.append(f"{where}: write keys below the name, such as {', '.join(sorted(known))}")
        return None
    before = len(faults)
    for name in values:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, 1)
            hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(sorted(known))}"
            faults.append(f"{where}: '{name}' is not a key; {hint}")
    for name in ("names", "hosts", "phrases", "needs", "not-same-as", "finds", "ignores"):
        if name in values and not _is_strings(values[name]):
            faults.append(f"{where}: '{name}' is a list of strings in quotation marks")
    faults += (f"{where}: {fault}" for fault in _wrong_values(path.stem, values))
    if len(faults) > before:
        return None
    finds, ignores = tuple(values.get("finds", ())), tuple(values.get("ignores", ()))
    if not finds:
        faults.append(f"{where}: no 'finds'; write a sentence with [[...]] around what is found")
    for sentence in (*finds, *ignores):
        try:
            _, marks = unmark(sentence)
        except MarkError as error:
            faults.append(f"{where}: {error}")
            continue
        if sentence in finds and not marks:
            faults.append(f"{where}: nothing is marked with [[...]] in {sentence!r}")
    rest = {name: value for name, value in values.items() if name not in _EXAMPLES}
    return Entry(path.stem, key, rest, finds, ignores)


def _wrong_values(file: str, values: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the values of an entry's keys, and what may stand there."""
    for name, allowed in _VALUES.get(file, {}).items():
        if name in values and not any(values[name] is a or values[name] == a for a in allowed):
            told = ", ".join(_told(value) for value in allowed if value is not None)
            yield f"'{name}' is {_told(values[name])!r}; it may be {told}"
    needed = _NEEDED.get(file)
    if needed and needed not in values:
        allowed = _VALUES[file][needed]
        yield f"no '{needed}'; write one of {', '.join(map(_told, allowed))}"
    weight = values.get("weight", 0)
    if file == "names" and (isinstance(weight, bool) or not isinstance(weight, int | float)):
        yield f"'weight' is {weight!r}; it may be a number such as 1 or 0.5"


def _told(value: object) -> str:
    """A value as it is written in a rule file."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _is_strings(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(x, str) for x in value)


def _check_names(file: str, entries: Any, faults: list[str]) -> None:
    seen: dict[str, str] = {}
    for entry in entries:
        names = entry["names"]
        if not names:
            faults.append(f"rules/{file}.yaml, {entry.key}: no 'names'")
            continue
        for name in names:
            if name in seen and seen[name] != entry.key:
                faults.append(
                    f"rules/{file}.yaml, {entry.key}: '{name}' is a name of {seen[name]}, too"
                )
            seen[name] = entry.key
        if any(len(name) <= _SHORT for name in names) and not entry.ignores:
            faults.append(
                f"rules/{file}.yaml, {entry.key}: a name of {_SHORT} letters or less needs a"
                " sentence in 'ignores' that it must not be found in"
            )


def _check_pairs(file: str, entries: Mapping[str, Entry], faults: list[str]) -> None:
    for entry in entries.values():
        for other in entry["not-same-as"] or ():
            if other not in entries or other == entry.key:
                near = difflib.get_close_matches(other, entries, 1)
                hint = f"did you mean '{near[0]}'?" if near else "name another entry of this file"
                faults.append(
                    f"rules/{file}.yaml, {entry.key}: 'not-same-as' has '{other}', which is no"
                    f" other entry; {hint}"
                )


# --- phrases -----------------------------------------------------------------------------------

# A sentence is matched as its skeleton: words in lower case, each followed by one space, with one
# capital letter in place of each number or known name. pipeline/extractors/skeleton.py makes it.
SYMBOLS: Mapping[str, str] = {
    "percent": "P",
    "factor": "X",
    "points": "Q",
    "number": "N",
    "unit-number": "U",
    "change": "C",
    "signed": "D",
    "model": "M",
    "benchmark": "B",
    "metric": "K",
    "name": "Z",
    "link": "L",
    "size": "S",
}
_AMOUNT = "[PXQNU]"
_FREE = r"(?:(?![PXQNUCDL.,;:()] )[^ ]+ )"
_LISTED = (
    "(?:, (?:and |or |& )?|and |or |& |/ |as well as |, as well as )(?:the |on |on the |both )?"
)
_NO_PREPOSITION = "(?!(?:in|of|for|with|on|and|to|by|over|than|while|when) )"
_VERB_S = "[a-z]+(?<!ics|ews|rts|sis)(?<!ss|us)(?<!ies)s"  # "separates", not "news"
_SLOTS: Mapping[str, str] = {
    "amount": rf"(?P<amount>{_AMOUNT} )",
    "what": rf"(?P<what>{_FREE}{{1,7}}?)",
    "short": rf"(?P<what>(?:{_NO_PREPOSITION}{_FREE}){{1,3}}?)",
    "np": rf"(?:{_NO_PREPOSITION}(?!(?:is|are|we|that|which|from|as) ){_FREE}){{0,2}}?",
    # words between a name and its noun, none of them a verb: "X separates tasks"
    "qualities": rf"(?:{_NO_PREPOSITION}(?!(?:is|are|we|that|which|from|as) )(?!{_VERB_S} )"
    rf"{_FREE}){{0,2}}?",
    "whom": r"(?P<whom>(?:(?![PXQNUCD.;:] )[^ ]+ ){1,9}?)",
    "names": rf"(?P<names>[ZMB] (?:{_LISTED}[ZMB] ){{0,15}})",
    **{slot: f"(?P<amount>{symbol} )" for slot, symbol in list(SYMBOLS.items())[:7]},
    "metric": "K ",
}
PIECE = regex.compile(
    r"(?P<literal>(?<![^\s|(])[()](?![^\s|)]))"
    r"|\.\.\.\.|\.\.\.|\.\.|\{[^{}\s]+\}\??|\(|\)\??|\||[^\s(){}|]+\??"
)


class Pattern:
    """A phrase as a pattern over skeletons, compiled when it is first tried.

    To compile all phrases takes a third of a second, and one text needs only some of them.
    """

    __slots__ = ("_text", "finditer", "match")

    finditer: Callable[[str], Iterator[re.Match[str]]]
    match: Callable[[str, int], re.Match[str] | None]

    def __init__(self, text: str) -> None:
        self._text = text

    def __getattr__(self, name: str) -> Any:
        """A method when it is first asked for; from then on both are the pattern's own."""
        if name not in self.__slots__:
            raise AttributeError(name)
        compiled = _compiled(self._text)
        self.finditer, self.match = compiled.finditer, compiled.match
        return getattr(compiled, name)


def compile_phrase(phrase: str, words: Mapping[str, tuple[str, ...]], where: str) -> Pattern:
    """A phrase as a pattern over skeletons.

    `{list}` is any word of a list of words.yaml, or a slot ({amount}, {what}, ...); `<model>` is
    a bare symbol; `...` is a gap of at most eight words, `..` of at most three, both
    without commas, and `....` one of at most sixteen with them; `(a|b c)` is
    a choice, `^` is the sentence's start, and a `?` makes the word or choice before it optional.
    Brackets that stand alone between spaces are brackets of the text. Raises RuleError.
    """
    out = [r"(?<![^ ])"]
    groups = 0
    for found in PIECE.finditer(phrase):
        piece = found.group()
        if found["literal"]:
            out.append(re.escape(piece) + " ")
            continue
        optional = piece.endswith("?") and piece not in ("?",)
        body = piece[:-1] if optional else piece
        if piece == "^":
            out.append(r"\A")
        elif piece == "....":
            out.append(rf"(?:(?![.;] )[^ ]+ ){{0,{2 * _GAP}}}?")
        elif piece == "...":
            out.append(rf"{_FREE}{{0,{_GAP}}}?")
        elif piece == "..":
            out.append(rf"{_FREE}{{0,3}}?")
        elif body == "(":
            groups += 1
            out.append("(?:")
        elif body == ")":
            groups -= 1
            if groups < 0:
                break
            out.append(")?" if optional else ")")
        elif piece == "|":
            out.append("|")
        else:
            if body.startswith("{"):
                expanded = _slot(body[1:-1], words, where)
            elif body.startswith("<") and len(body) > 1:
                expanded = _symbols(body[1:-1], where)
            else:
                expanded = re.escape(spaced(body)) + " "
            out.append(f"(?:{expanded})?" if optional else expanded)
    if groups:
        raise RuleError(f"{where}: brackets do not pair in '{phrase}'")
    pattern = "".join(out)
    for slot in ("amount", "what", "whom", "names"):
        if pattern.count(f"(?P<{slot}>") > 1:
            raise RuleError(
                f"{where}: '{phrase}' has several slots for '{slot}'; leave one, and write "
                "symbols such as <number> for the others"
            )
    return Pattern(pattern)


@functools.lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    """The same phrase is compiled once, however many extractors are made of the rules.

    By `re`, which takes half the time of `regex` on these patterns.
    """
    return re.compile(pattern)


def _slot(name: str, words: Mapping[str, tuple[str, ...]], where: str) -> str:
    if name in _SLOTS:
        return _SLOTS[name]
    if name == "q" and name in words:
        return f"{_choice(words[name])}{{0,8}}"
    if name not in words:
        known = ", ".join(sorted((*_SLOTS, *words)))
        raise RuleError(f"{where}: no list or slot is called '{name}'; there are {known}")
    return _choice(words[name])


def _symbols(names: str, where: str) -> str:
    symbols = []
    for name in names.split(","):
        if name not in SYMBOLS:
            raise RuleError(f"{where}: no symbol is called '{name}'; there are {list(SYMBOLS)}")
        symbols.append(SYMBOLS[name])
    return f"[{''.join(symbols)}] "


@functools.lru_cache(maxsize=256)
def _choice(words: tuple[str, ...]) -> str:
    ordered = sorted(words, key=lambda word: (-len(word), word))
    return "(?:" + "|".join(re.escape(spaced(word)) + " " for word in ordered) + ")"


def _expanded(words: Sequence[str]) -> Iterator[str]:
    """The words of a list, each once; "improve+" gives all its forms."""
    seen = set()
    for word in words:
        for form in inflections(word[:-1]) if word.endswith("+") and len(word) > 1 else (word,):
            if form not in seen:
                seen.add(form)
                yield form


@functools.cache
def inflections(verb: str) -> tuple[str, ...]:
    """A regular verb's forms: improve, improves, improved, improving."""
    if verb.endswith("e"):
        return verb, verb + "s", verb + "d", verb[:-1] + "ing"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb, verb[:-1] + "ies", verb[:-1] + "ied", verb + "ing"
    if verb.endswith(("s", "sh", "ch", "x")):
        return verb, verb + "es", verb + "ed", verb + "ing"
    return verb, verb + "s", verb + "ed", verb + "ing"


def describe(rules: Rules) -> str:
    """The number of entries of each file, as one JSON line."""
    return json.dumps({file: len(found) for file, found in rules.entries.items()})
