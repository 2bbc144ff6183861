"""Settings of stages: changed after the fact, they act as in `tokenizers`; what cannot be is refused."""

from __future__ import annotations

import copy
import random

import pytest
import tokenizers as oracle

from textpipe import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from textpipe.errors import InputError
from textpipe.stages.pattern import Regex

TEXT = " 한국어를 배워요, 2024년! ㅋㅋㅋ  Hello 안녕하세요"


def both(package: str, name: str, *arguments, **options):
    ours = {
        "normalizers": normalizers,
        "pre_tokenizers": pre_tokenizers,
        "processors": processors,
        "decoders": decoders,
        "models": models,
    }[package]
    return getattr(ours, name)(*arguments, **options), getattr(getattr(oracle, package), name)(*arguments, **options)


CHANGES = [
    ("normalizers", "BertNormalizer", (), {"clean_text": False, "lowercase": False, "strip_accents": True}),
    ("normalizers", "Strip", (), {"left": False}),
    ("normalizers", "Prepend", ("▁",), {"prepend": "_"}),
    ("normalizers", "Replace", ("ㅋ", "k"), {"content": "ㅎ"}),
    ("pre_tokenizers", "ByteLevel", (), {"add_prefix_space": False, "use_regex": False, "trim_offsets": False}),
    ("pre_tokenizers", "CharDelimiterSplit", ("요",), {"delimiter": "어"}),
    ("pre_tokenizers", "Digits", (), {"individual_digits": True}),
    ("pre_tokenizers", "FixedLength", (3,), {"length": 2}),
    ("pre_tokenizers", "Metaspace", (), {"replacement": "_", "prepend_scheme": "never", "split": False}),
    ("pre_tokenizers", "Punctuation", (), {"behavior": "removed"}),
    ("pre_tokenizers", "Split", (" ", "isolated"), {"behavior": "merged_with_next", "invert": True}),
    ("processors", "ByteLevel", (), {"add_prefix_space": False, "trim_offsets": False}),
    ("processors", "BertProcessing", (("[S]", 1), ("[C]", 2)), {"sep": ("[T]", 3)}),
    ("processors", "RobertaProcessing", (("[S]", 1), ("[C]", 2)), {"cls": ("[T]", 3), "trim_offsets": False}),
    ("decoders", "BPEDecoder", (), {"suffix": "요"}),
    ("decoders", "CTC", (), {"pad_token": "한", "word_delimiter_token": "국", "cleanup": False}),
    ("decoders", "Metaspace", (), {"replacement": "_", "prepend_scheme": "never", "split": False}),
    ("decoders", "Strip", (), {"content": "한", "start": 1, "stop": 1}),
    ("decoders", "WordPiece", (), {"prefix": "한", "cleanup": False}),
]


@pytest.mark.parametrize(("package", "name", "arguments", "changes"), CHANGES, ids=lambda x: str(x)[:20])
def test_a_setting_that_is_changed_acts_and_prints_as_in_tokenizers(package, name, arguments, changes):
    ours, theirs = both(package, name, *arguments)
    assert repr(ours) == str(theirs)
    for setting, value in changes.items():
        setattr(ours, setting, value)
        setattr(theirs, setting, value)
        assert repr(ours) == str(theirs)
        if package == "normalizers":
            assert ours.normalize_str(TEXT) == theirs.normalize_str(TEXT)
        elif package == "pre_tokenizers":
            assert ours.pre_tokenize_str(TEXT) == theirs.pre_tokenize_str(TEXT)
        elif package == "decoders":
            assert ours.decode(["한▁", "국_어", "한요"]) == theirs.decode(["한▁", "국_어", "한요"])


