"""How the states of trials look on a terminal: the same in every table."""

from kubetune.domain.trial import TrialState

STYLES = {
    TrialState.RUNNING: "cyan",
    TrialState.COMPLETE: "green",
    TrialState.PRUNED: "yellow",
    TrialState.FAILED: "red",
    TrialState.INFEASIBLE: "magenta",
}
