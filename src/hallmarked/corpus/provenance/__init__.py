"""Where data sets come from: what their makers wrote down, and whether it holds together."""
