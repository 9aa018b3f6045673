"""The command `docent`: everything that is done from a shell, one module a task.

`cli/commands/` holds what is spelt at the shell (names, options, help) and imports nothing heavy; the modules beside it
do the work and are imported when their command is called. It may import every room below it (docs/architecture.md), and
no room imports it.
"""
