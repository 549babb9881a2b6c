"""Every rule does what its own examples say, is needed, and is refused when it is broken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.examples import marked, silent
from pipeline.extract import Extractor, extractor_for
from pipeline.extractors.phrases import Phrases
from pipeline.marks import unmark
from pipeline.records import Paper
from pipeline.rules import Entry, RuleError, Rules, compile_phrase, load_rules
from pipeline.skeleton import Item, Skeleton, skeleton, spaced

RULES: Rules = load_rules()
PATTERNS = Extractor(RULES, only_patterns=True)
ENTRIES: list[Entry] = list(RULES)
FINDS = [pytest.param(e, x, id=f"{e.path}-{i}") for e in ENTRIES for i, x in enumerate(e.finds)]
IGNORES = [pytest.param(e, x, id=f"{e.path}-{i}") for e in ENTRIES for i, x in enumerate(e.ignores)]

UNTRACED = pytest.mark.no_cover  # thousands of times the same lines


@UNTRACED
@pytest.mark.parametrize(("entry", "example"), FINDS)
def test_a_rule_finds_what_its_example_marks_and_nothing_else(entry: Entry, example: str) -> None:
    assert marked(PATTERNS, entry, example) == example


@UNTRACED
@pytest.mark.parametrize(("entry", "example"), IGNORES)
def test_a_rule_leaves_alone_what_it_is_told_to(entry: Entry, example: str) -> None:
    assert silent(PATTERNS, entry, example)


# Names, metrics and hosts are thousands: they are taken out some dozens at a time, every 64th of
# the alphabet, so that no two alike ("MMLU", "MMLU-Pro") go together and stand in for each other.
LISTED = [e for e in ENTRIES if e.file in ("models", "benchmarks", "metrics", "links")]
PHRASED = [e for e in ENTRIES if e not in LISTED]


@UNTRACED
@pytest.mark.parametrize("batch", range(64))
def test_every_name_is_needed(batch: int) -> None:
    taken = LISTED[batch::64]
    rules = RULES
    for entry in taken:
        rules = rules.without(entry)
    extractor = Extractor(rules, only_patterns=True)
    needless = [e.path for e in taken if all(marked(extractor, e, x) == x for x in e.finds)]
    assert needless == [], "with these entries taken out, their own examples come out the same"


@UNTRACED
@pytest.mark.parametrize("entry", [e for e in PHRASED if e["phrases"]], ids=lambda e: e.path)
def test_every_phrase_is_needed(entry: Entry) -> None:
    extractor = Extractor(RULES.without(entry), only_patterns=True)
    assert any(marked(extractor, entry, example) != example for example in entry.finds), (
        "with this entry taken out, its own examples come out the same"
    )


def test_a_phrase_is_found_wherever_its_pattern_matches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Phrases are tried only where their words stand; no match may be lost by that."""
    asked: list[tuple[Phrases, Skeleton]] = []
    find = Phrases.find

    def noted(self: Phrases, sentence: Skeleton) -> Iterator[tuple[Entry, re.Match[str]]]:
        asked.append((self, sentence))
        return find(self, sentence)

    monkeypatch.setattr(Phrases, "find", noted)
    for entry in PHRASED:
        for example in (*entry.finds, *entry.ignores):
            extractor_for(()).extract(Paper("1", "", unmark(example)[0]))
    assert len(asked) > len(PHRASED)
    for phrases, sentence in asked:
        found = [(entry.path, match.span()) for entry, match in find(phrases, sentence)]
        assert found == [
            (entry.path, match.span())
            for entry, pattern in zip(phrases._entries, phrases._patterns, strict=True)
            for match in pattern.finditer(sentence.text)
        ], sentence.text


@given(
    st.text(alphabet="ab1-.'_@ (\\\u00e9\ue000\ue001", max_size=20),
    st.lists(st.integers(0, 20), max_size=6),
)
def test_the_words_of_a_skeleton_are_those_between_its_items(text: str, cuts: list[int]) -> None:
    """The words of a text are read once; an item may begin and end within one. What stands for
    items while words are read is a private character, which a text may have, too.
    """
    plain = text.translate({0xE000: 0xFFFD, 0xE001: 0xFFFD})
    ends = sorted({cut for cut in cuts if cut <= len(text)})
    taken = list(zip(ends[::2], ends[1::2], strict=False))
    free = pairwise([0, *(end for place in taken for end in place), len(text)])
    words = [word for low, high in list(free)[::2] for word in spaced(plain[low:high]).split()]
    made = skeleton(text, 0, len(text), [Item(*place, "M") for place in taken])
    assert [word for word in made.words if word != "M"] == words
    read = [plain[start:end] for start, end in made.places]
    assert [one for one, item in zip(read, made.items, strict=True) if item is None] == words


