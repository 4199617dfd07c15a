"""`scripts/evaluate`: how well the twin forecasts, denoises and keeps up, on people it was not fitted on."""
