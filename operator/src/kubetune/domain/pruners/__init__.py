"""One pruner a file: a pure function that says why a trial is to be cut, or nothing."""
