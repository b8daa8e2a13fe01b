"""The server: every path, what is refused and how, and that requests are linked together."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

pytest.importorskip("fastapi", reason="the extra `server` is not installed")
pytest.importorskip("prometheus_client", reason="the extra `server` is not installed")

from starlette.testclient import TestClient

from mmoe import Linker, LinkResult, Query
from mmoe.errors import LinkingError
from mmoe.linker.bundle import read_manifest, write_manifest
from mmoe.server.app import create_app
from mmoe.server.batching import Batcher, FullError
from mmoe.server.settings import ServerSettings

MENTION = {"surface_form": "Mercury"}
MERCURY = {"surface_form": "Mercury", "context": "Mercury is closest to the sun.", "top_k": 3}


@pytest.fixture(scope="module")
def linker(built: Path) -> Linker:
    return Linker.from_pretrained(built / "data/bundles/tiny", device="cpu")


@pytest.fixture(scope="module")
def client(linker: Linker) -> Iterator[TestClient]:
    with TestClient(create_app(linker, ServerSettings()), raise_server_exceptions=False) as client:
        yield client


def limited(linker: Linker, **settings: Any) -> TestClient:
    app = create_app(linker, ServerSettings(**settings))
    return TestClient(app, raise_server_exceptions=False)


def picture(side: int = 40) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (side, side), "red").save(stream, "PNG")
    return stream.getvalue()


def test_a_mention_is_linked_as_the_linker_does(client: TestClient, linker: Linker) -> None:
    answer = client.post("/link", json=MERCURY)
    assert answer.status_code == 200
    wanted = linker.link("Mercury", MERCURY["context"], top_k=3).to_json()  # type: ignore[arg-type]
    found = answer.json()
    for link in found["links"]:
        assert isinstance(link.pop("has_thumbnail"), bool)
    assert [link["qid"] for link in found["links"]] == [link["qid"] for link in wanted["links"]]
    assert found["links"][0]["score"] == pytest.approx(wanted["links"][0]["score"], abs=0.05)
    assert found.keys() == wanted.keys()


def test_an_image_comes_as_a_file_or_as_text(client: TestClient) -> None:
    form = {k: str(v) for k, v in MERCURY.items()}
    by_file = client.post("/link", data=form, files={"image": ("a.png", picture(), "image/png")})
    encoded = base64.b64encode(picture()).decode()
    by_text = client.post("/link", json=MERCURY | {"image": encoded})
    without = client.post("/link", data=form, files={"other": ("", b"")})
    assert by_file.status_code == by_text.status_code == 200
    scores = [r.json()["links"][0]["unit_scores"] for r in (by_file, by_text)]
    assert scores[0] == pytest.approx(scores[1], rel=1e-3)
    assert without.status_code == 422


def test_the_mentions_of_a_text_are_found(client: TestClient, linker: Linker) -> None:
    name = linker.entities[0].name
    found = client.post("/link-text", json={"text": f"We saw {name}, twice: {name}."}).json()
    assert [each["start"] for each in found["mentions"]] == [7, 7 + len(name) + 9]
    assert client.post("/link-text", json={"text": "nothing of note"}).json() == {"mentions": []}


def test_several_mentions_are_linked_in_order(client: TestClient) -> None:
    forms = ["Mercury", "Java", "Mercury"]
    found = client.post("/batch", json={"mentions": [{"surface_form": form} for form in forms]})
    assert [each["surface_form"] for each in found.json()["results"]] == forms


def test_entities_and_examples_can_be_looked_at(client: TestClient, linker: Linker) -> None:
    with_picture = next(entity for entity in linker.entities if entity.images)
    found = client.get(f"/entities/{with_picture.qid}").json()
    assert (found["name"], found["has_thumbnail"]) == (with_picture.name, True)
    thumbnail = client.get(f"/entities/{with_picture.qid}/thumbnail")
    assert thumbnail.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(thumbnail.content)).width <= 256
    assert client.get("/entities/Q0").status_code == 404
    assert client.get("/entities/Q0/thumbnail").status_code == 404
    examples = client.get("/examples").json()["examples"]
    for number, example in enumerate(examples):
        status = client.get(f"/examples/{number}/image").status_code
        assert status == (200 if example["has_image"] else 404)
    assert client.get("/examples/99/image").status_code == 404


def test_it_can_be_watched(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/ready").json() == {"status": "ready"}
    client.post("/link", json=MERCURY)
    client.get("/entities/Q0")
    text = client.get("/metrics").text
    assert 'mmoe_requests_total{path="/link",status="200"}' in text
    assert 'path="/entities/{qid}",status="404"' in text
    assert "mmoe_batch_mentions_bucket" in text
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_openapi_says_what_a_request_holds(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    content = paths["/link"]["post"]["requestBody"]["content"]
    assert content["application/json"]["schema"]["examples"] == [
        {"surface_form": "Mercury", "context": "Mercury is closest to the sun.", "top_k": 2}
    ]
    assert content["multipart/form-data"]["schema"]["properties"]["image"]["format"] == "binary"
    assert "429" in paths["/link"]["post"]["responses"]


def test_an_explanation_is_given_where_it_is_asked_for(client: TestClient) -> None:
    asked = MERCURY | {"explain": True, "image": base64.b64encode(picture()).decode()}
    found = client.post("/link", json=asked).json()["links"][0]["explanation"]
    assert len(found["words"]) == len(found["text"]["overall"]) == 6
    assert [len(row) for row in found["image"]["overall"]] == [7] * 7


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/link", b"{", 400, "the body is not JSON"),
        ("/link", b"\xff\xfe", 400, "the body is not JSON"),
        ("/link", b"[]", 422, "body: Input should be"),
        ("/link", b"{}", 422, "surface_form: Field required"),
        ("/link", {"surface_form": ""}, 422, "surface_form: "),
        ("/link", {"surface_form": " "}, 422, "surface_form is empty"),
        ("/link", {"surface_form": 3}, 422, "surface_form: "),
        ("/link", b'{"surface_form": "\\ud800"}', 422, "half a surrogate pair"),
        ("/link", b'{"\\ud800": 1, "surface_form": "a"}', 422, "body: "),
        (
            "/link",
            {"surface_form": "Java", "context": "Perl"},
            422,
            "does not stand in the context",
        ),
        ("/link", {"surface_form": "Java", "top_k": 0}, 422, "top_k: "),
        ("/link", {"surface_form": "Java", "image": "§"}, 422, "not Base64"),
        (
            "/link",
            {"surface_form": "Java", "image": "aGVsbG8="},
            422,
            "image: no known image format",
        ),
        ("/link", {"surface_form": "Java", "unknown": 1}, 422, "unknown: "),
        ("/link", {"surface_form": "Java", "context": "x" * 20_001}, 413, "context has 20,001"),
        ("/link-text", {"text": "\n"}, 422, "text: is empty"),
        ("/link-text", {"text": "x" * 20_001}, 413, "text has 20,001 characters"),
        ("/batch", {"mentions": []}, 422, "mentions: "),
        ("/batch", {"mentions": [{"surface_form": "a"}] * 257}, 413, "send up to 256"),
        ("/batch", {"mentions": [{}] * 100_000}, 413, "send up to 256"),
        ("/link", {str(n): 1 for n in range(1000)}, 422, "the body has 1,000 keys"),
        ("/batch", {"mentions": [{"surface_form": "a"}, {"surface_form": " "}]}, 422, "is empty"),
    ],
)
def test_a_bad_request_is_told_why(
    path: str, body: Any, status: int, said: str, client: TestClient
) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = client.post(path, content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text


def test_a_bad_form_is_told_why(client: TestClient) -> None:
    image = {"image": ("a.png", b"no image", "image/png")}
    for data, files, status, said in [
        ({"surface_form": "Java"}, image, 422, "image: no known image format"),
        (
            {"surface_form": "Java"},
            {"file": ("a.png", picture())},
            422,
            "file: a file is sent as `image`",
        ),
        ({"surface_form": "Java", "top_k": "--5"}, {"image": ("a.png", picture())}, 422, "top_k: "),
        ({"surface_form": ["Java", "Perl"]}, image, 422, "surface_form: stands twice"),
        ({}, image, 422, "surface_form: Field required"),
    ]:
        answer = client.post("/link", data=data, files=files)  # type: ignore[arg-type]
        assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text
    assert (
        client.post("/link", content=b"x", headers={"content-type": "text/xml"}).status_code == 415
    )
    boundary = {"content-type": "multipart/form-data; boundary=x"}
    assert client.post("/link", content=b"--y\r\n", headers=boundary).status_code in (400, 422)
    assert (
        client.post(
            "/link", content=b"x", headers={"content-type": "multipart/form-data"}
        ).status_code
        == 400
    )


def test_what_is_too_large_is_refused_before_it_is_read(linker: Linker) -> None:
    with limited(linker, max_body=1000, max_pixels=100) as client:
        large = client.post("/link", content=b"x" * 1001)
        assert (large.status_code, "1,000 bytes" in large.json()["detail"]) == (413, True)

        def streamed() -> Iterator[bytes]:
            for _ in range(100):
                yield b"x" * 100

        assert client.post("/link", content=streamed()).status_code == 413
        encoded = base64.b64encode(picture()).decode()
        answer = client.post("/link", json={"surface_form": "Java", "image": encoded})
        assert (answer.status_code, "pixels" in answer.json()["detail"]) == (422, True)


def test_a_client_that_goes_is_not_waited_for(
    linker: Linker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it asked for is dropped, and the next one is served."""
    app = create_app(linker, ServerSettings())
    asked = threading.Event()
    real = Linker.link_many

    def slowly(self: Linker, queries: Any, *, top_k: int = 5) -> Iterator[LinkResult]:
        asked.set()
        time.sleep(0.3)
        return real(self, queries, top_k=top_k)

    monkeypatch.setattr(Linker, "link_many", slowly)

    async def work() -> int:
        async with app.router.lifespan_context(app):
            body = json.dumps({"mentions": [MENTION] * 200}).encode()
            messages = iter([{"type": "http.request", "body": body, "more_body": False}])

            async def receive() -> Any:
                return next(messages, {"type": "http.disconnect"})

            async def send(_: Any) -> None:
                return None

            scope = {
                "type": "http",
                "method": "POST",
                "path": "/batch",
                "raw_path": b"/batch",
                "query_string": b"",
                "root_path": "",
                "http_version": "1.1",
                "scheme": "http",
                "headers": [(b"content-type", b"application/json"), (b"host", b"test")],
            }
            await app(scope, receive, send)
            jobs = service_of(app).batcher._jobs
            return len([job for job in jobs if not job.done.done()])

    assert asyncio.run(work()) == 0


