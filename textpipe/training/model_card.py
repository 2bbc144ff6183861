"""The card of a model: what it is, what it was trained on, how well it does, how to use it.

What enters: a run's configuration and what its log says. What leaves: Markdown, for the README.md of the run's folder
and of an export. It holds what is known and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textpipe import __version__
from textpipe.markdown import table
from textpipe.training.run_config import FINE_TUNED, RunConfig, StartIdentity

__all__ = ["NOTHING_WRITTEN", "model_card"]

NOTHING_WRITTEN = "(nothing: it ended at once)"
"""What is shown of a sample without text."""

_KINDS = {
    "gpt": "a language model: it goes on from a prompt",
    "bert": "an encoder: it fills masks, and is a start for classifiers",
    "transformer": "an encoder and decoder: it writes a target from a source",
    "bilingual": "an encoder and decoder: it translates between two languages, either way",
    "seq2seq": "a recurrent encoder and decoder: it writes a target from a source",
    "classifier": "an encoder that gives a text, or a pair of texts, a label",
    "regressor": "an encoder that gives a text, or a pair of texts, a number",
    "tagger": "an encoder that marks what parts of a text are",
    "span-finder": "an encoder that finds where a text answers a question",
}
_SCORES = {
    "val_accuracy": "accuracy on held-out examples",
    "val_macro_f1": "F1 on held-out examples, mean of the labels",
    "val_pearson": "Pearson's correlation on held-out examples",
    "val_spearman": "Spearman's correlation on held-out examples",
    "val_entity_f1": "F1 of whole entities in held-out examples",
    "val_entity_macro_f1": "the same, mean of the types",
    "val_exact_match": "held-out questions answered exactly",
    "val_answer_f1": "F1 of answers to held-out questions",
    "val_round_trip": "tokens of held-out text that come back from a translation there and back",
    "val_next_sentence_accuracy": "second halves of held-out sequences told right",
    "val_loss": "loss on held-out text, nats a token",
    "val_bits_per_byte": "bits per byte on held-out text",
    "unigram_entropy": "entropy of the tokens alone, nats a token",
    "unigram_bits_per_byte": "the same in bits per byte",
}
_THEIRS = {
    "gpt": "AutoModelForCausalLM",
    "bert": "AutoModelForMaskedLM",
    "transformer": "AutoModelForSeq2SeqLM",
    "classifier": "AutoModelForSequenceClassification",
    "regressor": "AutoModelForSequenceClassification",
    "tagger": "AutoModelForTokenClassification",
    "span-finder": "AutoModelForQuestionAnswering",
}
_PROMPTS = {"bert": "서울은 대한민국의 [MASK]이다", "gpt": "바다는"}


def model_card(
    config: RunConfig,
    *,
    name: str,
    step: int,
    num_parameters: int,
    scores: Mapping[str, float | None],
    samples: Sequence[Mapping[str, str]] = (),
    exported: bool = False,
) -> str:
    """The card of a model after ``step`` steps; ``exported`` when it lies in a folder of `transformers`."""
    kind, train, data = config.architecture, config.train, config.data
    facts = {
        "architecture": f"{kind}, {_KINDS[kind]}",
        "parameters": f"{num_parameters:,}",
        "shape": ", ".join(f"{key} {value}" for key, value in config.model.model_dump().items() if value is not None),
        "trained for": f"{step:,} of {train.steps:,} steps, {train.optimizer}, peak learning rate "
        f"{train.learning_rate:g} ({train.schedule}), seed {train.seed}",
        "began with": _beginning(config.start),
        "data": f"{data.path}, fingerprint {data.fingerprint[:16]}…",
        "tokenizer": f"sha256 {data.tokenizer_sha256[:16]}…",
    }
    names = {**_SCORES, "val_loss": "loss on held-out examples"} if kind in FINE_TUNED else _SCORES
    facts |= {label: f"{scores[key]:.4f}" for key, label in names.items() if scores.get(key) is not None}
    parts = [
        f"# {name}",
        f"Trained with textpipe {__version__}.",
        table(("", ""), facts.items()),
        _usage(kind, exported, getattr(config.model, "languages", ("", ""))),
    ]
    if samples:
        parts.append("## Samples\n\n" + "\n\n".join(_sample(sample) for sample in samples))
    parts.append(
        "## Limits\n\nIt knows what its data say, right or wrong, and nothing newer. What it writes is to be checked "
        "before it is relied on. The licence of a model follows that of its data."
    )
    return "\n\n".join(parts) + "\n"


def _beginning(start: StartIdentity | None) -> str:
    if start is None:
        return "random weights"
    return "; ".join([f"{start.path}, {start.sha256[:16]}…", *start.changes])


def _usage(kind: str, exported: bool, languages: tuple[str, str]) -> str:
    prompt = _PROMPTS.get(kind, "the sea is calm")
    lines = [f'textpipe generate . --prompt "{prompt}"']
    if kind in FINE_TUNED:
        lines = ["textpipe predict . examples.tsv" if kind != "span-finder" else "textpipe predict . questions.json"]
    if kind == "bilingual":
        lines = [f'textpipe translate . --target-language {languages[1]} --text "{prompt}"']
    elif not exported:
        lines.append("textpipe export . --to mymodel    # for transformers")
    text = "## Use\n\n```sh\n" + "\n".join(lines) + "\n```"
    if not exported or kind not in _THEIRS:
        return text
    return (
        f"{text}\n\n```python\nfrom transformers import AutoTokenizer, {_THEIRS[kind]}\n\n"
        f'tokenizer = AutoTokenizer.from_pretrained(".")\nmodel = {_THEIRS[kind]}.from_pretrained(".")\n```'
    )


def _sample(sample: Mapping[str, str]) -> str:
    """A fenced block, whose fence is longer than any that the text holds."""
    text = sample["text"] or NOTHING_WRITTEN
    lines = [sample["prompt"] + text]
    if "reference" in sample:
        lines = [f"source: {sample['prompt']}", f"written: {text}", f"expected: {sample['reference']}"]
    body = "\n".join(lines)
    fence = "```"
    while fence in body:
        fence += "`"
    return f"{fence}\n{body}\n{fence}"
