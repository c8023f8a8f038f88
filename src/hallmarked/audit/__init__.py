"""The main job, composed: run the checks, sign, log, derive claims, decide, report."""
