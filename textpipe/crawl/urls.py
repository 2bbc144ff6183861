"""What a URL is to the crawler: one canonical spelling, one duplicate key, one host, and the simple trap rules.

What enters: a URL as a person, a page or a sitemap wrote it. What leaves: the canonical URL that is requested and
stored, or an :class:`~textpipe.errors.InputError`. Only changes that cannot alter what a server answers are made: case
of scheme and host, IDNA, default port, fragment, dot segments, the tracking and session parameters of a short list. No
other parameter is dropped and no order is changed; percent-encoded bytes stay as they are, so ``%B0%A1`` (가 in EUC-KR)
reaches the server as it was written. URLs that differ only in the order of their parameters share one :func:`url_key`.
"""

from __future__ import annotations

import functools
import ipaddress
import re
import urllib.parse
from typing import TYPE_CHECKING

import xxhash

from textpipe.errors import InputError
from textpipe.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    import tldextract

__all__ = ["canonical_url", "host_of", "join_url", "origin_of", "site_of", "url_key", "url_problem"]

_DEFAULT_PORTS = {"http": 80, "https": 443}
_EDGES = "".join(map(chr, range(0x21)))  # what browsers strip from both ends: controls and the space
_INNER = str.maketrans("", "", "\t\r\n")  # and from anywhere inside
_TRIPLET = re.compile(r"%[0-9A-Fa-f]{2}")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
_PATH_SAFE = "/%:@!$&'()*+,;=~-._|^[]"
_QUERY_SAFE = _PATH_SAFE + "?`{}\\"

# Parameters that name a visit or a campaign, never a page.
_TRACKING_NAMES = "fbclid gclid gad_source gbraid wbraid dclid msclkid igshid yclid mc_cid mc_eid phpsessid jsessionid"
_TRACKING = frozenset(_TRACKING_NAMES.split())
_HEX32 = re.compile(r"[0-9a-fA-F]{32}")
_PATH_SESSION = re.compile(r";jsessionid=[^/?#]*", re.IGNORECASE)

# What a page of text never ends in; links to these are counted, not fetched.
_BINARY_NAMES = """
    7z aac apk avi bin bmp bz2 css dmg doc docx eot exe flac gif gz hwp hwpx ico iso jar jpeg jpg js json m4a m4v mid
    mkv mov mp3 mp4 mpeg mpg msi odp ods odt ogg otf pdf png ppt pptx psd rar rpm svg swf tar tgz tif tiff ttf wav webm
    webp wma wmv woff woff2 xls xlsx xz zip
"""
_BINARY_EXTENSIONS = frozenset(_BINARY_NAMES.split())


def canonical_url(url: str) -> str:
    """Return the one spelling of ``url`` that is requested and stored.

    Parameters
    ----------
    url : an absolute http or https URL.

    Raises
    ------
    InputError
        when it is not such a URL, or carries a user name or password.

    Notes
    -----
    RFC 3986 §6.2 (case, percent-encoding of what may not stand bare, dot segments, scheme) and UTS #46 host names.

    Examples
    --------
    >>> canonical_url("HTTP://Example.COM:80/a/../가?b=2&a=1&utm_source=x#top")
    'http://example.com/%EA%B0%80?b=2&a=1'
    """
    text = url.strip(_EDGES).translate(_INNER)
    try:
        parts = urllib.parse.urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise InputError(f"not a URL: {error}", where=url[:200]) from None
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS or not parts.netloc:
        raise InputError("not a web address", where=url[:200], allowed="http://… or https://…")
    if "@" in parts.netloc:
        raise InputError("a URL with a user name or password in it is not fetched", where=_without_user(text)[:200])
    host = _canonical_host(parts.hostname or "", url)
    netloc = host if port is None or port == _DEFAULT_PORTS[scheme] else f"{host}:{port}"
    query = _canonical_query(parts.query)
    return f"{scheme}://{netloc}{_canonical_path(parts.path)}{'?' + query if query else ''}"


def _without_user(text: str) -> str:
    return re.sub(r"//[^/?#]*@", "//…@", text, count=1)


def _canonical_host(host: str, url: str) -> str:
    host = host.removesuffix(".")
    if ":" in host:
        try:
            return f"[{ipaddress.IPv6Address(host)}]"
        except ValueError:
            raise InputError("the host is not an IPv6 address", where=url[:200]) from None
    if not host.isascii():
        import idna

        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except UnicodeError as error:
            raise InputError(f"the host is not a domain name: {error}", where=url[:200]) from None
    host = host.lower()
    if len(host) > 253 or ".." in host or not _HOST.fullmatch(host):
        raise InputError("the host is not a domain name", where=url[:200])
    return host


