"""What docent eval does: measuring, drafting, and the fits behind the weights.

Owns the work and what is printed, not names and options (cli/commands). It may import every room below `cli`; it must not
import the web, and only the commands import it.
"""
