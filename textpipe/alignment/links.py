"""Two alignments, one of each direction, made one.

What enters: links (source, target) of a pair of texts, as each direction has them. What leaves: links. Each direction
gives every word one origin at most; together they say where words stand for several.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Literal

__all__ = ["Link", "Symmetrization", "symmetrized"]

Link = tuple[int, int]
Symmetrization = Literal["grow-diag-final-and", "intersection", "union", "forward", "backward"]

_AROUND = ((-1, 0), (0, -1), (1, 0), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1))


def symmetrized(forward: AbstractSet[Link], backward: AbstractSet[Link], how: Symmetrization) -> list[Link]:
    """The links of both directions as one alignment, in order.

    ``grow-diag-final-and`` (Koehn, Och, Marcu 2003; Koehn 2010, chapter 4) begins with the links that both have, takes
    in others of either that stand beside one and align a word that is not aligned yet, and last those that align two
    such words.

    Examples
    --------
    >>> symmetrized({(0, 0), (1, 1)}, {(0, 0), (1, 0), (2, 2)}, "intersection")
    [(0, 0)]
    >>> symmetrized({(0, 0), (1, 1)}, {(0, 0), (1, 0), (2, 2)}, "grow-diag-final-and")
    [(0, 0), (1, 0), (1, 1), (2, 2)]
    """
    match how:
        case "forward" | "backward":
            return sorted(forward if how == "forward" else backward)
        case "intersection":
            return sorted(forward & backward)
        case "union":
            return sorted(forward | backward)
        case "grow-diag-final-and":
            return sorted(_grown(forward, backward))


def _grown(forward: AbstractSet[Link], backward: AbstractSet[Link]) -> set[Link]:
    both = set(forward | backward)
    found = set(forward & backward)
    sources, targets = {source for source, _ in found}, {target for _, target in found}
    waiting = sorted(found)
    while waiting:  # what stands beside a link of each round is looked at in order
        added = []
        for source, target in waiting:
            for right, down in _AROUND:
                link = source + right, target + down
                if link in both and link not in found and (link[0] not in sources or link[1] not in targets):
                    found.add(link)
                    added.append(link)
                    sources.add(link[0])
                    targets.add(link[1])
        waiting = sorted(added)
    for side in (forward, backward):
        for link in sorted(side):
            if link[0] not in sources and link[1] not in targets:
                found.add(link)
                sources.add(link[0])
                targets.add(link[1])
    return found
