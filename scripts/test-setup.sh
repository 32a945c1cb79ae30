#!/bin/sh
# What the tests need beside the virtual environment: a browser, a font with Chinese in it, and an
# MQTT broker.
# As root on Debian or Ubuntu they are installed; otherwise one sentence says what is missing, and
# the tests that need it are skipped.
set -eu

has() { command -v "$1" >/dev/null 2>&1; }

missing=""
[ -x /usr/sbin/mosquitto ] || has mosquitto || missing=" mosquitto"
has chromium || has chromium-browser || has google-chrome || has google-chrome-stable || missing="$missing chromium"
[ -n "$(fc-list :lang=zh 2>/dev/null)" ] || missing="$missing fontconfig fonts-noto-cjk"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && has apt-get; then
    apt-get update -qq
    # shellcheck disable=SC2086  # a list of names
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
    printf 'Tests are skipped or incomplete without these packages:%s.\n' "$missing" >&2
fi
