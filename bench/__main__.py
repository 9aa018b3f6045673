"""`python -m bench`: the command `docent bench`, see cli/bench.py."""

import sys

from cli.main import main

sys.exit(main(["bench", *sys.argv[1:]]))
