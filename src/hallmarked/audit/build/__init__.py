"""Build a version of a data set: read, decide, write, account for every row, sign. All of it or nothing."""
