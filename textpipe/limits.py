"""Every cap in one place.

What enters: nothing. What leaves: one frozen ``Limits`` of numbers, each with its unit in its name and its reason
beside it. A stage takes ``limits: Limits = DEFAULT_LIMITS``; a caller overrides with ``dataclasses.replace``. Reaching
a cap is a :class:`~textpipe.errors.LimitError`, never a hang and never a signal.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEFAULT_LIMITS", "Limits"]

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps on what comes from outside."""

    # tokenizer files
    tokenizer_file_bytes: int = 256 * MIB
    json_depth: int = 32
    vocab_size: int = 1 << 22
    token_id: int = 1 << 24
    piece_bytes: int = 4 * KIB
    num_merges: int = 1 << 22
    num_added_tokens: int = 100_000
    rank_work: int = 1 << 29  # squares of the sizes of pieces with ranks, summed: the time to take them apart
    charsmap_bytes: int = 4 * MIB  # the usual ones have 0.3
    text_growth: int = 64  # by all replacements of a normalizer or decoder together …
    grown_bytes: int = 16 * MIB  # … and so much more, of a short text
    prepended_chars: int = 64 * KIB
    template_tokens: int = 4096  # special tokens around one text
    template_texts: int = 16  # how often a template may have a text
    pattern_chars: int = 4 * KIB  # a pre-token pattern written by a user
    pattern_s: float = 0.5  # of processor time for one text, where a sane pattern takes microseconds …
    pattern_s_per_char: float = 2e-5  # … and that for each character, about a hundred times what one takes

    # text
    text_bytes: int = GIB  # one text argument
    word_bytes: int = 128 * MIB  # one word of byte-pair encoding, which takes some thirty times its size
    overflowing_parts: int = 1_000_000  # of one truncated text
    overflowing_ways: int = 100_000  # in which the parts of two truncated texts go together
    padded_tokens: int = 1 << 30  # of one encoding, or of one matrix of texts
    line_bytes: int = 64 * MIB  # one line of JSONL, inflated
    examples_json_bytes: int = 256 * MIB  # a JSON file that is one list of examples
    extract_sentences: int = 5000  # of one text, compared with each other
    summary_units: int = 100_000  # characters or words of one summary, compared with another
    sentence_bytes: int = 500 * MIB  # that unigrams are sought in at once

    nbest_size: int = 1024  # spellings of one word
    lattice_ways: int = 1 << 22  # characters times spellings

    alignment_cells: int = 1 << 26  # words of sources times words of targets, pair by pair: 2 GB

    # work on this machine
    threads: int = 1024  # of one job
    collective_timeout_s: float = 1800.0  # what ranks wait for each other: the first one may be saving

    # pages
    url_chars: int = 2083  # what browsers and sitemaps agree on
    url_depth: int = 16  # path segments
    page_wire_bytes: int = 5 * MIB
    page_bytes: int = 20 * MIB  # inflated
    inflate_ratio: int = 200
    content_encodings: int = 2
    header_bytes: int = 64 * KIB
    redirects: int = 10
    robots_bytes: int = 500 * KIB  # RFC 9309: at least this much is read
    robots_redirects: int = 5  # RFC 9309: at least five are followed
    sitemap_bytes: int = 50 * MIB  # sitemaps.org
    sitemap_urls: int = 50_000  # sitemaps.org
    sitemap_depth: int = 3
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 20.0
    total_timeout_s: float = 60.0
    crawl_delay_s: float = 60.0  # a longer Crawl-delay is cut to this, and said
    retry_after_s: float = 3600.0

    # HTML to text
    dom_depth: int = 512
    dom_nodes: int = 500_000
    dom_attributes: int = 2000  # of one element: libxml2 is quadratic in them
    extract_timeout_s: float = 20.0  # one document

    # model files
    shard_bytes: int = 1 << 40


DEFAULT_LIMITS = Limits()
