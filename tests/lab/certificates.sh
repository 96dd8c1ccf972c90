#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Certificates for a test: certificates.sh DIR NAME...    (names and addresses of the servers)
#   ca.crt              the authority; other.crt: one that signed nothing
#   server.crt, .key    of every server, with all the names
#   client.crt, .key    of who connects
set -eu
cd "$1" && shift

quietly() { "$@" >>certificates.log 2>&1 || { cat certificates.log >&2; exit 1; }; }
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }

authority() {
    key "$1"
    quietly openssl req -x509 -new -key "$1.key" -days 2 -subj "/CN=authority $1" -out "$1.crt"
}

signed() { # NAME EXTENSION
    key "$1"
    echo "$2" >"$1.ext"
    quietly openssl req -new -key "$1.key" -subj "/CN=$1 of a test" -out "$1.csr"
    quietly openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile "$1.ext" -out "$1.crt"
}

names=
for name in "$@"; do
    case $name in *[!0-9.]*) kind=DNS ;; *) kind=IP ;; esac
    names=${names:+$names,}$kind:$name
done
authority ca
authority other
signed server "subjectAltName=$names"
signed client "extendedKeyUsage=clientAuth"
chmod 644 ./*.key
