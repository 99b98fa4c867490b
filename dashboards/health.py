"""How the operator itself is: its passes, its requests, what it has announced."""

from dashboards.frame import Drawn
from dashboards.panels import (
    HALF,
    bars,
    figure,
    lines,
    word,
)
from dashboards.queries import now, over_time

_DURATIONS = {
    "pass": "kubetune_reconcile_duration_seconds",
    "wake-up": "kubetune_wake_latency_seconds",
    "draw": "kubetune_draw_duration_seconds",
}


def panels(space: str) -> list[Drawn]:
    """What is not labelled by study is shown for all namespaces of the operator."""
    failed = f'kubetune_reconciles_total{{{space},result="error"}}'
    return [
        word(
            "Version",
            "The version that runs.",
            now("count by (version) (kubetune_build_info)", "{{version}}"),
        ),
        figure(
            "Operators",
            "Operators that are scraped, and those that watch studies: one. Others stand by.",
            "none",
            now("count(kubetune_build_info)", "there"),
            now("sum(kubetune_operator_watching)", "watch"),
        ),
        figure(
            "Passes that failed",
            "Passes of studies' loops that ended in an error, in the time that is shown.",
            "none",
            now(f"sum(increase({failed}[$__range])) or 0 * count(kubetune_build_info)"),
        ),
        *_passes(space),
        *_requests(),
        bars(
            "Events",
            "What happened to trials and studies, by reason.",
            "cpm",
            over_time(
                "sum by (reason) (rate(kubetune_events_total[$__rate_interval])) * 60",
                "{{reason}}",
            ),
        ),
    ]


def _passes(space: str) -> list[Drawn]:
    passes = f"sum by (result) (rate(kubetune_reconciles_total{{{space}}}[$__rate_interval]))"
    return [
        lines(
            "Passes", "Passes of studies' loops.", "ops", over_time(passes, "{{result}}"), span=12
        ),
        lines(
            "How long things take",
            "What 95 % of passes, draws, and wake-ups (from a pod's change to the pass that sees "
            "it) stay below.",
            "s",
            *(over_time(_quantile(name), legend) for legend, name in _DURATIONS.items()),
            span=HALF,
        ),
    ]


def _requests() -> list[Drawn]:
    seconds = "kubetune_api_request_duration_seconds"
    return [
        lines(
            "Requests to the API server",
            "By answer; code 0 is none.",
            "reqps",
            over_time(
                "sum by (code) (rate(kubetune_api_requests_total[$__rate_interval]))", "{{code}}"
            ),
        ),
        lines(
            "How long requests take",
            "What 95 % of requests stay below, by what they ask for.",
            "s",
            over_time(_quantile(seconds, "verb", "resource"), "{{verb}} {{resource}}"),
        ),
    ]


def _quantile(name: str, *labels: str) -> str:
    kept = ", ".join(("le", *labels))
    rates = f"sum by ({kept}) (rate({name}_bucket[$__rate_interval]))"
    return f"histogram_quantile(0.95, {rates}) >= 0"
