#!/bin/sh
# Ignores SIGTERM, and so does its child.
trap '' TERM
sleep 1000 &
echo ready
while :; do sleep 0.05; done
