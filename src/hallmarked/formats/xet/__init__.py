"""Xet, the format in which the ecosystem's clients upload large files: chunks in xorbs, files described by shards.

https://huggingface.co/docs/xet/index
"""
