#!/bin/sh
# A shell without a trap in front of the program that saves.
sh "$(dirname "$0")/obedient.sh"
echo not reached
