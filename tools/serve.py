"""Shows the built book on this machine (`make serve`).

Usage: python -m tools.serve [PORT]
"""

from __future__ import annotations

import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BOOK = Path(__file__).parents[1] / "_build" / "html"


class Handler(SimpleHTTPRequestHandler):
    """Serves the book's files, never from the browser's cache."""

    # Some systems have no type for modules, and a browser then refuses to run them.
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript"}

    def end_headers(self) -> None:
        """Say that a rebuilt page is to be fetched again."""
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Keep the terminal quiet."""


def main(port: int) -> None:
    """Serve until Ctrl-C."""
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, directory=str(BOOK)))
    except OSError as error:
        raise SystemExit(f"Port {port}: {error.strerror}. Try PORT={port + 1}.") from None
    print(f"The book is at http://localhost:{port}  (Ctrl-C ends it)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8000)
