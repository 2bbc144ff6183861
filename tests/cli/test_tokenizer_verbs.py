"""encode, decode and inspect from the command line."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from tokenizer_samples import byte_level_json

from textpipe import Tokenizer, decoders, models, pre_tokenizers, processors
from textpipe.cli.app import run
from textpipe.data import TokenSplit
from textpipe.implementations import BertWordPieceTokenizer
from textpipe.normalizers import NFC, NFD, NFKC
from textpipe.sources import read_blocks

TEXT = "안녕하세요 쀍 <|endoftext|> it's"


@pytest.fixture
def folder(tmp_path):
    Tokenizer.from_str(byte_level_json()).save(tmp_path / "tokenizer.json")
    return tmp_path


def ids_of(text):
    return Tokenizer.from_str(byte_level_json()).encode(text).ids


def test_encode_prints_the_ids_of_each_text(folder, capsys):
    assert run(["encode", TEXT, "가", "-t", str(folder)]) == 0
    assert [list(map(int, line.split())) for line in capsys.readouterr().out.splitlines()] == [
        ids_of(TEXT),
        ids_of("가"),
    ]


def test_encode_and_decode_pass_text_through_standard_streams(folder, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("쀍 한글".encode())))
    assert run(["encode", "-t", str(folder)]) == 0
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(capsys.readouterr().out.encode())))
    assert run(["decode", "-t", str(folder)]) == 0
    assert capsys.readouterr().out == "쀍 한글\n"


def test_encode_gives_json_with_pieces_and_places(folder, capsys):
    assert run(["encode", TEXT, "--json", "-t", str(folder)]) == 0
    row = json.loads(capsys.readouterr().out)
    encoding = Tokenizer.from_str(byte_level_json()).encode(TEXT)
    assert row["ids"] == encoding.ids
    assert row["tokens"] == encoding.tokens
    assert [tuple(place) for place in row["offsets"]] == encoding.offsets


def test_encode_writes_arrays_that_decode_reads(folder, capsys):
    file = folder / "texts.jsonl"
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in (TEXT, "", "가\n나")), encoding="utf-8")
    command = ["encode", "--file", str(file), "--out", str(folder / "ids.npy"), "-t", str(folder), "--special", "allow"]
    assert run(command) == 0
    assert np.load(folder / "ids.npy").tolist() == ids_of(TEXT) + ids_of("가\n나")
    assert np.load(folder / "ids.offsets.npy").tolist()[:3] == [0, len(ids_of(TEXT)), len(ids_of(TEXT))]
    capsys.readouterr()
    assert run(["decode", "--file", str(folder / "ids.npy"), "--keep-special", "-t", str(folder)]) == 0
    assert capsys.readouterr().out == f"{TEXT}\n\n가\n나\n"


def test_inspect_shows_every_stage(folder, capsys):
    assert run(["inspect", TEXT, "-t", str(folder)]) == 0
    shown = capsys.readouterr().out
    for part in ("normalized", "␣it", "<|endoftext|>", "decoded", "bytes and", "안녕"):
        assert part in shown


def test_inspect_tells_texts_apart_that_look_alike(folder, capsys):
    made = Tokenizer.from_file(folder)
    made.normalizer = NFC()
    made.save(folder / "composing.json")
    assert run(["inspect", NFD().normalize_str("한국"), "-t", str(folder / "composing.json")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("(NFD, jamo)")
    assert lines[1].endswith("한국  (NFC)")
    assert lines[2].split()[1:] == ["한국"]  # the word as it was cut, normalized
    assert run(["inspect", "한국", "-t", str(folder / "composing.json")]) == 0
    assert "NFC" not in capsys.readouterr().out


def test_inspect_of_word_pieces_shows_their_own_bytes(tmp_path, capsys):
    vocab = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "한국": 3, "##어": 4}
    BertWordPieceTokenizer(vocab, lowercase=False).save(tmp_path / "tokenizer.json")
    assert run(["inspect", "한국어", "--json", "-t", str(tmp_path)]) == 0
    tokens = json.loads(capsys.readouterr().out)["tokens"]
    assert [bytes.fromhex(token["bytes"]).decode() for token in tokens] == ["[CLS]", "한국", "어", "[SEP]"]


def test_inspect_gives_json_that_holds_the_stages(folder, capsys):
    assert run(["inspect", TEXT, "--json", "-t", str(folder)]) == 0
    stages = json.loads(capsys.readouterr().out)
    assert stages["decoded"] == stages["normalized"] == TEXT
    assert [token["id"] for token in stages["tokens"]] == ids_of(TEXT)
    assert bytes.fromhex("".join(token["bytes"] for token in stages["tokens"])).decode() == TEXT
    assert stages["num_bytes"] == len(TEXT.encode())


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["encode", "가", "-t", "absent"], 3, "absent: no such file"),
        (["decode", "1x"], 3, '"1x" is not an id'),
        (["encode", "가", "--out", "ids.txt"], 3, "ids.txt ends in .txt"),
        (["encode", "가", "--file", "x"], 3, "texts and --file together"),
        (["encode", "가", "--whole"], 3, "--whole is for standard input"),
        (["encode", "--file", "x", "--whole", "--out", "shards"], 3, "--whole is for standard input"),
        (["encode", "가", "--out", "shards", "--eos", "<x>"], 2, "no token '<x>' to end documents with"),
        (["decode", "--file", "absent.npy"], 3, "absent.npy: no such file"),
    ],
)
def test_bad_input_is_one_message_and_an_exit_code(folder, capsys, arguments, code, message):
    if "-t" not in arguments:
        arguments = [*arguments, "-t", str(folder)]
    assert run(arguments) == code
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["encode", "tokenizer.json", "가"], ["decode", "1"], ["inspect", "가"]])
def test_where_no_tokenizer_is_named_and_none_lies_there_the_option_is_told(folder, monkeypatch, capsys, arguments):
    monkeypatch.chdir(folder)
    assert run(arguments) == 3
    message = capsys.readouterr().err
    assert 'no tokenizer in "vocab"' in message
    assert "--tokenizer PATH" in message


def test_standard_input_of_another_encoding_is_told_how_to_become_utf8(folder, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("abc\n가 똠방각하\n".encode("cp949"))))
    assert run(["encode", "-t", str(folder)]) == 3
    message = capsys.readouterr().err
    assert "standard input, line 2: byte 0xb0, number 0, is not UTF-8" in message
    assert "iconv -f CP949 -t UTF-8" in message


def test_json_and_arrays_together_are_refused(folder, capsys):
    assert run(["encode", "가", "--json", "--out", str(folder / "ids.npy"), "-t", str(folder)]) == 3
    assert "--json and --out together" in capsys.readouterr().err
    assert not (folder / "ids.npy").exists()


def test_inspect_shows_control_characters_instead_of_sending_them(folder, capsys):
    assert run(["inspect", "가\x1b[2J\x07나\x7f", "-t", str(folder)]) == 0
    out = capsys.readouterr().out
    assert not set(out) & {"\x1b", "\x07", "\x7f"}
    assert "␛[2J" in out


def test_encode_writes_lines_of_json_plain_or_packed(folder, capsys):
    for name in ("ids.jsonl", "ids.jsonl.zst"):
        assert run(["encode", TEXT, "", "가", "--out", str(folder / name), "-t", str(folder)]) == 0
        rows = [json.loads(line) for line in b"".join(read_blocks(folder / name)).splitlines()]
        assert rows == [{"ids": ids_of(TEXT)}, {"ids": []}, {"ids": ids_of("가")}]
    assert f"{len(ids_of(TEXT)) + len(ids_of('가'))} ids of 3 texts" in capsys.readouterr().out


def test_encode_writes_token_shards_of_a_corpus(folder, capsys):
    file = folder / "texts.jsonl"
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in ("가\n나", "it's")), encoding="utf-8")
    assert run(["encode", "--file", str(file), "--out", str(folder / "shards"), "-t", str(folder)]) == 0
    split = TokenSplit([folder / "shards" / "ids-00000.bin"])
    eos = split.eos_id
    assert split.window(0, split.num_tokens).tolist() == [*ids_of("가\n나"), eos, *ids_of("it's"), eos]
    assert (folder / "shards" / "manifest.json").exists()
    assert "ids of 2 texts in 1 shards" in capsys.readouterr().out


def test_encode_takes_each_line_of_standard_input_as_a_text(folder, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("가\r\n\nit's".encode())))
    assert run(["encode", "-t", str(folder)]) == 0
    assert capsys.readouterr().out.split("\n") == [" ".join(map(str, ids_of(t))) for t in ("가", "", "it's")] + [""]


def test_encode_takes_standard_input_as_one_text_when_it_is_told_to(folder, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("가\r\nit's\n".encode())))
    assert run(["encode", "--whole", "-t", str(folder)]) == 0
    assert capsys.readouterr().out.split() == list(map(str, ids_of("가\r\nit's\n")))


def test_lines_of_a_file_and_of_standard_input_have_the_same_ids(folder, capsys, monkeypatch):
    (folder / "lines.txt").write_text("쀍 한글\nit's\n", encoding="utf-8")
    assert run(["encode", "--file", str(folder / "lines.txt"), "-t", str(folder)]) == 0
    of_file = capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("쀍 한글\nit's\n".encode())))
    assert run(["encode", "-t", str(folder)]) == 0
    assert capsys.readouterr().out == of_file


def test_encode_with_dropout_prints_the_same_ids_again_and_others_of_another_seed(folder, capsys):
    drawing = json.loads(byte_level_json())
    drawing["model"]["dropout"] = 0.5
    (folder / "drawing.json").write_text(json.dumps(drawing), encoding="utf-8")
    printed = []
    for seed in ("1", "1", "2"):
        assert run(["encode", TEXT * 5, "-t", str(folder / "drawing.json"), "--seed", seed]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] != printed[2]


def test_decode_gives_json_for_texts_with_line_ends(folder, capsys):
    assert run(["decode", *map(str, ids_of("가\n나")), "--json", "-t", str(folder)]) == 0
    assert json.loads(capsys.readouterr().out)["text"] == "가\n나"


def test_special_tokens_in_a_text_are_tokens_text_or_an_error(folder, capsys):
    made = Tokenizer.from_str(byte_level_json())
    for policy in ("allow", "text"):
        for extra in ([], ["--json"]):
            assert run(["encode", TEXT, "-t", str(folder), "--special", policy, *extra]) == 0
            shown = capsys.readouterr().out
            ids = json.loads(shown)["ids"] if extra else list(map(int, shown.split()))
            assert ids == made.encode(TEXT, special=policy).ids
    assert run(["encode", TEXT, "-t", str(folder), "--special", "raise"]) == 3
    assert 'the special token "<|endoftext|>" at character 8' in capsys.readouterr().err
    assert run(["inspect", TEXT, "--json", "-t", str(folder), "--special", "text"]) == 0
    assert [token["id"] for token in json.loads(capsys.readouterr().out)["tokens"]] == made.encode(
        TEXT, special="text"
    ).ids
    assert run(["encode", TEXT, "-t", str(folder), "--special", "drop"]) == 2


@pytest.mark.parametrize("policy", ["text", "raise"])
def test_a_special_token_that_is_a_piece_comes_out_of_no_file_even_where_a_normalizer_makes_it(
    tmp_path, capsys, policy
):
    letters = [(letter, -9.0) for letter in "</s>가나"]
    made = Tokenizer(models.Unigram([("<unk>", 0.0), ("</s>", 0.0), ("<end>", 0.0), *letters], 0))
    made.normalizer = NFKC()
    made.add_special_tokens(["<unk>", "</s>", "<end>"])
    made.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "texts.txt").write_text("가＜/ｓ＞나\n")
    common = ["encode", "--file", str(tmp_path / "texts.txt"), "-t", str(tmp_path / "tokenizer.json")]
    for extra in ([], ["--json"], ["--out", str(tmp_path / "ids.npy")]):
        assert run([*common, "--special", policy, *extra]) == 0
    plain, rows = capsys.readouterr().out.splitlines()[:2]
    wanted = [made.token_to_id(letter) for letter in "가</s>나"]
    assert list(map(int, plain.split())) == json.loads(rows)["ids"] == wanted
    assert np.load(tmp_path / "ids.npy").tolist() == wanted
    assert run([*common, "--special", policy, "--out", str(tmp_path / "shards"), "--eos", "<end>"]) == 0
    (shard,) = TokenSplit(sorted((tmp_path / "shards").glob("ids-*.bin"))).shards
    assert shard.tokens.tolist() == [*wanted, made.token_to_id("<end>")]


@pytest.mark.parametrize("out", ["shards", "ids.npy"])
def test_special_tokens_are_tokens_in_the_command_and_plain_text_in_files_unless_told_otherwise(folder, out):
    (folder / "texts.txt").write_text(f"{TEXT}\n가\n", encoding="utf-8")
    end = Tokenizer.from_str(byte_level_json()).token_to_id("<|endoftext|>")
    eos = 2 if out == "shards" else 0
    for number, (given, options, in_text) in enumerate([
        ([TEXT, "가"], [], 1),
        ([TEXT, "가"], ["--special", "text"], 0),
        (["--file", str(folder / "texts.txt")], [], 0),
        (["--file", str(folder / "texts.txt")], ["--special", "allow"], 1),
    ]):  # fmt: skip
        target = folder / f"{number}-{out}"
        assert run(["encode", *given, "-t", str(folder), "--out", str(target), *options]) == 0
        if out == "shards":
            ids = [id for shard in TokenSplit(sorted(target.glob("ids-*.bin"))).shards for id in shard.tokens.tolist()]
        else:
            ids = np.load(target).tolist()
        assert ids.count(end) == eos + in_text


def test_token_shards_refuse_a_special_token_by_the_name_of_its_document(folder, capsys):
    assert run(["encode", "가", TEXT, "-t", str(folder), "--out", str(folder / "no"), "--special", "raise"]) == 3
    assert "document 1 holds the special token" in capsys.readouterr().err
    assert not (folder / "no").exists()


def test_a_refused_special_token_is_named_by_the_number_of_its_text_in_all_the_input(folder, capsys):
    (folder / "many.txt").write_text("가\n" * 5000 + "<|endoftext|>\n", encoding="utf-8")
    common = ["encode", "--file", str(folder / "many.txt"), "-t", str(folder), "--special", "raise"]
    for extra in ([], ["--json"], ["--out", str(folder / "ids.npy")]):
        assert run([*common, *extra]) == 3
        assert "text 5000 holds the special token" in capsys.readouterr().err
    assert not (folder / "ids.npy").exists()


def test_a_stage_of_its_own_runs_only_when_it_is_allowed(folder, capsys):
    made = Tokenizer.from_str(byte_level_json())
    made.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Morphemes(), made.pre_tokenizer])
    made.save(folder / "own.json")
    for verb in (["encode", "학교에서"], ["decode", "3"], ["inspect", "학교에서"]):
        assert run([*verb, "-t", str(folder / "own.json")]) == 3
        assert "textpipe.Morphemes" in capsys.readouterr().err
        assert run([*verb, "-t", str(folder / "own.json"), "--allow", "textpipe.Morphemes"]) == 0
    assert run(["compare", str(folder / "own.json"), str(folder), "--allow", "textpipe.Morphemes"]) == 0


def test_inspect_shows_the_bytes_a_piece_of_a_word_stands_for(folder, capsys):
    made = Tokenizer(models.WordPiece({"[UNK]": 0, "한국": 1, "##어": 2}, unk_token="[UNK]"))
    made.pre_tokenizer, made.decoder = pre_tokenizers.BertPreTokenizer(), decoders.WordPiece()
    made.save(folder / "words.json")
    assert run(["inspect", "한국어", "--json", "-t", str(folder / "words.json")]) == 0
    tokens = json.loads(capsys.readouterr().out)["tokens"]
    assert [token["piece"] for token in tokens] == ["한국", "##어"]
    assert bytes.fromhex(tokens[1]["bytes"]).decode() == "어"


@pytest.mark.parametrize(
    "model",
    [
        models.WordLevel({"<unk>": 0, "가": 1}, unk_token="<unk>"),
        models.WordPiece({"<unk>": 0, "가": 1}, unk_token="<unk>"),
        models.BPE({"<unk>": 0, "가": 1}, [], unk_token="<unk>", fuse_unk=True),
        models.Unigram([("<unk>", 0.0), ("가", -1.0)], 0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_inspect_shows_the_bytes_of_the_text_that_is_unknown_and_the_piece_it_reads_as(model, tmp_path, capsys):
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.save(tmp_path / "tokenizer.json")
    command = ["inspect", "①ﬁ 가", "-t", str(tmp_path)]
    assert run([*command, "--json"]) == 0
    tokens = json.loads(capsys.readouterr().out)["tokens"]
    assert [bytes.fromhex(token["bytes"]).decode() for token in tokens] == ["①ﬁ", "가"]
    assert [token["unknown"] for token in tokens] == ["<unk>", None]
    assert run(command) == 0
    shown = capsys.readouterr().out
    assert "pieces      <unk> 가" in shown
    assert "①ﬁ".encode().hex() in shown


def test_a_template_may_put_the_unknown_piece_around_a_text_and_inspect_shows_its_own_bytes(tmp_path, capsys):
    tokenizer = Tokenizer(models.WordLevel({"<unk>": 0, "가": 1}, unk_token="<unk>"))
    tokenizer.post_processor = processors.TemplateProcessing("<unk> $A", special_tokens=[("<unk>", 0)])
    tokenizer.save(tmp_path / "tokenizer.json")
    assert run(["inspect", "가", "--json", "-t", str(tmp_path)]) == 0
    tokens = json.loads(capsys.readouterr().out)["tokens"]
    assert [bytes.fromhex(token["bytes"]).decode() for token in tokens] == ["<unk>", "가"]
    assert [token["unknown"] for token in tokens] == [None, None]


def test_a_warning_is_one_line_without_places_in_the_code(folder, capsys):
    row = json.loads(byte_level_json())
    row["added_tokens"].append({**row["added_tokens"][0], "content": "<late>", "id": 9999})
    (folder / "late.json").write_text(json.dumps(row), encoding="utf-8")
    assert run(["encode", "가", "-t", str(folder / "late.json")]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("textpipe: warning: ")
    assert '"<late>" 9999 → ' in line
