"""`python -m ingest`: a door to the command `docent`, see cli/main.py."""

import sys

from cli.main import ingest_main

sys.exit(ingest_main())
