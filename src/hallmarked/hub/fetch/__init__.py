"""What git's own client fetches: the history as it may be had, and the pack it is sent in."""
