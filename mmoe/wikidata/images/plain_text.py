"""Plain text out of the HTML in which Commons gives author and credit."""

from __future__ import annotations

from html.parser import HTMLParser

_WITHOUT_END = frozenset({"area", "br", "col", "embed", "hr", "img", "input", "source", "wbr"})
_APART = frozenset({"br", "dd", "div", "dt", "hr", "li", "p", "td", "th", "tr"})
_UNSEEN = frozenset({"script", "style"})


def plain_text(html: str) -> str:
    """What a reader would see, on one line."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return " ".join("".join(reader.seen).split())


class _Reader(HTMLParser):
    """Collects text outside of elements that are not shown."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []
        self._open: list[tuple[str, bool]] = []  # (tag, whether what it holds is shown)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _APART:
            self.seen.append(" ")
        if tag not in _WITHOUT_END:
            style = (dict(attrs).get("style") or "").replace(" ", "").lower()
            is_shown = tag not in _UNSEEN and "display:none" not in style
            self._open.append((tag, is_shown and self._is_shown()))

    def handle_endtag(self, tag: str) -> None:
        if tag in _APART:
            self.seen.append(" ")
        places = [place for place, (name, _) in enumerate(self._open) if name == tag]
        if places:
            del self._open[places[-1] :]

    def handle_data(self, data: str) -> None:
        if self._is_shown():
            self.seen.append(data)

    def _is_shown(self) -> bool:
        return not self._open or self._open[-1][1]
