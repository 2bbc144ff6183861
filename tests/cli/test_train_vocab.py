"""``textpipe train-vocab``: what it writes, that it can be run again, and its refusals."""

from __future__ import annotations

import json

import pytest

from textpipe.cli.app import run
from textpipe.files import read_manifest
from textpipe.tokenizer import Tokenizer

TEXT = "밥을 먹고 학교에 갔다. 밥을 또 먹었다ㅋㅋㅋ\nThe ferry is late again, and nobody on the pier minds.\n" * 40


@pytest.fixture
def text(tmp_path):
    file = tmp_path / "text.txt"
    file.write_text(TEXT, encoding="utf-8")
    return file


def train(text, out, *flags):
    return run(["train-vocab", str(text), "--out", str(out), "--quiet", *flags])


def test_the_folder_holds_a_tokenizer_a_card_and_a_manifest(text, tmp_path, capsys):
    out = tmp_path / "vocab"
    assert train(text, out, "--vocab-size", "300") == 0
    tokenizer = Tokenizer.from_file(out / "tokenizer.json")
    assert tokenizer.get_vocab_size() == 300
    assert tokenizer.token_to_id("<|endoftext|>") == 0
    assert tokenizer.decode(tokenizer.encode(TEXT).ids) == TEXT
    manifest = read_manifest(out, kind="train-vocab", verify=True)
    assert {row["path"] for row in manifest["files"]} == {"tokenizer.json", "README.md"}
    assert manifest["counts"]["merges"] == 43
    assert tokenizer.sha256 in (out / "README.md").read_text(encoding="utf-8")
    assert "ko\t" in capsys.readouterr().out


def test_the_tokenizer_loads_and_encodes_alike_in_tokenizers(text, tmp_path):
    import tokenizers

    out = tmp_path / "vocab"
    assert train(text, out, "--vocab-size", "320") == 0
    theirs = tokenizers.Tokenizer.from_file(str(out / "tokenizer.json"))
    ours = Tokenizer.from_file(out / "tokenizer.json")
    for line in [*TEXT.splitlines()[:2], "\u1112\u1161\u11ab글 😀", ""]:
        assert ours.encode(line).ids == theirs.encode(line).ids


def test_the_same_command_again_changes_nothing(text, tmp_path):
    out = tmp_path / "vocab"
    assert train(text, out, "--vocab-size", "300") == 0
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.iterdir()}
    assert train(text, out, "--vocab-size", "300") == 0
    assert before == {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.iterdir()}


@pytest.mark.parametrize("change", ["settings", "texts"])
def test_a_folder_made_otherwise_is_not_written_over(text, tmp_path, capsys, change):
    out = tmp_path / "vocab"
    assert train(text, out, "--vocab-size", "300") == 0
    if change == "texts":
        text.write_text(TEXT + "끝\n", encoding="utf-8")
    assert train(text, out, "--vocab-size", "300" if change == "texts" else "310") == 3
    assert "other settings or other texts" in capsys.readouterr().err


def test_a_size_below_the_byte_alphabet_is_refused_before_reading(tmp_path, capsys):
    assert train(tmp_path / "absent.txt", tmp_path / "vocab", "--vocab-size", "100") == 3
    assert "allowed: 257 or more" in capsys.readouterr().err


def test_a_size_below_the_alphabet_of_the_text_is_refused_with_the_least(text, tmp_path, capsys):
    assert train(text, tmp_path / "vocab", "--vocab-size", "5", "--pre-tokenizer", "whitespace") == 3
    assert "is smaller than the alphabet" in capsys.readouterr().err
    assert not (tmp_path / "vocab").exists()


def test_an_empty_special_token_is_refused(text, tmp_path, capsys):
    assert train(text, tmp_path / "vocab", "--vocab-size", "300", "--special-token", "") == 2
    assert "special_tokens.0 = ''" in capsys.readouterr().err


def test_an_empty_text_is_refused(tmp_path, capsys):
    empty = tmp_path / "empty.txt"
    empty.write_bytes(b"")
    assert train(empty, tmp_path / "vocab") == 3
    assert "no text to learn from" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "word"),
    [(["--preset", "gpt3"], "gpt2"), (["--normalizer", "nfq"], "nfkc"), (["--vocab-size", "0"], "vocab")],
)
def test_an_unknown_value_is_a_usage_error_that_names_the_known(text, tmp_path, capsys, flags, word):
    assert train(text, tmp_path / "vocab", *flags) == 2
    assert word in capsys.readouterr().err


