#!/bin/sh
# Runs until it is told to stop, then saves a checkpoint and says so.
trap 'echo saved > "$KUBETUNE_CHECKPOINT_DIR/step"
printf "{\"schema\": 1, \"state\": \"Stopped\"}" > "$KUBETUNE_TERMINATION_LOG"
exit 143' TERM
echo ready
while :; do sleep 0.02; done
