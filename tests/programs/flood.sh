#!/bin/sh
# Prints 200 MiB between a first and a last line.
echo first
head -c 209715200 /dev/zero
echo last
