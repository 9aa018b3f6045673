"""Names, options and help of the commands. Each body imports its work when it is called, so that `--help` is fast."""