def test_a_dry_run_writes_nothing(text, tmp_path, capsys):
    assert train(text, tmp_path / "vocab", "--dry-run") == 0
    assert "vocab_size\t32000" in capsys.readouterr().out
    assert not (tmp_path / "vocab").exists()


def test_the_preset_of_gpt2_keeps_decomposed_text_as_it_is(text, tmp_path):
    out = tmp_path / "vocab"
    assert train(text, out, "--vocab-size", "300", "--preset", "gpt2") == 0
    assert json.loads((out / "tokenizer.json").read_text(encoding="utf-8"))["normalizer"] is None


def test_characters_outside_a_character_vocabulary_are_unknown(text, tmp_path):
    out = tmp_path / "vocab"
    assert train(text, out, "--vocab-size", "200", "--pre-tokenizer", "whitespace") == 0
    assert Tokenizer.from_file(out / "tokenizer.json").encode("밥 힣").tokens[-1] == "<unk>"


# ---- word counts and several sizes


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("pre_tokenizer", ["byte-level", "whitespace"])
def test_each_size_of_one_run_is_the_folder_of_a_run_at_that_size(text, tmp_path, pre_tokenizer):
    flags = ["--pre-tokenizer", pre_tokenizer]
    sizes = ["260", "290", "330"]
    assert train(text, tmp_path / "all", *flags, *(word for size in sizes for word in ("--vocab-size", size))) == 0
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == sizes
    for size in sizes:
        assert train(text, tmp_path / size, *flags, "--vocab-size", size) == 0
        assert content(tmp_path / "all" / size) == content(tmp_path / size)


def test_a_ladder_that_lacks_a_size_gets_it_and_keeps_the_others(text, tmp_path):
    ladder = tmp_path / "ladder"
    assert train(text, ladder, "--vocab-size", "260", "--vocab-size", "300") == 0
    kept = {path.name: path.stat().st_mtime_ns for path in (ladder / "260").iterdir()}
    assert train(text, ladder, "--vocab-size", "280", "--vocab-size", "260") == 0
    assert {path.name: path.stat().st_mtime_ns for path in (ladder / "260").iterdir()} == kept
    assert Tokenizer.from_file(ladder / "280" / "tokenizer.json").get_vocab_size() == 280


def test_the_smallest_size_of_a_ladder_must_hold_the_alphabet(text, tmp_path, capsys):
    assert train(text, tmp_path / "ladder", "--vocab-size", "300", "--vocab-size", "100") == 3
    assert "allowed: 257 or more" in capsys.readouterr().err
    assert not (tmp_path / "ladder").exists()


def test_several_sizes_do_not_go_into_the_folder_of_one(text, tmp_path, capsys):
    assert train(text, tmp_path / "vocab", "--vocab-size", "300") == 0
    assert train(text, tmp_path / "vocab", "--vocab-size", "300", "--vocab-size", "310") == 3
    assert "holds one output" in capsys.readouterr().err


def test_counts_of_two_texts_add_up_to_the_vocabulary_of_both(tmp_path):
    halves = [tmp_path / "ko.txt", tmp_path / "en.txt"]
    for file, line in zip(halves, TEXT.splitlines()[:2], strict=True):
        file.write_text(f"{line}\n" * 40, encoding="utf-8")
    counts = [tmp_path / "ko.counts", tmp_path / "en.counts"]
    for file, saved in zip(halves, counts, strict=True):
        assert train(file, tmp_path / saved.stem, "--vocab-size", "260", "--save-counts", str(saved)) == 0
    size = ["--vocab-size", "320", "--quiet", "--out"]
    assert run(["train-vocab", *map(str, counts), *size, str(tmp_path / "from-counts")]) == 0
    assert run(["train-vocab", *map(str, halves), *size, str(tmp_path / "from-texts")]) == 0
    assert run(["train-vocab", str(counts[0]), str(halves[1]), *size, str(tmp_path / "from-both")]) == 0
    made = [(tmp_path / name / "tokenizer.json").read_bytes() for name in ("from-counts", "from-texts", "from-both")]
    assert made[0] == made[1] == made[2]
    assert "no text among the inputs" in (tmp_path / "from-counts" / "README.md").read_text(encoding="utf-8")


