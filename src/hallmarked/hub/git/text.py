"""What changed between two texts, line by line, with a bound on the work.

Source: E. Myers, "An O(ND) Difference Algorithm and Its Variations", Algorithmica 1 (1986), section 4.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

MAX_WORK = 300_000
"""Comparisons after which two texts count as wholly different."""
CONTEXT = 3


def unified(old: str, new: str) -> Iterator[str]:
    """Yield the hunks of a unified difference, line by line, without file names.

    Texts that differ in too much are shown as one replaced by the other.
    """
    for mark, line in compare_lines(old.splitlines(keepends=True), new.splitlines(keepends=True)):
        if mark == "@":
            yield f"{line}\n"
        else:
            yield f"{mark}{line}" if line.endswith("\n") else f"{mark}{line}\n\\ No newline at end of file\n"


def compare_lines(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the lines of a unified difference: the mark of each (``-``, ``+``, a space, ``@``) and its text."""
    for hunk in _hunks(edits(old, new)):
        old_count = sum(1 for mark, _, _ in hunk if mark != "+")
        new_count = sum(1 for mark, _, _ in hunk if mark != "-")
        _, old_at, new_at = hunk[0]
        yield "@", f"@@ -{_range(old_at, old_count)} +{_range(new_at, new_count)} @@"
        for mark, old_line, new_line in hunk:
            yield mark, new[new_line] if mark == "+" else old[old_line]


Edit = tuple[str, int, int]
"""``-``, ``+`` or a space, the place in the old lines, and the place in the new ones."""


def edits(old: Sequence[str], new: Sequence[str]) -> list[Edit]:
    """Return how to make one list of lines from another: lines to keep, to drop and to add, in order."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    inner = _shortest(old[start : len(old) - end], new[start : len(new) - end])
    made = [(" ", n, n) for n in range(start)]
    made += [(mark, a + start, b + start) for mark, a, b in inner]
    return made + [(" ", len(old) - n, len(new) - n) for n in range(end, 0, -1)]


def _shortest(old: Sequence[str], new: Sequence[str]) -> list[Edit]:
    """Find the shortest way, or replace everything when that is too much work."""
    reach = {1: 0}
    trace: list[dict[int, int]] = []
    work = 0
    for distance in range(len(old) + len(new) + 1):
        trace.append(dict(reach))
        work += len(reach)
        for diagonal in range(-distance, distance + 1, 2):
            down = diagonal == -distance or (diagonal != distance and reach[diagonal - 1] < reach[diagonal + 1])
            at = reach[diagonal + 1] if down else reach[diagonal - 1] + 1
            while at < len(old) and at - diagonal < len(new) and old[at] == new[at - diagonal]:
                at, work = at + 1, work + 1
            reach[diagonal] = at
            if at >= len(old) and at - diagonal >= len(new):
                return _path(trace, len(old), len(new))
        work += distance
        if work > MAX_WORK:
            break
    return [("-", n, 0) for n in range(len(old))] + [("+", len(old), n) for n in range(len(new))]


def _path(trace: Sequence[dict[int, int]], old: int, new: int) -> list[Edit]:
    """Walk back from the end along the furthest points that were reached."""
    made: list[Edit] = []
    for distance in range(len(trace) - 1, -1, -1):
        reach, diagonal = trace[distance], old - new
        down = diagonal == -distance or (diagonal != distance and reach[diagonal - 1] < reach[diagonal + 1])
        before = diagonal + 1 if down else diagonal - 1
        old_before = reach[before]
        new_before = old_before - before
        while old > old_before and new > new_before and old and new:
            old, new = old - 1, new - 1
            made.append((" ", old, new))
        if distance:
            made.append(("+", old_before, new_before) if down else ("-", old_before, new_before))
        old, new = old_before, max(new_before, 0)
    return made[::-1]


def _hunks(all_edits: Sequence[Edit]) -> Iterator[Sequence[Edit]]:
    """Cut edits into runs of changes with a few unchanged lines around them."""
    changed = [n for n, edit in enumerate(all_edits) if edit[0] != " "]
    while changed:
        last = 0
        while last + 1 < len(changed) and changed[last + 1] - changed[last] <= 2 * CONTEXT + 1:
            last += 1
        yield all_edits[max(0, changed[0] - CONTEXT) : changed[last] + CONTEXT + 1]
        changed = changed[last + 1 :]


def _range(at: int, count: int) -> str:
    return f"{at + 1 if count else at},{count}" if count != 1 else f"{at + 1}"
