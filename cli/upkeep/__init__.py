"""What is done to a whole data folder from a shell: backup, restore, purge, doctor, reindex.

Owns the work and what is printed, not names and options (cli/commands). It may import every room below `cli`; it must not
import the web, and only the commands import it.
"""
