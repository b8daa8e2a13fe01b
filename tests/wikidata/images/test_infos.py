"""What Commons tells of files: spelling, renaming, absence, metadata, addresses; in few requests."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.errors import WikidataError
from mmoe.wikidata.api import ApiSettings
from mmoe.wikidata.api.ask import Api
from mmoe.wikidata.images.infos import (
    MAX_ADDRESS,
    FileInfo,
    address_of,
    ask_for_infos,
    plain_text,
    title_batches,
)

from tests.wikidata.api.clock import StoppedClock
from tests.wikidata.api.runs import CONTACT
from tests.wikidata.images.commons import Commons, Trick


@pytest.fixture
def api(settings: ApiSettings, time_of: StoppedClock) -> Iterator[Api]:
    with Api(settings, "names", time_of.clock()) as running:
        yield running


def info_of(api: Api, name: str, width: int = 330) -> FileInfo:
    info = ask_for_infos(api, [name], width)[name]
    assert info is not None
    return info


def test_what_is_not_told_is_null(commons: Commons, api: Api) -> None:
    commons.add("A.jpg", LicenseShortName="", Artist="<span style='display:none'>x</span>")
    info = info_of(api, "A.jpg")
    assert info.rights == dict.fromkeys(("author", "credit", "licence", "licence_url"))
    assert CONTACT in commons.log[0].headers["User-Agent"]
    commons.add("B.jpg", LicenseShortName="", UsageTerms="Public domain")
    assert info_of(api, "B.jpg").rights["licence"] == "Public domain"


def test_a_name_is_found_however_it_is_spelt_and_whatever_it_is_called_now(
    commons: Commons, api: Api
) -> None:
    commons.add("Ada 1901.jpg")
    commons.add("Née.jpg")
    commons.renamed["Old name.jpg"] = "Ada 1901.jpg"
    names = ["ada_1901.jpg", "Ada 1901.jpg", "old_name.jpg", "Ne\u0301e.jpg", "Gone.jpg", "A|B.jpg"]
    found = ask_for_infos(api, names, 330)
    ends = [(info := found[name]) and info.url.rpartition("/")[2] for name in names]
    assert ends == ["Ada_1901.jpg", "Ada_1901.jpg", "Ada_1901.jpg", "N%C3%A9e.jpg", None, None]
    assert len(commons.log) == 1


def test_fifty_names_a_request_and_answers_that_go_on(commons: Commons, api: Api) -> None:
    names = [f"File {number}.jpg" for number in range(120)]
    for name in names:
        commons.add(name, "image/svg+xml")
    found = ask_for_infos(api, names, 330)
    assert all(found[name] is not None for name in names)
    assert [len(a.params["titles"].split("|")) for a in commons.log] == [50, 50, 20]
    commons.pages_at_once = 20
    again = ask_for_infos(api, [*names[:49], "Gone.jpg"], 330)
    assert again == {name: found[name] for name in names[:49]} | {"Gone.jpg": None}
    assert len(commons.log) == 3 + 3


@given(
    names=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=120), max_size=130)
)
def test_batches_keep_the_order_and_both_limits(names: list[str]) -> None:
    batches = title_batches(names)
    assert [name for batch in batches for name in batch] == names
    assert all(0 < len(batch) <= 50 for batch in batches)
    addresses = [quote("|".join(f"File:{name}" for name in batch), safe="") for batch in batches]
    assert all(len(address) <= MAX_ADDRESS for address in addresses)


@pytest.mark.parametrize(
    ("mime", "width", "end"),
    [
        ("image/jpeg", 800, "/330px-A.x"),
        ("image/jpeg", 330, "/A.x"),
        ("image/jpeg", 300, "/A.x"),
        ("image/png", 7, "/A.x"),
        ("image/svg+xml", 800, "/330px-A.x.png"),
        ("image/svg+xml", 300, "/250px-A.x.png"),
        ("image/svg+xml", 20, "/20px-A.x.png"),
        ("image/svg+xml", 19, None),
        ("image/tiff", 2000, "/lossy-page1-330px-A.x.jpg"),
        ("image/tiff", 100, "/lossy-page1-60px-A.x.jpg"),
        ("application/pdf", 600, "/page1-330px-A.x.jpg"),
        ("video/webm", 1920, "/330px--A.x.jpg"),
        ("audio/ogg", 0, None),
        ("image/x-xcf", 900, None),
    ],
)
def test_no_thumbnail_is_wider_than_the_original(
    commons: Commons, api: Api, mime: str, width: int, end: str | None
) -> None:
    commons.add("A.x", mime, width)
    address = address_of(info_of(api, "A.x"), 330)
    assert (address is None) == (end is None)
    if address is not None:
        assert address.endswith(str(end))


def test_broken_answers_are_asked_for_again_and_another_api_is_named(
    commons: Commons, api: Api
) -> None:
    commons.add("A.jpg")
    broken: list[object] = [{"1": {}}, [{"missing": True}]]  # another form, without a title
    commons.api_tricks = [answering(pages) for pages in broken]
    assert info_of(api, "A.jpg").width == 800
    assert len(commons.log) == 3
    commons.api_tricks = [answering([{"title": "File:C.jpg", "missing": True}])]
    with pytest.raises(WikidataError, match=r"no answer about 'B\.jpg'; is it the Action API of"):
        ask_for_infos(api, ["B.jpg"], 330)


def answering(pages: object) -> Trick:
    return lambda handler: handler.json({"query": {"pages": pages}})


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
