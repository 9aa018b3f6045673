"""`python -m ingest`: see cli/ingest.py."""

import sys

from cli.main import main

sys.exit(main())
