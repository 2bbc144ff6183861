"""``textpipe inspect``: what each stage of a tokenizer makes of a text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from textpipe.cli.tokenizer_option import (
    ALLOW,
    SPECIAL,
    TEMPLATE,
    TOKENIZER,
    WHOLE,
    SpecialPolicy,
    load,
    texts_of,
)
from textpipe.core.byte_alphabet import to_bytes
from textpipe.encoding.visible import visible, visible_bytes
from textpipe.normalizers.unicode_forms import canonical_form

if TYPE_CHECKING:
    from textpipe.tokenizer import Tokenizer
    from textpipe.tokenizer.pipeline import Pipeline

_COLOURS = ("black on bright_cyan", "black on bright_green", "black on bright_yellow", "black on bright_magenta")


def command(
    texts: list[str] = typer.Argument(None, help="Texts; without any, the lines of standard input."),
    *,
    tokenizer: Path = TOKENIZER,
    whole: bool = WHOLE,
    template: bool = TEMPLATE,
    special: SpecialPolicy = SPECIAL,
    allow: list[str] = ALLOW,
    as_json: bool = typer.Option(False, "--json", help="A line of JSON a text instead."),
) -> None:
    """Show what each stage makes of a text: normalized, cut, in pieces, and back.

    \b
    textpipe inspect "안녕하세요, 세상" --tokenizer vocab
    """
    made = load(tokenizer, allow)
    for text in texts_of(texts or [], [], whole=whole):
        stages = describe(made, text, add_special_tokens=template, special=special)
        if as_json:
            print(json.dumps(stages, ensure_ascii=False))
        else:
            _show(stages)


def describe(
    tokenizer: Tokenizer, text: str, *, add_special_tokens: bool, special: SpecialPolicy = "allow"
) -> dict[str, Any]:
    """Every stage's output as plain data."""
    pipeline = tokenizer.pipeline
    encoding = tokenizer.encode(text, add_special_tokens=add_special_tokens, special=special)
    words = [
        {"text": piece.text, "reads": _reading(pipeline, piece.text), "offsets": piece.offsets, "added_id": number}
        for piece, number in pipeline.stages(text, skip_special=special == "text")
        if piece.text
    ]
    tokens = [
        {**_token(tokenizer, number, token, text[slice(*place)]), "offsets": place, "special": bool(is_special)}
        for number, token, place, is_special in zip(
            encoding.ids, encoding.tokens, encoding.offsets, encoding.special_tokens_mask, strict=True
        )
    ]
    return {
        "schema_version": 1,
        "text": text,
        "normalized": text if pipeline.normalizer is None else pipeline.normalizer.normalize_str(text),
        "words": words,
        "tokens": tokens,
        "decoded": tokenizer.decode(encoding.ids, skip_special_tokens=False),
        "num_characters": len(text),
        "num_bytes": len(text.encode()),
    }


def _token(tokenizer: Tokenizer, number: int, token: str, text: str) -> dict[str, Any]:
    """What one token says of the text it stands for, which only the text itself knows of an unknown one."""
    piece = tokenizer.id_to_token(number) or ""
    is_unknown = bool(text) and number == tokenizer.model.unknown_id
    if is_unknown or tokenizer.decoder is None:
        data = (text if is_unknown else piece).encode()
    else:
        data = tokenizer.decoder.bytes_alone(piece)
    return {
        "id": number,
        "piece": token,
        "bytes": data.hex(),
        "text": text,
        "unknown": piece if is_unknown else None,
    }


def _reading(pipeline: Pipeline, word: str) -> str:
    """A word as text also where a stage has spelled its bytes."""
    cut = None if pipeline.pre_tokenizer is None else pipeline.pre_tokenizer.native_cut()
    data = to_bytes(word) if cut is not None and cut.byte_level else None
    return word if data is None else data.decode("utf-8", "replace")


def _form_beside(name: str, texts: Mapping[str, str]) -> str:
    """The form of one of several texts, unless all are of plain syllables: others look alike and differ."""
    forms = {each: _form(text) for each, text in texts.items()}
    return "" if set(forms.values()) <= {"", "NFC"} or not forms[name] else f"  ({forms[name]})"


def _form(text: str) -> str:
    return canonical_form(text) + (", jamo" if any("\u1100" <= character <= "\u11ff" for character in text) else "")


def _show(stages: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    tokens = stages["tokens"]

    def coloured(pieces: list[str]) -> Text:
        line = Text()
        for number, piece in enumerate(pieces):
            line.append(piece or "∅", style=_COLOURS[number % len(_COLOURS)])
            line.append(" ")
        return line

    texts = {name: stages[name] for name in ("text", "normalized", "decoded")}

    def line(name: str) -> Text:
        return Text.assemble((f"{name:12}", "bold"), visible(texts[name]), (_form_beside(name, texts), "dim"))

    console.print(line("text"))
    console.print(line("normalized"))
    words = coloured([visible(word["reads"]) for word in stages["words"]])
    console.print(Text.assemble(("words       ", "bold"), words))
    console.print(Text.assemble(("pieces      ", "bold"), coloured([_piece(token) for token in tokens])))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, side in (
        ("id", "right"),
        ("piece", "left"),
        ("reads", "left"),
        ("bytes", "left"),
        ("characters", "left"),
    ):
        table.add_column(name, justify=side)  # type: ignore[arg-type]
    for token in tokens:
        begin, end = token["offsets"]
        row = (str(token["id"]), visible(token["piece"]), _piece(token), token["bytes"], f"{begin}–{end}")
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
    console.print(line("decoded"))
    count = max(len(tokens), 1)
    rate = f"{stages['num_bytes'] / count:.2f} bytes and {stages['num_characters'] / count:.2f} characters a token"
    console.print(f"{len(tokens)} tokens, {rate}")


def _piece(token: dict[str, Any]) -> str:
    return visible(token["unknown"]) if token["unknown"] else visible_bytes(bytes.fromhex(token["bytes"]))
