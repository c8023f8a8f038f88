"""What pickles may use, and what only grades: one data file per library, with a reason for every entry."""
