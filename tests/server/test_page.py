"""The page in a real browser, before a server of the tiny bundle."""

from __future__ import annotations

import base64
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from mmoe import Linker

from tests.pictures import saved

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
uvicorn = pytest.importorskip("uvicorn", reason="the extra `server` is not installed")
app = pytest.importorskip("mmoe.server.app", reason="the extra `server` is not installed")
settings = pytest.importorskip("mmoe.server.settings")
if (CHROMIUM := shutil.which("chromium")) is None:
    pytest.skip("there is no chromium on the path", allow_module_level=True)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.browser

TEXT = "🦅 An eagle sleeps.\nTurkey is <i>not</i> in Cleveland, and Java an island."
KEY = "a key"
PATIENCE = 10_000  # milliseconds
LINKS = "#result .links > li"


@pytest.fixture(scope="module")
def linker(built: Path) -> Linker:
    return Linker.from_pretrained(built / "data/bundles/tiny", device="cpu")


@contextmanager
def serving(linker: Linker, **limits: Any) -> Iterator[str]:
    """A server on a free port of this machine; gives its address."""
    made = app.create_app(linker, settings.ServerSettings(**limits))
    server = uvicorn.Server(uvicorn.Config(made, log_level="warning", ws="none", lifespan="on"))
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def address(linker: Linker) -> Iterator[str]:
    with serving(linker) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with api.sync_playwright() as playwright:
        options = {"executable_path": CHROMIUM, "args": ["--no-sandbox", "--headless"]}
        with closing(playwright.chromium.launch(**options)) as found:
            yield found


@contextmanager
def opened(browser: Browser, address: str, **options: Any) -> Iterator[Page]:
    """The page, which must log no error and ask no other host."""
    faults: list[str] = []
    with closing(browser.new_context(reduced_motion="reduce", **options)) as context:
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.extend(_fault(message)))
        page.on("request", lambda request: faults.extend(_foreign(request.url, address)))
        page.goto(address)
        yield page
    assert faults == []


def _fault(message: Any) -> list[str]:
    """What the console was told, unless it is only that the server turned a request away."""
    is_bad = message.type in ("error", "warning") and "status of 4" not in message.text
    return [message.text] if is_bad else []


def _foreign(url: str, address: str) -> list[str]:
    return [] if url.startswith((f"{address}/", "data:", f"blob:{address}/")) else [url]


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with opened(browser, address) as found:
        yield found


def select(page: Page, form: str, text: str = TEXT) -> None:
    page.fill("#text", text)
    page.eval_on_selector(
        "#text",
        "(t, f) => t.setSelectionRange(t.value.indexOf(f), t.value.indexOf(f) + f.length)",
        form,
    )


def link(page: Page, form: str, text: str = TEXT) -> Locator:
    """Links a part of the text; gives the entities."""
    select(page, form, text)
    page.click("#link")
    page.locator("#status", has_text=f"“{form}”").wait_for()
    return page.locator(LINKS)


def explain(page: Page, number: int = 0) -> Locator:
    entity = page.locator(LINKS).nth(number)
    entity.get_by_role("button", name="Explain").click()
    place = entity.locator(".explanation")
    place.wait_for()
    return place


def asked(page: Page, path: str, button: str) -> Any:
    """The request that a button sends."""
    with page.expect_response(f"**/{path}") as response:
        page.click(button)
    page.locator("#answer[aria-busy=false]").wait_for()
    return response.value.request


def test_a_selection_is_linked_to_ranked_entities(page: Page, linker: Linker) -> None:
    entities = link(page, "Turkey")
    wanted = linker.link("Turkey", TEXT.replace("\n", " "), top_k=5)
    assert [entities.nth(i).locator("h3 + *").inner_text() for i in range(entities.count())] == [
        each.qid for each in wanted
    ]
    assert entities.locator("h3").all_inner_texts() == [
        f"{i}. {each.name}" for i, each in enumerate(wanted, 1)
    ]
    first, best = entities.first, wanted[0]
    anchor = first.get_by_role("link", name=best.qid)
    assert anchor.get_attribute("href") == f"https://www.wikidata.org/wiki/{best.qid}"
    assert anchor.get_attribute("rel") == "noreferrer"
    assert best.description in first.inner_text()
    assert best.probability is not None
    assert float(first.locator("b").inner_text().strip("<>%")) == pytest.approx(
        100 * best.probability, abs=0.6
    )
    units = first.locator(".units dt").all_inner_texts()
    assert units == list(best.unit_scores)
    shown = first.locator(".units dd:last-child").all_inner_texts()
    assert [float(each.replace("−", "-")) for each in shown] == pytest.approx(
        list(best.unit_scores.values()), abs=0.006
    )
    assert f"“{wanted.description}”" in page.inner_text("#result")


