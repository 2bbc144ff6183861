"""tokenizer.json: written as `tokenizers` writes it, read with every fault named."""

from __future__ import annotations

import copy
import dataclasses
import json
import re

import pytest
import tokenizers as oracle
from tokenizer_samples import byte_level_json

from textpipe import Tokenizer
from textpipe.errors import FormatError, InputError, LimitError
from textpipe.formats import read_file, tokenizer_json
from textpipe.limits import DEFAULT_LIMITS
from textpipe.models import BPE

norm, pre, post = oracle.normalizers, oracle.pre_tokenizers, oracle.processors


def with_everything() -> oracle.Tokenizer:
    made = oracle.Tokenizer.from_str(byte_level_json())
    pattern = oracle.Regex(r"[가-힣]+|\d")
    made.normalizer = norm.Sequence(
        [
            norm.NFC(), norm.NFD(), norm.NFKC(), norm.NFKD(), norm.Lowercase(), norm.Replace("가", '"\u2028\x01'),
            norm.Replace(pattern, ""),
        ]
    )  # fmt: skip
    splits = [
        pre.Split(pattern, behavior, invert)
        for behavior in ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous")
        for invert in (False, True)
    ]
    made.pre_tokenizer = pre.Sequence(
        [pre.Whitespace(), pre.WhitespaceSplit(), pre.Digits(True), pre.Split(" ", "removed"), *splits, pre.ByteLevel()]
    )
    made.post_processor = post.TemplateProcessing("<|endoftext|> $A:0", "$A <|endoftext|> $B:1", [("<|endoftext|>", 0)])
    made.add_tokens([oracle.AddedToken("코딩 ", lstrip=True, rstrip=True, single_word=True), "é\x7f\n"])
    return made


@pytest.mark.parametrize("pretty", [False, True])
def test_every_part_is_written_byte_for_byte_as_tokenizers_writes_it(pretty):
    theirs = with_everything()
    assert Tokenizer.from_str(theirs.to_str()).to_str(pretty) == theirs.to_str(pretty=pretty)


@pytest.mark.parametrize(
    "dropout", [0.1, 0.0, 1.0, 0.05, 1e-5, 1.5e-5, 1e-6, 1.25e-7, 1e-10, 0.123456789, 1 / 3, 0.99999]
)
@pytest.mark.parametrize("pretty", [False, True])
def test_dropout_is_written_with_the_digits_of_a_single_float(dropout, pretty):
    expected = oracle.Tokenizer(oracle.models.BPE(dropout=dropout)).to_str(pretty=pretty)
    assert Tokenizer(BPE(dropout=dropout)).to_str(pretty) == expected
    assert Tokenizer.from_str(expected).to_str(pretty) == expected


def test_tokenizers_and_transformers_load_what_is_saved(tmp_path):
    Tokenizer.from_str(byte_level_json()).save(tmp_path / "tokenizer.json")
    text = "안녕하세요 ㅋㅋ <|endoftext|> it's"
    ids = Tokenizer.from_file(tmp_path / "tokenizer.json").encode(text).ids
    assert oracle.Tokenizer.from_file(str(tmp_path / "tokenizer.json")).encode(text).ids == ids
    transformers = pytest.importorskip("transformers")
    assert (
        transformers.PreTrainedTokenizerFast(tokenizer_file=str(tmp_path / "tokenizer.json"))(text)["input_ids"] == ids
    )


def test_older_files_with_merges_as_strings_are_read():
    row = json.loads(byte_level_json())
    row["model"]["merges"] = [" ".join(pair) for pair in row["model"]["merges"]]
    for key in ("ignore_merges", "byte_fallback", "dropout"):
        del row["model"][key]
    del row["decoder"]["use_regex"]
    assert Tokenizer.from_str(json.dumps(row)).to_str() == byte_level_json()


