"""tokenizer.json as older versions wrote it: what `tokenizers` reads from it, ours reads."""

from __future__ import annotations

import json
import warnings

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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of RobertaProcessing, see below
        theirs, ours = read_by_both(row)
    assert ours == theirs


@pytest.mark.parametrize(
    "flags",
    [{}, {"trim_offsets": True}, {"add_prefix_space": False}, {"trim_offsets": None, "add_prefix_space": True}],
    ids=str,
)
def test_roberta_processing_without_all_its_flags_is_that_of_bert_as_in_tokenizers_and_a_warning_says_so(flags):
    row = json.loads(byte_level_json())
    row["post_processor"] = {"type": "RobertaProcessing", "sep": ["a", 0], "cls": ["b", 1], **flags}
    with pytest.warns(UserWarning, match="post_processor has not all of .* and is read as BertProcessing"):
        theirs, ours = read_by_both(row)
    assert ours == theirs is not None
    assert json.loads(ours)["post_processor"]["type"] == "BertProcessing"


@pytest.mark.parametrize(
    ("stage", "part"),
    [(stage, part) for stage, parts in SAMPLES.items() for part in parts],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_field_of_another_version_is_read_over_as_by_tokenizers_and_a_warning_names_it(stage, part):
    row = json.loads(byte_level_json())
    row[stage] = {**json.loads(part.__getstate__()), "한글 필드": [1]}
    with pytest.warns(UserWarning, match=f"{stage}.한글 필드 is not a known field and is read over") as caught:
        theirs, ours = read_by_both(row)
    assert ours == theirs is not None
    assert len(caught) == 1


def test_one_warning_names_the_first_of_many_fields_that_are_read_over_and_the_number_of_the_rest():
    row = json.loads(byte_level_json())
    surplus = {f"x{number}": number for number in range(9)}
    row["normalizer"] = {"type": "Sequence", "normalizers": [{"type": "NFC", **surplus}]}
    with pytest.warns(UserWarning, match=r"normalizer\.normalizers\[0\]\.x4 .*; and 4 more$") as caught:
        theirs, ours = read_by_both(row)
    assert ours == theirs is not None
    assert len(caught) == 1


@pytest.mark.parametrize(
    ("section", "value"),
    [
        ("added_tokens", [{"id": 0, "content": "a", "single_word": False, "lstrip": False, "rstrip": False,
                           "normalized": False, "special": True}]),
        ("truncation", {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0}),
        ("padding", {"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0,
                     "pad_type_id": 0, "pad_token": "a"}),
    ],
)  # fmt: skip
def test_a_field_of_another_version_is_read_over_in_the_other_sections_too(section, value):
    row = {"model": MODELS[0], section: value}
    (value[0] if isinstance(value, list) else value)["later"] = None
    with pytest.warns(UserWarning, match=r"\.later is not a known field"):
        theirs, ours = read_by_both(row)
    assert ours == theirs is not None


@pytest.mark.parametrize("model", MODELS, ids=lambda row: row["type"])
def test_a_field_of_another_version_is_read_over_in_models_too(model):
    with pytest.warns(UserWarning, match=r"model\.later is not a known field"):
        theirs, ours = read_by_both({"model": {**model, "later": 1}})
    assert ours == theirs is not None


@pytest.mark.parametrize(
    ("stage", "part"),
    [
        ("normalizer", {"type": "Replace", "pattern": {"String": "a", "later": 1}, "content": "b"}),
        ("post_processor", {"type": "TemplateProcessing", "special_tokens": {}, "pair": [],
                            "single": [{"Sequence": {"id": "A", "type_id": 0}, "later": 1}]}),
        ("normalizer", {"type": "Later", "form": "NFC"}),
    ],
)  # fmt: skip
def test_what_is_one_of_several_things_may_have_no_field_of_another_version(stage, part):
    theirs, ours = read_by_both({"model": MODELS[0], stage: part})
    assert theirs is None
    assert ours is None


@pytest.mark.parametrize("key", ["fuse_unk", "byte_fallback", "ignore_merges"])
def test_a_setting_of_bpe_that_is_null_is_off_as_in_tokenizers(key):
    theirs, ours = read_by_both({"model": {**MODELS[0], key: None}})
    assert ours == theirs is not None


@pytest.mark.parametrize(
    ("stage", "part"),
    [(stage, part) for stage, parts in SAMPLES.items() for part in parts],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_type_that_is_null_is_as_none_at_all(stage, part):
    row = {"model": MODELS[0], stage: {**json.loads(part.__getstate__()), "type": None}}
    theirs, ours = read_by_both(row)
    assert ours == theirs


@pytest.mark.parametrize(
    "merges",
    [["#version: 0.2", "a b"], ["a b", "#version: 0.2"], ["#version: 0.2"], ["#version: 0.2 x y", "a b"],
     ["#version", "a b"], [["#version:", "0.2"], ["a", "b"]]],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("pieces", [(), ("#version:", "0.2", "#version:0.2")])
def test_the_first_line_of_a_merges_txt_is_no_merge(merges, pieces):
    vocab = {piece: number for number, piece in enumerate(("a", "b", "ab", *pieces))}
    theirs, ours = read_by_both({"model": {**MODELS[0], "vocab": vocab, "merges": merges}})
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
    assert lost == [
        "model, normalizer, decoder of textpipe's own: `tokenizers` cannot read the file, "
        "as it has nothing for treat_whitespace_as_suffix"
    ]
    formats.write_file(parts, tmp_path / "x.json", accept_losses=True)
    with pytest.raises(Exception, match=r"untagged|unknown|variant"):
        oracle.Tokenizer.from_file(str(tmp_path / "x.json"))
    assert (
        Tokenizer.from_file(tmp_path / "x.json").encode("영화 한국어").ids
        == Tokenizer.from_file(path).encode("영화 한국어").ids
    )
