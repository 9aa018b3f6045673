"""`docent serve`."""

from __future__ import annotations

import click


@click.command(epilog="Where: DOCENT_HOST and DOCENT_PORT (default: http://127.0.0.1:8000).")
def serve() -> int:
    """Serve the page and the API, until stopped."""
    from app import main

    return main()
