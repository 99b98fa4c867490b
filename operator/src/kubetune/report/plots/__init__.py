"""Pictures of a study: PNG by matplotlib, and pages by plotly, most of them Optuna's own.

album       every plot with its title: drawn, or left out with the reason
style       colours, sizes, text that fits
scales      a parameter or a value as an axis: logarithmic, a list, cut off where values run away
slots       which trial ran on which slot
pages       what is drawn by plotly here; Optuna's own pages come through `Pages`

One plot each: history, learning, importances, parallel, slices, contour, pareto, rejected,
timeline.

Nothing of matplotlib or plotly is loaded before a plot is drawn.
"""