def _canonical_path(path: str) -> str:
    path = path.replace("\\", "/")
    if ";" in path:
        path = _PATH_SESSION.sub("", path)
    if "/." in path:
        path = _without_dot_segments(path)
    return _upper_triplets(urllib.parse.quote(path, safe=_PATH_SAFE)) or "/"


def _without_dot_segments(path: str) -> str:
    """RFC 3986 §5.2.4, on an absolute path."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for position, segment in enumerate(segments):
        if segment in (".", ".."):
            if segment == ".." and kept:
                kept.pop()
            if position == len(segments) - 1:
                kept.append("")
        else:
            kept.append(segment)
    return "/" + "/".join(kept)


def _canonical_query(query: str) -> str:
    if not query:
        return ""
    pieces = [piece for piece in query.split("&") if piece and not _names_a_visit(piece)]
    return _upper_triplets(urllib.parse.quote("&".join(pieces), safe=_QUERY_SAFE))


def _names_a_visit(piece: str) -> bool:
    name, _, value = piece.partition("=")
    name = name.lower()
    return name.startswith("utm_") or name in _TRACKING or (name == "sid" and _HEX32.fullmatch(value) is not None)


def _upper_triplets(text: str) -> str:
    return _TRIPLET.sub(lambda match: match.group().upper(), text) if "%" in text else text


@functools.lru_cache(maxsize=1 << 16)  # a site's navigation repeats on every page
def join_url(base: str, reference: str, encoding: str = "utf-8") -> str | None:
    """Resolve a link of a page, in canonical spelling; None for what is not a web address (``mailto:``, ``#top``, …).

    As browsers do, the query of a link is percent-encoded in the page's own ``encoding``, the path in UTF-8.
    """
    reference = reference.strip(_EDGES).translate(_INNER)
    if not reference or reference.startswith("#"):
        return None
    try:
        joined = urllib.parse.urljoin(base, reference)
        if encoding != "utf-8" and not joined.isascii():
            front, mark, query = joined.partition("?")
            raw = query.partition("#")[0].encode(encoding, "xmlcharrefreplace")
            joined = front + mark + urllib.parse.quote_from_bytes(raw, safe=_QUERY_SAFE)
        return canonical_url(joined)
    except ValueError:  # InputError is one
        return None


def url_key(url: str) -> bytes:
    """16 bytes that are equal for two canonical URLs with the same parameters in any order."""
    front, mark, query = url.partition("?")
    if "&" in query:
        url = front + mark + "&".join(sorted(query.split("&")))
    return xxhash.xxh3_128_digest(url.encode())


def host_of(url: str) -> str:
    """Host, and port where it is not the default one, of a canonical URL: the unit of scope and of politeness."""
    return url.split("/", 3)[2]


def origin_of(url: str) -> str:
    """Scheme, host and port of a canonical URL: the unit a robots.txt speaks for."""
    return "/".join(url.split("/", 3)[:3])


@functools.lru_cache(maxsize=1 << 14)
def site_of(host: str) -> str:
    """The registrable domain of a host (``blog.example.co.kr`` → ``example.co.kr``), or the host itself without one."""
    name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
    return _suffixes()(name).top_domain_under_public_suffix or name


@functools.cache
def _suffixes() -> tldextract.TLDExtract:
    import tldextract

    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)  # the list inside the wheel; no network


def url_problem(url: str, limits: Limits = DEFAULT_LIMITS) -> str:
    """The reason a canonical URL is not worth a request, or ``""``.

    ``url-length``, ``url-depth`` (path segments), ``url-repeats`` (a segment three times: a relative-link loop),
    ``url-parameters`` (more than eight), ``extension`` (a picture, an archive, …).
    """
    if len(url) > limits.url_chars:
        return "url-length"
    path, _, query = url.split("/", 3)[3].partition("?")
    segments = [segment for segment in path.split("/") if segment]
    if len(segments) > limits.url_depth:
        return "url-depth"
    if len(segments) > 2 and max(map(segments.count, segments)) > 2:
        return "url-repeats"
    if query.count("&") >= 8:
        return "url-parameters"
    name, dot, extension = segments[-1].rpartition(".") if segments else ("", "", "")
    if dot and name and not query and extension.lower() in _BINARY_EXTENSIONS:
        return "extension"
    return ""