@pytest.mark.parametrize("entry", [e for e in PHRASED if not e["phrases"]], ids=lambda e: e.path)
def test_an_entry_without_phrases_names_a_rule_that_code_gives(entry: Entry) -> None:
    assert any(not silent(PATTERNS, entry, example) for example in entry.finds)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("benchmarks.yaml", "Foo:\n  name: [Foo]\n  finds: ['[[Foo]]']", "did you mean 'names'"),
        (
            "benchmarks.yaml",
            "Food:\n  names: [FoodBench]\n  finds: ['FoodBench is new.']",
            "nothing is marked",
        ),
        ("benchmarks.yaml", "Food:\n  names: [FoodBench]", "no 'finds'"),
        (
            "benchmarks.yaml",
            "Food:\n  names: [FoodBench]\n  finds: ['On [[FoodBench.']",
            "not closed",
        ),
        (
            "benchmarks.yaml",
            "Foo:\n  names: [FOO]\n  finds: ['On [[FOO]].']",
            "needs a sentence in 'ignores'",
        ),
        (
            "benchmarks.yaml",
            "Food:\n  names: [MMLU]\n  finds: ['On [[MMLU]].']\n  ignores: ['x']",
            "is a name of",
        ),
        (
            "benchmarks.yaml",
            "Food:\n  names: FoodBench\n  finds: ['On [[FoodBench]].']",
            "list of strings",
        ),
        ("benchmarks.yaml", "- Food", "entries stand as"),
        (
            "benchmarks.yaml",
            "Food:\n  names: [FoodBench]\n  finds: ['On [[FoodBench]].']\n"
            "'Food':\n  names: [FoodEval]\n  finds: ['On [[FoodEval]].']",
            r"benchmarks\.yaml, Food: stands 2 times",
        ),
        ("benchmarks.yaml", "Food: [", "not readable as YAML"),
        ("foods.yaml", "Food: {}", "not a rule file's name"),
        ("words.yaml", "we: [1, 2]", "write a list of words"),
        (
            "gains.yaml",
            "odd:\n  phrases: ['{amount} up']\n  kind: dleta\n  finds: ['[[3%]] up']",
            r"gains\.yaml, odd: 'kind' is 'dleta'; it may be delta, factor, from_to, score, share",
        ),
        (
            "gains.yaml",
            "odd:\n  phrases: ['{amount} up']\n  finds: ['[[3%]] up']",
            "odd: no 'kind'; write one of delta, factor",
        ),
        (
            "metrics.yaml",
            "chews:\n  names: [chews]\n  better: more\n  finds: ['[[chews]]']",
            "'better' is 'more'; it may be up, down",
        ),
        (
            "numbers.yaml",
            "odd:\n  phrases: ['{number} up']\n  use: gainz\n  finds: ['[[3]] up']",
            "'use' is 'gainz'; it may be date, citation",
        ),
        (
            "code.yaml",
            "odd:\n  phrases: ['it is out']\n  status: out\n  finds: ['[[It is out.]]']",
            "'status' is 'out'; it may be released, promised",
        ),
        (
            "benchmarks.yaml",
            "Food:\n  names: [FoodBench]\n  any-case: maybe\n  finds: ['[[FoodBench]]']",
            "'any-case' is 'maybe'; it may be yes, no",
        ),
        (
            "names.yaml",
            "odd:\n  phrases: ['of {names}']\n  weight: much\n  finds: ['Of [[Foo|base]].']",
            "'weight' is 'much'; it may be a number",
        ),
    ],
)
def test_a_broken_rule_file_is_refused_with_what_to_do(
    tmp_path: Path, file: str, content: str, message: str
) -> None:
    (tmp_path / file).write_text(content, encoding="utf-8")
    with pytest.raises(RuleError, match=message):
        load_rules([tmp_path])


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "benchmarks.yaml").write_text("A1: {}\nB2: {}\n", encoding="utf-8")
    with pytest.raises(RuleError) as error:
        load_rules([tmp_path])
    assert "A1" in str(error.value)
    assert "B2" in str(error.value)


def test_a_folder_without_rule_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="no rule files"):
        load_rules([tmp_path])


def test_a_users_folder_adds_an_entry_and_changes_the_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "benchmarks.yaml").write_text(
        "FoodBench-9:\n  names: [FoodBench-9]\n  finds: ['It is tested on [[FoodBench-9]].']\n",
        encoding="utf-8",
    )
    rules = load_rules([tmp_path])
    entry = next(e for e in rules if e.key == "FoodBench-9")
    assert marked(Extractor(rules, only_patterns=True), entry, entry.finds[0]) == entry.finds[0]
    assert rules.fingerprint != RULES.fingerprint


def test_a_phrase_with_an_unknown_list_is_refused_with_those_there_are(tmp_path: Path) -> None:
    (tmp_path / "gains.yaml").write_text(
        "odd:\n  phrases: ['{improvez} by {amount}']\n  kind: delta\n  finds: ['By [[3%|delta]].']\n",
        encoding="utf-8",
    )
    with pytest.raises(RuleError, match=r"improvez.*there are"):
        Extractor(load_rules([tmp_path]), only_patterns=True)


def test_a_phrase_that_no_pattern_can_be_made_of_is_refused_before_any_paper_is_read(
    tmp_path: Path,
) -> None:
    for phrase, told in {
        "from {number} to {number}": "several slots for 'amount'",
        "by) {amount}": "brackets do not pair",
        "({amount} up": "brackets do not pair",
    }.items():
        (tmp_path / "gains.yaml").write_text(
            f"odd:\n  phrases: ['{phrase}']\n  kind: delta\n  finds: ['By [[3%|delta]].']\n",
            encoding="utf-8",
        )
        with pytest.raises(RuleError, match=re.escape(told)):
            Extractor(load_rules([tmp_path]), only_patterns=True)


PIECES = ["{amount}", "{what}", "{whom}", "{names}", "<model>", "(", ")", ")?", "|", "^", "..."]
PIECES += ["....", "..", "up", "up?", "?", "{metric}", "{np}", "{q}?", "$[", "(?"]


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_any_phrase_is_refused_or_can_be_tried(pieces: list[str]) -> None:
    try:
        pattern = compile_phrase(" ".join(pieces), RULES.words, "here")
    except RuleError:
        return
    assert list(pattern.finditer("up M P ")) is not None
