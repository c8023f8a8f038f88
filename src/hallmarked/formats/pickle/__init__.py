"""Python pickle streams, evaluated on symbols: nothing is imported, called or unpickled.

Specification: https://docs.python.org/3.11/library/pickle.html, PEP 307, PEP 3154 and PEP 574. ``stream.evaluate`` is
the entry, ``values`` the nouns, ``joblib`` and ``torchfile`` the two layouts that put raw data between pickles.
"""