def test_saved_counts_are_the_same_bytes_for_any_threads_and_when_the_folder_is_there(text, tmp_path):
    files = [tmp_path / f"{threads}.counts" for threads in (1, 2, 4)]
    for threads, file in zip("124", files, strict=True):
        flags = ["--vocab-size", "300", "--threads", threads, "--save-counts", str(file)]
        assert train(text, tmp_path / "vocab", *flags) == 0
    assert len({file.read_bytes() for file in files}) == 1


def test_counts_of_another_normal_form_are_refused(text, tmp_path, capsys):
    saved = tmp_path / "nfc.counts"
    assert train(text, tmp_path / "nfc", "--vocab-size", "300", "--save-counts", str(saved)) == 0
    assert train(saved, tmp_path / "nfd", "--vocab-size", "300", "--normalizer", "nfd") == 3
    assert "made by other stages" in capsys.readouterr().err
    assert not (tmp_path / "nfd").exists()


def test_a_damaged_file_of_counts_is_refused_by_name(text, tmp_path, capsys):
    saved = tmp_path / "cut.counts"
    assert train(text, tmp_path / "vocab", "--vocab-size", "300", "--save-counts", str(saved)) == 0
    saved.write_bytes(saved.read_bytes()[:-5])
    assert train(saved, tmp_path / "again", "--vocab-size", "300") == 3
    assert "cut.counts" in capsys.readouterr().err


def test_counts_are_not_written_over_an_input_nor_into_the_folder(text, tmp_path, capsys):
    saved = tmp_path / "a.counts"
    size = ["--vocab-size", "300"]
    assert train(text, tmp_path / "vocab", *size, "--save-counts", str(saved)) == 0
    assert train(saved, tmp_path / "again", *size, "--save-counts", str(saved)) == 2
    assert "over an input" in capsys.readouterr().err
    assert train(text, tmp_path / "inside", *size, "--save-counts", str(tmp_path / "inside" / "a.counts")) == 2
    assert "in the folder to make" in capsys.readouterr().err


def test_a_dry_run_names_every_folder_and_the_counts(text, tmp_path, capsys):
    flags = ["--vocab-size", "300", "--vocab-size", "400", "--save-counts", "a.counts", "--dry-run"]
    assert train(text, tmp_path / "ladder", *flags) == 0
    shown = capsys.readouterr().out
    assert "vocab_size\t300, 400" in shown
    assert f"write\t{tmp_path / 'ladder' / '400'}/tokenizer.json" in shown
    assert "write\ta.counts" in shown


# ---- whose rules


@pytest.mark.parametrize("model", ["unigram", "bpe"])
def test_a_model_of_sentencepiece_rules_loads_there_and_has_its_pieces(text, tmp_path, model):
    import io

    import sentencepiece

    out = tmp_path / "vocab"
    assert train(text, out, "--vocab-size", "60", "--compat", "sentencepiece", "--model", model) == 0
    ours = sentencepiece.SentencePieceProcessor(model_file=str(out / "tokenizer.model"))
    made = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_writer=made, vocab_size=60, model_type=model, hard_vocab_limit=False, minloglevel=3
    )
    theirs = sentencepiece.SentencePieceProcessor(model_proto=made.getvalue())
    pieces = [[each.id_to_piece(number) for number in range(each.get_piece_size())] for each in (ours, theirs)]
    assert pieces[0] == pieces[1]
    tokenizer = Tokenizer.from_file(out)
    for line in [*TEXT.splitlines()[:2], "ㅋㅋ 뷁 <s> \u1112\u1161\u11ab글 😀"]:
        assert tokenizer.encode(line).ids == theirs.encode(line)
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "| `tokenizer.model` | a sentencepiece model with its normalization |" in card
    assert "this package's own form" in card
    assert "`tokenizers`" not in card


def test_several_sizes_of_sentencepiece_rules_are_each_what_one_run_makes(text, tmp_path):
    flags = ["--compat", "sentencepiece", "--model", "bpe"]
    assert train(text, tmp_path / "all", *flags, "--vocab-size", "50", "--vocab-size", "60") == 0
    assert train(text, tmp_path / "60", *flags, "--vocab-size", "60") == 0
    assert content(tmp_path / "all" / "60") == content(tmp_path / "60")


