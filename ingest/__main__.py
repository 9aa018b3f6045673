"""`python -m ingest`: see ingest/cli.py."""

import sys

from ingest.commands import main

sys.exit(main())
