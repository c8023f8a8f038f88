"""Items of benchmarks that stand in a corpus, also when their words were changed."""