def service_of(app: Any) -> Any:
    return next(r for r in app.routes if getattr(r, "path", "") == "/batch").endpoint.__self__


def test_a_hostile_bundle_hands_out_no_other_file(built: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(built / "data/bundles/tiny", tmp_path / "bundle")
    (tmp_path / "secret.png").write_bytes(picture())
    (folder / "examples").mkdir(exist_ok=True)
    (folder / "examples/x.html").write_text("<script>1</script>")
    rows = [
        {"surface_form": "a", "context": "a", "image": name}
        for name in ("../../secret.png", "/etc/hostname", "x.html", "gone.png")
    ]
    (folder / "examples.json").write_text(json.dumps(rows))
    write_manifest(folder, read_manifest(folder, files=False))
    opened = Linker.from_pretrained(folder, device="cpu")
    with limited(opened) as client:
        assert len(client.get("/examples").json()["examples"]) == 4
        for number in range(4):
            assert client.get(f"/examples/{number}/image").status_code == 404
        assert client.get("/examples/abc/image").json()["detail"].startswith("path.number: ")
        assert client.get("/health").headers["x-content-type-options"] == "nosniff"


def test_without_the_key_nobody_gets_in(linker: Linker) -> None:
    with limited(linker, api_key="s3cret") as client:
        for headers in ({}, {"x-api-key": "wrong"}, {"authorization": "Bearer wrong"}):
            assert client.post("/link", json=MERCURY, headers=headers).status_code == 401
        for headers in ({"x-api-key": "s3cret"}, {"authorization": "Bearer s3cret"}):
            assert client.post("/link", json=MERCURY, headers=headers).status_code == 200
        assert client.get("/health").status_code == 200
        assert client.get("/metrics").status_code == 401
    assert "s3cret" not in repr(ServerSettings(api_key="s3cret"))


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8000", 200),
        ("[::1]:8000", 200),
        ("[::1]", 200),
        ("elsewhere.example:8000", 403),
        ("localhost.elsewhere.example", 403),
        ("", 403),
    ],
)
def test_a_name_that_somebody_else_has_lead_here_opens_nothing(
    linker: Linker, host: str, status: int
) -> None:
    with limited(linker, hosts=("localhost", "[::1]")) as client:
        answer = client.get("/health", headers={"host": host})
    assert answer.status_code == status
    if host.startswith("elsewhere"):
        assert "--allow-host elsewhere.example changes that" in answer.json()["detail"]


