"""The trial side of kubetune: parameters in, live values and one result out."""

from kubetune_trainer.exits import BadConfiguration, TemporaryFailure
from kubetune_trainer.trial import Trial

__all__ = ["BadConfiguration", "TemporaryFailure", "Trial"]
