"""Who allowed what with their data: selectors, keyed digests, the list of consents and how rows are matched with it."""
