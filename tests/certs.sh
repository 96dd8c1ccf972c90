#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Certificates for tests and labs: tests/certs.sh DIR
# root.pem (trust), and NAME.pem (the chain) with NAME.key: server (example.com, of an intermediate), wild (*.example.net,
# RSA), client (sip:peer.example.org), expired, stranger (of a root that nobody knows), huge (names without end).
set -euo pipefail
dir=${1:?usage: tests/certs.sh DIR}
mkdir -p "$dir"
cd "$dir"
[ -e done ] && exit 0

key() { # name [rsa]
  if [ "${2-}" = rsa ]; then
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$1.key" 2>/dev/null
  else
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2>/dev/null
  fi
}

root() { # name
  key "$1"
  openssl req -x509 -new -key "$1.key" -subj "/O=Heliograph test/CN=$1" -days 7300 -out "$1.pem" \
    -addext "basicConstraints=critical,CA:true" -addext "keyUsage=critical,keyCertSign,cRLSign"
}

signed() { # name, issuer, subject's CN, extensions, further arguments
  local name=$1 issuer=$2 cn=$3 extensions=$4
  shift 4
  openssl req -new -key "$name.key" -subj "/CN=$cn" -out "$name.csr"
  printf '%b\n' "$extensions" > "$name.ext"
  openssl x509 -req -in "$name.csr" -CA "$issuer.pem" -CAkey "$issuer.key" -extfile "$name.ext" -out "$name.one" "$@" 2>/dev/null
  cp "$name.one" "$name.pem"
  [ "$issuer" = middle ] && cat middle.one >> "$name.pem"
  rm -f "$name.csr" "$name.ext"
}

root root
root nobody
key middle
signed middle root "Heliograph test middle" "basicConstraints=critical,CA:true,pathlen:0\nkeyUsage=critical,keyCertSign" -days 7300
cat root.pem >> middle.one # the chain of a server has three certificates
key server
signed server middle server.example.com "subjectAltName=DNS:server.example.com,DNS:example.com,URI:sip:example.com,IP:127.0.0.1" -days 7000
key wild rsa
signed wild root wild.example.net "subjectAltName=DNS:*.example.net" -days 7000
key client
signed client root peer.example.org "subjectAltName=URI:sip:peer.example.org,URI:sip:somebody@user.example.org" -days 7000
key expired
signed expired root expired.example.com "subjectAltName=DNS:example.com" -days -1
key stranger
signed stranger nobody stranger.example.com "subjectAltName=DNS:example.com" -days 7000
key huge
signed huge root huge.example.com "subjectAltName=$(for i in $(seq 1 1200); do printf 'DNS:%032d.example.com,' "$i"; done)DNS:huge.example.com" -days 7000
touch done
