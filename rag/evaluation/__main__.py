"""`python -m rag.evaluation`: see rag/evaluation/cli.py."""

import sys

from rag.evaluation.cli import main

sys.exit(main())
