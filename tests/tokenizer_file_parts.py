"""Parts of tokenizer files, put together by hand: what the tests of broken files begin with."""

from __future__ import annotations

import base64
import struct


def split(pattern):
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


def charsmap(data):
    return {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(data).decode()}


def template(single, tokens=None):
    pair = [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}]
    return {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": tokens or {}}


PLACE_A = {"Sequence": {"id": "A", "type_id": 0}}
PLACE_X = {"SpecialToken": {"id": "x", "type_id": 0}}


def token(content, number, **flags):
    plain = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized", "special"), False)
    return {"id": number, "content": content, **plain, **flags}


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def piece(text, kind=1):
    inner = b"\x0a" + varint(len(text)) + text + b"\x15" + struct.pack("<f", -1.0) + b"\x18" + varint(kind)
    return b"\x0a" + varint(len(inner)) + inner


def ranks(pieces):
    return b"".join(base64.b64encode(text) + b" %d\n" % rank for text, rank in pieces)


BYTES = [(bytes([byte]), byte) for byte in range(256)]
