"""What a fine-tuned BERT of `transformers` tells, in its config.json.

What enters: a shape with labels, or the config.json of a model of theirs. What leaves: the keys that name the labels,
or the kind of shape and its labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textpipe.formats.fields import Field
from textpipe.nn.shapes import (
    BertConfig,
    ClassifierConfig,
    EncoderConfig,
    RegressorConfig,
    SpanFinderConfig,
    TaggerConfig,
)

__all__ = ["HEADS", "head_from", "labels_of"]

HEADS: Mapping[type[Any], str] = {
    ClassifierConfig: "BertForSequenceClassification",
    RegressorConfig: "BertForSequenceClassification",
    TaggerConfig: "BertForTokenClassification",
    SpanFinderConfig: "BertForQuestionAnswering",
}
"""Their model of each shape of a fine-tuned encoder."""


def labels_of(shape: Any) -> dict[str, Any]:
    """How theirs writes down what a head tells apart."""
    if isinstance(shape, RegressorConfig):
        return {"id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}, "problem_type": "regression"}
    if not isinstance(shape, ClassifierConfig | TaggerConfig):
        return {}
    numbered = list(enumerate(shape.labels))
    found = {
        "id2label": {str(number): name for number, name in numbered},
        "label2id": {name: number for number, name in numbered},
    }
    return found | ({"problem_type": "single_label_classification"} if isinstance(shape, ClassifierConfig) else {})


def head_from(config: Field, names: list[str]) -> tuple[type[EncoderConfig], dict[str, Any]]:
    """Which encoder a config.json describes, and what is of its head in it."""
    if "BertForQuestionAnswering" in names:
        return SpanFinderConfig, {}
    if not {"BertForSequenceClassification", "BertForTokenClassification"} & set(names):
        return BertConfig, {"next_sentence": "BertForPreTraining" in names}
    table = config.part("id2label", required=False)
    labels: list[str] = ["LABEL_0", "LABEL_1"]  # theirs leaves the table out where it is this one
    if table is not None and table.value is not None:
        labels = [table.need(str(number)).of(str) for number in range(len(table.of(dict)))]
    if "BertForTokenClassification" in names:
        return TaggerConfig, {"labels": labels}
    kind = config.part("problem_type", required=False)
    if kind is not None and kind.value == "multi_label_classification":
        kind.fail("is multi_label_classification, which is not computed here", allowed="one label a text")
    return (RegressorConfig, {}) if len(labels) == 1 else (ClassifierConfig, {"labels": labels})
