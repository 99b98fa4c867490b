"""`python -m kubetune`: the same as the `kubetune` command."""

from kubetune.cli.main import main

if __name__ == "__main__":
    main()
