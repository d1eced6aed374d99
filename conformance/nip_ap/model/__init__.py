"""Values without I/O: clauses, settings, subjects, results, runs and reports."""