def test_mentions_are_found_and_chosen(page: Page, linker: Linker) -> None:
    page.fill("#text", TEXT)
    page.click("#find")
    buttons = page.locator("#found button")
    buttons.first.wait_for()
    found = linker.link_text(TEXT.replace("\n", " "))
    forms = [TEXT[each.start : each.end] for each in found]
    assert {"eagle", "Turkey", "Java"} <= set(forms)
    assert buttons.all_inner_texts() == forms
    assert page.inner_text("#found .text").split() == TEXT.split()
    for button, mention in zip(buttons.all(), found, strict=True):
        button.click()
        assert button.get_attribute("aria-pressed") == "true"
        assert mention.result[0].qid in page.locator(LINKS).first.inner_text()
        assert page.locator(".nil-notice").count() == mention.result.is_nil
        assert ("nil" in (button.get_attribute("class") or "")) == mention.result.is_nil
    page.fill("#text", "nothing here")
    page.click("#find")
    page.get_by_text("holds no name").wait_for()
    assert page.locator(LINKS).count() == 0


def test_a_picture_goes_with_the_request(page: Page) -> None:
    select(page, "eagle")
    assert asked(page, "link", "#link").headers["content-type"] == "application/json"
    picture = {"name": "a.png", "mimeType": "image/png", "buffer": saved("PNG")}
    page.set_input_files("#file", picture)  # type: ignore[arg-type]
    page.locator("#picture").wait_for()
    request = asked(page, "link", "#link")
    assert request.headers["content-type"].startswith("multipart/form-data")
    place = explain(page)
    assert place.locator(".map i").count() == 49
    assert "in row" in (place.get_by_role("img").get_attribute("aria-label") or "")
    page.click("#remove")
    assert page.locator("#picture").is_hidden()
    assert asked(page, "link", "#link").post_data_json["surface_form"] == "eagle"


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted(page: Page, way: str) -> None:
    select(page, "eagle")
    page.evaluate(
        """([way, base64]) => {
          const bytes = Uint8Array.from(atob(base64), (each) => each.charCodeAt(0));
          const data = new DataTransfer();
          data.items.add(new File([bytes], "a.png", {type: "image/png"}));
          const event = way === "drop"
            ? new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true})
            : new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true});
          document.body.dispatchEvent(event);
        }""",
        [way, base64.b64encode(saved("PNG")).decode()],
    )
    page.locator("#picture").wait_for()
    request = asked(page, "link", "#link")
    assert request.headers["content-type"].startswith("multipart/form-data")


def test_words_are_coloured_by_what_they_add(page: Page, linker: Linker) -> None:
    context = TEXT.replace("\n", " ")
    link(page, "Turkey")
    place = explain(page)
    words = place.locator(".words mark")
    (whole,) = linker.link("Turkey", context, top_k=1, explain=True)
    assert whole.explanation is not None
    for unit in ("overall", "text"):
        place.get_by_role("combobox").select_option(unit)
        parts = whole.explanation.text[unit]
        titles = [each.get_attribute("title") or "" for each in words.all()]
        assert [float(each.replace("−", "-")) for each in titles] == pytest.approx(
            list(parts), abs=0.02
        )
        for word, part in zip(words.all(), parts, strict=True):
            if abs(part) > 0.1 * max(abs(parts)):
                assert word.get_attribute("class") == ("plus" if part > 0 else "minus")
    texts = place.locator(".words mark").evaluate_all("all => all.map((w) => w.firstChild.data)")
    assert texts == [context[start:end] for start, end in whole.explanation.words]
    place.locator("summary").click()
    assert place.locator("tbody tr").count() == len(whole.explanation.tokens)
    button = page.locator(".more > button").first
    button.click()
    assert place.is_hidden()
    assert button.get_attribute("aria-expanded") == "false"


def test_what_is_wrong_is_said(page: Page) -> None:
    alert = page.get_by_role("alert")
    page.fill("#text", TEXT)
    page.eval_on_selector("#text", "(t) => t.setSelectionRange(0, 0)")
    page.click("#link")
    assert alert.inner_text() == "Select the mention in the text first."
    for body, said in [(b"no picture", "image:"), (b"", "the file is empty")]:
        broken = {"name": "broken.png", "mimeType": "image/png", "buffer": body}
        page.set_input_files("#file", broken)  # type: ignore[arg-type]
        if body:
            select(page, "Java")
            page.click("#link")
        alert.filter(has_text=said).wait_for()
    page.click("#remove")
    select(page, "Java", "Java " * 5000)
    page.click("#find")
    page.get_by_text("25,000 characters").wait_for()
    busy = {"detail": "too many wait", "after": "7"}
    page.route(
        "**/link",
        lambda route: route.fulfill(status=429, headers={"Retry-After": "7"}, json=busy),
    )
    page.click("#link")
    page.get_by_text("Too many wait (in 7 s)").wait_for()
    page.unroute("**/link")
    link(page, "Java")
    assert page.text_content("#problem") == ""