def test_what_takes_too_long_is_ended(linker: Linker, monkeypatch: pytest.MonkeyPatch) -> None:
    with limited(linker, timeout=0.1) as client:

        def slowly(*_: Any, **__: Any) -> Iterator[LinkResult]:
            time.sleep(0.3)
            return iter(())

        monkeypatch.setattr(Linker, "link_many", slowly)
        assert client.post("/link", json=MERCURY).status_code == 503


class Slow:
    """Links in the place of a Linker: as slowly as the test wants, and notes the batches."""

    def __init__(self) -> None:
        self.entities = [type("E", (), {"name": "first"})()]
        self.batches: list[list[str]] = []
        self.go = threading.Event()

    def link_many(self, queries: Sequence[Query], *, top_k: int) -> Iterator[LinkResult]:
        self.batches.append([query.surface_form for query in queries])
        if self.batches[-1] != ["first"]:
            self.go.wait(5)
        for query in queries:
            if query.surface_form == "bad":
                raise LinkingError("bad")
            yield LinkResult(query.surface_form, None, ()[:top_k])


def test_what_waits_is_linked_together_and_too_much_is_turned_away() -> None:
    slow = Slow()

    async def work() -> list[Any]:
        batcher = Batcher(slow, max_batch=3, max_waiting=6)  # type: ignore[arg-type]
        await batcher.start()
        tasks = [asyncio.create_task(batcher.link([Query("0", "")], 1))]
        await asyncio.sleep(0.05)  # it is being linked
        names = ("1", "bad", "2", "3", "4", "5")
        tasks += [asyncio.create_task(batcher.link([Query(name, "")], 1)) for name in names]
        await asyncio.sleep(0.05)
        assert batcher.waiting == 6
        slow.go.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert batcher.waiting == 0
        await batcher.stop()
        assert not batcher.is_alive
        return found

    found = asyncio.run(work())
    assert [r[0].surface_form if isinstance(r, list) else type(r) for r in found] == [
        *("0", "1", LinkingError, "2", "3", "4", FullError),
    ]
    assert found[-1].retry_after >= 1
    # One that fails fails alone: its batch is linked again, one request after another.
    assert slow.batches[1:] == [["0"], ["1", "bad", "2"], ["1"], ["bad"], ["2"], ["3", "4"]]


def test_a_request_that_has_gone_is_not_linked() -> None:
    slow = Slow()

    async def work() -> None:
        batcher = Batcher(slow, max_batch=8, max_waiting=8)  # type: ignore[arg-type]
        await batcher.start()
        first = asyncio.create_task(batcher.link([Query("0", "")], 1))
        gone = asyncio.create_task(batcher.link([Query("gone", "")], 1))
        await asyncio.sleep(0.05)
        gone.cancel()
        last = asyncio.create_task(batcher.link([Query("1", "")], 1))
        await asyncio.sleep(0.01)
        slow.go.set()
        await asyncio.gather(first, last)
        await batcher.stop()

    asyncio.run(work())
    assert slow.batches[1:] in ([["0"], ["1"]], [["0", "gone"], ["1"]])
