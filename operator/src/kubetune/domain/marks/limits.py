"""Every constant of the marks, with its source. "Measured" is on the recorded tiny models."""

# all marks

SIGMAS = 3.0
"""So many standard errors are no chance: one in 740 on one side, of normal noise."""

NON_FINITE = 3
"""So many NaN or infinite values in a row are not passing. One alone is: mixed precision finds
its scale by overflowing. The recipes end a training after as many."""

# Diverged

POINTS = 8
"""A training loss of fewer reports says nothing of where it began and ended."""

START = 3
"""The first reports, whose median is where a loss began: later ones may be bad already."""

TAIL_SHARE = 0.25
"""The last quarter of a curve is where it ended."""

TIMES = 4.0
"""A loss of 4 times its best diverges: where the learning rate finders of fastai and of Lightning
stop. So does one of 4 times what others began with. Measured on a diffusion model at a rate of 1:
1.07 against 0.26; on a classifier: 690 against 2.3."""

AWAY = 1.25
"""Or a loss that was this many times its start, and has not come back. Measured on a language
model: 1.41 at a rate of 1, at most 1.03 at every other."""

# GradientExplosion; the trainer's own count of explosions uses the same four

WINDOW = 50
"""A norm is compared with the median of so many before it."""

NORMS = 10
"""With fewer before it a norm is not judged: the first ones are large by nature."""

LARGE = 10.0
"""Times the median, twice within `NEAR_STEPS`. Measured largest over median: 1.5 to 2.3 of
healthy trials, 4.4 at a poor rate, 150 at a bad one, 1,800 to 28,000 of diverging ones."""

HUGE = 100.0
"""Times the median: once is enough."""

NEAR_STEPS = 20.0
"""Two large norms no farther apart belong together; so do two reports in a row."""

# Overfitting

EVALUATIONS = 5
"""Fewer evaluations have no turning point."""

AFTER_BEST = 3
"""So many evaluations must have followed the best one: a usual patience of early stopping."""

MATERIAL = 0.02
"""A smaller fall from the best value, or of the training loss, as a share, is of no account."""

GAP = 0.3
"""An evaluation loss this share above the training loss, and moving away from it."""

# SlowConvergence

PEERS = 4
"""Fewer finished trials have no usual course."""

PEERS_LIMIT = 100
"""More of them would not change their median."""

SLOW_POINTS = 4
"""Fewer values are no course, and nobody knows their noise."""

EARLY = 0.125
"""A first value this early, as a share of the course, still is about where training began: the
first of eight evaluations."""

MATURE = 0.3
"""Before this share of the peers' course nothing is slow: warmup lasts, Prodigy finds its rate."""

SLOW_SHARE = 0.25
"""Came less than this share of the way of the median peer. Measured: at a rate of 1e-4 a loss
moved by 6 %, at the best rate by 48 %."""