def test_the_textbook_differs_where_tokenizers_counts_overlapping_pairs(tmp_path):
    file = tmp_path / "runs.txt"
    file.write_text("ㅋㅋㅋ " * 30 + "abab " * 44, encoding="utf-8")
    flags = ["--vocab-size", "8", "--pre-tokenizer", "whitespace", "--special-token", "<unk>"]
    first = {}
    for compat in ("tokenizers", "plain"):
        assert train(file, tmp_path / compat, *flags, "--compat", compat) == 0
        row = json.loads((tmp_path / compat / "tokenizer.json").read_text(encoding="utf-8"))
        first[compat] = row["model"]["merges"]
    assert first["plain"][0] == ["a", "b"]
    assert first["tokenizers"] != first["plain"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--compat", "plain", "--preset", "t5"], "compat plain is for bpe, not for unigram"),
        (["--compat", "sentencepiece", "--model", "wordpiece"], "compat sentencepiece is for bpe and unigram"),
        (["--compat", "sentencepiece", "--preset", "gpt2"], "needs pre_tokenizer metaspace"),
        (["--compat", "sentencepiece", "--normalizer", "nfc"], "needs pre_tokenizer metaspace"),
        (["--compat", "sentencepiece", "--preset", "t5"], "first of the special_tokens"),
        (["--compat", "sentencepiece", "--weights", "equal"], "compat sentencepiece has no weights"),
        (["--compat", "sentencepiece", "--invalid-utf8", "replace"], "compat sentencepiece has no invalid_utf8"),
        (["--compat", "sentencepiece", "--memory-limit", "1GB"], "--memory-limit: sentencepiece learns"),
        (
            ["--compat", "sentencepiece", "--save-counts", "a.counts"],
            "--save-counts: sentencepiece learns",
        ),
        (["--compat", "textbook"], "plain"),
    ],
)
def test_rules_that_have_no_place_for_a_setting_say_so(text, tmp_path, capsys, flags, message):
    assert train(text, tmp_path / "vocab", *flags) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "vocab").exists()


def test_word_counts_are_no_sentences(text, tmp_path, capsys):
    saved = tmp_path / "a.counts"
    assert train(text, tmp_path / "a", "--vocab-size", "300", "--save-counts", str(saved)) == 0
    assert train(saved, tmp_path / "b", "--vocab-size", "60", "--compat", "sentencepiece") == 3
    assert "word counts are no sentences" in capsys.readouterr().err


@pytest.mark.parametrize("flags", [["--vocab-size", "300"], ["--vocab-size", "60", "--compat", "sentencepiece"]])
def test_the_texts_of_a_parquet_file_are_in_the_column_named(tmp_path, capsys, flags):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    lines = TEXT.splitlines()
    file, plain = tmp_path / "t.parquet", tmp_path / "t.jsonl"
    parquet.write_table(arrow.table({"body": lines, "text": ["xyz"] * len(lines)}), file)
    rows = [json.dumps({"id": str(n), "text": line}) + "\n" for n, line in enumerate(lines)]
    plain.write_text("".join(rows), encoding="utf-8")
    assert train(file, tmp_path / "a", *flags, "--text-column", "body") == 0
    assert train(plain, tmp_path / "b", *flags) == 0
    made = [(tmp_path / name / "tokenizer.json").read_bytes() for name in "ab"]
    assert made[0] == made[1]
    assert train(file, tmp_path / "c", *flags, "--text-column", "bodi") == 3
    assert "no column 'bodi'" in capsys.readouterr().err