def test_a_new_request_takes_the_place_of_the_old(page: Page) -> None:
    held: list[Any] = []
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.post_data or ""))
    page.route("**/link", lambda route: held.append(route), times=1)
    select(page, "Java")
    page.click("#link")
    page.locator("#link[aria-busy=true]").wait_for()
    link(page, "Turkey")
    assert not page.locator("[aria-busy=true]").count()
    held[0].continue_()
    page.wait_for_timeout(50)
    assert ["Java" in each for each in failed] == [True]
    assert "“Turkey”" in page.inner_text("#status")


def test_a_key_is_asked_for(browser: Browser, linker: Linker) -> None:
    with serving(linker, api_key=KEY) as address, opened(browser, address) as page:
        select(page, "Turkey")
        page.click("#link")
        page.get_by_role("alert").get_by_text("key").wait_for()
        assert page.locator("#key").evaluate("(e) => e === document.activeElement")
        page.keyboard.type(KEY)
        page.keyboard.press("Enter")
        page.locator(LINKS).first.wait_for()
        assert page.locator("#key-form").is_hidden()
        thumbnail = page.locator("img.thumb[src^='blob:']").first
        assert thumbnail.evaluate("(i) => i.decode().then(() => i.naturalWidth)") > 0
        assert page.evaluate("localStorage.length") == 0
        page.reload()
        link(page, "Java")


def test_examples_are_linked_and_have_addresses(browser: Browser, address: str) -> None:
    shown = [
        {"surface_form": "Java", "context": "Java is an island.", "has_image": False},
        {"surface_form": "eagle", "context": "Look, an eagle!", "has_image": True},
    ]
    with opened(browser, address) as page:
        page.route("**/examples", lambda route: route.fulfill(json={"examples": shown}))
        picture = {"body": saved("PNG"), "content_type": "image/png"}
        page.route("**/examples/1/image", lambda route: route.fulfill(**picture))
        page.goto(f"{address}/#example=1")
        page.reload()
        page.locator("#status", has_text="“eagle”").wait_for()
        assert page.locator("#picture").is_visible()
        page.get_by_role("link", name="Java").click()
        page.locator("#status", has_text="“Java”").wait_for()
        assert page.url == f"{address}/#example=0"
        assert page.input_value("#text") == "Java is an island."
        assert page.locator("#picture").is_hidden()
        link(page, "island", "An island.")
        assert page.url == f"{address}/"
        page.route("**/examples", lambda route: route.fulfill(status=404, json={"detail": "no"}))
        page.reload(wait_until="networkidle")
        assert page.locator("#examples").is_hidden()


def test_keys_are_enough(page: Page) -> None:
    def tab_to(selector: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("(s) => document.activeElement.matches(s)", selector):
                style = "getComputedStyle(document.activeElement).outlineStyle"
                assert page.evaluate(style) != "none"
                return
        raise AssertionError(f"{selector} is never reached")

    page.evaluate("document.activeElement.blur()")
    tab_to("#text")
    page.keyboard.type("Turkey")
    page.keyboard.press("Control+A")
    tab_to("#link")
    page.keyboard.press("Enter")
    page.locator(LINKS).first.wait_for()
    tab_to(".more > button")
    page.keyboard.press("Enter")
    page.locator(".explanation mark").first.wait_for()


def test_nobody_is_shut_out(browser: Browser, address: str) -> None:
    axe = pytest.importorskip("axe_playwright_python", reason="axe-core is not installed")
    script = files(axe).joinpath("axe.min.js").read_text("utf-8")
    with opened(browser, address, viewport={"width": 360, "height": 740}) as page:
        page.evaluate(script)

        def check(scheme: Literal["light", "dark"]) -> None:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            found = page.evaluate("axe.run()")["violations"]
            assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
            assert page.evaluate("document.documentElement.scrollWidth") == 360

        page.click("#link")
        check("light")
        picture = {"name": "a.png", "mimeType": "image/png", "buffer": saved("PNG")}
        page.set_input_files("#file", picture)  # type: ignore[arg-type]
        page.fill("#text", f"{'Turkey' * 40} and Java")
        page.click("#find")
        page.locator("#found button").first.wait_for()
        place = explain(page)
        place.get_by_label("Show numbers").check()
        place.locator("summary").click()
        check("light")
        check("dark")
