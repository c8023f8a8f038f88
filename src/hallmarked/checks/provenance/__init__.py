"""Check where a data set comes from, by the account its build wrote."""
