"""What a value is bound to, rule by rule: each line states a rule and shows it in a marked sentence."""

from __future__ import annotations

import pytest

from pipeline.examples import marked
from pipeline.extract import Extractor, extractor_for
from pipeline.records import Paper
from pipeline.rules import load_rules

RULED = load_rules()
PATTERNS = Extractor(RULED, only_patterns=True)
GAIN = RULED.entries["gains"][0]  # any entry: how records are marked is the same for all

# fmt: off
RULES = {
    "a level in a list takes the benchmark that follows next":
        "ZapTune reaches [[26.8|score 26.8; metric PQ; on ADE20K; by ZapTune]] PQ and [[34.1|score 34.1; metric mIoU; on ADE20K; by ZapTune]] mIoU on ADE20K, [[18.2|score 18.2; metric PQ; on Cityscapes; by ZapTune]] PQ and [[27.9|score 27.9; metric mIoU; on Cityscapes; by ZapTune]] mIoU on Cityscapes.",
    "values listed before as many benchmarks take one each":
        "ZapTune improves by [[1.3|delta 1.3 points up; on MMLU]] and [[0.9 points|delta 0.9 points up; on GSM8K]] on MMLU and GSM8K.",
    "benchmarks named before as many values, respectively, are one each":
        "On MMLU, GSM8K and MATH, ZapTune scores [[61.2%|score 61.2 percent; on MMLU]], [[70.3%|score 70.3 percent; on GSM8K]] and [[44.0%|score 44 percent; on MATH]], respectively.",
    "these benchmarks are those of the sentence before":
        "We propose ZapTune and test it on MMLU and GSM8K. On these benchmarks it improves accuracy by [[3%|delta 3 percent up; metric accuracy; on MMLU; by ZapTune]] and [[5%|delta 5 percent up; metric accuracy; on GSM8K; by ZapTune]], respectively.",
    "other tasks are no benchmark carried over":
        "We propose ZapTune and test it on MMLU. Moreover, accuracy improves by [[4%|delta 4 percent up; metric accuracy; by ZapTune]] on several other tasks.",
    "a benchmark before the value holds if the value names none":
        "Even on easy sets such as MMLU, GPT-4 reaches only [[9.4%|score 9.4 percent; metric accuracy; on MMLU; by GPT-4]] accuracy.",
    "each value keeps the benchmark it is told on":
        "ZapTune reaches [[61%|score 61 percent; on ZipSet-Q; by ZapTune]] on ZipSet-Q data, [[55%|score 55 percent; on MMLU; by ZapTune]] on MMLU and [[43%|score 43 percent; on GSM8K; by ZapTune]] on GSM8K.",
    "a value on average is told of no single benchmark":
        "ZapTune reaches [[61%|score 61 percent average; by ZapTune]] on average and [[72%|score 72 percent; on MMLU; by ZapTune]] on MMLU.",
    "what a model was trained on is not what it is measured on":
        "Trained on C4, ZapTune reaches [[61%|score 61 percent; by ZapTune]] on multiple benchmarks.",
    "the second of two values set against each other is the rival's":
        'ZapTune beats GPT-4 on MMLU: [[96%|score 96 percent; on MMLU; by ZapTune]] vs. [[61%|score 61 percent; on MMLU; by GPT-4]]; GSM8K: [[80%|score 80 percent; on GSM8K; by ZapTune]] vs. [[68%|score 68 percent; on GSM8K; by GPT-4]].',
    "a benchmark held for the next value is not the one before's":
        'ZapTune reaches speedups of [[6.3x|factor 6.3 x up; metric speedups; by ZapTune]] and [[1.6x|factor 1.6 x up; metric speedups; by ZapTune]], respectively, while keeping quality (MMLU: [[71.2%|score 71.2 percent; on MMLU; by ZapTune]]).',
    "two benchmarks after two prepositions are both meant":
        "It cuts error by [[5%|delta 5 percent down; metric error; on MNIST, COCO]] in coding on MNIST and in retrieval on COCO.",
    "the noun after a level is its metric, known or not":
        "ZapTune reaches [[69.0%|score 69 percent; metric ZSR; on MMLU; by ZapTune]] ZSR on MMLU and [[59.6%|score 59.6 percent; metric goal success; on GSM8K; by ZapTune]] goal success on GSM8K.",
    "a level of a noun is that noun's":
        'ZapTune shrinks ResNet-50 to a model size of [[5 MB|score 5 MB; metric model size; by ResNet-50]].',
    "the object of a change is its metric":
        "ZapTune reduces average queue imbalance from [[1.34 to 1.08|from_to 1.34 > 1.08 down average; metric queue imbalance]].",
    "a multiple is of what it makes faster":
        "ZapTune improves robustness with [[3.2x|factor 3.2 x up; metric decoding]] faster decoding.",
    "faster alone is a speedup":
        "ZapTune is [[4x|factor 4 x up; metric speedup]] faster and uses [[10x|factor 10 x down; metric FLOPs]] fewer FLOPs.",
    "the noun before a change is its metric":
        "ZapTune brings an [[11x|factor 11 x down; metric cache size]] cache size reduction.",
    "the noun before a change is its metric, for percentages too":
        "ZapTune yields a [[3%|delta 3 percent up; metric success rate; on MMLU; by ZapTune]] success rate improvement on MMLU.",
    "the noun after a change is its metric":
        "ZapTune gives a [[2.9%|delta 2.9 percent up; metric advertising revenue]] increase in advertising revenue.",
    "metrics listed after as many values are one each":
        "ZapTune surpasses earlier work by [[26%|delta 26 percent up; metric LPIPS; by ZapTune; over earlier work]] and [[45%|delta 45 percent up; metric PSNR; by ZapTune; over earlier work]] in LPIPS and PSNR.",
    "a difference told of a level is of its metric and benchmark":
        "ZapTune reaches [[61.8%|score 61.8 percent; metric accuracy; on MMLU; by ZapTune]] accuracy on MMLU, outperforming earlier results by [[11.7%|delta 11.7 percent up; metric accuracy; on MMLU; by ZapTune; over earlier results]].",
    "so is one told by which":
        "ZapTune reaches [[91.3%|score 91.3 percent; metric accuracy; on MMLU; by ZapTune]] accuracy on MMLU, which is [[1.4%|delta 1.4 percent up; metric accuracy; on MMLU; by ZapTune; over BERT]] over BERT and [[1.9%|delta 1.9 percent up; metric accuracy; on MMLU; by ZapTune; over RoBERTa]] over RoBERTa.",
    "not so where another matter is told":
        "ZapTune reaches [[61.8%|score 61.8 percent; metric accuracy; by ZapTune]] accuracy while reducing the load by [[11.7%|delta 11.7 percent down; metric load; by ZapTune]].",
    "a metric said in terms of goes with the whole list":
        "It gains [[3%|delta 3 percent up; metric zap-rate; on MMLU]] on MMLU, [[4%|delta 4 percent up; metric zap-rate; on GSM8K]] on GSM8K and [[5%|delta 5 percent up; metric zap-rate; on MATH]] on MATH in terms of the zap-rate metric.",
    "a metric after the last of two values is both's":
        'ZapTune reaches [[82%|score 82 percent; metric letter similarity; by ZapTune]] (printed) and [[70%|score 70 percent; metric letter similarity; by ZapTune]] (handwritten) letter similarity.',
    "values in brackets after rivals share the metric and have no baseline":
        "ZapTune attains [[85.5%|score 85.5 percent; metric success; by ZapTune]] success, outperforming tactile ([[66.3%|score 66.3 percent; metric success]]) and visual ([[55.4%|score 55.4 percent; metric success]]) rivals.",
    "values set against each other share metric and benchmark":
        "ZapTune reaches [[100%|score 100 percent; metric success; on MMLU; by ZapTune]] success on MMLU, vs. [[97%|score 97 percent; metric success; on MMLU; by GPT-4]] for GPT-4 and only [[32%|score 32 percent; metric success; on MMLU; by LLaMA]] for LLaMA.",
    "what is trained by the proposal is the proposal's":
        'We propose ZapTune. The ZapTune-trained LLaMA reaches [[65%|score 65 percent; on MMLU; by ZapTune]] on MMLU.',
    "a subject left out after a model in a prepositional phrase is none of that model":
        "On step-distilled LLaMA, ZapTune cuts latency by [[12%|delta 12 percent down; metric latency]].",
    "most models are no model":
        "ZapTune reaches [[80%|score 80 percent; on MMLU; by ZapTune]] on MMLU, but most models stay low and the best model reaches only [[20%|score 20 percent; on MMLU]].",
    "where nothing is proposed, what is improved is the model":
        "Better labels improve RoBERTa accuracy on MMLU by [[14.6 points|delta 14.6 points up; metric accuracy; on MMLU; by RoBERTa]].",
    "the nearest of two proposals acts":
        "We build the encoder ZapNet and the classifier ZapRank, reaching [[86%|score 86 percent; metric F1; by ZapRank]] F1.",
    "what a level is over is said of its difference":
        "ZapTune reaches [[52.2|score 52.2; metric mIoU; on ADE20K; by ZapTune]] mIoU on ADE20K, [[4.1 points|delta 4.1 points up; metric mIoU; on ADE20K; by ZapTune; over BERT]] higher than BERT.",
    "a rival named in apposition is the baseline":
        "ZapTune surpasses the second-best model, GPT-4, by [[6.5%|delta 6.5 percent up; by ZapTune; over GPT-4]].",
    "the baseline itself can be improved":
        "We improve the baseline by [[9.8 points|delta 9.8 points up; over the baseline]].",
    "a baseline is read past numbers within it":
        "ZapTune gives a [[3x|factor 3 x up; metric speedup; over the 4-bit baseline]] speedup over the 4-bit baseline.",
    "what is told before the paper speaks of itself is not its proposal's":
        'Deep nets waste much energy, and pruning saves up to [[5x|factor 5 x down up_to]]. We propose ZapTune, which saves [[8x|factor 8 x down; metric energy; by ZapTune]] energy.',
    "of several subjects the first is the model":
        "Frontier models such as GPT-4 and Claude reach less than [[5%|score 5 percent under; metric accuracy; on MMLU; by GPT-4]] accuracy on MMLU.",
    "a rival with its own difference is that difference's baseline":
        'ZapTune surpasses other models by [[9.3%|delta 9.3 percent up; by ZapTune; over other models]] and the second-best GPT-4 by [[6.9%|delta 6.9 percent up; by ZapTune; over the second-best GPT-4]].',
    "several models and as many values, respectively, are one each":
        "GPT-4 and Claude beat LLaMA by [[3%|delta 3 percent up; on MMLU; by GPT-4; over LLaMA]] and [[5%|delta 5 percent up; on MMLU; by Claude; over LLaMA]] on MMLU, respectively.",
    "a model trained atop another acts":
        "We propose ZapTune, a tuner. ZapTune trained atop LLaMA reaches [[61%|score 61 percent; on MMLU; by ZapTune]] on MMLU.",
    "what a proposal improves is not what attains it":
        "We propose ZapTune. It improves GPT-4 from [[65.0% to 73.6%|from_to 65 > 73.6 percent up; on MMLU; by ZapTune]] on MMLU.",
    "a metric in brackets after the value is its own":
        "ZapTune improves recall by [[9.1%|delta 9.1 percent up; metric average recall; on MMLU]] (average recall) on MMLU.",
    "the paper's own benchmark is what its models are measured on":
        'We introduce ZapBench, a benchmark for planning. The best model, GPT-4, reaches only [[12%|score 12 percent; metric accuracy; on ZapBench; by GPT-4]] accuracy.',
    "what stands beyond a closed bracket is another matter":
        "ZapTune reaches top scores on Maths ([[+5.5 points|delta 5.5 points up; by ZapTune]]), as good as GPT-4 on MMLU.",
    "a cost in brackets is of the noun before":
        "ZapTune offers fast inference ([[12 ms|score 12 ms; metric inference]]).",
    "values side by side in a longer list pair with the benchmarks after them":
        "We propose ZapTune. It improves GPT-4 by [[9%|delta 9 percent up; on MMLU; by ZapTune; over LLaMA]] on MMLU and LLaMA by [[18%|delta 18 percent up; on GSM8K; by ZapTune; over LLaMA]] and [[11%|delta 11 percent up; on MATH; by ZapTune; over LLaMA]] on GSM8K and MATH, respectively.",
    "values side by side wait for the benchmarks of the next ones":
        "ZapTune gains [[+20 points|delta 20 points up; on MMLU; over LoRA]] / [[+17 points|delta 17 points up; on GSM8K; over LoRA]] over LoRA and [[+5 points|delta 5 points up; on MMLU; over DoRA]] / [[+3 points|delta 3 points up; on GSM8K; over DoRA]] over DoRA on MMLU / GSM8K.",
    "as many values again are told of the same benchmarks":
        "ZapTune reaches [[73%|score 73 percent; on MMLU; by ZapTune]] and [[58%|score 58 percent; on GSM8K; by ZapTune]] on MMLU and GSM8K with GPT-4, and [[70%|score 70 percent; on MMLU; by ZapTune]] and [[74%|score 74 percent; on GSM8K; by ZapTune]] with LLaMA.",
    "a value between benchmark and metric needs no preposition":
        "ZapTune achieves a [[7.4|score 7.4; metric WikiText2 perplexity; on WikiText-2; by ZapTune]] WikiText2 perplexity and [[71%|score 71 percent; metric accuracy; by ZapTune]] accuracy on five quizzes tasks.",
    "what a sentence opens with holds for all of its values":
        "We propose ZapTune. On MMLU and GSM8K, ZapTune raises accuracy by [[4%|delta 4 percent up; metric accuracy; on MMLU, GSM8K; by ZapTune; over LoRA]] over LoRA, while cutting errors by [[5%|delta 5 percent down; metric errors; on MMLU, GSM8K; by ZapTune; over LoRA]].",
    "a value on a thing that is no record is told of no other":
        "ZapTune reaches [[44%|score 44 percent; on MMLU; by ZapTune]] on MMLU and [[46.6|score 46.6; metric F1; by ZapTune]] F1 on Housing.",
    "a baseline said before values side by side is theirs":
        "ZapTune improves over LoRA by [[3%|delta 3 percent up; over LoRA]], [[4%|delta 4 percent up; over LoRA]] and [[5%|delta 5 percent up; over LoRA]] and over DoRA by [[6%|delta 6 percent up; over DoRA]], [[7%|delta 7 percent up; over DoRA]] and [[8%|delta 8 percent up; over DoRA]].",
    "an acronym in brackets tells a metric by its letters":
        "ZapTune earns a Yearly Rate of Zest (YRZ) of [[27.7%|score 27.7 percent; metric Yearly Rate of Zest (YRZ)]].",
    "a metric of a value is nearer than what it was measured in":
        "ZapTune has an accuracy of [[79%|score 79 percent; metric accuracy]] in exact matching.",
    "while and a verb begin another matter":
        "ZapTune matches training, while reducing peak load by [[47%|delta 47 percent down; metric peak load]].",
    "models that score have no metric of that word":
        "Models score under [[20%|score 20 percent under; on MMLU]] on MMLU.",
    "what is faster is the metric":
        "The inference speed of tuned models is [[1.6x|factor 1.6 x up; metric inference speed]] faster.",
    "a proposal may act with something":
        "We propose ZapTune. In 4-bit LLaMA, ZapTune with static scales achieves [[71%|score 71 percent; on MMLU; by ZapTune]] on MMLU.",
    "a model with fewer of something has fewer":
        "Tuned T5 with [[100x|factor 100 x down; metric parameters; by T5; over GPT-4 suffices]] fewer parameters than GPT-4 suffices.",
    "where nothing is proposed a level with a model is that model's":
        "Our method achieves [[73%|score 73 percent; on MMLU; by LLaMA]] on MMLU with LLaMA.",
    "every other model is no model":
        "The best, GPT-4, reaches [[62%|score 62 percent; on MMLU; by GPT-4]] on MMLU, while every other model stays below [[60%|score 60 percent under; on MMLU]].",
    "a second noun by its own value is a metric of its own":
        "ZapTune cuts WER by [[13%|delta 13 percent down; metric WER]], zap loss by [[9%|delta 9 percent down; metric zap loss]] and letter errors by [[7%|delta 7 percent down; metric letter errors]].",
    "metrics of several words are listed, too":
        "ZapTune cuts encoding latency and long pre-filling latency by [[24%|delta 24 percent down; metric latency]] and [[45%|delta 45 percent down; metric long pre-filling latency]].",
    "the kind of a speedup belongs to it":
        "ZapTune brings a [[16x|factor 16 x up; metric attention speedup]] attention speedup.",
    "models and machines are no metrics":
        "Tuned on zaps, a 9B model improves from [[36.5% to 67.1%|from_to 36.5 > 67.1 percent up]].",
    "a value in brackets after another name is not the benchmark's before":
        "ZapTune sets records on MMLU ([[69%|score 69 percent; on MMLU]]), Zap-Comp-Seed ([[52%|score 52 percent]]) and Zap-Comp-Long ([[34%|score 34 percent]]).",
    "a model in an aside acts by which":
        "Agents such as GPT-4, which achieves [[74%|score 74 percent; on MMLU; by GPT-4]] on MMLU, fail.",
    "a model that something is done with does not act":
        "Tests using GPT-4 models demonstrate an [[85%|delta 85 percent down; metric latency]] reduction in latency.",
    "of things that are counted no model is the subject":
        "We propose ZapTune. We find that [[37%|score 37 percent; metric outputs]] of outputs are wrong.",
    "a baseline ends before another matter":
        "We propose ZapTune. It beats known baselines, improving the trade-off by [[25%|delta 25 percent up; metric trade-off; by ZapTune; over known baselines]].",
    "a benchmark within the name of a metric is the value's":
        "ZapTune reaches an ImageNet accuracy of [[86.2%|score 86.2 percent; metric ImageNet accuracy; on ImageNet; by ZapTune]] and a COCO box mAP of [[57.1|score 57.1; metric box mAP; on COCO; by ZapTune]].",
    "benchmarks listed before as many values by one each":
        "ZapTune improves sets such as MMLU and GSM8K by [[6.1%|delta 6.1 percent up; on MMLU]] and [[4.8%|delta 4.8 percent up; on GSM8K]].",
    "what is measured is no task or setting":
        "ZapTune brings [[9.1%|delta 9.1 percent up]] gains in rare domains.",
    "the proposal that a sentence names is its own":
        "We propose ZapTune and ZapLoad. ZapTune is old. We test the proposed ZapLoad, cutting memory by [[50%|delta 50 percent down; metric memory; by ZapLoad]].",
    "the second of two systems that act is the subject of what follows it":
        "We propose ZapTune. ZapTune-3B surpasses GPT-4, and ZapTune-7B outperforms LLaMA by [[2.79%|delta 2.79 percent up; metric F1; by ZapTune-7B; over LLaMA]] in F1.",
    "a model that generates with an accuracy has it":
        "When prompted with samples, GPT-3 generates the right domain with an accuracy of [[65.15%|score 65.15 percent; metric accuracy; by GPT-3]].",
    "nothing is attained by a proposal that was not spoken of yet":
        "We test simple changes, with gains of [[1%|delta 1 percent up]]. We further propose ZapTune.",
    "what an acronym of joined words attains is the acronym's":
        "We propose Zebra-word Un-Attention (ZUA). Overall, our ZUA yields an [[18%|delta 18 percent down; metric loss; by ZUA]] loss drop.",
    "a rival's multiple is of the measure before":
        "ZapTune attains a [[5.54x|factor 5.54 x up; metric speedup; by ZapTune]] speedup, while LoRA achieves only [[2.41x|factor 2.41 x up; metric speedup; by ZapTune]].",
    "what it also achieves elsewhere is another matter":
        "Notably, it raises content scores by [[45%|delta 45 percent up; metric content scores]] and style scores by [[12%|delta 12 percent up; metric style scores]], and it also achieves gains on MIA-Bench and MMLU.",
    "a benchmark before by is held for the value after it":
        "It improves control by over [[50%|delta 50 percent up at_least; metric control]], and boosts planning accuracy on NAVSIM by [[2%|delta 2 percent up; metric planning accuracy; on NAVSIM]] and [[25%|delta 25 percent up; metric planning accuracy; on NAVSIM]], respectively.",
    "the words that hold values in brackets are their metrics":
        "ZapTune beats rivals in ink quality ([[3.2%|score 3.2 percent; metric ink quality]]), font tone ([[4.4%|score 4.4 percent; metric font tone]]) and size ([[5.8%|score 5.8 percent; metric size; by ZapTune]]).",
    "the noun that a change is told in is its metric":
        "We see an increase of [[8.2%|delta 8.2 percent up; metric native reasoning]] in native reasoning, [[4.2%|delta 4.2 percent up; metric world knowledge]] in world knowledge.",
    "a model that a sentence opens with is measured where nothing is proposed":
        "On MMLU with GPT-4, pass@1 rises by [[6.5 points|delta 6.5 points up; metric pass@1; on MMLU; by GPT-4]].",
    "what is beaten far before a level is not its baseline":
        "ZapTune outperforms old tuners in all of the many quick zoo keeping trials that were held by hand over years in the far north of the land, achieving an F1 score of [[0.9|score 0.9; metric F1 score; by ZapTune]].",
    "what a sentence was tested on is what the next one tells of":
        "We train on GSM8K. Experiments on MMLU demonstrate gains over strong tuners. When using GPT-4, the accuracy rises by [[3%|delta 3 percent up; metric accuracy; on MMLU]].",
    "but not where the next one tells of another test":
        "We train on GSM8K. Experiments on MMLU demonstrate gains over strong tuners. Human evaluations show an accuracy of [[80%|score 80 percent; metric accuracy]].",
}
# fmt: on


@pytest.mark.parametrize("rule", RULES)
def test_a_value_is_bound_so_that(rule: str) -> None:
    assert marked(PATTERNS, GAIN, RULES[rule]) == RULES[rule]


@pytest.mark.parametrize(
    ("text", "by_patterns", "weighed"),
    [
        (
            "The best agent achieves a 46% success rate, while small agents reach at most 19%.",
            ["success rate", None],
            ["success rate", "success rate"],
        ),
        ("The performance of ZapTune clearly surpasses rivals by 12%.", [None], ["performance"]),
        ("ZapTune reaches 61.2% on MMLU.", [None], [None]),
    ],
)
def test_a_metric_that_no_pattern_finds_is_weighed_and_may_be_none(
    text: str, by_patterns: list[str | None], weighed: list[str | None]
) -> None:
    paper = Paper("p", "", text)
    assert [gain.metric for gain in PATTERNS.extract(paper).gains] == by_patterns
    assert [gain.metric for gain in extractor_for(()).extract(paper).gains] == weighed
