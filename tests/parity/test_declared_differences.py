"""The one list of what code written for `tokenizers` 0.23.3 finds otherwise here, each row with its reason.

A row runs the same code on both packages and holds both answers, so that a difference that is gone fails as one that is
new does. Names and arguments that differ stand in tests/contract/test_same_interface.py, with their reasons too.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import tokenizers

import textpipe
from textpipe.errors import FormatError, InputError


@dataclass(frozen=True)
class Difference:
    """The answers of one piece of code, or the kinds of error it ends in."""

    what: str
    reason: str
    code: Callable[[Any], Any]
    theirs: Any
    ours: Any


def one_word(package: Any) -> Any:
    return package.Tokenizer(package.models.WordLevel({"가": 0}, unk_token="가"))


def file_of_words(vocab: Any = None, *, added: Any = (), **stages: Any) -> str:
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    tokens = [{"id": number, "content": content, **flags} for number, content in added]
    model = {"type": "WordLevel", "vocab": vocab or {"가": 0, "나": 1}, "unk_token": "가"}
    return json.dumps({"added_tokens": tokens, "model": model, **stages})


def trained_again(package: Any) -> Any:
    tokenizer = one_word(package)
    tokenizer.add_special_tokens(["<s>"])
    tokenizer.pre_tokenizer = package.pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(["가 나 다"], package.trainers.WordLevelTrainer(vocab_size=10, show_progress=False))
    return [tokenizer.token_to_id(token) for token in ("가", "나", "다", "<s>")]


def encoded_after_a_second_training(package: Any) -> Any:
    tokenizer = package.Tokenizer(package.models.BPE())
    trainer = package.trainers.BpeTrainer(vocab_size=4, show_progress=False)
    tokenizer.train_from_iterator(["가나"], trainer)
    first = tokenizer.encode("가나").tokens
    tokenizer.train_from_iterator(["나가"], trainer)
    return first, tokenizer.encode("가나").tokens


def cut_to(package: Any, length: int) -> int:
    """How many tokens an encoding of three, special tokens among them, has afterwards."""
    tokenizer = one_word(package)
    tokenizer.post_processor = package.processors.BertProcessing(("가", 0), ("가", 0))
    tokenizer.enable_truncation(length)
    return len(tokenizer.encode("가"))


def erased(package: Any) -> Any:
    tokenizer = package.Tokenizer(package.models.BPE({"가": 0, "나": 1}, []))
    tokenizer.normalizer = package.normalizers.Replace("x", "")
    tokenizer.add_tokens([package.AddedToken("x", normalized=True)])
    return tokenizer.encode("가나").word_ids


def places_of_bytes(package: Any) -> Any:
    vocabulary = {"가": 0} | {f"<0x{byte:02X}>": number for number, byte in enumerate("##나".encode(), 1)}
    model = package.models.BPE(vocabulary, [], byte_fallback=True, continuing_subword_prefix="##")
    return package.Tokenizer(model).encode("가나").offsets


def encoded_in_the_background(package: Any) -> Any:
    async def places() -> Any:
        return (await one_word(package).async_encode("가")).offsets

    return asyncio.run(places())


def own_normalizer_fails(package: Any) -> Any:
    class Failing:
        def normalize(self, normalized: Any) -> None:
            raise KeyError("gone")

    tokenizer = one_word(package)
    tokenizer.normalizer = package.normalizers.Normalizer.custom(Failing())
    return tokenizer.encode("가").tokens


def doubled(package: Any) -> str:
    text = package.NormalizedString("가나")
    text.map(lambda character: character + character)
    return str(text.normalized)


def sliced(package: Any) -> Any:
    part = package.NormalizedString("가나다")[-2:-1]
    return part and part.normalized


def texts_of_tokens_after_two_processors(package: Any, *second: Any, truncated: bool) -> Any:
    """Which text each token is of, or each of the part that was cut off."""
    name, *arguments = second
    template = package.processors.TemplateProcessing("[C] $A [S]", special_tokens=[("[C]", 1), ("[S]", 2)])
    tokenizer = one_word(package)
    tokenizer.pre_tokenizer = package.pre_tokenizers.Whitespace()
    tokenizer.post_processor = package.processors.Sequence([template, getattr(package.processors, name)(*arguments)])
    if truncated:
        tokenizer.enable_truncation(4)
    encoding = tokenizer.encode("가 가 가 가")
    return (encoding.overflowing[0] if truncated else encoding).sequence_ids


DIFFERENCES = [
    Difference(
        "a tokenizer with added tokens is trained",
        "the old ids would be those of learned pieces: two tokens of one id, one of which can never be decoded",
        trained_again,
        theirs=[0, 1, 2, 1],
        ours=[0, 1, 2, 3],
    ),
    Difference(
        "a word that was encoded before a second training",
        "there the ids of the first vocabulary are remembered, and stand for pieces of the second",
        encoded_after_a_second_training,
        theirs=(["가나"], ["나가"]),
        ours=(["가나"], ["가", "나"]),
    ),
    Difference(
        "which text the tokens of a part that was cut off are of, after a template and ByteLevel",
        "there the part is numbered as a whole, its special tokens too, and otherwise than the one it was cut off",
        lambda package: texts_of_tokens_after_two_processors(package, "ByteLevel", truncated=True),
        theirs=[1, 1, 1, 1],
        ours=[None, 1, 1, 2],
    ),
    Difference(
        "which text the tokens are of, after a template and RobertaProcessing",
        "there the tokens of the text are of none",
        lambda package: texts_of_tokens_after_two_processors(
            package, "RobertaProcessing", ("[S]", 2), ("[C]", 1), truncated=False
        ),
        theirs=[None, 0, None, None, None, None, None, None, None, None, 1, None],
        ours=[None, 0, None, None, 1, 1, 1, 1, None, None, 2, None],
    ),
    Difference(
        "repr() of a long table",
        "five entries, as str() shows there; a hundred of a vocabulary tell nobody more",
        lambda package: repr(package.models.WordLevel({chr(0xAC00 + n): n for n in range(9)}, unk_token="가")).count(
            ":"
        ),
        theirs=9,
        ours=5,
    ),
    Difference(
        "a template with two blanks between its words",
        "there the nothing between them is a word that cannot be",
        lambda package: package.processors.TemplateProcessing(
            "$A  [S]", special_tokens=[("[S]", 1)]
        ).num_special_tokens_to_add(False),
        theirs=Exception,
        ours=1,
    ),
    Difference(
        "a slice from the end of a NormalizedString",
        "Python's meaning of negative places",
        sliced,
        theirs=None,
        ours="나",
    ),
    Difference(
        "map() with a function that gives two characters",
        "there the rest is dropped in silence",
        doubled,
        theirs="가나",
        ours=InputError,
    ),
    Difference(
        "nothing is replaced by something",
        "an empty text is found nowhere: a setting left empty does no harm",
        lambda package: package.normalizers.Replace("", "x").normalize_str("가나"),
        theirs="x가x나x",
        ours="가나",
    ),
    Difference(
        "equal stages",
        "stages are values here",
        lambda package: package.normalizers.NFC() == package.normalizers.NFC(),
        theirs=False,
        ours=True,
    ),
    Difference(
        "equal encodings",
        "encodings are values here",
        lambda package: one_word(package).encode("가") == one_word(package).encode("가"),
        theirs=False,
        ours=True,
    ),
    Difference(
        "a text with a lone surrogate",
        "the message says which character it is; either is an error",
        lambda package: one_word(package).encode("가\ud800"),
        theirs=TypeError,
        ours=InputError,
    ),
    Difference(
        "an id above 2**24",
        "tables of a hundred megabytes for one piece; no vocabulary in use comes near",
        lambda package: package.models.WordLevel({"가": 1 << 25}, unk_token="가").token_to_id("가"),
        theirs=1 << 25,
        ours=InputError,
    ),
    Difference(
        "a letter that case folding makes two of",
        "patterns run on the package `regex`, which folds letter by letter",
        lambda package: package.pre_tokenizers.Split(package.Regex("(?i)ss"), "removed").pre_tokenize_str("aßb"),
        theirs=[("a", (0, 1)), ("b", (2, 3))],
        ours=[("aßb", (0, 3))],
    ),
    Difference(
        "a decoder that strips more than there is",
        "there the process panics",
        lambda package: package.decoders.Strip("a", 5, 5).decode(["aa"]),
        theirs=BaseException,
        ours="",
    ),
    Difference(
        "pieces of no characters",
        "there the process panics",
        lambda package: package.pre_tokenizers.FixedLength(0).pre_tokenize_str("ab"),
        theirs=BaseException,
        ours=InputError,
    ),
    Difference(
        "a negative number",
        "told by the name of the argument and what it may be",
        lambda package: one_word(package).enable_truncation(-1),
        theirs=OverflowError,
        ours=InputError,
    ),
    Difference(
        "a place before the first character",
        "no token has it; a look-up that finds nothing is None",
        lambda package: one_word(package).encode("가").char_to_token(-1),
        theirs=OverflowError,
        ours=None,
    ),
    Difference(
        "a batch that is no list",
        "whatever gives texts one after the other is taken",
        lambda package: [each.ids for each in one_word(package).encode_batch(text for text in ["가"])],
        theirs=TypeError,
        ours=[[0]],
    ),
    Difference(
        "special tokens that alone are longer than a text may be",
        "there the text is not cut at all, and comes out longer than was asked for",
        lambda package: cut_to(package, 1),
        theirs=3,
        ours=InputError,
    ),
    Difference(
        "types of two texts encoded fast",
        "of the second text they are 1 there too, when it is not encoded fast",
        lambda package: one_word(package).encode_batch_fast([("가", "가")])[0].type_ids,
        theirs=[0, 0],
        ours=[0, 1],
    ),
    Difference(
        "places of bytes under a prefix of word parts",
        "the characters of the prefix, which no text holds, are counted there",
        places_of_bytes,
        theirs=[(0, 1), (1, 2), (1, 2), (1, 2), (6, 7), (7, 8)],
        ours=[(0, 1), (1, 2), (1, 2), (1, 2), (1, 2), (1, 2)],
    ),
    Difference(
        "a Unigram training on no text",
        "a vocabulary without a piece encodes nothing; nobody wants it made in silence",
        lambda package: package.Tokenizer(package.models.Unigram()).train_from_iterator([""]),
        theirs=None,
        ours=InputError,
    ),
    Difference(
        "a setting that a model does not have",
        "a misspelled setting would be read over there, with a line on the terminal",
        lambda package: package.models.BPE(dropuot=0.1) and None,
        theirs=None,
        ours=TypeError,
    ),
    Difference(
        "the same pattern twice",
        "patterns are values",
        lambda package: package.Regex("a") == package.Regex("a"),
        theirs=False,
        ours=True,
    ),
    Difference(
        "the length a batch is padded to, by its old name",
        "it is out of use there since long ago",
        lambda package: one_word(package).enable_padding(max_length=5),
        theirs=None,
        ours=TypeError,
    ),
    Difference(
        "a text encoded in the background",
        "its places are characters, as in the foreground; there they are bytes",
        encoded_in_the_background,
        theirs=[(0, 3)],
        ours=[(0, 1)],
    ),
    Difference(
        "a fault in a normalizer of one's own",
        "it is raised where it happens; there the text is encoded as though nothing were",
        own_normalizer_fails,
        theirs=["가"],
        ours=KeyError,
    ),
    Difference(
        "a file whose added token has the id of a piece",
        "there it gets the next free one in silence, and every id a model was trained with is another's",
        lambda package: package.Tokenizer.from_str(file_of_words(added=[(0, "<s>")])).token_to_id("<s>"),
        theirs=2,
        ours=FormatError,
    ),
    Difference(
        "a file whose added token is a piece of another id",
        "the file contradicts itself, and which of the two ids a model was trained with nobody knows",
        lambda package: package.Tokenizer.from_str(file_of_words(added=[(5, "가")])).token_to_id("가"),
        theirs=0,
        ours=FormatError,
    ),
    Difference(
        "a file with an added token of no characters",
        "there it gets no id and is gone, and those after it are renumbered",
        lambda package: package.Tokenizer.from_str(file_of_words(added=[(2, "")])).get_vocab_size(),
        theirs=2,
        ours=FormatError,
    ),
    Difference(
        "a file with two pieces of one id",
        "there which of the two an id is decoded to differs from run to run",
        lambda package: package.Tokenizer.from_str(file_of_words({"가": 0, "나": 0})).encode("나").ids,
        theirs=[0],
        ours=FormatError,
    ),
    Difference(
        "a file whose pre-tokenizer Metaspace has add_prefix_space false and no prepend_scheme",
        "files of older versions have it, and say what they mean",
        lambda package: (
            package.Tokenizer.from_str(
                file_of_words(pre_tokenizer={"type": "Metaspace", "replacement": "▁", "add_prefix_space": False})
            ).pre_tokenizer.prepend_scheme
        ),
        theirs=Exception,
        ours="never",
    ),
    Difference(
        "a file with merges of both kinds, strings and pairs",
        "each of them is clear",
        lambda package: package.Tokenizer.from_str(
            '{"model": {"type": "BPE", "vocab": {"a": 0, "aa": 1, "aaa": 2}, "merges": ["a a", ["aa", "a"]]}}'
        ).get_vocab_size(),
        theirs=Exception,
        ours=3,
    ),
    Difference(
        "an added token of which a normalizer leaves nothing",
        "no text holds it; there the process panics, or words begin where nothing stands",
        erased,
        theirs=BaseException,
        ours=[0, 0],
    ),
    Difference(
        "a broken file",
        "an error of a type of its own, with the field",
        lambda package: package.Tokenizer.from_str('{"model": {"type": "BPE"}}'),
        theirs=Exception,
        ours=FormatError,
    ),
]


def answer(difference: Difference, package: Any) -> Any:
    try:
        return difference.code(package)
    except BaseException as error:
        return error


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.what)
def test_a_difference_is_as_it_is_declared(difference):
    for package, declared in ((tokenizers, difference.theirs), (textpipe, difference.ours)):
        found = answer(difference, package)
        if isinstance(declared, type):
            assert isinstance(found, declared)
        else:
            assert found == declared
