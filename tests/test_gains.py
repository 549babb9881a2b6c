"""What a reported value is bound to, told by whole marked sentences: a missing value, one too many,
one bound to the wrong metric, benchmark, model or baseline each makes them differ.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pipeline.examples import marked
from pipeline.extract import Extractor, extractor_for
from pipeline.records import Paper
from pipeline.rules import Entry, load_rules

RULES = load_rules()
PATTERNS = Extractor(RULES, only_patterns=True)


def entry_of(file: str) -> Entry:
    """Any entry of a file: how its table's records are marked is the same for all."""
    return RULES.entries[file][0]


# A line holds a text and all that is expected of it.
# fmt: off
VALUES = [
    "ZapTune raises accuracy on MMLU by [[3.2%|delta 3.2 percent up; metric accuracy; on MMLU]].",
    "Our method, ZapTune, lifts F1 by [[2.5 points|delta 2.5 points up; metric F1; by ZapTune; over the strongest baseline]] over the strongest baseline.",
    "ZapTune outperforms GPT-4 by [[4.1%|delta 4.1 percent up; on MATH; by ZapTune; over GPT-4]] on MATH.",
    "ZapTune cuts [[40%|delta 40 percent down; metric training cost]] of the training cost.",
    "ZapTune shrinks memory by [[an order of magnitude|factor 10 x down; metric memory]].",
    "ZapTune lowers latency by [[12%|delta 12 percent down; metric latency]] and raises throughput by [[30%|delta 30 percent up; metric throughput]].",
    "It improves accuracy by [[3.1 points|delta 3.1 points up; metric accuracy; on MMLU]] on MMLU and [[4.8|delta 4.8 up; metric accuracy; on MATH]] on MATH.",
    "ZapTune reaches [[81.2%|score 81.2 percent; on MMLU; by ZapTune]] on MMLU and [[64.0%|score 64 percent; on MATH; by ZapTune]] on MATH.",
    "ZapTune reaches [[81.2%|score 81.2 percent; on MMLU; by ZapTune]] and [[64.0%|score 64 percent; on MATH; by ZapTune]] on MMLU and MATH, respectively.",
    "ZapTune improves precision and recall by [[3%|delta 3 percent up; metric precision]] and [[5%|delta 5 percent up; metric recall]], respectively.",
    "GPT-4 achieves only [[35%|score 35 percent; on MMLU; by GPT-4]] on MMLU.",
    "Even with hints, GPT-4 reaches only [[35%|score 35 percent; metric accuracy; by GPT-4]] accuracy, far below people.",
    "ZapTune attains an accuracy of [[65.1%|score 65.1 percent; metric accuracy; by ZapTune]], compared to [[57.5%|score 57.5 percent; metric accuracy; by GPT-4]] for GPT-4.",
    "The accuracy of GPT-4 rises from [[52.1% to 60.3%|from_to 52.1 > 60.3 percent up; metric accuracy; by GPT-4]].",
    "ZapTune keeps [[98%|share 98 percent; metric accuracy; over the full model]] of the accuracy of the full model.",
    "ZapTune matches the full model with only [[3%|share 3 percent down; metric training data]] of the training data.",
    "ZapTune needs just [[7%|share 7 percent down; metric memory tokens]] memory tokens and [[3%|share 3 percent down; metric training data]] training data.",
    "Inference is [[2.7x|factor 2.7 x up; metric Inference; over the dense model]] faster than with the dense model.",
    "ZapTune delivers a [[2.72x|factor 2.72 x up; metric decoding speedup; by ZapTune]] decoding speedup on long inputs.",
    "It gives speedups of [[2.5x|factor 2.5 x up; metric speedups]], [[2.4x|factor 2.4 x up; metric speedups]] and [[2.0x|factor 2 x up; metric speedups]].",
    "The speedup factors are [[2.5|factor 2.5 x up; metric speedup]], [[2.4|factor 2.4 x up; metric speedup]] and [[2.0|factor 2 x up; metric speedup]].",
    "ZapTune detects faults with [[99%|score 99 percent; metric accuracy]], [[97%|score 97 percent; metric accuracy]] and [[69%|score 69 percent; metric accuracy]] accuracy.",
    "It is [[30 points|delta 30 points down; metric F1; over human readers]] behind human readers in terms of F1.",
    "ZapTune is [[4.2%|delta 4.2 percent up; over LoRA]] better than LoRA.",
    "ZapTune achieves up to [[20%|delta 20 percent down up_to; metric perplexity; by ZapTune; over LoRA]] lower perplexity than LoRA.",
    "Accuracy falls by less than [[1%|delta 1 percent down under; metric Accuracy; on GSM8K]] on GSM8K.",
    "The win rate is nearly [[70%|score 70 percent about average; metric win rate]] on average.",
    "Averaged over ten tasks, our accuracy is [[44.9%|score 44.9 percent average; metric accuracy]].",
    "Its mean average precision is [[44.9%|score 44.9 percent; metric mean average precision; on COCO]] on COCO.",
    "ZapTune improves the score on the hard split by [[+10.8|delta 10.8 up; metric score]].",
    "ZapTune gains [[5%|delta 5 percent up; on MMLU]] (±0.3%) on MMLU.",
    "It obtains the lowest absolute error ([[0.418|score 0.418; metric absolute error]]) and the highest consistency rate ([[93.4%|score 93.4 percent; metric consistency rate]]).",
    "ZapTune runs at [[30 FPS|score 30 FPS]].",
    "A query takes [[7 ms|score 7 ms average]] on average.",
    "At 50% label noise, accuracy is [[71.3%|score 71.3 percent; metric accuracy]].",
    "ZapTune completes less than [[50%|score 50 percent under]] of the tasks.",
    "ZapTune obtains [[2.9%|score 2.9 percent; on MMLU; by ZapTune]] on MMLU (5-shot) and [[1.2%|score 1.2 percent; on GSM8K; by ZapTune]] on GSM8K (8-shot).",
    "ZapTune improves over the state of the art on COCO (depth) by [[7.6|delta 7.6 up; metric mAP; on COCO; over the state of the art]] mAP, KITTI (pose) by [[17.1|delta 17.1 up; metric mIoU; on KITTI; over the state of the art]] mIoU.",
    "ZapTune improves the perplexity of LLaMA-2-7B from [[9.2 to 7.8|from_to 9.2 > 7.8 down; metric perplexity; by LLaMA-2-7B]].",
    "It improves accuracy by [[4%|delta 4 percent up; metric accuracy]] over five datasets.",
    "It improves accuracy by [[4%|delta 4 percent up; metric accuracy; over the previous best]] over the previous best.",
    "ZapTune [[halves|factor 0.5 x down; metric memory]] the memory at inference.",
    "ZapTune [[doubles|factor 2 x up; metric throughput]] throughput.",
    "It is [[twice|factor 2 x up; over LoRA]] as fast as LoRA.",
    "Error drops from [[12.0% to 9.5%|from_to 12 > 9.5 percent down; metric Error; on MNIST]] on MNIST.",
    "Compared to LoRA, ZapTune saves [[30%|delta 30 percent down; metric memory; by ZapTune; over LoRA]] of the memory.",
    "Compared with LoRA, accuracy rises by [[2 points|delta 2 points up; metric accuracy; over LoRA]] while memory falls by [[30%|delta 30 percent down; metric memory; over LoRA]].",
    "It achieves an F1 of [[0.82|score 0.82; metric F1]] and an AUC of [[0.91|score 0.91; metric AUC]].",
    "Word error rate (WER) is cut by [[12%|delta 12 percent down; metric Word error rate (WER)]] relative.",
    "A relative improvement of [[12%|delta 12 percent up; metric word error rate]] in word error rate is seen.",
    "ZapTune achieves accuracy gains of at least [[3%|delta 3 percent up at_least; metric accuracy; by ZapTune; over GPT-4]] over GPT-4 and [[5%|delta 5 percent up at_least; metric accuracy; by ZapTune; over LLaMA]] over LLaMA.",
    "Between [[66% and 77%|score 66 to 77 percent]] of answers are preferred.",
    "ZapTune achieves [[90.1%|score 90.1 percent; metric F1; by ZapTune]] F1, outperforming BERT and RoBERTa.",
    "ZapTune is preferred [[72%|score 72 percent]] of the time.",
    "ZapTune uses [[5x|factor 5 x down; metric parameters; over GPT-2]] fewer parameters than GPT-2.",
    "It needs [[3x|factor 3 x down; metric data]] less data to reach the accuracy of BERT.",
    "The probe has a correlation of [[0.96|score 0.96; metric correlation]] with people's scores.",
    "It raises the average score from [[53.3 to 86.4|from_to 53.3 > 86.4 up average; metric average score; over GPT-4]], ahead of GPT-4 ([[82.7|score 82.7 average; metric average score; by GPT-4]]) and BERT ([[74.8|score 74.8 average; metric average score; by BERT]]).",
    "The accuracy of GPT-4 rises from [[67.4% to 72.1%|from_to 67.4 > 72.1 percent up; metric accuracy; by GPT-4]], BERT from [[58.3% to 62.8%|from_to 58.3 > 62.8 percent up; metric accuracy; by BERT]].",
    "Our approach beats the strongest baseline (more than [[20 points|delta 20 points up at_least; over the strongest baseline]]).",
    "LoRA adds a [[3%|delta 3 percent up; metric latency]] latency overhead.",
    "Our method is up to [[793 times|factor 793 x up up_to; over the baseline]] above the baseline.",
    "We improve precision from [[31.5% to 40.2%|from_to 31.5 > 40.2 percent up; metric precision; over the original model]] over the original model.",
    "Accuracy, averaged over four seeds, is [[71.2%|score 71.2 percent average; metric Accuracy]] on average.",
    "The dense model is [[12%|delta 12 percent down; metric accurate; over ours]] less accurate than ours.",
    "A gain of [[4 BLEU points|delta 4 points up; metric BLEU; on WMT14; over plain tuning]] over plain tuning is seen on WMT14.",
    "Our tagger attains [[97.3%|score 97.3 percent; on Penn Treebank]] on the Penn Treebank, about [[2%|delta 2 percent up about; on Penn Treebank; over the previous best]] above the previous best.",
    "On SQuAD, our reader gains [[2.1|delta 2.1 up; metric F1; on SQuAD; over BERT]] F1 over BERT and [[1.4|delta 1.4 up; metric F1; on SQuAD; over RoBERTa]] F1 over RoBERTa.",
    "Our method beats GPT-4 by [[2 points|delta 2 points up; on GSM8K; over GPT-4]] on GSM8K.",
    "On MMLU and GSM8K, our method gains [[2.4%|delta 2.4 percent up; on MMLU]] and [[1.3%|delta 1.3 percent up; on GSM8K]].",
    "We present ZapTune, a framework for tuning. It improves accuracy by [[3%|delta 3 percent up; metric accuracy; on MMLU; by ZapTune]] on MMLU.",
    "We present ZapTune, a framework for tuning. GPT-4 achieves only [[35%|score 35 percent; on MMLU; by GPT-4]] on MMLU.",
    "We present ZapTune, a framework for tuning. ZapTune scores [[71.5|score 71.5; metric F1; by ZapTune]] F1, and BERT reaches [[64.0|score 64; metric F1; by BERT]] F1.",
    "We present ZapBench, a benchmark of hard questions. The best model reaches an accuracy of [[31.2%|score 31.2 percent; metric accuracy; on ZapBench]].",
    "We test on MMLU only. Furthermore, accuracy rises by [[2.1%|delta 2.1 percent up; metric accuracy; on MMLU]].",
    "The tuned model attains [[71.2%|score 71.2 percent]], while the base model attains [[64.8%|score 64.8 percent; on MMLU]] on MMLU.",
    "It reduces latency by [[12%|delta 12 percent down; metric latency]]; on MMLU, accuracy rises by [[3%|delta 3 percent up; metric accuracy; on MMLU]].",
    "Memory falls by more than [[30%|delta 30 percent down at_least; metric Memory]], about 5 GB.",
    "Training takes 12 days on 64 GPUs.",
    "Batches of 64 and 128 are compared with a rate of 0.1.",
    "We use 5-shot prompts and a top-5 list of 100 items.",
    "Accuracy rises to [[88.0%|score 88 percent; metric Accuracy; on MMLU]] on MMLU.",
    "Both agree (rho = [[0.64|score 0.64]], p = 0.010).",
    "Entries lie in the interval [-1, 1] throughout.",
    "Raters use a 5-point scale for fluency.",
    "It runs on one A100-80GB card.",
    "It cuts memory by [[25%|delta 25 percent down; metric memory]] and gives up to [[40%|delta 40 percent up up_to; metric latency]] improvement in latency.",
    "It lowers latency by up to [[30%|delta 30 percent down up_to; metric latency]] and the error by up to [[9.5%|delta 9.5 percent down up_to; metric error]].",
    "It improves accuracy by [[21.4|delta 21.4 points up; metric accuracy; on MMLU]] and [[13.4 points|delta 13.4 points up; metric accuracy; on MATH]] on MMLU and MATH.",
    "We train with under [[3%|share 3 percent down under; on SQuAD]] of SQuAD.",
    "Small baselines fall below [[5%|score 5 percent under]].",
    "It reaches an accuracy exceeding [[98.4%|score 98.4 percent at_least; metric accuracy; on MMLU]] on MMLU.",
    "Recall stays above [[88%|score 88 percent at_least; metric Recall]].",
    "It improves over the baseline by close to [[3 BLEU points|delta 3 points up about; metric BLEU; over the baseline]].",
    "It achieves up to [[2.5|factor 2.5 x up up_to; metric speedup]] speedup.",
    "It is at least [[3%|delta 3 percent up at_least; on MMLU]] better on MMLU and [[5%|delta 5 percent up at_least; on MATH]] on MATH.",
    "On average, it reaches an accuracy of [[71.2%|score 71.2 percent average; metric accuracy]].",
    "It scores 36 on average and [[28%|score 28 percent; metric accuracy; on MMLU]] accuracy on MMLU.",
    "Accuracy rises from [[61.2% for the base model to 70.4%|from_to 61.2 > 70.4 percent up; metric Accuracy]].",
    "ZapTune reaches [[37.8%|score 37.8 percent; by ZapTune]], against [[33.0%|score 33 percent; by GPT-4]] for GPT-4.",
    "The best F1 was that of BERT ([[0.82|score 0.82; metric F1; by BERT]]), followed by GPT-2 ([[0.79|score 0.79; metric F1; by GPT-2]]) while ours scored lowest ([[0.64|score 0.64; metric F1]]).",
    "It improves success (MMLU: [[73.1%|score 73.1 percent; on MMLU]] vs. [[52.6%|score 52.6 percent; on MMLU]]).",
    "A [[24%|delta 24 percent down; metric accuracy]] drop in accuracy is seen between natural ([[88%|score 88 percent; metric accuracy]]) and adversarial data.",
    "It cuts the error by [[5.1 points|delta 5.1 points down; metric error]] ([[61%|delta 61 percent down; metric error]] relative reduction), and reaches [[4.3%|score 4.3 percent; metric WER]] WER.",
    "It yields a [[7.2%|delta 7.2 percent up]] gain and secures [[93.8%|score 93.8 percent; metric accuracy; on MMLU]] accuracy on MMLU.",
    "It beats models six times larger.",
    "The aim is to reach 95% accuracy.",
    "Pruning begins at 25% of all steps.",
    "It prunes at 50% sparsity.",
    "It holds a 95% CI of the mean.",
    "We set 75% as the training set.",
    "It runs on one 16GB laptop GPU.",
    "It runs in half precision.",
    "ZapTune reaches [[86.4%|score 86.4 percent; on MMLU; by ZapTune]] on MMLU (2024.08-2025.05).",
    "ZapTune solves [[11|score 11]] out of 12 problems.",
    "It has fewer errors at [[53%|share 53 percent down; metric latency]] of the latency.",
    "Its score stays within [[2%|delta 2 percent up_to]] of GPT-4.",
    "This leads to about [[50%|delta 50 percent up about; metric speed]] increase in speed.",
    "It improves F1 on MMLU ([[57% to 90%|from_to 57 > 90 percent up; metric F1; on MMLU]]).",
    "Its F1 on MMLU is spread widely ([[57% to 90%|score 57 to 90 percent; metric F1; on MMLU]]).",
    "It cuts the F1 of one parser from [[61.1% to 19.2%|from_to 61.1 > 19.2 percent down; metric F1]], and that of our own large and old statistical reader of plain text, from [[33.5% to 3.3%|from_to 33.5 > 3.3 percent down; metric F1]].",
    "On MMLU the accuracy is [[22.1%|score 22.1 percent; metric accuracy; on MMLU]] with improvements of [[3.5%|delta 3.5 percent up; metric accuracy; on MMLU]].",
    "It gets an accuracy above [[0.9|score 0.9 at_least; metric accuracy; over all of them]] over all of them.",
    "A gain compared to the best score of [[89.1%|score 89.1 percent; metric score; over the best score]] is seen.",
    "It reaches [[0.627|score 0.627; metric utility]] overall utility.",
    "It draws a picture in just [[1.1 sec|score 1.1 sec]].",
    "Nets with rates of 20%, 40%, 60% and 80% are seen.",
    "Ours is best with 10% and 1% labeled data.",
    "These can make up 30% of the annotated data.",
    "Hard cases account for 70% of the dataset.",
    "It improves GenEval ([[0.73rightarrow0.90|from_to 0.73 > 0.9 up; on GenEval]]).",
    "It surpasses nets trained with 3x schedules.",
    "Dropping the cache costs [[4 points|delta 4 points down; metric recall]] of recall.",
    "Some leave a [[30%|delta 30 percent down; metric performance]] performance gap.",
    "A doubling time of two years is seen.",
    "It reaches [[72%|score 72 percent; on MMLU]] on MMLU and, then, [[61%|score 61 percent average; on MMLU]] on average.",
    "It ends at [[95.5%|score 95.5 percent]], close to the old net's [[85.5%|score 85.5 percent]].",
    "In all [[41%|score 41 percent]] of them fail, while [[20%|score 20 percent]] are late.",
    "It brings [[3x|factor 3 x up]] and [[40%|delta 40 percent up]] improvements.",
    "It brings a gain of up to [[13%|delta 13 percent up up_to]] ([[7%|delta 7 percent up average]] on average).",
    "F1 was told for three: Basque ([[0.85|score 0.85]]), Welsh ([[0.91|score 0.91]]) and Irish ([[0.90|score 0.9]]).",
    "It reduces steps from [[50 to 4|from_to 50 > 4 down; metric steps]].",
    "It comes under the CC BY 4.0 license.",
    "This was confirmed by [[80%|score 80 percent; metric users]] of the users.",
    "Most edits fall within the first 15 minutes.",
]

