"""What a thing is for, as data: clauses that evaluations can test and reports can point to."""
