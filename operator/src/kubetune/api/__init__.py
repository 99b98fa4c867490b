"""The wire: the TuningStudy resource as people write it, and its way into the domain."""