def test_a_stage_of_a_tokenizer_that_is_changed_changes_the_tokenizer():
    vocab = {"한": 0, "국": 1, "한국": 2, "Ġ": 3, " ": 4, "2": 5, "4": 6, "?": 7}
    pieces = {**vocab, **{c: n for n, c in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()), len(vocab))}}
    ours = Tokenizer(models.BPE(pieces, [("한", "국")]))
    theirs = oracle.Tokenizer(oracle.models.BPE(pieces, [("한", "국")]))

    def same():
        # The other package goes on using words it remembers from before a change; a copy has none.
        fresh = oracle.Tokenizer.from_str(theirs.to_str())
        assert ours.encode(TEXT).ids == fresh.encode(TEXT).ids
        assert repr(ours).partition("vocab=")[0] == str(theirs).partition("vocab=")[0]
        return ours.encode(TEXT).ids

    same()
    stage = pre_tokenizers.ByteLevel()
    ours.pre_tokenizer, theirs.pre_tokenizer = stage, oracle.pre_tokenizers.ByteLevel()
    with_space = same()
    ours.pre_tokenizer.use_regex = theirs.pre_tokenizer.use_regex = False
    ours.pre_tokenizer.add_prefix_space = theirs.pre_tokenizer.add_prefix_space = False
    assert stage.add_prefix_space is False
    assert same() == with_space  # the text begins with a space
    for tokenizer, parts in ((ours, pre_tokenizers), (theirs, oracle.pre_tokenizers)):
        tokenizer.pre_tokenizer = parts.Sequence([parts.Whitespace(), parts.Digits()])
    before = same()
    ours.pre_tokenizer[0] = pre_tokenizers.Split(Regex("한"), "removed")
    theirs.pre_tokenizer[0] = oracle.pre_tokenizers.Split(oracle.Regex("한"), "removed")
    assert same() != before
    ours.pre_tokenizer[1].individual_digits = theirs.pre_tokenizer[1].individual_digits = True
    same()
    ours.model.unk_token = theirs.model.unk_token = "?"
    assert pieces["?"] in same()
    ours.model.fuse_unk = theirs.model.fuse_unk = True
    same()
    ours.model.dropout = theirs.model.dropout = 1.0
    same()


def test_a_sha256_follows_what_is_changed():
    tokenizer = Tokenizer(models.BPE({"가": 0}))
    tokenizer.decoder = decoders.WordPiece()
    before = tokenizer.sha256
    tokenizer.decoder.cleanup = False
    changed = tokenizer.sha256
    assert changed != before
    tokenizer.decoder.cleanup = True
    assert tokenizer.sha256 == before


def test_a_native_program_is_made_anew_only_for_a_change_of_its_own_stages():
    tokenizer = Tokenizer(models.BPE({"가": 0}))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()
    kept = tokenizer.pipeline
    pre_tokenizers.ByteLevel().add_prefix_space = False
    assert tokenizer.pipeline is kept
    tokenizer.pre_tokenizer.add_prefix_space = True  # as it was
    assert tokenizer.pipeline is kept
    tokenizer.pre_tokenizer.add_prefix_space = False
    assert tokenizer.pipeline is not kept


def test_a_setting_that_cannot_be_is_refused_and_the_old_one_kept():
    stage = pre_tokenizers.Metaspace()
    with pytest.raises(InputError, match="prepend_scheme"):
        stage.prepend_scheme = "sometimes"
    assert stage.prepend_scheme == "always"
    with pytest.raises(AttributeError, match='did you mean "replacement"'):
        stage.replacment = "_"
    model = models.BPE({"가": 0})
    with pytest.raises(InputError, match="dropout"):
        model.dropout = 2.0
    assert model.dropout is None
    both_ways = normalizers.Sequence([normalizers.NFC()])
    with pytest.raises(InputError, match="part 0 of a sequence is a str"):
        both_ways[0] = "NFC"
    with pytest.raises(InputError, match="part 1 of a sequence is a ByteLevel"):
        normalizers.Sequence([normalizers.NFC(), pre_tokenizers.ByteLevel()])
    assert repr(both_ways) == "Sequence(normalizers=[NFC()])"


def test_stages_compare_by_their_settings_and_keep_their_place_in_a_set():
    stage = pre_tokenizers.Sequence([pre_tokenizers.Digits(), pre_tokenizers.ByteLevel()])
    copied = copy.deepcopy(stage)
    kept = {stage}
    assert copied == stage
    stage[0].individual_digits = True
    assert stage in kept
    assert copied != stage
    assert stage != normalizers.Sequence([])
    del stage[0]
    assert [type(part).__name__ for part in stage] == ["ByteLevel"]
    assert len(stage) == 1


def test_long_tables_are_cut_short_when_printed():
    vocab = {chr(0xAC00 + n): n for n in range(random.Random(1).randrange(6, 9))}
    for ours, theirs in (both("models", "WordLevel", vocab, "가"), both("models", "WordPiece", vocab)):
        assert repr(ours) == str(theirs)
    special = [("[A]", 1), ("[B]", 2), {"id": "[C]", "ids": list(range(7)), "tokens": list("가나다라마바사")}]
    ours, theirs = both("processors", "TemplateProcessing", "[A]:1 $A [B] [C] [A] [B]", "$A $B:1", special)
    assert repr(ours) == str(theirs)


def test_a_copy_of_stages_within_stages_keeps_the_settings_there_were():
    made = pre_tokenizers.Sequence.of_parts(
        [pre_tokenizers.Sequence([pre_tokenizers.Metaspace()]), pre_tokenizers.Digits()]
    )
    kept, before = made.copy(), repr(made)
    assert kept == made
    made[0][0].prepend_scheme = "never"
    made[1] = pre_tokenizers.Whitespace()
    assert repr(kept) == before != repr(made)
