"""What audits mean here: states of revisions, holds, appeals, and who may get files."""
