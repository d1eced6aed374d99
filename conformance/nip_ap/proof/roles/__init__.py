"""The kinds of programs that have rogues, a module each."""