def test_superwords_hold_spaces_and_neither_digits_nor_punctuation_and_tokenizers_cuts_alike(tmp_path, capsys):
    import tokenizers

    file = tmp_path / "text.txt"
    line = "밥을 먹고 학교에 갔다. by the way, 3 ferries are late in 2024!\n"
    file.write_text(line * 60, encoding="utf-8")
    assert train(file, tmp_path / "super", "--vocab-size", "319", "--superwords", "306") == 0
    assert train(file, tmp_path / "words", "--vocab-size", "319") == 0
    tokenizer = Tokenizer.from_file(tmp_path / "super")
    tokens = [tokenizer.id_to_bytes(number).decode("utf-8", "replace") for number in range(306, 319)]
    assert any("갔다" in token and " " in token.strip() for token in tokens)
    assert any("by the" in token for token in tokens)
    assert not any(mark in token and len(token.strip()) > len(mark) for token in tokens for mark in (".", ",", "2024"))
    ours, words = tokenizer.encode(line), Tokenizer.from_file(tmp_path / "words").encode(line)
    assert len(ours.ids) < len(words.ids)
    assert tokenizer.decode(ours.ids) == line
    theirs = tokenizers.Tokenizer.from_file(str(tmp_path / "super" / "tokenizer.json"))
    assert theirs.encode(line).ids == ours.ids
    earlier = [tokenizer.id_to_bytes(number).decode("utf-8", "replace") for number in range(306)]
    assert not any(" " in token.strip() for token in earlier)


def test_superwords_of_several_sizes_are_each_what_one_run_makes(text, tmp_path):
    flags = ["--superwords", "290"]
    assert train(text, tmp_path / "all", *flags, "--vocab-size", "300", "--vocab-size", "310") == 0
    assert train(text, tmp_path / "310", *flags, "--vocab-size", "310", "--threads", "1") == 0
    assert content(tmp_path / "all" / "310") == content(tmp_path / "310")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--preset", "bert"], "superwords are for byte-level bpe"),
        (["--pre-tokenizer", "whitespace"], "superwords are for byte-level bpe"),
        (["--vocab-size", "290"], "superwords 300 is above vocab_size 290"),
        (["--scripts-apart"], "superwords and scripts_apart exclude each other"),
        (["--weights", "equal"], "superwords and weights exclude each other"),
    ],
)
def test_what_superwords_cannot_keep_is_refused(text, tmp_path, capsys, flags, message):
    assert train(text, tmp_path / "vocab", "--superwords", "300", *flags) == 2
    assert message in capsys.readouterr().err


def test_superwords_need_texts_and_not_counts(text, tmp_path, capsys):
    saved = tmp_path / "a.counts"
    flags = ["--vocab-size", "300", "--superwords", "290"]
    assert train(text, tmp_path / "a", *flags, "--save-counts", str(saved)) == 0
    assert train(saved, tmp_path / "b", *flags) == 3
    assert "word counts do not tell what follows a word" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("model", "cut"),
    [("wordpiece", "BertPreTokenizer"), ("unigram", "Metaspace")],
)
def test_a_model_named_alone_gets_words_that_are_for_it(tmp_path, capsys, model, cut):
    file, out = tmp_path / "text.txt", tmp_path / "vocab"
    file.write_text("밥을 밥은 물을 물은 돈을\n" * 9, encoding="utf-8")
    assert train(file, out, "--model", model, "--vocab-size", "17") == 0
    tokenizer = Tokenizer.from_file(out)
    assert type(tokenizer.pre_tokenizer).__name__ == cut
    assert "".join(tokenizer.encode("밥을").tokens).replace("##", "").lstrip("▁") == "밥을"
    assert "merges" not in capsys.readouterr().out


# ---- formats, and folders that are there


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--format", "vocab.txt"], "--format: vocab.txt holds WordPiece, not BPE"),
        (["--format", "tiktoken", "--preset", "t5"], "--format: files of ranks hold BPE, not Unigram"),
        (["--format", "vocab.json", "--preset", "bert"], "--format: merges.txt holds BPE, not WordPiece"),
        (["--format", "model", "--preset", "ko-morpheme"], "--format: a .model holds pieces of characters"),
        (["--format", "tiktoken", "--preset", "sentencepiece"], "tiktoken does not hold a vocabulary of sentencepiece"),
        (["--format", "zip"], "there is no format 'zip'"),
    ],
)
def test_a_format_that_has_no_place_for_the_vocabulary_is_refused_before_reading(tmp_path, capsys, flags, message):
    assert train(tmp_path / "absent.txt", tmp_path / "vocab", *flags) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("preset", ["bert", "t5", "llama3", "sentencepiece"])