def small() -> dict:
    """A small tokenizer.json as plain data."""
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": 0, "content": "<e>", "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
                "special": True,
            }
        ],
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}]},
        "pre_tokenizer": {"type": "Split", "pattern": {"String": " "}, "behavior": "Removed", "invert": False},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<e>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<e>": {"id": "<e>", "ids": [0], "tokens": ["<e>"]}},
        },
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
            "vocab": {"<e>": 0, "가": 1, "나": 2, "가나": 3}, "merges": [["가", "나"]],
        },
    }  # fmt: skip


def test_the_small_file_is_sound():
    text = json.dumps(small())
    assert Tokenizer.from_str(text).encode("가나").ids == oracle.Tokenizer.from_str(text).encode("가나").ids == [0, 3]


def test_a_file_cut_at_any_byte_is_a_format_error():
    data = json.dumps(small(), ensure_ascii=False).encode()
    for size in range(len(data)):
        with pytest.raises(FormatError):
            Tokenizer.from_buffer(data[:size])


def test_every_value_of_a_wrong_type_is_a_format_error_that_names_a_field():
    for path in every_path(small()):
        for wrong in (None, True, -1, 1.5, "wrong", [], {}, [[]], {"a": 1}, 1 << 70):
            row = small()
            parent = row
            for step in path[:-1]:
                parent = parent[step]
            if parent[path[-1]] == wrong and type(parent[path[-1]]) is type(wrong):
                continue
            parent[path[-1]] = wrong
            assert fault_of(json.dumps(row)) != "", (path, wrong)


def fault_of(text):
    """The field a file is refused for, or None when it loads and encodes."""
    try:
        Tokenizer.from_str(text).encode("가나 다")
    except FormatError as error:
        return error.field or ""
    except InputError as error:  # it loads; the unknown token is missed where a character needs it
        return "model.unk_token" if "lacks the unk_token" in error.what else ""
    return None


def every_path(value, path=()):
    if path:
        yield path
    if isinstance(value, dict):
        for key in value:
            yield from every_path(value[key], (*path, key))
    elif isinstance(value, list):
        for number in range(len(value)):
            yield from every_path(value[number], (*path, number))


FAULTS = [
    (("version",), "2.0", 'version: is "2.0"'),
    (("truncation",), {"max_length": 3}, r"truncation\.stride: is missing"),
    (("model", "type"), "Trigram", r"model\.type: is \"Trigram\", a model there is none of here yet"),
    (("normalizer", "type"), "NFX", r"normalizer\.type.*did you mean"),
    (("normalizer", "normalizers", 0), {"type": "Precompile"}, r"normalizer\.normalizers\[0\]\.type.*known: "),
    (("pre_tokenizer", "behavior"), "Remove", 'did you mean "Removed"'),
    (("pre_tokenizer", "pattern"), {"Regex": "("}, "not a regular expression"),
    (("pre_tokenizer", "pattern"), {"Regex": "a" * 5000}, "5000 characters"),
    (("model", "vocab"), {"a": 0, "b": 0}, 'gives "a" and "b" the same id 0'),
    (("model", "vocab"), {"a": 1 << 40}, 'gives "a" the id 1099511627776'),
    (("model", "vocab"), {"a": -1}, 'gives "a" the id -1'),
    (("model", "vocab"), {"\ud800": 0}, "lone surrogate"),
    (("model", "vocab"), {"가" * 50_000: 0}, "piece of 50000 characters"),
    (("model", "merges"), [["가", "다"]], 'needs the piece "다"'),
    (("model", "merges"), [["나", "가"]], 'needs the piece "나가"'),
    (("model", "merges"), [["가", "나", "가"]], r"model\.merges\[0\]: is no merge"),
    (("model", "merges"), ["가나"], r"model\.merges\[0\]: is no merge"),
    (("model", "dropout"), 2.0, r"model\.dropout: is 2\.0"),
    (("added_tokens", 0, "id"), 7, r"added_tokens\[0\]\.id: is 7, and \"<e>\" has the id 0"),
    (("added_tokens", 0, "content"), 5, r"added_tokens\[0\]\.content: is 5"),
    (("post_processor", "single", 0, "SpecialToken", "id"), "<z>", 'has "<z>", which special_tokens does not list'),
    (("post_processor", "pair"), [{"Sequence": {"id": "A", "type_id": 0}}], r"must have both \$A and \$B"),
    (("post_processor", "special_tokens", "<e>", "ids"), [0, 1], "as many ids as tokens"),
    (("post_processor", "special_tokens", "<e>", "ids"), [-1], "has the id -1"),
    (("post_processor", "special_tokens", "<e>", "ids"), [1 << 32], "has the id 4294967296"),
    (
        ("post_processor", "single", 0, "SpecialToken", "id"),
        "\udc00",
        r"post_processor\.single\[0\]\.SpecialToken\.id: .*surrogate",
    ),
    (("normalizer", "normalizers", 0), {"type": "Replace", "pattern": {"Regex": "\udc00"}, "content": ""}, "surrogate"),
    (("model", "end_of_word_suffix"), "\ud800", r"model\.end_of_word_suffix: holds a lone surrogate"),
    (("extra",), 1, "extra: is not a known field"),
]


