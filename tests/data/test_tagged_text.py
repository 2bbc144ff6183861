"""Tagged sentences from CoNLL and KLUE files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textpipe.data.tagged_text import iter_tagged
from textpipe.errors import FormatError, InputError

KLUE = """\
## 컬럼명 : CHAR\tNE_TAG
## klue-ner-v1_dev_00000\t<경찰:OG>은 #

경\tB-OG
찰\tI-OG
은\tO
 \tO
#\tO

## klue-ner-v1_dev_00001\t<박:PS>
박\tB-PS
"""
CONLL = "-DOCSTART- -X- O O\n\nSeoul NNP B-NP B-LOC\nis VBZ B-VP O\r\n\n\n\nSo RB B-X O"


def write(folder, text):
    path = folder / "a.tsv"
    path.write_bytes(text.encode())
    return path


def test_a_byte_order_mark_is_neither_part_of_a_word_nor_in_the_way_of_a_comment(tmp_path):
    (first,) = iter_tagged(write(tmp_path, "\ufeff경찰 B-OG\n은 O\n"), separator=" ")
    assert (first.text, first.offsets[0]) == ("경찰 은", (0, 2))
    assert len(list(iter_tagged(write(tmp_path, "\ufeff" + KLUE), separator=""))) == 2


def test_characters_of_klue_are_put_together_with_their_spaces(tmp_path):
    first, second = iter_tagged(write(tmp_path, KLUE), separator="")
    assert first.text == "경찰은 #"
    assert first.offsets == ((0, 1), (1, 2), (2, 3), (3, 4), (4, 5))
    assert first.tags == ("B-OG", "I-OG", "O", "O", "O")
    assert first.where == f"{tmp_path / 'a.tsv'}: line 4"
    assert (second.text, second.tags) == ("박", ("B-PS",))
    assert second.where.endswith("line 11")


def test_words_of_conll_are_put_together_with_spaces_and_have_the_last_column(tmp_path):
    first, second = iter_tagged(write(tmp_path, CONLL), separator=" ")
    assert (first.text, first.offsets, first.tags) == ("Seoul is", ((0, 5), (6, 8)), ("B-LOC", "O"))
    assert second.text == "So"


TOKEN = st.text(st.sampled_from("가나abㅋ#"), min_size=1, max_size=4)


@given(st.lists(st.lists(TOKEN, min_size=1, max_size=5), max_size=4), st.sampled_from(["", " "]))
def test_every_offset_reads_its_token(tmp_path_factory, sentences, separator):
    text = "\n".join("".join(f"{token}\tO\n" for token in tokens) for tokens in sentences)
    found = list(iter_tagged(write(tmp_path_factory.mktemp("tags"), text), separator=separator))
    read = [[sentence.text[begin:end] for begin, end in sentence.offsets] for sentence in found]
    assert read == sentences
    assert [sentence.text for sentence in found] == [separator.join(tokens) for tokens in sentences]


@pytest.mark.parametrize("line", ["가", "가\t", "\tO", "가\t "])
def test_a_token_without_a_tag_is_named(tmp_path, line):
    with pytest.raises(FormatError, match="line 2: a token without a tag"):
        list(iter_tagged(write(tmp_path, f"나\tO\n{line}\n"), separator=""))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        list(iter_tagged(tmp_path / "none.tsv", separator=""))
