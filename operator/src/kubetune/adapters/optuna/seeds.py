"""Numbers that look random and are the same on every machine and after every restart."""

from hashlib import blake2b

from kubetune.domain.study import StudySpec

SEED_BITS = 31


def keyed(*parts: object, bits: int = 64) -> int:
    """A number of so many bits (512 at most) that depends on every part and nothing else."""
    text = "/".join(map(str, parts)).encode()
    return int.from_bytes(blake2b(text, digest_size=(bits + 7) // 8).digest()) % (1 << bits)


def seed(*parts: object) -> int:
    """A seed that every random number generator accepts."""
    return keyed(*parts, bits=SEED_BITS)


def of_trial(spec: StudySpec, number: int) -> int:
    """The seed of a trial of the search."""
    return seed(spec.sampler.seed, number, "trial")


def share(*parts: object) -> float:
    """A number in [0, 1)."""
    return keyed(*parts, bits=53) / (1 << 53)
