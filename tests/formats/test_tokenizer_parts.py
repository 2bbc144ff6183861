"""Every part alone: written and read as `tokenizers` writes it, each fault of its fields named."""

from __future__ import annotations

import json

import pytest
import tokenizers as oracle

from textpipe import Tokenizer
from textpipe.errors import FormatError

norm, pre, dec, post = oracle.normalizers, oracle.pre_tokenizers, oracle.decoders, oracle.processors
PARTS = [
    ("normalizer", norm.Strip(left=False)),
    ("normalizer", norm.Strip(right=False)),
    ("normalizer", norm.StripAccents()),
    ("normalizer", norm.BertNormalizer()),
    ("normalizer", norm.BertNormalizer(False, False, True, False)),
    ("normalizer", norm.Nmt()),
    ("normalizer", norm.Prepend("가\x01\u2028")),
    ("normalizer", norm.ByteLevel()),
    ("normalizer", norm.Sequence([norm.Nmt(), norm.Strip()])),
    ("pre_tokenizer", pre.BertPreTokenizer()),
    ("pre_tokenizer", pre.CharDelimiterSplit("가")),
    ("pre_tokenizer", pre.FixedLength(3)),
    ("pre_tokenizer", pre.Metaspace("가", "first", False)),
    ("pre_tokenizer", pre.Metaspace()),
    ("pre_tokenizer", pre.Punctuation("merged_with_next")),
    ("pre_tokenizer", pre.UnicodeScripts()),
    ("post_processor", post.BertProcessing(("가", 7), ("나", 8))),
    ("post_processor", post.RobertaProcessing(("가", 7), ("나", 8), False, True)),
    ("post_processor", post.Sequence([post.ByteLevel(), post.BertProcessing(("가", 7), ("나", 8))])),
    ("decoder", dec.BPEDecoder("가")),
    ("decoder", dec.ByteFallback()),
    ("decoder", dec.CTC("가", "나", False)),
    ("decoder", dec.Fuse()),
    ("decoder", dec.Metaspace("_", "first", False)),
    ("decoder", dec.Replace(oracle.Regex("가+"), "나")),
    ("decoder", dec.Sequence([dec.Replace("▁", " "), dec.ByteFallback(), dec.Fuse(), dec.Strip(" ", 1, 0)])),
    ("decoder", dec.Strip("가", 1, 2)),
    ("decoder", dec.WordPiece("@", False)),
]


@pytest.mark.parametrize(("stage", "part"), PARTS)
@pytest.mark.parametrize("pretty", [False, True])
def test_a_part_is_read_and_written_as_tokenizers_writes_it(stage, part, pretty):
    theirs = oracle.Tokenizer(oracle.models.BPE())
    setattr(theirs, stage, part)
    text = theirs.to_str(pretty=pretty)
    ours = Tokenizer.from_str(text)
    assert ours.to_str(pretty) == text
    made = getattr(ours, stage)
    assert type(made).__name__ == type(part).__name__
    assert made == getattr(Tokenizer.from_str(text), stage)
    again = Tokenizer(ours.model)
    setattr(again, stage, made)
    assert again.to_str(pretty) == text


FREE = ("prepend", "content", "suffix", "prefix", "pad_token", "word_delimiter_token")
"""Fields any string is right for."""
ROBERTA_FLAGS = ("trim_offsets", "add_prefix_space")


def fields():
    for stage, part in PARTS:
        theirs = oracle.Tokenizer(oracle.models.BPE())
        setattr(theirs, stage, part)
        row = json.loads(theirs.to_str())
        for key in row[stage]:
            yield stage, row, key


@pytest.mark.parametrize(("stage", "row", "key"), [*fields()])
def test_a_field_of_a_wrong_type_or_missing_is_named(stage, row, key):
    good = row[stage][key]
    may_be_absent = ("type", "strip_accents", "prepend_scheme", "split", "behavior", "length")
    for wrong in (None, True, -1, 1.5, "wrong", [], {}, [[]], {"a": 1}, 1 << 70):
        if (type(wrong) is type(good) and wrong not in ("wrong", [[]])) or (
            key in ("strip_accents", "split") and wrong is None
        ):
            continue
        if wrong is None and (key == "type" or key in ROBERTA_FLAGS):
            continue  # as if it were absent: test_older_files.py compares
        if (key in FREE and wrong == "wrong" and row[stage]["type"] != "Strip") or (
            key == "strip_accents" and wrong is True
        ):
            continue
        with pytest.raises(FormatError, match=rf"{stage}\.{key}"):
            Tokenizer.from_str(json.dumps({**row, stage: {**row[stage], key: wrong}}))
    if key not in (*may_be_absent, *ROBERTA_FLAGS) or row[stage]["type"] == "ByteLevel":
        with pytest.raises(FormatError, match=rf"{stage}\.{key}: is missing"):
            Tokenizer.from_str(json.dumps({**row, stage: {k: v for k, v in row[stage].items() if k != key}}))


@pytest.mark.parametrize("token", [["가"], ["가", "7"], [7, 7], ["가", -1], ["가", 1 << 32], ["가", 7, 7]])
@pytest.mark.parametrize("kind", ["BertProcessing", "RobertaProcessing"])
def test_a_token_of_a_processor_that_is_none_is_named(kind, token):
    theirs = oracle.Tokenizer(oracle.models.BPE())
    theirs.post_processor = getattr(post, kind)(("가", 7), ("나", 8))
    row = json.loads(theirs.to_str())
    row["post_processor"]["sep"] = token
    with pytest.raises(FormatError, match="post_processor"):
        Tokenizer.from_str(json.dumps(row))
