"""Make a new version of a data set from sources, by a recipe."""