def test_every_format_asked_for_is_written_named_on_the_card_and_loads(text, tmp_path, capsys, preset):
    formats = {
        "bert": {"vocab.txt": "vocab.txt", "transformers": "transformers"},
        "t5": {"model": "tokenizer.model", "transformers": "transformers"},
        "llama3": {"tiktoken": "vocab.tiktoken", "vocab.json": "vocab.json", "transformers": "transformers"},
        "sentencepiece": {"model": "tokenizer.model", "transformers": "transformers"},
    }[preset]
    flags = [word for name in formats for word in ("--format", name)]
    out = tmp_path / "vocab"
    size = "60" if preset in ("t5", "sentencepiece") else "330"
    assert train(text, out, "--vocab-size", size, "--preset", preset, *flags, "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)["vocabularies"]
    card = (out / "README.md").read_text(encoding="utf-8")
    ids = Tokenizer.from_file(out / "tokenizer.json").encode("밥을 먹고 the pier", add_special_tokens=False).ids
    for file in formats.values():
        assert f"| `{file}` |" in card
        assert file in [name.rstrip("/") for name in row["files"]]
        assert Tokenizer.from_file(out / file).encode("밥을 먹고 the pier", add_special_tokens=False).ids == ids


def test_the_settings_on_the_card_make_the_same_vocabulary_again(text, tmp_path):
    out, file = tmp_path / "vocab", tmp_path / "vocab.toml"
    assert train(text, out, "--preset", "bert", "--vocab-size", "90", "--scoring", "likelihood") == 0
    file.write_text((out / "README.md").read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0])
    assert train(text, tmp_path / "again", "--config", str(file)) == 0
    assert content(tmp_path / "again") == content(out)


def test_a_folder_made_otherwise_says_in_what(text, tmp_path, capsys):
    out = tmp_path / "vocab"
    assert train(text, out, "--vocab-size", "300") == 0
    assert train(text, out, "--vocab-size", "310", "--format", "tiktoken") == 3
    assert 'vocab_size 300, now 310; formats [], now ["tiktoken"]' in capsys.readouterr().err
    text.write_text(TEXT + "끝\n", encoding="utf-8")
    assert train(text, out, "--vocab-size", "300") == 3
    assert "the texts are not the same" in capsys.readouterr().err


def test_a_file_in_the_place_of_the_folder_is_left_alone(text, tmp_path, capsys):
    assert train(text, text, "--vocab-size", "300") == 3
    assert "this is a file, not a folder" in capsys.readouterr().err
    assert text.read_text(encoding="utf-8") == TEXT


def test_a_fault_in_a_configuration_is_told_by_its_line(text, tmp_path, capsys):
    file = tmp_path / "vocab.toml"
    for content_of, message in {
        "# ours\nvocab_sise = 300": 'line 2: unknown key vocab_sise. did you mean "vocab_size"?',
        'preset = "gpt3"': "line 1: no preset 'gpt3'. did you mean \"gpt2\"?",
        "\n\nmin_frequency = -1": "line 3: min_frequency = -1",
    }.items():
        file.write_text(content_of)
        assert train(text, tmp_path / "vocab", "--config", str(file)) == 2
        assert f"vocab.toml: {message}" in capsys.readouterr().err


def test_a_piece_longer_than_a_line_is_shown_by_its_beginning(tmp_path, capsys):
    file = tmp_path / "text.txt"
    file.write_text("가나다라마바사" * 3000, encoding="utf-8")
    assert train(file, tmp_path / "vocab", "--vocab-size", "300") == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) < 600
    assert max(map(len, (tmp_path / "vocab" / "README.md").read_text(encoding="utf-8").splitlines())) < 900


@pytest.mark.parametrize(
    "flags", [["--compat", "sentencepiece"], ["--preset", "t5"], ["--compat", "sentencepiece", "--model", "bpe"]]
)
def test_rare_characters_are_left_out_where_that_share_of_the_text_is_enough(tmp_path, flags):
    file = tmp_path / "text.txt"
    file.write_text("밥을 먹고 또 밥을 먹고\n" * 200 + "뷁\n", encoding="utf-8")
    for share, known in (("1.0", True), ("0.99", False)):
        out = tmp_path / share
        assert train(file, out, *flags, "--vocab-size", "20", "--character-coverage", share) == 0
        assert any("뷁" in piece for piece in Tokenizer.from_file(out).get_vocab()) is known
    assert train(file, tmp_path / "bpe", "--character-coverage", "0.9") == 2
