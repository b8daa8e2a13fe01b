"""`mmoe serve`: a bundle behind an HTTP server with a page."""

from __future__ import annotations

import errno
import os
import socket
import sys
from typing import Annotated

import typer

from mmoe.cli.options import Bundle, Device, Encoder, Rerank, opened

KEY = "MMOE_API_KEY"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(serve)


def serve(
    bundle: Bundle,
    host: Annotated[
        str, typer.Option(help="Address to listen at; others than this machine's open it to all.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8000,
    rerank: Rerank = True,
    device: Device = "auto",
    encoder: Encoder = None,
    max_body_mb: Annotated[int, typer.Option(min=1, help="Of a request.")] = 10,
    max_pixels: Annotated[int, typer.Option(min=1, help="Of an image.")] = 25_000_000,
    max_text: Annotated[int, typer.Option(min=1, help="Characters of a text.")] = 20_000,
    max_waiting: Annotated[
        int, typer.Option(min=1, help="Mentions that may wait; more are turned away (429).")
    ] = 512,
    threads: Annotated[
        int | None, typer.Option(min=1, help="That compute; without it one fewer than cores.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds that a request may take.")] = 30,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="Name that requests may name beside this machine's; of a proxy, say."),
    ] = None,
) -> None:
    """Serve a bundle over HTTP.

    There is a page at /, an OpenAPI description at /openapi.json, figures for Prometheus at /metrics. Where
    the environment has MMOE_API_KEY, requests must bear it, as X-API-Key or as a bearer token. Ctrl-C lets
    requests that are under way finish. Needs the extra `server`.
    """
    from mmoe.errors import MmoeError

    try:
        import uvicorn

        from mmoe.server.app import create_app
        from mmoe.server.settings import ServerSettings
    except ModuleNotFoundError as error:
        raise MmoeError(
            f"{error.name} is not installed; install the extra: pip install 'mmoe[server]'"
        ) from None
    from mmoe.linking.device import compute_with

    names = ("localhost", "127.0.0.1", "[::1]", *(name.lower() for name in allow_host or ()))
    key = os.environ.get(KEY, "").strip() or None
    compute_with(threads)
    with _listening(host, port) as listener:  # before the bundle is opened, which takes seconds
        linker = opened(bundle, encoder, device, rerank=rerank)
        settings = ServerSettings(
            api_key=key,
            hosts=names if host in LOOPBACK or allow_host else None,
            max_body=max_body_mb * 1_000_000,
            max_pixels=max_pixels,
            max_text=max_text,
            max_waiting=max_waiting,
            timeout=timeout,
        )
        if host not in LOOPBACK and key is None:
            print(
                f"note: anybody who can reach {host} may use this server; set {KEY} to require a key",
                file=sys.stderr,
            )
        name = f"[{host}]" if ":" in host else host
        typer.echo(f"http://{name}:{listener.getsockname()[1]}  {len(linker.entities):,} entities")
        config = uvicorn.Config(
            create_app(linker, settings),
            log_level="warning",
            timeout_graceful_shutdown=int(timeout) + 1,
        )
        try:
            uvicorn.Server(config).run(sockets=[listener])
        except KeyboardInterrupt:
            typer.echo("stopped")


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        MmoeError: if the port is taken or the address is not this machine's.
    """
    from mmoe.errors import MmoeError

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        taken = error.errno == errno.EADDRINUSE
        remedy = "stop the process that uses it, or choose another with --port"
        if not taken:
            remedy = "choose an address of this machine with --host, or another port with --port"
        raise MmoeError(f"{host}, port {port}: {error.strerror or error}; {remedy}") from None
    return listener
