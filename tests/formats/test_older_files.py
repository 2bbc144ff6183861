"""tokenizer.json as older versions wrote it: what `tokenizers` reads from it, ours reads."""

from __future__ import annotations

import json

import pytest
import tokenizers as oracle
from tokenizer_samples import byte_level_json

from textpipe import Tokenizer, formats
from textpipe.errors import FormatError

norm, pre, post, dec = oracle.normalizers, oracle.pre_tokenizers, oracle.processors, oracle.decoders
SAMPLES = {
    "normalizer": [
        norm.NFC(), norm.Strip(), norm.StripAccents(), norm.BertNormalizer(), norm.Nmt(), norm.Prepend("_"),
        norm.ByteLevel(), norm.Replace("a", "b"), norm.Lowercase(), norm.Sequence([norm.NFC()]),
    ],
    "pre_tokenizer": [
        pre.ByteLevel(), pre.Digits(), pre.Sequence([]), pre.Split(oracle.Regex("a"), "isolated"), pre.FixedLength(3),
        pre.BertPreTokenizer(), pre.CharDelimiterSplit("a"), pre.Metaspace(), pre.Punctuation(), pre.UnicodeScripts(),
        pre.Whitespace(), pre.WhitespaceSplit(),
    ],
    "post_processor": [
        post.BertProcessing(("a", 0), ("b", 1)), post.ByteLevel(), post.RobertaProcessing(("a", 0), ("b", 1)),
        post.Sequence([]), post.TemplateProcessing("a $A", "a $A a $B", [("a", 0)]),
    ],
    "decoder": [
        dec.BPEDecoder(), dec.ByteFallback(), dec.ByteLevel(), dec.CTC(), dec.Fuse(), dec.Metaspace(),
        dec.Replace("a", "b"), dec.Sequence([]), dec.Strip(), dec.WordPiece(),
    ],
}  # fmt: skip
# A post-processor with half of RoBERTa's fields is to `tokenizers` one of BERT's, which drops what it was told.
REFUSED_HERE = {("RobertaProcessing", "trim_offsets"), ("RobertaProcessing", "add_prefix_space")}
MODELS = [
    {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]], "dropout": None, "unk_token": None,
     "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
     "ignore_merges": False},
    {"type": "WordPiece", "unk_token": "a", "continuing_subword_prefix": "##", "max_input_chars_per_word": 9,
     "vocab": {"a": 0}},
    {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"},
]  # fmt: skip


def read_by_both(row):
    """What both write again, or None where one refuses the file."""
    text = json.dumps(row)
    try:
        theirs = oracle.Tokenizer.from_str(text).to_str()
    except Exception:
        theirs = None
    try:
        ours = Tokenizer.from_str(text).to_str()
    except FormatError:
        ours = None
    return theirs, ours


def every_field_left_out():
    for stage, parts in SAMPLES.items():
        for part in parts:
            row = json.loads(part.__getstate__())
            for key in row:
                yield pytest.param(stage, row, key, id=f"{row['type']}-{key}")


@pytest.mark.parametrize(("stage", "part", "key"), list(every_field_left_out()))
def test_a_part_without_one_field_is_read_as_by_tokenizers(stage, part, key):
    row = json.loads(byte_level_json())
    row[stage] = {name: value for name, value in part.items() if name != key}
    theirs, ours = read_by_both(row)
    if (part["type"], key) in REFUSED_HERE:
        assert ours is None
    else:
        assert ours == theirs


@pytest.mark.parametrize(
    ("model", "key"), [pytest.param(row, key, id=f"{row['type']}-{key}") for row in MODELS for key in row]
)
def test_a_model_without_one_field_is_read_as_by_tokenizers(model, key):
    theirs, ours = read_by_both({"model": {name: value for name, value in model.items() if name != key}})
    assert ours == theirs


def test_a_file_with_a_model_alone_is_whole():
    theirs, ours = read_by_both({"model": MODELS[0]})
    assert ours == theirs is not None


@pytest.mark.parametrize(
    "fields",
    [
        {"add_prefix_space": True},
        {"add_prefix_space": True, "str_rep": "_"},
        {"add_prefix_space": True, "prepend_scheme": "first"},
        {"add_prefix_space": False, "prepend_scheme": "never"},
        {"add_prefix_space": True, "prepend_scheme": "never", "str_rep": "x"},
    ],
)
@pytest.mark.parametrize("stage", ["pre_tokenizer", "decoder"])
def test_metaspace_as_it_was_written_before_schemes_is_read(stage, fields):
    row = json.loads(byte_level_json())
    row[stage] = {"type": "Metaspace", "replacement": "_", **fields}
    theirs, ours = read_by_both(row)
    assert ours == theirs is not None


def test_metaspace_without_a_prefix_space_and_without_a_scheme_never_prepends():
    # `tokenizers` 0.23 refuses the file; older versions wrote it.
    row = json.loads(byte_level_json())
    row["pre_tokenizer"] = {"type": "Metaspace", "replacement": "_", "str_rep": "_", "add_prefix_space": False}
    theirs, ours = read_by_both(row)
    assert theirs is None
    assert '"prepend_scheme":"never"' in ours


def test_a_file_that_tokenizers_cannot_read_is_not_made_unsaid(tmp_path):
    from sentencepiece_models import model_bytes

    path = tmp_path / "x.model"
    path.write_bytes(model_bytes("bpe with suffixes"))
    parts = formats.read_file(path)
    lost = formats.losses(parts, "tokenizer.json")
    assert lost == ["model, normalizer, decoder of textpipe's own: `tokenizers` cannot read the file"]
    formats.write_file(parts, tmp_path / "x.json", accept_losses=True)
    with pytest.raises(Exception, match=r"untagged|unknown|variant"):
        oracle.Tokenizer.from_file(str(tmp_path / "x.json"))
    assert (
        Tokenizer.from_file(tmp_path / "x.json").encode("영화 한국어").ids
        == Tokenizer.from_file(path).encode("영화 한국어").ids
    )
