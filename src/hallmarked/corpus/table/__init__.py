"""Rows of data sets, as batches of columns, whatever the files are."""
