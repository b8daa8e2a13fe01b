"""Plain text out of the HTML of description pages."""

from __future__ import annotations

import pytest

from mmoe.wikidata.images.plain_text import plain_text


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("Ada Testwell", "Ada Testwell"),
        ('<a href="//x.example/wiki/User:Ada" title="User:Ada">Ada</a>', "Ada"),
        ("<bdi><a>Ada</a>\n</bdi>", "Ada"),
        ("Ada &amp; Ben &lt;x&gt; &#233;", "Ada & Ben <x> é"),
        ("one<br>two<br/>three", "one two three"),
        ("<p>one</p><p>two</p>", "one two"),
        ("<b>A</b>da", "Ada"),
        ('Unknown author<span style="display: none;">Unknown author</span>', "Unknown author"),
        ('<div style="color:red;DISPLAY:NONE"><b>x</b><br></div>seen', "seen"),
        ("<style>p{color:red}</style><script>1 < 2</script>seen", "seen"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
        ("</b>x</i></p>", "x"),
        ('<span style="display:none">never closed', ""),
        ("", ""),
        (" \n ", ""),
    ],
)
def test_what_a_reader_would_see(written: str, seen: str) -> None:
    assert plain_text(written) == seen
