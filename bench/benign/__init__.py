"""Benign files as real libraries write them: one module per family, each with ``write(folder)``.

``write`` yields ``(file name, kind)`` for each file it wrote. Kinds: ``state-dict`` (tensors by name and nothing else),
``checkpoint`` (tensors among other things), ``module`` (whole objects with code elsewhere), ``torchscript``,
``pickle``, ``joblib`` and ``data`` (formats without pickle).
"""
