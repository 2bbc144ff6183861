"""Builds the bundled web site and its truth from their sources.

    python corpora/build.py            write corpora/site, corpora/truth and corpora/MANIFEST.toml
    python corpora/build.py --check    say what differs from a fresh build, and exit with 1 if anything does

What enters: ``source``, ``extra``, ``site.toml``, ``templates`` and ``static`` beside this file. What leaves: the
same bytes every time; no clock, no network, no random number.
"""

from __future__ import annotations

import argparse
import datetime
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from protego import Protego

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]  # run as a script from a clone that is not installed

from generator.addresses import Address, assign  # noqa: E402
from generator.layout import Layout  # noqa: E402
from generator.manifest import manifest  # noqa: E402
from generator.pages import Pages, SitePage  # noqa: E402
from generator.sources import LANGS, read_articles  # noqa: E402

from textpipe.files import write_bytes  # noqa: E402

FEED_ENTRIES = 12


def robots_txt(settings: Mapping[str, Any]) -> str:
    """Return robots.txt: rules for all, one agent shut out, and where the sitemap is."""
    rules = settings["robots"]
    lines = ["# Hanbit Village. Please be gentle: this runs on one small machine.", "User-agent: *"]
    lines += [f"Disallow: {path}" for path in rules["disallow"]]
    lines += [f"Allow: {path}" for path in rules["allow"]]
    lines += [f"Crawl-delay: {settings['crawl_delay_s']}", ""]
    lines += [f"User-agent: {rules['shut_out']}", "Disallow: /", ""]
    lines += [f"Sitemap: {settings['origin']}/sitemap.xml", ""]
    return "\n".join(lines)


def disallowed_paths(robots: str, pages: Sequence[SitePage]) -> frozenset[str]:
    """Return the paths of ``pages`` that ``robots`` forbids to everybody."""
    parsed = Protego.parse(robots)
    return frozenset(page.path for page in pages if not parsed.can_fetch("http://host" + page.path, "somebody"))


def feeds_and_sitemaps(layout: Layout, settings: Mapping[str, Any], pages: Sequence[SitePage]) -> dict[str, str]:
    """Return the XML files by name."""
    files: dict[str, str] = {}
    maps = []
    for lang in LANGS:
        listed = [page for page in pages if page.path.startswith(f"/{lang}/") and _in_sitemap(page)]
        other = "en" if lang == "ko" else "ko"
        name = f"sitemap-{lang}.xml"
        files[name] = layout.xml("sitemap.xml", pages=listed, other=other)
        newest = max(page.date or datetime.date.min for page in listed)
        # The English one is only offered compressed, as large sites do.
        maps.append({"path": f"/{name}" + (".gz" if lang == "en" else ""), "date": newest})
        entries = layout.entries(lang)[:FEED_ENTRIES]
        words = settings["ui"][lang]
        files[f"{lang}/feed.xml"] = layout.xml("rss.xml", lang=lang, t=words, entries=entries)
        files[f"{lang}/atom.xml"] = layout.xml("atom.xml", lang=lang, t=words, entries=entries)
    files["sitemap.xml"] = layout.xml("sitemap-index.xml", maps=maps)
    return files


def _in_sitemap(page: SitePage) -> bool:
    return page.kind in ("home", "list") or bool(page.main_text and not page.duplicate_of and not page.noindex)


def server_rules(settings: Mapping[str, Any], drawer: Pages) -> list[dict[str, Any]]:
    """Return the server's rules with references to articles resolved."""
    rules = []
    for row in settings["server"]:
        rule = dict(row)
        for key in ("path", "location"):
            if key in rule:
                rule[key] = drawer.resolve(rule[key])
        rules.append(rule)
    return rules


def _with_unusual_places(
    addresses: dict[tuple[str, str], Address], settings: Mapping[str, Any]
) -> dict[tuple[str, str], Address]:
    for row in settings["special"]:
        if "path" in row:
            addresses[row["lang"], row["slug"]] = Address(row["path"], row["file"])
    return addresses


def build() -> dict[str, bytes]:
    """Return every file of the site, the truth and the manifest, by its path below ``corpora``."""
    settings = tomllib.loads((HERE / "site.toml").read_text("utf-8"))
    articles = [*read_articles(HERE / "source"), *read_articles(HERE / "extra")]
    addresses = _with_unusual_places(assign(articles), settings)
    layout = Layout(HERE / "templates", settings, articles, addresses)
    drawer = Pages(layout, settings, articles, addresses)
    pages = drawer.all()
    robots = robots_txt(settings)

    files = {f"site/{page.file}": page.data for page in pages}
    files |= {page.truth: page.main_text.encode() for page in pages if page.truth}
    files |= {f"site/{name}": text.encode() for name, text in feeds_and_sitemaps(layout, settings, pages).items()}
    files |= {f"site/{path.relative_to(HERE / 'static')}": path.read_bytes() for path in _files_below(HERE / "static")}
    files["site/robots.txt"] = robots.encode()
    text = manifest(
        pages,
        server_rules(settings, drawer),
        files,
        settings=settings,
        disallowed=disallowed_paths(robots, pages),
    )
    return files | {"MANIFEST.toml": text.encode()}


def _files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def differences(fresh: Mapping[str, bytes]) -> list[str]:
    """Return the paths below ``corpora`` that are not what a fresh build gives, stray files included."""
    present = [HERE / "MANIFEST.toml", *_files_below(HERE / "site"), *_files_below(HERE / "truth")]
    stored = {str(path.relative_to(HERE)): path.read_bytes() for path in present if path.exists()}
    return sorted(path for path in stored.keys() | fresh.keys() if stored.get(path) != fresh.get(path))


def main() -> int:
    """Build, or check the last build."""
    parser = argparse.ArgumentParser(description="Build the bundled web site.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a fresh build differs")
    check = parser.parse_args().check
    fresh = build()
    changed = differences(fresh)
    for path in [] if check else changed:
        if path in fresh:
            write_bytes(HERE / path, fresh[path])
        else:
            (HERE / path).unlink()
    sys.stdout.write("".join(f"{path}\n" for path in changed) or "nothing changed\n")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
