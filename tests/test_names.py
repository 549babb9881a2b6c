"""Which words of a paper are names, of what kind, and what they are to the paper."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.extract import extractor_for
from pipeline.records import Extraction, Paper
from pipeline.rules import RuleError, load_rules

RULES = load_rules()


def extract(abstract: str, title: str = "") -> Extraction:
    return extractor_for(()).extract(Paper("p", title, abstract))


def models(abstract: str, title: str = "") -> dict[str, str]:
    return {m.span.surface: m.role for m in extract(abstract, title).models}


def benchmarks(abstract: str, title: str = "") -> dict[str, str]:
    return {b.span.surface: b.role for b in extract(abstract, title).benchmarks}


# --- what is a name ---


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("We propose a new task, Zebra Spotting in Grass (ZSG), for birds.", {}),
        ("We propose ZapScore, a metric of speed.", {}),
        ("We propose ZapTune, a fast, small, and general framework.", {"ZapTune": "proposed"}),
        ("We gain 2 points in Zap-IoU and Zap@10.", {}),
        ("We present results of sub-2B models.", {}),
        ("All Text-to-Texture (T2T) methods are slow.", {}),
    ],
)
def test_tasks_metrics_and_measures_are_no_models(sentence: str, found: dict[str, str]) -> None:
    assert models(sentence) == found


@pytest.mark.parametrize(
    "sentence",
    [
        "We curate ZebraFacts: 1,450 questions of zoo visitors.",
        "We release ZebraFacts, a big set of 12K clean texts.",
        "We introduce ZebraFacts, comprising 2,400 annotated images.",
        "We introduce ZebraFacts, a clean, large, and multilingual question answering (QA) corpus.",
    ],
)
def test_what_holds_examples_is_data(sentence: str) -> None:
    assert benchmarks(sentence) == {"ZebraFacts": "introduced"}
    assert models(sentence) == {}


def test_a_name_that_ends_in_bench_is_a_benchmark_and_one_with_a_size_a_model() -> None:
    found = extract("ZapTune-7B fails. We tried ZapTune-7B on all of ZebraBench.")
    assert [(m.name, m.kind) for m in found.models] == [("ZapTune-7B", "model")]
    assert [b.name for b in found.benchmarks] == ["ZebraBench"]


def test_what_figures_are_on_is_data_and_what_they_are_over_is_a_rival() -> None:
    found = extract("We propose ZapTune. It gains 3% on ZeBirds and ZeFish and 5% over ZooNet.")
    assert [b.name for b in found.benchmarks] == ["ZeBirds", "ZeFish"]
    assert {m.name: m.role for m in found.models} == {"ZapTune": "proposed", "ZooNet": "baseline"}


def test_rivals_with_figures_of_their_own_are_baselines() -> None:
    text = "We propose ZapTune, beating the classic ZAPD (3.5\\%) and ZTSS (7.6\\%)."
    assert models(text) == {"ZapTune": "proposed", "ZAPD": "baseline", "ZTSS": "baseline"}
    text = "We propose ZapTune. It beats old ones: ZARO by 11%, ZoReNet by 2% and ZIMBU by 3%."
    assert set(models(text)) == {"ZapTune", "ZARO", "ZoReNet", "ZIMBU"}


def test_words_with_a_capital_are_names_where_they_are_listed_or_called_data() -> None:
    assert set(models("We try three methods (Zebrafer, Compazter, Zamba-Like).")) >= {"Zebrafer"}
    assert benchmarks("We label birds of the Zebra Lake corpus.") == {"Zebra Lake": "evaluated"}
    assert models("We saw Zebrafer and Compazter in Rome.") == {}


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("We propose Zebra Feature Loading (ZFL), a tuner.", ["ZFL"]),
        ("We propose Stripe Counting by ZOo Keepers (StrZoK), a tuner.", ["StrZoK"]),
        ("We propose a stripe-Zone Order plaN (ZON), a tuner.", ["ZON"]),
        ("We propose ZAPT (Zebra-Aware Pruned Tuning), a tuner.", ["ZAPT"]),
        ("Recent Zebra Language Models (ZLMs) are slow, and ZLMs outperform all.", []),
        ("We propose DCT with care.", []),
        ("We propose Dotted Coat Tuning (DCT).", ["DCT"]),
    ],
)
def test_an_acronym_is_the_name_and_the_words_it_stands_for_are_none(
    sentence: str, found: list[str]
) -> None:
    assert list(models(sentence)) == found


def test_the_head_of_the_title_is_a_name_wherever_it_stands() -> None:
    text = "We present Motto 3, a parser. Motto 3 is quick."
    assert models(text, "Motto 3: Technical Report") == {"Motto 3": "proposed"}
    text = "We built Z. Bex, a feeder of zebras. Z. Bex talks."
    assert models(text, "Z. Bex: a feeder for zoos") == {"Z. Bex": "proposed"}


def test_a_title_that_asks_says_nothing_of_what_its_name_is() -> None:
    text = "We introduce ZebraFacts, a hard benchmark. Models fail on ZebraFacts."
    assert benchmarks(text, "ZebraFacts: Can Language Models Spot Zebras?") == {
        "ZebraFacts": "introduced"
    }


def test_variants_of_a_proposal_are_records_of_their_own() -> None:
    text = "We propose ZapTune, a tuner. ZapTune-Wide wins. ZapTune-Bench is hard."
    assert models(text) == {"ZapTune": "proposed", "ZapTune-Wide": "proposed"}
    assert benchmarks(text) == {"ZapTune-Bench": "introduced"}


def test_names_in_quotation_marks_are_names_where_they_are_called_so() -> None:
    assert "zebra feature tuning" in models("We meet it by a method called “zebra feature tuning”.")


def test_a_word_that_the_paper_also_writes_small_is_none_but_in_links() -> None:
    title = "Zebrafer: A Tagger"
    assert models("We propose Zebrafer. See https://zebrafer.io/zebrafer.", title) == {
        "Zebrafer": "proposed"
    }
    assert models("We propose Zebrafer. A zebrafer is a tagger.", title) == {}


# --- known names ---


def test_a_technique_counts_only_where_a_paper_compares_with_it() -> None:
    assert models("We propose ZapTune. It outperforms GRPO by 3%.") == {
        "ZapTune": "proposed",
        "GRPO": "baseline",
    }
    assert models("We propose ZapTune. We train it by GRPO for a day.") == {"ZapTune": "proposed"}


def test_a_name_of_a_model_and_of_data_is_what_the_sentence_says() -> None:
    assert set(models("We fine-tune DeepScaleR for a day.")) == {"DeepScaleR"}
    assert set(benchmarks("Prompts come from the DeepScaleR dataset.")) == {"DeepScaleR"}
    assert set(models("It outperforms Video-ChatGPT by far.")) == {"Video-ChatGPT"}
    assert set(benchmarks("It is best on the Video-ChatGPT benchmark.")) == {"Video-ChatGPT"}


def test_the_papers_own_method_is_none_though_a_benchmark_has_its_name() -> None:
    text = "We introduce AgentInstruct, an agentic framework. AgentInstruct is a new method."
    assert models(text, "AgentInstruct: Teaching by Agents") == {"AgentInstruct": "proposed"}


@pytest.mark.parametrize(
    ("sentence", "surface"),
    [
        ("It wins at the CRAC 2018 Shared Task.", "CRAC 2018 Shared Task"),
        ("It takes part in the WMT 2021 shared news translation task.", "WMT 2021 shared news"),
        ("It gains 3 points on OSWorld 2.0.", "OSWorld 2.0"),
        ("It gains on GSM8K 2.5 points.", "GSM8K"),
        ("It gains on MMLU 1.2%.", "MMLU"),
    ],
)
def test_a_year_an_edition_and_shared_task_belong_to_the_name(sentence: str, surface: str) -> None:
    assert [name.startswith(surface) for name in benchmarks(sentence)] == [True]
    assert len(next(iter(benchmarks(sentence)))) - len(surface) in (0, len(" translation task"))


def test_a_bare_name_beside_its_edition_is_the_edition() -> None:
    text = "It is tested on CoNLL 2012. On the CoNLL data it wins."
    assert list(benchmarks(text)) == ["CoNLL 2012"]


@pytest.mark.parametrize(
    "name",
    ["Qwen3-VL-30B-A3B", "GLM-4.5-Air", "Claude Opus 4.7", "GPT-4o-latest", "Wan2.1-T2V-14B"],
)
def test_versions_sizes_and_variants_belong_to_a_models_name(name: str) -> None:
    assert list(models(f"The model {name} makes video and language.")) == [name]


# --- what a name is to the paper ---


def test_what_results_is_proposed_whatever_list_it_is_in() -> None:
    text = "We train Mistral-7B on it. The resulting model Orca-3 beats Mistral-7B."
    assert models(text)["Orca-3"] == "proposed"


def test_the_task_that_a_team_enters_is_not_introduced() -> None:
    title = "Zebra Team at SemEval-2020 Task 5: Taggers for Zoos"
    assert benchmarks("We describe our system for SemEval-2020 Task 5.", title) == {
        "SemEval-2020 Task 5": "evaluated"
    }


def test_established_benchmarks_are_not_introduced() -> None:
    text = "We see that birds of the established Natural Questions and TriviaQA sets sing well."
    assert set(benchmarks(text).values()) == {"evaluated"}


def test_the_fellows_of_a_baseline_in_a_list_are_baselines() -> None:
    text = "We propose ZapTune. It outperforms strong models: Kimi-K2 (4%), GPT-4 (1.5%), and GLM-4.5 (5%)."
    assert {role for name, role in models(text).items() if name != "ZapTune"} == {"baseline"}


# --- one name for one thing ---


def _pairs() -> Iterator[tuple[str, str, str]]:
    for file in ("models", "benchmarks"):
        for entry in RULES.entries[file]:
            for other in entry["not-same-as"] or ():
                yield file, entry.key, other


@pytest.mark.parametrize(("file", "one", "other"), list(_pairs()))
def test_things_that_are_not_the_same_are_two_records(file: str, one: str, other: str) -> None:
    entries = {entry.key: entry for entry in RULES.entries[file]}
    needs = [need for key in (one, other) for need in (entries[key]["needs"] or ())[:1]]
    first, second = (entries[key]["names"][0] for key in (one, other))
    found = extract(f"Here {' '.join(needs)} of {first}. There {' '.join(needs)} of {second}.")
    rows = found.models if file == "models" else found.benchmarks
    assert len({row.name for row in rows}) == 2


@pytest.mark.parametrize(
    ("spellings", "name"),
    [
        (["Llama 2", "LLaMA-2", "Llama2", "LLAMA-2"], "LLaMA-2"),
        (["LLaMA-2-7b", "Llama2-7B", "Llama 2 7B"], "LLaMA-2-7B"),
        (["Qwen2.5-7B-Instruct", "Qwen-2.5-7b-instruct"], "Qwen-2.5-7B-Instruct"),
        (["BERT-Large", "BERT-large"], "BERT-large"),
    ],
)
def test_spellings_of_one_model_have_one_name(spellings: list[str], name: str) -> None:
    names = {row.name for x in spellings for row in extract(f"We fine-tune {x} here.").models}
    assert names == {name}


@pytest.mark.parametrize(
    ("spellings", "name"),
    [
        (["GSM8K", "GSM-8K", "GSM8k", "GSM 8K"], "GSM8K"),
        (["SWE-bench Verified", "SWE-Bench-Verified", "SWE-bench-verified"], "SWE-bench Verified"),
        (["MMLU-Pro", "MMLU Pro", "MMLU-PRO"], "MMLU-Pro"),
        (["BIG-Bench Hard", "BigBench-Hard", "BBH"], "BIG-Bench Hard"),
    ],
)
def test_spellings_of_one_benchmark_have_one_name(spellings: list[str], name: str) -> None:
    names = {row.name for x in spellings for row in extract(f"It wins on {x} here.").benchmarks}
    assert names == {name}


def test_not_same_as_names_another_entry(tmp_path: Path) -> None:
    (tmp_path / "models.yaml").write_text(
        "Zebra:\n  names: [ZebraNet]\n  not-same-as: [BERTT]\n  finds: ['We use [[ZebraNet]].']\n",
        encoding="utf-8",
    )
    with pytest.raises(RuleError, match=r"'not-same-as' has 'BERTT'.*did you mean 'BERT'"):
        load_rules([tmp_path])


def test_names_take_linear_time() -> None:
    def seconds(times: int) -> float:
        text = "We propose ZapTune (Zebra Tuning), which beats ZooNet by 3% on ZeBirds, " * times
        paper = Paper("p", "", text)
        extractor_for(()).extract(paper)
        start = time.process_time()
        extractor_for(()).extract(paper)
        return time.process_time() - start

    assert seconds(120) < 10 * seconds(30) + 0.1


@pytest.mark.parametrize(
    "sentence",
    [
        "The resulting small tagger, ZipTune-X, outperforms its elders across many benchmarks.",
        "We release the code of ZipTune-X as well as this odd zoo dataset, where our ZipTune-X wins.",
        "We propose ZipTune-X to show the worth of taste, and ZipTune-X is good for later training.",
    ],
)
def test_what_is_proposed_is_no_data_because_data_is_spoken_of_after_it(sentence: str) -> None:
    assert benchmarks(sentence) == {}
    assert models(sentence) == {"ZipTune-X": "proposed"}


def test_a_measure_may_stand_between_a_figure_and_what_it_is_on() -> None:
    sentence = "It has 5.0 PB-CDEFG on ZebraHand and 64.6% clean recall on ZebraFoot."
    assert benchmarks(sentence) == {"ZebraHand": "evaluated", "ZebraFoot": "evaluated"}
    assert benchmarks("It needs 50% less memory on ZipChip.") == {}


def test_a_benchmark_may_go_on_with_a_part_of_its_name() -> None:
    assert benchmarks("Nobody has solved ZebraBench-Wild yet.") == {"ZebraBench-Wild": "evaluated"}


def test_a_rival_may_have_a_signed_figure() -> None:
    sentence = "It is better than those before it (+2.1%), that is, ZapGuard (+4.3%)."
    assert models(sentence + " ZapGuard is slow. ZapGuard is big.") == {"ZapGuard": "baseline"}


def test_a_model_is_known_by_a_word_of_its_trade_anywhere_and_a_benchmark_in_its_sentence() -> None:
    assert models("Videos are long. We test it with Wan and others.") == {"Wan": "base"}
    assert models("Roads are long. We test it with Wan and others.") == {}
    assert benchmarks("We parse to SQL. Nobody likes the Spider in the bath.") == {}


def test_a_part_of_a_known_benchmark_belongs_to_its_name() -> None:
    found = benchmarks("It gains 3% on APPS-dev and 2% on ARC-challenge, APPS-based ones aside.")
    assert set(found) == {"APPS-dev", "ARC-challenge", "APPS"}


def test_variants_in_small_letters_belong_to_the_name() -> None:
    found = models("It outperforms Gemini-1.5-pro, FLUX.1-dev for images, and GPT-3 Curie (13B).")
    assert set(found) == {"Gemini-1.5-pro", "FLUX.1-dev", "GPT-3 Curie"}


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("We present COMET, an odd framework for birds. Then COMET wins.", {"COMET": "proposed"}),
        ("We use COMET, a metric.", {}),
        ("We test a new method called KV Folding.", {"KV Folding": "proposed"}),
        ("We add a strategy named slow leaf folding (S2L).", {"slow leaf folding": "proposed"}),
        ("It joins Kimi Delta Attention (KDA) and sleep.", {}),
        ("We propose Llama Garden. It is Llama Garden that wins.", {"Llama Garden": "proposed"}),
        ("It beats recent approaches, such as ABF[14].", {"ABF": "baseline"}),
    ],
)
def test_what_is_called_so_is_a_name_whatever_its_words_are_elsewhere(
    sentence: str, found: dict[str, str]
) -> None:
    assert models(sentence) == found


def test_standing_behind_prepositions_again_and_again_makes_no_data() -> None:
    sentence = "To see ZapRGB one reads from ZapRGB. Old ZapRGB hurts. Hot ZapRGB hurts."
    assert benchmarks(f"We work with ZapRGB. {sentence}") == {}
    found = {"ZapRGB": "evaluated"}
    assert benchmarks("We score 3% on ZapRGB. Most of ZapRGB is red. It is ZapRGB.") == found


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("It is tried on three corpora from hunters: ZBA, Giraffa, and Gnuform.", 3),
        ("It is tried on two zebras from hunters: ZBA, Giraffa, and Gnuform.", 0),
    ],
)
def test_plain_names_in_a_list_of_corpora_are_data(sentence: str, found: int) -> None:
    assert len(benchmarks(sentence)) == found


def test_an_acronym_spelt_out_otherwise_is_not_the_known_benchmark_of_its_letters() -> None:
    sentence = "We introduce Roads to Rome (R2R), a neural router. R2R is fast."
    (found,) = extract(sentence).models
    assert (found.name, found.role) == ("R2R", "proposed")
    assert not found.rule.startswith("benchmarks/")
    assert benchmarks(sentence) == {}
    assert benchmarks("We evaluate it on Room-to-Room (R2R).") == {
        "Room-to-Room (R2R)": "evaluated"
    }