BEST = [
    "It [[outperforms all existing methods|sota; on MMLU; over all existing methods]] by a large margin on MMLU.",
    "Our tagger sets [[a new state of the art|sota; on SQuAD, MMLU]] on SQuAD and MMLU.",
    "We improve the robustness of state-of-the-art models.",
    "There is a gap between state-of-the-art models and people.",
    "Results are on par with the state of the art.",
    "It aims to achieve state-of-the-art results.",
    "It remains the [[best|sota]] among open models.",
    "We compare with state-of-the-art methods.",
    "It shows a [[superior quality over state-of-the-art methods|sota]].",
    "It is comparable to or better than existing methods.",
    "It gives a 22% improvement over previous methods.",
    "Neural networks have shown state-of-the-art results.",
    "Our tagger [[outperforms all existing methods|sota; over all existing methods]] and is twice as fast as BERT.",
    "It works by selecting the best among many.",
]
# fmt: on


@pytest.mark.parametrize("text", VALUES)
def test_a_value_is_bound_to_what_its_sentence_says_of_it(text: str) -> None:
    assert marked(PATTERNS, entry_of("gains"), text) == text


@pytest.mark.parametrize("text", BEST)
def test_a_claim_of_being_best_is_found_and_a_mere_mention_is_not(text: str) -> None:
    assert marked(PATTERNS, entry_of("sota"), text) == text


