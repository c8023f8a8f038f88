"""Tests of proofs about contents."""