@pytest.mark.parametrize(("path", "value", "message"), FAULTS)
def test_a_fault_is_named_with_its_field(path, value, message):
    row = copy.deepcopy(small())
    parent = row
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    with pytest.raises(FormatError) as caught:
        Tokenizer.from_str(json.dumps(row))
    assert re.search(message, str(caught.value)), str(caught.value)
    assert str(caught.value).startswith("tokenizer.json: ")


def test_a_missing_field_is_named_with_what_is_there_in_its_place():
    row = small()
    row["pre_tokenizer"]["patern"] = row["pre_tokenizer"].pop("pattern")
    with pytest.raises(FormatError, match=r'pre_tokenizer\.pattern: is missing.*there is "patern"'):
        Tokenizer.from_str(json.dumps(row))


@pytest.mark.parametrize("key", ["vocab", "merges"])
def test_a_missing_field_of_the_model_is_named(key):
    row = small()
    del row["model"][key]
    with pytest.raises(FormatError, match=rf"model\.{key}: is missing"):
        Tokenizer.from_str(json.dumps(row))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("[]", "allowed: an object"),
        ("[" * 100_000, "nested deeper than 32"),
        ('{"a":' * 100_000, "nested deeper than 32"),
        ('{"version": "1.0", "version": "1.0"}', "a key stands twice"),
        ('{"version": ' + "9" * 10_000 + "}", "not JSON that can be used"),
        ("null", "allowed: an object"),
        ('"' + '\\"' * 200_000, "not JSON"),
        ('"' + '\\"' * 200_000 + "\\", "not JSON"),
    ],
)
def test_what_is_no_tokenizer_json_is_refused(text, message):
    with pytest.raises(FormatError, match=message):
        Tokenizer.from_str(text)


def test_bytes_that_are_no_utf8_are_refused_with_their_place():
    with pytest.raises(FormatError, match="at byte 2: not UTF-8"):
        Tokenizer.from_buffer(b'{"\xff"}')


def test_an_escaped_pair_of_surrogates_is_one_character():
    row = small()
    row["model"]["vocab"]["😀"] = 4
    assert Tokenizer.from_str(json.dumps(row)).token_to_id("😀") == 4


def test_a_bracket_inside_a_piece_is_not_depth():
    row = small()
    row["model"]["vocab"]['[[[[{{{{\\"'] = 4
    row["model"]["vocab"]["[" * 100] = 5
    assert Tokenizer.from_str(json.dumps(row)).get_vocab_size() == 6