def test_a_phrase_of_ones_own_finds_a_claim_whatever_its_words(tmp_path: Path) -> None:
    (tmp_path / "sota.yaml").write_text(
        "crown:\n  phrases: ['(wears|takes) the crown']\n"
        "  finds: ['ZapTune [[wears the crown|sota]] here.']\n",
        encoding="utf-8",
    )
    rules = load_rules([tmp_path])
    entry = next(entry for entry in rules.entries["sota"] if entry.key == "crown")
    extractor = Extractor(rules, only_patterns=True)
    assert marked(extractor, entry, entry.finds[0]).count("wears the crown|sota") == 1


def test_a_number_is_claimed_once_however_many_phrases_hold_it() -> None:
    text = "Accuracy rises by up to 3.2% and 5.1%, and recall rises by 3.2%. " * 3
    found = extractor_for(()).extract(Paper("p", "", text)).gains
    assert len(found) == len({gain.span for gain in found}) == 9


def test_a_sentence_of_many_values_is_read_in_linear_time() -> None:
    def seconds(times: int) -> float:
        text = "It gains 3.2% on MMLU, " * times
        started = time.monotonic()
        extractor_for(()).extract(Paper("p", "", text))
        return time.monotonic() - started

    seconds(10)
    assert seconds(600) < 40 * max(seconds(60), 0.02)
