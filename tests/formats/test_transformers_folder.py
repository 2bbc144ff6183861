"""Folders of `transformers`: the ids of AutoTokenizer, both ways, with nothing lost unsaid."""

from __future__ import annotations

import json

import pytest
import tokenizers as oracle
from sentencepiece_models import model_bytes
from tokenizer_samples import KOREAN_LINES, byte_level_json

from textpipe import Tokenizer, formats
from textpipe.cli.app import run
from textpipe.errors import FormatError, InputError
from textpipe.normalizers import NFC
from textpipe.processors import TemplateProcessing

TEXTS = [*KOREAN_LINES, "<|endoftext|>a<pad>", "가[MASK] b <extra> c", " ", ""]


def auto_ids(folder, text):
    transformers = pytest.importorskip("transformers")
    return transformers.AutoTokenizer.from_pretrained(str(folder), local_files_only=True)(text)["input_ids"]


def write(folder, name, value):
    (folder / name).write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def check_ids(folder):
    ours = Tokenizer.from_file(folder)
    transformers = pytest.importorskip("transformers")
    theirs = transformers.AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    for text in TEXTS:
        assert ours.encode(text).ids == theirs(text)["input_ids"], text
    return ours, theirs


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"pad_token": "<pad>", "eos_token": "<|endoftext|>", "bos_token": "<s>", "mask_token": "[MASK]"},
        {
            "pad_token": {
                "__type": "AddedToken",
                "content": "<pad>",
                "lstrip": True,
                "rstrip": True,
                "normalized": False,
                "special": True,
            }
        },
        {"additional_special_tokens": ["<extra>"], "cls_token": "[CLS]", "unk_token": None},
        {"bos_token": "<s>", "eos_token": "<|endoftext|>", "add_bos_token": True, "add_eos_token": True},
        {"bos_token": "<s>", "add_bos_token": True, "add_eos_token": False},
        {
            "added_tokens_decoder": {
                "0": {"content": "<|endoftext|>", "special": True},
                "477": {"content": "<pad>", "special": False, "normalized": True},
                "478": {"content": "<extra>", "special": True, "rstrip": True},
            }
        },
    ],
)
def test_a_folder_gives_the_ids_of_auto_tokenizer(config, tmp_path):
    (tmp_path / "tokenizer.json").write_text(byte_level_json(), encoding="utf-8")
    write(tmp_path, "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", **config})
    check_ids(tmp_path)


def test_a_folder_without_tokenizer_json_is_put_together_from_its_files(tmp_path):
    model = json.loads(byte_level_json())["model"]
    write(
        tmp_path, "vocab.json", {**model["vocab"], "<s>": 700, "</s>": 701, "<unk>": 702, "<pad>": 703, "<mask>": 704}
    )
    merges = "".join(f"{left} {right}\n" for left, right in model["merges"])
    (tmp_path / "merges.txt").write_text("#version: 0.2\n" + merges, encoding="utf-8")
    write(tmp_path, "tokenizer_config.json", {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": True})
    check_ids(tmp_path)


@pytest.mark.parametrize("ends", [{"add_bos_token": True}, {"add_bos_token": True, "add_eos_token": True}, {}])
def test_a_folder_of_gpt2_is_framed_where_it_says_so(ends, tmp_path):
    model = json.loads(byte_level_json())["model"]
    write(tmp_path, "vocab.json", {**model["vocab"], "<begin>": 700})
    merges = "".join(f"{left} {right}\n" for left, right in model["merges"])
    (tmp_path / "merges.txt").write_text("#version: 0.2\n" + merges, encoding="utf-8")
    config = {"tokenizer_class": "GPT2Tokenizer", "bos_token": "<begin>", "eos_token": "<|endoftext|>", **ends}
    write(tmp_path, "tokenizer_config.json", config)
    ours, theirs = check_ids(tmp_path)
    assert ours.encode("가", "나").ids == theirs("가", "나")["input_ids"]


@pytest.mark.parametrize("settings", [{"do_lower_case": False}, {"do_lower_case": True, "strip_accents": False}])
def test_a_folder_of_bert_keeps_its_settings(settings, tmp_path):
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "기차", "##가", "b", "오늘", "##은", ".", "It", "it"]
    (tmp_path / "vocab.txt").write_text("".join(f"{piece}\n" for piece in pieces), encoding="utf-8")
    write(tmp_path, "tokenizer_config.json", {"tokenizer_class": "BertTokenizer", **settings})
    check_ids(tmp_path)


def test_what_is_written_loads_in_auto_tokenizer_and_reads_back_equal(tmp_path):
    tokenizer = Tokenizer.from_str(byte_level_json())
    tokenizer.normalizer = NFC()
    tokenizer.add_special_tokens(["<pad>", "<s>"])
    tokenizer.post_processor = TemplateProcessing("<s> $A", "<s> $A <s> $B", [("<s>", tokenizer.token_to_id("<s>"))])
    assert formats.losses(tokenizer.parts, "transformers") == []
    written = formats.write_file(tokenizer.parts, tmp_path / "out")
    names = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]
    assert [path.name for path in written] == names
    ours, theirs = check_ids(tmp_path / "out")
    assert ours.to_str() == tokenizer.to_str()
    assert theirs.pad_token == "<pad>"
    assert theirs.bos_token == "<|endoftext|>"
    assert oracle.Tokenizer.from_file(str(written[0])).encode("안녕").ids == ours.encode("안녕").ids


