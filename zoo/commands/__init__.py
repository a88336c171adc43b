"""The `zoo` command: a module for each of its commands, with HELP, EXAMPLE, `add_flags` and `run`."""
