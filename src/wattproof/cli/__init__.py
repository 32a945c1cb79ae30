"""The command line: thin commands over the rooms; answers for people and, with --json, machines."""
