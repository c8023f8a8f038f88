"""``python -m hallmarked``."""

from hallmarked.cli.main import main

if __name__ == "__main__":
    main()
