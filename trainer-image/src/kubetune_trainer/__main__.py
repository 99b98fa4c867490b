"""`python -m kubetune_trainer` is the same as `kubetune-trainer`."""

from kubetune_trainer.main import main

if __name__ == "__main__":
    main()
