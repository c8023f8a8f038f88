"""The command line. Thin: parse, call one function below, render."""
