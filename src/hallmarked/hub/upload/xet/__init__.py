"""Uploads by Xet: xorbs are taken in, and files rebuilt from them as soon as a shard says how."""
