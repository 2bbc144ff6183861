"""The encodings that go by a name: which pattern cuts the text, which special tokens there are.

What enters: a name, or the sha256 of a file of ranks. What leaves: the pattern and the tokens. The patterns are
written as `tokenizers` reads them and match what tiktoken's own spellings match.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from textpipe.pre_tokenizers.grammars import PATTERNS

__all__ = ["ENCODINGS", "Encoding", "name_of_digest"]


@dataclass(frozen=True, slots=True)
class Encoding:
    """One named encoding; ``sha256`` is of the file of ranks it was published with, where there is one."""

    pattern: str
    special_tokens: Mapping[str, int] = field(default_factory=dict)
    sha256: str | None = None
    nfc: bool = False  # whether the text is put into Unicode's composed form first


def _numbered(first: int, names: list[str]) -> dict[str, int]:
    return {name: first + number for number, name in enumerate(names)}


def _llama3() -> dict[str, int]:
    named = {6: "start_header_id", 7: "end_header_id", 9: "eot_id"}
    reserved = iter(range(251))
    rest = [named.get(number, "") or f"reserved_special_token_{next(reserved)}" for number in range(2, 256)]
    return _numbered(128000, [f"<|{name}|>" for name in ("begin_of_text", "end_of_text", *rest)])


def _qwen3() -> dict[str, int]:
    marks = ["endoftext", "im_start", "im_end", "object_ref_start", "object_ref_end", "box_start", "box_end"]
    marks += ["quad_start", "quad_end", "vision_start", "vision_end", "vision_pad", "image_pad", "video_pad"]
    names = [f"<|{mark}|>" for mark in marks] + ["<tool_call>", "</tool_call>"]
    names += [f"<|{mark}|>" for mark in ("fim_prefix", "fim_middle", "fim_suffix", "fim_pad", "repo_name", "file_sep")]
    return _numbered(151643, [*names, "<tool_response>", "</tool_response>", "<think>", "</think>"])


def _harmony() -> dict[str, int]:
    named = {2: "return", 3: "constrain", 5: "channel", 6: "start", 7: "end", 8: "message", 12: "call"}
    rows = {f"<|{named.get(number, f'reserved_{200000 + number}')}|>": 200000 + number for number in range(1088)}
    # tiktoken finds <|endofprompt|> under 200018 as well; here an id has one name, the one it decodes to.
    return {"<|startoftext|>": 199998, "<|endoftext|>": 199999, **rows}


_END = "<|endoftext|>"
_FIM = ["<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"]
_R50K = "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930"
_P50K = "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069"
_O200K = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"

ENCODINGS: Mapping[str, Encoding] = {
    "r50k_base": Encoding(PATTERNS["gpt2"], {_END: 50256}, _R50K),
    "gpt2": Encoding(PATTERNS["gpt2"], {_END: 50256}),
    "p50k_base": Encoding(PATTERNS["gpt2"], {_END: 50256}, _P50K),
    "p50k_edit": Encoding(PATTERNS["gpt2"], {_END: 50256, **_numbered(50281, _FIM)}),
    "cl100k_base": Encoding(
        PATTERNS["gpt4 ends"],
        {_END: 100257, **_numbered(100258, _FIM), "<|endofprompt|>": 100276},
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    ),
    "o200k_base": Encoding(PATTERNS["gpt4o"], {_END: 199999, "<|endofprompt|>": 200018}, _O200K),
    "o200k_harmony": Encoding(PATTERNS["gpt4o"], _harmony()),
    "llama3": Encoding(PATTERNS["gpt4"], _llama3(), "82e9d31979e92ab929cd544440f129d9ecd797b69e327f80f17e1c50d5551b55"),
    "qwen3": Encoding(PATTERNS["gpt4 digit"], _qwen3(), nfc=True),
}
"""Every encoding that has a name here."""


def name_of_digest(sha256: str) -> str | None:
    """The encoding whose published file of ranks has this sha256."""
    return next((name for name, encoding in ENCODINGS.items() if encoding.sha256 == sha256), None)
