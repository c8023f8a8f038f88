"""What large tables hold: reading rows of data sets, and measuring them."""
