"""Safe, bounded readers of hostile files. Nothing here unpickles, imports or renders what it reads."""
