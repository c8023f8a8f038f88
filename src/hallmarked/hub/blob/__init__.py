"""Files of the hub, each kept once under the SHA-256 of its bytes, and who may build on them."""
