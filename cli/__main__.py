"""`python -m cli`: the command `docent` without an installation."""

import sys

from cli.main import main

sys.exit(main())
