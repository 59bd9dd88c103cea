"""`python -m feeds.cli`."""

from feeds.cli.root import main

if __name__ == "__main__":
    main()