def test_auto_tokenizer_is_told_the_special_tokens_of_a_sentencepiece_model(tmp_path):
    transformers = pytest.importorskip("transformers")
    (tmp_path / "m.model").write_bytes(model_bytes("bpe"))
    tokenizer = Tokenizer.from_file(tmp_path / "m.model")
    formats.write_file(tokenizer.parts, tmp_path / "out", accept_losses=True)
    theirs = transformers.AutoTokenizer.from_pretrained(str(tmp_path / "out"), local_files_only=True)
    assert (theirs.unk_token, theirs.bos_token, theirs.eos_token) == ("<unk>", "<s>", "</s>")


def test_settings_beside_the_parts_are_kept_in_a_folder_and_named_elsewhere(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "tokenizer.json").write_text(byte_level_json(), encoding="utf-8")
    write(tmp_path / "in", "tokenizer_config.json", {"chat_template": "{{ messages }}", "model_max_length": 512})
    assert run(["convert", str(tmp_path / "in"), str(tmp_path / "out")]) == 0
    found = json.loads((tmp_path / "out" / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert found == {"chat_template": "{{ messages }}", "model_max_length": 512}
    capsys.readouterr()
    assert run(["convert", str(tmp_path / "in"), str(tmp_path / "x.json")]) == 0
    shown = capsys.readouterr()
    assert shown.err == "note: tokenizer.json has no place for the settings chat_template, model_max_length\n"
    assert "lost" not in shown.out
    assert Tokenizer.from_file(tmp_path / "x.json").to_str() == Tokenizer.from_file(tmp_path / "in").to_str()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"pad_token": 5}, "pad_token: is 5"),
        ({"pad_token": {"content": 5}}, r"pad_token\.content: is 5"),
        ({"added_tokens_decoder": []}, "added_tokens_decoder: is an array"),
        ({"added_tokens_decoder": {"9999": "<x>"}}, 'gives "<x>" the id 9999'),
        ({"added_tokens_decoder": {"0": {"content": "<x>", "lstrip": 1}}}, r"added_tokens_decoder\.0\.lstrip: is 1"),
        ([], "allowed: an object"),
    ],
)
def test_a_fault_in_the_settings_is_named(config, message, tmp_path):
    (tmp_path / "tokenizer.json").write_text(byte_level_json(), encoding="utf-8")
    write(tmp_path, "tokenizer_config.json", config)
    with pytest.raises(FormatError, match=message) as caught:
        Tokenizer.from_file(tmp_path)
    assert "tokenizer_config.json" in str(caught.value)


def test_settings_alone_are_no_tokenizer(tmp_path):
    write(tmp_path, "tokenizer_config.json", {})
    with pytest.raises(InputError, match="no tokenizer beside it"):
        Tokenizer.from_file(tmp_path)