def test_a_missing_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        Tokenizer.from_file(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("name", "held"), [("vocab_size", 4), ("num_merges", 1), ("num_added_tokens", 1), ("json_depth", 5)]
)
def test_caps_hold_at_their_number_and_not_above(name, held):
    text = json.dumps(small())
    tokenizer_json.read(text, path="x", limits=dataclasses.replace(DEFAULT_LIMITS, **{name: held}))
    with pytest.raises(FormatError, match=r"^x"):
        tokenizer_json.read(text, path="x", limits=dataclasses.replace(DEFAULT_LIMITS, **{name: held - 1}))


def test_a_file_above_the_cap_is_a_limit_error(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(small()), encoding="utf-8")
    limits = dataclasses.replace(DEFAULT_LIMITS, tokenizer_file_bytes=path.stat().st_size - 1)
    with pytest.raises(LimitError, match="allowed"):
        read_file(path, limits=limits)


def with_added(*rows):
    model = oracle.models.WordLevel({"가": 0, "나": 1, "[UNK]": 2}, "[UNK]")
    row = json.loads(oracle.Tokenizer(model).to_str())
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    row["added_tokens"] = [{"id": number, "content": content, **flags} for number, content in rows]
    return json.dumps(row)


@pytest.mark.parametrize(
    "rows",
    [[(4, "<x>"), (3, "<y>")], [(7, "<x>"), (90, "<y>")], [(0, "가"), (5, "<x>"), (1, "나"), (3, "<y>")]],
    ids=str,
)
def test_added_tokens_out_of_order_get_the_ids_of_tokenizers_and_a_warning(rows):
    text = with_added(*rows)
    with pytest.warns(UserWarning, match="next free id") as caught:
        ours = Tokenizer.from_str(text)
    assert caught[0].filename == __file__
    theirs = oracle.Tokenizer.from_str(text)
    shown = "가<x>나<y>없는말"
    assert ours.encode(shown).ids == theirs.encode(shown).ids
    assert ours.get_vocab() == theirs.get_vocab()
    assert ours.to_str() == theirs.to_str()


def test_the_warning_points_at_the_line_that_reads_whatever_the_way(tmp_path):
    text = with_added((4, "<x>"), (3, "<y>"))
    path = tmp_path / "tokenizer.json"
    path.write_text(text, encoding="utf-8")
    for read in (
        lambda: Tokenizer.from_str(text),
        lambda: Tokenizer.from_buffer(text.encode()),
        lambda: Tokenizer.from_file(path),
        lambda: read_file(path),
    ):
        with pytest.warns(UserWarning, match="next free id") as caught:
            read()
        assert (caught[0].filename, caught[0].lineno) == (__file__, read.__code__.co_firstlineno)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(3, "<x>"), (3, "<y>")], r'added_tokens\[1\].id: is 3, the id of "<x>"'),
        ([(0, "<x>")], 'is 0, the id of "가"'),
        ([(3, "<x>"), (4, "<x>")], 'is 4, and "<x>" has the id 3'),
        ([(5, "가")], 'is 5, and "가" has the id 0'),
        ([(1 << 24, "<x>")], "is 16777216"),
        ([(-1, "<x>")], "is -1"),
        ([(3, "")], r"added_tokens\[0\].content: is empty"),
    ],
    ids=str,
)
def test_ids_of_added_tokens_that_contradict_each_other_are_refused(rows, message):
    with pytest.raises(FormatError, match=message):
        Tokenizer.from_str(with_added(*rows))


def test_an_added_token_that_shares_an_id_as_in_tokenizers_is_read_and_one_that_would_come_to_is_not():
    row = json.loads(with_added((2, "<x>")))
    row["model"]["vocab"] = {"가": 0, "[UNK]": 2}  # the next free id is 2, as `tokenizers` counts
    text = json.dumps(row)
    assert Tokenizer.from_str(text).encode("<x>").ids == oracle.Tokenizer.from_str(text).encode("<x>").ids == [2]
    row["added_tokens"][0]["id"] = 7
    with pytest.raises(FormatError, match=r'is 7, and the next free one, 2, is that of "\[UNK\]"'):
        Tokenizer.from_str(json.dumps(row))
