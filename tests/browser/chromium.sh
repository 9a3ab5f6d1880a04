#!/bin/sh
# Find a Chromium for the browser tests, or install Debian's where this user may. Says so loudly where there is none;
# in CI that is a failure.
for name in "${PLUMBLINE_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
    [ -n "$name" ] && command -v "$name" >/dev/null 2>&1 && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "No Chromium found: installing Debian's package ..."
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null && exit 0
fi
echo "*** NO CHROMIUM: the browser tests will be skipped. Install chromium, or set PLUMBLINE_CHROMIUM. ***" >&2
[ -n "$CI" ] && exit 1
exit 0
